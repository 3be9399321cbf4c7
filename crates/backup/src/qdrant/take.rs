//! Taking one collection into a set: a snapshot on the server, its bytes, and nothing left of it there.

use std::collections::BTreeMap;

use dbops_qdrant::{CollectionFacts, Server, Snapshot};
use jiff::Timestamp;

use super::{LeftOver, QdrantCollection, QdrantError};
use crate::Error;

/// The collections of a server in the order of their names, each with the aliases that lead to it.
///
/// # Errors
///
/// When the server cannot be asked.
pub async fn collections(server: &Server) -> Result<BTreeMap<String, Vec<String>>, QdrantError> {
    let (names, aliases) = server.collections_and_aliases().await?;
    let mut collections: BTreeMap<_, _> = names.into_iter().map(|name| (name, Vec::new())).collect();
    for (alias, collection) in aliases {
        collections.entry(collection).or_default().push(alias);
    }
    Ok(collections)
}

/// Takes a collection: each piece of its snapshot is given to `write` as it arrives. `None` when it was dropped
/// meanwhile.
///
/// The snapshot is deleted on the server whatever happens. `keep` keeps the note of it meanwhile, for the case that this
/// process is killed; what cannot be deleted stays in the note.
///
/// # Errors
///
/// When the server fails, and when `write` or `keep` does.
pub async fn take(
    server: &Server,
    name: &str,
    aliases: &[String],
    left_over: &mut LeftOver,
    mut keep: impl AsyncFnMut(&LeftOver) -> Result<(), Error>,
    write: impl AsyncFnMut(&[u8]) -> Result<(), Error>,
) -> Result<Option<QdrantCollection>, Error> {
    let Some(before) = server.facts(name).await? else { return Ok(None) };
    let snapshot = server.create_snapshot(name).await?;
    left_over.add(&snapshot);
    let taken = match keep(left_over).await {
        Ok(()) => fetch(server, before, &snapshot, write).await,
        Err(error) => Err(error),
    };
    // A failure is the more important news; what is still there is in the note.
    let deleted = server.delete_snapshot(name, &snapshot.name).await;
    if deleted.is_ok() {
        left_over.remove(&snapshot);
        keep(left_over).await?;
    }
    let (facts, bytes, sha256) = taken?;
    deleted?;
    Ok(Some(QdrantCollection {
        name: name.into(),
        aliases: aliases.to_vec(),
        created: snapshot.created.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        snapshot: snapshot.name,
        bytes,
        sha256,
        facts,
    }))
}

async fn fetch(
    server: &Server,
    before: CollectionFacts,
    snapshot: &Snapshot,
    write: impl AsyncFnMut(&[u8]) -> Result<(), Error>,
) -> Result<(CollectionFacts, u64, String), Error> {
    // Right after the snapshot was made, so that little has changed since.
    let after = server.facts_again(&snapshot.collection, &before).await?;
    let facts = after.map_or(before.clone(), |after| CollectionFacts::steady(before, &after));
    let arrived = server.download_snapshot(snapshot, write).await?;
    Ok((facts, arrived.bytes, arrived.sha256))
}

/// Deletes what an earlier backup of this target made on the server and could not delete; gives what it deleted.
///
/// # Errors
///
/// When the server fails.
pub async fn remove_left_over(server: &Server, left_over: &mut LeftOver) -> Result<Vec<Snapshot>, QdrantError> {
    let mut removed = Vec::new();
    if left_over.is_empty() {
        return Ok(removed);
    }
    for name in collections(server).await?.into_keys() {
        for snapshot in server.snapshots(&name).await? {
            if left_over.holds(&snapshot) && server.delete_snapshot(&name, &snapshot.name).await? {
                removed.push(snapshot);
            }
        }
    }
    // What else the note names is gone with its collection.
    left_over.clear();
    Ok(removed)
}
