//! The revision file format: a header of `-- key: value` lines, then `-- +up` and `-- +down` with SQL.

use std::ops::Range;
use std::path::Path;

use squawk_lexer::{TokenKind, tokenize};

use crate::batch::{Batch, is_begin, is_end};
use crate::error::FileError;
use crate::revision::{Revision, Section, Settings, place};
use crate::statements::{Statement, objection, split, unterminated};

/// Makes an error that names the line of a byte, with a hint.
type Fail<'a> = dyn Fn(usize, String, Option<&str>) -> FileError + 'a;

/// The width of Alembic's version column.
const LONGEST_ID: usize = 32;

/// The keys of a header.
const KEYS: [&str; 10] = [
    "revision",
    "revises",
    "branch_labels",
    "depends_on",
    "message",
    "created",
    "transaction",
    "lock_timeout",
    "statement_timeout",
    "stub",
];

/// Reads the text of a revision file; the path is for messages.
///
/// # Errors
///
/// When the text is not a revision's.
pub fn parse(path: &Path, text: &str) -> Result<Revision, FileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let fail = |byte: usize, message: String, hint: Option<&str>| FileError {
        path: path.to_path_buf(),
        line: place(text, byte).0,
        message,
        hint: hint.map(Into::into),
    };
    if let Some((byte, what)) = unterminated(text) {
        return Err(fail(
            byte,
            format!("this {what} is never closed"),
            Some("write its end, or double a quote inside it"),
        ));
    }
    let mut header = Header::default();
    let mut markers: Vec<(usize, usize, &str)> = Vec::new();
    let mut blocks = Blocks::default();
    let mut position = 0;
    for token in tokenize(text) {
        let start = position;
        position += token.len as usize;
        let is_line_start = start == 0 || text[..start].ends_with('\n');
        let content = &text[start..position];
        match token.kind {
            TokenKind::LineComment if let Some(name) = marker(content) => {
                if !is_line_start || content.trim_end() != format!("-- +{name}") {
                    // Taken for a comment, it would let the statements below run in the wrong section.
                    let message = format!("`{}` is no section, and looks like one", content.trim());
                    let hint = format!("write `-- +{name}` at the beginning of the line, or put the comment otherwise");
                    return Err(fail(start, message, Some(&hint)));
                }
                if markers.iter().any(|(_, _, other)| *other == name) {
                    return Err(fail(start, format!("`-- +{name}` is there twice"), None));
                }
                blocks.end(&fail)?;
                markers.push((start, position, name));
            }
            TokenKind::LineComment
                if is_line_start && (is_begin(content) || is_end(content)) && !markers.is_empty() =>
            {
                blocks.read(content, start, &fail)?;
            }
            TokenKind::LineComment if is_line_start && content.starts_with("-- +") => {
                let message = format!("`{}` is not a section", content.trim_end());
                return Err(fail(start, message, Some("write `-- +up`, `-- +down`, `-- +batch` or `-- +end`")));
            }
            TokenKind::LineComment if markers.is_empty() => header.read(content, start, &fail)?,
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Eof => {}
            _ if markers.is_empty() => {
                let hint = "begin with the header (`-- revision: …`), then `-- +up`";
                return Err(fail(start, "SQL before `-- +up`".into(), Some(hint)));
            }
            _ => {}
        }
    }

    blocks.end(&fail)?;
    let section = |name: &str| -> Result<Option<Section>, FileError> {
        let Some(index) = markers.iter().position(|(_, _, other)| *other == name) else { return Ok(None) };
        let start = markers[index].1;
        let end = markers.get(index + 1).map_or(text.len(), |next| next.0);
        if name == "down" && text[start..end].trim().is_empty() {
            // Nobody wrote what undoes the revision. A comment says that there is nothing to undo.
            return Ok(None);
        }
        let mut statements = split(&text[start..end]);
        for statement in &mut statements {
            (statement.start, statement.end) = (statement.start + start, statement.end + start);
        }
        blocks.attach(text, start..end, &mut statements, header.settings.transaction, &fail)?;
        for statement in &statements {
            if let Some((message, hint)) = objection(text, statement, header.settings.transaction) {
                return Err(fail(statement.start, message.into(), Some(hint)));
            }
        }
        Ok(Some(Section { statements }))
    };
    let id = header.id.clone().ok_or_else(|| {
        fail(
            0,
            "the header has no `-- revision:` line".into(),
            Some("`dbops migrate revision -m MESSAGE` writes a file to start from"),
        )
    })?;
    let up = section("up")?
        .ok_or_else(|| fail(text.len(), "there is no `-- +up` line".into(), Some("write the SQL under `-- +up`")))?;
    let down = section("down")?;
    Ok(Revision {
        id,
        revises: header.revises,
        depends_on: header.depends_on,
        branch_labels: header.branch_labels,
        message: header.message,
        created: header.created,
        settings: header.settings,
        stub: header.stub,
        path: path.to_path_buf(),
        text: text.to_owned(),
        up,
        down,
    })
}

