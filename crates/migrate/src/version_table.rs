//! Alembic's version table, `alembic_version`: read, created when it is missing, edited row by row.

use dbops_postgres::tokio_postgres::{Client, SimpleQueryMessage};
use dbops_postgres::{BEGIN_READING, DatabaseUrl, SqlError, connect, quote_identifier, quote_literal};

use crate::{Error, RowEdit};

/// The table as Alembic creates it.
pub(crate) const CREATE: &str = "CREATE TABLE TABLE_NAME (version_num VARCHAR(32) NOT NULL, \
                      CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))";

/// Where the table is, or would be.
pub(crate) struct Place {
    /// Its name with its schema, so that a revision that changes the search path does not hide it.
    pub(crate) name: String,
    exists: bool,
}

/// A connection that reads what is recorded, without a lock.
pub(crate) async fn connect_to_read(url: &DatabaseUrl) -> Result<(Client, Place), Error> {
    let client = connect(url).await?;
    let place = find(&client).await?;
    let begun = client.batch_execute(BEGIN_READING).await;
    begun.map_err(|error| Error::sql("cannot begin to read", error))?;
    Ok((client, place))
}

/// Looks for the table along the search path, as Alembic does.
pub(crate) async fn find(client: &Client) -> Result<Place, Error> {
    let failed = |error| Error::sql("cannot look for the version table", error);
    let messages = client.simple_query(include_str!("version_table.sql")).await.map_err(failed)?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?, row.get(1)? == "t")),
        _ => None,
    });
    let (schema, exists) = row.unwrap_or(("public", false));
    Ok(Place { name: format!("{}.alembic_version", quote_identifier(schema)), exists })
}

/// The ids in the table, sorted; `None` when there is no table.
pub(crate) async fn read(client: &Client, place: &Place) -> Result<Option<Vec<String>>, Error> {
    if !place.exists {
        return Ok(None);
    }
    let sql = format!("SELECT version_num FROM {} ORDER BY version_num", place.name);
    let messages =
        client.simple_query(&sql).await.map_err(|error| Error::sql("cannot read the version table", error))?;
    Ok(Some(first_column(messages)))
}

/// Creates the table where Alembic would, if there is none: who may not create it need not.
pub(crate) async fn ensure(client: &Client) -> Result<Place, Error> {
    let place = find(client).await?;
    if !place.exists {
        let sql = CREATE.replace("CREATE TABLE TABLE_NAME", &format!("CREATE TABLE IF NOT EXISTS {}", place.name));
        client.batch_execute(&sql).await.map_err(|error| Error::sql("cannot create the version table", error))?;
    }
    Ok(Place { exists: true, ..place })
}

/// Carries out the edits that belong to a revision, between other statements, all in one message; it fails unless each
/// edit matches exactly one row. To be called in a transaction, which an error leaves to be rolled back.
pub(crate) async fn edit(
    client: &Client,
    table: &str,
    revision: &str,
    edits: &[RowEdit],
    (before, after): (&[&str], &[&str]),
) -> Result<(), Error> {
    let made: Vec<_> = edits.iter().map(|edit| checked_sql(table, edit)).collect();
    let statements = before.iter().copied().chain(made.iter().map(String::as_str)).chain(after.iter().copied());
    let sql = statements.filter(|statement| !statement.is_empty()).collect::<Vec<_>>().join("; ");
    client.batch_execute(&sql).await.map_err(|error| {
        let (revision, source) = (revision.to_owned(), SqlError::from(error));
        if source.sqlstate.as_deref() == Some(DIVISION_BY_ZERO) {
            let found = edits.iter().filter(|edit| !matches!(edit, RowEdit::Insert(_)));
            return Error::Rows { revision, ids: found.map(|edit| edit.row().to_owned()).collect() };
        }
        Error::Record { revision, source: Box::new(source) }
    })
}

/// An edit that fails unless it matches exactly one row. The server finds that out, and not the client, so that COMMIT
/// can be sent along.
fn checked_sql(table: &str, edit: &RowEdit) -> String {
    let sql = edit_sql(table, edit);
    if matches!(edit, RowEdit::Insert(_)) {
        return sql;
    }
    format!("WITH edited AS ({sql} RETURNING 1) SELECT 1 / (pg_catalog.count(*) = 1)::pg_catalog.int4 FROM edited")
}

const DIVISION_BY_ZERO: &str = "22012";

pub(crate) fn edit_sql(table: &str, edit: &RowEdit) -> String {
    match edit {
        RowEdit::Insert(id) => format!("INSERT INTO {table} (version_num) VALUES ({})", quote_literal(id)),
        RowEdit::Delete(id) => format!("DELETE FROM {table} WHERE version_num = {}", quote_literal(id)),
        RowEdit::Update { from, to } => {
            let (to, condition) = (quote_literal(to), quote_literal(from));
            format!("UPDATE {table} SET version_num = {to} WHERE version_num = {condition}")
        }
    }
}

fn first_column(messages: Vec<SimpleQueryMessage>) -> Vec<String> {
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    rows.collect()
}
