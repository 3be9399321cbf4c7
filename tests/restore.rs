//! `dbops restore`: what comes out equals what went in, and no data is ever in its way.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dbops_postgres::{DatabaseUrl, process};
use dbops_testbed::{create_database, installation, superuser_url, unique};
use serde_json::{Value, json};

use crate::backup::{SAMPLE, back_up, copy_set, sample};
use crate::project::{PATIENCE, Project, execute, query};

/// An archive as SQL: definitions, rows and large objects, without what differs from run to run.
fn as_sql(archive: &Path) -> String {
    let mut command = process::command(installation().program("pg_restore"));
    let output = command.args(["--no-owner", "--file=-"]).arg(archive).output().expect("pg_restore");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with("--") && !line.contains("restrict "));
    lines.collect::<Vec<_>>().join("\n")
}

fn archive(project: &Project) -> PathBuf {
    project.path("backups").join(back_up(project)).join("app.dump")
}

fn exists(name: &str) -> bool {
    let literal = dbops_postgres::quote_literal(name);
    !query(&superuser_url(), &format!("SELECT 1 FROM pg_database WHERE datname = {literal}")).is_empty()
}

/// Expects a restored database to equal the one that was dumped: its own dump is the same.
fn assert_equal(original: &Path, restored: &DatabaseUrl) {
    let project = Project::with_database(restored);
    assert_eq!(as_sql(original), as_sql(&archive(&project)), "{restored}");
}

