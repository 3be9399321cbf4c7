//! What each statement of a run does to the tables, looked up behind it: for a rehearsal, where the time of a look does
//! no harm.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use dbops_postgres::SqlError;

use super::Work;
use super::locks::{Seen, Tables, TakenLock, expected, new_locks};
use crate::{Direction, Error, Session, Statement};

/// What a statement did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The revision it belongs to.
    pub revision: String,
    /// Which way.
    pub direction: Direction,
    /// The line where it begins.
    pub line: usize,
    /// Its text.
    pub sql: String,
    /// How long it took; of a batch block, all batches.
    pub duration: Duration,
    /// How long what it locked stayed locked: to the end of its transaction; of a batch block, the longest batch.
    pub held: Duration,
    /// The strongest lock on each table that it took and its transaction had not; of tables that were there before the
    /// run.
    pub locks: Vec<TakenLock>,
    /// Tables, of those that were there before the run, that have another file now: rewritten, or emptied.
    pub rewritten: Vec<String>,
    /// Rows inserted, updated and deleted. Those of a procedure that commits are not counted.
    pub rows: u64,
    /// How many transactions it was run in: the batches of a batch block.
    pub transactions: u64,
    /// Indexes and constraints that are not valid any more, or were not made valid.
    pub invalid: Vec<String>,
}

/// What a session has seen since it was told to watch.
pub(crate) struct Watch {
    tables: Tables,
    /// The file of each table when last looked at.
    files: HashMap<u32, String>,
    invalid: HashSet<String>,
    /// The same two as of the last commit, for when a transaction is rolled back.
    committed: (HashMap<u32, String>, HashSet<String>),
    statements: Vec<Watched>,
    /// Where each begins in its file.
    places: Vec<usize>,
    /// Of the transaction that is open: its first statement, when each began, its locks, and its rows so far.
    first: usize,
    began: Vec<Instant>,
    seen: Seen,
    rows: u64,
}

/// What there is to see at one moment.
struct Look {
    held: Vec<(String, String)>,
    files: HashMap<u32, String>,
    rows: u64,
    invalid: HashSet<String>,
}

pub(super) const LOOK: &str = "cannot look at what a statement did";

impl Session {
    /// Has the session look behind each statement that it runs from now on, and forget what it has seen.
    ///
    /// # Errors
    ///
    /// When the database cannot be looked at.
    pub async fn watch(&mut self) -> Result<(), Error> {
        self.reset().await?;
        let tables = self.tables().await?;
        let Look { files, invalid, .. } = self.look().await.map_err(|error| Error::sql(LOOK, error))?;
        let watch = Watch {
            committed: (files.clone(), invalid.clone()),
            tables,
            files,
            invalid,
            statements: Vec::new(),
            places: Vec::new(),
            first: 0,
            began: Vec::new(),
            seen: Seen::new(),
            rows: 0,
        };
        self.watch = Some(watch.into());
        Ok(())
    }

