//! The checks of a PostgreSQL database.

mod asked;
mod autovacuum;
mod blocked_sessions;
mod cache_hit;
mod checkpoints;
mod collation;
mod connection;
mod connections;
mod deadlocks;
mod disk_space;
mod duplicate_indexes;
mod extensions;
mod foreign_key_indexes;
mod idle_transactions;
mod index_bloat;
mod invalid_indexes;
mod langgraph;
mod langgraph_growth;
mod langgraph_orphans;
mod langgraph_size;
mod langgraph_tables;
mod long_transactions;
mod migrations;
mod password;
mod prepared_transactions;
mod replication_lag;
mod replication_slots;
mod sequences;
mod server;
mod session;
mod settings;
mod table_bloat;
mod temporary_files;
#[cfg(test)]
mod testing;
mod unused_indexes;
mod vector_indexes;
mod version;
mod wraparound;

use std::time::Duration;

use asked::Entry;
use dbops_postgres::{DatabaseUrl, pool};
use futures_util::future::join_all;
pub use migrations::{MigrationState, RevisionState};

use crate::drift::{self, SchemaSince};
use crate::{Check, Finding, Selection};

/// How many connections the checks of one target may open.
const CONNECTIONS: usize = 3;

/// A database, and what it should have.
#[derive(Debug, Clone, Copy)]
pub struct PostgresTarget<'a> {
    /// What findings call it.
    pub name: &'a str,
    /// Where it is.
    pub url: &'a DatabaseUrl,
    /// The extensions that it needs.
    pub extensions: &'a [String],
    /// How long each check may take.
    pub deadline: Duration,
    /// Which checks are run, and from where on they warn.
    pub selection: &'a Selection,
}

macro_rules! entries {
    ($($place:ident),* $(,)?) => {
        [$(Entry { check: $place::CHECK, run: |asked| Box::pin($place::check(asked)) }),*]
    };
}

/// The checks that ask the database, in the order in which they are told.
const ENTRIES: [Entry; 31] = entries![
    version,
    extensions,
    settings,
    password,
    connections,
    long_transactions,
    idle_transactions,
    blocked_sessions,
    prepared_transactions,
    replication_lag,
    replication_slots,
    wraparound,
    autovacuum,
    table_bloat,
    index_bloat,
    invalid_indexes,
    unused_indexes,
    duplicate_indexes,
    foreign_key_indexes,
    vector_indexes,
    sequences,
    checkpoints,
    cache_hit,
    temporary_files,
    deadlocks,
    disk_space,
    collation,
    langgraph,
    langgraph_orphans,
    langgraph_size,
    langgraph_growth,
];

/// Every check of a database.
pub(crate) fn checks() -> Vec<Check> {
    let asking = ENTRIES.iter().map(|entry| entry.check);
    connection::CHECKS.into_iter().chain(asking).chain(migrations::CHECKS).collect()
}

/// Runs every check of a database that `target.selection` wants. `revisions` finds out how its revisions stand, and
/// `schema` how its schema does; they are asked only when the database can be reached.
pub async fn check_postgres(
    target: &PostgresTarget<'_>,
    revisions: impl Future<Output = RevisionState>,
    schema: impl Future<Output = SchemaSince>,
) -> Vec<Finding> {
    let pool = match pool(target.url, CONNECTIONS) {
        Ok(pool) => pool,
        Err(error) => return target.selection.apply(connection::failed(target, &error)),
    };
    let (mut findings, server) = connection::check(target, &pool).await;
    let Some(server) = server else { return target.selection.apply(findings) };
    let wanted = ENTRIES.iter().filter(|entry| target.selection.wants(entry.check.id));
    let asking = join_all(wanted.map(|entry| asked::run(entry, target, &server, &pool)));
    let of_revisions = async {
        if !migrations::CHECKS.iter().any(|check| target.selection.wants(check.id)) {
            return Vec::new();
        }
        migrations::findings(target, revisions).await
    };
    let (asked, of_revisions, of_schema) = tokio::join!(asking, of_revisions, drift::since(target, schema));
    findings.extend(asked.into_iter().flatten());
    findings.extend(of_revisions);
    findings.extend(of_schema);
    target.selection.apply(findings)
}
