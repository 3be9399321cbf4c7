//! `dbops restore ID QDRANT_TARGET`: collections, their payload indexes and their aliases.

use dbops_backup::{
    Existing, QdrantPlan, QdrantStep, Repository, RestoredCollection, Set, plan_qdrant_restore, qdrant_contents,
    restore_from_set,
};
use dbops_qdrant::Server;
use serde::Serialize;

use super::super::Context;
use super::super::backup::Reporter;
use super::super::qdrant::connect;
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint};

/// What was asked for.
pub(super) struct Asked<'a> {
    pub(super) collections: &'a [String],
    pub(super) into: Option<&'a str>,
    pub(super) existing: Existing,
}

/// A target, its server, and what goes where.
pub(super) struct Planned {
    target: String,
    server: Server,
    plan: QdrantPlan,
}

#[derive(Serialize)]
pub(super) struct RestoredServer {
    name: String,
    collections: Vec<CollectionDocument>,
}

#[derive(Serialize)]
struct CollectionDocument {
    /// What it was called when it was backed up.
    collection: String,
    name: String,
    points: u64,
    aliases: Vec<AliasDocument>,
}

#[derive(Serialize)]
struct AliasDocument {
    name: String,
    /// Where it led before; `null` when it was not there.
    from: Option<String>,
}

/// Plans the restore of these targets; whatever has to be refused is refused here.
pub(super) async fn plan(config: &Config, set: &Set, names: &[String], asked: &Asked<'_>) -> Result<Vec<Planned>> {
    let mut planned = Vec::new();
    if names.is_empty() {
        return Ok(planned);
    }
    for (name, target) in config.select_qdrant(names)? {
        let Some(contents) = qdrant_contents(set, name)? else {
            return Err(Failure::usage(format!("`{name}` is a PostgreSQL database in {}", set.id)));
        };
        let server = connect(target)?.by_one_node().await?;
        let plan = plan_qdrant_restore(&server, contents, asked.collections, asked.into, asked.existing).await;
        let plan = plan.map_err(dbops_backup::Error::from)?;
        planned.push(Planned { target: name.to_owned(), server, plan });
    }
    Ok(planned)
}

/// Restores the collections of one target; each that is done is added to `kept`.
pub(super) async fn restore(
    context: &Context,
    repository: &Repository,
    set: &Set,
    planned: Planned,
    kept: &mut Vec<String>,
) -> Result<RestoredServer> {
    let Planned { target, server, plan } = planned;
    let mut collections = Vec::new();
    for step in plan.steps {
        let mut reporter = Reporter::new(&context.ui);
        let mut on_event = |event: dbops_backup::Event<'_>| reporter.event(event);
        let restored = restore_from_set(repository, set, &target, &server, &step, &mut on_event).await;
        reporter.finish();
        let restored = restored.map_err(|error| super::after(error.into(), kept))?;
        show(context, &step, &restored)?;
        kept.push(restored.name.clone());
        collections.push(document(step, restored));
    }
    Ok(RestoredServer { name: target, collections })
}

fn show(context: &Context, step: &QdrantStep, restored: &RestoredCollection) -> Result<()> {
    let how = if step.is_new { "a new collection" } else { "was replaced" };
    let ui = &context.ui;
    ui.data(format!("{} ({how}): {} points, as backed up", paint(STRONG, &restored.name), restored.points))?;
    for (alias, from) in &restored.aliases {
        match from {
            Some(from) if *from != restored.name => {
                ui.data(format!("  alias {alias} leads here now; {from}, where it led, is still there"))?;
            }
            _ => ui.data(format!("  alias {alias} leads here"))?,
        }
    }
    Ok(())
}

fn document(step: QdrantStep, restored: RestoredCollection) -> CollectionDocument {
    let aliases = restored.aliases.into_iter().map(|(name, from)| AliasDocument { name, from });
    CollectionDocument {
        collection: step.from.name,
        name: restored.name,
        points: restored.points,
        aliases: aliases.collect(),
    }
}
