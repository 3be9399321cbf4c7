//! Whether replication slots keep WAL that nobody fetches, until the disk is full.

use dbops_postgres::quote_literal;

use super::asked::{Asked, Checked};
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Limits, Status, Unit};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

pub(super) const CHECK: Check = Check {
    id: "replication_slots",
    looks_at: "the most WAL that a replication slot keeps, and slots that lost some",
    limits: Limits::new(Unit::Bytes, GIB, 10.0 * GIB),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("replication_slots.sql")).await?;
    let drop_it = |name: &str| format!("SELECT pg_drop_replication_slot({});", quote_literal(name).trim_start());
    if let Some(name) = rows.iter().find(|row| row.get("is_lost")).map(|row| row.get::<_, &str>("name")) {
        let summary = format!("slot {name} has lost WAL that it needs");
        let remedy = format!("{} and make its standby or subscription anew", drop_it(name));
        return Ok(Some(asked.finding(&CHECK, Status::Critical, summary).remedy(remedy)));
    }
    let items = rows.iter().map(|row| {
        let (name, is_active, kept): (&str, bool, f64) = (row.get("name"), row.get("active"), row.get("bytes"));
        let state = if is_active { "is in use and" } else { "is not in use and" };
        Item {
            value: kept,
            text: format!("slot {name} {state} keeps {} of WAL", bytes(kept)),
            remedy: format!("start what reads from it, or drop it: {}", drop_it(name)),
        }
    });
    // They grow, once there is more to keep.
    let idle: Vec<&str> = rows.iter().filter(|row| !row.get::<_, bool>("active")).map(|row| row.get("name")).collect();
    let well = match idle.as_slice() {
        [] => "no slot keeps much WAL".to_owned(),
        idle => format!("no slot keeps much WAL; not in use: {}", idle.join(", ")),
    };
    Ok(Some(asked.fold(&CHECK, items.collect(), ("slots keep WAL", &well))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning, server};

    #[tokio::test]
    async fn a_slot_that_keeps_wal_is_found() {
        let server = server(&["max_replication_slots=3"]);
        let url = server.url("postgres");
        is_ok(&finding_from(&url, "replication_slots", 1.0).await);
        let client = execute(&url, "SELECT pg_create_physical_replication_slot('odd', true)").await;
        client.batch_execute("CREATE TABLE t AS SELECT generate_series(1, 50000)").await.expect("rows");
        let found = finding_from(&url, "replication_slots", 500_000.0).await;
        is_warning(&found, "slot odd is not in use and keeps", "pg_drop_replication_slot('odd')");
        let found = finding(&url, "replication_slots").await;
        is_ok(&found);
        assert_eq!(found.summary, "no slot keeps much WAL; not in use: odd");
    }

    #[tokio::test]
    async fn a_slot_that_lost_wal_is_found() {
        let server = server(&["max_replication_slots=3", "max_slot_wal_keep_size=1MB"]);
        let url = server.url("postgres");
        let sql = "SELECT pg_create_physical_replication_slot('lost', true)";
        let client = execute(&url, sql).await;
        for _ in 0..4 {
            client.batch_execute("CREATE TABLE t AS SELECT generate_series(1, 50000)").await.expect("rows");
            client.batch_execute("DROP TABLE t; CHECKPOINT").await.expect("a checkpoint");
        }
        let found = finding(&url, "replication_slots").await;
        assert_eq!(
            (found.status, found.summary.as_str()),
            (crate::Status::Critical, "slot lost has lost WAL that it needs")
        );
    }
}
