//! Whether prepared transactions were forgotten.

use dbops_postgres::quote_literal;

use super::asked::{Asked, Checked};
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "prepared_transactions",
    looks_at: "the oldest prepared transaction that was neither committed nor rolled back",
    limits: Limits::new(Unit::Seconds, 300.0, 3600.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("prepared_transactions.sql")).await?;
    let items = rows.iter().map(|row| {
        let (gid, role, seconds): (&str, &str, f64) = (row.get("gid"), row.get("role"), row.get("seconds"));
        let literal = quote_literal(gid).trim_start().to_owned();
        Item {
            value: seconds,
            text: format!("transaction {literal} of \"{role}\" is prepared since {}", duration(seconds)),
            remedy: format!("COMMIT PREPARED {literal}; or ROLLBACK PREPARED {literal};"),
        }
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("transactions are prepared", "no transaction is prepared"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning, server};

    #[tokio::test]
    async fn a_prepared_transaction_is_found() {
        let server = server(&["max_prepared_transactions=2"]);
        let url = server.url("postgres");
        is_ok(&finding_from(&url, "prepared_transactions", 0.0).await);
        let _client = execute(&url, "BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'it''s odd'").await;
        let found = finding_from(&url, "prepared_transactions", 0.0).await;
        is_warning(&found, "transaction 'it''s odd' of \"postgres\"", "ROLLBACK PREPARED 'it''s odd';");
        is_ok(&finding(&url, "prepared_transactions").await);
    }
}
