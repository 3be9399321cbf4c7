//! `disk-full.sh`: a slot that nobody reads from and that keeps WAL, what killed runs have left, and backups that no rule
//! keeps.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::{back_up, done, stopped};
use crate::backup::list;
use crate::project::{Held, PATIENCE, Project, execute, query};
use crate::qdrant_faults::Small;
use crate::stack::{Stack, root};

/// A slot is told early, and one backup of a day is enough. The disk of this machine is not the subject.
fn configure(project: &Project) {
    let text = fs::read_to_string(project.path("config/dbops.yaml")).expect("the configuration");
    let limits = "health: { disk_space: { warning: 100, critical: 100 }, replication_slots: { warning: 3MB } }";
    let text = text.replace("health: { skip: [disk_space] }", limits).replace("keep_last: 3", "keep_last: 1");
    project.write("config/dbops.yaml", &text);
}

/// Kills a backup while it waits for a table.
fn kill_a_backup(stack: &Stack) {
    let lock = Held::new(&stack.url("bot_db"), "LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    let mut backup = stack.project.command(&["backup", "bot_db"]).spawn().expect("dbops");
    let deadline = Instant::now() + PATIENCE;
    while unfinished(&stack.project) == 0 {
        assert!(Instant::now() < deadline, "no backup was begun");
        thread::sleep(Duration::from_millis(20));
    }
    backup.kill().expect("kill -9");
    backup.wait().expect("it ends");
    lock.commit("");
}

fn unfinished(project: &Project) -> usize {
    let sets = fs::read_dir(project.path(".dbops/backups")).expect("the repository").flatten();
    sets.filter(|set| set.path().join("writing").exists()).count()
}

#[test]
fn what_keeps_the_disk_full_is_named_and_freed_when_told() {
    let mut stack = Stack::filled();
    stack.project = stack.project.env("FULL_AT", "101");
    let (project, url) = (&stack.project, stack.url("bot_db"));
    configure(project);
    let temporary = project.path("temporary");
    for name in ["dbops-tmp-killed", "dbops-tmp-strange"] {
        project.write(&format!("temporary/{name}/copy"), "rows");
    }
    project.write("temporary/dbops-tmp-killed/.lock", "");
    // Of three on a day the newest is kept as the last one, and the oldest as the oldest.
    for _ in 0..3 {
        back_up(project);
    }
    kill_a_backup(&stack);
    execute(&url, "SELECT pg_create_physical_replication_slot('standby_gone', true)");
    execute(&url, "CREATE TABLE bulk AS SELECT n, repeat('x', 200) FROM generate_series(1, 30000) AS n");

    // Nothing is removed unless it is told to.
    let said =
        ["slot standby_gone: nobody reads from it, keeps ", "unfinished", "table bulk: ", "--drop-slot TARGET SLOT"];
    for _ in 0..2 {
        stopped(project, "disk-full.sh", 3, &said);
    }
    assert_eq!(query(&url, "SELECT slot_name FROM pg_replication_slots"), ["standby_gone"]);
    assert_eq!(unfinished(project), 1);

    stopped(project, "disk-full.sh --drop-slot bot_db standby", 2, &["bot_db has no slot standby"]);
    stopped(project, "disk-full.sh --prune", 3, &["removed 1 backup", "what is left of 1 unfinished", "standby_gone"]);
    assert_eq!(unfinished(project), 0);
    let run = done(project, "disk-full.sh --drop-slot bot_db standby_gone");
    assert!(run.stdout.contains("dropped standby_gone"), "{run}");
    done(project, "disk-full.sh");

    // Of the temporary folders those whose maker is gone.
    let folder = root().join("docs/runbooks");
    let line = format!("TMPDIR='{}' exec bash '{}/disk-full.sh' --temporary", temporary.display(), folder.display());
    let run = project.shell(&line);
    assert!(run.code == 0 && run.stdout.contains("removed ") && run.stdout.contains("dbops-tmp-killed"), "{run}");
    assert!(!temporary.join("dbops-tmp-killed").exists() && temporary.join("dbops-tmp-strange").exists());
}

/// Where nobody may mount anything there is nothing to try.
#[test]
fn a_full_disk_of_backups_takes_new_ones_when_old_ones_went() {
    let Stack { project, .. } = &Stack::filled();
    let Some(small) = Small::new(project.path(".dbops/backups")) else { return };
    configure(project);
    for _ in 0..3 {
        back_up(project);
    }
    small.fill(600_000);
    let said = ["No space left on device", "nothing is left of this backup"];
    stopped(project, "nightly-backup.sh", 1, &said);
    assert_eq!(list(project).len(), 3);
    stopped(project, "disk-full.sh --prune", 3, &["removed 1 backup", "of the disk of the backups are used"]);
    done(project, "nightly-backup.sh");
    small.empty();
    done(project, "disk-full.sh");
}
