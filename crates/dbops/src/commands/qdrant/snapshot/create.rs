//! `qdrant snapshot create`: a snapshot of each collection.

use dbops_qdrant::Server;
use indicatif::HumanBytes;

use super::super::nodes::nodes;
use super::super::{chosen, single};
use super::{SnapshotDocument, SnapshotsDocument, SnapshotsTarget};
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget};
use crate::failure::{Failure, Result};

pub(super) async fn create(
    context: &Context,
    config: &Config,
    names: &[String],
    collections: &[String],
    node: Option<&str>,
) -> Result<Outcome> {
    let targets = if collections.is_empty() { config.select_qdrant(names)? } else { vec![single(config, names)?] };
    let mut made = Vec::new();
    for target in targets {
        let failed = |failure: Failure| failure.context(format!("cannot make the snapshots on {}", target.0));
        made.push(create_all(context, target, collections, node).await.map_err(failed)?);
    }
    context.ui.document(&SnapshotsDocument { targets: made })?;
    Ok(Outcome::Done)
}

/// Each that was made is told at once: it stays when a later one fails.
async fn create_all(
    context: &Context,
    (name, target): (&str, &QdrantTarget),
    collections: &[String],
    chosen_node: Option<&str>,
) -> Result<SnapshotsTarget> {
    let ui = &context.ui;
    let mut snapshots = Vec::new();
    for node in nodes(target, chosen_node).await? {
        let place = node.url.as_ref().map_or_else(|| name.to_owned(), |url| format!("{name}: {url}"));
        for collection in chosen(&node.server, collections).await? {
            if node.is_in_cluster && !holds_shards(&node.server, &collection).await? {
                ui.detail(format!("{place}: no shard of {collection}"));
                continue;
            }
            let spinner = ui.spinner(format!("{place}: a snapshot of {collection}"));
            let made = node.server.create_snapshot(&collection).await;
            spinner.finish_and_clear();
            let made = made?;
            ui.status(format!("{place}: {collection}: made {}, {}", made.name, HumanBytes(made.bytes)));
            snapshots.push(SnapshotDocument::new(node.url.as_deref(), made));
        }
    }
    if snapshots.is_empty() {
        ui.status(format!("{name}: no collections"));
    }
    Ok(SnapshotsTarget { name: name.to_owned(), snapshots })
}

/// Whether the node has something to take. It tells the points of its own shards alone.
async fn holds_shards(server: &Server, collection: &str) -> Result<bool> {
    let shards = server.shards(collection).await?.unwrap_or_default();
    Ok(shards.replicas.iter().any(|replica| replica.points.is_some()))
}
