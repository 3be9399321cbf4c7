//! PostgreSQL's programs in the server's container, where this machine has none that would do.

use std::os::unix::fs::symlink;
use std::path::Path;

use dbops_postgres::process;

use crate::project::Project;

use super::engine::{Compose, docker, logs, sql, until, until_healthy};
use super::seed::folder;

/// A PATH with docker and nothing else, and no unpacked copy.
fn without_programs() -> Project {
    let project = folder();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let client = std::env::split_paths(&path).map(|folder| folder.join("docker")).find(|file| file.is_file());
    project.write("empty/README", "");
    symlink(client.expect("docker"), project.path("empty/docker")).expect("a link");
    let empty = project.path("empty").display().to_string();
    project.env("PATH", &empty).env("DBOPS_CACHE_DIR", &empty).env("DBOPS_PG_BIN", "")
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn a_backup_goes_through_the_container() {
    let has_new_one =
        |folder: &Path| folder.join("18/bin/pg_dump").is_file() || folder.join("19/bin/pg_dump").is_file();
    assert!(!has_new_one(Path::new("/usr/lib/postgresql")), "this machine has a pg_dump that would be taken");
    let compose = Compose::new();
    compose.ok(&["up", "-d", "db"]);
    until_healthy(&["postgres-db"]);
    let here = without_programs();
    here.ok(&["migrate", "-t", "bot_db", "upgrade", "heads"]);
    let odd = r#"CREATE TABLE "odd ""name" (n int PRIMARY KEY, t text);
                 INSERT INTO "odd ""name" SELECT n, repeat('ä', 100) FROM generate_series(1, 20000) n"#;
    sql("postgres-db", "bot_db", odd);

    let run = here.ok(&["backup", "bot_db", "-v"]);
    assert!(run.stderr.contains("in the container postgres-db"), "{run}");
    here.ok(&["backup", "verify"]);
    // Restored by the programs of this machine it is the same.
    let restoring = here.env("DBOPS_PG_BIN", &dbops_testbed::installation().bin.display().to_string());
    restoring.ok(&["restore", "latest", "bot_db", "--into", "copy"]);
    let here = restoring.env("DBOPS_PG_BIN", "");
    let rows = r#"SELECT count(*), sum(length(t)) FROM "odd ""name""#;
    assert_eq!(sql("postgres-db", "copy", rows), "20000|2000000");

    // Nothing of it is left for PostgreSQL to wonder about.
    assert!(!logs("postgres-db").contains("untracked child"), "{}", logs("postgres-db"));

    // Killed in the middle, it leaves nothing behind in the container either.
    let mut killed = here.command(&["backup", "bot_db"]).spawn().expect("dbops");
    until("pg_dump runs there", || docker(&["top", "postgres-db"]).contains("pg_dump"));
    killed.kill().expect("a signal");
    killed.wait().expect("the end");
    until("pg_dump has ended", || !docker(&["top", "postgres-db"]).contains("pg_dump"));
    assert_eq!(sql("postgres-db", "bot_db", rows), "20000|2000000");
    assert!(!logs("postgres-db").contains("terminating any other"), "{}", logs("postgres-db"));

    // The programs get in by the socket: a wrong password is found before, by dbops itself.
    let wrong = without_programs().env("DATABASE_URL_SYNC", "postgresql://postgres:wrong@localhost:5434/bot_db");
    let run = wrong.run(&["backup", "bot_db"]);
    assert!(run.code == 1 && !run.to_string().contains("wrong@"), "{run}");
    compose.ok(&["stop", "db"]);
    let run = here.run(&["backup", "bot_db"]);
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(here.json(0, &["backup", "list"])["backups"].as_array().map(Vec::len), Some(1));
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn a_restore_goes_through_the_container() {
    let compose = Compose::new();
    compose.ok(&["up", "-d", "db"]);
    until_healthy(&["postgres-db"]);
    let here = without_programs();
    here.ok(&["migrate", "-t", "bot_db", "upgrade", "heads"]);
    let files = || docker(&["exec", "postgres-db", "find", "/tmp"]);
    let before = files();
    // Restored while there is a role `hold`, it does not come to an end.
    let waits = r#"CREATE TABLE "odd ""name" (n int PRIMARY KEY, t text);
        INSERT INTO "odd ""name" SELECT n, repeat('ä', 100) FROM generate_series(1, 20000) n;
        CREATE FUNCTION public.waits() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
            IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'hold') THEN PERFORM pg_sleep(600); END IF;
            RETURN 1;
        END $$;
        CREATE MATERIALIZED VIEW waits AS SELECT public.waits()"#;
    sql("postgres-db", "bot_db", waits);
    here.ok(&["backup", "bot_db"]);

    let rows = r#"SELECT count(*), sum(length(t)) FROM "odd ""name""#;
    let restore = ["restore", "latest", "bot_db", "--into", "test_db"];
    let run = here.ok(&[&restore[..], &["-v"]].concat());
    assert!(run.stderr.contains("pg_restore 18") && run.stderr.contains("in the container postgres-db"), "{run}");
    assert!(run.stderr.contains("its rows are those that were dumped"), "{run}");
    assert_eq!(sql("postgres-db", "test_db", rows), "20000|2000000");

    // Into one that is empty, in one transaction; a part of it; in the place of the live one.
    sql("postgres-db", "postgres", "CREATE DATABASE empty_db");
    here.ok(&["restore", "latest", "bot_db", "--into", "empty_db"]);
    assert_eq!(sql("postgres-db", "empty_db", rows), "20000|2000000");
    here.ok(&["restore", "latest", "bot_db", "--into", "part", "--table", r#""odd ""name""#]);
    assert_eq!(sql("postgres-db", "part", rows), "20000|2000000");
    sql("postgres-db", "bot_db", r#"DELETE FROM "odd ""name""#);
    here.ok(&["restore", "latest", "bot_db", "--swap"]);
    assert_eq!(sql("postgres-db", "bot_db", rows), "20000|2000000");
    assert_eq!(here.json(0, &["migrate", "current", "-t", "bot_db"])["targets"][0]["up_to_date"], true);

    // Killed in the middle, it leaves neither a database of that name nor a process or a file in the container.
    sql("postgres-db", "postgres", "DROP DATABASE test_db");
    sql("postgres-db", "postgres", "CREATE ROLE hold");
    let mut killed = here.command(&restore).spawn().expect("dbops");
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    until("the restore waits", || sql("postgres-db", "postgres", sleeping) == "1");
    assert_eq!(files(), before);
    killed.kill().expect("a signal");
    killed.wait().expect("the end");
    until("pg_restore has ended", || !docker(&["top", "postgres-db"]).contains("pg_restore"));
    until("its session has ended", || sql("postgres-db", "postgres", sleeping) == "0");
    let named = "SELECT count(*) FROM pg_database WHERE datname = 'test_db'";
    assert_eq!(sql("postgres-db", "postgres", named), "0");
    assert_eq!(files(), before);
    sql("postgres-db", "postgres", "DROP ROLE hold");
    let run = here.ok(&restore);
    assert!(run.stderr.contains("a killed restore left the database dbops_restore_"), "{run}");
    assert_eq!(sql("postgres-db", "test_db", rows), "20000|2000000");
    let said = logs("postgres-db");
    assert!(!said.contains("untracked child") && !said.contains("terminating any other"), "{said}");

    refuses_what_the_container_cannot_do(here);
}

fn refuses_what_the_container_cannot_do(here: Project) {
    let database = here.ok(&["shell", "bot_db", "--", "-XAtc", "SELECT current_database()"]);
    assert_eq!(database.stdout, "bot_db\n");
    let restore = ["restore", "latest", "bot_db", "--into", "more"];
    let refused = |here: &Project, seen: &str| {
        let run = here.run(&restore);
        assert!(
            run.code == 1 && run.stderr.contains(seen) && run.stderr.contains("install PostgreSQL's client"),
            "{run}"
        );
        assert_eq!(sql("postgres-db", "postgres", "SELECT count(*) FROM pg_database WHERE datname = 'more'"), "0");
    };
    // A container beside it, which the URL does not lead to.
    docker(&["run", "-d", "--name", "beside-postgres-db", "-e", "POSTGRES_PASSWORD=admin", "postgres:18-alpine"]);
    let is_up = ["exec", "beside-postgres-db", "pg_isready", "--host=127.0.0.1"];
    until("it is up", || process::command("docker").args(is_up).output().is_ok_and(|output| output.status.success()));
    let here = here.env("STACK_PREFIX", "beside-");
    refused(&here, "the container beside-postgres-db is not that of the server at localhost:5434");
    let run = here.run(&["shell", "bot_db", "--", "-c", "SELECT 1"]);
    let seen = "the container beside-postgres-db is not that of the server at localhost:5434";
    assert!(run.code == 4 && run.stderr.contains(seen) && run.stdout.is_empty(), "{run}");
    docker(&["rm", "--force", "--volumes", "beside-postgres-db"]);
    let here =
        here.env("STACK_PREFIX", "").env("DBOPS_PG_BIN", &dbops_testbed::installation().bin.display().to_string());
    here.ok(&["backup", "bot_db", "--format", "directory"]);
    refused(&here.env("DBOPS_PG_BIN", ""), "the container postgres-db cannot be handed a folder or a tar file");
}
