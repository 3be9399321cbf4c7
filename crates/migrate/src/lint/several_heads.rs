//! One head: where there are several, `upgrade head` is refused and the order of merges is anybody's guess.

use super::Finding;
use crate::Graph;

pub(super) const CODE: &str = "several-heads";

pub(super) fn check(graph: &Graph) -> Vec<Finding> {
    let heads = graph.heads();
    let Some(last) = heads.last().filter(|_| heads.len() > 1) else { return Vec::new() };
    let ids: Vec<_> = heads.iter().map(|head| head.id.as_str()).collect();
    vec![Finding {
        code: CODE.into(),
        path: last.path.clone(),
        line: 1,
        column: 1,
        message: format!("there are several heads: {}", ids.join(", ")),
        instead: "join them with `dbops migrate merge -m MESSAGE`, or let the newer one revise the other".into(),
    }]
}
