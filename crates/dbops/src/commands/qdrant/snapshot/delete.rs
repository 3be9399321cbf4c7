//! `qdrant snapshot delete`: a snapshot that is no longer needed.

use indicatif::HumanBytes;
use serde::Serialize;

use super::super::connect;
use super::{found, named};
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
) -> Result<Outcome> {
    let server = connect(options)?;
    let collection = found(&server, collection).await?;
    let snapshot = named(&server, &collection, name).await?;
    let what = format!("the snapshot {name} of {collection}, {}", HumanBytes(snapshot.bytes));
    context.ui.confirm(&format!("delete {what}?")).await?;
    // Somebody else may have deleted it meanwhile, which is as good.
    server
        .delete_snapshot(&collection, name)
        .await
        .map_err(|error| Failure::from(error).context(format!("cannot delete the snapshot on {target}")))?;
    context.ui.status(format!("{target}: deleted {what}"));
    context.ui.document(&DeleteDocument { target, collection: &collection, snapshot: name, bytes: snapshot.bytes })?;
    Ok(Outcome::Done)
}
