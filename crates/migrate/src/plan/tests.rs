//! Plans over drawn graphs, as a table, and over random ones.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;

use super::{downgrade, pending, stamp, upgrade};
use crate::parse::parse;
use crate::{Direction, Graph, GraphError, RowEdit, Rows, Step};

/// A graph from lines of `id: parents [> dependencies] [= labels]`.
fn graph(lines: &str) -> Graph {
    let revisions = lines.split(';').map(|line| {
        let (line, labels) = line.split_once('=').unwrap_or((line, ""));
        let (line, dependencies) = line.split_once('>').unwrap_or((line, ""));
        let (id, parents) = line.split_once(':').expect("a colon");
        let text = format!(
            "-- revision: {}\n-- revises: {parents}\n-- depends_on: {dependencies}\n-- branch_labels: {labels}\n-- +up\n",
            id.trim()
        );
        parse(Path::new(id.trim()), &text).expect(line)
    });
    Graph::new(revisions.collect()).expect(lines)
}

fn rows(graph: &Graph, ids: &str) -> Rows {
    let ids: Vec<_> = ids.split_whitespace().map(str::to_owned).collect();
    Rows::new(graph, &ids).expect("known ids")
}

/// Steps as `+a +b -c`, or the error's text.
fn shown(steps: Result<Vec<Step>, GraphError>) -> String {
    match steps {
        Ok(steps) => {
            let sign = |step: &Step| if step.direction == Direction::Up { '+' } else { '-' };
            steps.iter().map(|step| format!("{}{}", sign(step), step.revision)).collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    }
}

/// A line, a diamond, two bases that are joined, and two branches of which one depends on the other.
const LINE: &str = "a1:;b1:a1;c1:b1";
const DIAMOND: &str = "a1:;b1:a1;b2:a1;c1:b1,b2";
const JOINED: &str = "a1:;b1:a1;x1:;m1:b1,x1;n1:m1";
const BRANCHES: &str = "aaaa1:=left;aaaa2:aaaa1;bbbb1:=right;bbbb2:bbbb1>aaaa2";

#[test]
fn upgrades() {
    let cases = [
        (LINE, "", "head", "+a1 +b1 +c1"),
        (LINE, "", "heads", "+a1 +b1 +c1"),
        (LINE, "a1", "head", "+b1 +c1"),
        (LINE, "c1", "head", ""),
        (LINE, "c1", "a1", ""),
        (LINE, "a1", "+1", "+b1"),
        (LINE, "", "+2", "+a1 +b1"),
        (LINE, "", "a1+1", "+a1 +b1"),
        (LINE, "", "head-1", "+a1 +b1"),
        (LINE, "b1", "+2", "`+2`: there are not that many revisions above"),
        (LINE, "b1", "-1", "`-1`: an upgrade goes up"),
        (LINE, "b1", "+1x", "`+1x`: a whole number has to follow the sign"),
        (LINE, "", "zz", "there is no revision or branch `zz`"),
        (DIAMOND, "", "head", "+a1 +b1 +b2 +c1"),
        (DIAMOND, "", "b2", "+a1 +b2"),
        (DIAMOND, "b1", "heads", "+b2 +c1"),
        (DIAMOND, "a1", "+1", "`+1`: the way up branches"),
        (JOINED, "", "a1@x1+1", "+a1 +b1 +x1 +m1"),
        (JOINED, "", "a1@x1+2", "+a1 +b1 +x1 +m1 +n1"),
        (JOINED, "", "a1@x1", "revision x1 does not belong to the branch `a1`"),
        (JOINED, "", "a1@x1-1", "revision x1 does not belong to the branch `a1`"),
        (BRANCHES, "", "right@head", "+aaaa1 +aaaa2 +bbbb1 +bbbb2"),
        (BRANCHES, "", "left@head", "+aaaa1 +aaaa2"),
        (BRANCHES, "", "head", "there are several heads: aaaa2, bbbb2"),
        (BRANCHES, "", "heads", "+aaaa1 +aaaa2 +bbbb1 +bbbb2"),
        (BRANCHES, "", "right@+1", "+bbbb1"),
        (BRANCHES, "", "aaaa", "`aaaa` is the beginning of several revisions: aaaa1, aaaa2"),
        (BRANCHES, "", "right@aaaa1", "revision aaaa1 does not belong to the branch `right`"),
        (BRANCHES, "aaaa1 bbbb1", "+1", "`+1`: several revisions are current: name a branch, as in label@+1"),
    ];
    for (lines, current, target, expected) in cases {
        let graph = graph(lines);
        assert_eq!(
            shown(upgrade(&graph, &rows(&graph, current), target)),
            expected,
            "{lines} from {current} to {target}"
        );
    }
}

#[test]
fn downgrades() {
    let cases = [
        (LINE, "c1", "base", "-c1 -b1 -a1"),
        (LINE, "c1", "-1", "-c1"),
        (LINE, "c1", "a1", "-c1 -b1"),
        (LINE, "c1", "c1", ""),
        (LINE, "", "base", ""),
        (LINE, "a1", "b1", "cannot go down to b1: it is not among the applied revisions"),
        (LINE, "a1", "+1", "`+1`: a downgrade goes down"),
        (LINE, "b1", "-3", "`-3`: there are not that many revisions below"),
        (LINE, "", "-1", "`-1`: nothing is applied there"),
        (DIAMOND, "c1", "-1", "`-1`: the way down branches at a merge"),
        (DIAMOND, "c1", "b1", "-c1"),
        (DIAMOND, "c1", "a1", "-c1 -b2 -b1"),
        (DIAMOND, "b1 b2", "b1@a1", "-b1"),
        (JOINED, "n1", "a1@x1+1", "-n1"),
        (JOINED, "n1", "a1@x1-1", "revision x1 does not belong to the branch `a1`"),
        (BRANCHES, "bbbb2", "left@base", "-bbbb2 -aaaa2 -aaaa1"),
        (BRANCHES, "bbbb2", "bbbb1", "-bbbb2"),
        (BRANCHES, "bbbb2", "right@-1", "-bbbb2"),
        (BRANCHES, "aaaa2 bbbb1", "right@base", "-bbbb1"),
    ];
    for (lines, current, target, expected) in cases {
        let graph = graph(lines);
        assert_eq!(
            shown(downgrade(&graph, &rows(&graph, current), target)),
            expected,
            "{lines} from {current} to {target}"
        );
    }
}

#[test]
fn rows_follow_the_steps() {
    let update = |from: &str, to: &str| RowEdit::Update { from: from.into(), to: to.into() };
    let insert = |id: &str| RowEdit::Insert(id.into());
    let delete = |id: &str| RowEdit::Delete(id.into());
    let graph = graph(DIAMOND);
    let up = upgrade(&graph, &rows(&graph, ""), "head").expect("plan");
    let edits: Vec<_> = up.into_iter().map(|step| step.edits).collect();
    assert_eq!(
        edits,
        [vec![insert("a1")], vec![update("a1", "b1")], vec![insert("b2")], vec![delete("b1"), update("b2", "c1")]]
    );
    let down = downgrade(&graph, &rows(&graph, "c1"), "base").expect("plan");
    let edits: Vec<_> = down.into_iter().map(|step| step.edits).collect();
    assert_eq!(
        edits,
        [vec![update("c1", "b2"), insert("b1")], vec![delete("b2")], vec![update("b1", "a1")], vec![delete("a1")]]
    );
}

#[test]
fn stamps() {
    let update = |from: &str, to: &str| RowEdit::Update { from: from.into(), to: to.into() };
    let cases = [
        (LINE, "", "head", vec![RowEdit::Insert("c1".into())]),
        (LINE, "a1", "head", vec![update("a1", "c1")]),
        (LINE, "c1", "a1", vec![update("c1", "a1")]),
        (LINE, "c1", "base", vec![RowEdit::Delete("c1".into())]),
        (LINE, "b1", "b1", vec![]),
        (DIAMOND, "b1 b2", "c1", vec![RowEdit::Delete("b1".into()), update("b2", "c1")]),
        (BRANCHES, "aaaa1", "bbbb1", vec![RowEdit::Insert("bbbb1".into())]),
    ];
    for (lines, current, target, expected) in cases {
        let graph = graph(lines);
        let edits = stamp(&graph, &rows(&graph, current), &[target.into()]).expect(target);
        assert_eq!(edits, expected, "{lines} from {current} to {target}");
    }
}

#[test]
fn contradictions_are_found() {
    let cases = [
        ("a1:;a1:", "revision a1 is there twice: a1 and a1"),
        ("a1:zz", "a1 names revision `zz`, which does not exist"),
        ("a1:a1", "these revisions follow one another in a circle: a1"),
        ("a1:c1;b1:a1;c1:b1;d1:", "these revisions follow one another in a circle: a1, b1, c1"),
        ("a1:a1;b1:a1;c1:b1", "these revisions follow one another in a circle: a1"),
        ("a1:;b1:a1>c1;c1:b1", "these revisions follow one another in a circle: b1, c1"),
        ("a1:=x;b1:a1=x", "the branch label `x` of b1 is already used by revision a1"),
        ("a1:=b1;b1:a1", "the branch label `b1` of a1 is already used by revision b1"),
    ];
    for (lines, expected) in cases {
        let revisions = lines.split(';').map(|line| {
            let (line, labels) = line.split_once('=').unwrap_or((line, ""));
            let (line, dependencies) = line.split_once('>').unwrap_or((line, ""));
            let (id, parents) = line.split_once(':').expect("a colon");
            let text = format!(
                "-- revision: {id}\n-- revises: {parents}\n-- depends_on: {dependencies}\n-- branch_labels: {labels}\n-- +up\n"
            );
            parse(Path::new(id), &text).expect(line)
        });
        assert_eq!(Graph::new(revisions.collect()).unwrap_err().to_string(), expected, "{lines}");
    }
}

/// Graphs in which each revision follows and depends on some of the earlier ones.
fn any_graph() -> impl Strategy<Value = Graph> {
    let picks = proptest::collection::vec((any::<u16>(), any::<u16>(), 0..4_u8), 1..24);
    picks.prop_map(|picks| {
        let lines = picks.iter().enumerate().map(|(index, (one, two, shape))| {
            let earlier = |pick: &u16| format!("rev{:03}", usize::from(*pick) % index.max(1));
            let (parents, dependencies) = match (index, shape) {
                (0, _) | (_, 0) => (String::new(), String::new()),
                (_, 1) => (earlier(one), String::new()),
                (_, 2) => (format!("{},{}", earlier(one), earlier(two)), String::new()),
                _ => (earlier(one), earlier(two)),
            };
            format!("rev{index:03}:{parents}>{dependencies}")
        });
        graph(&lines.collect::<Vec<_>>().join(";"))
    })
}

/// What the version table should hold, from the definition: applied revisions that no applied one needs.
fn naive_rows(graph: &Graph, applied: &BTreeSet<String>) -> BTreeSet<String> {
    let needed: BTreeSet<_> = applied
        .iter()
        .flat_map(|id| graph.get(id).into_iter().flat_map(|it| it.revises.iter().chain(&it.depends_on)))
        .cloned()
        .collect();
    applied.difference(&needed).cloned().collect()
}

fn replay(table: &mut BTreeSet<String>, edits: &[RowEdit]) -> bool {
    edits.iter().all(|edit| match edit {
        RowEdit::Insert(id) => table.insert(id.clone()),
        RowEdit::Delete(id) => table.remove(id),
        RowEdit::Update { from, to } => table.remove(from) && table.insert(to.clone()),
    })
}

proptest! {
    #[test]
    fn the_table_always_holds_what_the_definition_says(graph in any_graph(), picks in proptest::collection::vec((any::<bool>(), any::<u16>()), 1..8)) {
        let mut table = BTreeSet::new();
        let mut applied: BTreeSet<String> = BTreeSet::new();
        for (is_up, pick) in picks {
            let target = graph.id(usize::from(pick) % graph.revisions().len()).to_owned();
            let ids: Vec<_> = table.iter().cloned().collect();
            let rows = Rows::new(&graph, &ids).expect("known");
            let steps = if is_up { upgrade(&graph, &rows, &target) } else { downgrade(&graph, &rows, &target) };
            for step in steps.unwrap_or_default() {
                let revision = graph.get(&step.revision).expect("known");
                if step.direction == Direction::Up {
                    prop_assert!(revision.revises.iter().chain(&revision.depends_on).all(|id| applied.contains(id)));
                    applied.insert(step.revision.clone());
                } else {
                    applied.remove(&step.revision);
                    let needs = |id: &String| graph.get(id).is_some_and(|it| it.revises.contains(&step.revision) || it.depends_on.contains(&step.revision));
                    prop_assert!(!applied.iter().any(needs), "{} is still needed", step.revision);
                }
                prop_assert!(replay(&mut table, &step.edits), "an edit matched no row: {:?}", step);
                prop_assert_eq!(&table, &naive_rows(&graph, &applied));
            }
        }
        let rows = Rows::new(&graph, &table.iter().cloned().collect::<Vec<_>>()).expect("known");
        prop_assert_eq!(pending(&graph, &rows).len() + applied.len(), graph.revisions().len());
    }
}
