//! `lost-qdrant.sh`: Qdrant's data is gone, and comes again from pgvector.

use dbops_testbed::{Qdrant, start_qdrant};

use super::{done, stopped};
use crate::project::{Project, execute};
use crate::stack::Stack;

const RUN: &str = "lost-qdrant.sh qdrant";

/// The project with another Qdrant, as if it stood where the first one did.
fn with(project: Project, qdrant: &Qdrant) -> Project {
    project.env("QDRANT_URL", &qdrant.url).env("QDRANT_GRPC_PORT", &qdrant.grpc_port.to_string())
}

#[test]
fn the_collections_come_again_from_their_tables() {
    let stack = Stack::filled();
    let vector_db = stack.url("vector_db");
    let project = stack.project;
    let said = ["there is no target bot_db of kind qdrant: choose from qdrant"];
    stopped(&project, "lost-qdrant.sh bot_db", 2, &said);
    drop(stack.qdrant);
    stopped(&project, RUN, 1, &["stopped at: reach Qdrant", "what to do: start an empty Qdrant server"]);

    let fresh = start_qdrant();
    let project = with(project, &fresh);
    let run = done(&project, RUN);
    assert!(run.stdout.contains("200 inserted"), "{run}");
    assert!(run.stdout.contains("the same, 200 rows of vector_db public.chunk_points"), "{run}");
    project.ok(&["qdrant", "plan", "--check"]);
    project.ok(&["qdrant", "recall", "document_chunks", "--min", "0.9"]);
    let again = done(&project, RUN);
    assert!(again.stdout.contains("200 rows, nothing to do"), "{again}");

    // A database that lost its rows is no truth to make Qdrant equal to.
    execute(&vector_db, "TRUNCATE documents CASCADE");
    let said = ["stopped at: fill them from their tables (exit code 4)", "a database that lost rows is restored first"];
    stopped(&project, RUN, 4, &said);
    project.ok(&["qdrant", "sync", "--dry-run", "--allow-deletes"]);
    let empty = start_qdrant();
    let said = ["stopped at: compare them with their tables", "a table is empty, and so is what it fills"];
    stopped(&with(project, &empty), RUN, 3, &said);
}
