//! How long a statement may wait for a lock, and what happens when it waited in vain.
//!
//! A statement that waits for a strong lock makes everyone queue up behind it: it gives up after some seconds, the
//! revision is rolled back, and tried again a while later.

use std::time::Duration;

use dbops_postgres::{SqlError, quote_literal};

use crate::{Revision, RunOptions, Section, Statement};

/// The first rest before another attempt; each further one is twice as long.
const FIRST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(8);

/// How long to rest before this attempt, counted from 1; `None` when there is to be none.
pub(super) fn rest(error: &SqlError, attempt: u32, retries: u32) -> Option<Duration> {
    // deadlock_detected: one of the two sessions had to give way, and it was this.
    let is_passing = error.is_lock_timeout() || error.sqlstate.as_deref() == Some("40P01");
    let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
    (is_passing && attempt <= retries).then(|| FIRST_REST.saturating_mul(factor).min(LONGEST_REST))
}

/// Switches `lock_timeout` between statements that take strong locks and those that do not.
pub(crate) struct LockTimeout<'a> {
    value: &'a str,
    /// The header says it, for the whole revision.
    is_for_all: bool,
    /// The revision sets it by a statement of its own, and is not interfered with.
    is_off: bool,
    is_set: bool,
}

impl<'a> LockTimeout<'a> {
    pub(crate) fn new(revision: &'a Revision, section: &Section, options: &'a RunOptions) -> Self {
        let of_header = revision.settings.lock_timeout.as_deref();
        let sets_it = |statement: &Statement| {
            statement.words.first().is_some_and(|word| word == "SET")
                && statement.words.iter().any(|word| word == "LOCK_TIMEOUT")
        };
        Self {
            value: of_header.unwrap_or(&options.lock_timeout),
            is_for_all: of_header.is_some(),
            is_off: section.statements.iter().any(sets_it),
            is_set: false,
        }
    }

    /// What to run before a statement; empty when nothing changes.
    pub(crate) fn before(&mut self, statement: &Statement) -> String {
        let is_wanted = if self.is_off { self.is_for_all } else { self.is_for_all || takes_strong_lock(statement) };
        if is_wanted == self.is_set {
            return String::new();
        }
        self.is_set = is_wanted;
        let value = if is_wanted { quote_literal(self.value) } else { "DEFAULT".into() };
        format!("SET LOCAL lock_timeout = {value}")
    }

    /// A new transaction has begun: nothing is set.
    pub(super) fn restart(&mut self) {
        self.is_set = false;
    }
}

/// Whether a statement may block those who read or write a table: all that changes definitions, unless it waits for
/// others (`CONCURRENTLY`).
///
/// <https://www.postgresql.org/docs/18/explicit-locking.html>
fn takes_strong_lock(statement: &Statement) -> bool {
    if statement.is_concurrent || statement.batch.is_some() {
        return false;
    }
    let words: Vec<_> = statement.words.iter().map(String::as_str).collect();
    match words[..] {
        [
            "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "WITH" | "VALUES" | "TABLE" | "COPY" | "SET"
            | "RESET" | "SHOW" | "EXPLAIN" | "GRANT" | "REVOKE" | "ANALYZE" | "SAVEPOINT" | "RELEASE" | "ROLLBACK"
            | "NOTIFY",
            ..,
        ]
        | [] => false,
        ["VACUUM", ref rest @ ..] => rest.contains(&"FULL"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use dbops_postgres::SqlError;

    use super::{rest, takes_strong_lock};
    use crate::split;

    #[test]
    fn strong_locks_are_those_of_definitions() {
        let cases = [
            ("ALTER TABLE t ADD a int", true),
            ("CREATE INDEX ON t (a)", true),
            ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", false),
            ("REINDEX (VERBOSE) TABLE CONCURRENTLY t", false),
            ("ALTER TABLE s.t DETACH PARTITION s.p CONCURRENTLY", false),
            ("UPDATE t SET a = 1", false),
            ("WITH x AS (SELECT 1) DELETE FROM t", false),
            ("VACUUM t", false),
            ("VACUUM FULL t", true),
            ("TRUNCATE t", true),
            ("DO $$ BEGIN ALTER TABLE t ADD a int; END $$", true),
        ];
        for (sql, expected) in cases {
            assert_eq!(takes_strong_lock(&split(sql)[0]), expected, "{sql}");
        }
    }

    #[test]
    fn rests_grow_and_end() {
        let error = |state: &str| SqlError {
            message: String::new(),
            sqlstate: Some(state.into()),
            detail: None,
            server_hint: None,
            position: None,
        };
        let rests: Vec<_> = (1..=7).map(|attempt| rest(&error("55P03"), attempt, 6).map(|it| it.as_millis())).collect();
        assert_eq!(rests, [Some(500), Some(1000), Some(2000), Some(4000), Some(8000), Some(8000), None]);
        assert_eq!(rest(&error("40P01"), 1, 5), Some(Duration::from_millis(500)));
        assert_eq!(rest(&error("42601"), 1, 5), None);
    }
}
