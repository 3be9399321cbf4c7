//! `postgres-upgrade.sh`: the Support Bot's databases move from PostgreSQL 16 to 18.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dbops_postgres::{DatabaseUrl, Throwaway, ThrowawayOptions};
use dbops_testbed::installation;
use rustix::process::Signal;

use super::{done, interrupted, runbook, stopped};
use crate::older::older;
use crate::project::{Held, execute, query};
use crate::stack::Stack;

/// The server that the databases move to.
fn newer() -> Throwaway {
    let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings: Vec::new() };
    Throwaway::start(&installation(), &options).expect("PostgreSQL")
}

fn major(url: &DatabaseUrl) -> String {
    query(url, "SELECT current_setting('server_version_num')::int / 10000").remove(0)
}

fn upgrade(url: &DatabaseUrl, rest: &str) -> String {
    format!("NEW_URL='{}' postgres-upgrade.sh {rest}", url.reveal())
}

fn is_closed(url: &DatabaseUrl) -> bool {
    query(url, "SHOW default_transaction_read_only") == ["on"]
}

/// What an application may say, and its rows are written after all.
const WRITES: (&str, &str) = ("default_transaction_read_only", "off");

/// Writes once the database is closed, and its sessions are ended, until the run is over.
fn write_although_closed(server: &DatabaseUrl, database: &DatabaseUrl, is_over: &AtomicBool) {
    let closed = "SELECT 1 FROM pg_db_role_setting WHERE setconfig = '{default_transaction_read_only=on}'";
    while query(server, closed).is_empty() && !is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(50));
    }
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_secs(1));
        execute(&database.with_settings(&[WRITES]), "UPDATE users SET display_name = 'Somebody'");
    }
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks)";

#[test]
fn both_databases_move_to_a_newer_major_version() {
    let stack = Stack::filled_with(&older());
    let new = newer();
    let (old_url, new_url) = (stack.url("vector_db"), new.url("vector_db"));
    assert_eq!((major(&old_url), major(&new.url("postgres"))), ("16".into(), "18".into()));
    execute(&old_url, "CREATE ROLE bot LOGIN PASSWORD 'secret'; GRANT SELECT ON chunks TO bot");

    // The application goes on meanwhile; what it writes comes with the next run.
    let line = upgrade(&new_url, "vector_db VECTOR_DATABASE_URL");
    let run = done(&stack.project, &line);
    assert!(run.stdout.contains("from 16.14 to 18.") && run.stdout.contains("the rehearsal took"), "{run}");
    assert!(!run.stdout.contains("admin"), "{run}");
    assert_eq!(query(&new_url, COUNTS), ["20|200"]);
    execute(&old_url, "DELETE FROM chunks WHERE chunk_index = 0");
    let _session = Held::new(&old_url, "SELECT 1");

    let switch = format!("{line} --switch");
    let run = done(&stack.project, &switch);
    assert!(run.stdout.contains("Now set VECTOR_DATABASE_URL to NEW_URL"), "{run}");
    assert_eq!(query(&new_url, COUNTS), ["20|180"]);
    assert_eq!(query(&new_url, "SELECT has_table_privilege('bot', 'chunks', 'SELECT')"), ["t"]);
    assert!(is_closed(&old_url) && !is_closed(&new_url));
    let sessions = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(query(&old_url, sessions).is_empty(), "whoever was connected has to come again");

    // What is in use now is no rehearsal: nothing takes its place.
    let said =
        ["stopped at: see what the database of NEW_URL holds", "it holds something that is no rehearsal of this"];
    stopped(&stack.project, &switch, 4, &said);
    let project = stack.project.env("VECTOR_DATABASE_URL", &new_url.reveal());
    let run = done(&project, &line);
    assert!(run.stdout.contains("vector_db is on the server of NEW_URL already"), "{run}");
    project.ok(&["migrate", "check", "-t", "vector_db"]);
    project.ok(&["qdrant", "sync"]);
    project.ok(&["qdrant", "verify"]);
    let back = upgrade(&old_url, "vector_db VECTOR_DATABASE_URL --switch");
    stopped(&project, &back, 2, &["the new server is no newer major version"]);
}

#[test]
fn what_stops_it_leaves_the_old_database_in_use() {
    let stack = Stack::filled_with(&older());
    let (project, new) = (&stack.project, newer());
    let (old_url, new_url) = (stack.url("bot_db"), new.url("the bot"));
    let line = upgrade(&new_url, "bot_db DATABASE_URL_SYNC");

    // With another variable both servers would be the old one.
    let said = ["VECTOR_DATABASE_URL is not the variable of bot_db's url", "Nothing was changed"];
    stopped(project, &upgrade(&new_url, "bot_db VECTOR_DATABASE_URL --switch"), 2, &said);
    let said = ["there is no target users of kind postgres: choose from bot_db, vector_db"];
    stopped(project, &upgrade(&new_url, "users DATABASE_URL_SYNC --switch"), 2, &said);
    assert_eq!(runbook(project, &upgrade(&new_url, "bot_db 'DATABASE_URL_SYNC;id' --switch")).code, 2);
    assert!(!is_closed(&old_url));

    let extension = |from: &str, to: &str| {
        let rename = format!("UPDATE pg_extension SET extname = '{to}' WHERE extname = '{from}'");
        execute(&old_url, &format!("SET allow_system_table_mods = on; {rename}"));
    };
    extension("plpgsql", "rare");
    stopped(project, &format!("{line} --switch"), 1, &["the new server does not have the extension rare"]);
    assert!(!is_closed(&old_url));
    extension("rare", "plpgsql");

    // Somebody else's database has the name.
    execute(&new.url("postgres"), "CREATE DATABASE \"the bot\"");
    execute(&new_url, "CREATE TABLE somebodys (id int)");
    stopped(project, &format!("{line} --switch"), 4, &["no rehearsal of this: choose another name"]);
    assert!(!is_closed(&old_url));
    // One that is empty is filled.
    execute(&new_url, "DROP TABLE somebodys");
    done(project, &line);

    // The new version is not what the application needs.
    let pending = project.json(0, &["migrate", "revision", "-m", "add nothing", "-t", "bot_db"]);
    let path = pending["path"].as_str().and_then(|path| path.strip_prefix("PROJECT/")).expect("a path");
    let said =
        ["stopped at: check the database on the new server (exit code 3)", "Writing stays off until `", "--back`"];
    stopped(project, &format!("{line} --switch"), 3, &said);
    assert!(is_closed(&old_url));
    done(project, &format!("{line} --back"));
    assert!(!is_closed(&old_url));
    fs::remove_file(project.path(path)).expect("a revision");

    // Somebody gives up while the applications cannot write.
    let run = interrupted(project, &format!("{line} --switch"), "== back up bot_db", Signal::INT);
    assert_eq!(run.code, 130, "{run}");
    assert!(run.stdout.contains("Writing stays off until `") && run.stdout.contains("--back`"), "{run}");
    assert!(is_closed(&old_url));
    done(project, &format!("{line} --back"));

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| write_although_closed(&stack.url("postgres"), &old_url, &is_over));
        let line = format!("{line} --switch");
        stopped(project, &line, 1, &["something wrote to the old database although it is closed to that"]);
        is_over.store(true, Ordering::Relaxed);
    });
    execute(&old_url.with_settings(&[WRITES]), "DELETE FROM users");
    done(project, &format!("{line} --switch"));
    assert_eq!(query(&new_url, "SELECT count(*) FROM users"), ["0"]);
}
