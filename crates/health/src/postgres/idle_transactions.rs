//! Whether sessions left transactions open, which keeps vacuum from removing dead rows, and may hold locks.

use super::asked::{Asked, Checked};
use super::session::Session;
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "idle_transactions",
    looks_at: "the longest transaction that was left open by a session that does nothing",
    limits: Limits::new(Unit::Seconds, 300.0, 3600.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    asked.require_statistics()?;
    let rows = asked.rows(include_str!("idle_transactions.sql")).await?;
    let items = rows.iter().map(|row| {
        let Session { pid, seconds, name } = Session::read(row);
        Item {
            value: seconds,
            text: format!("{name} has left a transaction open for {}", duration(seconds)),
            remedy: format!(
                "SELECT pg_terminate_backend({pid}) ends it; idle_in_transaction_session_timeout does so by itself"
            ),
        }
    });
    Ok(Some(asked.fold(
        &CHECK,
        items.collect(),
        ("sessions left transactions open", "no session left a transaction open"),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn a_transaction_that_was_left_open_is_found() {
        let url = dbops_testbed::create_database("idle");
        let _idle = execute(&url, "SELECT 1").await;
        is_ok(&finding_from(&url, "idle_transactions", 0.0).await);
        let _open = execute(&url, "BEGIN; SELECT 1").await;
        let found = finding_from(&url, "idle_transactions", 0.0).await;
        is_warning(&found, "has left a transaction open for", "pg_terminate_backend");
        is_ok(&finding(&url, "idle_transactions").await);
    }
}
