//! `migrate current` and `migrate heads`: where the databases are, and where the files lead.

use dbops_migrate::{Rows, plan, read_rows, read_unfinished};
use futures_util::future::{join, join_all};
use serde::Serialize;

use super::load;
use crate::commands::{Context, Outcome};
use crate::config::{Config, PostgresTarget};
use crate::failure::{Failure, Result};

#[derive(Serialize)]
struct CurrentDocument {
    targets: Vec<CurrentTarget>,
}

#[derive(Serialize)]
struct CurrentTarget {
    name: String,
    current: Vec<String>,
    heads: Vec<String>,
    pending: Vec<String>,
    up_to_date: bool,
    /// Rows of the version table that no file explains.
    unknown: Vec<String>,
    /// The revision that was begun and not completed.
    unfinished: Option<String>,
}

#[derive(Serialize)]
struct HeadsDocument {
    targets: Vec<HeadsTarget>,
}

#[derive(Serialize)]
struct HeadsTarget {
    name: String,
    heads: Vec<Head>,
}

#[derive(Serialize)]
struct Head {
    revision: String,
    message: String,
    branch_labels: Vec<String>,
}

pub(super) async fn current(context: &Context, config: &Config, targets: &[String]) -> Result<Outcome> {
    let chosen = config.select_postgres(targets)?;
    let states = join_all(chosen.into_iter().map(|(name, target)| current_of(name, target))).await;
    let targets = states.into_iter().collect::<Result<Vec<_>>>()?;
    let rows = targets.iter().map(|target| {
        let current = if target.current.is_empty() { "(base)".into() } else { target.current.join(", ") };
        let state = match target.pending.len() {
            _ if let Some(unfinished) = &target.unfinished => format!("{unfinished} is not completed"),
            _ if !target.unknown.is_empty() => format!("{}: no file has it", target.unknown.join(", ")),
            0 => "up to date".into(),
            count => format!("{count} pending"),
        };
        vec![target.name.clone(), current, target.heads.join(", "), state]
    });
    context.ui.table(&["target", "current", "heads", "state"], rows.collect())?;
    context.ui.document(&CurrentDocument { targets })?;
    Ok(Outcome::Done)
}

async fn current_of(name: &str, target: &PostgresTarget) -> Result<CurrentTarget> {
    let graph = load(name, target)?;
    let with_name = |error: dbops_migrate::Error| Failure::from(error).context(name);
    let (current, unfinished) = join(read_rows(&target.url), read_unfinished(&target.url)).await;
    let current = current.map_err(with_name)?.unwrap_or_default();
    let unfinished = unfinished.map_err(with_name)?.map(|it| it.revision);
    let (rows, unknown) = Rows::known(&graph, &current);
    let pending = plan::pending(&graph, &rows);
    Ok(CurrentTarget {
        name: name.to_owned(),
        current,
        heads: graph.heads().iter().map(|head| head.id.clone()).collect(),
        up_to_date: pending.is_empty() && unknown.is_empty() && unfinished.is_none(),
        pending,
        unknown,
        unfinished,
    })
}

pub(super) fn heads(context: &Context, config: &Config, targets: &[String]) -> Result<Outcome> {
    let mut documents = Vec::new();
    for (name, target) in config.select_postgres(targets)? {
        let graph = load(name, target)?;
        let heads = graph.heads().into_iter().map(|head| Head {
            revision: head.id.clone(),
            message: head.message.clone(),
            branch_labels: head.branch_labels.clone(),
        });
        documents.push(HeadsTarget { name: name.to_owned(), heads: heads.collect() });
    }
    let rows = documents.iter().flat_map(|target| {
        target.heads.iter().map(|head| vec![target.name.clone(), head.revision.clone(), head.message.clone()])
    });
    context.ui.table(&["target", "head", "message"], rows.collect())?;
    context.ui.document(&HeadsDocument { targets: documents })?;
    Ok(Outcome::Done)
}
