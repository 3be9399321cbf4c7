//! Whether transaction ids run out: at the end the server takes no writes any more.
//! <https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND>

use super::asked::{Asked, Checked};
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "wraparound",
    looks_at: "how many of the transaction ids before the wraparound are used",
    limits: Limits::new(Unit::Percent, 40.0, 75.0),
};

/// How many ids there are between the oldest row and the newest transaction.
const ALL: f64 = 2_147_483_648.0;

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("wraparound.sql")).await?;
    let items = rows.iter().map(|row| {
        let name: &str = row.get("name");
        let (transactions, multixacts): (f64, f64) = (row.get("transactions"), row.get("multixacts"));
        let what = if multixacts > transactions { "multixact ids" } else { "transaction ids" };
        let used = transactions.max(multixacts) * 100.0 / ALL;
        Item {
            value: used,
            text: format!("{used:.1} % of the {what} are used up in database {name}"),
            remedy: format!(
                "end old transactions and drop forgotten slots and prepared transactions, then VACUUM (FREEZE) in {name}"
            ),
        }
    });
    Ok(Some(asked.fold(
        &CHECK,
        items.collect(),
        ("databases are near the end", "transaction ids are far from their end"),
    )))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finding, finding_from, is_ok, is_warning, server};

    #[tokio::test]
    async fn the_age_of_databases_is_found() {
        let server = server(&[]);
        let url = server.url("postgres");
        is_ok(&finding(&url, "wraparound").await);
        is_warning(&finding_from(&url, "wraparound", 1e-8).await, "are used up in database", "VACUUM (FREEZE)");
    }
}
