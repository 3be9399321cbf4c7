//! `restore-drill.sh`: a backup that restores, and one that is damaged.

use rustix::process::Signal;

use super::{back_up, damage, done, in_front_of_dbops, interrupted, stopped};
use crate::project::{execute, query};
use crate::stack::{Stack, root};

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
    assert!(run.stdout.contains("recovered with the data of 20"), "{run}");
    stopped(project, "restore-drill.sh --within 0", 3, &["and may take 0 s"]);

    let before = query(&server, DATABASES);
    for _ in 0..2 {
        let run = done(project, "restore-drill.sh --beside");
        for name in ["bot_db", "vector_db"] {
            let mut lines = run.stdout.lines().filter(|line| line.starts_with(&format!("{name}: recovered in ")));
            assert!(lines.next().is_some_and(|line| line.contains("with the data of 20")), "{run}");
        }
    }
    stopped(project, "restore-drill.sh --beside users", 2, &["no target users of kind postgres: choose from bot_db"]);

    let id = back_up(project);
    damage(project, &id, "bot_db.dump");
    for line in ["restore-drill.sh", "restore-drill.sh --beside bot_db"] {
        stopped(project, line, 3, &["bot_db.dump", "with exit code 3 this is no backup"]);
    }
    assert_eq!(query(&server, DATABASES), before);
    back_up(project);
    done(project, "restore-drill.sh");
}

/// `dbops`, and somebody who makes a database of that name right before it restores into it.
const SOMEBODY: &str = r#"
if [ "$1" = restore ]; then
    DBOPS shell "$3" -- -Xq -c "CREATE DATABASE \"$5\"" -c "\\connect \"$5\"" -c "CREATE TABLE theirs ()"
fi
exec DBOPS "$@"
"#;

#[test]
fn a_database_of_somebody_else_is_never_dropped() {
    let stack = Stack::filled();
    let project = &stack.project;
    back_up(project);
    let server = stack.url("postgres");
    let before = query(&server, DATABASES);
    let late = in_front_of_dbops(project, SOMEBODY);
    let script = root().join("docs/runbooks/restore-drill.sh");

    // One that is there before, and one that comes while the backup is read. The runbook has the number of this shell.
    let early = r#"dbops shell bot_db -- -Xq -c "CREATE DATABASE \"bot_db_drill_$$\"""#;
    for (preparation, said) in [
        (early, "is there already, and was not touched"),
        (late, "that somebody else has made meanwhile is still there"),
    ] {
        let run = project.shell(&format!("{preparation}\nexec bash '{}' --beside bot_db", script.display()));
        assert!(run.code == 4 && run.stdout.contains(said), "{run}");
        let now = query(&server, DATABASES);
        let new: Vec<_> = now.iter().filter(|name| !before.contains(name)).collect();
        assert!(new.len() == 1 && new[0].starts_with("bot_db_drill_"), "{new:?}: {run}");
        execute(&server, &format!("DROP DATABASE {}", new[0]));
    }
}

#[test]
fn an_interrupted_drill_leaves_nothing_behind() {
    let stack = Stack::filled();
    let project = &stack.project;
    back_up(project);
    let before = query(&stack.url("postgres"), DATABASES);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let run = interrupted(project, "restore-drill.sh --beside bot_db", "== restore bot_db from ", signal);
        assert_eq!(run.code, code, "{run}");
        assert!(run.stdout.contains("nothing is left of it; run this again"), "{run}");
        assert_eq!(query(&stack.url("postgres"), DATABASES), before);
    }
}
