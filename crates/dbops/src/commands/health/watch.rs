//! `--watch`: the same again and again, in place on a terminal, and as lines of what changed in a pipe.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use dbops_health::{Finding, Status};

use super::report::report;
use super::{Outcome, Round, document, formats, write_whole};
use crate::failure::Result;
use crate::ui::Ui;

/// The terminal's other screen; what was on it before comes back however the watch ends.
struct OtherScreen;

impl OtherScreen {
    fn enter() -> io::Result<Self> {
        write!(anstream::stdout(), "\x1b[?1049h\x1b[?25l")?;
        Ok(Self)
    }

    fn draw(text: &str) -> io::Result<()> {
        let mut stdout = anstream::stdout();
        // Line by line over what stands there: clearing first would flicker.
        write!(stdout, "\x1b[H{}\x1b[K\x1b[J", text.replace('\n', "\x1b[K\n"))?;
        stdout.flush()
    }
}

impl Drop for OtherScreen {
    fn drop(&mut self) {
        let mut stdout = io::stdout();
        // With the terminal gone there is nothing to restore.
        let _ = write!(stdout, "\x1b[?25h\x1b[?1049l").and_then(|()| stdout.flush());
    }
}

/// Ends with an interruption, or when nobody reads any more.
pub(super) async fn watch(ui: &Ui, round: &Round<'_>, every: Duration, textfile: Option<&Path>) -> Result<Outcome> {
    let screen = if io::stdout().is_terminal() && !ui.json { Some(OtherScreen::enter()?) } else { None };
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut before = BTreeMap::new();
    loop {
        ticks.tick().await;
        let findings = round.findings().await;
        if let Some(path) = textfile {
            write_whole(path, &formats::prometheus(&findings))?;
        }
        if screen.is_some() {
            let time = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
            OtherScreen::draw(&format!(
                "{time}, every {} s\n\n{}",
                every.as_secs(),
                report(&findings, ui.verbosity > 0)
            ))?;
        } else {
            ui.document(&document(&findings))?;
            for line in changes(&mut before, &findings) {
                ui.data(line)?;
            }
            if Ui::is_unread() {
                return Ok(Outcome::Done);
            }
        }
    }
}

/// The findings whose status is another than before; at first those that are not ok.
fn changes(before: &mut BTreeMap<(String, &'static str), Status>, findings: &[Finding]) -> Vec<String> {
    let mut lines = Vec::new();
    for finding in findings {
        let key = (finding.target.clone(), finding.id);
        let earlier = before.insert(key, finding.status).unwrap_or(Status::Ok);
        if earlier != finding.status {
            let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            lines.push(format!(
                "{time} {} {} {}: {}",
                finding.status.name(),
                finding.target,
                finding.id,
                finding.summary
            ));
        }
    }
    lines
}
