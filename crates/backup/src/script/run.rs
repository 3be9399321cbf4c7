//! Sending a script to a server, statement by statement.

use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;
use dbops_postgres::SqlError;
use dbops_postgres::tokio_postgres::{Client, CopyInSink, Error as DriverError};
use futures_util::SinkExt;

use super::error::ScriptError;
use super::kind::Kind;
use super::reader::{Reader, Step, beginning};
use crate::Error;

/// How a script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOptions {
    /// All in one transaction, so that nothing of it is there after a failure.
    pub in_transaction: bool,
    /// Whether what it says of owners counts; else everything belongs to the session's user.
    pub with_owners: bool,
    /// Whether what it grants and revokes counts.
    pub with_privileges: bool,
}

struct Runner<'a> {
    client: &'a Client,
    script: &'a str,
    options: RunOptions,
    /// The COPY whose rows are being sent.
    copy: Option<Copy>,
}

struct Copy {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    line: u64,
    text: String,
}

/// Runs a script that [`scan`](super::scan) has found nothing in, with `shown` for its name. What is refused there is
/// refused here too, should the file have changed. Comments on extensions, and what is about the database as a whole,
/// are left out, and so is a setting that is switched off where the server does not know it.
///
/// The session has the script's settings afterwards; after a failure it may be in a transaction that has failed.
///
/// # Errors
///
/// When the server refuses a statement.
pub async fn run(path: &Path, shown: &str, client: &Client, options: RunOptions) -> Result<(), Error> {
    let mut reader = Reader::open(path, shown)?;
    let mut runner = Runner { client, script: shown, options, copy: None };
    if options.in_transaction {
        runner.execute(1, "BEGIN").await?;
    }
    while let Some(steps) = reader.next()? {
        for step in steps {
            runner.step(step).await?;
        }
    }
    if options.in_transaction {
        runner.execute(1, "COMMIT").await?;
    }
    Ok(())
}

impl Runner<'_> {
    async fn step(&mut self, step: Step) -> Result<(), Error> {
        match step {
            Step::Statement { line, text, kind } => self.statement(line, text, &kind).await,
            Step::Rows(rows) => {
                let Some(copy) = &mut self.copy else { return Ok(()) };
                let sent = copy.sink.send(rows).await;
                sent.map_err(|error| self.copy_failed(error))
            }
            Step::RowsEnd => {
                let Some(copy) = &mut self.copy else { return Ok(()) };
                let done = copy.sink.as_mut().finish().await;
                done.map_err(|error| self.copy_failed(error))?;
                self.copy = None;
                Ok(())
            }
        }
    }

    async fn statement(&mut self, line: u64, text: String, kind: &Kind) -> Result<(), Error> {
        match kind {
            Kind::Owner(_) if !self.options.with_owners => Ok(()),
            Kind::Privilege if !self.options.with_privileges => Ok(()),
            // There is a transaction around all of it.
            Kind::Transaction if self.options.in_transaction => Ok(()),
            Kind::SwitchedOff(name) if !self.knows(line, name).await? => Ok(()),
            Kind::CopyIn => {
                let sink = self.client.copy_in(&text).await.map_err(|error| self.failed(line, &text, error))?;
                self.copy = Some(Copy { sink: Box::pin(sink), line, text });
                Ok(())
            }
            _ => self.execute(line, &text).await,
        }
    }

    /// Asked first: a statement that fails would be the end of the transaction.
    async fn knows(&self, line: u64, setting: &str) -> Result<bool, Error> {
        let query = "SELECT pg_catalog.current_setting($1, true) IS NOT NULL";
        let row = self.client.query_one(query, &[&setting]).await.and_then(|row| row.try_get(0));
        row.map_err(|error| self.failed(line, setting, error))
    }

    async fn execute(&self, line: u64, text: &str) -> Result<(), Error> {
        self.client.batch_execute(text).await.map_err(|error| self.failed(line, text, error))
    }

    /// With the line of the row that the server has not liked: `COPY t, line 3, column a: "x"`.
    fn copy_failed(&self, error: DriverError) -> Error {
        let Some(Copy { line, text, .. }) = &self.copy else { return self.failed(1, "COPY", error) };
        let place = error.as_db_error().and_then(|server| server.where_()).unwrap_or_default();
        let digits = place.split(", line ").nth(1).unwrap_or_default();
        let digits = digits.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
        let row = digits.parse::<u64>().map_or(0, |row| row + text.matches('\n').count() as u64);
        self.failed(line.saturating_add(row), text, error)
    }

    fn failed(&self, line: u64, text: &str, error: DriverError) -> Error {
        let source = Box::new(SqlError::from(error));
        ScriptError::Statement { script: self.script.into(), line, beginning: beginning(text), source }.into()
    }
}
