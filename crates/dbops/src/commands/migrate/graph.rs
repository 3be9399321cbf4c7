//! `migrate branches` and `migrate show`: what the files say of each other.

use dbops_migrate::{Graph, Revision, Rows, read_rows};
use serde::Serialize;

use super::load;
use crate::commands::{Context, Outcome};
use crate::config::{Config, PostgresTarget};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint};

#[derive(Serialize)]
struct BranchesDocument {
    targets: Vec<BranchesTarget>,
}

#[derive(Serialize)]
struct BranchesTarget {
    name: String,
    branch_points: Vec<BranchPoint>,
}

#[derive(Serialize)]
struct BranchPoint {
    revision: String,
    message: String,
    branches: Vec<Branch>,
}

#[derive(Serialize)]
struct Branch {
    revision: String,
    message: String,
    branch_labels: Vec<String>,
}

pub(super) fn branches(context: &Context, config: &Config, targets: &[String]) -> Result<Outcome> {
    let mut documents = Vec::new();
    for (name, target) in config.select_postgres(targets)? {
        let graph = load(name, target)?;
        let points = graph.branch_points().into_iter().map(|(point, children)| BranchPoint {
            revision: point.id.clone(),
            message: point.message.clone(),
            branches: children.into_iter().map(branch).collect(),
        });
        documents.push(BranchesTarget { name: name.to_owned(), branch_points: points.collect() });
    }
    for target in &documents {
        if target.branch_points.is_empty() {
            context.ui.status(format!("{}: no branches", target.name));
        }
        for point in &target.branch_points {
            let id = paint(STRONG, &point.revision);
            context.ui.data(format!("{}: {id} {}", target.name, point.message))?;
            for branch in &point.branches {
                let labels = labels(&branch.branch_labels);
                context.ui.data(format!("  -> {}{labels} {}", branch.revision, branch.message))?;
            }
        }
    }
    context.ui.document(&BranchesDocument { targets: documents })?;
    Ok(Outcome::Done)
}

fn branch(revision: &Revision) -> Branch {
    Branch {
        revision: revision.id.clone(),
        message: revision.message.clone(),
        branch_labels: revision.branch_labels.clone(),
    }
}

/// Labels as they stand behind an id.
pub(super) fn labels(labels: &[String]) -> String {
    if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) }
}

#[derive(Serialize)]
struct ShowDocument {
    targets: Vec<ShowTarget>,
}

#[derive(Serialize)]
struct ShowTarget {
    name: String,
    revisions: Vec<ShowRevision>,
}

#[derive(Serialize)]
struct ShowRevision {
    revision: String,
    revises: Vec<String>,
    revised_by: Vec<String>,
    depends_on: Vec<String>,
    branch_labels: Vec<String>,
    message: String,
    created: String,
    path: String,
    transaction: bool,
    lock_timeout: Option<String>,
    statement_timeout: Option<String>,
    checksum: String,
    text: String,
}

/// Shows revisions. The database is asked only when the identifier counts from where it is.
pub(super) async fn show(context: &Context, config: &Config, targets: &[String], text: &str) -> Result<Outcome> {
    let mut documents = Vec::new();
    let mut unknown = None;
    for (name, target) in config.select_postgres(targets)? {
        let graph = load(name, target)?;
        let rows =
            if text == "current" || text.contains(['+', '-']) { Some(rows(name, target, &graph).await?) } else { None };
        match graph.find(rows.as_ref(), text) {
            Ok(found) => {
                let revisions = found.into_iter().map(|revision| document(&graph, revision)).collect();
                documents.push(ShowTarget { name: name.to_owned(), revisions });
            }
            Err(error) => unknown = Some(error),
        }
    }
    // An id belongs to one target; that others do not have it is no mistake.
    if let Some(error) = unknown.filter(|_| documents.is_empty()) {
        return Err(error.into());
    }
    for target in &documents {
        for revision in &target.revisions {
            show_one(context, &target.name, revision)?;
        }
    }
    context.ui.document(&ShowDocument { targets: documents })?;
    Ok(Outcome::Done)
}

async fn rows(name: &str, target: &PostgresTarget, graph: &Graph) -> Result<Rows> {
    let ids = read_rows(&target.url).await.map_err(|error| Failure::from(error).context(name))?.unwrap_or_default();
    Ok(Rows::known(graph, &ids).0)
}

fn document(graph: &Graph, revision: &Revision) -> ShowRevision {
    ShowRevision {
        revision: revision.id.clone(),
        revises: revision.revises.clone(),
        revised_by: graph.children(&revision.id).into_iter().map(|child| child.id.clone()).collect(),
        depends_on: revision.depends_on.clone(),
        branch_labels: revision.branch_labels.clone(),
        message: revision.message.clone(),
        created: revision.created.clone(),
        path: revision.path.display().to_string(),
        transaction: revision.settings.transaction,
        lock_timeout: revision.settings.lock_timeout.clone(),
        statement_timeout: revision.settings.statement_timeout.clone(),
        checksum: revision.checksum(),
        text: revision.text.clone(),
    }
}

fn show_one(context: &Context, target: &str, revision: &ShowRevision) -> Result<()> {
    let ui = &context.ui;
    ui.data(format!("{target}: {} {}", paint(STRONG, &revision.revision), revision.message))?;
    ui.data(format!("file:       {}", context.environment.shown(revision.path.as_ref())))?;
    let or_none = |ids: &[String]| if ids.is_empty() { "-".to_owned() } else { ids.join(", ") };
    ui.data(format!("revised by: {}", or_none(&revision.revised_by)))?;
    ui.data(format!("\n{}", revision.text.trim_end()))
}
