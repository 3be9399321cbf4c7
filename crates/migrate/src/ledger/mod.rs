//! What dbops remembers of a database beside Alembic's version table: its log, the revision that it left unfinished, and
//! the schema as it left it. All are tables of the schema `dbops`.

pub(crate) mod schema;
mod unfinished;

use std::time::Duration;

use dbops_postgres::tokio_postgres::{Client, Row};
use dbops_postgres::{DatabaseUrl, SqlError, quote_literal};
use jiff::Timestamp;

use crate::{Error, Graph, Revision, Rows, version_table};

pub use schema::{ChangedObject, SchemaState, read_schema_state};
pub(crate) use unfinished::Outcome;
pub use unfinished::Unfinished;

/// Who runs migrations, for the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// The account on the machine that runs dbops.
    pub os_user: String,
    /// The name of that machine.
    pub host: String,
    /// The version of dbops.
    pub dbops_version: String,
}

/// One line of `dbops.migration_log`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The revision's id.
    pub revision: String,
    /// `up` and `down` ran; `stamp` and `unstamp` were only recorded; `adopt` and `drop` were done by another tool
    /// and found later; `accept` takes a changed file as it is.
    pub direction: String,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// The file's, as in [`Revision::checksum`].
    pub checksum: Option<String>,
    /// The role that was connected.
    pub role: String,
    /// Who, where and with what.
    pub author: Author,
}

impl LogEntry {
    /// Whether the revision is applied after this.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        !matches!(self.direction.as_str(), "down" | "unstamp" | "drop")
    }
}

/// The tables of one version table's ledger.
pub(crate) struct Ledger {
    /// The version table, which tells its entries from those of another one in the database.
    pub(crate) version_table: String,
    author: Author,
    /// Why they cannot be used: the role may not.
    pub(crate) missing: Option<String>,
}

/// The log of a database, the oldest entry first; `None` when dbops has kept none there.
///
/// # Errors
///
/// When the database cannot be reached or the log cannot be read.
pub async fn read_log(url: &DatabaseUrl) -> Result<Option<Vec<LogEntry>>, Error> {
    let (client, table) = version_table::connect_to_read(url).await?;
    if !State::read(&client).await?.exist {
        return Ok(None);
    }
    read(&client, include_str!("log_read.sql"), &table.name).await.map(Some)
}

/// The revision that a run left unfinished, without taking the lock.
///
/// # Errors
///
/// When the database cannot be reached or the ledger cannot be read.
pub async fn read_unfinished(url: &DatabaseUrl) -> Result<Option<Unfinished>, Error> {
    let (client, table) = version_table::connect_to_read(url).await?;
    if !State::read(&client).await?.exist {
        return Ok(None);
    }
    unfinished::read(&client, &table.name).await
}

/// Creating the tables again would need rights that reading and writing them does not.
struct State {
    exist: bool,
    usable: bool,
}

impl State {
    async fn read(client: &Client) -> Result<Self, Error> {
        let failed = |error| Error::sql("cannot look for the log of migrations", error);
        let row = client.query_one(include_str!("tables_state.sql"), &[]).await.map_err(failed)?;
        Ok(Self { exist: row.get(0), usable: row.get(1) })
    }
}

async fn read(client: &Client, sql: &str, version_table: &str) -> Result<Vec<LogEntry>, Error> {
    let failed = |error| Error::sql("cannot read the log of migrations", error);
    let rows = client.query(sql, &[&version_table]).await.map_err(failed)?;
    rows.iter().map(entry).collect::<Result<_, _>>().map_err(failed)
}

fn entry(row: &Row) -> Result<LogEntry, dbops_postgres::tokio_postgres::Error> {
    let milliseconds: i64 = row.try_get(3)?;
    Ok(LogEntry {
        revision: row.try_get(0)?,
        direction: row.try_get(1)?,
        started: row.try_get(2)?,
        duration: Duration::from_millis(milliseconds.unsigned_abs()),
        checksum: row.try_get(4)?,
        role: row.try_get(5)?,
        author: Author { os_user: row.try_get(6)?, host: row.try_get(7)?, dbops_version: row.try_get(8)? },
    })
}