#[test]
fn a_new_database_equals_the_original_whatever_its_name() {
    let url = sample("restore");
    let project = Project::with_database(&url);
    let original = archive(&project);
    let names = [
        format!(r#"odd "näme" it's {}"#, unique("")),
        format!("with=equals\\ and\nnewline {}", unique("")),
        format!("{:x<63}", unique("long")),
    ];
    for name in &names {
        let restored = project.json(0, &["restore", "latest", "app", "--into", name]);
        let target = &restored["targets"][0];
        assert_eq!((&target["name"], &target["database"]), (&json!("app"), &json!(name)), "{name}");
        assert_eq!((&target["created"], &target["tables"]), (&json!(true), &json!(4)), "{name}");
        assert_eq!(target["revision"], json!(["8f3c2a9d41be"]), "{name}");
        assert!(restored["id"].is_string());
    }
    assert_equal(&original, &url.with_database(&names[0]));
    let analyzed = "SELECT reltuples FROM pg_class WHERE relname = 'players'";
    assert_eq!(query(&url.with_database(&names[0]), analyzed), ["50"], "statistics are there");
    for name in ["", &"é".repeat(32)] {
        let run = project.run(&["restore", "latest", "app", "--into", name]);
        assert_eq!(run.code, 2, "{name}: {run}");
        assert!(run.stderr.contains("a name has 1 to 63 bytes"), "{run}");
    }
}

#[test]
fn a_database_that_holds_anything_is_not_touched() {
    let project = Project::with_database(&sample("holds"));
    back_up(&project);
    let run = project.run(&["restore", "latest"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("holds data: table "), "{run}");
    assert!(run.stderr.contains("hint: restore beside it with --into NAME"), "{run}");

    // What is made, how the refusal names it, and how it is unmade.
    let cases = [
        ("CREATE TABLE kept ()", "table public.kept", "DROP TABLE kept"),
        ("CREATE VIEW v AS SELECT 1", "view public.v", "DROP VIEW v"),
        ("CREATE SEQUENCE s", "sequence public.s", "DROP SEQUENCE s"),
        ("CREATE TYPE t AS (a int)", "type public.t", "DROP TYPE t"),
        ("CREATE DOMAIN d AS int", "type d", "DROP DOMAIN d"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function f()", "DROP FUNCTION f"),
        ("CREATE SCHEMA \"it's\"", "schema \"it's\"", "DROP SCHEMA \"it's\""),
        ("SELECT lo_from_bytea(1, 'x')", "large object 1", "SELECT lo_unlink(1)"),
        ("CREATE PUBLICATION p", "publication p", "DROP PUBLICATION p"),
        ("CREATE EXTENSION vector; CREATE TABLE v (e vector(2))", "table public.v", "DROP TABLE v"),
    ];
    let other = create_database("full");
    for (make, what, unmake) in cases {
        execute(&other, make);
        let run = project.run(&["restore", "latest", "app", "--into", other.database()]);
        assert_eq!(run.code, 4, "{make}: {run}");
        assert!(run.stderr.contains(&format!("holds data: {what}\n")), "{make}: {run}");
        execute(&other, unmake);
    }
    execute(&other, "CREATE TABLE kept AS SELECT 42 AS answer");
    assert_eq!(project.run(&["restore", "latest", "app", "--into", other.database()]).code, 4);
    assert_eq!(query(&other, "SELECT answer FROM kept"), ["42"]);
}

/// What a template holds is in every database that is created later.
#[test]
fn templates_and_the_maintenance_database_are_not_filled() {
    let project = Project::with_database(&sample("template"));
    back_up(&project);
    let template = create_database("template");
    execute(&superuser_url(), &format!("ALTER DATABASE {} IS_TEMPLATE true", template.database()));
    for name in ["template0", "template1", "postgres", template.database()] {
        let run = project.run(&["restore", "latest", "app", "--into", name]);
        assert_eq!(run.code, 4, "{name}: {run}");
        assert!(run.stderr.contains("is the server's own") && run.stderr.contains("with --into NAME"), "{name}: {run}");
    }
    for name in ["template1", "postgres", template.database()] {
        let tables =
            query(&superuser_url().with_database(name), "SELECT relname FROM pg_class WHERE relname = 'teams'");
        assert_eq!(tables, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_empty_or_missing_own_database_is_filled() {
    let url = sample("own");
    let project = Project::with_database(&url);
    let original = archive(&project);
    let name = dbops_postgres::quote_identifier(url.database());
    // Extensions that are there already do not make it other than empty.
    for create in [Some("CREATE EXTENSION vector"), None] {
        execute(&superuser_url(), &format!("DROP DATABASE {name} WITH (FORCE)"));
        if let Some(sql) = create {
            execute(&superuser_url(), &format!("CREATE DATABASE {name}"));
            execute(&url, sql);
        }
        let restored = project.json(0, &["restore", "latest"]);
        assert_eq!(restored["targets"][0]["created"], create.is_none());
        assert_equal(&original, &url);
    }
}

/// As on most servers: the extension is the superuser's, everything else belongs to a user who is none.
#[test]
fn an_ordinary_user_restores_where_the_extension_is_there() {
    let (from, into) = (create_database("ordinary"), create_database("ordinary"));
    let user = unique("ordinary");
    execute(&superuser_url(), &format!("CREATE ROLE {user} LOGIN PASSWORD 'pw'"));
    for url in [&from, &into] {
        execute(url, "CREATE EXTENSION vector");
        execute(url, &format!("ALTER DATABASE {} OWNER TO {user}", url.database()));
    }
    let (host, port) = from.servers().remove(0);
    let url = format!("postgresql://{user}:pw@{host}:{port}/{}", from.database());
    let url = DatabaseUrl::parse(&url, "me").expect("a URL");
    execute(&url, "CREATE TABLE t AS SELECT '[1,2]'::vector AS embedding");
    let project = Project::with_database(&url);
    back_up(&project);
    project.ok(&["restore", "latest", "app", "--into", into.database()]);
    assert_eq!(query(&url.with_database(into.database()), "SELECT embedding FROM t"), ["[1,2]"]);
    let refused = project.run(&["restore", "latest", "app", "--into", &unique("new")]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("hint: let the user create databases"), "{refused}");
}

#[test]
fn privileges_of_roles_that_are_gone_can_be_left_out() {
    let url = create_database("privileges");
    let role = unique("gone");
    let role_is = |sql: &str| execute(&url, &sql.replace("ROLE_", &role));
    role_is("CREATE ROLE ROLE_; CREATE TABLE t AS SELECT 42 AS answer; GRANT SELECT ON t TO ROLE_");
    role_is("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO ROLE_");
    let project = Project::with_database(&url);
    let granted = back_up(&project);
    role_is("CREATE POLICY p ON t TO ROLE_");
    let with_policy = back_up(&project);
    role_is("DROP POLICY p ON t; DROP OWNED BY ROLE_; DROP ROLE ROLE_");
    let into = unique("privileges");
    for (id, privileges) in [(&granted, true), (&with_policy, false)] {
        let mut arguments = vec!["restore", id, "app", "--into", &into];
        arguments.extend((!privileges).then_some("--no-privileges"));
        let run = project.run(&arguments);
        assert_eq!(run.code, 4, "{run}");
        assert!(run.stderr.contains(&format!("does not have the role that the backup needs: {role}\n")), "{run}");
        assert!(run.stderr.contains("hint: create them with --create-roles, or do without: --no-privileges"), "{run}");
        assert!(!exists(&into), "{run}");
    }
    project.ok(&["restore", &granted, "app", "--into", &into, "--no-privileges"]);
    assert_eq!(query(&url.with_database(&into), "SELECT answer FROM t"), ["42"]);
}

#[test]
fn a_damaged_set_is_refused_before_anything_is_touched() {
    let project = Project::with_database(&sample("refused"));
    let id = back_up(&project);
    let path = project.path("backups").join(&id).join("app.dump");
    let mut bytes = fs::read(&path).expect("an archive");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).expect("an archive");
    let into = unique("refused");
    let run = project.run(&["restore", &id, "app", "--into", &into]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("is damaged: app.dump has the SHA-256 ") && !exists(&into), "{run}");

    // Once a verification has found it, `latest` is the one before.
    assert_eq!(project.run(&["backup", "verify", "latest"]).code, 3);
    assert!(project.ok(&["backup", "list"]).stdout.contains("DAMAGED"));
    let run = project.run(&["restore", "latest", "app", "--into", &into]);
    assert_eq!(run.code, 1, "{run}");
    let none = format!("no complete backup of app in PROJECT/backups, only what is damaged or not complete: {id}\n");
    assert!(run.stderr.contains(&none) && !exists(&into), "{run}");
    let older = "20200101T000000Z-1a2b";
    copy_set(&project.path("backups").join(&id), &project.path("backups").join(older), older);
    bytes[last] ^= 1;
    fs::write(project.path("backups").join(older).join("app.dump"), &bytes).expect("an archive");
    let run = project.ok(&["restore", "latest", "app", "--into", &into]);
    assert!(run.stderr.contains(&format!("warning: {id} was found damaged and was passed over")), "{run}");
    assert!(run.stdout.contains(older), "{run}");
    project.ok(&["backup", "delete", older, "--yes"]);

    let missing = project.run(&["restore", "20990101"]);
    assert_eq!(missing.code, 2, "{missing}");
    assert!(missing.stderr.contains("hint: `dbops backup list`"), "{missing}");
    // A set that is not complete is passed over, aloud.
    fs::remove_file(&path).expect("an archive");
    let run = project.run(&["restore", "latest", "app", "--into", &unique("refused")]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("there is no complete backup of app in PROJECT/backups"), "{run}");
}

#[test]
fn a_file_is_restored_when_it_is_an_archive() {
    let project = Project::with_database(&create_database("file"));
    let other = Project::with_database(&sample("file"));
    let original = archive(&other);
    fs::copy(&original, project.path("some.dump")).expect("a copy");
    fs::create_dir(project.path("folder")).expect("a folder");
    let cases = [
        (&["restore", "./folder", "app"][..], "is not an archive of pg_dump: it is a folder without toc.dat"),
        (&["restore", "./none.dump", "app"], "there is no file"),
        (&["restore", "none.dump", "app"], "there is no backup `none.dump`"),
        (&["restore", "some.dump"], "a file is restored into one target"),
        (&["restore", "some.dump", "nobody"], "there is no target `nobody`"),
    ];
    for (arguments, message) in cases {
        let run = project.run(arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(message), "{run}");
    }
    let restored = project.json(0, &["restore", "some.dump", "app"]);
    assert_eq!((&restored["id"], &restored["targets"][0]["created"]), (&Value::Null, &json!(false)));
}

#[test]
fn a_failing_restore_leaves_no_trace() {
    let url = sample("failing");
    execute(&url, "CREATE TABLE zz AS SELECT md5(n::text) AS noise FROM generate_series(1, 20000) AS n");
    let project = Project::with_database(&url);
    let bytes = fs::read(archive(&project)).expect("an archive");
    fs::write(project.path("cut.dump"), &bytes[..bytes.len() * 3 / 4]).expect("a file");

    let into = unique("failing");
    let run = project.run(&["restore", "cut.dump", "app", "--into", &into]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("pg_restore: error: ") && run.stderr.contains("nothing was left behind"), "{run}");
    assert!(!exists(&into), "{run}");

    let empty = create_database("failing");
    let run = project.run(&["restore", "cut.dump", "app", "--into", empty.database()]);
    assert_eq!(run.code, 1, "{run}");
    let classes = query(&empty, "SELECT relname FROM pg_class WHERE oid >= 16384");
    assert_eq!(classes, Vec::<String>::new(), "still empty: {run}");
    // So it can be tried again.
    project.ok(&["restore", "latest", "app", "--into", empty.database()]);
}

#[test]
fn a_restore_that_is_cut_short_leaves_no_database_under_its_name() {
    let url = create_database("slow");
    let name = dbops_postgres::quote_identifier(url.database());
    // The setting is the database's own and not part of a dump: the view is slow in the restored one.
    execute(&url, &format!("ALTER DATABASE {name} SET test.fast = 'on'"));
    execute(
        &url,
        "CREATE FUNCTION public.slow() RETURNS text LANGUAGE plpgsql AS $$ BEGIN \
         IF current_setting('test.fast', true) IS NULL THEN PERFORM pg_sleep(60); END IF; RETURN 'x'; END $$; \
         CREATE MATERIALIZED VIEW v AS SELECT public.slow()",
    );
    let project = Project::with_database(&url);
    back_up(&project);
    let into = unique("slow");
    for (signal, code) in [("-INT", Some(130)), ("-KILL", None)] {
        let dbops = project.command(&["restore", "latest", "app", "--into", &into]).spawn().expect("dbops starts");
        let draft = wait_for_sleep();
        let mut kill = process::command("kill");
        assert!(kill.arg(signal).arg(dbops.id().to_string()).status().expect("kill").success());
        let output = dbops.wait_with_output().expect("dbops ends");
        assert_eq!(output.status.code(), code, "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!exists(&into));
        assert_eq!(exists(&draft), code.is_none());
        if code.is_none() {
            // What a kill leaves is named by the next restore.
            let sessions = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{draft}'");
            while !query(&superuser_url(), &sessions).is_empty() {}
            execute(&url, "DROP MATERIALIZED VIEW v");
            back_up(&project);
            let run = project.ok(&["restore", "latest", "app", "--into", &into]);
            assert!(run.stderr.contains(&format!("DROP DATABASE \"{draft}\"")), "{run}");
            execute(&superuser_url(), &format!("DROP DATABASE {draft}"));
        }
    }
}

/// Between the steps of a restore its draft has no sessions.
#[test]
fn the_draft_of_a_running_restore_is_not_taken_for_a_left_over() {
    let project = Project::with_database(&sample("running"));
    back_up(&project);
    // A pg_restore that says what it is to fill, and waits before it does.
    let real = installation().bin.display().to_string();
    project.write(
        "bin/pg_restore",
        &format!(
            "#!/bin/sh\nif [ \"$1\" = --no-password ]; then\n  echo \"$2\" >said; /bin/mv said waiting\n  \
             while [ ! -e go ]; do /bin/sleep 0.02; done\nfi\nexec '{real}/pg_restore' \"$@\"\n"
        ),
    );
    fs::set_permissions(project.path("bin/pg_restore"), fs::Permissions::from_mode(0o755)).expect("permissions");
    let mut slow = project.command(&["restore", "latest", "app", "--into", &unique("running")]);
    let slow = slow.env("DBOPS_PG_BIN", project.path("bin")).spawn().expect("dbops starts");
    let deadline = Instant::now() + PATIENCE;
    while !project.path("waiting").exists() {
        assert!(Instant::now() < deadline, "pg_restore was never started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let said = fs::read_to_string(project.path("waiting")).expect("a connection string");
    let (_, draft) = said.split_once("dbops_restore_").expect("a draft");
    let draft = format!("dbops_restore_{}", &draft[.."20261123t021500z_1a2b".len()]);
    assert!(exists(&draft), "{said}");
    let run = project.ok(&["restore", "latest", "app", "--into", &unique("beside")]);
    project.write("go", "");
    let output = slow.wait_with_output().expect("dbops ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Not every draft: another test leaves one on purpose.
    assert!(!run.stderr.contains(&draft), "{run}");
}

/// Waits until a restore sleeps, and gives the temporary name of its database.
fn wait_for_sleep() -> String {
    let sleeping = "SELECT datname FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname ~ '^dbops_restore_'";
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(draft) = query(&superuser_url(), sleeping).pop() {
            return draft;
        }
        assert!(Instant::now() < deadline, "the restore never came to its slow part");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_set_of_several_targets_goes_where_each_belongs() {
    let (one, two) = (create_database("one"), create_database("two"));
    execute(&one, SAMPLE);
    execute(&two, "CREATE TABLE two (id int)");
    let project = Project::empty().env("ONE", &one.reveal()).env("TWO", &two.reveal());
    let text = "version: 1\ntargets:\n  one:\n    kind: postgres\n    url: ${ONE}\n  two:\n    kind: postgres\n    \
                url: ${TWO}\nbackup:\n  repository: backups\n";
    project.write("dbops.yaml", text);
    back_up(&project);
    let run = project.run(&["restore", "latest", "--into", "x"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("--into takes one target, and the set holds one, two"), "{run}");

    for url in [&one, &two] {
        let name = dbops_postgres::quote_identifier(url.database());
        execute(&superuser_url(), &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
    execute(&superuser_url(), &format!("CREATE DATABASE {}", dbops_postgres::quote_identifier(two.database())));
    execute(&two, "CREATE TABLE in_the_way ()");
    let run = project.run(&["restore", "latest"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(!exists(one.database()), "the first is not begun when the second is refused");
    execute(&two, "DROP TABLE in_the_way");
    let restored = project.json(0, &["restore", "latest"]);
    let tables: Vec<_> = restored["targets"].as_array().expect("a list").iter().map(|t| &t["tables"]).collect();
    assert_eq!(tables, [&json!(4), &json!(1)]);
}
