//! How many rows a restore has loaded: what the server says of its COPYs, and the manifest of the tables before them.
//!
//! <https://www.postgresql.org/docs/current/progress-reporting.html#COPY-PROGRESS-REPORTING>

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use dbops_postgres::tokio_postgres::{Client, Error as DriverError};
use dbops_postgres::{DatabaseUrl, connect};

use crate::PostgresContents;

const LOADED: &str = include_str!("loaded.sql");
/// How often the server is asked.
const EVERY: Duration = Duration::from_millis(500);

/// The tables that pg_restore has come to, under the names that it tells: `schema.name`.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// How many rows each table had when it was dumped.
    dumped: HashMap<String, u64>,
    /// How many tables are loaded at a time.
    jobs: usize,
    begun: Vec<String>,
    /// How many rows of each the server was seen to have.
    seen: HashMap<String, u64>,
}

impl Loaded {
    pub(super) fn new(expected: Option<&PostgresContents>, jobs: u32) -> Self {
        let tables = expected.iter().flat_map(|expected| &expected.fingerprints).flat_map(|known| &known.tables);
        let dumped = tables.map(|table| (format!("{}.{}", table.schema, table.name), table.rows)).collect();
        Self { dumped, jobs: usize::try_from(jobs).unwrap_or(1), ..Self::default() }
    }

    pub(super) fn begin(&mut self, name: &str) {
        self.begun.push(name.to_owned());
    }

    /// One without a name is the only one that is being loaded.
    fn see(&mut self, name: Option<String>, rows: u64) {
        if let Some(name) = name.or_else(|| self.begun.last().cloned()) {
            let seen = self.seen.entry(name).or_default();
            *seen = rows.max(*seen);
        }
    }

    /// Of the last tables what was seen; the ones before them are done.
    fn rows(&self) -> u64 {
        let done = self.begun.len().saturating_sub(self.jobs);
        let (done, last) = self.begun.split_at(done);
        let seen = |name: &String| self.seen.get(name).copied().unwrap_or_default();
        let whole = |name: &String| self.dumped.get(name).copied().unwrap_or_else(|| seen(name));
        done.iter().map(whole).sum::<u64>() + last.iter().map(seen).sum::<u64>()
    }
}

/// Tells how many rows there are as they become more, for as long as it is let. A server that cannot say is not asked
/// again.
pub(super) async fn follow(url: &DatabaseUrl, loaded: &RefCell<Loaded>, mut on_rows: impl FnMut(u64)) {
    let Ok(client) = connect(url).await else { return };
    let mut told = 0;
    while look(&client, loaded).await.is_ok() {
        let rows = loaded.borrow().rows();
        if rows > told {
            on_rows(rows);
            told = rows;
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(client: &Client, loaded: &RefCell<Loaded>) -> Result<(), DriverError> {
    for row in client.query(LOADED, &[]).await? {
        let rows: i64 = row.try_get("rows")?;
        loaded.borrow_mut().see(row.try_get("name")?, u64::try_from(rows).unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Loaded;

    #[test]
    fn tables_count_whole_when_others_have_their_place() {
        let dumped = [("s.a", 100), ("s.b", 50), ("s.c", 7)].map(|(name, rows)| (name.to_owned(), rows));
        let mut loaded = Loaded { dumped: dumped.into(), jobs: 2, ..Loaded::default() };
        assert_eq!(loaded.rows(), 0);
        loaded.begin("s.a");
        loaded.begin("s.b");
        loaded.see(Some("s.a".into()), 60);
        loaded.see(Some("s.b".into()), 20);
        loaded.see(Some("s.b".into()), 10);
        assert_eq!(loaded.rows(), 80);
        loaded.begin("s.c");
        assert_eq!(loaded.rows(), 120, "all of the first");
        loaded.see(None, 7);
        assert_eq!(loaded.rows(), 127, "one without a name is the last");
        loaded.begin("s.new");
        loaded.begin("s.other");
        loaded.see(Some("s.new".into()), 3);
        assert_eq!(loaded.rows(), 100 + 50 + 7 + 3);
    }
}