impl Ledger {
    /// Creates the tables if need be. A role that may not is no obstacle: then nothing is remembered.
    pub(crate) async fn ensure(client: &Client, version_table: &str, author: &Author) -> Result<Self, Error> {
        let state = State::read(client).await?;
        let mut missing = None;
        if state.exist && !state.usable {
            missing = Some("permission denied for the tables of the schema dbops".to_owned());
        } else if !state.exist
            && let Err(error) = client.batch_execute(include_str!("tables.sql")).await
        {
            let error = SqlError::from(error);
            // insufficient_privilege; anything else is not expected.
            if error.sqlstate.as_deref() != Some("42501") {
                return Err(Error::sql("cannot create the log of migrations", error));
            }
            missing = Some(error.message);
        }
        Ok(Self { version_table: version_table.to_owned(), author: author.clone(), missing })
    }

    /// The statement that logs one revision, to be run with what it did; empty when there is no log. Without a duration
    /// it is the transaction's.
    pub(crate) fn entry_sql(&self, revision: &Revision, direction: &str, duration: Option<Duration>) -> String {
        let checksum = quote_literal(&revision.checksum());
        self.insert_sql(duration, &[(revision.id.as_str(), direction, checksum)])
    }

    fn insert_sql(&self, duration: Option<Duration>, entries: &[(&str, &str, String)]) -> String {
        if self.missing.is_some() || entries.is_empty() {
            return String::new();
        }
        let (table, user) = (quote_literal(&self.version_table), quote_literal(&self.author.os_user));
        let (host, version) = (quote_literal(&self.author.host), quote_literal(&self.author.dbops_version));
        let now = "pg_catalog.clock_timestamp()";
        let (started, milliseconds) = match duration {
            Some(duration) => {
                let seconds = duration.as_secs_f64();
                let started = format!("{now} - pg_catalog.make_interval(secs => {seconds})");
                (started, duration.as_millis().to_string())
            }
            None => {
                let started = "pg_catalog.transaction_timestamp()";
                (started.to_owned(), format!("1000 * extract(epoch from {now} - {started})"))
            }
        };
        let values = entries.iter().map(|(revision, direction, checksum)| {
            format!(
                "({table}, {}, '{direction}', {started}, {milliseconds}, {checksum}, {user}, {host}, {version})",
                quote_literal(revision)
            )
        });
        let values: Vec<_> = values.collect();
        format!(
            "INSERT INTO dbops.migration_log (version_table, revision, direction, started, duration_ms, checksum, \
             os_user, host, dbops_version) VALUES {}",
            values.join(", ")
        )
    }

    /// What was last recorded of each revision.
    pub(crate) async fn latest(&self, client: &Client) -> Result<Vec<LogEntry>, Error> {
        if self.missing.is_some() {
            return Ok(Vec::new());
        }
        read(client, include_str!("latest.sql"), &self.version_table).await
    }

    /// The statement that brings the log to what the version table says, by these two words for what came and went;
    /// empty when it says the same already.
    pub(crate) fn catch_up_sql(
        &self,
        graph: &Graph,
        latest: &[LogEntry],
        rows: &Rows,
        (came, went): (&str, &str),
        merged_below: &[String],
    ) -> String {
        let recorded: std::collections::HashSet<&str> =
            latest.iter().filter(|entry| entry.is_applied()).map(|entry| entry.revision.as_str()).collect();
        let mut entries = Vec::new();
        for revision in graph.revisions() {
            let (id, is_applied) = (revision.id.as_str(), rows.is_applied(graph, &revision.id));
            if is_applied && !recorded.contains(id) && !merged_below.iter().any(|other| other == id) {
                entries.push((id, came, quote_literal(&revision.checksum())));
            } else if !is_applied && recorded.contains(id) {
                entries.push((id, went, "NULL".to_owned()));
            }
        }
        self.insert_sql(Some(Duration::ZERO), &entries)
    }
}
