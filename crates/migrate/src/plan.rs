//! Requests turned into steps. Pure: rows and graph in, steps out.

use std::collections::BTreeSet;

use crate::error::GraphError;
use crate::graph::{Graph, Node};
use crate::identifier::Place;
use crate::rows::{RowEdit, Rows, edits};

/// Which way a revision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Its `-- +up` section.
    Up,
    /// Its `-- +down` section.
    Down,
}

impl Direction {
    /// `up` or `down`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// One revision to run, and what it does to the version table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The revision's id.
    pub revision: String,
    /// Which way.
    pub direction: Direction,
    /// In this order.
    pub edits: Vec<RowEdit>,
}

/// The steps from these rows up to what `target` names; none when it is applied already.
///
/// # Errors
///
/// When the target names nothing, is ambiguous, or names revisions of which one implies another.
pub fn upgrade(graph: &Graph, rows: &Rows, target: &str) -> Result<Vec<Step>, GraphError> {
    let targets = graph.upgrade_targets(target, &rows.nodes)?;
    for one in &targets {
        let implied = graph.closure([*one]);
        if let Some(other) = targets.iter().find(|other| *other != one && implied.contains(other)) {
            return Err(GraphError::Overlap(graph.id(*one).to_owned(), graph.id(*other).to_owned()));
        }
    }
    let needed: BTreeSet<_> = graph.closure(targets).difference(&rows.applied).copied().collect();
    let mut rows = rows.clone();
    let steps = graph.sort(&needed).into_iter().map(|node| step(graph, node, Direction::Up, rows.add(graph, node)));
    Ok(steps.collect())
}

/// The steps from these rows down to what `target` names, which stays applied.
///
/// What depends on a dropped revision is dropped too; other branches stay.
///
/// # Errors
///
/// When the target names nothing, is ambiguous, or is not applied.
pub fn downgrade(graph: &Graph, rows: &Rows, target: &str) -> Result<Vec<Step>, GraphError> {
    let (branch, place, start) = graph.downgrade_target(target, &rows.nodes)?;
    let mut roots: Vec<Node> = match place {
        Place::Base => graph.bases().collect(),
        Place::At(node) => graph.children[node].clone(),
    };
    if roots.len() > 1 {
        // Only the branch that was named, or that a relative request started on.
        let branch = match branch {
            Some(branch) => graph.resolve(None, branch)?.first().copied(),
            None => start,
        };
        if let Some(branch) = branch {
            // As in Alembic, a branch is told by what leads to the revision that names it.
            let below = graph.ancestors([branch]);
            roots.retain(|root| below.contains(root));
            if roots.is_empty() {
                return Err(GraphError::NotApplied(target.to_owned()));
            }
        }
    }
    let dropped: BTreeSet<_> = graph.needing(roots).intersection(&rows.applied).copied().collect();
    if let Place::At(node) = place
        && dropped.is_empty()
        && !rows.nodes.contains(&node)
    {
        return Err(GraphError::NotApplied(target.to_owned()));
    }
    let mut rows = rows.clone();
    let order = graph.sort(&dropped).into_iter().rev();
    Ok(order.map(|node| step(graph, node, Direction::Down, rows.remove(graph, node))).collect())
}

/// One revision by itself, whatever lies between: for one that was begun already.
///
/// # Errors
///
/// When there is no such revision.
pub fn one(graph: &Graph, rows: &Rows, revision: &str, direction: Direction) -> Result<Step, GraphError> {
    let node = graph.node(revision).ok_or_else(|| graph.unknown(revision))?;
    let mut rows = rows.clone();
    let edits = match direction {
        Direction::Up => rows.add(graph, node),
        Direction::Down => rows.remove(graph, node),
    };
    Ok(step(graph, node, direction, edits))
}

fn step(graph: &Graph, node: Node, direction: Direction, edits: Vec<RowEdit>) -> Step {
    Step { revision: graph.id(node).to_owned(), direction, edits }
}

/// The changes of the version table that make it say `targets`, whatever ran or did not: rows on the lineage of a
/// target are replaced by it, others stay.
///
/// # Errors
///
/// When a target names nothing or is ambiguous.
pub fn stamp(graph: &Graph, rows: &Rows, targets: &[String]) -> Result<Vec<RowEdit>, GraphError> {
    let mut nodes = rows.nodes.clone();
    let mut named: Vec<Node> = Vec::new();
    for target in targets {
        let (branch, found) = graph.stamp_target(target)?;
        if found.is_empty() {
            let lineage = branch.map(|branch| graph.lineage(branch));
            nodes.retain(|row| lineage.as_ref().is_some_and(|lineage| !lineage.contains(row)));
        }
        named.extend(found);
    }
    let related = |node: Node| {
        let (below, above) = (graph.closure([node]), graph.needing([node]));
        nodes.iter().copied().filter(|row| below.contains(row) || above.contains(row)).collect::<BTreeSet<_>>()
    };
    let is_moved = |node: &Node| !nodes.contains(node) && !related(*node).is_empty();
    let gone: BTreeSet<Node> = if named.iter().any(is_moved) {
        // As Alembic has it: the rows of all targets give way, also those that are where they should be. Who names
        // several revisions is told by the caller which of them are not recorded then.
        named.iter().flat_map(|node| related(*node)).collect()
    } else {
        BTreeSet::new()
    };
    let new: BTreeSet<Node> = named.iter().copied().filter(|node| !nodes.contains(node)).collect();
    nodes.retain(|row| !gone.contains(row));
    nodes.extend(new);
    let gone = rows.nodes.difference(&nodes).copied().collect();
    let new = nodes.difference(&rows.nodes).copied().collect();
    Ok(edits(graph, &gone, &new))
}

/// As [`stamp`] on an empty table, after every row of it is deleted, also those that no file explains.
///
/// # Errors
///
/// When a target names nothing or is ambiguous.
pub fn stamp_purged(graph: &Graph, ids: &[String], targets: &[String]) -> Result<Vec<RowEdit>, GraphError> {
    let mut edits: Vec<_> = ids.iter().cloned().map(RowEdit::Delete).collect();
    edits.extend(stamp(graph, &Rows::of(graph, BTreeSet::new()), targets)?);
    Ok(edits)
}

/// The revisions that an upgrade to `heads` would run, in order.
#[must_use]
pub fn pending(graph: &Graph, rows: &Rows) -> Vec<String> {
    let all: BTreeSet<_> = graph.nodes().collect();
    graph.ids(graph.sort(&all.difference(&rows.applied).copied().collect()))
}

#[cfg(test)]
mod tests;
