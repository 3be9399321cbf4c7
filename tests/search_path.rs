//! Functions and operators that somebody made to be found before PostgreSQL's own.

use dbops_testbed::create_database;
use serde_json::Value;

use crate::project::{Project, client, execute};

const TRAPS: &str = include_str!("search_path.sql");

#[test]
fn nobody_elses_functions_are_called() {
    let url = create_database("trapped");
    let project = Project::with_database(&url);
    let tables = "CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (a int REFERENCES a);
        CREATE TABLE checkpoint_migrations (v int);
        CREATE TABLE checkpoints (thread_id text, checkpoint_id text);
        CREATE TABLE checkpoint_blobs (thread_id text);
        CREATE TABLE checkpoint_writes (thread_id text);
        CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);
        CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);
        CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);
        INSERT INTO checkpoint_migrations VALUES (9);
        INSERT INTO checkpoints VALUES ('a', '1f1ebb5f-db25-6710-bffe-933a08fd09c9');";
    project.revision("aaaa1111", "", tables, "DROP SCHEMA public CASCADE;");
    project.ok(&["migrate"]);
    let checks = |document: &Value| -> Vec<String> {
        let checks = document["checks"].as_array().expect("checks").iter();
        checks.map(|check| format!("{} {}", check["id"], check["status"])).collect()
    };
    execute(&url, "ANALYZE");
    let before = checks(&project.json(3, &["health"]));

    execute(&url, TRAPS);
    // They are new objects, which the check `drift` would tell.
    project.ok(&["migrate", "stamp", "heads"]);
    execute(&url, &format!("ALTER DATABASE \"{}\" SET search_path = public, pg_catalog", url.database()));
    for sql in [
        "SELECT count(*) FROM pg_class",
        "SELECT max(oid) FROM pg_class",
        "SELECT 1 = 1",
        "SELECT 'a'::name = 'a'",
        "SELECT now()",
    ] {
        let output = client("psql", &url).args(["-c", sql]).output().expect("psql");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("trapped"), "{sql}: {error}");
    }

    assert_eq!(checks(&project.json(3, &["health"])), before);
    let lines =
        ["status", "doctor", "migrate current", "migrate check", "migrate history", "schema show app", "backup"];
    for line in lines {
        project.ok(&line.split(' ').collect::<Vec<_>>());
    }
}
