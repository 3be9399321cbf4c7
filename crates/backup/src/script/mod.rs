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
use self::reader::{Reader, Step};
pub use self::run::{RunOptions, run};
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

#[cfg(test)]
mod tests;
