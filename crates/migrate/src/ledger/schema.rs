//! The schema as dbops left it: what is different later was changed by something else.

use dbops_postgres::tokio_postgres::{Client, Error as PostgresError, Row};
use dbops_postgres::{BEGIN_READING, DatabaseUrl};
use jiff::Timestamp;

use crate::{Error, version_table};

const OBJECTS: &str = include_str!("schema_objects.sql");

/// The queries are short, and estimated much too long to be run as they are.
const SETTINGS: &str = "SET LOCAL jit = off";

/// How a schema stands to what was recorded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// There is no record that the schema could be compared with.
    NotRecorded,
    /// There is one.
    Recorded {
        /// Since when.
        recorded: Timestamp,
        /// What is not as it was then, by name.
        changed: Vec<ChangedObject>,
    },
}

/// An object that was changed by something else than dbops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedObject {
    /// What it is: `table public.users`, quoted where SQL needs it.
    pub object: String,
    /// Its digest when it was recorded; nothing where it is new.
    recorded: Option<i64>,
    /// Its digest now; nothing where it is gone.
    live: Option<i64>,
}

impl ChangedObject {
    /// `new`, `gone` or `changed`.
    #[must_use]
    pub fn change(&self) -> &'static str {
        match (self.recorded, self.live) {
            (None, _) => "new",
            (_, None) => "gone",
            _ => "changed",
        }
    }
}

/// Compares the schema of a database with what dbops left, without taking the lock.
///
/// Privileges, comments and what an extension brings are not part of the comparison, nor are operators, casts,
/// collations, text search and foreign servers.
///
/// # Errors
///
/// When the database cannot be reached or the record cannot be read.
pub async fn read_schema_state(url: &DatabaseUrl) -> Result<SchemaState, Error> {
    let (client, table) = version_table::connect_to_read(url).await?;
    let rows = version_table::read(&client, &table).await?.unwrap_or_default();
    client.batch_execute(SETTINGS).await.map_err(unreadable)?;
    state(&client, &table.name, &rows).await.map_err(unreadable)
}

/// How the schema stands to the record. To be called within [`reading`], as is all that gives PostgreSQL's own error.
pub(crate) async fn state(client: &Client, version_table: &str, rows: &[String]) -> Result<SchemaState, PostgresError> {
    match recorded(client, version_table, rows).await? {
        Some(recorded) => Ok(SchemaState::Recorded { recorded, changed: changed(client).await? }),
        None => Ok(SchemaState::NotRecorded),
    }
}

/// When the schema was recorded with which the present one can be compared.
pub(crate) async fn recorded(
    client: &Client,
    version_table: &str,
    rows: &[String],
) -> Result<Option<Timestamp>, PostgresError> {
    if !exists(client).await? {
        return Ok(None);
    }
    let row = client.query_opt(include_str!("schema_state.sql"), &[&version_table, &rows]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// What is not as it was recorded.
async fn changed(client: &Client) -> Result<Vec<ChangedObject>, PostgresError> {
    let sql = format!(
        "WITH live AS ({OBJECTS}), recorded AS (SELECT o.key AS object, o.value::int8 AS digest FROM dbops.schema_state, \
         jsonb_each_text(objects) o) SELECT object, recorded.digest, live.digest FROM live FULL JOIN recorded USING \
         (object) WHERE live.digest IS DISTINCT FROM recorded.digest ORDER BY object"
    );
    let change = |row: &Row| ChangedObject { object: row.get(0), recorded: row.get(1), live: row.get(2) };
    Ok(client.query(&sql, &[]).await?.iter().map(change).collect())
}

async fn exists(client: &Client) -> Result<bool, PostgresError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'dbops' \
               AND c.relname = 'schema_state')";
    Ok(client.query_one(sql, &[]).await?.get(0))
}

/// What is asked finds no functions and operators but the server's own.
pub(crate) async fn reading<T>(
    client: &Client,
    asked: impl Future<Output = Result<T, PostgresError>>,
) -> Result<T, Error> {
    client.batch_execute(&format!("{BEGIN_READING}; {SETTINGS}")).await.map_err(unreadable)?;
    let answer = asked.await;
    let ended = client.batch_execute("ROLLBACK").await;
    answer.and_then(|answer| ended.map(|()| answer)).map_err(unreadable)
}

fn unreadable(error: PostgresError) -> Error {
    Error::sql("cannot read what was recorded of the schema", error)
}

/// Records the schema as it is. What had been changed before and still is as it was then stays told.
pub(crate) async fn record(
    client: &Client,
    version_table: &str,
    rows: &[String],
    before: &[ChangedObject],
) -> Result<(), Error> {
    let failed = |error| Error::sql("cannot record the schema", error);
    if !reading(client, exists(client)).await? {
        client.batch_execute(include_str!("schema_state_table.sql")).await.map_err(failed)?;
    }
    let objects: Vec<_> = before.iter().map(|it| it.object.as_str()).collect();
    let live: Vec<_> = before.iter().map(|it| it.live).collect();
    let recorded: Vec<_> = before.iter().map(|it| it.recorded).collect();
    let sql = format!(
        "WITH live AS ({OBJECTS}), before AS (SELECT * FROM unnest($3::text[], $4::int8[], $5::int8[]) AS b (object, \
         digest, recorded)), kept AS (SELECT object, CASE WHEN before.object IS NOT NULL AND live.digest IS NOT \
         DISTINCT FROM before.digest THEN before.recorded ELSE live.digest END AS digest FROM live FULL JOIN before \
         USING (object)) INSERT INTO dbops.schema_state (version_table, revisions, layout, own_id, server, objects) \
         SELECT $1::text, $2::text[], 1, 'dbops.schema_state'::regclass, \
         current_setting('server_version_num')::int4 / 10000, coalesce(jsonb_object_agg(object, digest) FILTER (WHERE \
         digest IS NOT NULL), '{{}}') FROM kept"
    );
    let begin = format!("BEGIN; SET LOCAL search_path = pg_catalog; {SETTINGS}; DELETE FROM dbops.schema_state");
    let replaced = async {
        client.batch_execute(&begin).await?;
        client.execute(&sql, &[&version_table, &rows, &objects, &live, &recorded]).await.map(drop)
    };
    let replaced = replaced.await;
    let end = if replaced.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = client.batch_execute(end).await;
    replaced.and(ended).map_err(failed)
}
