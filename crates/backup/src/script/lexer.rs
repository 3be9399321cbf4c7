//! A script for psql as items, by PostgreSQL's lexical rules: statements, rows of COPY, commands of psql.
//!
//! It takes the script in pieces, however they are cut, and keeps nothing but the statement that it is in. The rules are
//! those of `psqlscan.l` and `scan.l` with `standard_conforming_strings = on`.

use bytes::Bytes;

use super::quotes::{Dollar, Literal};
use super::rows::Rows;

/// More than this the server does not take as one statement.
const STATEMENT_LIMIT: usize = 1 << 30;
/// More than any line that is let pass; what is longer is cut, and refused.
const LINE_LIMIT: usize = 4096;
/// More than any word that means something here.
const WORD_LIMIT: usize = 64;

/// Something in a script, with the line that it begins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// A statement, without its semicolon and the comments before it.
    Statement { line: u64, text: String },
    /// Rows of the COPY before.
    Rows(Bytes),
    /// `\.`
    RowsEnd,
    /// What psql would take for a command of its own, to the end of the line.
    Command { line: u64, text: String, is_alone: bool },
    /// A comment between statements, from `--` to the end of the line.
    Comment(String),
}

/// What cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No text of any encoding that is known here.
    NotText { line: u64, reason: &'static str },
    /// psql would put the value of a variable here.
    Variable { line: u64 },
    /// Something follows COPY where its rows should begin.
    AfterCopy { line: u64 },
    /// The script ends in the middle of something.
    CutOff { line: u64, within: &'static str },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Normal,
    Literal(Literal),
    Quoted,
    /// `$tag`, which may become a dollar quote.
    Tag(Vec<u8>),
    Dollar(Dollar),
    LineComment,
    BlockComment {
        depth: u32,
    },
    Command {
        is_alone: bool,
    },
    /// Between `COPY … FROM stdin;` and its first row.
    BeforeRows,
    Rows(Rows),
}

#[derive(Debug)]
pub(crate) struct Lexer {
    state: State,
    line: u64,
    /// Nothing but space since the beginning of the line.
    is_line_blank: bool,
    /// The byte before, as far as it may be the first of two that mean something together.
    previous: u8,
    statement: Vec<u8>,
    begins: u64,
    /// A comment outside of statements, or a command.
    text: Vec<u8>,
    parentheses: usize,
    /// How many ENDs the body of an SQL function still has to come.
    blocks: usize,
    /// The word that is being read, in upper case.
    word: Vec<u8>,
    /// The first words of the statement.
    head: Vec<Vec<u8>>,
    last_word: Vec<u8>,
    /// After `E'…'`: on another line it may go on, and whether that has come.
    may_go_on: Option<bool>,
}

impl Lexer {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Normal,
            line: 1,
            is_line_blank: true,
            previous: 0,
            statement: Vec::new(),
            begins: 1,
            text: Vec::new(),
            parentheses: 0,
            blocks: 0,
            word: Vec::new(),
            head: Vec::new(),
            last_word: Vec::new(),
            may_go_on: None,
        }
    }

    /// Reads a piece; what is whole by then is appended to `items`.
    pub(crate) fn feed(&mut self, mut piece: &[u8], items: &mut Vec<Item>) -> Result<(), Fault> {
        while let Some((byte, rest)) = piece.split_first() {
            if let State::Rows(rows) = &mut self.state {
                piece = rows.feed(piece, items);
                if rows.is_ended() {
                    self.line += rows.lines();
                    self.state = State::Normal;
                }
                continue;
            }
            let long = self.inside_string(piece);
            if long > 0 {
                self.keep_all(&piece[..long])?;
                piece = &piece[long..];
                continue;
            }
            self.step(*byte, items)?;
            if *byte == b'\n' {
                self.line += 1;
                self.is_line_blank = true;
            } else {
                self.is_line_blank &= is_space(*byte);
            }
            piece = rest;
        }
        Ok(())
    }

    /// The end of the script.
    pub(crate) fn finish(mut self, items: &mut Vec<Item>) -> Result<(), Fault> {
        // Ends comments, commands, and what might have become a dollar quote.
        if !matches!(self.state, State::Rows(_)) {
            self.step(b'\n', items)?;
        }
        let within = match self.state {
            State::Rows(rows) if rows.finish() => {
                items.push(Item::RowsEnd);
                return Ok(());
            }
            State::Rows(_) | State::BeforeRows => "the rows of a COPY",
            State::Literal(_) => "a string",
            State::Quoted => "a quoted name",
            State::Dollar(_) => "a dollar quote",
            State::BlockComment { .. } => "a comment",
            _ if self.statement.is_empty() => return Ok(()),
            _ => "a statement",
        };
        Err(Fault::CutOff { line: self.begins, within })
    }

    fn step(&mut self, byte: u8, items: &mut Vec<Item>) -> Result<(), Fault> {
        if byte == 0 {
            return Err(Fault::NotText { line: self.line, reason: "it holds a byte of value 0" });
        }
        match &mut self.state {
            State::Normal => self.normal(byte, items),
            State::Literal(literal) => {
                if literal.ends_with(byte) {
                    self.may_go_on = literal.has_escapes.then_some(false);
                    self.state = State::Normal;
                }
                self.keep(byte)
            }
            State::Quoted => {
                if byte == b'"' {
                    self.state = State::Normal;
                }
                self.keep(byte)
            }
            State::Tag(tag) if byte == b'$' => {
                self.state = State::Dollar(Dollar::new(std::mem::take(tag)));
                self.keep(byte)
            }
            State::Tag(tag) if is_name_start(byte) || byte.is_ascii_digit() && !tag.is_empty() => {
                tag.push(byte);
                self.keep(byte)
            }
            State::Tag(_) => {
                self.state = State::Normal;
                self.normal(byte, items)
            }
            State::Dollar(dollar) => {
                if dollar.ends_with(byte) {
                    self.state = State::Normal;
                }
                self.keep(byte)
            }
            State::LineComment => self.line_comment(byte, items),
            State::BlockComment { .. } => self.block_comment(byte),
            State::Command { is_alone } => {
                let is_alone = *is_alone;
                self.command(byte, is_alone, items);
                Ok(())
            }
            State::BeforeRows => match byte {
                b'\n' => {
                    self.state = State::Rows(Rows::new());
                    Ok(())
                }
                b' ' | b'\t' | b'\r' => Ok(()),
                _ => Err(Fault::AfterCopy { line: self.line }),
            },
            // Taken by `feed`.
            State::Rows(_) => Ok(()),
        }
    }

    /// How much of the piece means nothing, for it is in a string: values may be large.
    fn inside_string(&self, piece: &[u8]) -> usize {
        match self.state {
            State::Literal(Literal { has_escapes: false, .. }) => {
                memchr::memchr2(b'\'', 0, piece).unwrap_or(piece.len())
            }
            _ => 0,
        }
    }

    fn line_comment(&mut self, byte: u8, items: &mut Vec<Item>) -> Result<(), Fault> {
        if !is_newline(byte) {
            if self.statement.is_empty() && self.text.len() < LINE_LIMIT {
                self.text.push(byte);
            }
            return self.keep_if_begun(byte);
        }
        self.state = State::Normal;
        self.may_go_on = self.may_go_on.map(|_| true);
        if self.statement.is_empty() {
            let text = String::from_utf8_lossy(&std::mem::take(&mut self.text)).trim().to_owned();
            items.push(Item::Comment(text));
        }
        self.keep_if_begun(byte)
    }

    fn block_comment(&mut self, byte: u8) -> Result<(), Fault> {
        let State::BlockComment { depth } = &mut self.state else { return Ok(()) };
        let pair = [std::mem::replace(&mut self.previous, byte), byte];
        match &pair {
            b"/*" => *depth += 1,
            b"*/" => *depth -= 1,
            _ => return self.keep_if_begun(byte),
        }
        self.previous = 0;
        if *depth == 0 {
            self.state = State::Normal;
        }
        self.keep_if_begun(byte)
    }

    fn command(&mut self, byte: u8, is_alone: bool, items: &mut Vec<Item>) {
        if byte != b'\n' && self.text.len() < LINE_LIMIT {
            self.text.push(byte);
            return;
        }
        self.state = State::Normal;
        let text = String::from_utf8_lossy(&std::mem::take(&mut self.text)).trim_end().to_owned();
        items.push(Item::Command { line: self.line, text, is_alone });
    }

    /// Outside of quotes and comments.
    fn normal(&mut self, byte: u8, items: &mut Vec<Item>) -> Result<(), Fault> {
        let begins_comment = matches!([self.previous, byte], [b'-', b'-'] | [b'/', b'*']);
        if matches!(self.previous, b'-' | b'/') && !begins_comment {
            self.part();
        }
        let is_in_word = !self.word.is_empty();
        let is_number = self.word.first().is_some_and(u8::is_ascii_digit);
        if is_name_start(byte) || byte.is_ascii_digit() || byte == b'$' && is_in_word && !is_number {
            self.previous = 0;
            self.may_go_on = None;
            if self.word.len() < WORD_LIMIT {
                self.word.push(byte.to_ascii_uppercase());
            }
            return self.keep(byte);
        }
        let is_escape_string = byte == b'\'' && self.word == b"E";
        if is_in_word {
            self.end_word();
        }
        if is_space(byte) {
            self.previous = 0;
            self.may_go_on = self.may_go_on.map(|has_newline| has_newline || is_newline(byte));
            return self.keep_if_begun(byte);
        }
        let previous = std::mem::replace(&mut self.previous, byte);
        match (previous, byte) {
            _ if begins_comment => return self.begin_comment(byte),
            (b':', b':') => self.previous = 0,
            (b':', b'\'' | b'"' | b'{') => return Err(Fault::Variable { line: self.line }),
            (_, b'\\') => {
                let is_alone = self.statement.is_empty() && self.is_line_blank;
                self.text.clear();
                self.text.push(byte);
                self.state = State::Command { is_alone };
                return Ok(());
            }
            (_, b';') if self.parentheses == 0 && self.blocks == 0 => return self.end_statement(items),
            (_, b'\'') => {
                let goes_on = self.may_go_on.is_some_and(|has_newline| has_newline || previous == b'\'');
                self.state = State::Literal(Literal::new(is_escape_string || goes_on));
            }
            (_, b'"') => self.state = State::Quoted,
            (_, b'$') => self.state = State::Tag(Vec::new()),
            (_, b'(') => self.parentheses += 1,
            (_, b')') => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        // `-` and `/` may begin a comment, which parts nothing.
        if !matches!(byte, b'-' | b'/') {
            self.part();
        }
        self.keep(byte)
    }

    /// What comes next does not belong to the word or string before.
    fn part(&mut self) {
        self.may_go_on = None;
        self.last_word.clear();
    }

    /// `--` or `/*`: the first byte was taken for an operator.
    fn begin_comment(&mut self, second: u8) -> Result<(), Fault> {
        self.previous = 0;
        self.state = State::LineComment;
        if second == b'*' {
            self.state = State::BlockComment { depth: 1 };
            self.may_go_on = None;
        }
        if self.statement.len() == 1 {
            self.statement.clear();
            self.text.clear();
            self.begins = self.line;
            return Ok(());
        }
        self.keep_if_begun(second)
    }

    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        if self.parentheses == 0 {
            match word.as_slice() {
                b"ATOMIC" if self.last_word == b"BEGIN" && self.blocks == 0 && self.makes_routine() => self.blocks = 1,
                b"CASE" if self.blocks > 0 => self.blocks += 1,
                b"END" if self.blocks > 0 => self.blocks -= 1,
                _ => {}
            }
        }
        if self.head.len() < 4 {
            self.head.push(word.clone());
        }
        self.last_word = word;
    }

    fn makes_routine(&self) -> bool {
        let head: Vec<_> = self.head.iter().map(Vec::as_slice).collect();
        matches!(
            head[..],
            [b"CREATE", b"FUNCTION" | b"PROCEDURE", ..]
                | [b"CREATE", b"OR", b"REPLACE", b"FUNCTION" | b"PROCEDURE", ..]
        )
    }

    fn end_statement(&mut self, items: &mut Vec<Item>) -> Result<(), Fault> {
        let (bytes, head) = (std::mem::take(&mut self.statement), std::mem::take(&mut self.head));
        self.part();
        self.previous = 0;
        if bytes.is_empty() {
            return Ok(());
        }
        let not_utf8 = |_| Fault::NotText { line: self.begins, reason: "it is not UTF-8" };
        let text = String::from_utf8(bytes).map_err(not_utf8)?;
        if head.first().is_some_and(|word| word == b"COPY") && super::kind::is_copy_in(&text) {
            self.state = State::BeforeRows;
        }
        items.push(Item::Statement { line: self.begins, text });
        Ok(())
    }

    fn keep(&mut self, byte: u8) -> Result<(), Fault> {
        if self.statement.is_empty() {
            self.begins = self.line;
        }
        if self.statement.len() >= STATEMENT_LIMIT {
            return Err(Fault::NotText { line: self.begins, reason: "a statement has more than 1 GB" });
        }
        self.statement.push(byte);
        Ok(())
    }

    fn keep_all(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.statement.len() + bytes.len() > STATEMENT_LIMIT {
            return Err(Fault::NotText { line: self.begins, reason: "a statement has more than 1 GB" });
        }
        self.statement.extend_from_slice(bytes);
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
        Ok(())
    }

    fn keep_if_begun(&mut self, byte: u8) -> Result<(), Fault> {
        if self.statement.is_empty() { Ok(()) } else { self.keep(byte) }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// What ends a comment for the server.
fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}
