//! What a PostgreSQL database says of itself.

use dbops_postgres::{BEGIN_READING, SqlError, Version, connect};
use futures_util::future::join;
use serde::Serialize;

use crate::commands::migrate::{Agreement, agreement};
use crate::config::PostgresTarget;

#[derive(Debug, Serialize)]
pub(crate) struct DatabaseStatus {
    pub(crate) database: String,
    /// `18.6`.
    pub(crate) version: String,
    pub(crate) bytes: i64,
    /// Those of clients, to all databases of the server.
    pub(crate) connections: i64,
    pub(crate) max_connections: i64,
    /// Whether it is a standby, which is only read.
    pub(crate) standby: bool,
    /// How the database stands to its revision files.
    pub(crate) migrations: Option<Agreement>,
    /// Why that is not known.
    pub(crate) migrations_error: Option<String>,
    /// What `schema drift` says, when it was asked: `equal`, `declared`, `live`, `revisions`, `all`.
    pub(crate) schema: Option<&'static str>,
    /// Why that is not known.
    pub(crate) schema_error: Option<String>,
}

impl DatabaseStatus {
    pub(super) fn is_well(&self) -> bool {
        self.migrations.as_ref().is_some_and(|it| it.ok)
            && self.schema.is_none_or(|verdict| verdict == "equal")
            && self.schema_error.is_none()
    }
}

/// Asks the database; the error is why it cannot be reached.
pub(super) async fn ask(name: &str, target: &PostgresTarget) -> Result<DatabaseStatus, String> {
    let client = connect(&target.url).await.map_err(|error| error.reason)?;
    let asked = async {
        client.batch_execute(BEGIN_READING).await?;
        client.query_one(include_str!("database.sql"), &[]).await
    };
    let (row, migrations) = join(asked, agreement(name, target)).await;
    let row = row.map_err(|error| SqlError::from(error).to_string())?;
    let number: i32 = row.get("version");
    let (migrations, migrations_error) = match migrations {
        Ok(found) => (Some(found), None),
        Err(failure) => (None, Some(format!("{:#}", failure.error))),
    };
    Ok(DatabaseStatus {
        database: target.url.database().to_owned(),
        version: Version::from_number(number.unsigned_abs()).to_string(),
        bytes: row.get("bytes"),
        connections: row.get("connections"),
        max_connections: row.get("most"),
        standby: row.get("is_standby"),
        migrations,
        migrations_error,
        schema: None,
        schema_error: None,
    })
}
