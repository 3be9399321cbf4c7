//! How `dbops migrate` carries revisions out: the log, revisions without a transaction, batches, locks, dry runs.

use std::io::{BufRead, BufReader};

use dbops_postgres::DatabaseUrl;
use dbops_testbed::create_database;
use serde_json::{Value, json};

use crate::migrate::{interrupt, line, tables, version_rows};
use crate::project::{Held, Project, execute, query, until_waiting};

/// A revision `id` after `parent` whose header has more lines.
fn with_options(project: &Project, id: &str, parent: &str, options: &str, up: &str) {
    let text = format!(
        "-- revision: {id}\n-- revises: {parent}\n-- message: add {id}\n{options}\n-- +up\n{up}\n-- +down\n-- nothing\n"
    );
    project.write(&format!("versions/{id}.sql"), &text);
}

fn off(project: &Project, id: &str, parent: &str, up: &str) {
    with_options(project, id, parent, "-- transaction: off", up);
}

fn log(url: &DatabaseUrl) -> Vec<String> {
    query(url, "SELECT revision, direction FROM dbops.migration_log ORDER BY id")
}

#[test]
fn every_run_is_logged() {
    let url = create_database("migrate");
    let project = line(&url).env("USER", "o'hara");
    project.ok(&["migrate", "upgrade", "+2"]);
    project.ok(&["migrate", "downgrade", "-1", "--yes"]);
    project.ok(&["migrate", "stamp", "cccc3333"]);
    project.ok(&["migrate", "stamp", "aaaa1111"]);
    assert_eq!(
        log(&url),
        [
            "aaaa1111|up",
            "bbbb2222|up",
            "bbbb2222|down",
            "bbbb2222|stamp",
            "cccc3333|stamp",
            "bbbb2222|unstamp",
            "cccc3333|unstamp"
        ]
    );
    let who = "SELECT DISTINCT role, os_user, dbops_version, version_table, host <> '', duration_ms < 5000, \
               started > now() - interval '1 min', length(checksum) FROM dbops.migration_log WHERE direction = 'up'";
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(query(&url, who), [format!("postgres|o'hara|{version}|\"public\".alembic_version|t|t|t|64")]);

    // What Alembic does in between is found.
    execute(&url, "UPDATE alembic_version SET version_num = 'bbbb2222'; CREATE TABLE b (id int)");
    project.ok(&["migrate"]);
    assert_eq!(log(&url)[7..], ["bbbb2222|adopt", "cccc3333|up"]);
    assert!(project.ok(&["schema", "show", "app", "--json"]).stdout.find("migration_log").is_none());
}

