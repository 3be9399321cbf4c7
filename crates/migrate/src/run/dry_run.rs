//! A dry run: everything is run in a transaction that is rolled back, and what each statement locks is looked up.

use std::time::{Duration, Instant};

use dbops_postgres::SqlError;

use super::locks::{Seen, Tables, TakenLock, expected};
use super::statement::{byte_of, failure};
use super::timeouts::LockTimeout;
use super::transaction::statement_timeout;
use super::{RunOptions, Work};
use crate::session::OWN_ROLE;
use crate::{Direction, Error, Graph, Session, Statement, Step};

/// A revision that was run and taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// Its id.
    pub revision: String,
    /// Which way.
    pub direction: Direction,
    /// In order.
    pub statements: Vec<DryRunStatement>,
}

/// A statement that was run and taken back, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRunStatement {
    /// The line where it begins.
    pub line: usize,
    /// Its text.
    pub sql: String,
    /// How long it took.
    pub duration: Duration,
    /// The strongest lock on each table that it takes and no statement before it took.
    pub locks: Vec<TakenLock>,
    /// Why it was not run.
    pub not_run: Option<&'static str>,
}

impl Session {
    /// Runs the steps in one transaction, rolls it back, and tells what each statement locks. What cannot run in a
    /// transaction is passed over, and of a batch block only the first batch is run.
    ///
    /// The locks are held until the end: on a busy database this is as much in the way as the migration itself.
    ///
    /// # Errors
    ///
    /// When a statement fails.
    pub async fn dry_run(&mut self, graph: &Graph, steps: &[Step], options: &RunOptions) -> Result<Vec<DryRun>, Error> {
        let all = steps.iter().map(|step| Work::new(graph, step)).collect::<Result<Vec<_>, _>>()?;
        if let Some(unfinished) = self.unfinished().await? {
            return Err(Error::Unfinished(Box::new(unfinished)));
        }
        let tables = self.tables().await?;
        self.begin().await?;
        let outcome = self.dry_run_all(&all, options, &tables).await;
        self.roll_back().await;
        outcome
    }

    async fn dry_run_all(&self, all: &[Work<'_>], options: &RunOptions, tables: &Tables) -> Result<Vec<DryRun>, Error> {
        let mut seen = Seen::new();
        let mut done = Vec::with_capacity(all.len());
        for work in all {
            let timeout = statement_timeout(work, options);
            self.execute(&format!("{OWN_ROLE}; RESET ALL{timeout}"), "cannot prepare the session").await?;
            let mut lock_timeout = LockTimeout::new(work.revision, work.section, options);
            let mut statements = Vec::with_capacity(work.section.statements.len());
            for statement in &work.section.statements {
                let setting = lock_timeout.before(statement);
                let start = Instant::now();
                let not_run = self.dry_run_statement(work, statement, &setting).await?;
                let duration = start.elapsed();
                let sql = work.revision.sql(statement).to_owned();
                let locks = match not_run {
                    None => self.new_locks(tables, &mut seen).await?,
                    Some(_) => {
                        let table = self.expected_lock(&sql).await?;
                        table.and_then(|table| tables.get(&table)).map(expected).into_iter().collect()
                    }
                };
                let (line, _) = work.revision.place(statement.start);
                statements.push(DryRunStatement { line, sql, duration, locks, not_run });
            }
            let check = self.send("SET CONSTRAINTS ALL IMMEDIATE").await;
            if let (Err(error), Some(last)) = (check, work.section.statements.last()) {
                return Err(failure(work.revision, last, error, None, None));
            }
            let (revision, direction) = (work.step.revision.clone(), work.step.direction);
            done.push(DryRun { revision, direction, statements });
        }
        Ok(done)
    }

    /// Runs a statement, or says why not.
    async fn dry_run_statement(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        setting: &str,
    ) -> Result<Option<&'static str>, Error> {
        self.execute(&format!("SAVEPOINT dbops_dry_run; {setting}"), "cannot set a savepoint").await?;
        let (sql, made) = match &statement.batch {
            None => (work.revision.sql(statement).to_owned(), None),
            Some(batch) => {
                let high = self.first_batch_end(batch).await?;
                let made = batch.sql(&work.revision.text, statement, None, high.as_deref());
                (made.sql.clone(), Some(made))
            }
        };
        let Err(error) = self.send(&sql).await else {
            // Its own statement may have been a ROLLBACK TO, which destroys the savepoint's successors only.
            return Ok(None);
        };
        if !work.revision.settings.transaction && cannot_be_in_transaction(&error) {
            self.execute("ROLLBACK TO dbops_dry_run", "cannot go back to a savepoint").await?;
            return Ok(Some("PostgreSQL does not run it in a transaction"));
        }
        let byte = made.and_then(|made| byte_of(&made.sql, &error).map(|byte| made.origin(byte)));
        Err(failure(work.revision, statement, error, byte, None))
    }
}

fn cannot_be_in_transaction(error: &SqlError) -> bool {
    matches!(error.sqlstate.as_deref(), Some("25001" | "2D000"))
}
