//! The checks of a PostgreSQL database.

mod connection;
mod extensions;
mod migrations;
mod version;

use std::time::Duration;

use dbops_postgres::{DatabaseUrl, pool};
pub use migrations::MigrationState;

use crate::Finding;
use crate::deadline::{bounded, with_connection};

/// How many connections the checks of one target may open.
const CONNECTIONS: usize = 2;

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
}

/// Runs every check of a database. `migrations` finds out how its revisions stand; it is asked only when the database
/// can be reached.
pub async fn check_postgres(
    target: &PostgresTarget<'_>,
    migrations: impl Future<Output = MigrationState>,
) -> Vec<Finding> {
    let pool = match pool(target.url, CONNECTIONS) {
        Ok(pool) => pool,
        Err(error) => return connection::failed(target, &error),
    };
    let (mut findings, is_connected) = connection::check(target, &pool).await;
    if !is_connected {
        return findings;
    }
    let name = target.name;
    let (version, extensions, migrations) = tokio::join!(
        with_connection(version::ID, target, &pool, |client| version::check(name, client)),
        async {
            // Nothing that could be missing is no finding.
            if target.extensions.is_empty() {
                return None;
            }
            let check = |client| extensions::check(name, target.extensions, client);
            Some(with_connection(extensions::ID, target, &pool, check).await)
        },
        bounded(migrations::ID, name, target.deadline, async { migrations::finding(name, migrations.await) }),
    );
    findings.push(version);
    findings.extend(extensions);
    findings.push(migrations);
    findings
}
