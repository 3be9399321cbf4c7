//! How far a dump is, and for how long it will go on: an estimate from what passes by.

use std::time::Duration;

/// What part of a table's size an archive has, before anything is known: text of vectors and numbers hardly shrinks.
const RATIO: f64 = 0.5;

/// Tables that are done, the one under way, and what was written so far.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    total: u64,
    /// The sizes of the tables before the one under way.
    done: u64,
    /// The size of the one under way.
    table: u64,
    /// The bytes that were written in all, and before the one under way.
    written: u64,
    written_before: u64,
}

impl Estimate {
    /// Tables of so many bytes together.
    pub(super) fn new(total: u64) -> Self {
        Self { total, ..Self::default() }
    }

    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn begin_table(&mut self, bytes: u64) {
        self.done += self.table;
        self.table = bytes;
        self.written_before = self.written;
    }

    pub(super) fn write(&mut self, bytes: u64) {
        self.written += bytes;
    }

    /// The part that is done, from 0 to 1; `None` when nothing is known of the tables' sizes.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn fraction(&self) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let ratio = if self.done > 0 && self.written_before > 0 {
            self.written_before as f64 / self.done as f64
        } else {
            RATIO
        };
        let of_table = ((self.written - self.written_before) as f64 / ratio).min(self.table as f64);
        Some(((self.done as f64 + of_table) / self.total as f64).clamp(0.0, 1.0))
    }

    /// The time left after so much time; `None` as long as there is nothing to go by.
    pub(super) fn left(&self, elapsed: Duration) -> Option<Duration> {
        let fraction = self.fraction().filter(|fraction| *fraction > 0.01)?;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - fraction) / fraction).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Estimate;

    #[test]
    fn a_dump_is_estimated_by_its_tables() {
        let mut estimate = Estimate::new(1000);
        assert_eq!((estimate.fraction(), estimate.left(Duration::from_secs(1))), (Some(0.0), None));
        estimate.begin_table(400);
        estimate.write(100);
        // Half of the table's size is expected: 100 bytes are 200 of its 400.
        assert_eq!(estimate.fraction(), Some(0.2));
        assert_eq!(estimate.left(Duration::from_secs(10)), Some(Duration::from_secs(40)));
        estimate.write(1000);
        assert_eq!(estimate.fraction(), Some(0.4), "no more than the table");
        estimate.begin_table(600);
        assert_eq!(estimate.fraction(), Some(0.4));
        // Now 1100 bytes came of 400.
        estimate.write(825);
        assert_eq!(estimate.fraction(), Some(0.7));
        estimate.write(10_000);
        assert_eq!((estimate.fraction(), estimate.written()), (Some(1.0), 11_925));
        assert_eq!(estimate.left(Duration::from_secs(10)), Some(Duration::ZERO));
    }

    #[test]
    fn nothing_is_estimated_of_nothing() {
        let mut estimate = Estimate::new(0);
        estimate.begin_table(0);
        estimate.write(100);
        assert_eq!((estimate.fraction(), estimate.left(Duration::from_secs(1))), (None, None));
    }
}
