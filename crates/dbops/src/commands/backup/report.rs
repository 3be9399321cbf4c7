//! How backups and restores are told: progress, times, revisions.

use std::time::Duration;

use dbops_backup::Event;
use indicatif::{HumanDuration, ProgressBar};
use jiff::Timestamp;
use jiff::tz::TimeZone;

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

/// Shows what happens as one bar for each file or database.
pub(crate) struct Reporter<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(ui: &'a Ui) -> Self {
        Self { ui, bar: ProgressBar::hidden() }
    }

    pub(crate) fn event(&mut self, event: Event<'_>) {
        let started = match event {
            Event::Bytes(count) => return self.bar.inc(count),
            Event::Dumping { target } => self.ui.bytes(format!("dumping {target}")),
            Event::Checking { file } => self.ui.bytes(format!("checking {file}")),
            Event::Removing { set } => self.ui.spinner(format!("removing {set}")),
            Event::Restoring { database } => self.ui.spinner(format!("restoring {database}")),
            Event::Analyzing { database } => self.ui.spinner(format!("analyzing {database}")),
        };
        self.finish();
        self.bar = started;
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
