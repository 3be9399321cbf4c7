//! Ranges of revisions, `[start]:[end]`, as `history` takes them.

use std::collections::BTreeSet;

use crate::error::GraphError;
use crate::graph::{Graph, Node};
use crate::identifier::Place;
use crate::{Revision, Rows};

/// The revisions from `start` up to `end`, the newest first and both included. Without a start: from the beginning;
/// without an end: up to the heads. Besides Alembic's identifiers, `current` is where the database is; `-N` as a start
/// counts down from the end, `+N` as an end counts up from the start.
///
/// # Errors
///
/// When the text is no range, an identifier names nothing or is ambiguous, or the end does not need the start.
pub fn range<'a>(graph: &'a Graph, rows: &Rows, text: &str) -> Result<Vec<&'a Revision>, GraphError> {
    let (start, end) = text.split_once(':').ok_or_else(|| GraphError::NotARange(text.to_owned()))?;
    let (start, end) = (start.trim(), end.trim());
    if end.contains(':') {
        return Err(GraphError::NotARange(text.to_owned()));
    }
    let is_counted = start.starts_with('-');
    let lower: BTreeSet<Node> = match start {
        "" | "base" => BTreeSet::new(),
        "current" => rows.nodes.clone(),
        // Found from the end, below.
        _ if is_counted => BTreeSet::new(),
        _ => graph.upgrade_targets(start, &BTreeSet::new())?.into_iter().collect(),
    };
    let upper: BTreeSet<Node> = match end {
        "" | "heads" => graph.effective_heads().collect(),
        "current" => rows.nodes.clone(),
        _ => graph.upgrade_targets(end, &lower)?.into_iter().collect(),
    };
    let lower = if is_counted {
        match graph.downgrade_target(start, &upper)?.1 {
            Place::Base => BTreeSet::new(),
            Place::At(node) => BTreeSet::from([node]),
        }
    } else {
        lower
    };
    let needed = graph.closure(upper);
    if let Some(outside) = lower.iter().find(|node| !needed.contains(*node)) {
        return Err(GraphError::NotBelow { start: graph.id(*outside).to_owned(), end: end.to_owned() });
    }
    let below = graph.closure(lower.iter().copied());
    let mut within: BTreeSet<Node> = needed.difference(&below).copied().collect();
    if !lower.is_empty() {
        let above = graph.descendants(lower.iter().copied());
        within.retain(|node| above.contains(node));
        within.extend(lower);
    }
    Ok(graph.sort(&within).into_iter().rev().map(|node| graph.revision(node)).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::range;
    use crate::parse::parse;
    use crate::{Graph, Rows};

    #[test]
    fn ranges_as_alembic_takes_them() {
        let revisions = [("a1", "", ""), ("b1", "a1", ""), ("b2", "a1", "left"), ("c1", "b1,b2", ""), ("z1", "", "")];
        let revisions = revisions.iter().map(|(id, parents, label)| {
            let text = format!("-- revision: {id}\n-- revises: {parents}\n-- branch_labels: {label}\n-- +up\n");
            parse(Path::new(id), &text).expect("a revision")
        });
        let graph = Graph::new(revisions.collect()).expect("a graph");
        let rows = Rows::new(&graph, &["b1".to_owned()]).expect("rows");
        let cases = [
            (":", "z1 c1 b2 b1 a1"),
            (":b1", "b1 a1"),
            ("b1:", "c1 b1"),
            ("base:current", "b1 a1"),
            ("current:", "c1 b1"),
            ("current:c1", "c1 b1"),
            ("a1:b2", "b2 a1"),
            ("-1:current", "b1 a1"),
            ("-9:current", "`-9`: there are not that many revisions below"),
            ("b1:+1", "c1 b1"),
            ("left@b2:c1", "c1 b2"),
            ("b1:b2", "b1 is not below `b2`"),
            ("nosuch:", "there is no revision or branch `nosuch`"),
            ("b1", "`b1` is not a range"),
            ("a1:b1:c1", "`a1:b1:c1` is not a range"),
        ];
        for (text, expected) in cases {
            let found = match range(&graph, &rows, text) {
                Ok(revisions) => revisions.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().join(" "),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, expected, "{text}");
        }
    }
}
