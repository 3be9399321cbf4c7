//! Whether transactions run for long, which keeps vacuum from removing dead rows, and may hold locks.

use super::asked::{Asked, Checked};
use super::session::Session;
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "long_transactions",
    looks_at: "the longest transaction of a session that is at work",
    limits: Limits::new(Unit::Seconds, 1800.0, 6.0 * 3600.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    asked.require_statistics()?;
    let rows = asked.rows(include_str!("long_transactions.sql")).await?;
    let items = rows.iter().map(|row| {
        let Session { pid, seconds, name } = Session::read(row);
        Item {
            value: seconds,
            text: format!("{name} runs a transaction for {}", duration(seconds)),
            remedy: format!("SELECT pg_cancel_backend({pid}) ends its statement"),
        }
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("transactions run for long", "no transaction runs for long"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn a_transaction_that_runs_is_found() {
        let url = dbops_testbed::create_database("long");
        is_ok(&finding_from(&url, "long_transactions", 0.0).await);
        let other = execute(&url.clone().with_application_name("report"), "SELECT 1").await;
        let watching = execute(&url, "SELECT 1").await;
        let running = tokio::spawn(async move { drop(other.batch_execute("SELECT pg_sleep(60)").await) });
        let is_running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^SELECT \
                          pg_sleep'";
        while watching.query_one(is_running, &[]).await.expect("a row").get::<_, i64>(0) == 0 {
            assert!(!running.is_finished(), "it does not run");
        }
        let found = finding_from(&url, "long_transactions", 0.0).await;
        is_warning(&found, "(report) runs a transaction for", "pg_cancel_backend");
        is_ok(&finding(&url, "long_transactions").await);
        let pid = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'report' AND datname \
                   = current_database()";
        watching.batch_execute(pid).await.expect("ended");
        running.await.expect("a task");
    }
}
