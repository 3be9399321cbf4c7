//! Reading a database's revision, and whether it is empty.

use dbops_postgres::tokio_postgres::{Client, Error as DriverError};

const HOLDS: &str = include_str!("holds.sql");

/// The version table, quoted and with its schema, when `name` (as it would be written in SQL) is one. It is
/// looked for along the search path, where others may have made operators.
pub(crate) async fn version_table(client: &Client, name: &str) -> Result<Option<String>, DriverError> {
    let query = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) \
                 FROM pg_catalog.pg_class AS c \
                 JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid \
                 WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) \
                 AND a.attname OPERATOR(pg_catalog.=) 'version_num' AND NOT a.attisdropped";
    client.query_opt(query, &[&name]).await?.map(|row| row.try_get(0)).transpose()
}

/// The rows of a version table that [`version_table`] found, in order.
pub(crate) async fn revision(client: &Client, table: &str) -> Result<Vec<String>, DriverError> {
    let rows = client.query(&format!("SELECT version_num::text FROM {table} ORDER BY 1"), &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// What makes a database other than empty: some of it in words, `None` when there is nothing.
pub(crate) async fn contents(client: &Client) -> Result<Option<String>, DriverError> {
    let rows = client.query(HOLDS, &[]).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let total: i64 = first.try_get("total")?;
    let mut objects: Vec<String> = rows.iter().map(|row| row.try_get("object")).collect::<Result<_, _>>()?;
    let more = usize::try_from(total).unwrap_or(usize::MAX).saturating_sub(objects.len());
    if more > 0 {
        objects.push(format!("and {more} more"));
    }
    Ok(Some(objects.join(", ")))
}
