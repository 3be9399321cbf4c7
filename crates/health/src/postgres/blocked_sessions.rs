//! Whether sessions wait for locks, and who has them.

use super::asked::{Asked, Checked};
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "blocked_sessions",
    looks_at: "the longest wait for a lock, and who blocks",
    limits: Limits::new(Unit::Seconds, 30.0, 300.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    asked.require_statistics()?;
    let rows = asked.rows(include_str!("blocked_sessions.sql")).await?;
    let items = rows.iter().map(|row| {
        let (pid, seconds): (i32, f64) = (row.get("pid"), row.get("seconds"));
        let (role, blocker): (&str, Option<i32>) = (row.get("role"), row.get("blocker"));
        let (blocker_role, state): (&str, &str) = (row.get("blocker_role"), row.get("blocker_state"));
        let (by, remedy) = match blocker {
            Some(blocker) => (
                format!(", blocked by session {blocker} of \"{blocker_role}\" ({state})"),
                format!("SELECT pg_terminate_backend({blocker}) ends the session that blocks"),
            ),
            // It was let go meanwhile, or a prepared transaction has it.
            None => (String::new(), "look for the lock in pg_locks, and for prepared transactions".into()),
        };
        let text = format!("session {pid} of \"{role}\" waits for a lock since {}{by}", duration(seconds));
        Item { value: seconds, text, remedy }
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("sessions wait for locks", "no session waits for a lock"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn who_blocks_is_told() {
        let url = dbops_testbed::create_database("blocked");
        drop(execute(&url, "CREATE TABLE t ()").await);
        let holder = execute(&url, "BEGIN; LOCK TABLE t").await;
        is_ok(&finding_from(&url, "blocked_sessions", 0.0).await);
        let pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await.expect("a row").get(0);
        let waiter = execute(&url, "SELECT 1").await;
        let waiting = tokio::spawn(async move { waiter.batch_execute("BEGIN; LOCK TABLE t").await });
        let is_waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        while holder.query_one(is_waiting, &[]).await.expect("a row").get::<_, i64>(0) == 0 {
            assert!(!waiting.is_finished(), "it did not wait");
        }
        let found = finding_from(&url, "blocked_sessions", 0.0).await;
        let by = format!("blocked by session {pid} of \"postgres\" (idle in transaction)");
        is_warning(&found, &by, &format!("pg_terminate_backend({pid})"));
        is_ok(&finding(&url, "blocked_sessions").await);
        drop(holder);
        drop(waiting.await.expect("a task"));
    }
}
