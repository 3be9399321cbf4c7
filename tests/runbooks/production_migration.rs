//! `production-migration.sh`: a migration that fails in its rehearsal, one that fails on the live database alone, and the
//! ways back that are named then.

use std::fs;

use rustix::process::Signal;

use super::{back_up, done, interrupted, runbook, stopped};
use crate::backup::list;
use crate::migrate::version_rows;
use crate::project::{Project, Run, execute, query};
use crate::stack::Stack;

const HEAD: &str = "02d79079dc13";

fn revision(project: &Project, id: &str, parent: &str, up: &str, down: &str) {
    let text = format!(
        "-- revision: {id}\n-- revises: {parent}\n-- branch_labels:\n-- depends_on:\n-- message: add nicknames {id}\n\
         -- created: 2026-11-28T21:05:01Z\n\n-- +up\n{up}\n\n-- +down\n{down}\n"
    );
    project.write(&format!("config/bot_db/versions/20261128T210501Z_{id}_add_nicknames.sql"), &text);
}

/// Nicknames that have to be unique, in two revisions, the first on this table.
fn nicknames(project: &Project, table: &str) {
    let column = format!("ALTER TABLE {table} ADD COLUMN nickname text;");
    revision(project, "aaaa1111aaaa", HEAD, &column, "ALTER TABLE users DROP COLUMN nickname;");
    let index = "-- dbops:ignore require-concurrent-index-creation the table is small\n\
                 CREATE UNIQUE INDEX users_display_name_key ON users (display_name);";
    revision(project, "bbbb2222bbbb", "aaaa1111aaaa", index, "DROP INDEX users_display_name_key;");
}

fn declare(project: &Project) {
    let path = project.path("config/bot_db/schema.sql");
    let schema = fs::read_to_string(&path).expect("a schema");
    let column = "    email_verified_at timestamptz,\n";
    assert!(schema.contains(column));
    let schema = schema.replacen(column, &format!("{column}    nickname text,\n"), 1);
    let index = "CREATE UNIQUE INDEX users_display_name_key ON users (display_name);";
    fs::write(&path, format!("{schema}\n{index}\n")).expect("a schema");
}

/// A command that is named in what was said.
fn command(run: &Run, start: &str) -> String {
    let mut lines = run.stdout.lines().map(str::trim);
    lines.find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start}: {run}")).to_owned()
}

#[test]
fn a_rehearsal_fails_then_the_live_database_and_then_nothing() {
    let stack = Stack::filled();
    let (project, url) = (&stack.project, stack.url("bot_db"));
    let run = done(project, "production-migration.sh --yes");
    assert!(run.stdout.contains("nothing to do"), "{run}");
    assert_eq!(runbook(project, "production-migration.sh --yes bot_db").code, 2);

    // What cannot run at all is found before there is a copy.
    nicknames(project, "persons");
    declare(project);
    let said = ["relation \"persons\" does not exist", "Nothing was changed."];
    stopped(project, "production-migration.sh --yes", 1, &said);
    nicknames(project, "users");
    stopped(project, "production-migration.sh --yes", 1, &["there is no complete backup", "nightly-backup.sh"]);

    // What does not work on a copy is not tried on the original.
    execute(&url, "INSERT INTO users (email, display_name) VALUES ('twin@example.org', 'User 1')");
    back_up(project);
    let said = ["could not create unique index", "Nothing was changed. Correct the revisions"];
    stopped(project, "production-migration.sh --yes", 3, &said);
    assert_eq!((version_rows(&url), list(project).len()), (vec![HEAD.to_owned()], 1));
    execute(&url, "DELETE FROM users WHERE email = 'twin@example.org'");
    back_up(project);

    // Somebody was at work by hand.
    execute(&url, "CREATE INDEX by_hand ON users (display_name)");
    stopped(project, "production-migration.sh --yes", 3, &["by_hand", "Take one of the ways that are named above"]);
    execute(&url, "DROP INDEX by_hand");

    // Up to the point of no return, as often as one likes.
    let ready = "Nothing was changed. All is ready";
    stopped(project, "production-migration.sh", 4, &[ready, "production-migration.sh --yes"]);
    assert_eq!((version_rows(&url), list(project).len()), (vec![HEAD.to_owned()], 2));

    // Given up behind the point of no return.
    let run = interrupted(project, "production-migration.sh --yes", "== migrate", Signal::INT);
    assert!(run.code == 130 && run.stdout.contains("vector_db is where it was, at "), "{run}");
    if version_rows(&url) != [HEAD] {
        project.ok(&["migrate", "downgrade", HEAD, "-t", "bot_db", "--yes"]);
    }
    assert_eq!(version_rows(&url), [HEAD]);

    // Rows that came behind the rehearsal's backup: the first revision is applied, the second is not.
    execute(&url, "INSERT INTO users (email, display_name) VALUES ('twin@example.org', 'User 1')");
    let back = format!("dbops migrate downgrade {HEAD} -t bot_db --yes");
    let said = ["could not create unique index", "bot_db was at 02d79079dc13", "vector_db is where it was", &back];
    let run = stopped(project, "production-migration.sh --yes", 1, &said);
    assert_eq!(version_rows(&url), ["aaaa1111aaaa"]);
    assert_eq!(project.shell(&command(&run, "dbops migrate downgrade")).code, 0);
    assert_eq!(version_rows(&url), [HEAD]);

    // With the rows corrected, also in what is rehearsed on, it goes through.
    execute(&url, "UPDATE users SET display_name = 'Twin' WHERE email = 'twin@example.org'");
    back_up(project);
    let done_now = done(project, "production-migration.sh --yes");
    assert!(done_now.stdout.contains("migrated; the backup from before is "), "{done_now}");
    assert_eq!(version_rows(&url), ["bbbb2222bbbb"]);
    let run = done(project, "production-migration.sh --yes");
    assert!(run.stdout.contains("nothing to do"), "{run}");

    // The other way back, from the backup of the new attempt.
    execute(&url, "DROP INDEX users_display_name_key");
    let id = done_now.stdout.lines().last().and_then(|line| line.rsplit(' ').next()).expect("an id");
    assert_eq!(project.shell(&format!("dbops restore {id} bot_db --swap --disconnect")).code, 0);
    assert_eq!(version_rows(&url), [HEAD]);
    assert_eq!(query(&url, "SELECT count(*) FROM users WHERE display_name = 'Twin'"), ["1"]);
}
