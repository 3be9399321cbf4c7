//! The revision graph: who follows whom, who depends on whom, and what is a head.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use crate::Revision;
use crate::error::GraphError;

/// A revision's place in the graph; the order is that in which the files were loaded.
pub(crate) type Node = usize;

/// Revisions and the edges between them, without contradictions.
#[derive(Debug)]
pub struct Graph {
    revisions: Vec<Revision>,
    /// Ids and branch labels.
    names: HashMap<String, Node>,
    /// Parents: `revises`.
    pub(crate) parents: Vec<Vec<Node>>,
    /// Parents and what `depends_on` names.
    pub(crate) requirements: Vec<Vec<Node>>,
    /// The reverse of `parents`.
    pub(crate) children: Vec<Vec<Node>>,
    /// The reverse of `requirements`.
    pub(crate) dependents: Vec<Vec<Node>>,
}

impl Graph {
    /// Connects the revisions.
    ///
    /// # Errors
    ///
    /// For an id or label that is there twice, a parent or dependency that is missing, and circles.
    pub fn new(revisions: Vec<Revision>) -> Result<Self, GraphError> {
        let names = names(&revisions)?;
        let find = |revision: &Revision, name: &String| {
            names
                .get(name)
                .copied()
                .ok_or_else(|| GraphError::Missing { path: revision.path.clone(), missing: name.clone() })
        };
        let mut parents = Vec::new();
        let mut requirements = Vec::new();
        for revision in &revisions {
            let mut above = Vec::new();
            for name in &revision.revises {
                let parent = find(revision, name)?;
                // A parent is named by its id: a label would move with the branch.
                if revisions[parent].id != *name {
                    return Err(GraphError::Missing { path: revision.path.clone(), missing: name.clone() });
                }
                push_new(&mut above, parent);
            }
            parents.push(above.clone());
            for name in &revision.depends_on {
                push_new(&mut above, find(revision, name)?);
            }
            requirements.push(above);
        }
        let graph = Self {
            names,
            children: reverse(&parents),
            dependents: reverse(&requirements),
            parents,
            requirements,
            revisions,
        };
        let all: BTreeSet<Node> = graph.nodes().collect();
        let sorted = graph.sort(&all);
        if sorted.len() < all.len() {
            let sorted: BTreeSet<_> = sorted.into_iter().collect();
            let mut circle: BTreeSet<_> = all.difference(&sorted).copied().collect();
            // What merely follows a circle is not part of it.
            loop {
                let is_last = |node: &Node| !graph.dependents[*node].iter().any(|other| circle.contains(other));
                let Some(last) = circle.iter().copied().find(is_last) else { break };
                circle.remove(&last);
            }
            return Err(GraphError::Cycle(graph.ids(circle)));
        }
        Ok(graph)
    }

