//! The steps of a script, as long as nothing in it is refused.

use std::io::{self, BufRead};
use std::path::Path;

use bytes::Bytes;

use super::error::{Refusal, ScriptError};
use super::kind::{Kind, kind};
use super::lexer::{Fault, Item, Lexer};
use super::rules::Rules;
use super::source::{self, Source};
use crate::Error;

/// How much of a statement is shown.
const SHOWN: usize = 60;

/// What is to be done for a part of a script.
#[derive(Debug)]
pub(crate) enum Step {
    Statement { line: u64, text: String, kind: Kind },
    Rows(Bytes),
    RowsEnd,
}

pub(crate) struct Reader {
    source: Source,
    /// Until the end.
    lexer: Option<Lexer>,
    rules: Rules,
    script: String,
}

impl Reader {
    /// `script` is what people are told of it.
    pub(crate) fn open(path: &Path, script: &str) -> Result<Self, Error> {
        let source = source::open(path).map_err(|error| unreadable(error, script))?;
        Ok(Self { source, lexer: Some(Lexer::new()), rules: Rules::default(), script: script.into() })
    }

    /// The next steps, which may be none; `None` after the end.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Step>>, Error> {
        let Some(lexer) = &mut self.lexer else { return Ok(None) };
        let mut items = Vec::new();
        let piece = self.source.fill_buf().map_err(|error| unreadable(error, &self.script))?;
        let length = piece.len();
        let read = if length > 0 { lexer.feed(piece, &mut items) } else { Ok(()) };
        self.source.consume(length);
        let ended = if length == 0 { self.lexer.take() } else { None };
        let is_ended = ended.is_some();
        let read = read.and_then(|()| ended.map_or(Ok(()), |lexer| lexer.finish(&mut items)));
        // What was read before the fault comes first in the script too.
        let mut steps = Vec::new();
        for item in items {
            steps.extend(self.step(item)?);
        }
        read.map_err(|fault| self.fault(fault))?;
        match self.rules.missing() {
            Some(missing) if is_ended => Err(self.cut_off(missing.into())),
            _ => Ok(Some(steps)),
        }
    }

    fn step(&mut self, item: Item) -> Result<Option<Step>, Error> {
        match item {
            Item::Rows(rows) => Ok(Some(Step::Rows(rows))),
            Item::RowsEnd => Ok(Some(Step::RowsEnd)),
            Item::Comment(text) => {
                self.rules.comment(&text);
                Ok(None)
            }
            Item::Command { line, text, is_alone } => {
                let passed = if is_alone { self.rules.command(&text) } else { Err(Refusal::Command) };
                passed.map(|()| None).map_err(|refusal| {
                    // What follows may hold a password, as in `\connect`.
                    let name = text.split_whitespace().next().unwrap_or_default();
                    self.refused(line, name, refusal)
                })
            }
            Item::Statement { line, text } => {
                let kind = kind(&text);
                match self.rules.statement(&kind) {
                    Ok(true) => Ok(Some(Step::Statement { line, text, kind })),
                    Ok(false) => Ok(None),
                    Err(refusal) => Err(self.refused(line, &text, refusal)),
                }
            }
        }
    }

    fn fault(&self, fault: Fault) -> Error {
        match fault {
            Fault::NotText { line, reason } => {
                ScriptError::NotText { script: self.script.clone(), line, reason }.into()
            }
            Fault::Variable { line } => self.refused(line, ":", Refusal::Variable),
            Fault::AfterCopy { line } => self.refused(line, "COPY", Refusal::AfterCopy),
            Fault::CutOff { line, within } => {
                self.cut_off(format!("it ends within {within} that begins in line {line}"))
            }
        }
    }

    fn refused(&self, line: u64, text: &str, refusal: Refusal) -> Error {
        ScriptError::Refused { script: self.script.clone(), line, found: beginning(text), refusal }.into()
    }

    fn cut_off(&self, missing: String) -> Error {
        ScriptError::CutOff { script: self.script.clone(), missing }.into()
    }
}

/// The beginning of a statement on one line, for people: without the control characters of a script, which are not for
/// their terminal, and without literals, which may be passwords.
pub(crate) fn beginning(text: &str) -> String {
    let end = text.find('\'').unwrap_or(text.len());
    let start: String = text[..end].chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let shown = start.split_whitespace().collect::<Vec<_>>().join(" ");
    if start.len() < text.len() { format!("{shown} …") } else { shown }
}

fn unreadable(error: io::Error, script: &str) -> Error {
    let script = script.to_owned();
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            ScriptError::CutOff { script, missing: "its compressed data ends too early".into() }.into()
        }
        // The system's own errors have a number; what the decoders say has none.
        _ if error.raw_os_error().is_none() => ScriptError::Damaged { script, reason: error.to_string() }.into(),
        _ => Error::io("read", script.as_ref())(error),
    }
}