    /// What was seen, in the order of the run.
    pub fn watched(&mut self) -> Vec<Watched> {
        let watch = self.watch.take().map(|watch| watch.into_inner().unwrap_or_else(PoisonError::into_inner));
        watch.map(|watch| watch.statements).unwrap_or_default()
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    /// To be called before a transaction begins. What was seen of one that was rolled back is forgotten.
    pub(super) async fn watch_begin(&self) -> Result<(), SqlError> {
        if self.is_watched() {
            // What earlier transactions counted counts for this one until it is handed in.
            self.query("SELECT pg_catalog.pg_stat_force_next_flush()").await?;
            self.with_watch(Watch::begin);
        }
        Ok(())
    }

    /// To be called behind a statement that began at `start`.
    pub(super) async fn watch_statement(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        start: Instant,
    ) -> Result<(), SqlError> {
        if !self.is_watched() {
            return Ok(());
        }
        let duration = start.elapsed();
        let look = self.look().await?;
        self.with_watch(|watch| watch.add(work, statement, (start, duration), look));
        Ok(())
    }

    /// To be called behind a statement that was a transaction by itself.
    pub(super) async fn watch_lone(&self, work: &Work<'_>, statement: &Statement, start: Instant) -> Result<(), Error> {
        if !self.is_watched() {
            return Ok(());
        }
        self.with_watch(Watch::begin);
        self.watch_statement(work, statement, start).await.map_err(|error| Error::sql(LOOK, error))?;
        self.watch_end();
        // Its locks are gone when it is done.
        let locked = self.expected_lock(work.revision.sql(statement)).await?;
        self.with_watch(|watch| {
            if let Some(last) = watch.statements.last_mut() {
                last.held = last.duration;
                last.locks = locked.and_then(|table| watch.tables.get(&table)).map(expected).into_iter().collect();
            }
        });
        Ok(())
    }

    /// To be called where a transaction was committed.
    pub(super) fn watch_end(&self) {
        self.with_watch(Watch::end);
    }

    fn with_watch(&self, change: impl FnOnce(&mut Watch)) {
        if let Some(watch) = &self.watch {
            change(&mut watch.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    async fn look(&self) -> Result<Look, SqlError> {
        let mut look = Look { held: Vec::new(), files: HashMap::new(), rows: 0, invalid: HashSet::new() };
        for row in self.query(include_str!("watch.sql")).await? {
            let [kind, what, value, rows] = <[String; 4]>::try_from(row).unwrap_or_default();
            match (kind.as_str(), what.parse()) {
                ("lock", _) => look.held.push((what, value)),
                ("table", Ok(table)) => {
                    look.files.insert(table, value);
                    look.rows += rows.parse().unwrap_or(0);
                }
                _ => drop(look.invalid.insert(what)),
            }
        }
        Ok(look)
    }
}

impl Watch {
    fn begin(&mut self) {
        self.statements.truncate(self.first);
        self.places.truncate(self.first);
        (self.files, self.invalid) = self.committed.clone();
        self.began.clear();
        self.seen.clear();
        self.rows = 0;
    }

    fn add(&mut self, work: &Work<'_>, statement: &Statement, time: (Instant, Duration), look: Look) {
        let held = look.held.iter().map(|(table, mode)| (table.as_str(), mode.as_str()));
        let is_new = |(oid, file): (&u32, &String)| look.files.get(oid).is_some_and(|now| now != file);
        let changed = self.files.iter().filter(|entry| is_new(*entry)).filter_map(|(oid, _)| self.tables.get(oid));
        let mut rewritten: Vec<_> = changed.map(|table| table.name.clone()).collect();
        rewritten.sort_unstable();
        let mut invalid: Vec<_> = look.invalid.difference(&self.invalid).cloned().collect();
        invalid.sort_unstable();
        let (start, duration) = time;
        self.statements.push(Watched {
            revision: work.revision.id.clone(),
            direction: work.step.direction,
            line: work.revision.place(statement.start).0,
            sql: work.revision.sql(statement).to_owned(),
            duration,
            held: duration,
            locks: new_locks(held, &self.tables, &mut self.seen),
            rewritten,
            rows: look.rows.saturating_sub(self.rows),
            transactions: 1,
            invalid,
        });
        self.began.push(start);
        self.places.push(statement.start);
        (self.files, self.invalid, self.rows) = (look.files, look.invalid, look.rows);
    }

    fn end(&mut self) {
        for (statement, began) in self.statements[self.first..].iter_mut().zip(&self.began) {
            statement.held = began.elapsed();
        }
        if let ([.., block, batch], [.., place, other]) = (&mut self.statements[..], &self.places[..]) {
            // A batch of a block that had one before.
            let is_same = (&block.revision, block.direction, place) == (&batch.revision, batch.direction, other);
            if self.began.len() == 1 && is_same {
                block.add_batch(batch);
                self.statements.pop();
                self.places.pop();
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.first = self.statements.len();
        self.committed = (self.files.clone(), self.invalid.clone());
        self.begin();
    }
}

impl Watched {
    fn add_batch(&mut self, batch: &mut Self) {
        self.duration += batch.duration;
        self.held = self.held.max(batch.held);
        self.rows += batch.rows;
        self.transactions += batch.transactions;
        self.rewritten.append(&mut batch.rewritten);
        self.invalid.append(&mut batch.invalid);
        for lock in batch.locks.drain(..) {
            match self.locks.iter_mut().find(|known| known.table == lock.table) {
                Some(known) if known.strength() < lock.strength() => *known = lock,
                Some(_) => {}
                None => self.locks.push(lock),
            }
        }
    }
}