    /// All revisions in the order in which they were loaded.
    #[must_use]
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// The revision with exactly this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Revision> {
        self.node(id).map(|node| self.revision(node))
    }

    /// Revisions that no other revises. Some of them may be implied by others that depend on them.
    #[must_use]
    pub fn heads(&self) -> Vec<&Revision> {
        self.head_nodes().map(|node| self.revision(node)).collect()
    }

    /// All revisions, each before those that it needs: the newest first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<&Revision> {
        let all = self.nodes().collect();
        self.sort(&all).into_iter().rev().map(|node| self.revision(node)).collect()
    }

    pub(crate) fn nodes(&self) -> std::ops::Range<Node> {
        0..self.revisions.len()
    }

    pub(crate) fn revision(&self, node: Node) -> &Revision {
        &self.revisions[node]
    }

    pub(crate) fn id(&self, node: Node) -> &str {
        &self.revisions[node].id
    }

    pub(crate) fn ids(&self, nodes: impl IntoIterator<Item = Node>) -> Vec<String> {
        nodes.into_iter().map(|node| self.id(node).to_owned()).collect()
    }

    /// The node with exactly this id.
    pub(crate) fn node(&self, id: &str) -> Option<Node> {
        self.names.get(id).copied().filter(|node| self.id(*node) == id)
    }

    /// The node with exactly this id, or where the branch with exactly this label begins.
    pub(crate) fn named(&self, name: &str) -> Option<Node> {
        self.names.get(name).copied()
    }

    /// All ids and labels, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Ids and labels that begin so. As in Alembic, names of three characters or fewer have to be written out.
    pub(crate) fn names_with_prefix(&self, prefix: &str) -> Vec<(&str, Node)> {
        let matching = self.names.iter().filter(|(name, _)| name.len() > 3 && name.starts_with(prefix));
        let mut found: Vec<_> = matching.map(|(name, node)| (name.as_str(), *node)).collect();
        found.sort_unstable();
        found
    }

    pub(crate) fn head_nodes(&self) -> impl Iterator<Item = Node> {
        self.nodes().filter(|node| self.children[*node].is_empty())
    }

    /// Revisions that no other revises or depends on: what the version table holds when all is applied.
    pub(crate) fn effective_heads(&self) -> impl Iterator<Item = Node> {
        self.nodes().filter(|node| self.dependents[*node].is_empty())
    }

    pub(crate) fn bases(&self) -> impl Iterator<Item = Node> {
        self.nodes().filter(|node| self.parents[*node].is_empty())
    }

    /// The nodes and everything they need.
    pub(crate) fn closure(&self, nodes: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        reach(&self.requirements, nodes)
    }

    /// The nodes and everything that needs them.
    pub(crate) fn needing(&self, nodes: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        reach(&self.dependents, nodes)
    }

    /// The nodes and everything that they follow; dependencies do not count.
    pub(crate) fn ancestors(&self, nodes: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        reach(&self.parents, nodes)
    }

    /// The nodes and everything that follows them; dependencies do not count.
    pub(crate) fn descendants(&self, nodes: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
        reach(&self.children, nodes)
    }

    /// The node, its ancestors and descendants; dependencies do not count.
    pub(crate) fn lineage(&self, node: Node) -> BTreeSet<Node> {
        let mut lineage = reach(&self.parents, [node]);
        lineage.extend(reach(&self.children, [node]));
        lineage
    }

    /// The nodes, each after those that it needs, and otherwise in the order of loading. Circles are left out.
    pub(crate) fn sort(&self, nodes: &BTreeSet<Node>) -> Vec<Node> {
        let needs = |node: Node| self.requirements[node].iter().filter(|other| nodes.contains(other)).count();
        let mut open: HashMap<Node, usize> = nodes.iter().map(|node| (*node, needs(*node))).collect();
        let mut ready: BinaryHeap<_> = nodes.iter().filter(|node| open[node] == 0).map(|node| Reverse(*node)).collect();
        let mut sorted = Vec::with_capacity(nodes.len());
        while let Some(Reverse(node)) = ready.pop() {
            sorted.push(node);
            for dependent in &self.dependents[node] {
                let Some(count) = open.get_mut(dependent) else { continue };
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(*dependent));
                }
            }
        }
        sorted
    }
}

fn names(revisions: &[Revision]) -> Result<HashMap<String, Node>, GraphError> {
    let mut names: HashMap<String, Node> = HashMap::new();
    for (node, revision) in revisions.iter().enumerate() {
        if let Some(first) = names.insert(revision.id.clone(), node) {
            return Err(GraphError::DuplicateId {
                id: revision.id.clone(),
                first: revisions[first].path.clone(),
                second: revision.path.clone(),
            });
        }
    }
    for (node, revision) in revisions.iter().enumerate() {
        for label in &revision.branch_labels {
            if let Some(other) = names.insert(label.clone(), node) {
                return Err(GraphError::DuplicateLabel {
                    label: label.clone(),
                    path: revision.path.clone(),
                    other: revisions[other].id.clone(),
                });
            }
        }
    }
    Ok(names)
}

fn push_new(nodes: &mut Vec<Node>, node: Node) {
    if !nodes.contains(&node) {
        nodes.push(node);
    }
}

fn reverse(edges: &[Vec<Node>]) -> Vec<Vec<Node>> {
    let mut reversed = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for target in targets {
            reversed[*target].push(from);
        }
    }
    reversed
}

fn reach(edges: &[Vec<Node>], from: impl IntoIterator<Item = Node>) -> BTreeSet<Node> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<_> = from.into_iter().collect();
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            open.extend(&edges[node]);
        }
    }
    seen
}
