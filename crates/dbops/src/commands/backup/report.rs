//! How backups and restores are told: progress, times, revisions.

use std::time::{Duration, Instant};

use dbops_backup::Event;
use indicatif::{HumanDuration, ProgressBar};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::estimate::Estimate;
use super::events::Progress;
use crate::ui::Ui;

pub(crate) fn revision(ids: &[String]) -> String {
    if ids.is_empty() { "(none)".into() } else { ids.join(", ") }
}

pub(crate) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(100) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        HumanDuration(duration).to_string()
    }
}

pub(super) fn local_time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How often events tell of bytes.
const EVERY: Duration = Duration::from_millis(500);

/// Shows what happens as one bar for each file or database, or as events for scripts.
pub(crate) struct Reporter<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
    work: Work,
}

/// What is under way.
struct Work {
    target: String,
    tables: usize,
    tables_begun: usize,
    estimate: Estimate,
    started: Instant,
    told: Instant,
}

impl Work {
    fn new(target: &str, tables: usize, bytes: u64) -> Self {
        let now = Instant::now();
        let estimate = Estimate::new(bytes);
        Self { target: target.into(), tables, tables_begun: 0, estimate, started: now, told: now }
    }

    /// `dumping app, table 3 of 17, 4 minutes left`
    fn line(&self) -> String {
        let left = self.estimate.left(self.started.elapsed());
        let left = left.map(|left| format!(", {} left", HumanDuration(left))).unwrap_or_default();
        format!("dumping {}, table {} of {}{left}", self.target, self.tables_begun, self.tables)
    }
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(ui: &'a Ui) -> Self {
        Self { ui, bar: ProgressBar::hidden(), work: Work::new("", 0, 0) }
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Bytes(count) => self.bytes(count),
            Event::Table { schema, name, bytes } => {
                self.work.tables_begun += 1;
                self.work.estimate.begin_table(bytes);
                self.bar.set_message(self.work.line());
                let Work { target, tables, tables_begun: number, .. } = &self.work;
                self.tell(&Progress::Table { target, schema, table: name, number: *number, tables: *tables });
            }
            Event::Using { target, what } => self.ui.detail(format!("{target}: {what}")),
            Event::Dumped { target, bytes, table_bytes, duration_ms } => {
                self.finish();
                self.tell(&Progress::Dumped { target, bytes, table_bytes, duration_ms });
            }
            Event::Dumping { target, tables, bytes } => {
                self.begin(Ui::bytes, format!("dumping {target}"), Work::new(target, tables, bytes));
                self.tell(&Progress::Dumping { target, tables, table_bytes: bytes });
            }
            Event::Checking { file } => {
                self.begin(Ui::bytes, format!("checking {file}"), Work::new("", 0, 0));
                self.tell(&Progress::Checking { file });
            }
            Event::RemovedSnapshot { snapshot, collection } => {
                self.ui.detail(format!("deleted {snapshot} of {collection}, which a killed backup had left"));
            }
            Event::Removing { set } => {
                self.begin(Ui::spinner, format!("removing {set}"), Work::new("", 0, 0));
                self.tell(&Progress::Removing { set: set.as_str() });
            }
            Event::Restoring { database } => {
                self.begin(Ui::spinner, format!("restoring {database}"), Work::new("", 0, 0));
                self.tell(&Progress::Restoring { database });
            }
            Event::Analyzing { database } => {
                self.begin(Ui::spinner, format!("analyzing {database}"), Work::new("", 0, 0));
                self.tell(&Progress::Analyzing { database });
            }
            Event::Comparing { database } => {
                self.begin(Ui::spinner, format!("comparing the rows of {database}"), Work::new("", 0, 0));
                self.tell(&Progress::Comparing { database });
            }
        }
    }

    /// The bar before it is gone before the next is drawn, which would begin below it.
    fn begin(&mut self, bar: fn(&Ui, String) -> ProgressBar, message: String, work: Work) {
        self.finish();
        (self.bar, self.work) = (bar(self.ui, message), work);
    }

    fn bytes(&mut self, count: u64) {
        self.bar.inc(count);
        self.work.estimate.write(count);
        if self.work.told.elapsed() < EVERY {
            return;
        }
        self.work.told = Instant::now();
        if self.work.tables > 0 {
            self.bar.set_message(self.work.line());
        }
        let (estimate, elapsed) = (&self.work.estimate, self.work.started.elapsed());
        let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        self.tell(&Progress::Bytes {
            bytes: estimate.written(),
            bytes_per_second: estimate.written().saturating_mul(1000) / milliseconds,
            fraction: estimate.fraction(),
            seconds_left: estimate.left(elapsed).map(|left| left.as_secs()),
        });
    }

    fn tell(&self, progress: &Progress<'_>) {
        self.ui.event(progress);
    }

    pub(crate) fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Reporter<'_> {
    fn drop(&mut self) {
        self.finish();
    }
}
