//! A moment of a database that several sessions can look at: this one, and pg_dump's.

use dbops_postgres::SqlError;
use dbops_postgres::tokio_postgres::{Client, Error as DriverError};

use crate::facts::{self, Facts};
use crate::fingerprint::{self, Table};

/// An open transaction's view of its database. It lasts as long as the client does.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// For `pg_dump --snapshot`.
    pub(crate) id: String,
    pub(crate) facts: Facts,
    /// The tables that have rows to dump.
    pub(crate) tables: Vec<Table>,
    /// Whether the user is a superuser, who may read the hashes of passwords.
    pub(crate) is_superuser: bool,
}

/// Begins a transaction, exports its snapshot and describes what is in it.
pub(crate) async fn take(client: &Client) -> Result<Snapshot, SqlError> {
    // Fingerprinting a large table goes on for minutes after dbops was killed, where the server does not look whether
    // anybody waits for it; not every server can, or knows the setting.
    drop(client.batch_execute("SET client_connection_check_interval = '2s'").await);
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET idle_in_transaction_session_timeout = 0";
    client.batch_execute(begin).await?;
    let id = client.query_one("SELECT pg_catalog.pg_export_snapshot()", &[]).await?.try_get(0)?;
    let facts = facts::read(client).await?;
    let tables = fingerprint::tables(client).await?;
    Ok(Snapshot { id, facts, tables, is_superuser: is_superuser(client).await? })
}

async fn is_superuser(client: &Client) -> Result<bool, DriverError> {
    let query = "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
    client.query_one(query, &[]).await?.try_get(0)
}
