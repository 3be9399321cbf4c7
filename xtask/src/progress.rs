//! What the driver says while it works: one line that changes on a terminal, one line a step elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::Error;
use comfy_table::Table;
use indicatif::{ProgressBar, ProgressDrawTarget};

/// The step that is under way.
pub(crate) struct Progress {
    bar: ProgressBar,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::new_spinner();
        bar.set_draw_target(target);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, is_terminal }
    }

    /// Names the next step.
    pub(crate) fn step(&self, text: &str) {
        self.bar.set_message(text.to_owned());
        if !self.is_terminal {
            error_line(text);
        }
    }

    /// Says more about the step, where the line can change.
    pub(crate) fn detail(&self, text: String) {
        self.bar.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The last word when something failed: the error, its causes, and the hint if one of them has it.
pub(crate) fn failure(error: &Error) {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  {}", cause.to_string().replace('\n', "\n  ")));
    }
    // A hint further down the chain stands at the beginning of a line all the same.
    error_line(&text.replace("\n  hint: ", "\nhint: "));
}

/// A line on stderr.
pub(crate) fn error_line(text: &str) {
    // Nobody can be told that nobody can be told.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Text on stdout: what the command was asked for.
pub(crate) fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Columns aligned by two spaces.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
