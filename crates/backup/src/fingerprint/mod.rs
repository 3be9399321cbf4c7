//! What the rows of a table come to, in a number: equal before a dump and after its restore.
//!
//! The order of the rows does not matter, nor do the oids of types, collations, or the server's settings. It tells a
//! mistake from its absence, and is no seal: whoever wants two different tables to have the same one can find them.

use std::collections::HashMap;

use dbops_postgres::quote_identifier;
use dbops_postgres::tokio_postgres::{Client, Error as DriverError, Row};
use serde::{Deserialize, Serialize};

const TABLES: &str = include_str!("tables.sql");
const LARGE_OBJECTS: &str = include_str!("large_objects.sql");

/// The way that rows are turned into a number. Fingerprints of different ways say nothing about each other.
///
/// It is `hash_record_extended` of each row, hashed once more and summed up: the same on every PostgreSQL from 14 on and
/// every machine of one byte order. Once more, because the hash of a row is a sum of its columns' hashes: two rows that
/// exchange a value would have the same sum as before.
pub const ALGORITHM: &str = if cfg!(target_endian = "little") { "record-hash-1-le" } else { "record-hash-1-be" };

/// As pg_dump sets it, so that a value has one text; and functions of the database are found by their full name only.
///
/// A table that turns into a view between two statements must not make this session run what the view calls
/// (CVE-2024-7348); servers without that setting know nothing of it.
const SETTINGS: &str = "
    SELECT pg_catalog.set_config(s.name, wanted.value, false)
    FROM (
        VALUES
            ('bytea_output', 'hex'),
            ('datestyle', 'ISO, MDY'),
            ('extra_float_digits', '3'),
            ('idle_in_transaction_session_timeout', '0'),
            ('intervalstyle', 'postgres'),
            ('lc_monetary', 'C'),
            ('lock_timeout', '0'),
            ('max_parallel_workers_per_gather', '0'),
            ('quote_all_identifiers', 'off'),
            ('restrict_nonsystem_relation_kind', 'view, foreign-table'),
            ('row_security', 'off'),
            ('search_path', ''),
            ('statement_timeout', '0'),
            ('timezone', 'UTC'),
            ('transaction_timeout', '0')
    ) AS wanted (name, value)
    JOIN pg_catalog.pg_settings AS s ON pg_catalog.lower(s.name) = wanted.name";

/// A table whose rows can be fingerprinted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its size in bytes, as the server estimated it last.
    pub bytes: u64,
    oid: u32,
    /// What stands for a row, in SQL.
    expression: String,
}

/// The rows of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFingerprint {
    /// The table's schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// What they come to, in hexadecimal.
    pub fingerprint: String,
}

/// The large objects of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargeObjects {
    /// How many there are.
    pub count: u64,
    /// What they come to, in hexadecimal; `None` where the user may not read them all.
    pub fingerprint: Option<String>,
}

/// The tables of the session's database that hold rows of their own, in the order of their names.
///
/// Takes no locks. The session's settings are changed as [`fingerprint`] needs them.
///
/// # Errors
///
/// When the connection is lost.
pub async fn tables(client: &Client) -> Result<Vec<Table>, DriverError> {
    client.query(SETTINGS, &[]).await?;
    let rows = client.query(TABLES, &[]).await?;
    let table = |row: &Row| {
        Ok(Table {
            schema: row.try_get("schema")?,
            name: row.try_get("name")?,
            bytes: unsigned(row.try_get("bytes")?),
            oid: row.try_get("oid")?,
            expression: row.try_get("expression")?,
        })
    };
    rows.iter().map(table).collect()
}

/// Counts and fingerprints the rows of a table that [`tables`] listed in the same session.
///
/// It reads the table once, on one processor of the server, in constant memory.
///
/// # Errors
///
/// When the table may not be read, or is gone.
pub async fn fingerprint(client: &Client, table: &Table) -> Result<TableFingerprint, DriverError> {
    let Table { schema, name, expression, .. } = table;
    let query = format!(
        "SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hash_record_extended(ROW(pg_catalog.int8send(\
         pg_catalog.hash_record_extended({expression}, 0))), 0))::text FROM ONLY {}.{}",
        quote_identifier(schema),
        quote_identifier(name)
    );
    let row = client.query_one(&query, &[]).await?;
    Ok(TableFingerprint {
        schema: schema.clone(),
        name: name.clone(),
        rows: unsigned(row.try_get(0)?),
        fingerprint: hexadecimal(row.try_get(1)?),
    })
}

