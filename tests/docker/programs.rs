//! PostgreSQL's programs in the server's container, where this machine has none that would do.

use std::os::unix::fs::symlink;
use std::path::Path;

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
    // pg_restore reads the archive where it lies: it is this machine's.
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
