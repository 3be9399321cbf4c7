//! Which tables a transaction locks.

use std::collections::{HashMap, HashSet};

use dbops_postgres::tokio_postgres::SimpleQueryMessage;

use super::interrupted::Lone;
use crate::{Error, Session};

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

impl TakenLock {
    /// How strong its mode is; more is stronger.
    #[must_use]
    pub fn strength(&self) -> usize {
        strength(&self.mode).unwrap_or_default()
    }
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

/// A table as it was before anything ran.
pub(super) struct Table {
    pub(super) name: String,
    bytes: u64,
    rows: Option<u64>,
}

/// The tables that were there before anything ran, by their oid.
pub(super) type Tables = HashMap<u32, Table>;

/// Locks that are known already: a table's oid, and a place in [`MODES`].
pub(super) type Seen = HashSet<(u32, usize)>;

impl Session {
    /// Tables and materialized views as they are before anything runs.
    pub(super) async fn tables(&self) -> Result<Tables, Error> {
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
    pub(super) async fn new_locks(&self, tables: &Tables, seen: &mut Seen) -> Result<Vec<TakenLock>, Error> {
        let sql = "SELECT l.relation, l.mode FROM pg_catalog.pg_locks AS l \
                   WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND l.relation IS NOT NULL";
        let rows = self.rows_of(sql, "cannot look up the locks").await?;
        Ok(new_locks(rows.iter().map(|row| (row[0].as_str(), row[1].as_str())), tables, seen))
    }

    /// The table that a statement locks which cannot run in a transaction, as far as it is one table.
    pub(super) async fn expected_lock(&self, sql: &str) -> Result<Option<u32>, Error> {
        let lone = Lone::of(sql);
        let Some(name) = lone.table() else { return Ok(None) };
        let sql = format!("SELECT pg_catalog.to_regclass({})::pg_catalog.oid", dbops_postgres::quote_literal(name));
        let rows = self.rows_of(&sql, "cannot look up a table").await?;
        Ok(rows.first().and_then(|row| row[0].parse().ok()))
    }
}

/// The strongest lock on each table that is held (a table's oid and a mode) and was not seen before.
pub(super) fn new_locks<'a>(
    held: impl Iterator<Item = (&'a str, &'a str)>,
    tables: &Tables,
    seen: &mut Seen,
) -> Vec<TakenLock> {
    let mut strongest: HashMap<u32, usize> = HashMap::new();
    for (table, mode) in held {
        let (Ok(table), Some(mode)) = (table.parse(), strength(mode)) else { continue };
        if tables.contains_key(&table) && seen.insert((table, mode)) {
            let so_far = strongest.entry(table).or_default();
            *so_far = mode.max(*so_far);
        }
    }
    let mut locks: Vec<_> = strongest.iter().map(|(table, mode)| taken(&tables[table], MODES[*mode])).collect();
    locks.sort_by(|one, other| one.table.cmp(&other.table));
    locks
}

/// The place of a lock mode among all, the weakest first.
fn strength(mode: &str) -> Option<usize> {
    MODES.iter().position(|known| *known == mode)
}

/// The lock of such a statement, by PostgreSQL's documentation of `CONCURRENTLY`.
pub(super) fn expected(table: &Table) -> TakenLock {
    taken(table, "ShareUpdateExclusiveLock")
}

fn taken(table: &Table, mode: &str) -> TakenLock {
    TakenLock { table: table.name.clone(), mode: mode.to_owned(), bytes: table.bytes, rows: table.rows }
}
