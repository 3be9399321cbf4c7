//! Whether there are connections left, on the server and for the database.

use super::asked::{Asked, Checked};
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "connections",
    looks_at: "how many of the connections that the server, or the database, allows are used",
    limits: Limits::new(Unit::Percent, 80.0, 95.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let row = asked.client.query_one(include_str!("connections.sql"), &[]).await?;
    let (used, available): (f64, f64) = (row.get("used"), row.get("available"));
    let (used_here, available_here): (f64, Option<f64>) = (row.get("used_here"), row.get("available_here"));
    let remedy = "end sessions that are idle, use a connection pooler, or raise max_connections";
    let item = |used: f64, available: f64, of: &str, remedy: &str| Item {
        value: used * 100.0 / available.max(1.0),
        text: format!("{used} of {available} connections {of} are used"),
        remedy: remedy.into(),
    };
    let mut items = vec![item(used, available, "of the server", remedy)];
    let here = available_here.map(|available| {
        item(used_here, available, "of the database", "end sessions that are idle, or raise its CONNECTION LIMIT")
    });
    items.extend(here);
    let well = format!("{used} of {available} connections are used");
    Ok(Some(asked.fold(&CHECK, items, ("limits are near", &well))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn a_full_database_is_found() {
        let url = dbops_testbed::create_database("connections");
        is_ok(&finding(&url, "connections").await);
        is_warning(&finding_from(&url, "connections", 0.1).await, "connections of the server are used", "pooler");
        let held = execute(&url, &format!("ALTER DATABASE \"{}\" CONNECTION LIMIT 6", url.database())).await;
        let _other = execute(&url, "SELECT 1").await;
        let finding = finding_from(&url, "connections", 45.0).await;
        is_warning(&finding, "of 6 connections of the database are used", "CONNECTION LIMIT");
        drop(held);
    }
}
