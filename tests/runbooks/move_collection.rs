//! `move-collection.sh`: a collection gets other parameters behind its alias.

use std::fs;

use serde_json::Value;

use super::{done, stopped};
use crate::project::{Project, execute};
use crate::stack::Stack;

const RUN: &str = "move-collection.sh document_chunks";
const FILE: &str = "config/qdrant/collections.yaml";

/// The collection that the application's alias leads to.
fn behind_alias(project: &Project) -> String {
    let aliases = project.json(0, &["qdrant", "alias", "list"]);
    aliases["targets"][0]["aliases"][0]["collection"].as_str().expect("an alias").to_owned()
}

fn collections(project: &Project) -> Vec<String> {
    let status = project.json(0, &["qdrant", "status"]);
    let all: &[Value] = status["targets"][0]["collections"].as_array().expect("collections");
    all.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_wrong_parameter_changes_nothing_and_a_right_one_leads_behind_the_alias() {
    let stack = Stack::filled();
    let project = &stack.project;
    let file = fs::read_to_string(project.path(FILE)).expect("the collections");
    let declare = |from: &str, to: &str| {
        assert!(file.contains(from), "{from}");
        project.write(FILE, &file.replace(from, to));
    };
    let old = "document_chunks_v1";

    declare("m: 16", "m: -1");
    let said = ["stopped at: read the declaration (exit code 2)", "collections.yaml:", "nothing was changed"];
    stopped(project, RUN, 2, &said);
    // The table's vectors have 384 numbers.
    declare("size: 384", "size: 128");
    stopped(
        project,
        RUN,
        1,
        &["stopped at: rebuild document_chunks behind its alias", "correct it and pass --restart once"],
    );
    assert_eq!(behind_alias(project), old);

    declare("on_disk_payload: true", "on_disk_payload: false\n    shard_number: 2");
    project.ok(&["qdrant", "reindex", "document_chunks", "--restart", "--no-swap"]);
    stack.write_chunks();
    let said = ["stopped at: compare document_chunks with its table (exit code 3)", "10 rows without a point"];
    stopped(project, RUN, 3, &said);
    project.ok(&["qdrant", "sync"]);
    let run = done(project, RUN);
    assert!(run.stdout.contains("document_chunks leads there"), "{run}");
    assert_eq!(behind_alias(project), "document_chunks_v1.2");
    assert_eq!(collections(project), [old, "document_chunks_v1.2"], "the way back is there");
    project.ok(&["qdrant", "plan", "--check"]);

    // pgvector looks at one candidate alone, and finds less than it should.
    let vector_db = stack.url("vector_db");
    execute(&vector_db, "ALTER DATABASE vector_db SET hnsw.ef_search = 1");
    let said = ["stopped at: measure what searches find (exit code 3)", "one of the two finds too little"];
    stopped(project, &format!("{RUN} --drop-old"), 3, &said);
    assert_eq!(collections(project), [old, "document_chunks_v1.2"]);
    execute(&vector_db, "ALTER DATABASE vector_db RESET hnsw.ef_search");

    let again = done(project, RUN);
    assert!(again.stdout.contains("nothing to do"), "{again}");
    for _ in 0..2 {
        done(project, &format!("{RUN} --drop-old"));
        assert_eq!(collections(project), ["document_chunks_v1.2"]);
    }

    let said = ["no collection `chunks` is declared", "choose a collection as the message says"];
    stopped(project, "move-collection.sh chunks", 2, &said);
    // With no row there is nothing to search by.
    execute(&vector_db, "TRUNCATE documents CASCADE");
    project.ok(&["qdrant", "sync", "--allow-deletes"]);
    let said =
        ["stopped at: measure what searches find", "nothing was measured", "An empty table has no rows to search by"];
    stopped(project, RUN, 2, &said);
}
