//! Before anything is changed: how far the ids of both sides agree, and whether more would be deleted than is likely meant.

use dbops_qdrant::{Id, Server};

use crate::Error;
use crate::both::{Side, Walk};
use crate::session::{Session, keys};

/// How many keys of missing rows are kept, to be read one by one.
const KEPT: usize = 50_000;

/// How the ids agree.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) rows: u64,
    pub(crate) missing: u64,
    /// The keys of the rows without a point; `None` when there are too many of them to go by.
    pub(crate) missing_keys: Option<Vec<String>>,
    /// The points without a row.
    pub(crate) extra: Vec<Id>,
}

/// Compares the ids. `points` is the number of points that there are.
pub(crate) async fn compare_ids(session: &Session, server: &Server, collection: &str) -> Result<Ids, Error> {
    let mut ids = Ids { missing_keys: Some(Vec::new()), ..Ids::default() };
    let keys = keys(&session.client, &session.table, &session.table.keys_in_order()).await?;
    let mut walk = Walk::begin(keys, &session.table, server, collection, false).await?;
    while let Some(side) = walk.next().await? {
        match side {
            Side::Both(..) => ids.rows += 1,
            Side::Row(key) => {
                ids.rows += 1;
                ids.missing += 1;
                match &mut ids.missing_keys {
                    Some(keys) if keys.len() < KEPT => keys.push(key.text()),
                    keys => *keys = None,
                }
            }
            Side::Point(id) => ids.extra.push(id),
        }
    }
    Ok(ids)
}

/// Refuses to delete more than half of the points.
pub(crate) fn refuse_many_deletes(collection: &str, table: &str, extra: u64, points: u64) -> Result<(), Error> {
    if extra * 2 <= points {
        return Ok(());
    }
    Err(Error::ManyDeletes { collection: collection.into(), table: table.into(), extra, points })
}
