//! Where a new revision goes: the rules by which one is added to a graph. Pure.

use crate::error::GraphError;
use crate::graph::{Graph, Node};
use crate::parse::label_problem;
use crate::{Revision, Rows};

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    /// What it follows, by any of Alembic's identifiers, `base` for nothing; none for the one head.
    pub heads: &'a [String],
    /// It may follow a revision that is not a head.
    pub splice: bool,
    /// Names for the branch that it begins.
    pub branch_labels: &'a [String],
    /// What it needs besides, by any identifier.
    pub depends_on: &'a [String],
}

/// What the header will say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Ids.
    pub revises: Vec<String>,
    /// Ids, or labels where they were asked for.
    pub depends_on: Vec<String>,
}

/// What a new revision at this place needs.
///
/// # Errors
///
/// When there are several heads and none is named, a named one is not a head and `splice` is not asked for, an
/// identifier names nothing, or a label is taken.
pub fn extend(graph: &Graph, place: Place<'_>) -> Result<Needs, GraphError> {
    for label in place.branch_labels {
        if let Some(problem) = label_problem(label) {
            return Err(GraphError::Label { label: label.clone(), problem });
        }
        if let Some(node) = graph.named(label) {
            return Err(GraphError::LabelTaken { label: label.clone(), revision: graph.id(node).to_owned() });
        }
    }
    let mut parents: Vec<Node> = Vec::new();
    if place.heads.is_empty() {
        parents.extend(graph.head_nodes());
        if parents.len() > 1 {
            return Err(GraphError::WhichHead(graph.ids(parents)));
        }
    }
    for text in place.heads {
        for node in named(graph, text)? {
            if !parents.contains(&node) {
                parents.push(node);
            }
        }
    }
    if let Some(inner) = parents.iter().find(|node| !place.splice && !graph.children[**node].is_empty()) {
        return Err(GraphError::NotAHead(graph.id(*inner).to_owned()));
    }
    let mut depends_on = Vec::new();
    for text in place.depends_on {
        for node in named(graph, text)? {
            let is_label = graph.revision(node).branch_labels.contains(text);
            depends_on.push(if is_label { text.clone() } else { graph.id(node).to_owned() });
        }
    }
    Ok(Needs { revises: graph.ids(parents), depends_on })
}

/// The ids that a merge of these revisions follows; all heads when none is named.
///
/// # Errors
///
/// When there are fewer than two, or one implies another.
pub fn merge(graph: &Graph, revisions: &[String]) -> Result<Vec<String>, GraphError> {
    let mut parents: Vec<Node> = Vec::new();
    if revisions.is_empty() {
        parents.extend(graph.head_nodes());
    }
    for text in revisions {
        for node in named(graph, text)? {
            if !parents.contains(&node) {
                parents.push(node);
            }
        }
    }
    if parents.len() < 2 {
        return Err(GraphError::NothingToMerge(graph.ids(parents)));
    }
    for node in &parents {
        let implied = graph.ancestors([*node]);
        if let Some(other) = parents.iter().find(|other| *other != node && implied.contains(other)) {
            return Err(GraphError::Overlap(graph.id(*node).to_owned(), graph.id(*other).to_owned()));
        }
    }
    Ok(graph.ids(parents))
}

impl Graph {
    /// The revisions that an identifier names, none for `base`; `current` is where the database is.
    ///
    /// # Errors
    ///
    /// When it names nothing or is ambiguous.
    pub fn find(&self, rows: Option<&Rows>, text: &str) -> Result<Vec<&Revision>, GraphError> {
        let nodes = match rows {
            Some(rows) if text == "current" => rows.nodes.iter().copied().collect(),
            Some(rows) => self.upgrade_targets(text, &rows.nodes)?,
            None => named(self, text)?,
        };
        Ok(nodes.into_iter().map(|node| self.revision(node)).collect())
    }

