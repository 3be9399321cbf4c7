//! `lost-database.sh`: a database that was dropped, the newest backup of it damaged, and Qdrant ahead of what came back.

use super::{back_up, damage, done, stopped};
use crate::project::{execute, query};
use crate::stack::Stack;

#[test]
fn a_dropped_database_comes_back_from_the_newest_backup_that_is_whole() {
    let stack = Stack::filled();
    let (project, url) = (&stack.project, stack.url("bot_db"));
    stopped(project, "lost-database.sh users", 2, &["there is no target users of kind postgres: choose from bot_db"]);
    stopped(project, "lost-database.sh bot_db", 1, &["there is no backup with bot_db"]);
    back_up(project);
    execute(&url, "INSERT INTO users (email, display_name) VALUES ('late@example.org', 'Late')");
    let newest = back_up(project);
    damage(project, &newest, "bot_db.dump");

    // Not lost: not touched.
    let said = ["holds data", "nothing was touched. If bot_db holds data it is not lost"];
    stopped(project, "lost-database.sh bot_db", 4, &said);
    assert_eq!(query(&url, "SELECT count(*) FROM users"), ["301"]);

    execute(&stack.url("postgres"), "DROP DATABASE bot_db WITH (FORCE)");
    let run = done(project, "lost-database.sh bot_db");
    assert!(run.stdout.contains(&format!("{newest} is damaged: going back to the one before")), "{run}");
    assert_eq!(query(&url, "SELECT count(*) FROM users"), ["300"]);
    stopped(project, "lost-database.sh bot_db", 4, &["If this runbook brought it back: lost-database.sh --restored"]);
    done(project, "lost-database.sh --restored bot_db");
}

#[test]
fn points_that_outlived_their_rows_are_told_before_they_go() {
    let stack = Stack::filled();
    let (project, url) = (&stack.project, stack.url("vector_db"));
    back_up(project);
    let copy = "INSERT INTO chunks (document_id, chunk_index, content, embedding, embedding_model, embedded_at)
        SELECT document_id, 100, content, embedding, embedding_model, now() FROM chunks LIMIT 1";
    execute(&url, copy);
    project.ok(&["qdrant", "sync"]);
    execute(&stack.url("postgres"), "DROP DATABASE vector_db WITH (FORCE)");
    let said = ["1 points without a row", "lost-database.sh --restored --repair-qdrant vector_db"];
    stopped(project, "lost-database.sh vector_db", 3, &said);
    assert_eq!(query(&url, "SELECT count(*) FROM chunks"), ["200"]);
    stopped(project, "lost-database.sh --restored vector_db", 3, &said);
    done(project, "lost-database.sh --restored --repair-qdrant vector_db");
    done(project, "lost-database.sh --restored vector_db");
}
