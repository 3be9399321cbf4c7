//! `qdrant snapshot delete`: a snapshot that is no longer needed.

use indicatif::HumanBytes;
use serde::Serialize;

use super::located;
use crate::commands::{Context, Outcome};
use crate::config::QdrantTarget;
use crate::failure::{Failure, Result};

/// `{"target", "collection", "snapshot", "bytes"}`.
#[derive(Serialize)]
struct DeleteDocument<'a> {
    target: &'a str,
    collection: &'a str,
    snapshot: &'a str,
    bytes: u64,
}

pub(super) async fn delete(
    context: &Context,
    (target, options): (&str, &QdrantTarget),
    collection: &str,
    name: &str,
    node: Option<&str>,
) -> Result<Outcome> {
    let (node, snapshot) = located(options, node, collection, name).await?;
    let collection = snapshot.collection;
    let what = format!("the snapshot {name} of {collection}, {}", HumanBytes(snapshot.bytes));
    context.ui.confirm(&format!("delete {what}?")).await?;
    // Somebody else may have deleted it meanwhile, which is as good.
    node.server
        .delete_snapshot(&collection, name)
        .await
        .map_err(|error| Failure::from(error).context(format!("cannot delete the snapshot on {target}")))?;
    context.ui.status(format!("{target}: deleted {what}"));
    context.ui.document(&DeleteDocument { target, collection: &collection, snapshot: name, bytes: snapshot.bytes })?;
    Ok(Outcome::Done)
}