/// The size on disk of a table: of its rows, without its indexes; none once it was dropped.
pub(crate) async fn size(client: &Client, table: &Table) -> Result<u64, DriverError> {
    let row = client.query_one("SELECT pg_catalog.pg_table_size($1::oid)", &[&table.oid]).await?;
    // NULL then: pg_dump says it better.
    Ok(unsigned(row.try_get::<_, Option<i64>>(0)?.unwrap_or_default()))
}

/// Counts and fingerprints the large objects of the session's database.
///
/// # Errors
///
/// When the connection is lost.
pub async fn large_objects(client: &Client) -> Result<LargeObjects, DriverError> {
    let count = client.query_one("SELECT count(*) FROM pg_catalog.pg_largeobject_metadata", &[]).await?.try_get(0)?;
    let readable = "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')";
    let is_readable: bool = client.query_one(readable, &[]).await?.try_get(0)?;
    let sum = if is_readable { Some(client.query_one(LARGE_OBJECTS, &[]).await?.try_get(0)?) } else { None };
    Ok(LargeObjects { count: unsigned(count), fingerprint: sum.map(hexadecimal) })
}

/// What two databases differ in, a line for each table: nothing when the rows are the same.
#[must_use]
pub fn compare(expected: &[TableFingerprint], found: &[TableFingerprint]) -> Vec<String> {
    let by_name: HashMap<_, _> = found.iter().map(|table| ((&table.schema, &table.name), table)).collect();
    let line = |table: &TableFingerprint| {
        let name = format!("{}.{}", quote_identifier(&table.schema), quote_identifier(&table.name));
        match by_name.get(&(&table.schema, &table.name)) {
            None => Some(format!("table {name} is not there")),
            Some(other) if other.rows != table.rows => {
                Some(format!("table {name} has {} rows, and {} were dumped", other.rows, table.rows))
            }
            Some(other) if other.fingerprint != table.fingerprint => {
                Some(format!("table {name} has other rows than were dumped, as many as they were"))
            }
            Some(_) => None,
        }
    };
    expected.iter().filter_map(line).collect()
}

/// The sum, which has more digits than any integer of PostgreSQL, shortened: 128 bits are more than 2^64 rows can fill.
fn hexadecimal(sum: Option<String>) -> String {
    let number = sum.and_then(|text| text.parse::<i128>().ok()).unwrap_or(0);
    format!("{number:032x}")
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{TableFingerprint, compare, hexadecimal};

    #[test]
    fn a_sum_is_written_with_32_digits() {
        let cases = [
            (None, "00000000000000000000000000000000"),
            (Some("255"), "000000000000000000000000000000ff"),
            (Some("-1"), "ffffffffffffffffffffffffffffffff"),
            (Some("170141183460469231731687303715884105727"), "7fffffffffffffffffffffffffffffff"),
        ];
        for (sum, expected) in cases {
            assert_eq!(hexadecimal(sum.map(Into::into)), expected, "{sum:?}");
        }
    }

    #[test]
    fn differences_are_told_by_table() {
        let table = |name: &str, rows, fingerprint: &str| TableFingerprint {
            schema: "s".into(),
            name: name.into(),
            rows,
            fingerprint: fingerprint.into(),
        };
        let expected = [table("a", 1, "01"), table("b", 2, "02"), table("c", 3, "03"), table("d", 4, "04")];
        let found = [table("a", 1, "01"), table("b", 1, "01"), table("c", 3, "ff"), table("new", 1, "01")];
        let lines = [
            "table \"s\".\"b\" has 1 rows, and 2 were dumped",
            "table \"s\".\"c\" has other rows than were dumped, as many as they were",
            "table \"s\".\"d\" is not there",
        ];
        assert_eq!(compare(&expected, &found), lines);
    }
}
