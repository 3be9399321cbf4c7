//! The one place that writes to the terminal: data to stdout, everything else to stderr.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use serde::Serialize;

use crate::failure::{Failure, Result};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const STRONG: Style = Style::new().bold();

/// What turns at the same time, each on a line of its own: drawn apart, two would write over each other.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Whether the reader of stdout went away, as `head` does. What is being done goes on, and its exit code counts.
static IS_UNREAD: AtomicBool = AtomicBool::new(false);

/// How the user wants to be talked to.
#[derive(Debug, Clone)]
pub(crate) struct Ui {
    /// One JSON document on stdout and nothing else.
    pub(crate) json: bool,
    /// Below 0 only errors, above 0 details too.
    pub(crate) verbosity: i8,
    /// Confirmations are answered with yes.
    pub(crate) yes: bool,
    /// Progress may be shown, if stderr is a terminal.
    pub(crate) progress: bool,
    /// Stderr is for a script: one JSON object a line.
    pub(crate) events: bool,
}

/// A line of text among events.
#[derive(Serialize)]
#[serde(tag = "event", rename = "message")]
struct Message {
    /// As with `-v`: 0 is for everyone, 1 for those who want details.
    level: i8,
    text: String,
}

fn written(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            IS_UNREAD.store(true, Ordering::Relaxed);
            Ok(())
        }
        result => Ok(result?),
    }
}

/// `3 revisions`, `1 revision`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Text in a style; colours are dropped where they are not wanted.
pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

impl Ui {
    /// A line of what the command was asked for. Silent under `--json`.
    pub(crate) fn data(&self, line: impl Display) -> Result<()> {
        if self.json {
            return Ok(());
        }
        let line = line.to_string();
        written(writeln!(anstream::stdout(), "{}", shown(&line, io::stdout().is_terminal())))
    }

    /// A text of a program's own, such as a script.
    pub(crate) fn text(&self, bytes: &[u8]) -> Result<()> {
        written(io::stdout().write_all(bytes))
    }

    /// A script or a drawing, byte for byte: what looks like a colour in a literal belongs to it, and is not taken out
    /// where colours are not wanted. Only a terminal, which would obey it, gets it as an escape. Silent under `--json`.
    pub(crate) fn script(&self, script: &str) -> Result<()> {
        if self.json {
            return Ok(());
        }
        let is_terminal = io::stdout().is_terminal();
        let script = if is_terminal { Cow::Owned(printable_lines(script)) } else { Cow::Borrowed(script) };
        written(writeln!(io::stdout(), "{script}"))
    }

