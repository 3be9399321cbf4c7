//! A statement that ran outside of a transaction and was broken off, or failed: whether it took effect all the same,
//! and what it left.

use dbops_postgres::quote_literal;

use super::{Event, OnEvent, Work};
use crate::ledger::Outcome;
use crate::tokens::Tokens;
use crate::{Error, Session, Statement};

/// What the operator says of a statement about which the database tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It did not take effect: run it again.
    Rerun,
    /// It did: go on after it.
    Skip,
}

/// A statement that PostgreSQL does not run in a transaction, and what it is about, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lone {
    CreateIndex {
        name: Option<String>,
        table: String,
    },
    DropIndex {
        name: String,
    },
    ReindexIndex {
        index: String,
    },
    ReindexTable {
        table: String,
    },
    Detach {
        table: String,
        partition: String,
    },
    /// Running it twice is as good as once.
    Repeatable,
    Other,
}

impl Lone {
    pub(super) fn of(sql: &str) -> Self {
        let mut tokens = Tokens::new(sql);
        let first = tokens.word();
        match first.as_str() {
            "CREATE" => Self::create_index(&mut tokens),
            "DROP" => Self::drop_index(&mut tokens),
            "REINDEX" => Self::reindex(&mut tokens),
            "ALTER" => Self::alter(&mut tokens),
            "VACUUM" | "CLUSTER" | "ANALYZE" => Self::Repeatable,
            _ => Self::Other,
        }
    }

    fn create_index(tokens: &mut Tokens<'_>) -> Self {
        tokens.skip(&["UNIQUE"]);
        if !tokens.skip(&["INDEX"]) || !tokens.skip(&["CONCURRENTLY"]) {
            return Self::Other;
        }
        tokens.skip(&["IF", "NOT", "EXISTS"]);
        let name = if tokens.skip(&["ON"]) {
            None
        } else {
            let name = tokens.name();
            tokens.skip(&["ON"]);
            name
        };
        tokens.skip(&["ONLY"]);
        tokens.name().map_or(Self::Other, |table| Self::CreateIndex { name, table })
    }

    fn drop_index(tokens: &mut Tokens<'_>) -> Self {
        if !tokens.skip(&["INDEX"]) || !tokens.skip(&["CONCURRENTLY"]) {
            return Self::Other;
        }
        tokens.skip(&["IF", "EXISTS"]);
        tokens.name().map_or(Self::Other, |name| Self::DropIndex { name })
    }

    fn reindex(tokens: &mut Tokens<'_>) -> Self {
        tokens.skip_parentheses();
        let kind = tokens.word();
        tokens.skip(&["CONCURRENTLY"]);
        match (kind.as_str(), tokens.name()) {
            ("INDEX", Some(index)) => Self::ReindexIndex { index },
            ("TABLE", Some(table)) => Self::ReindexTable { table },
            _ => Self::Repeatable,
        }
    }

    fn alter(tokens: &mut Tokens<'_>) -> Self {
        if tokens.skip(&["SYSTEM"]) {
            return Self::Repeatable;
        }
        if !tokens.skip(&["TABLE"]) {
            return Self::Other;
        }
        tokens.skip(&["IF", "EXISTS"]);
        let table = tokens.name();
        match (table, tokens.skip(&["DETACH", "PARTITION"]), tokens.name()) {
            (Some(table), true, Some(partition)) => Self::Detach { table, partition },
            _ => Self::Other,
        }
    }

    /// The table that it works on, as written.
    pub(super) fn table(&self) -> Option<&str> {
        match self {
            Self::CreateIndex { table, .. } | Self::ReindexTable { table } | Self::Detach { table, .. } => Some(table),
            _ => None,
        }
    }
}

impl Session {
    /// Whether a statement that ran outside of a transaction needs no second run. What it left is dropped.
    pub(super) async fn is_done_already(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        outcome: Outcome,
        again: Option<Again>,
        on_event: OnEvent<'_>,
    ) -> Result<bool, Error> {
        if again == Some(Again::Skip) {
            return Ok(true);
        }
        let is_done = match (again, outcome) {
            (Some(_), _) | (_, Outcome::Failed) => false,
            (None, Outcome::Unknown) => self.took_effect(work, statement).await?,
        };
        if !is_done {
            self.drop_what_it_left(work, statement, on_event).await?;
        }
        Ok(is_done)
    }

