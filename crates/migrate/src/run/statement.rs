//! One statement: sent to the server, and its failure traced to its place in the file.

use dbops_postgres::SqlError;
use dbops_postgres::tokio_postgres::SimpleQueryMessage;
use unicode_width::UnicodeWidthChar;

use crate::error::StatementError;
use crate::{Error, Revision, Session, Statement};

impl Session {
    /// Runs SQL of a revision's and drops what it returns.
    pub(super) async fn send(&self, sql: &str) -> Result<(), SqlError> {
        self.is_used();
        self.client.batch_execute(sql).await.map_err(SqlError::from)
    }

    /// Runs SQL of dbops' own.
    pub(crate) async fn execute(&self, sql: &str, doing: &'static str) -> Result<(), Error> {
        self.client.batch_execute(sql).await.map_err(|error| Error::sql(doing, error))
    }

    /// The rows of a query of dbops' own, as text; NULL is empty.
    pub(super) async fn rows_of(&self, sql: &str, doing: &'static str) -> Result<Vec<Vec<String>>, Error> {
        self.query(sql).await.map_err(|error| Error::sql(doing, error))
    }

    /// The same for those that give the server's error on.
    pub(super) async fn query(&self, sql: &str) -> Result<Vec<Vec<String>>, SqlError> {
        let messages = self.client.simple_query(sql).await.map_err(SqlError::from)?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    pub(super) async fn roll_back(&self) {
        // The server rolls back by itself when the connection is gone.
        drop(self.client.batch_execute("ROLLBACK").await);
    }
}

/// Whether a statement leaves the session as it found it: the plain definitions of which migrations are mostly made.
/// Of all others, and of those that mention temporary objects, settings or queries, it is not known.
pub(super) fn leaves_session(revision: &Revision, statement: &Statement) -> bool {
    let words: Vec<_> = statement.words.iter().map(String::as_str).collect();
    let is_plain = matches!(
        words[..],
        ["CREATE", "TABLE" | "INDEX" | "UNIQUE" | "TYPE" | "SEQUENCE", ..]
            | ["ALTER", "TABLE" | "INDEX" | "TYPE" | "SEQUENCE" | "VIEW", ..]
            | ["DROP", "TABLE" | "INDEX" | "TYPE" | "SEQUENCE" | "VIEW" | "FUNCTION", ..]
            | ["COMMENT", ..]
    );
    let sql = revision.sql(statement).to_ascii_lowercase();
    is_plain && !["temp", "config", "select", "execute"].iter().any(|word| sql.contains(word))
}

/// A failed statement's error. `byte` is where in the file the server points at, else the statement's beginning;
/// `before` counts the statements that took effect, in a revision without a transaction.
pub(super) fn failure(
    revision: &Revision,
    statement: &Statement,
    error: SqlError,
    byte: Option<usize>,
    before: Option<usize>,
) -> Error {
    let (line, column) = revision.place(byte.unwrap_or_else(|| origin(revision, statement, &error)));
    Error::Statement(Box::new(StatementError {
        revision: revision.id.clone(),
        path: revision.path.clone(),
        line,
        column,
        excerpt: excerpt(&revision.text, line, column),
        error,
        applied_before: before,
    }))
}

/// The byte of the file that the server points at in a statement that was sent as it is.
fn origin(revision: &Revision, statement: &Statement, error: &SqlError) -> usize {
    statement.start + byte_of(revision.sql(statement), error).unwrap_or(0)
}

/// The byte of the SQL that the server points at.
pub(super) fn byte_of(sql: &str, error: &SqlError) -> Option<usize> {
    error.position.and_then(|position| sql.char_indices().nth(position)).map(|(byte, _)| byte)
}

/// The line with its number and a caret under the column; a long line is cut around it.
fn excerpt(text: &str, line: usize, column: usize) -> String {
    const WIDTH: usize = 72;
    // A tab is as wide as the terminal likes, and a control character may do anything.
    let plain = |c: char| if c.is_whitespace() || c.is_control() { ' ' } else { c };
    let full: Vec<char> = text.lines().nth(line - 1).unwrap_or_default().chars().map(plain).collect();
    let width = |chars: &[char]| chars.iter().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let caret = (column - 1).min(full.len());
    let before = if width(&full) <= WIDTH { WIDTH } else { WIDTH / 2 };
    let mut first = caret;
    while first > 0 && width(&full[first - 1..caret]) <= before {
        first -= 1;
    }
    let mut end = caret;
    while end < full.len() && width(&full[first..=end]) <= WIDTH {
        end += 1;
    }
    let shown: String = full[first..end].iter().collect();
    let number = line.to_string();
    let indent = " ".repeat(width(&full[first..caret]));
    format!("{number} | {shown}\n{} | {indent}^", " ".repeat(number.len()))
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_caret_is_under_its_character() {
        let long = format!("{}x{}", "a".repeat(100), "b".repeat(100));
        let cases = [
            ("SELECT 1 FRM t", 10, "1 | SELECT 1 FRM t\n  |          ^".to_owned()),
            ("\tSELECT x", 9, "1 |  SELECT x\n  |         ^".to_owned()),
            // Two columns each, and an accent of its own that takes none.
            ("'用户' e\u{301} x", 9, "1 | '用户' e\u{301} x\n  |          ^".to_owned()),
            ("\u{1b}[2J x", 6, "1 |  [2J x\n  |      ^".to_owned()),
            (&long, 101, format!("1 | {}x{}\n  | {}^", "a".repeat(36), "b".repeat(35), " ".repeat(36))),
            ("", 1, "1 | \n  | ^".to_owned()),
            ("SELECT (", 9, "1 | SELECT (\n  |         ^".to_owned()),
        ];
        for (text, column, expected) in cases {
            assert_eq!(excerpt(text, 1, column), expected, "{text}");
        }
    }
}
