//! How a database stands to its revisions, and to what dbops left.

use dbops_health::{MigrationState, RevisionState, SchemaSince};
use dbops_migrate::{
    Error, Graph, GraphError, Rows, SchemaState, file_drift, plan, read_log, read_rows, read_schema_state,
    read_unfinished,
};
use dbops_postgres::quote_identifier;
use jiff::Timestamp;

use crate::commands::migrate::load;
use crate::config::PostgresTarget;
use crate::failure::Failure;

pub(super) async fn revision_state(name: &str, target: &PostgresTarget) -> RevisionState {
    let graph = match load(name, target) {
        Ok(graph) => graph,
        Err(failure) => {
            // Without a hint it is the folder or a file that cannot be read.
            let remedy = format!(
                "see whether {} is there and may be read, or correct `versions` of {name} in the configuration",
                target.versions.display()
            );
            return unreadable(failure, remedy).into();
        }
    };
    // Side by side: each is a connection of its own.
    let (migrations, log, unfinished) =
        tokio::join!(migration_state(name, target, &graph), read_log(&target.url), read_unfinished(&target.url));
    let (migrations, rows) = match migrations {
        Ok((migrations, rows)) => (migrations, rows),
        Err(migrations) => return migrations.into(),
    };
    let (log, unfinished) = match (log, unfinished) {
        (Ok(log), Ok(unfinished)) => (log.unwrap_or_default(), unfinished),
        (Err(error), _) | (_, Err(error)) => {
            return unreadable(error.into(), may_read_the_log(target)).into();
        }
    };
    let drift = file_drift(&graph, &rows, &log);
    RevisionState {
        migrations,
        unfinished: unfinished.map(|it| it.revision),
        heads: graph.heads().iter().map(|head| head.id.clone()).collect(),
        changed: drift.changed,
        deleted: drift.deleted,
        merged_below: drift.merged_below,
    }
}

/// How the database's schema stands to what dbops left.
pub(super) async fn schema_since(name: &str, target: &PostgresTarget) -> SchemaSince {
    match read_schema_state(&target.url).await {
        Ok(SchemaState::NotRecorded) => SchemaSince::NotRecorded,
        Ok(SchemaState::Recorded { recorded, changed }) => SchemaSince::Recorded {
            age: Timestamp::now().duration_since(recorded).as_secs_f64().max(0.0),
            changed: changed.iter().map(|it| format!("{} is {}", it.object, it.change())).collect(),
        },
        Err(error) => {
            let remedy = match &error {
                Error::Sql { source, .. } if source.sqlstate.as_deref() == Some("42501") => may_read_the_log(target),
                _ => error.hint().unwrap_or_else(|| format!("`dbops schema drift -t {name}` may say more")),
            };
            SchemaSince::Unreadable { reason: format!("{:#}", Failure::from(error).error), remedy }
        }
    }
}

fn may_read_the_log(target: &PostgresTarget) -> String {
    let user = quote_identifier(target.url.user());
    format!(
        "let the user read the log: GRANT USAGE ON SCHEMA dbops TO {user}; GRANT SELECT ON ALL TABLES IN SCHEMA dbops \
         TO {user}"
    )
}

/// How far the database is, with the rows that say so; else why that is not known.
async fn migration_state(
    name: &str,
    target: &PostgresTarget,
    graph: &Graph,
) -> Result<(MigrationState, Rows), MigrationState> {
    let ids = match read_rows(&target.url).await {
        Ok(Some(ids)) => ids,
        Ok(None) if graph.revisions().is_empty() => Vec::new(),
        Ok(None) => {
            let (rows, _) = Rows::known(graph, &[]);
            return Ok((MigrationState::NotInitialized, rows));
        }
        Err(error) => {
            let remedy = match &error {
                Error::Sql { source, .. } if source.sqlstate.as_deref() == Some("42501") => format!(
                    "let the user read the version table: GRANT SELECT ON alembic_version TO {}",
                    quote_identifier(target.url.user())
                ),
                _ => format!("`dbops migrate current -t {name}` may say more"),
            };
            return Err(unreadable(error.into(), remedy));
        }
    };
    match Rows::new(graph, &ids) {
        Ok(rows) => {
            let state = match plan::pending(graph, &rows).len() {
                0 => MigrationState::UpToDate,
                count => MigrationState::Pending(count),
            };
            Ok((state, rows))
        }
        Err(GraphError::UnknownRow(unknown)) => {
            Ok((MigrationState::UnknownRevision(unknown), Rows::known(graph, &ids).0))
        }
        Err(error) => {
            let remedy = format!("`dbops migrate current -t {name}` may say more");
            Err(unreadable(error.into(), remedy))
        }
    }
}

/// With the failure's own hint, if it has one.
fn unreadable(failure: Failure, otherwise: String) -> MigrationState {
    MigrationState::Unreadable { reason: format!("{:#}", failure.error), remedy: failure.hint.unwrap_or(otherwise) }
}