/// `up` or `down` if a comment is a section's marker, or means to be one.
fn marker(comment: &str) -> Option<&'static str> {
    let word = comment.trim_start_matches('-').trim().trim_start_matches('+').trim();
    ["up", "down"].into_iter().find(|name| word.trim_end_matches(':').eq_ignore_ascii_case(name))
}

/// Batch blocks: where they begin and end, and what they say.
#[derive(Default)]
struct Blocks {
    found: Vec<(Range<usize>, Batch)>,
    open: Option<(usize, Batch)>,
}

impl Blocks {
    fn read(&mut self, comment: &str, start: usize, fail: &Fail<'_>) -> Result<(), FileError> {
        if is_end(comment) {
            let hint = Some("a block begins with `-- +batch table=NAME key=COLUMN`");
            let (begin, batch) = self.open.take().ok_or_else(|| fail(start, "no block is open here".into(), hint))?;
            self.found.push((begin..start, batch));
            return Ok(());
        }
        if self.open.is_some() {
            return Err(fail(start, "a block inside a block".into(), Some("write `-- +end` before it")));
        }
        let hint = Some("as in `-- +batch table=users key=id size=5000 pause=100ms`");
        let batch = Batch::parse(comment.trim_end()).map_err(|problem| fail(start, problem, hint))?;
        self.open = Some((start, batch));
        Ok(())
    }

    fn end(&self, fail: &Fail<'_>) -> Result<(), FileError> {
        match &self.open {
            Some((start, _)) => {
                Err(fail(*start, "this block does not end".into(), Some("write `-- +end` after its statement")))
            }
            None => Ok(()),
        }
    }

