//! SQL text split into statements, by PostgreSQL's own lexical rules.

use squawk_lexer::{LiteralKind, TokenKind, tokenize};

use crate::batch::Batch;

/// One statement: a range of the text without its semicolon, and without the comments before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// The first words, in upper case: enough to tell what sort of statement it is.
    pub words: Vec<String>,
    /// It has the client send or take rows: `COPY … FROM STDIN`, `COPY … TO STDOUT`.
    pub moves_rows: bool,
    /// It says CONCURRENTLY: it waits for other sessions instead of blocking them.
    pub is_concurrent: bool,
    /// It runs over ranges of a table's key.
    pub batch: Option<Batch>,
}

/// How many leading words are kept.
const WORDS: usize = 3;

/// Splits at the semicolons that end statements: not those in quotes, dollar quotes, comments, parentheses, or the
/// bodies of SQL functions (`BEGIN ATOMIC … END`).
#[must_use]
pub fn split(sql: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut current: Option<Statement> = None;
    let mut position = 0;
    let mut parentheses = 0_usize;
    // Inside BEGIN ATOMIC: how many ENDs are still to come. CASE has one too.
    let mut blocks = 0_usize;
    let mut previous = String::new();
    for token in tokenize(sql) {
        let start = position;
        position += token.len as usize;
        let text = &sql[start..position];
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Eof => {
                continue;
            }
            TokenKind::Semi if parentheses == 0 && blocks == 0 => {
                statements.extend(current.take());
                previous.clear();
                continue;
            }
            TokenKind::OpenParen => parentheses += 1,
            TokenKind::CloseParen => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        let statement = current.get_or_insert_with(|| Statement { start, ..Statement::default() });
        statement.end = position;
        let word = if token.kind == TokenKind::Ident { text.to_ascii_uppercase() } else { String::new() };
        match (previous.as_str(), word.as_str()) {
            ("BEGIN", "ATOMIC") => blocks += 1,
            ("FROM", "STDIN") | ("TO", "STDOUT") if parentheses == 0 => statement.moves_rows = true,
            (_, "CONCURRENTLY") if parentheses == 0 => statement.is_concurrent = true,
            (_, "CASE") if blocks > 0 => blocks += 1,
            (_, "END") if blocks > 0 => blocks -= 1,
            _ => {}
        }
        if statement.words.len() < WORDS && !word.is_empty() {
            statement.words.push(word.clone());
        }
        previous = word;
    }
    statements.extend(current);
    statements
}

/// The comments from `--` to the end of the line, those in quotes and bodies not: the first byte of each, and what it
/// says.
#[must_use]
pub fn line_comments(sql: &str) -> Vec<(usize, &str)> {
    let mut position = 0;
    let comment = |token: squawk_lexer::Token| {
        let start = position;
        position += token.len as usize;
        let text = sql[start..position].trim_start_matches('-').trim();
        (token.kind == TokenKind::LineComment).then_some((start, text))
    };
    tokenize(sql).filter_map(comment).collect()
}

/// What dbops cannot run in a revision, and why.
pub(crate) fn objection(
    sql: &str,
    statement: &Statement,
    in_transaction: bool,
) -> Option<(&'static str, &'static str)> {
    let words: Vec<_> = statement.words.iter().map(String::as_str).collect();
    let text = &sql[statement.start..statement.end];
    match words[..] {
        ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO"] => None,
        ["BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "ABORT", ..] | ["START" | "PREPARE", "TRANSACTION", ..] => {
            Some(if in_transaction {
                (
                    "a revision runs in a transaction of its own",
                    "leave it out, or write `-- transaction: off` in the header",
                )
            } else {
                ("transaction control is not possible here", "leave it out: each statement commits by itself")
            })
        }
        ["COPY", ..] if statement.moves_rows => {
            Some(("COPY with STDIN or STDOUT needs a client that moves the rows", "write the rows as INSERT … VALUES"))
        }
        _ if text.starts_with('\\') => Some(("this is a command of psql, not SQL", "write it as SQL")),
        _ => None,
    }
}

