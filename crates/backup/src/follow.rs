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
    /// The tables by their index.
    done: HashSet<usize>,
}

/// The tables by the name that pg_dump tells.
pub(crate) fn by_told_name(tables: &[Table]) -> HashMap<String, usize> {
    tables.iter().enumerate().map(|(index, table)| (format!("{}.{}", table.schema, table.name), index)).collect()
}

/// Follows until pg_dump is done: `dumped` tells the tables by their index. They cannot go away, since pg_dump has locked
/// them, and are read when their pages are at hand.
pub(crate) async fn follow(
    client: &Client,
    tables: &[Table],
    mut dumped: UnboundedReceiver<usize>,
    with_fingerprints: bool,
) -> Result<Followed, DriverError> {
    let mut followed = Followed::default();
    while let Some(index) = dumped.recv().await {
        if followed.done.insert(index) {
            followed.look(client, &tables[index], with_fingerprints).await?;
        }
    }
    Ok(followed)
}

impl Followed {
    /// Takes those too that pg_dump was not understood to tell, where it has dumped all of them.
    pub(crate) async fn add_rest(
        &mut self,
        client: &Client,
        tables: &[Table],
        with_fingerprints: bool,
    ) -> Result<(), DriverError> {
        for (index, table) in tables.iter().enumerate() {
            if self.done.insert(index) {
                self.look(client, table, with_fingerprints).await?;
            }
        }
        Ok(())
    }

    async fn look(&mut self, client: &Client, table: &Table, with_fingerprint: bool) -> Result<(), DriverError> {
        self.bytes += fingerprint::size(client, table).await?;
        if with_fingerprint {
            self.fingerprints.push(fingerprint::fingerprint(client, table).await?);
        }
        Ok(())
    }
}
