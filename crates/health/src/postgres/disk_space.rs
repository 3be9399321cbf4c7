//! Whether the disks of the data and of the WAL fill up. PostgreSQL does not tell; they are looked at when the server runs on
//! this machine and its data folder can be read.

use std::path::Path;

use super::asked::{Asked, Checked};
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Limits, Status, Unit};

pub(super) const CHECK: Check = Check {
    id: "disk_space",
    looks_at: "how full the disks of the data and of the WAL are, where they can be seen",
    limits: Limits::new(Unit::Percent, 90.0, 97.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let Some(folder) = &asked.server.local_folder else {
        return Ok(Some(asked.finding(&CHECK, Status::Ok, "the server's disks cannot be seen from here")));
    };
    let mut items: Vec<_> = item("data", folder).into_iter().collect();
    // Most often it is the same disk, and told once.
    let device = |path: &Path| rustix::fs::stat(path).ok().map(|it| it.st_dev);
    let wal = folder.join("pg_wal");
    if device(&wal) != device(folder) {
        items.extend(item("WAL", &wal));
    }
    let well = items.first().map_or("the disks cannot be read", |item| &item.text).to_owned();
    Ok(Some(asked.fold(&CHECK, items, ("disks are nearly full", &well))))
}

fn item(what: &str, path: &Path) -> Option<Item> {
    let disk = rustix::fs::statvfs(path).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "sizes of disks need no last byte")]
    let of = |blocks: u64| blocks as f64 * disk.f_frsize as f64;
    // As df: what is kept for root counts as used.
    let (used, free) = (of(disk.f_blocks.saturating_sub(disk.f_bfree)), of(disk.f_bavail));
    let percent = used * 100.0 / (used + free).max(1.0);
    Some(Item {
        value: percent,
        text: format!("the disk of the {what} is {percent:.0} % full, {} are free", bytes(free)),
        remedy: "free space or enlarge the disk; see what keeps WAL (`replication_slots`), and look for large logs"
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finding, finding_from, is_ok, server};
    use crate::Status;

    #[tokio::test]
    async fn the_disk_of_a_server_on_this_machine_is_seen() {
        let server = server(&[]);
        let found = finding_from(&server.url("postgres"), "disk_space", 0.0).await;
        assert_eq!(found.status, Status::Warning, "{found:?}");
        assert!(found.summary.starts_with("the disk of the data is "), "{found:?}");
    }

    #[tokio::test]
    async fn a_role_that_may_not_know_the_folder_sees_none() {
        let url = dbops_testbed::create_database("disk");
        let role = dbops_testbed::unique("disk");
        let sql = format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'");
        drop(super::super::testing::execute(&url, &sql).await);
        let text = format!("postgresql://{role}:pw@{}/{}", url.server(), url.database());
        let found = finding(&dbops_postgres::DatabaseUrl::parse(&text, "me").expect("a URL"), "disk_space").await;
        is_ok(&found);
        assert_eq!(found.summary, "the server's disks cannot be seen from here");
    }
}
