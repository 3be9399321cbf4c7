//! Whether sorts and joins go over temporary files.

use super::asked::{Asked, Checked};
use crate::check::{bytes, duration};
use crate::fold::Item;
use crate::{Check, Limits, Unit};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
const DAY: f64 = 86_400.0;

pub(super) const CHECK: Check = Check {
    id: "temporary_files",
    looks_at: "how much went to temporary files in a day",
    limits: Limits::warning(Unit::Bytes, 20.0 * GIB),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let row = asked.client.query_one(include_str!("database_statistics.sql"), &[]).await?;
    let (files, written): (f64, f64) = (row.get("temporary_files"), row.get("temporary_bytes"));
    let seconds: f64 = row.get("seconds");
    let item = Item {
        // Statistics of an hour are no day's.
        value: written / (seconds / DAY).max(1.0),
        text: format!("{files} temporary files with {} in {}", bytes(written), duration(seconds)),
        remedy: "raise work_mem for the queries that log_temp_files shows".into(),
    };
    let well = item.text.clone();
    Ok(Some(asked.fold(&CHECK, vec![item], ("", &well))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn sorts_on_disk_are_found() {
        let url = dbops_testbed::create_database("temporary");
        is_ok(&finding_from(&url, "temporary_files", 1.0).await);
        let sql = "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT i FROM generate_series(1, 100000) i ORDER BY -i) s; \
                   SELECT pg_stat_force_next_flush()";
        drop(execute(&url, sql).await);
        is_warning(&finding_from(&url, "temporary_files", 1.0).await, "temporary files with", "raise work_mem");
        is_ok(&finding(&url, "temporary_files").await);
    }
}