    /// Revisions that more than one revises, the newest first, each with those.
    #[must_use]
    pub fn branch_points(&self) -> Vec<(&Revision, Vec<&Revision>)> {
        let all = self.sort(&self.nodes().collect()).into_iter().rev();
        let points = all.filter(|node| self.children[*node].len() > 1);
        points.map(|node| (self.revision(node), self.children_of(node))).collect()
    }

    /// The revisions that revise this one.
    #[must_use]
    pub fn children(&self, id: &str) -> Vec<&Revision> {
        self.node(id).map(|node| self.children_of(node)).unwrap_or_default()
    }

    fn children_of(&self, node: Node) -> Vec<&Revision> {
        self.children[node].iter().map(|child| self.revision(*child)).collect()
    }
}

fn named(graph: &Graph, text: &str) -> Result<Vec<Node>, GraphError> {
    graph.upgrade_targets(text, &std::collections::BTreeSet::new())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Place, extend, merge};
    use crate::Graph;
    use crate::parse::parse;

    fn graph() -> Graph {
        let revisions =
            [("aaaa1", "", ""), ("bbbb1", "aaaa1", "left-side"), ("bbbb2", "aaaa1", ""), ("cccc1", "bbbb1", "")];
        let revisions = revisions.iter().map(|(id, parents, label)| {
            let text = format!("-- revision: {id}\n-- revises: {parents}\n-- branch_labels: {label}\n-- +up\n");
            parse(Path::new(id), &text).expect("a revision")
        });
        Graph::new(revisions.collect()).expect("a graph")
    }

    #[test]
    fn a_new_revision_follows_a_head_unless_asked_otherwise() {
        let several = "there are several heads, and a new revision follows one: bbbb2, cccc1";
        let cases = [
            ("", false, "", "", several),
            ("bbbb2", false, "", "", "bbbb2 needs"),
            ("left-side@head", false, "", "", "cccc1 needs"),
            ("base", false, "", "", " needs"),
            ("bbbb1", false, "", "", "bbbb1 is not a head"),
            ("bbbb1", true, "", "", "bbbb1 needs"),
            ("heads", false, "", "", "bbbb2,cccc1 needs"),
            ("nosuch", false, "", "", "there is no revision or branch `nosuch`"),
            ("bbbb2", false, "right", "left-side", "bbbb2 needs left-side"),
            ("bbbb2", false, "", "ccc", "bbbb2 needs cccc1"),
            ("bbbb2", false, "left-side", "", "the branch label `left-side` is already used by revision bbbb1"),
            ("bbbb2", false, "a@b", "", "`a@b` cannot be a branch label: `@`, `+` and `:` have a meaning in requests"),
        ];
        let list = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        for (heads, splice, labels, depends_on, expected) in cases {
            let (heads, labels, depends_on) = (list(heads), list(labels), list(depends_on));
            let place = Place { heads: &heads, splice, branch_labels: &labels, depends_on: &depends_on };
            let found = match extend(&graph(), place) {
                Ok(needs) => format!("{} needs {}", needs.revises.join(","), needs.depends_on.join(",")),
                Err(error) => error.to_string(),
            };
            assert_eq!(found.trim_end(), expected.trim_end(), "{heads:?} {labels:?} {depends_on:?}");
        }
    }

    #[test]
    fn a_merge_joins_what_is_apart() {
        let cases = [
            ("", "bbbb2,cccc1"),
            ("bbbb1 bbbb2", "bbbb1,bbbb2"),
            ("cccc1", "there is nothing to merge: cccc1 is one revision"),
            ("bbbb1 cccc1", "the revisions cccc1 and bbbb1 overlap: one implies the other"),
        ];
        for (text, expected) in cases {
            let revisions: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            let found = merge(&graph(), &revisions).map_or_else(|error| error.to_string(), |ids| ids.join(","));
            assert_eq!(found, expected, "{text}");
        }
    }
}
