//! Restoring a script for psql, as `pg_dump --format=plain` writes it, without psql.
//!
//! psql runs what a script says in its own language too: programs of this machine (`\!`), files, other servers; and
//! whoever owned something in the database that was dumped may have found a way to have such a line written
//! (CVE-2025-8714, CVE-2025-8715). Here the script is read by `lexer`, and only its statements and rows are sent, so that
//! no such line can do anything. [`scan`] refuses the script for it, before the server is touched: a script that holds one
//! is not what it seems to be. Statements are SQL, and may do what the user may do in that database.
//!
//! Memory is that of the longest statement; rows pass through.

mod error;
mod kind;
mod lexer;
mod quotes;
mod reader;
mod rows;
mod rules;
mod run;
mod source;

use std::collections::BTreeSet;
use std::path::Path;

pub use self::error::{Refusal, ScriptError};
use self::kind::Kind;
pub(crate) use self::reader::beginning;
use self::reader::{Reader, Step};
pub use self::run::{RunOptions, run};
pub(crate) use self::source::open as open_source;
use crate::Error;

/// What a script tells before it is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScriptFacts {
    /// The roles that are to own something.
    pub owners: BTreeSet<String>,
}

/// Reads a script, `shown` to people by that name, from beginning to end; it may be compressed with gzip, zstd or lz4.
///
/// # Errors
///
/// [`ScriptError`] when it holds what is not run, or is cut off.
pub async fn scan(path: &Path, shown: &str) -> Result<ScriptFacts, Error> {
    let mut reader = Reader::open(path, shown)?;
    let mut facts = ScriptFacts::default();
    while let Some(steps) = reader.next()? {
        for step in steps {
            if let Step::Statement { kind: Kind::Owner(Some(owner)), .. } = step {
                facts.owners.insert(owner);
            }
        }
        // An interruption is to be noticed.
        tokio::task::yield_now().await;
    }
    Ok(facts)
}

/// The statements of a script that define something or say who may use it: no rows, no settings, nothing about owners,
/// and no large objects, which are rows to PostgreSQL.
///
/// # Errors
///
/// As those of [`scan`].
pub(crate) async fn definitions(path: &Path, shown: &str) -> Result<Vec<String>, Error> {
    let mut reader = Reader::open(path, shown)?;
    let mut found = Vec::new();
    while let Some(steps) = reader.next()? {
        for step in steps {
            let Step::Statement { text, kind: Kind::Ordinary | Kind::Privilege, .. } = step else { continue };
            let first = text.split_whitespace().next().unwrap_or_default();
            if !matches!(first, "SELECT" | "REFRESH") && !text.contains(" ON LARGE OBJECT ") {
                found.push(text);
            }
        }
        // An interruption is to be noticed.
        tokio::task::yield_now().await;
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
