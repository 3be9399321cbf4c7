//! Revisions in transactions: one each, or one for all.

use std::time::Instant;

use dbops_postgres::quote_literal;
use futures_util::future::{join, join3};

use super::statement::{failure, leaves_session};
use super::timeouts::{LockTimeout, rest};
use super::watch::LOOK;
use super::{Event, Finished, OnEvent, RunOptions, Work};
use crate::session::OWN_ROLE;
use crate::{Error, Session, Statement, version_table};

impl Session {
    /// Runs a revision in a transaction of its own, and again while it cannot have its locks.
    pub(super) async fn run_in_transaction(
        &self,
        work: &Work<'_>,
        options: &RunOptions,
        on_event: OnEvent<'_>,
    ) -> Result<(), Error> {
        self.with_retries(work, options, on_event, async |session| {
            session.reset().await?;
            let first = format!("BEGIN{}", statement_timeout(work, options));
            session.watch_begin().await.map_err(|error| Error::sql(LOOK, error))?;
            session.run_section(work, options, first, None).await
        })
        .await
    }

    /// Runs all revisions in one transaction, and again while they cannot have their locks.
    pub(super) async fn run_in_one_transaction(
        &mut self,
        all: &[Work<'_>],
        options: &RunOptions,
        on_event: OnEvent<'_>,
    ) -> Result<Vec<Finished>, Error> {
        all.iter().try_for_each(Work::require_transaction)?;
        let Some(last) = all.last() else { return Ok(Vec::new()) };
        let finished = self
            .with_retries(last, options, on_event, async |session| {
                session.watch_begin().await.map_err(|error| Error::sql(LOOK, error))?;
                session.begin().await?;
                let mut finished = Vec::with_capacity(all.len());
                for work in all {
                    let start = Instant::now();
                    // As between transactions: what a revision sets is its own, and its constraints hold at its end.
                    let between = format!("SET CONSTRAINTS ALL IMMEDIATE; {OWN_ROLE}; RESET ALL");
                    let first = format!("{between}{}", statement_timeout(work, options));
                    if let Err(error) = session.run_section(work, options, first, Some(start)).await {
                        session.roll_back().await;
                        return Err(error);
                    }
                    finished.push(work.finished(start));
                }
                session.commit(last).await?;
                session.watch_end();
                Ok(finished)
            })
            .await;
        self.pass_on_notices(on_event);
        let finished = finished?;
        for (work, done) in all.iter().zip(&finished) {
            on_event(work.started());
            on_event(Event::Finished(done.clone()));
        }
        Ok(finished)
    }

    async fn with_retries<T>(
        &self,
        work: &Work<'_>,
        options: &RunOptions,
        on_event: OnEvent<'_>,
        run: impl AsyncFn(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match run(self).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = match &error {
                Error::Statement(failed) => rest(&failed.error, attempt, options.retries).map(|rest| (rest, failed)),
                _ => None,
            };
            let Some((rest, failed)) = pause else { return Err(error) };
            let reason = failed.error.message.clone();
            on_event(Event::Retrying { revision: work.revision.id.clone(), reason, rest });
            tokio::time::sleep(rest).await;
        }
    }

    /// Runs the statements of a revision, dbops' own `first` before them, and records it. One that began at `start` is
    /// part of a transaction, which stays open; otherwise `first` began one, and it is ended.
    async fn run_section(
        &self,
        work: &Work<'_>,
        options: &RunOptions,
        first: String,
        start: Option<Instant>,
    ) -> Result<(), Error> {
        let mut lock_timeout = LockTimeout::new(work.revision, work.section, options);
        let mut own = first;
        // What is sent together waits for one answer. Where one fails, the transaction refuses those behind it.
        if let Some((last, others)) = work.section.statements.split_last() {
            // To look behind the last one is to wait for it.
            let awaited = if self.is_watched() { &work.section.statements[..] } else { others };
            for statement in awaited {
                let began = Instant::now();
                let (prepared, ran) = self.run_statement(work, statement, &mut own, &mut lock_timeout);
                let outcome = async {
                    let (prepared, ran) = join(prepared, ran).await;
                    prepared.and(ran)?;
                    self.watch_statement(work, statement, began).await.map_err(|error| Error::sql(LOOK, error))
                };
                if let Err(error) = outcome.await {
                    if start.is_none() {
                        self.roll_back().await;
                    }
                    return Err(error);
                }
            }
            if self.is_watched() {
                return if start.is_some() {
                    self.record_section(work, start).await
                } else {
                    self.end_section(work).await
                };
            }
            let (prepared, ran) = self.run_statement(work, last, &mut own, &mut lock_timeout);
            if start.is_some() {
                let (prepared, ran) = join(prepared, ran).await;
                prepared.and(ran)?;
                return self.record_section(work, start).await;
            }
            let (prepared, ran, ended) = join3(prepared, ran, self.end_section(work)).await;
            return prepared.and(ran).and(ended);
        }
        let prepared = self.prepare(own);
        if start.is_some() {
            let (prepared, recorded) = join(prepared, self.record_section(work, start)).await;
            return prepared.and(recorded);
        }
        let (prepared, ended) = join(prepared, self.end_section(work)).await;
        prepared.and(ended)
    }

    /// Records a revision and commits; of a transaction in which something failed nothing is committed.
    async fn end_section(&self, work: &Work<'_>) -> Result<(), Error> {
        let (recorded, committed) = join(self.record_section(work, None), self.commit(work)).await;
        // Where the connection was lost both fail, and whether it was committed is not known.
        committed.and(recorded)?;
        self.watch_end();
        Ok(())
    }

    /// A statement, and before it dbops' own, to be sent one behind the other.
    fn run_statement(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        own: &mut String,
        lock_timeout: &mut LockTimeout<'_>,
    ) -> (impl Future<Output = Result<(), Error>>, impl Future<Output = Result<(), Error>>) {
        let setting = lock_timeout.before(statement);
        if !setting.is_empty() && !own.is_empty() {
            own.push_str("; ");
        }
        own.push_str(&setting);
        if !leaves_session(work.revision, statement) {
            self.is_used();
        }
        let ran = async {
            let ran = self.client.batch_execute(work.revision.sql(statement)).await;
            ran.map_err(|error| failure(work.revision, statement, error.into(), None, None))
        };
        (self.prepare(std::mem::take(own)), ran)
    }

    async fn record_section(&self, work: &Work<'_>, start: Option<Instant>) -> Result<(), Error> {
        let own_role = if self.is_fresh() { &[][..] } else { &OWN_ROLE_STATEMENTS };
        let entry = self.ledger.entry_sql(work.revision, work.step.direction.as_str(), start.map(|it| it.elapsed()));
        let around = (own_role, &[entry.as_str()][..]);
        version_table::edit(&self.client, &self.table.name, &work.revision.id, &work.step.edits, around).await
    }

    async fn prepare(&self, sql: String) -> Result<(), Error> {
        if sql.is_empty() { Ok(()) } else { self.execute(&sql, "cannot prepare the transaction").await }
    }

    async fn commit(&self, work: &Work<'_>) -> Result<(), Error> {
        // Deferred constraints are checked here: the failure belongs to the revision.
        let committed = self.client.batch_execute("COMMIT").await;
        committed.map_err(|error| match work.section.statements.last() {
            Some(last) => failure(work.revision, last, error.into(), None, None),
            None => Error::sql("cannot commit", error),
        })
    }
}

/// The two statements of [`OWN_ROLE`].
const OWN_ROLE_STATEMENTS: [&str; 2] = ["RESET SESSION AUTHORIZATION", "RESET ROLE"];

/// Sets the revision's `statement_timeout` for the transaction.
pub(crate) fn statement_timeout(work: &Work<'_>, options: &RunOptions) -> String {
    let value = work.revision.settings.statement_timeout.as_ref().or(options.statement_timeout.as_ref());
    value.map(|value| format!("; SET LOCAL statement_timeout = {}", quote_literal(value))).unwrap_or_default()
}