    /// Gives the statement in each block of a section what the block says.
    fn attach(
        &self,
        text: &str,
        section: Range<usize>,
        statements: &mut [Statement],
        in_transaction: bool,
        fail: &Fail<'_>,
    ) -> Result<(), FileError> {
        for (block, batch) in self.found.iter().filter(|(block, _)| section.contains(&block.start)) {
            let inside = |statement: &Statement| block.contains(&statement.start);
            let mut within = statements.iter_mut().filter(|statement| inside(statement));
            let (Some(statement), None) = (within.next(), within.next()) else {
                return Err(fail(block.start, "a block has one statement".into(), Some("write a block for each")));
            };
            if in_transaction {
                let hint = "write `-- transaction: off` in the header: each batch commits by itself";
                return Err(fail(block.start, "batches in a revision with one transaction".into(), Some(hint)));
            }
            let mut batch = batch.clone();
            batch.find_places(text, statement);
            if !batch.has_places() {
                let hint = "add `dbops_batch(NAME)` to its condition, NAME being the table's name or alias there";
                return Err(fail(
                    statement.start,
                    "the statement does not say which rows are the batch's".into(),
                    Some(hint),
                ));
            }
            statement.batch = Some(batch);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Header {
    id: Option<String>,
    revises: Vec<String>,
    depends_on: Vec<String>,
    branch_labels: Vec<String>,
    message: String,
    created: String,
    settings: Settings,
    stub: Option<String>,
    seen: Vec<String>,
}

impl Header {
    /// Takes one comment line before `-- +up`; a line without `key:` is a comment like any other.
    fn read(&mut self, line: &str, start: usize, fail: &Fail<'_>) -> Result<(), FileError> {
        let Some((key, value)) = line.trim_start_matches('-').split_once(':') else { return Ok(()) };
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Ok(());
        }
        if self.seen.iter().any(|other| other == key) {
            return Err(fail(start, format!("`{key}` is there twice"), None));
        }
        self.seen.push(key.to_owned());
        let list = || value.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        match key {
            "revision" => {
                if let Some(problem) = id_problem(value) {
                    return Err(fail(start, format!("`{value}` cannot be a revision's id: {problem}"), None));
                }
                self.id = Some(value.to_owned());
            }
            "revises" => self.revises = list(),
            "depends_on" => self.depends_on = list(),
            "branch_labels" => {
                self.branch_labels = list();
                let wrong = self.branch_labels.iter().find_map(|label| Some((label, label_problem(label)?)));
                if let Some((label, problem)) = wrong {
                    let hint = Some("use letters, digits, `_`, `-` and `.`");
                    return Err(fail(start, format!("`{label}` cannot be a branch label: {problem}"), hint));
                }
            }
            "message" => self.message = value.to_owned(),
            "stub" => self.stub = Some(value.to_owned()),
            "created" => self.created = value.to_owned(),
            "transaction" => {
                self.settings.shared = value == "shared";
                self.settings.transaction = match value {
                    "on" | "shared" => true,
                    "off" => false,
                    _ => {
                        return Err(fail(
                            start,
                            format!("transaction is `on`, `off` or `shared`, not `{value}`"),
                            None,
                        ));
                    }
                }
            }
            "lock_timeout" | "statement_timeout" => {
                if !is_duration(value) {
                    let hint = "write a number with ms, s, min or h; 0 for no limit";
                    return Err(fail(start, format!("`{value}` is not a length of time"), Some(hint)));
                }
                let setting = if key == "lock_timeout" {
                    &mut self.settings.lock_timeout
                } else {
                    &mut self.settings.statement_timeout
                };
                *setting = Some(value.to_owned());
            }
            _ => {
                let nearest = KEYS.iter().find(|known| strsim::damerau_levenshtein(known, key) <= 2);
                if let Some(nearest) = nearest {
                    let hint = format!("did you mean `{nearest}`? Another comment may stand below `-- +up`");
                    return Err(fail(start, format!("`{key}` is not a key of the header"), Some(&hint)));
                }
            }
        }
        Ok(())
    }
}

/// Why a text cannot be a branch label. As in Alembic, more characters may stand in one than in an id.
pub(crate) fn label_problem(label: &str) -> Option<&'static str> {
    if label.contains(['@', '+', ':']) {
        Some("`@`, `+` and `:` have a meaning in requests")
    } else {
        id_problem(&label.replace('-', "_")).filter(|_| label.len() <= LONGEST_ID)
    }
}

/// Why a text cannot be a revision's id.
pub(crate) fn id_problem(id: &str) -> Option<&'static str> {
    if id.is_empty() {
        Some("it is empty")
    } else if id.len() > LONGEST_ID {
        Some("the version table has room for 32 characters")
    } else if id.contains(['@', '-', '+', ':']) {
        Some("`@`, `-`, `+` and `:` have a meaning in requests")
    } else if id.contains(|c: char| c.is_whitespace() || c == ',' || c.is_control()) {
        Some("it is not one word")
    } else if matches!(id, "head" | "heads" | "base" | "current") {
        Some("the word has a meaning in requests")
    } else {
        None
    }
}

