//! Whether standbys keep up.

use super::asked::{Asked, Checked};
use crate::check::{bytes, duration};
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "replication_lag",
    looks_at: "how far the standbys are behind",
    limits: Limits::new(Unit::Seconds, 60.0, 600.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    asked.require_statistics()?;
    let rows = asked.rows(include_str!("replication_lag.sql")).await?;
    let items: Vec<_> = rows
        .iter()
        .map(|row| {
            let (name, seconds, behind): (&str, f64, f64) = (row.get("name"), row.get("seconds"), row.get("bytes"));
            Item {
                value: seconds,
                text: format!("{name} is {} and {} behind", duration(seconds), bytes(behind)),
                remedy: "see whether the standby, its disk or the network is overloaded, and what its log says".into(),
            }
        })
        .collect();
    let well = if items.is_empty() { "there is no standby" } else { "the standbys keep up" };
    Ok(Some(asked.fold(&CHECK, items, ("standbys are behind", well))))
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use dbops_postgres::process;

    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning, server};

    /// A receiver of WAL is a standby as far as the primary can tell.
    #[tokio::test]
    async fn a_standby_is_found() {
        let server = server(&["max_wal_senders=3"]);
        let url = server.url("postgres");
        is_ok(&finding_from(&url, "replication_lag", 0.0).await);
        let folder = tempfile::tempdir().expect("a folder");
        let mut receiver = process::command(dbops_testbed::installation().bin.join("pg_receivewal"))
            .arg("--directory")
            .arg(folder.path())
            .args(["--dbname", &format!("{} application_name=receiver", url.conninfo())])
            .stderr(Stdio::null())
            .spawn()
            .expect("pg_receivewal");
        let client = execute(&url, "SELECT 1").await;
        let is_there = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'receiver'";
        while client.query_one(is_there, &[]).await.expect("a row").get::<_, i64>(0) == 0 {
            assert!(receiver.try_wait().expect("a child").is_none(), "it ended");
        }
        is_warning(&finding_from(&url, "replication_lag", 0.0).await, "receiver is", "see whether the standby");
        is_ok(&finding(&url, "replication_lag").await);
        receiver.kill().and_then(|()| receiver.wait()).expect("ended");
    }
}
