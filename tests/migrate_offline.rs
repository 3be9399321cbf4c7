//! `dbops migrate … --sql`: a script that psql runs to the same result.

use dbops_postgres::DatabaseUrl;
use dbops_testbed::create_database;

use crate::migrate::version_rows;
use crate::project::{Project, client, execute};

/// Branches, a merge, a dependency, session settings that must not spill over, and statements that are hard to split.
fn project(url: &DatabaseUrl) -> Project {
    let project = Project::with_database(url);
    let files = [
        (
            "1",
            "aaaa1111",
            "",
            "",
            "",
            "CREATE TABLE a (id int, note text DEFAULT 'x;y -- \\ :USER \u{1b}[31m');",
            "DROP TABLE a;",
        ),
        (
            "2",
            "bbbb2222",
            "aaaa1111",
            "",
            "",
            "CREATE SCHEMA other; SET search_path = other; CREATE TABLE b (a int[]); INSERT INTO b VALUES ('{1,2,3}'); SELECT a[1:2] FROM b -- all",
            "DROP SCHEMA other CASCADE;",
        ),
        (
            "3",
            "cccc3333",
            "aaaa1111",
            "",
            "-- transaction: off",
            "CREATE INDEX CONCURRENTLY a_id ON a (id);\nCREATE FUNCTION f(x int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT x; END;",
            "DROP FUNCTION f; DROP INDEX CONCURRENTLY a_id;",
        ),
        (
            "4",
            "dddd4444",
            "bbbb2222, cccc3333",
            "",
            "",
            "DO $$ BEGIN PERFORM 1; END $$; SET ROLE pg_monitor;",
            "-- none",
        ),
        ("5", "eeee5555", "", "cccc3333", "-- lock_timeout: 2s", "CREATE TABLE e ();", "DROP TABLE e;"),
    ];
    for (order, id, parents, needs, options, up, down) in files {
        let header = format!(
            "-- revision: {id}\n-- revises: {parents}\n-- depends_on: {needs}\n-- message: it's {id}\n{options}"
        );
        project.write(&format!("versions/{order}_{id}.sql"), &format!("{header}\n-- +up\n{up}\n-- +down\n{down}\n"));
    }
    project
}

/// Runs a script as its first line says.
fn psql(url: &DatabaseUrl, script: &str) -> Result<(), String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), script).expect("write");
    let mut command = client("psql", url);
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(file.path());
    let output = command.output().expect("psql");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn schema(url: &DatabaseUrl) -> String {
    let mut command = client("pg_dump", url);
    command.args(["--schema-only", "--exclude-schema=dbops"]);
    let output = command.output().expect("pg_dump");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dump = String::from_utf8_lossy(&output.stdout).into_owned();
    dump.lines().filter(|line| !line.starts_with("\\") && !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

#[test]
fn scripts_do_what_runs_do() {
    // Each: what was done online before, and the range.
    let cases = [
        ("base", "upgrade", "heads"),
        ("base", "upgrade", "base:dddd4444"),
        ("base", "upgrade", ":eeee5555"),
        ("bbbb2222", "upgrade", "bbbb2222:heads"),
        ("bbbb2222", "upgrade", "bbbb2222:+1"),
        ("heads", "downgrade", "heads:aaaa1111"),
        ("heads", "downgrade", "heads:base"),
        ("dddd4444", "downgrade", "dddd4444:bbbb2222"),
        ("cccc3333", "upgrade", "cccc3333:cccc3333"),
    ];
    for (before, direction, range) in cases {
        let (online, offline) = (create_database("online"), create_database("offline"));
        let (run, written) = (project(&online), project(&offline));
        if before != "base" {
            run.ok(&["migrate", "upgrade", before]);
            written.ok(&["migrate", "upgrade", before]);
        }
        let to = range.rsplit(':').next().expect("an end");
        run.ok(&["migrate", direction, to, "--yes"]);
        let script = project(&DatabaseUrl::parse("postgresql://nobody@localhost:1/nothing", "me").expect("a URL"))
            .ok(&["migrate", direction, range, "--sql"]);
        assert_eq!(psql(&offline, &script.stdout), Ok(()), "{direction} {range}\n{script}");
        assert_eq!(version_rows(&offline), version_rows(&online), "{direction} {range}");
        assert_eq!(schema(&offline), schema(&online), "{direction} {range}");
        assert!(written.ok(&["migrate", "current"]).code == 0);
    }
}

#[test]
fn a_script_stops_where_the_database_is_elsewhere() {
    let url = create_database("offline");
    let project = project(&url);
    project.ok(&["migrate", "upgrade", "aaaa1111"]);
    let script = project.ok(&["migrate", "upgrade", "bbbb2222:heads", "--sql"]).stdout;
    execute(&url, "CREATE INDEX a_id ON a (id)");
    let script = script.replace("CREATE INDEX CONCURRENTLY a_id ON a (id);", "");
    let error = psql(&url, &script).expect_err("it stops");
    assert!(error.contains("the version table has no row bbbb2222") || error.contains("already"), "{error}");

    let document = project.json(0, &["migrate", "upgrade", "aaaa1111", "--sql"]);
    assert!(document["targets"][0]["sql"].as_str().expect("SQL").contains("CREATE TABLE a"), "{document}");
    let refused = [
        (&["migrate", "upgrade", "aaaa1111:heads"][..], 2, "`aaaa1111:heads` is a range"),
        (&["migrate", "downgrade", "base", "--sql"], 2, "`base` is not a range"),
        (&["migrate", "upgrade", "a:b:c", "--sql"], 2, "`a:b:c` is not a range"),
        (
            &["migrate", "upgrade", "heads", "--sql", "--single-transaction"],
            4,
            "revision cccc3333 runs without a transaction",
        ),
    ];
    for (arguments, code, message) in refused {
        let run = project.run(arguments);
        assert!(run.code == code && run.stderr.contains(message) && run.stderr.contains("hint: "), "{run}");
    }
    let single = project.ok(&["migrate", "upgrade", "aaaa1111:bbbb2222", "--sql", "--single-transaction"]).stdout;
    assert_eq!((single.matches("BEGIN;").count(), psql(&url, &single)), (1, Ok(())), "{single}");
    assert_eq!(version_rows(&url), ["bbbb2222", "cccc3333"]);
}
