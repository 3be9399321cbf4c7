//! How big what is in a database is.

use std::collections::HashMap;

use dbops_postgres::tokio_postgres::{Client, Row};
use dbops_postgres::{BEGIN_READING, SqlError};

use crate::{Kind, Object};

/// A table's or materialized view's size, or an index's, in bytes; of what is partitioned, that of all partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Everything that is on disk for it.
    pub total: u64,
    /// Its indexes.
    pub indexes: u64,
    /// What is too big to stand in its rows, with the index of that.
    pub toast: u64,
    /// How many rows it had when it was last analyzed or vacuumed; unknown when it never was.
    pub rows: Option<u64>,
}

impl Size {
    /// The rows themselves, without indexes and what is stored out of line.
    #[must_use]
    pub fn table(&self) -> u64 {
        self.total.saturating_sub(self.indexes).saturating_sub(self.toast)
    }
}

/// The sizes of a database's tables and indexes.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    by_name: HashMap<(String, String), Size>,
}

impl Sizes {
    /// The size of a table, of a materialized view, of an index, or of the index that a constraint has under its name.
    /// Nothing else takes room.
    #[must_use]
    pub fn of(&self, object: &Object) -> Option<Size> {
        let takes_room = match object.id.kind {
            Kind::Table | Kind::MaterializedView | Kind::Index => true,
            Kind::Constraint => object.parts.first().is_some_and(|kind| ["p", "u", "x"].contains(&kind.as_str())),
            _ => false,
        };
        let name = || (object.id.schema.clone(), object.id.name.clone());
        takes_room.then(|| self.by_name.get(&name()).copied()).flatten()
    }
}

/// Asks for the sizes of all tables and indexes, or of those tables that have that name, in a transaction of its own.
///
/// # Errors
///
/// When the query fails or the connection is lost.
pub async fn sizes(client: &Client, table: Option<&str>) -> Result<Sizes, SqlError> {
    client.batch_execute(BEGIN_READING).await?;
    let rows = client.query(include_str!("sql/sizes.sql"), &[&table]).await;
    client.batch_execute("ROLLBACK").await?;
    let rows = rows?;
    let bytes = |row: &Row, column: &str| u64::try_from(row.get::<_, i64>(column)).unwrap_or_default();
    let size = |row: &Row| {
        let is_index: bool = row.get("is_index");
        let rows: Option<i64> = row.get("rows");
        Size {
            total: bytes(row, "total"),
            indexes: bytes(row, "indexes"),
            toast: bytes(row, "toast"),
            rows: rows.filter(|_| !is_index).and_then(|rows| u64::try_from(rows).ok()),
        }
    };
    Ok(Sizes { by_name: rows.iter().map(|row| ((row.get("schema"), row.get("name")), size(row))).collect() })
}
