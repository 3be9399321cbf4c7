//! How a database stands to its revisions.

use dbops_health::MigrationState;
use dbops_migrate::{Error, GraphError, Rows, plan, read_rows};
use dbops_postgres::quote_identifier;

use crate::commands::migrate::load;
use crate::config::PostgresTarget;
use crate::failure::Failure;

pub(super) async fn migration_state(name: &str, target: &PostgresTarget) -> MigrationState {
    let graph = match load(name, target) {
        Ok(graph) => graph,
        Err(failure) => {
            // Without a hint it is the folder or a file that cannot be read.
            let remedy = format!(
                "see whether {} is there and may be read, or correct `versions` of {name} in the configuration",
                target.versions.display()
            );
            return unreadable(failure, remedy);
        }
    };
    let ids = match read_rows(&target.url).await {
        Ok(Some(ids)) => ids,
        Ok(None) if graph.revisions().is_empty() => return MigrationState::UpToDate,
        Ok(None) => return MigrationState::NotInitialized,
        Err(error) => {
            let remedy = match &error {
                Error::Sql { source, .. } if source.sqlstate.as_deref() == Some("42501") => format!(
                    "let the user read the version table: GRANT SELECT ON alembic_version TO {}",
                    quote_identifier(target.url.user())
                ),
                _ => format!("`dbops migrate current -t {name}` may say more"),
            };
            return unreadable(error.into(), remedy);
        }
    };
    let rows = match Rows::new(&graph, &ids) {
        Ok(rows) => rows,
        Err(GraphError::UnknownRow(ids)) => return MigrationState::UnknownRevision(ids),
        Err(error) => {
            let remedy = format!("`dbops migrate current -t {name}` may say more");
            return unreadable(error.into(), remedy);
        }
    };
    match plan::pending(&graph, &rows).len() {
        0 => MigrationState::UpToDate,
        count => MigrationState::Pending(count),
    }
}

/// With the failure's own hint, if it has one.
fn unreadable(failure: Failure, otherwise: String) -> MigrationState {
    MigrationState::Unreadable { reason: format!("{:#}", failure.error), remedy: failure.hint.unwrap_or(otherwise) }
}
