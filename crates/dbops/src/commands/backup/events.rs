//! `--json --progress`: what happens, as one JSON object a line on standard error.

use serde::Serialize;

/// An event as scripts see it.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Progress<'a> {
    /// A database is being dumped.
    Dumping { target: &'a str, tables: usize, table_bytes: u64 },
    /// The rows of a table are being dumped; `number` counts from 1.
    Table { target: &'a str, schema: &'a str, table: &'a str, number: usize, tables: usize },
    /// So many bytes were written or read since the last event that began something; once or twice a second.
    Bytes { bytes: u64, bytes_per_second: u64, fraction: Option<f64>, seconds_left: Option<u64> },
    /// A database was dumped.
    Dumped { target: &'a str, bytes: u64, table_bytes: u64, duration_ms: u64 },
    /// The bytes of a file are being compared with the manifest.
    Checking { file: &'a str },
    /// A set is being removed.
    Removing { set: &'a str },
    /// A database is being restored.
    Restoring { database: &'a str },
    /// pg_restore begins to fill it; `builds` are indexes, keys and materialized views.
    Filling { database: &'a str, tables: usize, rows: Option<u64>, builds: usize },
    /// pg_restore has come to the rows of a table; `number` counts from 1.
    Loading { database: &'a str, table: &'a str, number: usize, tables: usize },
    /// So many rows were loaded in all; twice a second at most. The time left is that of the rows.
    Loaded { database: &'a str, rows: u64, rows_per_second: u64, fraction: Option<f64>, seconds_left: Option<u64> },
    /// pg_restore builds an index or the like; `number` counts from 1.
    Building { database: &'a str, kind: &'a str, name: &'a str, number: usize, builds: usize },
    /// The statistics of a restored database are being collected.
    Analyzing { database: &'a str },
    /// The rows of a restored database are being compared with those that were dumped.
    Comparing { database: &'a str },
}
