//! Beside pg_dump, table by table as it comes to each: its size, and what its rows come to.

use std::collections::{HashMap, HashSet};

use dbops_postgres::tokio_postgres::{Client, Error as DriverError};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::fingerprint::{self, Table, TableFingerprint};

/// What was found about the tables that pg_dump dumped.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// Their size on the server's disk.
    pub(crate) bytes: u64,
    pub(crate) fingerprints: Vec<TableFingerprint>,
}

/// The tables by the name that pg_dump tells.
pub(crate) fn by_told_name(tables: &[Table]) -> HashMap<String, usize> {
    tables.iter().enumerate().map(|(index, table)| (format!("{}.{}", table.schema, table.name), index)).collect()
}

/// Follows until pg_dump is done: `dumped` tells the tables by their index. They cannot go away, since pg_dump has locked
/// them, and are read when their pages are at hand.
///
/// Where pg_dump dumps all of them, those are taken too that it was not understood to tell.
pub(crate) async fn follow(
    client: &Client,
    tables: &[Table],
    mut dumped: UnboundedReceiver<usize>,
    with_fingerprints: bool,
    are_all_dumped: bool,
) -> Result<Followed, DriverError> {
    let mut followed = Followed::default();
    let mut done = HashSet::new();
    while let Some(index) = dumped.recv().await {
        if done.insert(index) {
            look(client, &tables[index], with_fingerprints, &mut followed).await?;
        }
    }
    if are_all_dumped {
        for index in (0..tables.len()).filter(|index| !done.contains(index)) {
            look(client, &tables[index], with_fingerprints, &mut followed).await?;
        }
    }
    followed.fingerprints.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    Ok(followed)
}

async fn look(
    client: &Client,
    table: &Table,
    with_fingerprint: bool,
    followed: &mut Followed,
) -> Result<(), DriverError> {
    followed.bytes += fingerprint::size(client, table).await?;
    if with_fingerprint {
        followed.fingerprints.push(fingerprint::fingerprint(client, table).await?);
    }
    Ok(())
}