    /// The one document of `--json`. Silent otherwise.
    pub(crate) fn document(&self, value: &impl Serialize) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(value)?;
        written(writeln!(io::stdout(), "{text}"))
    }

    /// Whether nobody reads stdout any more: the end of what goes on for as long as somebody does.
    pub(crate) fn is_unread() -> bool {
        IS_UNREAD.load(Ordering::Relaxed)
    }

    /// A line about what is being done, on stderr.
    pub(crate) fn status(&self, line: impl Display) {
        self.chatter(0, line);
    }

    /// A line for those who asked with `-v`.
    pub(crate) fn detail(&self, line: impl Display) {
        self.chatter(1, paint(FAINT, line));
    }

    /// Something the user should know although the command goes on.
    pub(crate) fn warn(&self, line: impl Display) {
        self.chatter(0, format!("{} {line}", paint(WARN, "warning:")));
    }

    fn chatter(&self, level: i8, line: impl Display) {
        if self.events {
            let text = anstream::adapter::strip_str(&line.to_string()).to_string();
            return self.event(&Message { level, text });
        }
        if self.verbosity >= level {
            say(&line.to_string());
        }
    }

    /// Something that happened, for a script that reads stderr; silent unless one does.
    pub(crate) fn event(&self, value: &impl Serialize) {
        if self.events
            && let Ok(text) = serde_json::to_string(value)
        {
            // With stderr gone there is nobody to tell.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// A line of data, broken between words where the terminal ends, the rest indented by so many columns.
    pub(crate) fn paragraph(&self, indent: usize, text: impl Display) -> Result<()> {
        self.data(fitted(&text.to_string(), indent))
    }

    /// A table without borders that fits the terminal, headings first.
    pub(crate) fn table(&self, headings: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
        self.data(table(headings, rows))
    }

    /// Asks before something that cannot be undone; without a terminal and `--yes` it refuses.
    pub(crate) async fn confirm(&self, question: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        if !self.can_ask() {
            return Err(Failure::refused(format!("not done: {question}")).with_hint("pass --yes to go ahead"));
        }
        if answer(question).await? { Ok(()) } else { Err(Failure::refused("not done")) }
    }

    /// Asks what only people know, whatever `--yes` says; nothing without a terminal.
    pub(crate) async fn ask(&self, question: &str) -> Result<Option<bool>> {
        if self.can_ask() { Ok(Some(answer(question).await?)) } else { Ok(None) }
    }

    fn can_ask(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Something that turns while work is under way; invisible without a terminal.
    pub(crate) fn spinner(&self, message: impl Into<String>) -> ProgressBar {
        if !self.shows_progress() {
            return ProgressBar::hidden();
        }
        let bar = BARS.add(ProgressBar::new_spinner().with_message(printable(&message.into())));
        // The message is cut to what the line has room for.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// A count of bytes with its rate; invisible without a terminal.
    pub(crate) fn bytes(&self, message: impl Into<String>) -> ProgressBar {
        let bar = self.spinner(message);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}  {bytes}  {bytes_per_sec}  {elapsed}") {
            bar.set_style(style);
        }
        bar
    }

    /// Bytes out of a total with their rate and the time left; invisible without a terminal.
    pub(crate) fn transfer(&self, message: impl Into<String>, total: u64) -> ProgressBar {
        let bar = self.spinner(message);
        bar.set_length(total);
        let template = "{spinner} {wide_msg}  {bar:12} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar
    }

    /// Rows out of a total with their rate and the time left; invisible without a terminal.
    pub(crate) fn rows(&self, message: impl Into<String>, total: u64) -> ProgressBar {
        self.counted(message, total, "rows")
    }

    /// The same of points.
    pub(crate) fn points(&self, message: impl Into<String>, total: u64) -> ProgressBar {
        self.counted(message, total, "points")
    }

    fn counted(&self, message: impl Into<String>, total: u64, unit: &str) -> ProgressBar {
        let bar = self.spinner(message);
        bar.set_length(total);
        let template = format!(
            "{{spinner}} {{wide_msg}}  {{bar:12}} {{human_pos}}/{{human_len}} {unit}  {{rate}}/s  {{eta}} left"
        );
        if let Ok(style) = ProgressStyle::with_template(&template) {
            let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
                let _ = write!(text, "{:.0}", state.per_sec());
            };
            bar.set_style(style.with_key("rate", rate));
        }
        bar
    }

    fn shows_progress(&self) -> bool {
        self.progress && !self.json && self.verbosity >= 0 && io::stderr().is_terminal()
    }

    /// The last word when something failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            // Nothing more can be done for a reader that went away.
            let _ = self.document(&ErrorDocument { error: failure.into() });
            return;
        }
        say(&told(failure));
    }

    /// Part of the work failed, and the command goes on with the rest. The document of `--json` is still to come.
    pub(crate) fn failed_part(&self, failure: &Failure) {
        if self.events {
            return self.chatter(0, told(failure));
        }
        say(&told(failure));
    }
}

/// A line on stderr.
fn say(line: &str) {
    // With stderr gone there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "{}", shown(line, io::stderr().is_terminal()));
}

/// What colours begin and end with.
const COLOURS: [&str; 6] = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];

/// A text as it goes to a stream: a terminal would obey what is in names and messages, so that there only colours are
/// left of what it obeys.
fn shown(text: &str, is_terminal: bool) -> Cow<'_, str> {
    if !is_terminal {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, from) = rest.split_at(at);
        shown.push_str(&printable_lines(before));
        let colour = COLOURS.into_iter().find(|colour| from.starts_with(colour));
        shown.push_str(colour.unwrap_or("\\u{1b}"));
        rest = &from[colour.map_or(1, str::len)..];
    }
    shown.push_str(&printable_lines(rest));
    Cow::Owned(shown)
}

/// What is drawn on one line: line breaks and the like, which names may have, are written as they are in Rust.
pub(crate) fn printable(text: &str) -> String {
    escaped(text, &[])
}

/// The same of what may have several lines.
pub(crate) fn printable_lines(text: &str) -> String {
    escaped(text, &['\n', '\t'])
}

fn escaped(text: &str, stay: &[char]) -> String {
    let escaped =
        |c: char| if c.is_control() && !stay.contains(&c) { c.escape_default().to_string() } else { c.into() };
    text.chars().map(escaped).collect()
}

/// Ends the line of a question that nobody answers any more.
struct Unanswered(bool);

