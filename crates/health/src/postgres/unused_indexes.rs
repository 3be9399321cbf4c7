//! Whether there are indexes that only cost.

use super::asked::{Asked, Checked};
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "unused_indexes",
    looks_at: "the size of indexes that no query used in at least 7 days of statistics",
    limits: Limits::warning(Unit::Bytes, 16.0 * 1024.0 * 1024.0),
};

/// Statistics that cover less say nothing.
const ENOUGH: f64 = 7.0 * 86_400.0;

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    look(asked, ENOUGH).await
}

async fn look(asked: &Asked<'_>, seconds: f64) -> Checked {
    let rows = asked.client.query(include_str!("unused_indexes.sql"), &[&seconds]).await?;
    let items = rows.iter().map(|row| {
        let (name, size, since): (&str, f64, &str) = (row.get("name"), row.get("bytes"), row.get("since"));
        Item {
            value: size,
            text: format!("{name} ({}) was not used since {since}", bytes(size)),
            remedy: format!("if no standby and no rare report uses it either: DROP INDEX CONCURRENTLY {name};"),
        }
    });
    let well = "no large index is unused, as far as the statistics reach";
    Ok(Some(asked.fold(&CHECK, items.collect(), ("indexes are not used", well))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, execute, finding, finding_from, is_ok};
    use super::look;

    #[tokio::test]
    async fn an_index_that_is_not_used_is_found_when_the_statistics_are_old_enough() {
        let url = dbops_testbed::create_database("unused");
        let sql = "CREATE TABLE t (i int PRIMARY KEY, used int, unused int); INSERT INTO t SELECT i, i, i FROM \
                   generate_series(1, 1000) i; CREATE INDEX used ON t (used); CREATE INDEX unused ON t (unused); SET \
                   enable_seqscan = off; SELECT FROM t WHERE used = 1; SELECT pg_stat_force_next_flush()";
        let _client = execute(&url, sql).await;
        // The server has just been started.
        is_ok(&finding_from(&url, "unused_indexes", 1.0).await);
        let found = asked(&url, async |asked| look(asked, 0.0).await.expect("asked").expect("found")).await;
        is_ok(&finding(&url, "unused_indexes").await);
        assert!(found.details.is_empty() && found.value == Some(40_960.0), "only `unused`, and it is small: {found:?}");
    }
}
