//! `rotate-api-key.sh`: Qdrant's API key is known to others.

use dbops_testbed::{Qdrant, start_qdrant, start_qdrant_with, unique};

use super::{done, in_front_of_dbops, stopped};
use crate::project::Project;

const RUN: &str = "NEW_KEY_FILE=new.key OLD_KEY_FILE=old.key rotate-api-key.sh qdrant QDRANT_API_KEY";

fn with_keys(keys: &[&str]) -> Qdrant {
    start_qdrant_with(&std::env::temp_dir().join(unique("dbops-qdrant")), keys)
}

/// A project with this server, and with the key that dbops has.
fn project(server: &Qdrant, key: &str) -> Project {
    let project = Project::empty().env("QDRANT_URL", &server.url).env("QDRANT_API_KEY", key);
    let config = "version: 1\ntargets:\n  qdrant:\n    kind: qdrant\n    url: ${QDRANT_URL}\n    \
                  api_key: ${QDRANT_API_KEY}\n    collections: collections.yaml\n";
    project.write(
        "dbops.yaml",
        &config.replace("    api_key", &format!("    grpc_port: {}\n    api_key", server.grpc_port)),
    );
    project.write("collections.yaml", "version: 1\ncollections: {}\n");
    project.write("old.key", "known-to-others\n");
    project.write("new.key", "known-to-few\n");
    project
}

#[test]
fn the_way_from_the_known_key_to_the_new_one_is_told_step_by_step() {
    let before = with_keys(&["known-to-others"]);
    let said = ["stopped at: try the new key", "as QDRANT__SERVICE__ALT_API_KEY beside the old one"];
    stopped(&project(&before, "known-to-others"), RUN, 3, &said);

    let between = with_keys(&["known-to-others", "known-to-few"]);
    for key in ["known-to-others", "known-to-few"] {
        let said = ["stopped at: try the old key", "Hand the new one to the applications"];
        stopped(&project(&between, key), RUN, 1, &said);
    }

    let after = with_keys(&["known-to-few"]);
    let said = ["stopped at: see which key dbops uses", "put the new key where QDRANT_API_KEY comes from"];
    stopped(&project(&after, "known-to-others"), RUN, 3, &said);
    let project = project(&after, "known-to-few");
    for _ in 0..2 {
        let run = done(&project, RUN);
        assert!(run.stdout.contains("qdrant takes the new key only"), "{run}");
    }

    // The server is gone when the old key is tried: nobody has refused it.
    let gone =
        r#"if [ "$QDRANT_API_KEY_FILE" = old.key ]; then export QDRANT_URL=http://127.0.0.1:1; fi; exec DBOPS "$@""#;
    let line = format!("{} {RUN}", in_front_of_dbops(&project, gone));
    let run =
        stopped(&project, &line, 3, &["stopped at: try the old key", "this is no refusal of the key", "127.0.0.1:1"]);
    assert!(!run.stdout.contains("takes the new key only"), "{run}");

    let missing = RUN.replace("old.key", "no.key");
    stopped(&project, &missing, 2, &["OLD_KEY_FILE is no.key, which is no file", "openssl rand"]);
    let unknown = RUN.replace(" qdrant ", " search ");
    stopped(&project, &unknown, 2, &["there is no target search of kind qdrant: choose from qdrant"]);
    project.write("new.key", "known-to-others\n");
    stopped(&project, RUN, 2, &["the new key is the old one"]);
}

#[test]
fn a_server_that_asks_for_no_key_is_found() {
    stopped(&project(&start_qdrant(), "known-to-few"), RUN, 1, &["any key opens the door"]);
}