impl Drop for Unanswered {
    fn drop(&mut self) {
        if self.0 {
            // With stderr gone there is nobody to tell.
            let _ = writeln!(anstream::stderr());
        }
    }
}

/// Whether a question is answered with yes.
async fn answer(question: &str) -> Result<bool> {
    write!(anstream::stderr(), "{} [y/N] ", shown(question, io::stderr().is_terminal()))?;
    let mut line = Unanswered(true);
    // Apart from the runtime, which listens for Ctrl-C meanwhile. A thread that still waits ends with the process.
    let (sender, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        drop(sender.send(read.map(|_| line)));
    });
    let answer = answer.await.map_err(io::Error::other)??;
    line.0 = false;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The columns of the terminal that data goes to. The size may be that of another stream's terminal; whoever reads a pipe
/// wants a line for each row.
fn width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal())?;
    Some(width.0.into())
}

/// A line of data broken where the terminal ends, where it goes to one.
pub(crate) fn fitted(text: &str, indent: usize) -> String {
    wrapped(text, indent, width().unwrap_or(usize::MAX))
}

/// Breaks a line at its spaces; colours take no room.
fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut broken = String::new();
    let mut column = 0;
    for (index, word) in text.split(' ').enumerate() {
        let length = anstream::adapter::strip_str(word).to_string().chars().count();
        if index > 0 && column + 1 + length > width && column > indent {
            broken.push('\n');
            broken.push_str(&" ".repeat(indent));
            column = indent;
        } else if index > 0 {
            broken.push(' ');
            column += 1;
        }
        broken.push_str(word);
        column += length;
    }
    broken
}

/// Columns aligned by two spaces, wrapped to the terminal's width when there is one.
pub(crate) fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width().and_then(|width| u16::try_from(width).ok()) {
        table.set_width(width);
    }
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // Names stay in one piece; what is said of them wraps.
    if let Some(names) = table.column_mut(0) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// An error with its causes and its hint, a line each.
fn told(failure: &Failure) -> String {
    let mut text = format!("{} {}", paint(BAD, "error:"), failure.error);
    for cause in failure.error.chain().skip(1) {
        text.push_str(&format!("\n  {}", cause.to_string().replace('\n', "\n  ")));
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n{} {hint}", paint(STRONG, "hint:")));
    }
    text
}

#[derive(Serialize)]
struct ErrorDocument {
    error: ErrorBody,
}

/// A failure in a document.
#[derive(Serialize)]
pub(crate) struct ErrorBody {
    kind: &'static str,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl From<&Failure> for ErrorBody {
    fn from(failure: &Failure) -> Self {
        Self {
            kind: failure.kind.name(),
            message: failure.error.to_string(),
            causes: failure.error.chain().skip(1).map(ToString::to_string).collect(),
            hint: failure.hint.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BAD, COLOURS, FAINT, GOOD, STRONG, WARN, paint, shown, wrapped};

    #[test]
    fn lines_break_between_words_and_colours_take_no_room() {
        let red = paint(BAD, "red");
        let cases = [
            ("one two three".to_owned(), 2, 80, "one two three".to_owned()),
            ("one two three".to_owned(), 2, 7, "one two\n  three".to_owned()),
            ("  a  b c".to_owned(), 5, 7, "  a  b\n     c".to_owned()),
            (format!("one {red} x"), 2, 9, format!("one {red} x")),
            ("a-word-that-is-too-long b".to_owned(), 2, 5, "a-word-that-is-too-long\n  b".to_owned()),
        ];
        for (text, indent, width, expected) in cases {
            assert_eq!(wrapped(&text, indent, width), expected, "{text}");
        }
    }

    #[test]
    fn a_terminal_gets_colours_and_nothing_else_that_it_obeys() {
        let cases = [
            ("plain\n\ttext é", "plain\n\ttext é"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("a\r\u{1b}[2J\u{9b}2J\u{1b}", "a\\r\\u{1b}[2J\\u{9b}2J\\u{1b}"),
            ("\u{1b}[1mbold\u{1b}[0m\u{1b}[8mhidden", "\u{1b}[1mbold\u{1b}[0m\\u{1b}[8mhidden"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text, true), expected);
            assert_eq!(shown(text, false), text);
        }
        for style in [GOOD, BAD, WARN, FAINT, STRONG] {
            let painted = paint(style, "text");
            assert_eq!(shown(&painted, true), painted, "{COLOURS:?}");
        }
    }
}
