//! Whether snapshots pile up on the server: nothing deletes them there.

use super::asked::Asked;
use crate::fold::Item;
use crate::{Check, Finding, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "snapshots",
    looks_at: "how many snapshots of a collection the server keeps",
    limits: Limits::warning(Unit::Count("snapshots"), 10.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Finding {
    let mut items = Vec::new();
    for collection in asked.collections {
        let name = &collection.name;
        let count = match asked.server.snapshots(name).await {
            Ok(snapshots) => snapshots.len(),
            Err(error) => return asked.unknown(&CHECK, &error),
        };
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many")]
        items.push(Item {
            value: count as f64,
            text: format!("{count} snapshots of {name} are on the server"),
            remedy: format!("dbops qdrant snapshot list {name}, and delete those that nobody needs"),
        });
    }
    asked.fold(&CHECK, items, ("collections have many snapshots", "no collection has many snapshots"))
}
