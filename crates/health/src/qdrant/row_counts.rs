//! Whether a collection has as many points as its table has rows with a vector.

use dbops_postgres::{DatabaseUrl, connect, quote_identifier};

use super::asked::Asked;
use crate::deadline::too_late;
use crate::fold::Item;
use crate::{Check, Finding, Limits, Status, Unit};

pub(super) const CHECK: Check = Check {
    id: "row_counts",
    looks_at: "how far the number of a collection's points is from that of the rows of its table",
    limits: Limits::warning(Unit::Percent, 5.0),
};

/// The table that a collection's points come from.
#[derive(Debug, Clone, Copy)]
pub struct SourceRows<'a> {
    /// The collection.
    pub collection: &'a str,
    /// The database that has the table.
    pub url: &'a DatabaseUrl,
    /// The table's schema.
    pub schema: &'a str,
    /// Its name.
    pub table: &'a str,
    /// The columns of the vectors: a row without any is no point.
    pub vectors: &'a [&'a str],
}

pub(super) async fn check(asked: &Asked<'_>) -> Finding {
    let mut items = Vec::new();
    for source in asked.target.sources {
        // One that is not there is told by another check.
        if !asked.collections.iter().any(|collection| collection.name == source.collection) {
            continue;
        }
        let points = match asked.server.count(source.collection).await {
            Ok(points) => points,
            Err(error) => return asked.unknown(&CHECK, &error),
        };
        #[expect(clippy::cast_precision_loss, reason = "a share needs no last digit")]
        match tokio::time::timeout(asked.target.options.timeout, rows(source)).await {
            Ok(Ok(rows)) => items.push(item(asked.target.name, source, points as f64, rows)),
            Ok(Err(reason)) => {
                let summary = format!("the rows of {}.{} cannot be counted: {reason}", source.schema, source.table);
                return Finding::new(CHECK.id, asked.target.name, Status::Unknown, summary)
                    .remedy("see whether the role may read it: GRANT SELECT");
            }
            Err(_) => return too_late(CHECK.id, asked.target.name, asked.target.options.timeout),
        }
    }
    let well = items.first().map_or("no collection comes from a table", |item| &item.text).to_owned();
    asked.fold(&CHECK, items, ("collections differ from their tables", &well))
}

async fn rows(source: &SourceRows<'_>) -> Result<f64, String> {
    let client = connect(source.url).await.map_err(|error| error.reason)?;
    let has_vector: Vec<_> = source.vectors.iter().map(|it| format!("{} IS NOT NULL", quote_identifier(it))).collect();
    let condition = if has_vector.is_empty() { "true".to_owned() } else { has_vector.join(" OR ") };
    let (schema, table) = (quote_identifier(source.schema), quote_identifier(source.table));
    let sql = format!("SELECT count(*)::float8 FROM {schema}.{table} WHERE {condition}");
    let row = client.query_one(&sql, &[]).await;
    row.map(|row| row.get(0)).map_err(|error| dbops_postgres::SqlError::from(error).to_string())
}

fn item(target: &str, source: &SourceRows<'_>, points: f64, rows: f64) -> Item {
    let collection = source.collection;
    Item {
        value: (points - rows).abs() * 100.0 / points.max(rows).max(1.0),
        text: format!("{collection} has {points} points, and {}.{} has {rows} rows", source.schema, source.table),
        remedy: format!("dbops qdrant sync -t {target} {collection}"),
    }
}
