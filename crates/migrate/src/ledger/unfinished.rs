//! How far a revision without a transaction has come.

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{SqlError, quote_literal};
use jiff::Timestamp;

use super::Ledger;
use crate::{Direction, Error};

/// A revision that was begun without a transaction and not completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its id.
    pub revision: String,
    /// Which way.
    pub direction: Direction,
    /// How many of its statements are done.
    pub statements: usize,
    /// Of the statements that are done.
    pub(crate) checksum: String,
    /// What is known of the next one, if it was begun outside of a transaction.
    pub(crate) outcome: Option<Outcome>,
    /// What the server said to the next statement.
    pub error: Option<String>,
    /// The key of the last row of the last batch that is done, when the next statement runs in batches.
    pub(crate) batch_key: Option<Vec<String>>,
    /// How many rows those batches have gone over.
    pub batch_rows: i64,
    /// When it was begun.
    pub started: Timestamp,
}

/// What is known of a statement that ran outside of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was begun, and nobody heard of it again.
    Unknown,
    /// The server reported an error; it may have left something.
    Failed,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }
}

pub(super) async fn read(client: &Client, version_table: &str) -> Result<Option<Unfinished>, Error> {
    let sql = "SELECT revision, direction, statements, checksum, outcome, error, batch_key, batch_rows, started \
               FROM dbops.migration_unfinished WHERE version_table = $1";
    let failed = |error| Error::sql("cannot read how far the last migration came", error);
    let Some(row) = client.query_opt(sql, &[&version_table]).await.map_err(failed)? else { return Ok(None) };
    let read = || {
        let (direction, outcome): (String, Option<String>) = (row.try_get(1)?, row.try_get(4)?);
        let statements: i32 = row.try_get(2)?;
        Ok(Unfinished {
            revision: row.try_get(0)?,
            direction: if direction == "up" { Direction::Up } else { Direction::Down },
            statements: usize::try_from(statements).unwrap_or_default(),
            checksum: row.try_get(3)?,
            outcome: outcome.map(|it| if it == "failed" { Outcome::Failed } else { Outcome::Unknown }),
            error: row.try_get(5)?,
            batch_key: row.try_get(6)?,
            batch_rows: row.try_get(7)?,
            started: row.try_get(8)?,
        })
    };
    read().map(Some).map_err(failed)
}

impl Ledger {
    /// The revision that a run left unfinished.
    pub(crate) async fn unfinished(&self, client: &Client) -> Result<Option<Unfinished>, Error> {
        if self.missing.is_some() {
            return Ok(None);
        }
        read(client, &self.version_table).await
    }

    /// Remembers that a revision was begun.
    pub(crate) fn begin_sql(&self, revision: &str, direction: Direction, checksum: &str) -> String {
        format!(
            "INSERT INTO dbops.migration_unfinished (version_table, revision, direction, checksum) \
             VALUES ({}, {}, '{}', {})",
            quote_literal(&self.version_table),
            quote_literal(revision),
            direction.as_str(),
            quote_literal(checksum)
        )
    }

    /// Remembers that so many statements are done, whose checksum is this.
    pub(crate) fn done_sql(&self, statements: usize, checksum: &str) -> String {
        self.update_sql(&format!(
            "statements = {statements}, checksum = {}, outcome = NULL, error = NULL, batch_key = NULL, batch_rows = 0",
            quote_literal(checksum)
        ))
    }

    /// Remembers a batch of the next statement.
    pub(crate) fn batch_sql(&self, key: &[String], rows: u64) -> String {
        let key: Vec<_> = key.iter().map(|value| quote_literal(value)).collect();
        self.update_sql(&format!("batch_key = ARRAY[{}]::pg_catalog.text[], batch_rows = {rows}", key.join(", ")))
    }

    /// Remembers what is known of the next statement, which runs outside of a transaction.
    pub(crate) fn outcome_sql(&self, outcome: Outcome) -> String {
        self.update_sql(&format!("outcome = '{}', error = NULL", outcome.as_str()))
    }

    /// Remembers why the next statement failed.
    pub(crate) fn error_sql(&self, outcome: Option<Outcome>, error: &SqlError) -> String {
        let outcome = outcome.map_or("NULL".to_owned(), |it| quote_literal(it.as_str()));
        self.update_sql(&format!("outcome = {outcome}, error = {}", quote_literal(&error.to_string())))
    }

    fn update_sql(&self, assignments: &str) -> String {
        let table = quote_literal(&self.version_table);
        format!("UPDATE dbops.migration_unfinished SET {assignments} WHERE version_table = {table}")
    }

    /// Forgets the revision: it is completed, or the operator has decided otherwise.
    pub(crate) fn forget_sql(&self) -> String {
        if self.missing.is_some() {
            return String::new();
        }
        let table = quote_literal(&self.version_table);
        format!("DELETE FROM dbops.migration_unfinished WHERE version_table = {table}")
    }
}
