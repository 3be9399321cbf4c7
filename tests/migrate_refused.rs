//! `dbops migrate` where it cannot go on: files, requests, rows and servers that are not as they have to be.

use dbops_postgres::DatabaseUrl;
use dbops_testbed::create_database;

use crate::migrate::{line, tables, version_rows};
use crate::project::{Project, execute};

/// Files, and what `migrate` says about them.
#[test]
fn files_that_contradict_each_other_are_refused_before_anything_runs() {
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 7] = [
        (&[("1.sql", "SELECT 1;\n")], "PROJECT/versions/1.sql:1: SQL before `-- +up`"),
        (&[("1.sql", "-- +up\nSELECT 1;\n")], "PROJECT/versions/1.sql:1: the header has no `-- revision:` line"),
        (
            &[("1.sql", "-- revision: a\n-- +up\n"), ("2.sql", "-- revision: a\n-- +up\n")],
            "revision a is there twice: PROJECT/versions/1.sql and PROJECT/versions/2.sql",
        ),
        (
            &[
                ("1.sql", "-- revision: a\n-- revises: b\n-- +up\n"),
                ("2.sql", "-- revision: b\n-- revises: a\n-- +up\n"),
            ],
            "these revisions follow one another in a circle: a, b",
        ),
        (
            &[("1.sql", "-- revision: a\n-- revises: z\n-- +up\n")],
            "PROJECT/versions/1.sql names revision `z`, which does not exist",
        ),
        (
            &[("1.sql", "-- revision: a\n-- +up\nSELECT 'never closed\n")],
            "PROJECT/versions/1.sql:3: this string is never closed",
        ),
        (
            &[("1.sql", "-- revision: a\n-- +up\nCOPY t FROM stdin;\n")],
            "PROJECT/versions/1.sql:3: COPY with STDIN or STDOUT needs a client",
        ),
    ];
    let url = create_database("migrate");
    for (files, message) in cases {
        let project = Project::with_database(&url);
        for (name, text) in files {
            project.write(&format!("versions/{name}"), text);
        }
        let run = project.run(&["migrate"]);
        assert_eq!(run.code, 2, "{message}: {run}");
        assert!(run.stderr.contains(message) && run.stderr.contains("\nhint: "), "{message}: {run}");
        assert!(tables(&url).is_empty());
    }
}

#[test]
fn requests_that_fit_no_revision_are_wrong_usage() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate"]);
    let cases = [
        (vec!["upgrade", "zzzz"], "there is no revision or branch `zzzz`"),
        (vec!["upgrade", "+1"], "`+1`: there are not that many revisions above"),
        (vec!["downgrade", "-9", "--yes"], "`-9`: there are not that many revisions below"),
        (vec!["current", "-t", "ap"], "there is no target `ap`"),
    ];
    for (arguments, message) in cases {
        let run = project.run(&[&["migrate"], &arguments[..]].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {run}");
        assert!(run.stderr.contains(message) && run.stderr.contains("\nhint: "), "{arguments:?}: {run}");
    }
    for (id, problem) in
        [("a-b", "have a meaning in requests"), ("head", "has a meaning in requests"), ("", "it is empty")]
    {
        let run = project.run(&["migrate", "revision", "-m", "x", "--rev-id", id]);
        assert!(run.code == 2 && run.stderr.contains(problem) && run.stderr.contains("\nhint: "), "{run}");
    }
    assert_eq!(project.run(&["migrate", "stamp", ""]).code, 2);
}

#[test]
fn a_row_that_no_file_explains_stops_migrations_and_can_be_purged() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate", "upgrade", "bbbb2222"]);
    execute(&url, "UPDATE alembic_version SET version_num = 'unknown'");
    for arguments in [&["migrate"][..], &["migrate", "stamp", "bbbb2222"]] {
        let run = project.run(arguments);
        assert!(
            run.code == 2 && run.stderr.contains("the database is at revision unknown, which no file has"),
            "{run}"
        );
        assert!(run.stderr.contains("`dbops migrate stamp --purge REV`"), "{run}");
    }
    let current = &project.json(0, &["migrate", "current"])["targets"][0];
    assert_eq!((&current["unknown"][0], &current["up_to_date"]), (&"unknown".into(), &false.into()));
    assert!(project.ok(&["migrate", "history"]).stderr.contains("at revision unknown, which no file has"));
    project.ok(&["migrate", "stamp", "--purge", "bbbb2222"]);
    assert_eq!(version_rows(&url), ["bbbb2222"]);
    project.ok(&["migrate"]);
    assert_eq!(version_rows(&url), ["cccc3333"]);
}

