//! Whether autovacuum keeps up with dead rows.

use super::asked::{Asked, Checked};
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "autovacuum",
    looks_at: "how many times as many dead rows as autovacuum begins at a table of more than 10000 has",
    limits: Limits::new(Unit::Count("times"), 3.0, 20.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("autovacuum.sql")).await?;
    let items = rows.iter().map(|row| {
        let (name, dead): (&str, f64) = (row.get("name"), row.get("dead"));
        let (times, seconds): (f64, f64) = (row.get("times"), row.get("seconds"));
        let last = if seconds < 0.0 { "never".into() } else { format!("{} ago", duration(seconds)) };
        Item {
            value: times,
            text: format!("{name} has {dead} dead rows, vacuumed {last}"),
            remedy: format!(
                "VACUUM {name}; if that removes none, an old transaction, slot or prepared transaction keeps them; else \
                 give autovacuum more workers or a higher cost limit"
            ),
        }
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("tables wait for autovacuum", "no table waits for autovacuum"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, is_ok, is_warning};

    #[tokio::test]
    async fn a_table_that_is_never_vacuumed_is_found() {
        let url = dbops_testbed::create_database("autovacuum");
        is_ok(&finding(&url, "autovacuum").await);
        let sql = "CREATE TABLE \"Odd\" WITH (autovacuum_enabled = off) AS SELECT generate_series(1, 30000) AS i";
        let client = execute(&url, sql).await;
        client.batch_execute("ANALYZE \"Odd\"").await.expect("analyzed");
        client.batch_execute("DELETE FROM \"Odd\"").await.expect("deleted");
        client.batch_execute("SELECT pg_stat_force_next_flush()").await.expect("flushed");
        let found = finding(&url, "autovacuum").await;
        is_warning(&found, "public.\"Odd\" has 30000 dead rows, vacuumed never", "VACUUM public.\"Odd\"");
    }
}
