//! `dbops migrate`: up, down and sideways, what it says, and how it ends when it is broken off.

use std::time::{Duration, Instant};

use dbops_postgres::DatabaseUrl;
use dbops_testbed::create_database;

use crate::project::{Held, PATIENCE, Project, execute, query, until_waiting};

/// Three revisions in a line.
pub(crate) fn line(url: &DatabaseUrl) -> Project {
    let project = Project::with_database(url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.revision("bbbb2222", "aaaa1111", "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);", "DROP TABLE b;");
    project.revision(
        "cccc3333",
        "bbbb2222",
        "ALTER TABLE b ADD COLUMN note text DEFAULT 'x;y';",
        "ALTER TABLE b DROP COLUMN note;",
    );
    project
}

pub(crate) fn tables(url: &DatabaseUrl) -> Vec<String> {
    query(url, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1")
}

pub(crate) fn version_rows(url: &DatabaseUrl) -> Vec<String> {
    query(url, "SELECT version_num FROM alembic_version ORDER BY 1")
}

/// Waits until a statement like this runs in the database.
pub(crate) fn wait_for_statement(url: &DatabaseUrl, like: &str) {
    let sql = format!("SELECT 1 FROM pg_stat_activity WHERE query LIKE '{like}' AND datname = current_database()");
    let deadline = Instant::now() + PATIENCE;
    while query(url, &sql).is_empty() {
        assert!(Instant::now() < deadline, "`{like}` was never run");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What Ctrl-C sends.
pub(crate) fn interrupt(run: &std::process::Child) {
    let pid = run.id().to_string();
    assert!(dbops_postgres::process::command("kill").args(["-INT", &pid]).status().expect("kill").success());
}

#[test]
fn up_and_down_and_up_again() {
    let url = create_database("migrate");
    let project = line(&url);
    let steps = |document: &serde_json::Value| {
        let steps = document["targets"][0]["steps"].as_array().expect("steps").iter();
        steps
            .map(|step| {
                format!("{} {}", step["direction"].as_str().unwrap_or(""), step["revision"].as_str().unwrap_or(""))
            })
            .collect::<Vec<_>>()
    };
    let current = project.json(0, &["migrate", "current"]);
    assert_eq!(current["targets"][0]["current"], serde_json::json!([]));
    assert_eq!(current["targets"][0]["pending"], serde_json::json!(["aaaa1111", "bbbb2222", "cccc3333"]));
    assert!(tables(&url).is_empty(), "reading creates nothing");

    let document = project.json(0, &["migrate"]);
    assert_eq!(steps(&document), ["up aaaa1111", "up bbbb2222", "up cccc3333"]);
    assert_eq!(document["targets"][0]["current"], serde_json::json!(["cccc3333"]));
    assert_eq!(query(&url, "SELECT * FROM b"), ["1|x;y"]);
    assert_eq!(steps(&project.json(0, &["migrate"])), Vec::<String>::new(), "nothing left to do");
    assert_eq!(project.json(0, &["migrate", "current"])["targets"][0]["up_to_date"], true);

    let refused = project.run(&["migrate", "downgrade", "-1"]);
    assert_eq!(refused.code, 4, "{refused}");
    assert!(refused.stderr.contains("hint: pass --yes to go ahead"), "{refused}");
    assert_eq!(version_rows(&url), ["cccc3333"]);
    assert_eq!(steps(&project.json(0, &["migrate", "downgrade", "-1", "--yes"])), ["down cccc3333"]);
    assert_eq!(steps(&project.json(0, &["migrate", "downgrade", "base", "--yes"])), ["down bbbb2222", "down aaaa1111"]);
    assert_eq!(tables(&url), ["alembic_version"]);
    assert_eq!(version_rows(&url), Vec::<String>::new());

    assert_eq!(steps(&project.json(0, &["migrate", "upgrade", "bbbb"])), ["up aaaa1111", "up bbbb2222"]);
    assert_eq!(steps(&project.json(0, &["migrate", "upgrade", "+1"])), ["up cccc3333"]);
}

#[test]
fn reading_commands_for_people_and_programs() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate", "upgrade", "bbbb2222"]);
    let heads = project.json(0, &["migrate", "heads"]);
    assert_eq!(
        heads["targets"][0],
        serde_json::json!({"name": "app", "heads": [{"revision": "cccc3333", "message": "add cccc3333", "branch_labels": []}]})
    );
    let history = project.json(0, &["migrate", "history"]);
    let revisions = history["targets"][0]["revisions"].as_array().expect("revisions");
    let shown: Vec<_> =
        revisions.iter().map(|it| (it["revision"].as_str().unwrap_or(""), it["applied"].as_bool())).collect();
    assert_eq!(shown, [("cccc3333", Some(false)), ("bbbb2222", Some(true)), ("aaaa1111", Some(true))]);
    assert_eq!(
        project.ok(&["migrate", "current"]).stdout,
        "TARGET  CURRENT   HEADS     STATE\napp     bbbb2222  cccc3333  1 pending\n"
    );
    assert_eq!(
        project.ok(&["migrate", "history"]).stdout,
        "TARGET  REVISION  STATE    MESSAGE\napp     cccc3333  pending  add cccc3333\n\
         app     bbbb2222  applied  add bbbb2222\napp     aaaa1111  applied  add aaaa1111\n"
    );
}

#[test]
fn stamp_marks_without_running() {
    let url = create_database("migrate");
    let project = line(&url);
    let document = project.json(0, &["migrate", "stamp", "bbbb2222"]);
    assert_eq!(document["targets"][0]["current"], serde_json::json!(["bbbb2222"]));
    assert_eq!(tables(&url), ["alembic_version"]);
    project.ok(&["migrate", "stamp", "base"]);
    assert_eq!(version_rows(&url), Vec::<String>::new());
}

#[test]
fn a_new_revision_follows_the_head_and_runs() {
    let url = create_database("migrate");
    let project = line(&url);
    let document = project.json(0, &["migrate", "revision", "-m", "add  email\nverification"]);
    assert_eq!(document["revises"], serde_json::json!(["cccc3333"]));
    let path = document["path"].as_str().expect("path").replace("PROJECT", &project.path("").display().to_string());
    let text = std::fs::read_to_string(&path).expect("the file");
    assert!(
        text.contains("-- message: add email verification\n") && text.ends_with("-- +up\n\n\n-- +down\n\n"),
        "{text}"
    );
    project.ok(&["migrate"]);
    assert_eq!(version_rows(&url), [document["revision"].as_str().expect("id")]);

    let taken = project.run(&["migrate", "revision", "-m", "again", "--rev-id", "aaaa1111"]);
    assert_eq!(taken.code, 2, "{taken}");
    let odd = project.run(&["migrate", "revision", "-m", "again", "--rev-id", "../x@y"]);
    assert_ne!(odd.code, 0, "{odd}");
}

#[test]
fn a_failing_statement_is_shown_with_its_place_and_leaves_no_trace() {
    let url = create_database("migrate");
    let project = line(&url);
    let up = "CREATE TABLE d (id int);\n-- The name is wrong:\nINSERT INTO b\n    SELECT id, nme FROM d;";
    project.revision("dddd4444", "cccc3333", up, "DROP TABLE d;");
    let run = project.run(&["migrate"]);
    assert_eq!(run.code, 1, "{run}");
    let expected = "error: app\n  revision dddd4444 failed: column \"nme\" does not exist (SQLSTATE 42703)\n  \
                    PROJECT/versions/20261122T210501Z_dddd4444_add_dddd4444.sql:12:16\n  \
                    12 |     SELECT id, nme FROM d;\n     |                ^\n\
                    hint: nothing of this revision was applied; correct the file and run the command again\n";
    assert!(run.stderr.ends_with(expected), "{run}");
    assert_eq!(tables(&url), ["a", "alembic_version", "b"], "the three before it stay, it leaves no trace");
    assert_eq!(version_rows(&url), ["cccc3333"]);

    let error = &project.json(1, &["migrate"])["error"];
    assert_eq!(error["kind"], "failed");
    assert!(error["causes"][0].as_str().is_some_and(|cause| cause.contains("SQLSTATE 42703")), "{error}");

    // A constraint that is checked at the end of the transaction.
    project.revision(
        "dddd4444",
        "cccc3333",
        "CREATE TABLE d (id int PRIMARY KEY, next int REFERENCES d DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO d VALUES (1, 2);",
        "DROP TABLE d;",
    );
    let run = project.run(&["migrate"]);
    assert!(run.code == 1 && run.stderr.contains("SQLSTATE 23503"), "{run}");
    assert_eq!(version_rows(&url), ["cccc3333"]);
}

#[test]
fn a_revision_without_statements_is_pointed_out() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate", "revision", "-m", "think about it", "--rev-id", "dddd4444"]);
    let run = project.ok(&["migrate"]);
    assert!(run.stderr.contains("+ dddd4444 think about it (it has no statements)"), "{run}");
    assert!(run.stderr.contains("+ cccc3333 add cccc3333 "), "{run}");
}

#[test]
fn what_one_revision_leaves_in_the_session_the_next_does_not_see() {
    let url = create_database("migrate");
    let project = line(&url);
    let up = "CREATE TEMP TABLE a (other text);\nSELECT set_config('search_path', '', false);\n\
              SET ROLE pg_monitor;\nSET SESSION statement_timeout = '200ms';";
    project.revision("dddd4444", "cccc3333", up, "DROP TABLE a;");
    assert_eq!(project.json(0, &["migrate"])["targets"][0]["current"], serde_json::json!(["dddd4444"]));
    project.revision(
        "eeee5555",
        "dddd4444",
        "CREATE TEMP TABLE a (x int);\nDROP TABLE pg_temp.a;\nSELECT pg_sleep(0.3);\nINSERT INTO a VALUES (1);",
        "",
    );
    project.ok(&["migrate"]);
    assert_eq!(query(&url, "SELECT id FROM a"), ["1"]);
}

#[test]
fn what_the_server_says_beside_its_answers_is_shown() {
    let url = create_database("migrate");
    let project = line(&url);
    project.revision(
        "dddd4444",
        "cccc3333",
        "DO $$ BEGIN RAISE WARNING 'careful'; RAISE NOTICE 'by the way'; END $$;",
        "",
    );
    let run = project.ok(&["migrate"]);
    assert!(run.stderr.contains("warning: app: careful\n") && !run.stderr.contains("by the way"), "{run}");
    execute(&url, "UPDATE alembic_version SET version_num = 'cccc3333'");
    let run = project.ok(&["migrate", "-v"]);
    assert!(run.stderr.contains("app: notice: by the way"), "{run}");
}

#[test]
fn a_version_table_that_changes_meanwhile_stops_the_run() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate"]);
    for change in
        ["DELETE FROM alembic_version", "UPDATE alembic_version SET version_num = 'other'", "TRUNCATE alembic_version"]
    {
        project.revision("dddd4444", "cccc3333", &format!("CREATE TABLE d (); {change};"), "");
        let run = project.run(&["migrate"]);
        let message =
            "the version table changed while revision dddd4444 ran: it no longer has exactly one row for cccc3333\n";
        assert!(run.code == 1 && run.stderr.contains(message) && !run.stderr.contains("warning"), "{run}");
        assert_eq!(version_rows(&url), ["cccc3333"]);
        assert_eq!(tables(&url), ["a", "alembic_version", "b"]);
    }
}

#[test]
fn two_runs_never_interleave() {
    let url = create_database("migrate");
    let project = line(&url);
    let gate = Held::new(&url, "SELECT pg_advisory_xact_lock(1)");
    project.revision("dddd4444", "cccc3333", "SELECT pg_advisory_xact_lock(1);", "");
    let mut first = project.command(&["migrate", "upgrade", "head"]).spawn().expect("start");
    until_waiting(&url, |sessions| sessions == 1);
    let refused = project.run(&["migrate", "upgrade", "head", "--lock-wait", "0"]);
    assert_eq!(refused.code, 5, "{refused}");
    let holder = format!("dbops migrate, process {}", first.id());
    assert!(refused.stderr.contains(&holder) && refused.stderr.contains("since"), "{refused}");
    let second = project.command(&["migrate", "upgrade", "head"]).spawn().expect("start");
    // It has asked for the lock in vain, and asks again.
    wait_for_statement(&url, &format!("%pg_try_advisory_lock%' AND application_name LIKE '%, process {}", second.id()));
    drop(gate);
    assert!(first.wait().expect("end").success());
    let waited = second.wait_with_output().expect("end");
    let said = String::from_utf8_lossy(&waited.stderr);
    assert!(waited.status.success() && said.contains("app: nothing to do"), "{said}");
}

#[test]
fn a_killed_run_leaves_whole_revisions_and_no_lock() {
    let url = create_database("migrate");
    let project = line(&url);
    project.revision(
        "dddd4444",
        "cccc3333",
        "CREATE TABLE d ();\nSELECT pg_sleep(600);\nCREATE TABLE e ();",
        "DROP TABLE d;",
    );
    let mut run = project.command(&["migrate"]).spawn().expect("start");
    wait_for_statement(&url, "SELECT pg_sleep(600%");
    run.kill().expect("kill -9");
    run.wait().expect("wait");
    project.revision("dddd4444", "cccc3333", "CREATE TABLE d ();\nCREATE TABLE e ();", "DROP TABLE d;");
    project.ok(&["migrate", "--lock-wait", "30"]);
    assert_eq!(tables(&url), ["a", "alembic_version", "b", "d", "e"]);
    assert_eq!(version_rows(&url), ["dddd4444"]);
}

#[test]
pub(crate) fn interruption_ends_with_130_and_leaves_whole_revisions() {
    let url = create_database("migrate");
    let project = line(&url);
    project.revision("dddd4444", "cccc3333", "SELECT pg_sleep(600);", "");
    let run = project.command(&["migrate"]).spawn().expect("start");
    wait_for_statement(&url, "SELECT pg_sleep(600%");
    interrupt(&run);
    let output = run.wait_with_output().expect("end");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(version_rows(&url), ["cccc3333"]);
}

#[test]
fn the_header_rules_the_transaction_and_its_timeouts() {
    let url = create_database("migrate");
    let project = line(&url);
    let header = |id: &str, parent: &str, options: &str, up: &str| {
        project.write(
            &format!("versions/{id}.sql"),
            &format!("-- revision: {id}\n-- revises: {parent}\n{options}\n-- +up\n{up}\n-- +down\n"),
        );
    };
    header(
        "dddd4444",
        "cccc3333",
        "-- lock_timeout: 123ms\n-- statement_timeout: 7min",
        "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS l, current_setting('statement_timeout') AS s; SET search_path = pg_catalog; SET ROLE pg_monitor;",
    );
    header(
        "eeee5555",
        "dddd4444",
        "",
        "INSERT INTO seen VALUES (current_setting('lock_timeout'), current_setting('statement_timeout'));",
    );
    header(
        "ffff6666",
        "eeee5555",
        "-- transaction: off",
        "CREATE INDEX CONCURRENTLY b_id ON b (id); CREATE TABLE kept ();",
    );
    project.ok(&["migrate"]);
    assert_eq!(query(&url, "SELECT * FROM seen ORDER BY l"), ["0|0", "123ms|7min"]);
    assert_eq!(version_rows(&url), ["ffff6666"]);

    header("abab7777", "ffff6666", "-- transaction: off", "CREATE TABLE one (); CREATE TABLE kept ();");
    let run = project.run(&["migrate"]);
    assert!(run.code == 1 && run.stderr.contains("1 of its statements took effect and stay"), "{run}");
    let run = project.run(&["migrate"]);
    assert!(run.code == 4 && run.stderr.contains("complete it with `dbops migrate resume`"), "{run}");
    project.ok(&["migrate", "stamp", "ffff6666"]);

    // In a transaction it cannot run, and the hint says what to write.
    header("abab7777", "ffff6666", "", "CREATE INDEX CONCURRENTLY b_note ON b (note);");
    let run = project.run(&["migrate"]);
    assert!(run.code == 1 && run.stderr.contains("hint: write `-- transaction: off` in the header"), "{run}");

    header("abab7777", "ffff6666", "-- transaction: off", "CREATE TABLE two (); SELECT pg_sleep(601);");
    let broken_off = project.command(&["migrate"]).spawn().expect("start");
    wait_for_statement(&url, "SELECT pg_sleep(601%");
    interrupt(&broken_off);
    let output = broken_off.wait_with_output().expect("end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(130) && said.contains("abab7777 runs without a transaction and was broken off"),
        "{said}"
    );
    assert_eq!(version_rows(&url), ["ffff6666"]);
}

#[test]
fn databases_with_odd_names() {
    let url = dbops_testbed::superuser_url();
    let name = format!("{} \"näme\" it's; --", dbops_testbed::unique("odd"));
    execute(&url, &format!("CREATE DATABASE {}", dbops_postgres::quote_identifier(&name)));
    let url = url.with_database(&name);
    let project = line(&url);
    project.ok(&["migrate"]);
    execute(&url, "CREATE SCHEMA \"My \"\"Schema\"; ALTER TABLE alembic_version SET SCHEMA \"My \"\"Schema\"");
    execute(
        &url,
        &format!(
            "ALTER DATABASE {} SET search_path = \"My \"\"Schema\", public",
            dbops_postgres::quote_identifier(&name)
        ),
    );
    project.ok(&["migrate", "downgrade", "base", "--yes"]);
    assert_eq!(version_rows(&url), Vec::<String>::new());
}
