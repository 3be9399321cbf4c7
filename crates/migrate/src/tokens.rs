//! A statement read word by word, without its comments.

use squawk_lexer::{TokenKind, tokenize};

/// The significant tokens of a statement.
pub(crate) struct Tokens<'a> {
    tokens: Vec<(TokenKind, &'a str)>,
    next: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(sql: &'a str) -> Self {
        let mut tokens = Vec::new();
        let mut position = 0;
        for token in tokenize(sql) {
            let text = &sql[position..position + token.len as usize];
            position += token.len as usize;
            match token.kind {
                TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment { .. } | TokenKind::Eof => {}
                kind => tokens.push((kind, text)),
            }
        }
        Self { tokens, next: 0 }
    }

    pub(crate) fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.next + ahead).map_or("", |(_, text)| text)
    }

    pub(crate) fn word(&mut self) -> String {
        let word = self.peek(0).to_ascii_uppercase();
        self.next += 1;
        word
    }

    /// Goes past these words, if they are next.
    pub(crate) fn skip(&mut self, words: &[&str]) -> bool {
        let are_next = words.iter().enumerate().all(|(index, word)| self.peek(index).eq_ignore_ascii_case(word));
        self.next += if are_next { words.len() } else { 0 };
        are_next
    }

    pub(crate) fn skip_parentheses(&mut self) {
        if self.peek(0) == "(" {
            while !matches!(self.peek(0), ")" | "") {
                self.next += 1;
            }
            self.next += 1;
        }
    }

    /// A name with its schema, as written.
    pub(crate) fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            let (kind, text) = self.tokens.get(self.next)?;
            if !matches!(kind, TokenKind::Ident | TokenKind::QuotedIdent { .. }) {
                return None;
            }
            name.push_str(text);
            self.next += 1;
            if self.peek(0) != "." {
                return Some(name);
            }
            name.push('.');
            self.next += 1;
        }
    }
}
