//! `lost-machine.sh`: new servers, and of the old machine nothing but the configuration, the repository and the key.

use std::fs;

use dbops_postgres::process;

use super::{back_up, damage, done, runbook, stopped};
use crate::backup_sealed::key;
use crate::project::{Project, execute, query};
use crate::stack::Stack;

fn copy(from: &Project, to: &Project, name: &str) {
    let copied = process::command("cp").arg("-r").arg(from.path(name)).arg(to.path(name)).status();
    assert!(copied.expect("cp").success(), "{name}");
}

#[test]
fn everything_comes_back_from_the_repository_alone() {
    let old = Stack::filled();
    let recipient = key(&old.project, "key.txt");
    let path = old.project.path("config/dbops.yaml");
    let text = fs::read_to_string(&path).expect("the configuration");
    let keys = format!("\nbackup:\n  encryption: {{ recipients: [{recipient}], identity: ../key.txt }}\n");
    fs::write(&path, text.replace("\nbackup:\n", &keys)).expect("the configuration");
    execute(&old.url("bot_db"), "CREATE ROLE reporting; GRANT SELECT ON users TO reporting");
    back_up(&old.project);
    let newest = back_up(&old.project);
    damage(&old.project, &newest, "1.age");

    let new = Stack::start();
    let (project, server) = (&new.project, new.url("postgres"));
    for name in ["bot_db", "vector_db"] {
        execute(&server, &format!("DROP DATABASE {name}"));
    }
    fs::remove_dir_all(project.path("config")).expect("a folder");
    for name in ["config", ".dbops"] {
        copy(&old.project, project, name);
    }
    // Without the key nothing is begun.
    stopped(project, "lost-machine.sh", 2, &["key.txt", "bring back dbops.yaml", "the key of the backups"]);
    copy(&old.project, project, "key.txt");
    drop(old);
    // A database with something else in it is neither touched nor taken for one that is back.
    execute(&server, "CREATE DATABASE bot_db");
    execute(&new.url("bot_db"), "CREATE TABLE stray (id int)");
    stopped(project, "lost-machine.sh", 4, &["holds data: table public.stray", "restore bot_db from "]);
    execute(&server, "DROP DATABASE bot_db");

    let run = done(project, "lost-machine.sh");
    assert!(run.stdout.contains(&format!("{newest} is damaged: going back to the one before")), "{run}");
    assert!(run.stdout.contains("everything is there, from "), "{run}");
    let bot = new.url("bot_db");
    assert_eq!(query(&bot, "SELECT count(*) FROM users"), ["300"]);
    assert_eq!(query(&bot, "SELECT has_table_privilege('reporting', 'users', 'SELECT')"), ["t"]);
    let compared = project.json(0, &["qdrant", "verify", "--deep"]);
    assert_eq!(compared["collections"][0]["points"], 200, "{compared}");

    // Again, with one of them lost once more: the others are left as they are.
    execute(&bot, "INSERT INTO users (email, display_name) VALUES ('new@example.org', 'New')");
    execute(&server, "DROP DATABASE vector_db WITH (FORCE)");
    let run = done(project, "lost-machine.sh");
    assert!(run.stdout.contains("left as they were, for the reason above: bot_db qdrant"), "{run}");
    assert_eq!(query(&bot, "SELECT count(*) FROM users"), ["301"]);
    let vector = new.url("vector_db");
    assert_eq!(query(&vector, "SELECT count(*) FROM chunks"), ["200"]);

    // Where nothing is lost nothing is changed: points without a row stay, unless it is said that this brought them.
    execute(&vector, "DELETE FROM chunks WHERE chunk_index = 0");
    let said = ["nothing is lost: bot_db vector_db qdrant hold data", "lost-machine.sh --restored"];
    let run = stopped(project, "lost-machine.sh", 4, &said);
    assert!(!run.stdout.contains("== migrate") && !run.stdout.contains("everything is there"), "{run}");
    assert_eq!(points(project, 3), 200);
    done(project, "lost-machine.sh --restored");
    assert_eq!(points(project, 0), 180);
    assert_eq!(runbook(project, "lost-machine.sh one two").code, 2);
}

/// How many points there are, compared with the rows, with this exit code.
fn points(project: &Project, code: i32) -> u64 {
    let compared = project.json(code, &["qdrant", "verify"]);
    compared["collections"][0]["points"].as_u64().expect("a number")
}
