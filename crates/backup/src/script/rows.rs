//! The rows of a COPY, up to the line `\.`.

use bytes::Bytes;
use memchr::memmem::Finder;

use super::lexer::Item;

/// What ends them, besides the same with `\r`.
const END: &[u8] = b"\\.\n";
const END_CRLF: &[u8] = b"\\.\r\n";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rows {
    /// The beginning of a line, as long as it may be the end of the rows; `None` in the middle of a line.
    held: Option<Vec<u8>>,
    lines: u64,
    is_ended: bool,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self { held: Some(Vec::new()), lines: 0, is_ended: false }
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// How many lines they had, the last one too.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Takes what there is of them, and gives what is left of the piece.
    pub(crate) fn feed<'a>(&mut self, mut piece: &'a [u8], items: &mut Vec<Item>) -> &'a [u8] {
        let mut rows = Vec::with_capacity(piece.len());
        let in_line = Finder::new(b"\n\\");
        while let (Some((byte, rest)), false) = (piece.split_first(), self.is_ended) {
            let Some(held) = &mut self.held else {
                // To the next line that begins with a backslash, or the end of the piece.
                let found = in_line.find(piece).map_or(piece.len(), |position| position + 1);
                let (taken, rest) = piece.split_at(found);
                self.lines += memchr::memchr_iter(b'\n', taken).count() as u64;
                self.held = taken.ends_with(b"\n").then(Vec::new);
                rows.extend_from_slice(taken);
                piece = rest;
                continue;
            };
            held.push(*byte);
            if held == END || held == END_CRLF {
                self.lines += 1;
                self.is_ended = true;
                piece = rest;
            } else if END.starts_with(held) || END_CRLF.starts_with(held) {
                piece = rest;
            } else {
                // The byte is looked at again: it may be the line's end.
                held.pop();
                rows.append(held);
                self.held = None;
            }
        }
        if !rows.is_empty() {
            items.push(Item::Rows(Bytes::from(rows)));
        }
        if self.is_ended {
            items.push(Item::RowsEnd);
        }
        piece
    }

    /// The end of the script, which may stand for that of the line.
    pub(crate) fn finish(&self) -> bool {
        self.held.as_deref().is_some_and(|held| held.trim_ascii_end() == b"\\.")
    }
}
