//! One revision: what its file says.

use std::fmt::Write;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::Statement;

/// A revision file that was read.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Its id.
    pub id: String,
    /// Its parents' ids, none for a base.
    pub revises: Vec<String>,
    /// Ids or labels that must be applied before it, though they are not its parents.
    pub depends_on: Vec<String>,
    /// Names for the branch that begins here.
    pub branch_labels: Vec<String>,
    /// What it does.
    pub message: String,
    /// When it was written, as the file says.
    pub created: String,
    /// How it is to be run.
    pub settings: Settings,
    /// Why it cannot be run: it was imported, and its SQL could not be rendered.
    pub stub: Option<String>,
    /// The file.
    pub path: PathBuf,
    /// The file's text, which the sections' statements are ranges of.
    pub text: String,
    /// What applies it.
    pub up: Section,
    /// What undoes it; `None` when the file does not say.
    pub down: Option<Section>,
}

/// The statements under `-- +up` or `-- +down`, as ranges of the file's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// In order.
    pub statements: Vec<Statement>,
}

/// Options of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// All statements and the version row in one transaction; `-- transaction: off` turns it off.
    pub transaction: bool,
    /// One transaction together with those before and after it in a run that say so too, as Alembic runs revisions
    /// unless it is told otherwise: `-- transaction: shared`.
    pub shared: bool,
    /// PostgreSQL's `lock_timeout` while it runs.
    pub lock_timeout: Option<String>,
    /// PostgreSQL's `statement_timeout` while it runs.
    pub statement_timeout: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { transaction: true, shared: false, lock_timeout: None, statement_timeout: None }
    }
}

impl Revision {
    /// A statement's text.
    #[must_use]
    pub fn sql(&self, statement: &Statement) -> &str {
        &self.text[statement.start..statement.end]
    }

    /// Whether the way down was imported and could not be rendered.
    pub(crate) fn down_is_stub(&self) -> bool {
        let down = self.text.rsplit_once("\n-- +down\n").map(|(_, down)| down);
        down.is_some_and(|down| down.trim_start().starts_with("-- stub:"))
    }

    /// The SHA-256 of the file in hexadecimal digits, whatever its line ends.
    #[must_use]
    pub fn checksum(&self) -> String {
        checksum(&self.text.replace("\r\n", "\n"))
    }

    /// Line and column, counted from 1 in characters, of a byte of the file.
    #[must_use]
    pub fn place(&self, byte: usize) -> (usize, usize) {
        place(&self.text, byte)
    }
}

pub(crate) fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

pub(crate) fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