/// Whether PostgreSQL takes a value for a timeout.
#[must_use]
pub fn is_duration(text: &str) -> bool {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let unit = text[digits.len()..].trim();
    let digits = digits.trim();
    !digits.is_empty()
        && digits.len() < 10
        && digits.chars().all(|c| c.is_ascii_digit())
        && matches!(unit, "" | "ms" | "s" | "min" | "h")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::parse;

    const GOOD: &str = "\u{feff}-- revision: 8f3c2a9d41be\r\n-- revises: 1a2b, 3c4d\n-- branch_labels: billing\n\
        -- depends_on: other\n-- message: add role: column\n-- created: 2026-11-22T21:05:01Z\n-- lock_timeout: 5s\n\
        -- A comment of its own.\n\n-- +up\n-- why\nALTER TABLE users ADD COLUMN role text;\nSELECT '\n-- +down\n';\n\n\
        -- +down\nALTER TABLE users DROP COLUMN role";

    #[test]
    fn reads_header_and_sections() {
        let revision = parse(Path::new("x.sql"), GOOD).expect("good");
        assert_eq!(revision.id, "8f3c2a9d41be");
        assert_eq!(revision.revises, ["1a2b", "3c4d"]);
        assert_eq!(
            (&revision.branch_labels[..], &revision.depends_on[..]),
            (&["billing".into()][..], &["other".into()][..])
        );
        assert_eq!(revision.message, "add role: column");
        assert_eq!(revision.settings.lock_timeout.as_deref(), Some("5s"));
        let sql = |section: &crate::Section| {
            section.statements.iter().map(|s| revision.sql(s).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(sql(&revision.up), ["ALTER TABLE users ADD COLUMN role text", "SELECT '\n-- +down\n'"]);
        assert_eq!(sql(revision.down.as_ref().expect("down")), ["ALTER TABLE users DROP COLUMN role"]);
    }

    #[test]
    fn names_the_line_of_a_mistake() {
        let cases = [
            ("", "x.sql:1: the header has no `-- revision:` line"),
            ("CREATE TABLE a ();", "x.sql:1: SQL before `-- +up`"),
            ("-- revision: a\n", "x.sql:2: there is no `-- +up` line"),
            (
                "-- revision: a-b\n-- +up\n",
                "x.sql:1: `a-b` cannot be a revision's id: `@`, `-`, `+` and `:` have a meaning in requests",
            ),
            (
                "-- revision: head\n-- +up\n",
                "x.sql:1: `head` cannot be a revision's id: the word has a meaning in requests",
            ),
            ("-- revision: a\n-- revision: b\n-- +up\n", "x.sql:2: `revision` is there twice"),
            ("-- revision: a\n-- revisse: b\n-- +up\n", "x.sql:2: `revisse` is not a key of the header"),
            (
                "-- revision: a\n-- transaction: no\n-- +up\n",
                "x.sql:2: transaction is `on`, `off` or `shared`, not `no`",
            ),
            ("-- revision: a\n-- lock_timeout: soon\n-- +up\n", "x.sql:2: `soon` is not a length of time"),
            ("-- revision: a\n-- +up\n-- +up\n", "x.sql:3: `-- +up` is there twice"),
            ("-- revision: a\n-- +sideways\n", "x.sql:2: `-- +sideways` is not a section"),
            ("-- revision: a\n-- +up\nSELECT 1;\n--+down\n", "x.sql:4: `--+down` is no section, and looks like one"),
            ("-- revision: a\n-- +up\n  -- +down\n", "x.sql:3: `-- +down` is no section, and looks like one"),
            ("-- revision: a\n-- +up\n-- Down:\n", "x.sql:3: `-- Down:` is no section, and looks like one"),
            ("-- revision: a\n-- +up\nSELECT 1;\n\nCOMMIT;", "x.sql:5: a revision runs in a transaction of its own"),
            ("-- revision: a\n-- +up\nSELECT 'x;\n", "x.sql:3: this string is never closed"),
        ];
        for (text, message) in cases {
            assert_eq!(parse(Path::new("x.sql"), text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn a_way_down_is_something_that_was_written() {
        let cases = [
            ("", None),
            ("\n-- +down\n\n", None),
            ("-- +down\n-- nothing to undo\n", Some(0)),
            ("-- +down\nSELECT 1;", Some(1)),
        ];
        for (text, expected) in cases {
            let revision =
                parse(Path::new("x.sql"), &format!("-- revision: a\n-- see: the manual\n-- +up\nSELECT 1;\n{text}"));
            let down = revision.expect(text).down.map(|section| section.statements.len());
            assert_eq!(down, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "(-- (revision|revises|transaction|lock_timeout|\\+up|\\+down)?:? ?[a-z@0-9]{0,6}\n|[ -~ä\n]{0,10}){0,12}") {
            drop(parse(Path::new("x.sql"), &text));
        }
    }
}
