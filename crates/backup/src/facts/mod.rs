//! What a manifest says about a database besides its files, read in the snapshot that pg_dump dumps.

use std::collections::BTreeMap;

use dbops_postgres::Version;
use dbops_postgres::tokio_postgres::{Client, Error as DriverError, Row};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Locale;
use crate::database::{revision, version_table};

const DATABASE: &str = include_str!("database.sql");
const ROLES: &str = include_str!("roles.sql");
const SETTINGS: &str = include_str!("settings.sql");
const SEQUENCES: &str = include_str!("sequences.sql");

/// A database at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The server's version: `18.6`.
    pub server_version: String,
    /// The moment, by the server's clock.
    pub snapshot_time: Timestamp,
    /// How far the write-ahead log was; on a standby, how far it was replayed.
    pub lsn: Option<String>,
    /// Whether the server was a standby.
    pub is_standby: bool,
    /// The encoding and locale of the database.
    pub locale: Locale,
    /// Each extension and its version.
    pub extensions: BTreeMap<String, String>,
    /// The version table, as it is written in SQL; `None` when the database has none.
    pub version_table: Option<String>,
    /// The rows of the version table: the revisions that the database is at.
    pub revision: Vec<String>,
    /// How many tables it has, those of extensions left out.
    pub tables: u64,
    /// The roles that own something, were granted something, or are named by a policy.
    pub roles: Vec<RoleUse>,
    /// What is set for the database, and for roles in it.
    pub settings: Vec<Settings>,
}

/// A role that a restore needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleUse {
    /// Its name.
    pub name: String,
    /// Whether it owns something.
    pub owns: bool,
    /// Whether it was granted something.
    pub has_privileges: bool,
    /// Whether policies are about it.
    pub has_policies: bool,
}

/// `ALTER DATABASE … SET`, or `ALTER ROLE … IN DATABASE … SET`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whose sessions; `None` for everyone's.
    pub role: Option<String>,
    /// As the catalog has them: `work_mem=64MB`.
    pub settings: Vec<String>,
}

/// How far a sequence has got. Sequences are in no snapshot: it may be further than in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceValue {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The last value; `None` before the first one.
    pub value: Option<i64>,
}

/// Describes the database of the session, as its transaction sees it. Locks nothing but the version table. From then on
/// the transaction finds no functions and operators but PostgreSQL's own.
pub(crate) async fn read(client: &Client) -> Result<Facts, DriverError> {
    let version_table = version_table(client, "alembic_version").await?;
    client.batch_execute("SET LOCAL search_path = pg_catalog").await?;
    let row = client.query_one(DATABASE, &[]).await?;
    let revision = match &version_table {
        Some(table) => revision(client, table).await?,
        None => Vec::new(),
    };
    let number: i32 = row.try_get("server_version")?;
    Ok(Facts {
        server_version: Version::from_number(u32::try_from(number).unwrap_or(0)).to_string(),
        snapshot_time: row.try_get("time")?,
        lsn: row.try_get("lsn")?,
        is_standby: row.try_get("is_standby")?,
        locale: locale(&row)?,
        extensions: extensions(&row)?,
        version_table,
        revision,
        tables: tables(&row)?,
        roles: client.query(ROLES, &[]).await?.iter().map(role).collect::<Result<_, _>>()?,
        settings: settings_of_database(client).await?,
    })
}

/// What is set for the session's database.
pub(crate) async fn settings_of_database(client: &Client) -> Result<Vec<Settings>, DriverError> {
    client.query(SETTINGS, &[]).await?.iter().map(settings).collect()
}

/// How far the sequences of the session's database are now.
pub(crate) async fn sequences(client: &Client) -> Result<Vec<SequenceValue>, DriverError> {
    let value = |row: &Row| {
        Ok(SequenceValue { schema: row.try_get("schema")?, name: row.try_get("name")?, value: row.try_get("value")? })
    };
    client.query(SEQUENCES, &[]).await?.iter().map(value).collect()
}

/// The number of tables in the database of the session.
pub(crate) async fn count_tables(client: &Client) -> Result<u64, DriverError> {
    tables(&client.query_one(DATABASE, &[]).await?)
}

fn locale(row: &Row) -> Result<Locale, DriverError> {
    Ok(Locale {
        encoding: row.try_get("encoding")?,
        provider: row.try_get("provider")?,
        collate: row.try_get("collate")?,
        ctype: row.try_get("ctype")?,
        locale: row.try_get("locale")?,
    })
}

fn tables(row: &Row) -> Result<u64, DriverError> {
    Ok(u64::try_from(row.try_get::<_, i64>("tables")?).unwrap_or(0))
}

fn extensions(row: &Row) -> Result<BTreeMap<String, String>, DriverError> {
    let value: serde_json::Value = row.try_get("extensions")?;
    let pairs = value.as_object().into_iter().flatten();
    Ok(pairs.map(|(name, version)| (name.clone(), version.as_str().unwrap_or_default().to_owned())).collect())
}

fn role(row: &Row) -> Result<RoleUse, DriverError> {
    Ok(RoleUse {
        name: row.try_get("name")?,
        owns: row.try_get("owns")?,
        has_privileges: row.try_get("has_privileges")?,
        has_policies: row.try_get("has_policies")?,
    })
}

fn settings(row: &Row) -> Result<Settings, DriverError> {
    Ok(Settings { role: row.try_get("role")?, settings: row.try_get("settings")? })
}
