//! `qdrant snapshot list`: what snapshots there are.

use indicatif::HumanBytes;

use super::super::nodes::nodes;
use super::super::{chosen, single};
use super::{SnapshotDocument, SnapshotsDocument, SnapshotsTarget};
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget};
use crate::failure::{Failure, Result};
use crate::times::local;
use crate::ui::{STRONG, paint};

pub(super) async fn list(
    context: &Context,
    config: &Config,
    names: &[String],
    collections: &[String],
    node: Option<&str>,
) -> Result<Outcome> {
    let selected = if collections.is_empty() { config.select_qdrant(names)? } else { vec![single(config, names)?] };
    let mut targets = Vec::new();
    for (name, target) in selected {
        let failed = |failure: Failure| failure.context(format!("cannot list the snapshots on {name}"));
        let listed = list_all(name, target, collections, node).await.map_err(failed)?;
        show(context, &listed)?;
        targets.push(listed);
    }
    context.ui.document(&SnapshotsDocument { targets })?;
    Ok(Outcome::Done)
}

async fn list_all(
    name: &str,
    target: &QdrantTarget,
    collections: &[String],
    chosen_node: Option<&str>,
) -> Result<SnapshotsTarget> {
    let mut snapshots = Vec::new();
    for node in nodes(target, chosen_node).await? {
        for collection in chosen(&node.server, collections).await? {
            let of_one = node.server.snapshots(&collection).await?;
            snapshots.extend(of_one.into_iter().map(|one| SnapshotDocument::new(node.url.as_deref(), one)));
        }
    }
    Ok(SnapshotsTarget { name: name.to_owned(), snapshots })
}

fn show(context: &Context, target: &SnapshotsTarget) -> Result<()> {
    let ui = &context.ui;
    if target.snapshots.is_empty() {
        return ui.data(format!("{}: no snapshots", paint(STRONG, &target.name)));
    }
    ui.data(paint(STRONG, &target.name))?;
    let rows = target.snapshots.iter().map(|one| {
        let created = one.created.map_or_else(String::new, local);
        let node = one.node.iter().cloned();
        node.chain([one.collection.clone(), one.name.clone(), created, HumanBytes(one.bytes).to_string()]).collect()
    });
    let headings = ["node", "collection", "snapshot", "created", "size"];
    // All have a node, or none.
    let first = usize::from(target.snapshots.iter().all(|one| one.node.is_none()));
    ui.table(&headings[first..], rows.collect())
}