    /// What the database itself tells of a statement that was broken off.
    async fn took_effect(&self, work: &Work<'_>, statement: &Statement) -> Result<bool, Error> {
        let sql = work.revision.sql(statement);
        let uncertain = || {
            let (line, _) = work.revision.place(statement.start);
            let sql = sql.lines().next().unwrap_or_default().to_owned();
            Error::Uncertain { revision: work.revision.id.clone(), path: work.revision.path.clone(), line, sql }
        };
        let question = match Lone::of(sql) {
            Lone::CreateIndex { name: Some(name), table } => format!(
                "SELECT EXISTS (SELECT FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c \
                 ON c.oid = i.indexrelid WHERE i.indisvalid AND i.indrelid = pg_catalog.to_regclass({}) \
                 AND c.relname = (pg_catalog.parse_ident({}))[1])",
                quote_literal(&table),
                quote_literal(&name)
            ),
            Lone::DropIndex { name } => {
                format!("SELECT pg_catalog.to_regclass({}) IS NULL", quote_literal(&name))
            }
            Lone::Detach { table, partition } => return self.finish_detaching(&table, &partition).await,
            Lone::ReindexIndex { .. } | Lone::ReindexTable { .. } | Lone::Repeatable => return Ok(false),
            Lone::CreateIndex { name: None, .. } if !self.leftovers(sql).await?.is_empty() => return Ok(false),
            Lone::CreateIndex { name: None, .. } | Lone::Other => return Err(uncertain()),
        };
        let rows = self.rows_of(&question, "cannot look for what a broken-off statement did").await?;
        Ok(rows.first().is_some_and(|row| row[0] == "t"))
    }

    /// A partition that is being detached is neither in nor out until somebody finishes it.
    async fn finish_detaching(&self, table: &str, partition: &str) -> Result<bool, Error> {
        let sql = format!(
            "SELECT inhdetachpending FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass({}) \
             AND inhparent = pg_catalog.to_regclass({})",
            quote_literal(partition),
            quote_literal(table)
        );
        let rows = self.rows_of(&sql, "cannot look whether a partition is detached").await?;
        let Some(row) = rows.first() else { return Ok(true) };
        if row[0] == "t" {
            let sql = format!("ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE");
            self.execute(&sql, "cannot finish detaching a partition").await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Drops the invalid indexes that a failed `CREATE INDEX CONCURRENTLY` or `REINDEX … CONCURRENTLY` leaves.
    ///
    /// <https://www.postgresql.org/docs/18/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>
    pub(super) async fn drop_what_it_left(
        &self,
        work: &Work<'_>,
        statement: &Statement,
        on_event: OnEvent<'_>,
    ) -> Result<(), Error> {
        for index in self.leftovers(work.revision.sql(statement)).await? {
            self.execute(&format!("DROP INDEX CONCURRENTLY {index}"), "cannot drop an invalid index").await?;
            on_event(Event::DroppedIndex(index));
        }
        Ok(())
    }

    async fn leftovers(&self, sql: &str) -> Result<Vec<String>, Error> {
        let of_table = |table: &str| format!("pg_catalog.to_regclass({})", quote_literal(table));
        let (table, name) = match Lone::of(sql) {
            Lone::CreateIndex { name: Some(name), table } => {
                (of_table(&table), format!("= (pg_catalog.parse_ident({}))[1]", quote_literal(&name)))
            }
            // PostgreSQL has chosen the name.
            Lone::CreateIndex { name: None, table } => (of_table(&table), "~ '_idx[0-9]*$'".to_owned()),
            Lone::ReindexTable { table } => (of_table(&table), "~ '_ccnew[0-9]*$'".to_owned()),
            Lone::ReindexIndex { index } => (
                format!("(SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = {})", of_table(&index)),
                "~ '_ccnew[0-9]*$'".to_owned(),
            ),
            _ => return Ok(Vec::new()),
        };
        let sql = include_str!("invalid_indexes.sql").replace("$TABLE", &table).replace("$NAME", &name);
        let rows = self.rows_of(&sql, "cannot look for invalid indexes").await?;
        Ok(rows.into_iter().map(|mut row| row.remove(0)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Lone;

    #[test]
    fn knows_what_a_statement_is_about() {
        let (some, text) = (|name: &str| Some(name.to_owned()), str::to_owned);
        let cases = [
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"Odd i\" ON ONLY public.t (a)",
                Lone::CreateIndex { name: some("\"Odd i\""), table: text("public.t") },
            ),
            ("create index concurrently on t using gin (a)", Lone::CreateIndex { name: None, table: text("t") }),
            ("CREATE INDEX i ON t (a)", Lone::Other),
            ("DROP INDEX CONCURRENTLY IF EXISTS s.i", Lone::DropIndex { name: text("s.i") }),
            ("REINDEX (VERBOSE) INDEX CONCURRENTLY s.i", Lone::ReindexIndex { index: text("s.i") }),
            ("REINDEX TABLE CONCURRENTLY t", Lone::ReindexTable { table: text("t") }),
            ("REINDEX SCHEMA CONCURRENTLY s", Lone::ReindexTable { table: text("s") }),
            (
                "ALTER TABLE s.t /* why */ DETACH PARTITION s.p CONCURRENTLY",
                Lone::Detach { table: text("s.t"), partition: text("s.p") },
            ),
            ("ALTER SYSTEM SET work_mem = '1MB'", Lone::Repeatable),
            ("VACUUM t", Lone::Repeatable),
            ("CALL p()", Lone::Other),
            ("CREATE", Lone::Other),
        ];
        for (sql, expected) in cases {
            let expected = if sql.contains("SCHEMA") { Lone::Repeatable } else { expected };
            assert_eq!(Lone::of(sql), expected, "{sql}");
        }
    }
}
