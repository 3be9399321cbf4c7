//! Batch blocks of revision files: a statement that runs over ranges of a table's key, each range in a transaction.
//!
//! ```sql
//! -- +batch table=users key=id size=5000 pause=100ms
//! UPDATE users SET email = lower(email) WHERE dbops_batch(users);
//! -- +end
//! ```
//!
//! `dbops_batch(NAME)` becomes the condition that holds for the rows of one range; NAME is the table's name or alias in
//! the statement. The key may have several columns: `key=tenant_id,id`.

use std::ops::Range;
use std::time::Duration;

use squawk_lexer::{TokenKind, tokenize};

use crate::Statement;

/// How many rows a batch goes over when the block does not say.
const DEFAULT_SIZE: u32 = 5000;

/// What a batch block says of its statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The table, as written: quoted where it needs to be.
    pub table: String,
    /// The columns of its key, as written.
    pub key: Vec<String>,
    /// How many rows of the table one transaction goes over.
    pub size: u32,
    /// How long to rest after each.
    pub pause: Duration,
    /// Where the condition goes: bytes of the file, and the name that the columns belong to.
    places: Vec<(Range<usize>, String)>,
}

/// The comment that begins a block.
pub(crate) fn is_begin(comment: &str) -> bool {
    marker_word(comment) == Some("batch")
}

/// The comment that ends it.
pub(crate) fn is_end(comment: &str) -> bool {
    marker_word(comment) == Some("end")
}

fn marker_word(comment: &str) -> Option<&str> {
    comment.strip_prefix("-- +")?.split_whitespace().next()
}

impl Batch {
    /// Reads what follows `-- +batch`.
    pub(crate) fn parse(comment: &str) -> Result<Self, String> {
        let (mut table, mut key, mut size, mut pause) = (None, Vec::new(), DEFAULT_SIZE, Duration::ZERO);
        for option in options(comment.trim_start_matches("-- +batch")) {
            let (name, value) = option.split_once('=').ok_or_else(|| format!("`{option}` is not NAME=VALUE"))?;
            match name {
                "table" if split_name(value, '.').is_some() => table = Some(value.to_owned()),
                "key" => {
                    key = split_name(value, ',').ok_or_else(|| format!("`{value}` is not a list of columns"))?;
                }
                "size" => {
                    let rows = value.parse().ok().filter(|rows| *rows > 0);
                    size = rows.ok_or_else(|| format!("`{value}` is not a number of rows"))?;
                }
                "pause" => {
                    pause = duration(value).ok_or_else(|| format!("`{value}` is not a length of time"))?;
                }
                "table" => return Err(format!("`{value}` is not the name of a table")),
                _ => return Err(format!("a batch has `table`, `key`, `size` and `pause`, not `{name}`")),
            }
        }
        let table = table.ok_or("the block names no table")?;
        if key.is_empty() {
            return Err("the block names no key".into());
        }
        Ok(Self { table, key, size, pause, places: Vec::new() })
    }

    /// Finds the calls of `dbops_batch` in its statement.
    pub(crate) fn find_places(&mut self, text: &str, statement: &Statement) {
        let mut tokens = Vec::new();
        let mut position = statement.start;
        for token in tokenize(&text[statement.start..statement.end]) {
            let start = position;
            position += token.len as usize;
            if !matches!(token.kind, TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. }) {
                tokens.push((token.kind, start..position));
            }
        }
        self.places = tokens
            .windows(4)
            .filter_map(|window| {
                let [(TokenKind::Ident, word), (TokenKind::OpenParen, _), (kind, name), (TokenKind::CloseParen, end)] =
                    window
                else {
                    return None;
                };
                let is_name = matches!(kind, TokenKind::Ident | TokenKind::QuotedIdent { .. });
                let is_call = text[word.clone()].eq_ignore_ascii_case("dbops_batch") && is_name;
                is_call.then(|| (word.start..end.end, text[name.clone()].to_owned()))
            })
            .collect();
    }

    /// Whether the statement says where the condition goes.
    pub(crate) fn has_places(&self) -> bool {
        !self.places.is_empty()
    }

    /// The statement for the rows after `low` up to `high`, both keys as literals; and where a character of it stands
    /// in the file.
    pub(crate) fn sql(&self, text: &str, statement: &Statement, low: Option<&str>, high: Option<&str>) -> BatchSql {
        let mut sql = String::new();
        let mut pieces = Vec::new();
        let mut position = statement.start;
        for (place, name) in &self.places {
            pieces.push((sql.len(), position));
            sql.push_str(&text[position..place.start]);
            pieces.push((sql.len(), place.start));
            sql.push_str(&self.condition(name, low, high));
            position = place.end;
        }
        pieces.push((sql.len(), position));
        sql.push_str(&text[position..statement.end]);
        BatchSql { sql, pieces }
    }

    fn condition(&self, name: &str, low: Option<&str>, high: Option<&str>) -> String {
        let columns: Vec<_> = self.key.iter().map(|column| format!("{name}.{column}")).collect();
        let columns = if let [column] = &columns[..] { column.clone() } else { format!("({})", columns.join(", ")) };
        match (low, high) {
            (None, None) => "(true)".into(),
            (Some(low), None) => format!("({columns} > {low})"),
            (None, Some(high)) => format!("({columns} <= {high})"),
            (Some(low), Some(high)) => format!("({columns} > {low} AND {columns} <= {high})"),
        }
    }

    /// The columns as PostgreSQL has them, without quotes.
    pub(crate) fn column_names(&self) -> Vec<String> {
        let plain = |name: &String| match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(quoted) => quoted.replace("\"\"", "\""),
            None => name.to_lowercase(),
        };
        self.key.iter().map(plain).collect()
    }
}

