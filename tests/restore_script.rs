//! `dbops restore` of scripts for psql: sets in the plain format, files from elsewhere, hostile ones.

use std::fs;

use dbops_postgres::{DatabaseUrl, quote_identifier};
use dbops_testbed::{create_database, superuser_url, unique};
use serde_json::json;

use crate::backup::sample;
use crate::project::{Project, client, execute, query};

/// A database as pg_dump writes it, without what differs from run to run.
fn dump(url: &DatabaseUrl, options: &[&str]) -> String {
    let output = client("pg_dump", url).args(options).output().expect("pg_dump");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn assert_equal(restored: &DatabaseUrl, original: &DatabaseUrl) {
    let text = |url| {
        let text = dump(url, &[]);
        text.lines().filter(|line| !line.contains("restrict ")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(text(restored), text(original));
}

fn databases(name: &str) -> Vec<String> {
    let sql = format!("SELECT datname FROM pg_database WHERE datname = {}", dbops_postgres::quote_literal(name));
    query(&superuser_url(), &sql)
}

#[test]
fn a_set_in_the_plain_format_is_restored_compared_and_tried() {
    let url = sample("plain");
    let project = Project::with_database(&url);
    for compression in ["none", "gzip"] {
        project.ok(&["backup", "--format", "plain", "--compress", compression]);
        let into = unique("plain");
        let restored = project.json(0, &["restore", "latest", "app", "--into", &into]);
        let target = &restored["targets"][0];
        assert_eq!((&target["created"], &target["tables"]), (&json!(true), &json!(4)), "{compression}");
        assert_eq!((&target["revision"], &target["differences"]), (&json!(["8f3c2a9d41be"]), &json!([])));
        assert_equal(&url.with_database(&into), &url);
    }
    let run = project.ok(&["backup", "verify", "--restore"]);
    assert!(run.stdout.contains("restored") && !run.stdout.contains("but for"), "{run}");

    // Into one that is there and empty, and in the place of the original.
    let empty = create_database("plain");
    project.json(0, &["restore", "latest", "app", "--into", empty.database()]);
    assert_equal(&empty, &url);
    execute(&url, "DROP TABLE players CASCADE");
    project.json(0, &["restore", "latest", "app", "--overwrite"]);
    assert_equal(&url, &empty);
}

#[test]
fn a_script_from_elsewhere_is_restored_into_a_database_of_any_name() {
    let url = sample("odd 'script\" db");
    let project = Project::with_database(&create_database("script"));
    for options in [&["--create"][..], &["--clean", "--if-exists", "--inserts"]] {
        project.write("some.sql", &dump(&url, options));
        let into = unique("script");
        let run = project.ok(&["restore", "some.sql", "app", "--into", &into]);
        assert!(run.stdout.contains("(a new database): 4 tables at revision 8f3c2a9d41be"), "{run}");
        assert_equal(&url.with_database(&into), &url);
    }
    // Of a script that is the whole of its file only.
    let run = project.run(&["restore", "some.sql", "app", "--into", &unique("script"), "--table", "teams"]);
    assert!(run.code == 2 && run.stderr.contains("of which only everything can be restored"), "{run}");
}

/// What is hidden in the script, the exit code, and what is said.
#[test]
fn what_is_not_to_be_run_is_refused_before_anything_is_made() {
    let url = sample("hostile");
    let live = sample("live");
    let project = Project::with_database(&url);
    let script = dump(&url, &[]);
    let touched = project.path("touched");
    let touch = format!("\\! touch {}\n", touched.display());
    let at = |line: &str| script.find(line).unwrap_or_else(|| panic!("{line}"));
    let with = |position: usize, text: &str| format!("{}{text}{}", &script[..position], &script[position..]);
    let lines = |text: &str| text.lines().count();
    let after_rows = at("\n\\.\n") + 4;
    let drop = format!("DROP DATABASE {};\n", quote_identifier(live.database()));
    let cases = [
        (with(0, &touch), 4, "line 1: `\\!` is a command of psql".to_owned()),
        (with(after_rows, &touch), 4, format!("line {}: `\\!`", lines(&script[..after_rows]) + 1)),
        (with(at("COPY public.players"), &touch), 4, "`\\!` is a command of psql".into()),
        (with(at("CREATE TYPE"), "\\unrestrict x\n"), 4, "`\\unrestrict` is a command of psql".into()),
        (
            with(at("CREATE TYPE"), "COPY t FROM PROGRAM 'touch x';\n"),
            4,
            "`COPY t FROM PROGRAM …` reads or writes".into(),
        ),
        (with(at("CREATE TYPE"), &drop), 4, "is about another database".into()),
        (with(at("CREATE TYPE"), "ALTER SYSTEM SET work_mem = 1;\n"), 4, "changes what all databases".into()),
        (with(at("CREATE TYPE"), "\\connect live\n"), 4, "`\\connect` is a command of psql".into()),
        (with(at("CREATE TYPE"), "ALTER TYPE nosuch OWNER TO \"no such\";\n"), 4, "does not have the role that".into()),
        (script[..after_rows - 4].into(), 1, "is cut off: it ends within the rows of a COPY".into()),
        (script[..at("-- PostgreSQL database dump complete")].into(), 1, "is cut off: its last line".into()),
        (with(at("CREATE TYPE"), "SELECT nosuch;\n"), 1, "`SELECT nosuch`\n".into()),
        ("\0".into(), 2, "cannot be read as a script".into()),
    ];
    let empty = create_database("hostile");
    for (text, code, message) in cases {
        project.write("x.sql", &text);
        let into = unique("hostile");
        for into in [into.as_str(), empty.database()] {
            let run = project.run(&["restore", "x.sql", "app", "--into", into]);
            assert!(run.code == code && run.stderr.contains(&message), "{message}: {run}");
            assert!(run.stderr.contains("hint: "), "{run}");
        }
        assert_eq!(databases(&into), Vec::<String>::new(), "{message}");
        let there = query(&empty, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace");
        assert_eq!(there, Vec::<String>::new(), "{message}");
    }
    assert!(fs::metadata(&touched).is_err());
    assert_eq!(query(&live, "SELECT count(*)::text FROM players"), ["50"]);
}

/// A set is as hostile as a file is: the owner of a table may have put a line into what pg_dump wrote.
#[test]
fn names_that_look_like_commands_do_nothing() {
    let url = sample("names");
    execute(
        &url,
        "CREATE TABLE \"x\n\\! touch /nonexistent/touched\n-- \" (a text); COMMENT ON TABLE teams IS E'\n\\\\! id'",
    );
    let project = Project::with_database(&url);
    project.ok(&["backup", "--format", "plain"]);
    let into = unique("names");
    project.json(0, &["restore", "latest", "app", "--into", &into]);
    assert_equal(&url.with_database(&into), &url);
}
