//! `qdrant apply`: makes the collections what is declared.

use dbops_qdrant::{Event, Extent, Plan};
use serde::Serialize;

use super::plan::{ChangeDocument, document, line};
use super::reindex::RebuiltDocument;
use super::{Prepared, prepare};
use crate::commands::Context;
use crate::config::Config;
use crate::failure::{Failure, Result};

/// `{"targets": [{"name", "applied": [{"collection", "change", "name", "kind", "from", "to"}]}]}`, the changes as in
/// `qdrant plan`; with `--rebuild` the `collections` of `qdrant reindex` beside them.
#[derive(Serialize)]
pub(super) struct ApplyDocument {
    pub(super) targets: Vec<AppliedTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) collections: Option<Vec<RebuiltDocument>>,
}

/// What was done on one target.
#[derive(Serialize)]
pub(crate) struct AppliedTarget {
    name: String,
    applied: Vec<ChangeDocument>,
}

/// Plans the targets in `names`, all Qdrant targets when there are none. Files are read, and refusals come, before
/// anything is changed on any of them.
pub(crate) async fn plan_all<'a>(
    context: &Context,
    config: &'a Config,
    names: &[String],
    extent: Extent,
) -> Result<Vec<Planned<'a>>> {
    let mut planned = Vec::new();
    for one in prepare(context, config, names)? {
        let plan = one.plan().await?;
        plan.applicable(extent).map_err(|error| failed(error, one.name))?;
        planned.push(Planned { target: one, plan });
    }
    Ok(planned)
}

/// A target and what is to be done on it.
pub(crate) struct Planned<'a> {
    target: Prepared<'a>,
    plan: Plan,
}

/// Carries out what was planned, and tells what is left, unless that comes next.
pub(crate) async fn apply_planned(
    context: &Context,
    planned: &[Planned<'_>],
    extent: Extent,
    tells_rest: bool,
) -> Result<Vec<AppliedTarget>> {
    let mut targets = Vec::new();
    for one in planned {
        targets.push(carry_out(context, &one.target, &one.plan, extent, tells_rest).await?);
    }
    Ok(targets)
}

async fn carry_out(
    context: &Context,
    one: &Prepared<'_>,
    plan: &Plan,
    extent: Extent,
    tells_rest: bool,
) -> Result<AppliedTarget> {
    let ui = &context.ui;
    let spinner = ui.spinner(String::new());
    let mut report = |event: Event<'_>| match event {
        Event::Started(change) => {
            spinner.set_message(format!("{}: {} of {}", one.name, change.what, change.collection));
        }
        Event::Done(change) => {
            let line = line(change, 0);
            spinner.suspend(|| ui.status(format!("{}: {}: {line}", one.name, change.collection)));
        }
    };
    let applied = one.server.apply(&one.declared, plan, extent, &mut report).await;
    spinner.finish_and_clear();
    let applied = applied.map_err(|error| failed(error, one.name))?;
    let left = plan.changes.len() - applied.len();
    if applied.is_empty() && (tells_rest || left == 0) {
        ui.status(format!("{}: nothing to do", one.name));
    }
    if left > 0 && tells_rest {
        ui.warn(format!("{}: {left} of the differences cannot be removed in place: see `dbops qdrant plan`", one.name));
    }
    Ok(AppliedTarget { name: one.name.to_owned(), applied: applied.iter().map(document).collect() })
}

fn failed(error: dbops_qdrant::Error, name: &str) -> Failure {
    Failure::from(error).context(format!("cannot apply the collections of {name}"))
}
