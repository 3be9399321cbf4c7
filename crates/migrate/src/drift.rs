//! Revision files that no longer say what was applied. Pure: files, rows and log in, findings out.

use std::collections::{BTreeSet, HashMap};

use crate::{Graph, LogEntry, Rows};

/// What the log and the files disagree about; ids, each list in the order of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileDrift {
    /// Their files changed after they were applied.
    pub changed: Vec<String>,
    /// They were applied and have no file any more.
    pub deleted: Vec<String>,
    /// The version table implies them, but they never ran: they came in below a revision that is applied.
    pub merged_below: Vec<String>,
}

/// Compares what is applied with what was recorded when it was.
///
/// A revision that another tool applied is not in the log; it is told from one that was merged in below by its row:
/// that of the other tool is not in the log either.
#[must_use]
pub fn file_drift(graph: &Graph, rows: &Rows, log: &[LogEntry]) -> FileDrift {
    let mut latest: HashMap<&str, &LogEntry> = HashMap::new();
    for entry in log {
        latest.insert(&entry.revision, entry);
    }
    let recorded = |id: &str| latest.get(id).filter(|entry| entry.is_applied());
    let of_others = rows.nodes.iter().copied().filter(|node| recorded(graph.id(*node)).is_none());
    let found_later = graph.closure(of_others);
    let mut drift = FileDrift::default();
    for node in rows.applied.iter().copied() {
        let revision = graph.revision(node);
        match recorded(&revision.id) {
            Some(entry) if entry.checksum.as_ref().is_some_and(|checksum| *checksum != revision.checksum()) => {
                drift.changed.push(revision.id.clone());
            }
            None if !found_later.contains(&node) => drift.merged_below.push(revision.id.clone()),
            _ => {}
        }
    }
    let gone = latest.values().filter(|entry| entry.is_applied() && graph.get(&entry.revision).is_none());
    drift.deleted = gone.map(|entry| entry.revision.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    drift
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::file_drift;
    use crate::ledger::Author;
    use crate::parse::parse;
    use crate::{Graph, LogEntry, Rows};

    fn graph(lines: &[(&str, &str, &str)]) -> Graph {
        let revisions = lines.iter().map(|(id, parent, up)| {
            let text = format!("-- revision: {id}\n-- revises: {parent}\n-- +up\n{up}\n");
            parse(Path::new(id), &text).expect("a revision")
        });
        Graph::new(revisions.collect()).expect("a graph")
    }

    /// Entries from `direction id`, with the checksums of this graph.
    fn log(graph: &Graph, lines: &str) -> Vec<LogEntry> {
        let entry = |line: &str| {
            let (direction, revision) = line.split_once(' ').expect("two words");
            LogEntry {
                revision: revision.into(),
                direction: direction.into(),
                started: Timestamp::UNIX_EPOCH,
                duration: Duration::ZERO,
                checksum: graph.get(revision).map(crate::Revision::checksum),
                role: String::new(),
                author: Author::default(),
            }
        };
        lines.split(';').filter(|line| !line.is_empty()).map(entry).collect()
    }

    #[test]
    fn tells_files_that_changed_went_or_came_from_what_another_tool_did() {
        let then = graph(&[("a", "", "SELECT 1;"), ("b", "a", "SELECT 2;"), ("c", "b", "SELECT 3;")]);
        let now = graph(&[("a", "", "SELECT 1;"), ("x", "a", ""), ("b", "x", "SELECT 2;"), ("c", "b", "SELECT 3; ")]);
        let cases = [
            // Nothing logged: everything may be another tool's.
            (&then, "", "c", "changed [] deleted [] below []"),
            (&then, "up a;up b;up c", "c", "changed [] deleted [] below []"),
            // `x` came in between, and so the header of `b` changed too.
            (&now, "up a;up b;up c", "c", r#"changed ["b", "c"] deleted [] below ["x"]"#),
            (&now, "up a;up b;up c;accept x", "c", r#"changed ["b", "c"] deleted [] below []"#),
            (&now, "up a;up b;up c;down c", "b", r#"changed ["b"] deleted [] below ["x"]"#),
            // Another tool went on from `a`: it has run `x` too.
            (&now, "up a", "c", "changed [] deleted [] below []"),
            (&then, "up a;up gone;up b", "b", r#"changed [] deleted ["gone"] below []"#),
            (&then, "up a;up gone;down gone", "a", "changed [] deleted [] below []"),
        ];
        for (graph, lines, row, expected) in cases {
            let rows = Rows::new(graph, &[row.to_owned()]).expect("a row");
            let drift = file_drift(graph, &rows, &log(&then, lines));
            let found =
                format!("changed {:?} deleted {:?} below {:?}", drift.changed, drift.deleted, drift.merged_below);
            assert_eq!(found, expected, "{lines} at {row}");
        }
    }
}