/// The first quote or comment that is never closed: its byte and what it is.
pub(crate) fn unterminated(sql: &str) -> Option<(usize, &'static str)> {
    let mut position = 0;
    for token in tokenize(sql) {
        let open = match token.kind {
            TokenKind::BlockComment { terminated: false } => Some("comment"),
            TokenKind::QuotedIdent { terminated: false, .. } => Some("quoted identifier"),
            TokenKind::Literal { kind: LiteralKind::DollarQuotedString { terminated: false } } => Some("dollar quote"),
            TokenKind::Literal {
                kind:
                    LiteralKind::Str { terminated: false }
                    | LiteralKind::EscStr { terminated: false }
                    | LiteralKind::UnicodeEscStr { terminated: false }
                    | LiteralKind::NationalStr { terminated: false }
                    | LiteralKind::ByteStr { terminated: false }
                    | LiteralKind::BitStr { terminated: false },
            } => Some("string"),
            _ => None,
        };
        if let Some(what) = open {
            return Some((position, what));
        }
        position += token.len as usize;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{line_comments, objection, split, unterminated};

    fn texts(sql: &str) -> Vec<&str> {
        split(sql).iter().map(|statement| &sql[statement.start..statement.end]).collect()
    }

    #[test]
    fn comments_in_quotes_are_none() {
        let sql = "-- one\nSELECT '-- two', $$\n-- three\n$$; --four \n/* -- five */";
        assert_eq!(line_comments(sql), [(0, "one"), (40, "four")]);
    }

    #[test]
    fn splits_as_the_server_would() {
        let function =
            "CREATE FUNCTION f(x int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN 1 END; SELECT 2; END";
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" ; ;; -- nothing\n", &[]),
            ("SELECT 1", &["SELECT 1"]),
            ("SELECT 1; SELECT 2;", &["SELECT 1", "SELECT 2"]),
            ("-- why\nSELECT 1 -- what\n; /* a /* nested */ one; */ SELECT 2", &["SELECT 1", "SELECT 2"]),
            ("SELECT ';', \"a;b\", E'\\';', $$;$$, $x$ $$; $x$", &["SELECT ';', \"a;b\", E'\\';', $$;$$, $x$ $$; $x$"]),
            (
                "DO $body$ BEGIN PERFORM 1; END; $body$; SELECT 1",
                &["DO $body$ BEGIN PERFORM 1; END; $body$", "SELECT 1"],
            ),
            (
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
                &["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"],
            ),
            (&format!("{function}; SELECT 3"), &[function, "SELECT 3"]),
            ("SELECT CASE WHEN true THEN 1 END; SELECT 2", &["SELECT CASE WHEN true THEN 1 END", "SELECT 2"]),
            ("SELECT 'ä€😀'; SELECT 'é'", &["SELECT 'ä€😀'", "SELECT 'é'"]),
        ];
        for (sql, expected) in cases {
            assert_eq!(&texts(sql), expected, "{sql}");
        }
    }

    #[test]
    fn objects_to_what_cannot_run_in_a_revision() {
        let refused =
            ["BEGIN", "commit", "ROLLBACK", "START TRANSACTION", "COPY t FROM STDIN", "COPY t TO stdout", r"\d users"];
        let accepted = [
            "ROLLBACK TO s",
            "ROLLBACK WORK TO SAVEPOINT s",
            "SAVEPOINT s",
            "COPY stdin TO '/tmp/x'",
            "COPY t FROM PROGRAM 'cat /dev/stdin'",
            "CREATE TABLE commit (a int)",
        ];
        for (sqls, is_refused) in [(&refused[..], true), (&accepted[..], false)] {
            for sql in sqls {
                let statement = split(sql).remove(0);
                assert_eq!(objection(sql, &statement, true).is_some(), is_refused, "{sql}");
            }
        }
    }

    #[test]
    fn notices_what_is_never_closed() {
        let cases = [
            ("SELECT 'a", Some(7)),
            ("/* /* */", Some(0)),
            ("SELECT $x$ $y$", Some(7)),
            ("SELECT \"a", Some(7)),
            ("SELECT 'a' -- '", None),
        ];
        for (sql, expected) in cases {
            assert_eq!(unterminated(sql).map(|(position, _)| position), expected, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_loses_nothing_but_space_comments_and_semicolons(sql in "[ -~\n;'\"$(){}/*ä-]{0,80}") {
            let mut end = 0;
            for statement in split(&sql) {
                prop_assert!(end <= statement.start && statement.start < statement.end);
                // What is left out between two statements holds no word.
                let gap = &sql[end..statement.start];
                prop_assert!(split(gap).is_empty(), "{}", gap);
                end = statement.end;
            }
            prop_assert!(split(&sql[end..]).is_empty());
            unterminated(&sql);
        }
    }
}
