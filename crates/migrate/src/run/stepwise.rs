//! Revisions without a transaction: statement by statement, each remembered, so that the rest can be run later.
//!
//! A statement and the note that it is done are one transaction, where PostgreSQL allows it. One that cannot run in a
//! transaction (`CREATE INDEX CONCURRENTLY`) is noted before and after; broken off in between, it is looked into by
//! [`super::interrupted`].

use std::time::Instant;

use dbops_postgres::SqlError;

use super::statement::failure;
use super::timeouts::{LockTimeout, rest};
use super::transaction::statement_timeout;
use super::{Again, Event, Finished, OnEvent, RunOptions, Work};
use crate::ledger::Outcome;
use crate::revision::checksum;
use crate::session::OWN_ROLE;
use crate::{Error, Graph, Revision, Rows, Section, Session, Statement, Unfinished, plan};

/// How a statement was run.
enum Ran {
    /// It is done, and noted.
    Done,
    /// PostgreSQL does not run it in a transaction.
    NotInTransaction,
}

impl Session {
    /// The revision that an earlier run left unfinished.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn unfinished(&self) -> Result<Option<Unfinished>, Error> {
        self.ledger.unfinished(&self.client).await
    }

    /// Completes the revision that an earlier run left unfinished, from the statement or batch that it had reached;
    /// an invalid index that it left is dropped first. `None` when there is nothing to complete.
    ///
    /// # Errors
    ///
    /// When a statement fails, what was done has changed in the file, or it cannot be known whether a statement that
    /// was broken off took effect and `again` does not say.
    pub async fn resume(
        &mut self,
        graph: &Graph,
        again: Option<Again>,
        options: &RunOptions,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Option<Finished>, Error> {
        self.reset().await?;
        let Some(unfinished) = self.unfinished().await? else { return Ok(None) };
        let rows = Rows::new(graph, &self.rows().await?)?;
        let step = plan::one(graph, &rows, &unfinished.revision, unfinished.direction)?;
        let work = Work::new(graph, &step)?;
        let is_same = work.section.statements.len() >= unfinished.statements
            && done_checksum(work.revision, work.section, unfinished.statements) == unfinished.checksum;
        if !is_same {
            return Err(Error::ChangedUnderWay {
                revision: unfinished.revision,
                path: work.revision.path.clone(),
                statements: unfinished.statements,
            });
        }
        let start = Instant::now();
        on_event(work.started());
        let outcome = self.run_stepwise(&work, Some((&unfinished, again)), options, on_event).await;
        self.pass_on_notices(on_event);
        outcome?;
        let done = work.finished(start);
        on_event(Event::Finished(done.clone()));
        Ok(Some(done))
    }

    pub(super) async fn run_stepwise(
        &self,
        work: &Work<'_>,
        from: Option<(&Unfinished, Option<Again>)>,
        options: &RunOptions,
        on_event: OnEvent<'_>,
    ) -> Result<(), Error> {
        if let Some(missing) = &self.ledger.missing {
            return Err(Error::NoLedger { revision: work.revision.id.clone(), reason: missing.clone() });
        }
        self.reset().await?;
        let start = Instant::now();
        let mut first = 0;
        if let Some((unfinished, again)) = from {
            first = unfinished.statements;
            self.repeat_settings(work, first).await?;
            if let Some(outcome) = unfinished.outcome
                && let Some(statement) = work.section.statements.get(first)
                && self.is_done_already(work, statement, outcome, again, on_event).await?
            {
                first += 1;
                let checksum = done_checksum(work.revision, work.section, first);
                self.execute(&format!("{OWN_ROLE}; {}", self.ledger.done_sql(first, &checksum)), NOTE).await?;
                self.repeat_settings(work, first).await?;
            }
            let rows = if first == unfinished.statements { unfinished.batch_rows.unsigned_abs() } else { 0 };
            let (revision, statements) = (work.revision.id.clone(), work.section.statements.len());
            on_event(Event::Resumed { revision, done: first, statements, rows });
        } else {
            let checksum = done_checksum(work.revision, work.section, 0);
            self.execute(&self.ledger.begin_sql(&work.revision.id, work.step.direction, &checksum), NOTE).await?;
        }
        for (index, statement) in work.section.statements.iter().enumerate().skip(first) {
            if let Some(batch) = &statement.batch {
                let done = from.map(|(unfinished, _)| unfinished).filter(|it| it.statements == index);
                self.run_batches(work, index, batch, done, options, on_event).await?;
            } else {
                self.run_noted(work, index, options, on_event).await?;
            }
            if changes_role(statement) || work.section.statements[..index].iter().any(changes_role) {
                self.repeat_settings(work, index + 1).await?;
            }
        }
        let direction = work.step.direction.as_str();
        let entry = self.ledger.entry_sql(work.revision, direction, Some(start.elapsed()));
        self.record(&work.revision.id, &work.step.edits, &[&self.ledger.forget_sql(), &entry]).await
    }

    /// Runs a statement and notes that it is done.
    async fn run_noted(
        &self,
        work: &Work<'_>,
        index: usize,
        options: &RunOptions,
        on_event: OnEvent<'_>,
    ) -> Result<(), Error> {
        let statement = &work.section.statements[index];
        let done = self.ledger.done_sql(index + 1, &done_checksum(work.revision, work.section, index + 1));
        let sql = work.revision.sql(statement);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (error, outcome) = match self.run_in_note(work, statement, sql, &done, options).await {
                Ok(Ran::Done) => return Ok(()),
                Ok(Ran::NotInTransaction) => match self.run_outside(work, statement, &done, options).await? {
                    Ok(()) => return Ok(()),
                    Err(error) => (error, Some(Outcome::Failed)),
                },
                Err(error) => (error, None),
            };
            if let Some(rest) = rest(&error, attempt, options.retries) {
                let (revision, reason) = (work.revision.id.clone(), error.message.clone());
                on_event(Event::Retrying { revision, reason, rest });
                tokio::time::sleep(rest).await;
                if outcome.is_some() {
                    self.drop_what_it_left(work, statement, on_event).await?;
                }
                continue;
            }
            self.note_failure(index == 0 && outcome.is_none(), outcome, &error).await;
            return Err(failure(work.revision, statement, error, None, Some(index)));
        }
    }

    /// Runs SQL of a statement in a transaction with the note that it is done.
    pub(super) async fn run_in_note_sql(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        sql: &str,
        note: &str,
        options: &RunOptions,
    ) -> Result<(), SqlError> {
        let mut lock_timeout = LockTimeout::new(work.revision, work.section, options);
        lock_timeout.restart();
        let timeouts = format!("{}; {}", statement_timeout(work, options), lock_timeout.before(statement));
        let outcome = async {
            self.watch_begin().await?;
            self.send(&format!("BEGIN{timeouts}")).await?;
            let start = Instant::now();
            self.send(sql).await?;
            self.watch_statement(work, statement, start).await?;
            self.send(&format!("{OWN_ROLE}; {note}")).await?;
            self.send("COMMIT").await
        };
        let outcome = outcome.await;
        if outcome.is_err() {
            self.roll_back().await;
        } else {
            self.watch_end();
        }
        outcome
    }

    async fn run_in_note(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        sql: &str,
        note: &str,
        options: &RunOptions,
    ) -> Result<Ran, SqlError> {
        match self.run_in_note_sql(work, statement, sql, note, options).await {
            Ok(()) => Ok(Ran::Done),
            // active_sql_transaction, and invalid_transaction_termination: a procedure that commits.
            Err(error) if matches!(error.sqlstate.as_deref(), Some("25001" | "2D000")) => Ok(Ran::NotInTransaction),
            Err(error) => Err(error),
        }
    }

    /// Runs a statement by itself, noted before and after. The inner error is the statement's.
    async fn run_outside(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        done: &str,
        options: &RunOptions,
    ) -> Result<Result<(), SqlError>, Error> {
        self.execute(&self.ledger.outcome_sql(Outcome::Unknown), NOTE).await?;
        // A setting stays until the next reset; no statement is put off for a lock that CONCURRENTLY waits for.
        let timeout = statement_timeout(work, options).replace("SET LOCAL", "SET");
        let lock = work.revision.settings.lock_timeout.as_ref();
        let lock = lock.map(|value| format!("; SET lock_timeout = {}", dbops_postgres::quote_literal(value)));
        self.execute(&format!("SELECT 1{timeout}{}", lock.unwrap_or_default()), "cannot set a timeout").await?;
        let start = Instant::now();
        let outcome = self.send(work.revision.sql(statement)).await;
        if outcome.is_ok() {
            self.watch_lone(work, statement, start).await?;
            self.execute(&format!("{OWN_ROLE}; {done}"), NOTE).await?;
        }
        Ok(outcome)
    }

    /// Remembers why a statement failed; when nothing at all has taken effect, there is nothing to remember.
    pub(super) async fn note_failure(&self, nothing_done: bool, outcome: Option<Outcome>, error: &SqlError) {
        let note = if nothing_done { self.ledger.forget_sql() } else { self.ledger.error_sql(outcome, error) };
        // Without it the revision is taken for one that was broken off, which is true as well.
        drop(self.send(&format!("{OWN_ROLE}; {note}")).await);
    }

    /// Sets again what the statements before this one had set: the session was another, or its role was returned.
    async fn repeat_settings(&self, work: &Work<'_>, until: usize) -> Result<(), Error> {
        for statement in work.section.statements[..until].iter().filter(|statement| is_setting(statement)) {
            let outcome = self.send(work.revision.sql(statement)).await;
            outcome.map_err(|error| failure(work.revision, statement, error, None, Some(until)))?;
        }
        Ok(())
    }
}

pub(super) const NOTE: &str = "cannot note how far the migration has come";

/// What tells whether the first statements of a section are still those that ran.
pub(super) fn done_checksum(revision: &Revision, section: &Section, statements: usize) -> String {
    let done: Vec<_> = section.statements[..statements].iter().map(|statement| revision.sql(statement)).collect();
    checksum(&done.join("\n;\n").replace("\r\n", "\n"))
}

fn is_setting(statement: &Statement) -> bool {
    matches!(statement.words.first().map(String::as_str), Some("SET" | "RESET"))
}

fn changes_role(statement: &Statement) -> bool {
    is_setting(statement) && statement.words.iter().any(|word| matches!(word.as_str(), "ROLE" | "AUTHORIZATION"))
}
