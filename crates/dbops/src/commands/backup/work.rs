//! What is under way, how far it is, and for how long it will go on.

use std::time::{Duration, Instant};

use indicatif::HumanDuration;

use super::estimate::Estimate;
use super::events::Progress;

/// One thing at a time.
pub(super) enum Work {
    /// Bytes that pass by: of a dump, of a file that is read, or none at all.
    Bytes(Dump),
    /// Rows that are loaded, and indexes that are built.
    Rows(Fill),
}

/// A dump; one without tables is any other stream of bytes.
pub(super) struct Dump {
    pub(super) target: String,
    pub(super) tables: usize,
    pub(super) tables_begun: usize,
    pub(super) estimate: Estimate,
    started: Instant,
}

impl Default for Dump {
    fn default() -> Self {
        Self::new("", 0, 0)
    }
}

impl Dump {
    pub(super) fn new(target: &str, tables: usize, bytes: u64) -> Self {
        let estimate = Estimate::new(bytes);
        Self { target: target.into(), tables, tables_begun: 0, estimate, started: Instant::now() }
    }

    pub(super) fn begin_table(&mut self, bytes: u64) {
        self.tables_begun += 1;
        self.estimate.begin_table(bytes);
    }

    /// `dumping app, table 3 of 17, 4 minutes left`
    pub(super) fn line(&self) -> String {
        let left = left(self.estimate.left(self.started.elapsed()));
        format!("dumping {}, table {} of {}{left}", self.target, self.tables_begun, self.tables)
    }

    pub(super) fn progress(&self) -> Progress<'_> {
        let elapsed = self.started.elapsed();
        Progress::Bytes {
            bytes: self.estimate.written(),
            bytes_per_second: per_second(self.estimate.written(), elapsed),
            fraction: self.estimate.fraction(),
            seconds_left: self.estimate.left(elapsed).map(|left| left.as_secs()),
        }
    }
}

/// A database that is filled.
pub(super) struct Fill {
    pub(super) database: String,
    pub(super) tables: usize,
    pub(super) tables_begun: usize,
    rows: Option<u64>,
    pub(super) loaded: u64,
    pub(super) builds: usize,
    pub(super) builds_begun: usize,
    started: Instant,
}

impl Fill {
    pub(super) fn new(database: &str, tables: usize, rows: Option<u64>, builds: usize) -> Self {
        let database = database.to_owned();
        Self { database, tables, tables_begun: 0, rows, loaded: 0, builds, builds_begun: 0, started: Instant::now() }
    }

    /// Of the rows, from 0 to 1; `None` where their number is not known.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn fraction(&self) -> Option<f64> {
        let rows = self.rows.filter(|rows| *rows > 0)?;
        Some((self.loaded as f64 / rows as f64).min(1.0))
    }

    /// How long the rows will still take, indexes not counted.
    fn left(&self, elapsed: Duration) -> Option<Duration> {
        let fraction = self.fraction().filter(|fraction| *fraction > 0.01)?;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - fraction) / fraction).ok()
    }

    /// `restoring app, table 3 of 17 (40 % of the rows, 4 minutes left), index 1 of 9`
    pub(super) fn line(&self) -> String {
        let Self { database, tables, tables_begun, builds, builds_begun, .. } = self;
        let rows = match self.fraction() {
            Some(fraction) if fraction < 1.0 => {
                let left = left(self.left(self.started.elapsed()));
                format!(" ({:.0} % of the rows{left})", fraction * 100.0)
            }
            _ => String::new(),
        };
        let index = if *builds_begun > 0 { format!(", index {builds_begun} of {builds}") } else { String::new() };
        format!("restoring {database}, table {tables_begun} of {tables}{rows}{index}")
    }

    pub(super) fn progress(&self) -> Progress<'_> {
        let elapsed = self.started.elapsed();
        Progress::Loaded {
            database: &self.database,
            rows: self.loaded,
            rows_per_second: per_second(self.loaded, elapsed),
            fraction: self.fraction(),
            seconds_left: self.left(elapsed).map(|left| left.as_secs()),
        }
    }
}

fn left(time: Option<Duration>) -> String {
    time.map(|left| format!(", {} left", HumanDuration(left))).unwrap_or_default()
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1000) / milliseconds
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Fill;

    #[test]
    fn a_restore_is_told_by_tables_rows_and_indexes() {
        let mut fill = Fill::new("app", 3, Some(1000), 5);
        assert_eq!(fill.line(), "restoring app, table 0 of 3 (0 % of the rows)");
        (fill.tables_begun, fill.loaded) = (2, 250);
        assert_eq!(fill.left(Duration::from_secs(10)), Some(Duration::from_secs(30)));
        (fill.tables_begun, fill.loaded, fill.builds_begun) = (3, 1000, 1);
        assert_eq!(fill.line(), "restoring app, table 3 of 3, index 1 of 5");
        let unknown = Fill::new("app", 3, None, 5);
        assert_eq!((unknown.line().as_str(), unknown.fraction()), ("restoring app, table 0 of 3", None));
    }
}
