//! `qdrant snapshot create`: a snapshot of each collection.

use indicatif::HumanBytes;

use super::super::{connect, single};
use super::{SnapshotsDocument, SnapshotsTarget, chosen};
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget};
use crate::failure::{Failure, Result};

pub(super) async fn create(
    context: &Context,
    config: &Config,
    names: &[String],
    collections: &[String],
) -> Result<Outcome> {
    let targets = if collections.is_empty() { config.select_qdrant(names)? } else { vec![single(config, names)?] };
    let mut made = Vec::new();
    for target in targets {
        let failed = |failure: Failure| failure.context(format!("cannot make the snapshots on {}", target.0));
        made.push(create_all(context, target, collections).await.map_err(failed)?);
    }
    context.ui.document(&SnapshotsDocument { targets: made })?;
    Ok(Outcome::Done)
}

/// Each that was made is told at once: it stays when a later one fails.
async fn create_all(
    context: &Context,
    (name, target): (&str, &QdrantTarget),
    collections: &[String],
) -> Result<SnapshotsTarget> {
    let ui = &context.ui;
    let server = connect(target)?;
    let mut snapshots = Vec::new();
    for collection in chosen(&server, collections).await? {
        let spinner = ui.spinner(format!("{name}: a snapshot of {collection}"));
        let made = server.create_snapshot(&collection).await;
        spinner.finish_and_clear();
        let made = made?;
        ui.status(format!("{name}: {collection}: made {}, {}", made.name, HumanBytes(made.bytes)));
        snapshots.push(made.into());
    }
    if snapshots.is_empty() {
        ui.status(format!("{name}: no collections"));
    }
    Ok(SnapshotsTarget { name: name.to_owned(), snapshots })
}
