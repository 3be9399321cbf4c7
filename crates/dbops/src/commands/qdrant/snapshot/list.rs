//! `qdrant snapshot list`: what snapshots there are.

use indicatif::HumanBytes;

use super::super::{connect, single};
use super::{SnapshotsDocument, SnapshotsTarget, chosen};
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint};

pub(super) async fn list(
    context: &Context,
    config: &Config,
    names: &[String],
    collections: &[String],
) -> Result<Outcome> {
    let selected = if collections.is_empty() { config.select_qdrant(names)? } else { vec![single(config, names)?] };
    let mut targets = Vec::new();
    for (name, target) in selected {
        let failed = |failure: Failure| failure.context(format!("cannot list the snapshots on {name}"));
        let listed = list_all(name, target, collections).await.map_err(failed)?;
        show(context, &listed)?;
        targets.push(listed);
    }
    context.ui.document(&SnapshotsDocument { targets })?;
    Ok(Outcome::Done)
}

async fn list_all(name: &str, target: &QdrantTarget, collections: &[String]) -> Result<SnapshotsTarget> {
    let server = connect(target)?;
    let mut snapshots = Vec::new();
    for collection in chosen(&server, collections).await? {
        let of_one = server.snapshots(&collection).await?;
        snapshots.extend(of_one.into_iter().map(Into::into));
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
        let created = one.created.map_or_else(String::new, |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        vec![one.collection.clone(), one.name.clone(), created, HumanBytes(one.bytes).to_string()]
    });
    ui.table(&["collection", "snapshot", "created", "size"], rows.collect())
}
