//! Reading what a manifest says about a database, and whether a database is empty.

use std::collections::BTreeMap;

use dbops_postgres::quote_literal;
use dbops_postgres::tokio_postgres::{Client, Error as DriverError, Row};
use serde::{Deserialize, Serialize};

const DESCRIBE: &str = include_str!("describe.sql");
const HOLDS: &str = include_str!("holds.sql");

/// The encoding and locale of a database: what two databases must share to sort and compare alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locale {
    /// `UTF8`
    pub encoding: String,
    /// As in `pg_database.datlocprovider`: `c` for the C library, `i` for ICU, `b` for built in.
    pub provider: String,
    /// `LC_COLLATE`
    pub collate: String,
    /// `LC_CTYPE`
    pub ctype: String,
    /// The locale of ICU or of the built-in provider.
    pub locale: Option<String>,
}

impl Locale {
    /// The options of `CREATE DATABASE` for a database like this one.
    pub(crate) fn create_options(&self) -> String {
        let literal = |text: &str| quote_literal(text).trim_start().to_owned();
        let mut options = format!(
            "ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            literal(&self.encoding),
            literal(&self.collate),
            literal(&self.ctype)
        );
        let provider = match self.provider.as_str() {
            "i" => Some(("icu", "ICU_LOCALE")),
            "b" => Some(("builtin", "BUILTIN_LOCALE")),
            _ => None,
        };
        if let (Some((provider, option)), Some(locale)) = (provider, &self.locale) {
            options.push_str(&format!(" LOCALE_PROVIDER {provider} {option} {}", literal(locale)));
        }
        options
    }
}

/// What a manifest says about a database besides its archive.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) locale: Locale,
    pub(crate) tables: u64,
    pub(crate) extensions: BTreeMap<String, String>,
    pub(crate) version_table: Option<String>,
    pub(crate) revision: Vec<String>,
}

/// Describes the database of the session, as its transaction sees it.
pub(crate) async fn describe(client: &Client) -> Result<Description, DriverError> {
    let row = client.query_one(DESCRIBE, &[]).await?;
    let version_table = version_table(client, "alembic_version").await?;
    let revision = match &version_table {
        Some(table) => revision(client, table).await?,
        None => Vec::new(),
    };
    Ok(Description {
        locale: locale(&row)?,
        tables: tables(&row)?,
        extensions: extensions(&row)?,
        version_table,
        revision,
    })
}

fn locale(row: &Row) -> Result<Locale, DriverError> {
    Ok(Locale {
        encoding: row.try_get("encoding")?,
        provider: row.try_get("provider")?,
        collate: row.try_get("collate")?,
        ctype: row.try_get("ctype")?,
        locale: row.try_get("locale")?,
    })
}

fn tables(row: &Row) -> Result<u64, DriverError> {
    Ok(u64::try_from(row.try_get::<_, i64>("tables")?).unwrap_or(0))
}

fn extensions(row: &Row) -> Result<BTreeMap<String, String>, DriverError> {
    let value: serde_json::Value = row.try_get("extensions")?;
    let pairs = value.as_object().into_iter().flatten();
    Ok(pairs.map(|(name, version)| (name.clone(), version.as_str().unwrap_or_default().to_owned())).collect())
}

/// The version table, quoted and with its schema, when `name` (as it would be written in SQL) is one.
pub(crate) async fn version_table(client: &Client, name: &str) -> Result<Option<String>, DriverError> {
    let query = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) \
                 FROM pg_catalog.pg_class AS c \
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid \
                 WHERE c.oid = pg_catalog.to_regclass($1) AND a.attname = 'version_num' AND NOT a.attisdropped";
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

/// The number of tables in the database of the session.
pub(crate) async fn count_tables(client: &Client) -> Result<u64, DriverError> {
    tables(&client.query_one(DESCRIBE, &[]).await?)
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn a_new_database_gets_the_locale_of_the_old_one() {
        let locale = |provider: &str, locale: Option<&str>| Locale {
            encoding: "UTF8".into(),
            provider: provider.into(),
            collate: "it's".into(),
            ctype: "C".into(),
            locale: locale.map(Into::into),
        };
        let common = "ENCODING 'UTF8' LC_COLLATE 'it''s' LC_CTYPE 'C'";
        let cases = [
            (locale("c", None), common.to_owned()),
            (locale("i", Some("de-DE")), format!("{common} LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'")),
            (locale("b", Some("C.UTF-8")), format!("{common} LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")),
        ];
        for (locale, options) in cases {
            assert_eq!(locale.create_options(), options);
        }
    }
}
