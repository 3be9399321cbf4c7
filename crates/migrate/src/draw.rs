//! The revision graph as text, drawn as `git log --graph` does. Pure: ids and parents in, lines out.
//!
//! A lane is a column in which a line runs down to the revision that it waits for. Lanes stand two characters apart;
//! slashes in the gaps move them.

/// A line of the drawing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The lanes.
    pub lanes: String,
    /// The revision whose `*` is in this line, by its place in the input; `None` for a line of edges.
    pub revision: Option<usize>,
}

/// Draws revisions, each before its parents. A parent that is not among them ends its line.
#[must_use]
pub fn draw(revisions: &[(&str, Vec<&str>)]) -> Vec<Drawn> {
    let mut lines = Vec::new();
    let mut lanes: Vec<&str> = Vec::new();
    let known: std::collections::HashSet<&str> = revisions.iter().map(|(id, _)| *id).collect();
    for (index, (id, parents)) in revisions.iter().enumerate() {
        // Lanes that wait for the same revision come together above it.
        let own = lanes.iter().position(|waits| waits == id).unwrap_or_else(|| {
            lanes.push(id);
            lanes.len() - 1
        });
        while let Some(other) = lanes.iter().rposition(|waits| waits == id).filter(|other| *other > own) {
            lines.push(edges(joined(own, other, lanes.len())));
            lanes.remove(other);
        }
        let row = (0..lanes.len()).map(|lane| if lane == own { "*" } else { "|" }).collect::<Vec<_>>().join(" ");
        lines.push(Drawn { lanes: row, revision: Some(index) });

        let mut parents = parents.iter().filter(|parent| known.contains(*parent));
        let Some(first) = parents.next() else {
            lanes.remove(own);
            let opens_here = |(next, _): &(&str, Vec<&str>)| own == lanes.len() && !lanes.contains(next);
            if own < lanes.len() {
                lines.push(edges(ended(own, lanes.len() + 1)));
            } else if revisions.get(index + 1).is_some_and(opens_here) {
                // The next one begins a lane in the same column: a gap keeps the two apart.
                lines.push(edges(straight(own, own)));
            }
            continue;
        };
        lanes[own] = first;
        for parent in parents {
            lines.push(edges(forked(own, lanes.len())));
            lanes.insert(own + 1, parent);
        }
    }
    lines
}

fn edges(row: Vec<char>) -> Drawn {
    Drawn { lanes: row.into_iter().collect::<String>().trim_end().to_owned(), revision: None }
}

/// Straight lines for the lanes before `until`, nothing for the others.
fn straight(until: usize, count: usize) -> Vec<char> {
    (0..2 * count).map(|place| if place % 2 == 0 && place / 2 < until { '|' } else { ' ' }).collect()
}

/// The lane `from` runs into `into`, on its left; those behind it move up.
fn joined(into: usize, from: usize, count: usize) -> Vec<char> {
    let mut row = straight(from, count);
    for lane in into + 1..from {
        row[2 * lane - 1] = '_';
    }
    for lane in from..count {
        row[2 * lane - 1] = '/';
    }
    row
}

/// The lane ends; those behind it move up.
fn ended(lane: usize, count: usize) -> Vec<char> {
    let mut row = straight(lane, count);
    for lane in lane + 1..count {
        row[2 * lane - 1] = '/';
    }
    row
}

/// The lane forks; those behind it make room.
fn forked(lane: usize, count: usize) -> Vec<char> {
    let mut row = straight(lane + 1, count);
    for lane in lane..count {
        row[2 * lane + 1] = '\\';
    }
    row
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Drawn, draw};

    fn picture(revisions: &[(&str, Vec<&str>)]) -> String {
        let line = |drawn: &Drawn| match drawn.revision {
            Some(index) => format!("{} {}\n", drawn.lanes, revisions[index].0),
            None => format!("{}\n", drawn.lanes),
        };
        draw(revisions).iter().map(line).collect()
    }

    #[test]
    fn draws_branches_merges_and_bases() {
        type Case<'a> = (&'a [(&'a str, Vec<&'a str>)], &'a str);
        let cases: [Case<'_>; 4] = [
            (&[("b", vec!["a"]), ("a", vec![])], "* b\n* a\n"),
            (
                &[("m", vec!["l", "r"]), ("r", vec!["a"]), ("l", vec!["a"]), ("a", vec![])],
                "* m\n|\\\n| * r\n* | l\n|/\n* a\n",
            ),
            (
                &[("x", vec!["a"]), ("y", vec!["b"]), ("z", vec!["a"]), ("a", vec![]), ("b", vec![])],
                "* x\n| * y\n| | * z\n|_|/\n* | a\n /\n* b\n",
            ),
            (
                &[("m", vec!["a", "b", "c"]), ("c", vec![]), ("b", vec![]), ("a", vec![])],
                "* m\n|\\\n|\\ \\\n| * | c\n|  /\n| * b\n* a\n",
            ),
        ];
        for (revisions, expected) in cases {
            assert_eq!(picture(revisions), expected);
        }
    }

    /// The stars that the lines from a place lead down to.
    fn followed(lines: &[Drawn], line: usize, column: usize) -> BTreeSet<usize> {
        let Some(next) = lines.get(line + 1) else { return BTreeSet::new() };
        let row: Vec<char> = next.lanes.chars().collect();
        let at = |place: usize| row.get(place).copied().unwrap_or(' ');
        match (at(column), next.revision) {
            ('*', Some(revision)) => return BTreeSet::from([revision]),
            ('|', None) if at(column + 1) == '\\' => {
                let mut both = followed(lines, line + 1, column);
                both.extend(followed(lines, line + 1, column + 2));
                return both;
            }
            ('|', _) => return followed(lines, line + 1, column),
            _ => {}
        }
        if column > 0 && at(column - 1) == '/' {
            let mut gap = column - 1;
            while gap > 1 && at(gap - 2) == '_' {
                gap -= 2;
            }
            followed(lines, line + 1, gap - 1)
        } else if at(column + 1) == '\\' {
            followed(lines, line + 1, column + 2)
        } else {
            BTreeSet::new()
        }
    }

    proptest! {
        /// Whoever follows the lines down from a revision comes to its parents.
        #[test]
        fn every_edge_can_be_followed(parents in prop::collection::vec(prop::collection::btree_set(1_usize..9, 0..4), 1..25)) {
            let names: Vec<String> = (0..parents.len()).map(|index| format!("r{index}")).collect();
            let wanted: Vec<BTreeSet<usize>> = parents
                .iter()
                .enumerate()
                .map(|(index, steps)| steps.iter().map(|step| index + step).filter(|to| *to < names.len()).collect())
                .collect();
            let revisions: Vec<(&str, Vec<&str>)> = wanted
                .iter()
                .enumerate()
                .map(|(index, to)| (names[index].as_str(), to.iter().map(|to| names[*to].as_str()).collect()))
                .collect();
            let lines = draw(&revisions);
            for (line, drawn) in lines.iter().enumerate() {
                let Some(revision) = drawn.revision else { continue };
                let column = drawn.lanes.find('*').expect("a star");
                prop_assert_eq!(&followed(&lines, line, column), &wanted[revision], "{}", picture(&revisions));
            }
        }
    }
}
