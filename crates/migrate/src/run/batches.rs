//! A statement over ranges of a table's key: each range and the note of it in a transaction.

use dbops_postgres::quote_literal;

use super::statement::{byte_of, failure};
use super::stepwise::done_checksum;
use super::timeouts::rest;
use super::{Event, OnEvent, RunOptions, Work};
use crate::{Batch, Error, Session, Unfinished};

/// The rows up to a key.
struct Range {
    /// The key of its last row.
    last: Vec<String>,
    rows: u64,
}

impl Session {
    /// Runs the batches of a statement, from the one after the last that is done.
    pub(super) async fn run_batches(
        &self,
        work: &Work<'_>,
        index: usize,
        batch: &Batch,
        from: Option<&Unfinished>,
        options: &RunOptions,
        on_event: OnEvent<'_>,
    ) -> Result<(), Error> {
        let statement = &work.section.statements[index];
        let total = self.check_batch(work, index, batch).await?;
        let mut low = from.and_then(|unfinished| unfinished.batch_key.clone());
        let mut rows = from.map_or(0, |unfinished| unfinished.batch_rows.unsigned_abs());
        loop {
            let range = self.next_range(batch, low.as_deref()).await?;
            let range_rows = range.as_ref().map_or(0, |range| range.rows);
            // Not full: there is no row behind it, but for those that are just being inserted.
            let is_last = range_rows < u64::from(batch.size);
            let high = range.map(|range| range.last).filter(|_| !is_last);
            rows += range_rows;
            let note = match &high {
                Some(key) => self.ledger.batch_sql(key, rows),
                None => self.ledger.done_sql(index + 1, &done_checksum(work.revision, work.section, index + 1)),
            };
            let bounds = (low.as_deref().map(literal), high.as_deref().map(literal));
            let made = batch.sql(&work.revision.text, statement, bounds.0.as_deref(), bounds.1.as_deref());
            let mut attempt = 0;
            while let Err(error) = self.run_in_note_sql(work, statement, &made.sql, &note, options).await {
                attempt += 1;
                let Some(rest) = rest(&error, attempt, options.retries) else {
                    self.note_failure(index == 0 && low.is_none(), None, &error).await;
                    let byte = byte_of(&made.sql, &error).map(|byte| made.origin(byte));
                    return Err(failure(work.revision, statement, error, byte, Some(index)));
                };
                let (revision, reason) = (work.revision.id.clone(), error.message.clone());
                on_event(Event::Retrying { revision, reason, rest });
                tokio::time::sleep(rest).await;
            }
            on_event(Event::Batch { revision: work.revision.id.clone(), rows, total: total.max(rows) });
            if high.is_none() {
                return Ok(());
            }
            low = high;
            tokio::time::sleep(batch.pause).await;
        }
    }

    /// Refuses a key that would leave rows out or read the whole table for each batch; returns how many rows there are,
    /// about.
    async fn check_batch(&self, work: &Work<'_>, index: usize, batch: &Batch) -> Result<u64, Error> {
        let statement = &work.section.statements[index];
        let columns: Vec<_> = batch.column_names().iter().map(|name| quote_literal(name)).collect();
        let sql = include_str!("batch_table.sql")
            .replace("$TABLE", &quote_literal(&batch.table))
            .replace("$KEY", &format!("ARRAY[{}]::pg_catalog.text[]", columns.join(", ")));
        let rows = self.rows_of(&sql, "cannot look at the table of a batch").await?;
        let table = &batch.table;
        let problem = match rows.first().map(Vec::as_slice) {
            None => format!("there is no table {table}"),
            Some([found, ..]) if *found != batch.key.len().to_string() => {
                format!("{table} does not have all of the columns {}", batch.key.join(", "))
            }
            Some([_, not_null, ..]) if not_null != "t" => {
                format!("a column of the key of {table} may be NULL: such rows belong to no batch")
            }
            Some([_, _, is_indexed, _]) if is_indexed != "t" => {
                format!("{table} has no index that begins with {}", batch.key.join(", "))
            }
            Some([_, _, _, estimate]) => {
                return Ok(match estimate.parse() {
                    Ok(rows) => rows,
                    // Never analyzed.
                    Err(_) => self.count(table).await?,
                });
            }
            Some(_) => String::new(),
        };
        let (line, _) = work.revision.place(statement.start);
        self.note_failure_of_block(index).await;
        Err(Error::Batch { path: work.revision.path.clone(), line, problem })
    }

    async fn note_failure_of_block(&self, index: usize) {
        if index == 0 {
            // Nothing ran: the revision can be corrected and run from the beginning.
            drop(self.send(&self.ledger.forget_sql()).await);
        }
    }

    async fn count(&self, table: &str) -> Result<u64, Error> {
        let sql = format!("SELECT pg_catalog.count(*) FROM {table}");
        let rows = self.rows_of(&sql, "cannot count the rows of a table").await?;
        Ok(rows.first().and_then(|row| row[0].parse().ok()).unwrap_or_default())
    }

    /// The key of the last row of the first batch, as SQL; `None` when one batch is all.
    pub(super) async fn first_batch_end(&self, batch: &Batch) -> Result<Option<String>, Error> {
        let range = self.next_range(batch, None).await?;
        Ok(range.filter(|range| range.rows >= u64::from(batch.size)).map(|range| literal(&range.last)))
    }

    async fn next_range(&self, batch: &Batch, low: Option<&[String]>) -> Result<Option<Range>, Error> {
        let key = batch.key.join(", ");
        let condition = low.map(|low| format!("WHERE ({key}) > {}", literal(low))).unwrap_or_default();
        let texts: Vec<_> = batch.key.iter().map(|column| format!("ranged.{column}::pg_catalog.text")).collect();
        let sql = format!(
            "SELECT {}, ranged.dbops_rows FROM (SELECT {key}, pg_catalog.row_number() OVER (ORDER BY {key}) AS dbops_rows \
             FROM {} {condition} ORDER BY {key} LIMIT {}) AS ranged ORDER BY ranged.dbops_rows DESC LIMIT 1",
            texts.join(", "),
            batch.table,
            batch.size
        );
        let rows = self.rows_of(&sql, "cannot find the rows of the next batch").await?;
        let Some(mut last) = rows.into_iter().next() else { return Ok(None) };
        let rows = last.pop().and_then(|rows| rows.parse().ok()).unwrap_or_default();
        Ok(Some(Range { last, rows }))
    }
}

/// A key as SQL. The server gives each value its column's type.
fn literal(key: &[String]) -> String {
    let values: Vec<_> = key.iter().map(|value| quote_literal(value)).collect();
    if let [value] = &values[..] { value.clone() } else { format!("({})", values.join(", ")) }
}
