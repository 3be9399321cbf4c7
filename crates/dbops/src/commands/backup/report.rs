//! How backups and restores are told: progress, times, revisions.

use std::time::{Duration, Instant};

use dbops_backup::Event;
use indicatif::{HumanDuration, ProgressBar};

use super::events::Progress;
use super::work::{Dump, Fill, Work};
use crate::ui::{Ui, printable};

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

/// How often events tell of bytes.
const EVERY: Duration = Duration::from_millis(500);

/// Shows what happens as one bar for each file or database, or as events for scripts.
pub(crate) struct Reporter<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
    work: Work,
    /// When bytes were told last.
    told: Instant,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(ui: &'a Ui) -> Self {
        Self { ui, bar: ProgressBar::hidden(), work: Work::Bytes(Dump::default()), told: Instant::now() }
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Bytes(count) => self.bytes(count),
            Event::Table { schema, name, bytes } => self.table(schema, name, bytes),
            Event::Loading { .. } | Event::Building { .. } | Event::Loaded { .. } => self.fill(event),
            Event::Using { target, what } => self.ui.detail(format!("{target}: {what}")),
            Event::Dumped { target, bytes, table_bytes, duration_ms } => {
                self.finish();
                self.tell(&Progress::Dumped { target, bytes, table_bytes, duration_ms });
            }
            Event::Dumping { target, tables, bytes } => {
                self.begin(Ui::bytes, format!("dumping {target}"), Work::Bytes(Dump::new(target, tables, bytes)));
                self.tell(&Progress::Dumping { target, tables, table_bytes: bytes });
            }
            Event::Checking { file } => {
                self.begin(Ui::bytes, format!("checking {file}"), Work::Bytes(Dump::default()));
                self.tell(&Progress::Checking { file });
            }
            Event::RemovedSnapshot { snapshot, collection } => {
                self.ui.detail(format!("deleted {snapshot} of {collection}, which a killed backup had left"));
            }
            Event::Removing { set } => {
                self.turn(format!("removing {set}"));
                self.tell(&Progress::Removing { set: set.as_str() });
            }
            Event::Restoring { database } => {
                self.turn(format!("restoring {database}"));
                self.tell(&Progress::Restoring { database });
            }
            Event::Filling { database, tables, rows, builds } => {
                let work = Work::Rows(Fill::new(database, tables, rows, builds));
                self.begin(Ui::spinner, format!("restoring {database}"), work);
                self.tell(&Progress::Filling { database, tables, rows, builds });
            }
            Event::Analyzing { database } => {
                self.turn(format!("analyzing {database}"));
                self.tell(&Progress::Analyzing { database });
            }
            Event::Comparing { database } => {
                self.turn(format!("comparing the rows of {database}"));
                self.tell(&Progress::Comparing { database });
            }
        }
    }

    fn turn(&mut self, message: String) {
        self.begin(Ui::spinner, message, Work::Bytes(Dump::default()));
    }

    /// The bar before it is gone before the next is drawn, which would begin below it.
    fn begin(&mut self, bar: fn(&Ui, String) -> ProgressBar, message: String, work: Work) {
        self.finish();
        (self.bar, self.work, self.told) = (bar(self.ui, message), work, Instant::now());
    }

    fn table(&mut self, schema: &str, table: &str, bytes: u64) {
        let Work::Bytes(dump) = &mut self.work else { return };
        dump.begin_table(bytes);
        self.bar.set_message(dump.line());
        let Dump { target, tables, tables_begun: number, .. } = dump;
        self.ui.event(&Progress::Table { target, schema, table, number: *number, tables: *tables });
    }

    fn bytes(&mut self, count: u64) {
        self.bar.inc(count);
        let Work::Bytes(dump) = &mut self.work else { return };
        dump.estimate.write(count);
        if self.told.elapsed() < EVERY {
            return;
        }
        self.told = Instant::now();
        if dump.tables > 0 {
            self.bar.set_message(dump.line());
        }
        self.ui.event(&dump.progress());
    }

    fn fill(&mut self, event: Event<'_>) {
        let Work::Rows(fill) = &mut self.work else { return };
        match event {
            Event::Loading { table } => {
                fill.tables_begun += 1;
                let Fill { database, tables, tables_begun: number, .. } = fill;
                self.ui.event(&Progress::Loading { database, table, number: *number, tables: *tables });
            }
            Event::Building { kind, name } => {
                fill.builds_begun += 1;
                let Fill { database, builds, builds_begun: number, .. } = fill;
                self.ui.event(&Progress::Building { database, kind, name, number: *number, builds: *builds });
            }
            Event::Loaded { rows } => {
                fill.loaded = rows;
                self.ui.event(&fill.progress());
            }
            _ => return,
        }
        self.bar.set_message(printable(&fill.line()));
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
