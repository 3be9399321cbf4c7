//! The rows of the version table: one for each applied revision that no other applied one implies.

use std::collections::BTreeSet;

use crate::error::GraphError;
use crate::graph::{Graph, Node};

/// The version table as part of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    pub(crate) nodes: BTreeSet<Node>,
    pub(crate) applied: BTreeSet<Node>,
}

/// One change of the version table. Exactly one row has to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowEdit {
    /// A revision without an applied parent.
    Insert(String),
    /// A revision that is gone without a trace.
    Delete(String),
    /// From one revision to its neighbour.
    Update {
        /// The row as it is.
        from: String,
        /// As it will be.
        to: String,
    },
}

impl RowEdit {
    /// The row that it needs, or makes.
    pub(crate) fn row(&self) -> &str {
        match self {
            Self::Insert(id) | Self::Delete(id) | Self::Update { from: id, .. } => id,
        }
    }
}

impl Rows {
    /// Reads the ids that the version table holds.
    ///
    /// # Errors
    ///
    /// When an id belongs to no revision.
    pub fn new(graph: &Graph, ids: &[String]) -> Result<Self, GraphError> {
        let (rows, unknown) = Self::known(graph, ids);
        if unknown.is_empty() { Ok(rows) } else { Err(GraphError::UnknownRow(unknown)) }
    }

    /// The same, with the ids that belong to no revision apart.
    #[must_use]
    pub fn known(graph: &Graph, ids: &[String]) -> (Self, Vec<String>) {
        let unknown = ids.iter().filter(|id| graph.node(id).is_none()).cloned().collect();
        (Self::of(graph, ids.iter().filter_map(|id| graph.node(id)).collect()), unknown)
    }

    pub(crate) fn of(graph: &Graph, nodes: BTreeSet<Node>) -> Self {
        let applied = graph.closure(nodes.iter().copied());
        Self { nodes, applied }
    }

    /// Without the rows that another row implies.
    pub(crate) fn reduced(self, graph: &Graph) -> Self {
        let is_implied = |node: &Node| graph.dependents[*node].iter().any(|other| self.applied.contains(other));
        let nodes = self.nodes.iter().copied().filter(|node| !is_implied(node)).collect();
        Self { nodes, applied: self.applied }
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether a revision is applied.
    #[must_use]
    pub fn is_applied(&self, graph: &Graph, id: &str) -> bool {
        graph.node(id).is_some_and(|node| self.applied.contains(&node))
    }

    /// Records that a revision was applied.
    pub(crate) fn add(&mut self, graph: &Graph, node: Node) -> Vec<RowEdit> {
        self.applied.insert(node);
        let gone: BTreeSet<_> = graph.requirements[node].iter().copied().filter(|row| self.nodes.remove(row)).collect();
        self.nodes.insert(node);
        edits(graph, &gone, &BTreeSet::from([node]))
    }

    /// Records that a revision was undone: what it needed comes to the surface, unless something else implies it.
    pub(crate) fn remove(&mut self, graph: &Graph, node: Node) -> Vec<RowEdit> {
        self.applied.remove(&node);
        let is_implied = |row: &Node| graph.dependents[*row].iter().any(|dependent| self.applied.contains(dependent));
        let surfacing = graph.requirements[node].iter().copied().filter(|row| !is_implied(row));
        let new: BTreeSet<_> = surfacing.collect();
        let gone = if self.nodes.remove(&node) { BTreeSet::from([node]) } else { BTreeSet::new() };
        let new = new.into_iter().filter(|row| self.nodes.insert(*row)).collect();
        edits(graph, &gone, &new)
    }
}

/// One row is updated where one goes and one comes; the others are deleted or inserted.
pub(crate) fn edits(graph: &Graph, gone: &BTreeSet<Node>, new: &BTreeSet<Node>) -> Vec<RowEdit> {
    let (mut gone, mut new) = (graph.ids(gone.iter().copied()), graph.ids(new.iter().copied()));
    let update = if gone.is_empty() || new.is_empty() { None } else { gone.pop().zip(new.pop()) };
    let deletes = gone.into_iter().map(RowEdit::Delete);
    let update = update.into_iter().map(|(from, to)| RowEdit::Update { from, to });
    let inserts = new.into_iter().map(RowEdit::Insert);
    deletes.chain(update).chain(inserts).collect()
}
