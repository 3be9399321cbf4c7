//! Comparing a table and a collection without changing either.

use std::collections::BTreeMap;

use dbops_postgres::DatabaseUrl;
use dbops_qdrant::{Distance, Server, SourceSpec};

use crate::both::{Side, Walk};
use crate::deep::Deep;
use crate::session::{Session, rows};
use crate::{Error, Event, Way};

/// How many of each kind are named.
const SAMPLE: usize = 10;

/// Differences of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub count: u64,
    /// The keys or ids of the first of them.
    pub sample: Vec<String>,
}

impl Found {
    pub(crate) fn add(&mut self, name: String) {
        self.count += 1;
        if self.sample.len() < SAMPLE {
            self.sample.push(name);
        }
    }
}

/// How the two sides agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Rows that are to be points.
    pub rows: u64,
    /// Points.
    pub points: u64,
    /// Rows without a point, by their key.
    pub missing: Found,
    /// Points without a row, by their id.
    pub extra: Found,
    /// Points that do not hold what their row does, by the row's key.
    pub different: Found,
}

impl Verified {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.missing.count + self.extra.count + self.different.count == 0
    }
}

/// Compares every row with its point, in constant memory.
///
/// With `deep`, vectors and payloads too, and not only the marks of what they were made of: it says how each vector is
/// compared, for Qdrant keeps those of the cosine distance at length 1.
///
/// # Errors
///
/// When either side cannot be read.
pub async fn verify(
    database: &DatabaseUrl,
    server: &Server,
    collection: &str,
    source: &SourceSpec,
    deep: Option<&BTreeMap<String, Distance>>,
    on_event: &mut dyn FnMut(Event),
) -> Result<Verified, Error> {
    let session = Session::begin_beside(database, source, server, collection).await?;
    let table = &session.table;
    on_event(Event::Reading { way: Way::Compare, rows: Some(session.count().await?) });
    let rows = rows(&session.client, table, &table.rows_in_order()).await?;
    let mut walk = Walk::begin(rows, table, server, collection, true).await?;
    let mut deep = deep.map(|distances| Deep::new(server, collection, table, distances));
    let mut verified = Verified::default();
    while let Some(side) = walk.next().await? {
        match side {
            Side::Both(row, mark) => {
                (verified.rows, verified.points) = (verified.rows + 1, verified.points + 1);
                if mark != Some(row.mark(table)) {
                    verified.different.add(row.key.text());
                } else if let Some(deep) = &mut deep {
                    deep.push(row).await?.iter().for_each(|row| verified.different.add(row.key.text()));
                }
            }
            Side::Row(row) => {
                verified.rows += 1;
                verified.missing.add(row.key.text());
            }
            Side::Point(id) => {
                verified.points += 1;
                verified.extra.add(id.to_string());
                continue;
            }
        }
        on_event(Event::Rows(1));
    }
    if let Some(mut deep) = deep {
        deep.finish().await?.iter().for_each(|row| verified.different.add(row.key.text()));
    }
    Ok(verified)
}
