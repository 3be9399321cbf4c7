//! One migration at a time: a session advisory lock on a connection of its own.
//!
//! The server gives the lock back when the connection ends, so also when its holder is killed. A session lock needs a
//! session: it does not work through a pooler in transaction mode.

use std::time::{Duration, Instant};

use dbops_postgres::tokio_postgres::{Client, SimpleQueryMessage};
use dbops_postgres::{DatabaseUrl, connect};

use crate::Error;

/// "dbops" and the number of the lock, as PostgreSQL's 64-bit key: who has it is the only run.
const RUN: i64 = 0x64_62_6f_70_73_00_00_01;
/// The lock of the connection that changes things. Its server process may outlive a client that was killed by seconds,
/// and the next run waits for it too.
const WORK: i64 = RUN + 1;

/// How long to rest before asking again.
const PAUSE: Duration = Duration::from_millis(100);

/// Holds the lock as long as it lives.
pub(crate) struct Lock(Client);

impl Lock {
    /// Waits for the lock.
    pub(crate) async fn acquire(url: &DatabaseUrl, wait: Duration) -> Result<Self, Error> {
        let client = connect(url).await?;
        take(&client, RUN, wait).await?;
        Ok(Self(client))
    }

    /// The connection broke, and with it the lock.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.is_closed()
    }

    /// A connection beside the one that changes things: it does not see what is not committed.
    pub(crate) fn client(&self) -> &Client {
        &self.0
    }
}

/// Waits until no statement of an earlier run goes on.
pub(crate) async fn take_work_lock(client: &Client, wait: Duration) -> Result<(), Error> {
    take(client, WORK, wait).await
}

/// Takes the work lock again after `DISCARD ALL`, which gives it back; nobody else waits for it meanwhile.
pub(crate) fn work_lock_sql() -> String {
    format!("SELECT pg_catalog.pg_advisory_lock({WORK})")
}

/// Asks for the lock again and again, instead of waiting for it in the server: a statement that waits there holds a
/// snapshot, and the holder's `CREATE INDEX CONCURRENTLY` would wait for that for ever.
async fn take(client: &Client, key: i64, wait: Duration) -> Result<(), Error> {
    let deadline = Instant::now() + wait;
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({key})");
    loop {
        let messages =
            client.simple_query(&sql).await.map_err(|error| Error::sql("cannot take the migration lock", error))?;
        let is_taken =
            messages.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")));
        if is_taken {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Error::Locked { holder: holder(client, key).await });
        }
        tokio::time::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now()))).await;
    }
}

async fn holder(client: &Client, key: i64) -> Option<String> {
    let sql = include_str!("lock_holder.sql").replace("$KEY", &key.to_string());
    let messages = client.simple_query(&sql).await.ok()?;
    messages.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })
}
