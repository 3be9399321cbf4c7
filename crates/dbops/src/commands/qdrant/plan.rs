//! `qdrant plan`: what differs between the declared collections and the server's.

use dbops_qdrant::{Change, ChangeKind, Plan, Undeclared, What};
use serde::Serialize;

use super::{Prepared, prepare};
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::Result;
use crate::ui::{BAD, FAINT, GOOD, STRONG, WARN, paint};

/// `{"targets": [{"name", "changes": [{"collection", "change", "name", "kind", "from", "to"}], "undeclared": [{"kind",
/// "collection", "name"}]}]}`, see [`ChangeDocument`] and [`UndeclaredDocument`].
#[derive(Serialize)]
struct PlanDocument {
    targets: Vec<PlanTarget>,
}

#[derive(Serialize)]
struct PlanTarget {
    name: String,
    changes: Vec<ChangeDocument>,
    undeclared: Vec<UndeclaredDocument>,
}

/// One difference. `change` is collection, payload_index, vector, sparse_vector, alias, or a parameter: hnsw.m of the
/// collection, vector.size and sparse_vector.modifier of its vectors, the paths as in the file; `name` is the path of
/// the payload index, the vector or the alias; `kind` is in_place, needs_rebuild or destructive; `from` is null for what
/// is not there.
#[derive(Serialize)]
pub(super) struct ChangeDocument {
    collection: String,
    change: String,
    name: Option<String>,
    kind: &'static str,
    from: Option<String>,
    to: Option<String>,
}

/// `kind` is collection, payload_index, sparse_vector or alias.
#[derive(Serialize)]
struct UndeclaredDocument {
    kind: &'static str,
    collection: String,
    name: Option<String>,
}

pub(super) async fn plan(context: &Context, config: &Config, names: &[String], check: bool) -> Result<Outcome> {
    let mut targets = Vec::new();
    for one in prepare(context, config, names)? {
        let plan = one.plan().await?;
        show(context, &one, &plan)?;
        targets.push(PlanTarget {
            name: one.name.to_owned(),
            changes: plan.changes.iter().map(document).collect(),
            undeclared: plan.undeclared.into_iter().map(undeclared).collect(),
        });
    }
    let is_found = targets.iter().any(|target| !target.changes.is_empty());
    context.ui.document(&PlanDocument { targets })?;
    Ok(if check && is_found { Outcome::Found } else { Outcome::Done })
}

fn show(context: &Context, one: &Prepared<'_>, plan: &Plan) -> Result<()> {
    let ui = &context.ui;
    match plan.changes.len() {
        0 => ui.data(format!("{}: nothing to do", paint(STRONG, one.name)))?,
        1 => ui.data(format!("{}: 1 change", paint(STRONG, one.name)))?,
        count => ui.data(format!("{}: {count} changes", paint(STRONG, one.name)))?,
    }
    let width = plan.changes.iter().map(|change| change.what.to_string().len()).max().unwrap_or_default();
    for group in plan.changes.chunk_by(|one, next| one.collection == next.collection) {
        for (index, change) in group.iter().enumerate() {
            if index == 0 {
                ui.data(format!("  {}", change.collection))?;
            }
            ui.data(format!("    {}", line(change, width)))?;
        }
    }
    if !plan.undeclared.is_empty() {
        ui.data(paint(FAINT, "  not declared, and left alone:"))?;
        for undeclared in &plan.undeclared {
            ui.data(paint(FAINT, format!("    {undeclared}")))?;
        }
    }
    Ok(())
}

/// `+` for what is new, `~` for what becomes different, `!` for what cannot be changed in place.
pub(super) fn line(change: &Change, width: usize) -> String {
    let value = match (&change.from, &change.to) {
        (None, Some(to)) => to.clone(),
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (Some(from), None) => format!("{from} -> none"),
        (None, None) => String::new(),
    };
    let (style, sign) = match change.kind {
        ChangeKind::InPlace if change.from.is_none() => (GOOD, '+'),
        ChangeKind::InPlace => (WARN, '~'),
        ChangeKind::NeedsRebuild | ChangeKind::Destructive => (BAD, '!'),
    };
    let remark = match change.kind {
        ChangeKind::InPlace => None,
        ChangeKind::NeedsRebuild if change.is_cut_over() => {
            Some("a collection has this name: see `reindex --cut-over`")
        }
        ChangeKind::NeedsRebuild if matches!(change.what, What::Alias(_)) => {
            Some("the new collection has to be filled first")
        }
        ChangeKind::NeedsRebuild => Some("the points have to be written to a new collection"),
        ChangeKind::Destructive => Some("its data would be lost"),
    };
    let remark = remark.map(|remark| paint(FAINT, format!("  ({remark})"))).unwrap_or_default();
    format!("{} {:width$}  {value}{remark}", paint(style, sign), change.what.to_string())
}

pub(super) fn document(change: &Change) -> ChangeDocument {
    ChangeDocument {
        collection: change.collection.clone(),
        change: change.what.sort(),
        name: change.what.name().map(ToOwned::to_owned),
        kind: change.kind.name(),
        from: change.from.clone(),
        to: change.to.clone(),
    }
}

fn undeclared(undeclared: Undeclared) -> UndeclaredDocument {
    let (kind, collection, name) = match undeclared {
        Undeclared::Collection { name } | Undeclared::Generation { name, .. } => ("collection", name, None),
        Undeclared::PayloadIndex { collection, path } => ("payload_index", collection, Some(path)),
        Undeclared::SparseVector { collection, name } => ("sparse_vector", collection, Some(name)),
        Undeclared::Alias { name, collection } => ("alias", collection, Some(name)),
    };
    UndeclaredDocument { kind, collection, name }
}
