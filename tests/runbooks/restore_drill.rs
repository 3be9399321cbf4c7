//! `restore-drill.sh`: a backup that restores, and one that is damaged.

use super::{back_up, damage, done, stopped};
use crate::project::{execute, query};
use crate::stack::Stack;

const DATABASES: &str = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1";

#[test]
fn a_backup_is_restored_timed_and_cleared_away_and_a_damaged_one_is_found() {
    let stack = Stack::filled();
    let project = &stack.project;
    let server = stack.url("postgres");
    stopped(project, "restore-drill.sh", 1, &["make a new one with nightly-backup.sh"]);
    stopped(project, "restore-drill.sh --beside bot_db", 1, &["there is no backup that holds bot_db"]);
    back_up(project);
    let run = done(project, "restore-drill.sh --within 600");
    assert!(run.stdout.contains("restored, as it was backed up") && run.stdout.contains("recovery time: "), "{run}");
    stopped(project, "restore-drill.sh --within 0", 3, &["and may take 0 s"]);

    let before = query(&server, DATABASES);
    for _ in 0..2 {
        let run = done(project, "restore-drill.sh --beside");
        for name in ["bot_db", "vector_db"] {
            assert!(run.stdout.contains(&format!("{name}: recovered in ")), "{run}");
        }
    }
    // One that is there may be anybody's.
    execute(&server, "CREATE DATABASE bot_db_drill");
    let drop = "DROP DATABASE \"bot_db_drill\"";
    let run = stopped(project, "restore-drill.sh --beside bot_db", 4, &["bot_db_drill is there already", drop]);
    let line = run.stdout.lines().find_map(|line| Some(line[line.find("dbops shell")?..].to_owned()));
    assert_eq!(project.shell(&line.expect("a command")).code, 0);
    assert_eq!(query(&server, DATABASES), before);

    let id = back_up(project);
    damage(project, &id, "bot_db.dump");
    for line in ["restore-drill.sh", "restore-drill.sh --beside bot_db"] {
        stopped(project, line, 3, &["bot_db.dump", "with exit code 3 this is no backup"]);
    }
    assert_eq!(query(&server, DATABASES), before);
    back_up(project);
    done(project, "restore-drill.sh");
}