/// A statement with the conditions in place.
pub(crate) struct BatchSql {
    pub(crate) sql: String,
    /// Where pieces begin: in the statement, and in the file.
    pieces: Vec<(usize, usize)>,
}

impl BatchSql {
    /// The byte of the file that a byte of the statement comes from.
    pub(crate) fn origin(&self, byte: usize) -> usize {
        let index = self.pieces.partition_point(|(start, _)| *start <= byte).saturating_sub(1);
        let (start, origin) = self.pieces[index];
        // Every second piece is a condition, which stands where the call does.
        if index % 2 == 1 { origin } else { origin + (byte - start) }
    }
}

/// Words separated by space, except in double quotes.
fn options(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut in_quotes = false;
    for c in text.trim().chars() {
        in_quotes ^= c == '"';
        match words.last_mut() {
            Some(word) if in_quotes || !c.is_whitespace() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Identifiers between separators; `None` when one of them is not an identifier.
fn split_name(text: &str, separator: char) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut in_quotes = false;
    for c in text.chars() {
        in_quotes ^= c == '"';
        if c == separator && !in_quotes {
            parts.push(String::new());
        } else {
            parts.last_mut()?.push(c);
        }
    }
    parts.iter().all(|part| is_identifier(part)).then_some(parts)
}

fn is_identifier(text: &str) -> bool {
    let mut tokens = tokenize(text).filter(|token| token.kind != TokenKind::Eof);
    let is_one = matches!(
        tokens.next().map(|token| token.kind),
        Some(TokenKind::Ident | TokenKind::QuotedIdent { terminated: true, .. })
    );
    is_one && tokens.next().is_none() && text != "\"\""
}

fn duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let value: u64 = number.parse().ok().filter(|value| *value < 1_000_000)?;
    match &text[number.len()..] {
        "" | "ms" => Some(Duration::from_millis(value)),
        "s" => Some(Duration::from_secs(value)),
        "min" => Some(Duration::from_secs(value * 60)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Batch;
    use crate::split;

    #[test]
    fn reads_the_block() {
        let batch =
            Batch::parse("-- +batch table=public.\"Odd users\" key=tenant_id,\"Id\" size=10 pause=2s").expect("good");
        assert_eq!((batch.table.as_str(), batch.size), ("public.\"Odd users\"", 10));
        assert_eq!(
            (batch.column_names(), batch.pause),
            (vec!["tenant_id".into(), "Id".into()], Duration::from_secs(2))
        );
        let wrong = [
            ("-- +batch", "the block names no table"),
            ("-- +batch table=users", "the block names no key"),
            ("-- +batch table=users; key=id", "`users;` is not the name of a table"),
            ("-- +batch table=users key=id--", "`id--` is not a list of columns"),
            ("-- +batch table=users key=id size=0", "`0` is not a number of rows"),
            ("-- +batch table=users key=id pause=soon", "`soon` is not a length of time"),
            ("-- +batch table=users key=id rows=5", "a batch has `table`, `key`, `size` and `pause`, not `rows`"),
            ("-- +batch users", "`users` is not NAME=VALUE"),
        ];
        for (comment, message) in wrong {
            assert_eq!(Batch::parse(comment), Err(message.to_owned()), "{comment}");
        }
    }

    #[test]
    fn puts_the_condition_where_the_call_is() {
        let text = "UPDATE t AS x SET a = 'dbops_batch(x)' WHERE dbops_batch ( x ) AND b";
        let statement = split(text).remove(0);
        let mut batch = Batch::parse("-- +batch table=t key=id").expect("good");
        batch.find_places(text, &statement);
        let made = batch.sql(text, &statement, Some("'3'"), Some("'7'"));
        assert_eq!(made.sql, "UPDATE t AS x SET a = 'dbops_batch(x)' WHERE (x.id > '3' AND x.id <= '7') AND b");
        assert_eq!(made.origin(made.sql.len() - 1), text.len() - 1);
        assert_eq!(made.origin(50), 45);
        let mut batch = Batch::parse("-- +batch table=t key=\"A\",b").expect("good");
        batch.find_places(text, &statement);
        let made = batch.sql(text, &statement, Some("('1', '2')"), None);
        assert!(made.sql.contains("((x.\"A\", x.b) > ('1', '2')) AND b"), "{}", made.sql);
    }
}