#[test]
fn a_failed_revision_without_a_transaction_is_resumed() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate"]);
    execute(&url, "INSERT INTO b VALUES (1), (2)");
    let up = |index: &str| {
        format!("SET search_path = public;\nINSERT INTO a VALUES (1);\n{index};\nINSERT INTO a VALUES (2);")
    };
    off(&project, "dddd4444", "cccc3333", &up("CREATE UNIQUE INDEX CONCURRENTLY b_id ON b (id)"));
    let failed = project.run(&["migrate"]);
    assert_eq!(failed.code, 1, "{failed}");
    assert!(failed.stderr.contains("versions/dddd4444.sql:8:1"), "{failed}");
    assert!(failed.stderr.contains("2 of its statements took effect and stay"), "{failed}");
    assert_eq!(query(&url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'b_id'::regclass"), ["f"]);

    for arguments in
        [&["migrate"][..], &["migrate", "downgrade", "-1", "--yes"], &["migrate", "upgrade", "+1", "--dry-run"]]
    {
        let refused = project.run(arguments);
        assert_eq!(refused.code, 4, "{refused}");
        assert!(
            refused.stderr.contains("revision dddd4444 was not completed: 2 of its statements are done"),
            "{refused}"
        );
        assert!(refused.stderr.contains("complete it with `dbops migrate resume`"), "{refused}");
    }
    let again = project.run(&["migrate", "resume"]);
    assert!(again.code == 1 && again.stderr.contains("app: dropped the invalid index public.b_id"), "{again}");

    // What has run may not change.
    off(&project, "dddd4444", "cccc3333", &up("SELECT 1").replace("(1)", "(7)"));
    let refused = project.run(&["migrate", "resume"]);
    assert!(refused.code == 4 && refused.stderr.contains("the first 2 statements of"), "{refused}");

    off(&project, "dddd4444", "cccc3333", &up("CREATE INDEX CONCURRENTLY b_id ON b (id)"));
    let resumed = project.run(&["migrate", "resume", "--json"]);
    assert!(resumed.stderr.contains("app: dddd4444: 2 of 4 statements were done\n"), "{resumed}");
    let resumed: Value = serde_json::from_str(&resumed.stdout).expect("a document");
    assert_eq!(resumed["targets"][0]["steps"][0]["revision"], "dddd4444");
    assert_eq!(resumed["targets"][0]["current"], json!(["dddd4444"]));
    assert_eq!(query(&url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'b_id'::regclass"), ["t"]);
    assert_eq!(query(&url, "SELECT id FROM a ORDER BY 1"), ["1", "2"], "each ran once");
    assert!(project.ok(&["migrate", "resume"]).stderr.contains("app: nothing to resume"));
    assert!(project.ok(&["migrate"]).stderr.contains("app: nothing to do"));
}

#[test]
fn a_first_statement_that_fails_leaves_nothing_to_resume() {
    let url = create_database("migrate");
    let project = Project::with_database(&url);
    off(&project, "aaaa1111", "", "SELECT nothing_of_that_name;");
    let failed = project.run(&["migrate"]);
    assert!(failed.code == 1 && failed.stderr.contains("0 of its statements took effect"), "{failed}");
    off(&project, "aaaa1111", "", "SELECT 1; VACUUM; CREATE TABLE a ();");
    project.ok(&["migrate"]);
    assert_eq!(tables(&url), ["a", "alembic_version"]);
}

/// Tables of different keys, a batch block over each, and the sum that shows that every row was updated once.
#[test]
fn batches_go_over_any_key_and_resume_where_they_were() {
    let url = create_database("migrate");
    execute(
        &url,
        "CREATE TABLE ints (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO ints SELECT g * 3 FROM generate_series(1, 1000) g;
         CREATE TABLE \"Odd pairs\" (tenant text, \"Id\" bigint, n int DEFAULT 0, PRIMARY KEY (tenant, \"Id\"));
         INSERT INTO \"Odd pairs\" SELECT 't''' || g % 7, g FROM generate_series(1, 1000) g;
         CREATE TABLE uuids (id uuid PRIMARY KEY, n int DEFAULT 0); INSERT INTO uuids SELECT gen_random_uuid() FROM generate_series(1, 1000);
         CREATE TABLE nobody (id int PRIMARY KEY, n int)",
    );
    let project = Project::with_database(&url);
    let update = |table: &str, key: &str, rest: &str| {
        format!(
            "-- +batch table={table} key={key} size=100 pause=1ms\nUPDATE {table} AS x SET n = n + 1 WHERE dbops_batch(x){rest};\n-- +end\n"
        )
    };
    let up = [
        update("ints", "id", ""),
        update("public.\"Odd pairs\"", "tenant,\"Id\"", ""),
        update("uuids", "id", ""),
        update("nobody", "id", ""),
    ];
    off(&project, "aaaa1111", "", &up.concat());
    // The batch with this row has to wait.
    let stop_at = |row: u32| {
        // Not with OFFSET at the top: FOR UPDATE locks the rows that it skips, too.
        let id = format!("SELECT id FROM uuids ORDER BY id OFFSET {row} LIMIT 1");
        let held = Held::new(&url, &format!("SELECT FROM uuids WHERE id = ({id}) FOR UPDATE"));
        move || drop(held)
    };
    let go_on = stop_at(350);
    let mut child = project.command(&["migrate"]).spawn().expect("start");
    until_waiting(&url, |sessions| sessions == 1);
    child.kill().expect("kill -9");
    child.wait().expect("end");
    go_on();
    let refused = project.run(&["migrate"]);
    assert!(refused.code == 4 && refused.stderr.contains("the next one has gone over 300 rows"), "{refused}");
    let go_on = stop_at(750);
    let child = project.command(&["migrate", "resume"]).spawn().expect("start");
    until_waiting(&url, |sessions| sessions == 1);
    interrupt(&child);
    let output = child.wait_with_output().expect("end");
    let said = String::from_utf8_lossy(&output.stderr);
    let where_it_was = "app: aaaa1111: 2 of 4 statements were done, the next one has gone over 300 rows\n";
    assert!(output.status.code() == Some(130) && said.contains(where_it_was), "{said}");
    go_on();
    let resumed = project.ok(&["migrate", "resume"]);
    assert!(resumed.stderr.contains("has gone over 700 rows"), "{resumed}");
    for table in ["ints", "\"Odd pairs\"", "uuids"] {
        assert_eq!(query(&url, &format!("SELECT min(n), max(n), count(*) FROM {table}")), ["1|1|1000"], "{table}");
    }
    assert_eq!(version_rows(&url), ["aaaa1111"]);
}

#[test]
fn batches_that_would_miss_rows_are_refused() {
    let url = create_database("migrate");
    execute(&url, "CREATE TABLE t (id int PRIMARY KEY, other int, required int NOT NULL)");
    let project = Project::with_database(&url);
    let cases = [
        ("table=missing key=id", "there is no table missing"),
        ("table=t key=idd", "t does not have all of the columns idd"),
        ("table=t key=other", "a column of the key of t may be NULL"),
        ("table=t key=required", "t has no index that begins with required"),
    ];
    for (block, problem) in cases {
        off(&project, "aaaa1111", "", &format!("-- +batch {block}\nDELETE FROM t WHERE dbops_batch(t);\n-- +end"));
        let run = project.run(&["migrate"]);
        assert!(run.code == 1 && run.stderr.contains(&format!("versions/aaaa1111.sql:7: {problem}")), "{run}");
    }
    let files = [
        (
            "",
            "-- +batch table=t key=id\nDELETE FROM t WHERE dbops_batch(t);\n-- +end",
            "batches in a revision with one",
        ),
        ("-- transaction: off", "-- +batch table=t key=id\nDELETE FROM t;\n-- +end", "does not say which rows"),
        ("-- transaction: off", "-- +batch table=t key=id\n-- +end", "a block has one statement"),
        ("-- transaction: off", "-- +batch table=t key=id\nSELECT 1;", "this block does not end"),
        ("-- transaction: off", "SELECT 1;\n-- +end", "no block is open here"),
    ];
    for (options, up, problem) in files {
        with_options(&project, "aaaa1111", "", options, up);
        let run = project.run(&["migrate"]);
        assert!(run.code == 2 && run.stderr.contains(problem), "{run}");
    }
}

#[test]
fn a_strong_lock_is_waited_for_in_short_turns() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate"]);
    project.revision("dddd4444", "cccc3333", "INSERT INTO a VALUES (1); ALTER TABLE b ADD c int;", "-- none");
    {
        let _lock = Held::new(&url, "LOCK TABLE b IN ACCESS SHARE MODE");
        let run = project.run(&["migrate", "--lock-timeout", "100ms", "--lock-retries", "1"]);
        assert_eq!(run.code, 5, "{run}");
        assert!(run.stderr.contains("canceling statement due to lock timeout; trying again in 0.5 s"), "{run}");
        assert!(run.stderr.contains("nothing of this revision was applied"), "{run}");
        assert_eq!(query(&url, "SELECT count(*) FROM a"), ["0"]);
    }
    let lock = Held::new(&url, "LOCK TABLE b IN ACCESS SHARE MODE");
    let mut child = project.command(&["migrate", "--lock-timeout", "100ms", "--lock-retries", "9"]);
    let mut child = child.spawn().expect("start");
    let mut said = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(said.any(|line| line.contains("trying again")));
    drop(lock);
    assert!(said.last().is_some_and(|line| line.contains("+ dddd4444")) && child.wait().expect("end").success());
    assert_eq!(
        (query(&url, "SELECT count(*) FROM a"), version_rows(&url)),
        (vec!["1".into()], vec!["dddd4444".into()])
    );

    // Rows are waited for as long as the server allows; a revision's own setting counts.
    let seen = "INSERT INTO seen SELECT current_setting('lock_timeout')";
    let up = format!(
        "CREATE TABLE seen (t text); {seen}; ALTER TABLE a ADD z int; SET LOCAL lock_timeout = '7s'; ALTER TABLE a ADD y int; {seen};"
    );
    project.revision("eeee5555", "dddd4444", &up, "-- none");
    project.revision("ffff6666", "eeee5555", &format!("{seen}; DO $$ BEGIN {seen}; END $$;"), "-- none");
    project.ok(&["migrate", "--lock-timeout", "3s"]);
    assert_eq!(query(&url, "SELECT t FROM seen"), ["0", "7s", "0", "3s"]);
}

#[test]
fn a_dry_run_shows_locks_and_changes_nothing() {
    let url = create_database("migrate");
    let project = line(&url);
    project.ok(&["migrate", "upgrade", "bbbb2222"]);
    execute(&url, "INSERT INTO b SELECT generate_series(2, 5000); ANALYZE b");
    off(
        &project,
        "dddd4444",
        "cccc3333",
        "CREATE INDEX CONCURRENTLY b_id ON b (id);\nUPDATE b SET id = id;\nDROP TABLE a;",
    );
    let before = log(&url);
    let run = project.json(0, &["migrate", "upgrade", "heads", "--dry-run"]);
    let steps = &run["targets"][0]["steps"];
    let statement = |step: usize, index: usize| -> (Value, Vec<String>, Value) {
        let statement = &steps[step]["statements"][index];
        let locks = statement["locks"].as_array().expect("locks").iter();
        let locks = locks.map(|lock| {
            format!("{} {} {}", lock["mode"].as_str().unwrap_or(""), lock["table"].as_str().unwrap_or(""), lock["rows"])
        });
        (statement["line"].clone(), locks.collect(), statement["not_run"].clone())
    };
    let lines = |text: &str| vec![text.to_owned()];
    assert_eq!(statement(0, 0), (json!(9), lines("AccessExclusiveLock public.b 5000"), Value::Null));
    let reason = json!("PostgreSQL does not run it in a transaction");
    assert_eq!(statement(1, 0), (json!(6), lines("ShareUpdateExclusiveLock public.b 5000"), reason));
    assert_eq!(statement(1, 1), (json!(7), lines("RowExclusiveLock public.b 5000"), Value::Null));
    assert_eq!(statement(1, 2).1, ["AccessExclusiveLock public.a null"]);
    assert_eq!((log(&url), version_rows(&url)), (before, vec!["bbbb2222".to_owned()]));
    assert_eq!(tables(&url), ["a", "alembic_version", "b"]);

    let shown = project.ok(&["migrate", "upgrade", "+1", "--dry-run"]);
    assert!(
        shown.stdout.starts_with("app: up cccc3333 add cccc3333\n  line 9: ALTER TABLE b ADD COLUMN note"),
        "{shown}"
    );
    assert!(shown.stdout.contains("\n    AccessExclusiveLock on public.b ("), "{shown}");
    assert!(shown.stderr.ends_with("app: rolled back; nothing was changed\n"), "{shown}");

    project.revision("cccc3333", "bbbb2222", "ALTER TABLE b ADD COLUMN id int;", "-- none");
    let failed = project.run(&["migrate", "upgrade", "heads", "--dry-run"]);
    assert!(failed.code == 1 && failed.stderr.contains("column \"id\" of relation \"b\" already exists"), "{failed}");
}

#[test]
fn a_single_transaction_is_all_or_nothing() {
    let url = create_database("migrate");
    let project = line(&url);
    project.revision("dddd4444", "cccc3333", "CREATE TABLE a ();", "-- none");
    let failed = project.run(&["migrate", "upgrade", "heads", "--single-transaction"]);
    assert!(failed.code == 1 && failed.stderr.contains("revision dddd4444 failed"), "{failed}");
    assert_eq!((tables(&url), log(&url)), (vec!["alembic_version".to_owned()], vec![]));
    project.revision(
        "dddd4444",
        "cccc3333",
        "SET search_path = pg_catalog; CREATE TABLE public.d ();",
        "DROP TABLE d;",
    );
    project.revision("eeee5555", "dddd4444", "CREATE TABLE e ();", "DROP TABLE e;");
    let done = project.json(0, &["migrate", "upgrade", "heads", "--single-transaction"]);
    assert_eq!(done["targets"][0]["steps"].as_array().expect("steps").len(), 5);
    assert_eq!(tables(&url), ["a", "alembic_version", "b", "d", "e"]);
    assert_eq!(query(&url, "SELECT count(DISTINCT xmin::text) FROM dbops.migration_log"), ["1"]);
    off(&project, "ffff6666", "eeee5555", "SELECT 1;");
    let refused = project.run(&["migrate", "upgrade", "heads", "--single-transaction"]);
    assert!(refused.code == 4 && refused.stderr.contains("revision ffff6666 runs without a transaction"), "{refused}");
    project.ok(&["migrate", "downgrade", "base", "--yes", "--single-transaction", "-t", "app"]);
    assert_eq!(tables(&url), ["alembic_version"]);
}