#[test]
fn a_revision_without_a_way_down_stays() {
    let url = create_database("migrate");
    let project = line(&url);
    project.write("versions/4.sql", "-- revision: dddd4444\n-- revises: cccc3333\n-- +up\nCREATE TABLE d ();\n");
    project.ok(&["migrate"]);
    let run = project.run(&["migrate", "downgrade", "base", "--yes"]);
    assert_eq!(run.code, 4, "{run}");
    assert_eq!(tables(&url), ["a", "alembic_version", "b", "d"], "nothing of it has begun");

    // As `migrate revision` writes it: nobody has said what undoes it.
    project.write(
        "versions/4.sql",
        "-- revision: dddd4444\n-- revises: cccc3333\n-- +up\nCREATE TABLE d ();\n\n-- +down\n\n",
    );
    assert_eq!(project.run(&["migrate", "downgrade", "-1", "--yes"]).code, 4);
    project.write(
        "versions/4.sql",
        "-- revision: dddd4444\n-- revises: cccc3333\n-- +up\nSELECT 1;\n-- +down\n-- nothing to undo\n",
    );
    project.ok(&["migrate", "downgrade", "-1", "--yes"]);
}

#[test]
fn a_migrator_that_may_not_create_tables_needs_none() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate"]);
    let role = dbops_testbed::unique("migrator");
    execute(
        &url,
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'm'; GRANT SELECT, INSERT, UPDATE, DELETE ON alembic_version TO {role}"
        ),
    );
    let (host, port) = url.servers().remove(0);
    let text = format!("postgresql://{role}:m@{host}:{port}/{}", url.database());
    let project = line(&DatabaseUrl::parse(&text, "me").expect("url"));
    let run = project.ok(&["migrate"]);
    assert!(
        run.stderr.contains("app: nothing to do") && run.stderr.contains("warning: app: this run is not logged"),
        "{run}"
    );
}

#[test]
fn what_was_done_before_a_failure_is_said() {
    let (first, second) = (create_database("migrate"), create_database("migrate"));
    let project = Project::empty().env("ONE", &first.reveal()).env("TWO", &second.with_database("is missing").reveal());
    let target = |name: &str, variable: &str| {
        format!("  {name}:\n    kind: postgres\n    url: ${{{variable}}}\n    versions: versions\n")
    };
    project.write("dbops.yaml", &format!("version: 1\ntargets:\n{}{}", target("one", "ONE"), target("two", "TWO")));
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    let error = &project.json(1, &["migrate"])["error"];
    assert_eq!(error["message"], "after these were migrated: one (1)");
    assert_eq!(error["causes"][0], "two");
    assert_eq!(version_rows(&first), ["aaaa1111"]);
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_given_up_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let text = format!("postgresql://u:x@{address}/d?connect_timeout=1");
    let run = line(&DatabaseUrl::parse(&text, "me").expect("url")).run(&["migrate", "current"]);
    assert!(run.code == 1 && run.stderr.contains("no answer within 1 seconds"), "{run}");
}

#[test]
fn servers_that_do_not_let_in() {
    let url = create_database("migrate");
    let (host, port) = url.servers().remove(0);
    let cases = [
        (
            format!("postgresql://postgres:wrong-secret@{host}:{port}/{}", url.database()),
            "password authentication failed",
        ),
        (url.with_database("is missing").reveal(), "database \"is missing\" does not exist"),
        ("postgresql://postgres:wrong-secret@localhost:1/x".into(), "cannot connect to database \"x\" at localhost:1"),
    ];
    for (text, message) in cases {
        let project = line(&DatabaseUrl::parse(&text, "me").expect("url"));
        for command in ["current", "history"] {
            let run = project.run(&["migrate", command]);
            assert_eq!(run.code, 1, "{run}");
            assert!(run.stderr.contains(message) && run.stderr.contains("\nhint: "), "{run}");
            assert!(!run.stderr.contains("wrong-secret"), "{run}");
        }
    }
}
