//! `qdrant status`: the collections of each server.

use dbops_qdrant::CollectionStatus;
use serde::Serialize;

use super::connect;
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint};

/// `{"targets": [{"name", "version", "collections": [{"name", "state", "points", "indexed_vectors", "segments",
/// "aliases": [], "optimizer_error"}]}]}`. `state` is green, yellow (optimizing), grey (optimization pending), red or
/// unknown; `optimizer_error` is null unless the optimizer gave up.
#[derive(Serialize)]
struct StatusDocument {
    targets: Vec<StatusTarget>,
}

#[derive(Serialize)]
struct StatusTarget {
    name: String,
    version: String,
    collections: Vec<StatusCollection>,
}

#[derive(Serialize)]
struct StatusCollection {
    name: String,
    state: &'static str,
    points: u64,
    indexed_vectors: u64,
    segments: u64,
    aliases: Vec<String>,
    optimizer_error: Option<String>,
}

pub(super) async fn status(context: &Context, config: &Config, names: &[String]) -> Result<Outcome> {
    let mut targets = Vec::new();
    for (name, target) in config.select_qdrant(names)? {
        let failed = |failure: Failure| failure.context(format!("cannot tell the status of {name}"));
        let (version, collections) = ask(target).await.map_err(failed)?;
        show(context, name, target, &version, &collections)?;
        targets.push(StatusTarget {
            name: name.to_owned(),
            version,
            collections: collections.into_iter().map(document).collect(),
        });
    }
    context.ui.document(&StatusDocument { targets })?;
    Ok(Outcome::Done)
}

async fn ask(target: &QdrantTarget) -> Result<(String, Vec<CollectionStatus>)> {
    let server = connect(target)?;
    Ok((server.version().await?, server.collections().await?))
}

fn show(
    context: &Context,
    name: &str,
    target: &QdrantTarget,
    version: &str,
    collections: &[CollectionStatus],
) -> Result<()> {
    let ui = &context.ui;
    ui.data(format!("{}: Qdrant {version} at {}", paint(STRONG, name), target.url))?;
    if collections.is_empty() {
        return ui.data("no collections");
    }
    let rows = collections.iter().map(|collection| {
        vec![
            collection.name.clone(),
            collection.state.name().into(),
            collection.points.to_string(),
            collection.indexed_vectors.to_string(),
            collection.segments.to_string(),
            collection.aliases.join(", "),
        ]
    });
    ui.table(&["collection", "state", "points", "indexed", "segments", "aliases"], rows.collect())?;
    for collection in collections {
        if let Some(error) = &collection.optimizer_error {
            ui.warn(format!("{name}: the optimizer of {} gave up: {error}", collection.name));
        }
    }
    Ok(())
}

fn document(collection: CollectionStatus) -> StatusCollection {
    StatusCollection {
        name: collection.name,
        state: collection.state.name(),
        points: collection.points,
        indexed_vectors: collection.indexed_vectors,
        segments: collection.segments,
        aliases: collection.aliases,
        optimizer_error: collection.optimizer_error,
    }
}
