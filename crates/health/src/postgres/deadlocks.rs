//! Whether transactions get into each other's way until one has to be ended.

use super::asked::{Asked, Checked};
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

const DAY: f64 = 86_400.0;

pub(super) const CHECK: Check = Check {
    id: "deadlocks",
    looks_at: "how many deadlocks there were in a day",
    limits: Limits::warning(Unit::Count("deadlocks"), 5.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let row = asked.client.query_one(include_str!("database_statistics.sql"), &[]).await?;
    let (deadlocks, seconds): (f64, f64) = (row.get("deadlocks"), row.get("seconds"));
    let item = Item {
        value: deadlocks / (seconds / DAY).max(1.0),
        text: format!("deadlocks: {deadlocks} in {}", duration(seconds)),
        remedy: "the server's log has the statements: let all transactions lock rows and tables in the same order"
            .into(),
    };
    let well = item.text.clone();
    Ok(Some(asked.fold(&CHECK, vec![item], ("", &well))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn a_deadlock_is_found() {
        let url = dbops_testbed::create_database("deadlocks");
        is_ok(&finding_from(&url, "deadlocks", 0.5).await);
        let fast = "SET deadlock_timeout = '10ms'; BEGIN;";
        drop(execute(&url, "CREATE TABLE a (); CREATE TABLE b ()").await);
        let one = execute(&url, &format!("{fast} LOCK TABLE a")).await;
        let two = execute(&url, &format!("{fast} LOCK TABLE b")).await;
        let ended = tokio::join!(one.batch_execute("LOCK TABLE b"), two.batch_execute("LOCK TABLE a"));
        assert!(ended.0.is_err() != ended.1.is_err(), "{ended:?}");
        for client in [&one, &two] {
            client.batch_execute("ROLLBACK; SELECT pg_stat_force_next_flush()").await.expect("flushed");
        }
        is_warning(&finding_from(&url, "deadlocks", 0.5).await, "deadlocks: 1 in", "in the same order");
        is_ok(&finding(&url, "deadlocks").await);
    }
}
