//! A rehearsal: everything is run in a transaction that is rolled back, and what each statement locks is looked up.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use dbops_postgres::SqlError;
use dbops_postgres::tokio_postgres::SimpleQueryMessage;

use super::interrupted::Lone;
use super::statement::{byte_of, failure};
use super::timeouts::LockTimeout;
use super::transaction::statement_timeout;
use super::{RunOptions, Work};
use crate::session::OWN_ROLE;
use crate::{Direction, Error, Graph, Session, Statement, Step};

/// A revision that was rehearsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// Its id.
    pub revision: String,
    /// Which way.
    pub direction: Direction,
    /// In order.
    pub statements: Vec<RehearsedStatement>,
}

/// A statement that was run and taken back, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsedStatement {
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

/// A lock on a table that was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenLock {
    /// The table with its schema.
    pub table: String,
    /// As in `pg_locks`, such as `AccessExclusiveLock`.
    pub mode: String,
    /// The table's size with its indexes.
    pub bytes: u64,
    /// How many rows it has, as of the last ANALYZE.
    pub rows: Option<u64>,
}

/// PostgreSQL's lock modes, the strongest last.
const MODES: [&str; 8] = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];

/// A table that was there before the rehearsal.
struct Table {
    name: String,
    bytes: u64,
    rows: Option<u64>,
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
    pub async fn rehearse(
        &mut self,
        graph: &Graph,
        steps: &[Step],
        options: &RunOptions,
    ) -> Result<Vec<Rehearsed>, Error> {
        let all = steps.iter().map(|step| Work::new(graph, step)).collect::<Result<Vec<_>, _>>()?;
        if let Some(unfinished) = self.unfinished().await? {
            return Err(Error::Unfinished(Box::new(unfinished)));
        }
        let tables = self.tables().await?;
        self.begin().await?;
        let outcome = self.rehearse_all(&all, options, &tables).await;
        self.roll_back().await;
        outcome
    }

    async fn rehearse_all(
        &self,
        all: &[Work<'_>],
        options: &RunOptions,
        tables: &HashMap<u32, Table>,
    ) -> Result<Vec<Rehearsed>, Error> {
        let mut seen = HashSet::new();
        let mut rehearsed = Vec::with_capacity(all.len());
        for work in all {
            let timeout = statement_timeout(work, options);
            self.execute(&format!("{OWN_ROLE}; RESET ALL{timeout}"), "cannot prepare the session").await?;
            let mut lock_timeout = LockTimeout::new(work.revision, work.section, options);
            let mut statements = Vec::with_capacity(work.section.statements.len());
            for statement in &work.section.statements {
                let setting = lock_timeout.before(statement);
                let start = Instant::now();
                let not_run = self.rehearse_statement(work, statement, &setting).await?;
                let duration = start.elapsed();
                let sql = work.revision.sql(statement).to_owned();
                let locks = match not_run {
                    None => self.new_locks(tables, &mut seen).await?,
                    Some(_) => self.expected_lock(&sql, tables).await?,
                };
                let (line, _) = work.revision.place(statement.start);
                statements.push(RehearsedStatement { line, sql, duration, locks, not_run });
            }
            let check = self.send("SET CONSTRAINTS ALL IMMEDIATE").await;
            if let (Err(error), Some(last)) = (check, work.section.statements.last()) {
                return Err(failure(work.revision, last, error, None, None));
            }
            let (revision, direction) = (work.step.revision.clone(), work.step.direction);
            rehearsed.push(Rehearsed { revision, direction, statements });
        }
        Ok(rehearsed)
    }

    /// Runs a statement, or says why not.
    async fn rehearse_statement(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        setting: &str,
    ) -> Result<Option<&'static str>, Error> {
        self.execute(&format!("SAVEPOINT dbops_rehearsal; {setting}"), "cannot set a savepoint").await?;
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
        if !work.revision.settings.transaction && cannot_be_rehearsed(&error) {
            self.execute("ROLLBACK TO dbops_rehearsal", "cannot go back to a savepoint").await?;
            return Ok(Some("PostgreSQL does not run it in a transaction"));
        }
        let byte = made.and_then(|made| byte_of(&made.sql, &error).map(|byte| made.origin(byte)));
        Err(failure(work.revision, statement, error, byte, None))
    }

    /// Tables and materialized views as they are before anything runs.
    async fn tables(&self) -> Result<HashMap<u32, Table>, Error> {
        let failed = |error| Error::sql("cannot look up the sizes of the tables", error);
        let messages = self.lock.client().simple_query(include_str!("table_sizes.sql")).await.map_err(failed)?;
        let tables = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let name = row.get(1)?.to_owned();
                let bytes = row.get(2).and_then(|bytes| bytes.parse().ok()).unwrap_or_default();
                Some((
                    row.get(0)?.parse().ok()?,
                    Table { name, bytes, rows: row.get(3).and_then(|rows| rows.parse().ok()) },
                ))
            }
            _ => None,
        });
        Ok(tables.collect())
    }

    /// Locks that this transaction holds and did not hold before.
    async fn new_locks(
        &self,
        tables: &HashMap<u32, Table>,
        seen: &mut HashSet<(u32, usize)>,
    ) -> Result<Vec<TakenLock>, Error> {
        let sql = "SELECT l.relation, l.mode FROM pg_catalog.pg_locks AS l \
                   WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.relation IS NOT NULL";
        let mut strongest: HashMap<u32, usize> = HashMap::new();
        for row in self.rows_of(sql, "cannot look up the locks").await? {
            let (Ok(table), Some(mode)) = (row[0].parse(), MODES.iter().position(|mode| *mode == row[1])) else {
                continue;
            };
            if tables.contains_key(&table) && seen.insert((table, mode)) {
                let so_far = strongest.entry(table).or_default();
                *so_far = mode.max(*so_far);
            }
        }
        let mut locks: Vec<_> = strongest.iter().map(|(table, mode)| taken(&tables[table], MODES[*mode])).collect();
        locks.sort_by(|one, other| one.table.cmp(&other.table));
        Ok(locks)
    }

    /// What a statement that was not run would lock, by PostgreSQL's documentation of `CONCURRENTLY`.
    async fn expected_lock(&self, sql: &str, tables: &HashMap<u32, Table>) -> Result<Vec<TakenLock>, Error> {
        let lone = Lone::of(sql);
        let Some(name) = lone.table() else { return Ok(Vec::new()) };
        let sql = format!("SELECT pg_catalog.to_regclass({})::pg_catalog.oid", dbops_postgres::quote_literal(name));
        let rows = self.rows_of(&sql, "cannot look up a table").await?;
        let table = rows.first().and_then(|row| row[0].parse().ok()).and_then(|oid: u32| tables.get(&oid));
        Ok(table.map(|table| taken(table, "ShareUpdateExclusiveLock")).into_iter().collect())
    }
}

fn taken(table: &Table, mode: &str) -> TakenLock {
    TakenLock { table: table.name.clone(), mode: mode.to_owned(), bytes: table.bytes, rows: table.rows }
}

fn cannot_be_rehearsed(error: &SqlError) -> bool {
    matches!(error.sqlstate.as_deref(), Some("25001" | "2D000"))
}
