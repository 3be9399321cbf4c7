//! What was found, for people and for scripts.

use std::collections::BTreeSet;

use dbops_schema_graph::{Difference, ObjectId, Step, compare, describe};
use serde::Serialize;

use super::Subject;
use super::sides::Sides;
use super::verdict::{Findings, Side, Verdict, Way, find};
use crate::commands::Outcome;
use crate::commands::schema::diff::{StatementDocument, documents, makes_functions, remarks};
use crate::failure::Result;
use crate::ui::{BAD, GOOD, STRONG, Ui, WARN, paint, printable, printable_lines};

#[derive(Serialize)]
struct DriftDocument<'a> {
    targets: Vec<TargetDocument<'a>>,
}

#[derive(Serialize)]
struct TargetDocument<'a> {
    name: &'a str,
    /// All sides are the same, and no revision is pending.
    equal: bool,
    /// The side that differs: `equal` (none), `declared`, `live`, `revisions`, `all`.
    verdict: &'static str,
    pending: &'a [String],
    /// The pending revisions have left their traces; only the version table does not say so.
    unrecorded: bool,
    /// What the version table says and no file has.
    unknown: &'a [String],
    differences: &'a [DifferenceDocument],
    ways_out: Vec<WayDocument<'a>>,
}

#[derive(Serialize)]
struct DifferenceDocument {
    /// The two sides: `declared`, `revisions` or `live`.
    from: &'static str,
    to: &'static str,
    /// `missing`, `added` or `changed` in the second.
    change: &'static str,
    kind: &'static str,
    object: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Serialize)]
struct WayDocument<'a> {
    /// `write_revision`, `revert`, `adopt` or `align`.
    way: &'static str,
    statements: Vec<StatementDocument<'a>>,
}

/// A target with everything that is said of it.
struct Told<'a> {
    subject: &'a Subject<'a>,
    sides: &'a Sides,
    findings: Findings<'a>,
    differences: Vec<DifferenceDocument>,
}

impl Told<'_> {
    fn is_equal(&self) -> bool {
        self.findings.verdict == Verdict::Equal && self.sides.pending.is_empty() && self.sides.unknown.is_empty()
    }

    /// What people call the declared schema.
    fn schema(&self) -> String {
        self.subject.target.schema.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

pub(super) fn report(ui: &Ui, subjects: &[Subject<'_>], sides: &[Sides]) -> Result<Outcome> {
    let told = subjects.iter().zip(sides).map(|(subject, sides)| {
        let findings = find(sides);
        let steps: Vec<_> = findings.ways.iter().map(|(_, steps)| steps.as_slice()).collect();
        let differences = findings.pairs.iter().flat_map(|(from, to)| differences(*from, *to, &steps)).collect();
        Told { subject, sides, findings, differences }
    });
    let told: Vec<_> = told.collect();
    let targets = told.iter().map(|told| TargetDocument {
        name: told.subject.name,
        equal: told.is_equal(),
        verdict: told.findings.verdict.name(),
        pending: &told.sides.pending,
        unrecorded: told.findings.is_unrecorded,
        unknown: &told.sides.unknown,
        differences: &told.differences,
        ways_out: told
            .findings
            .ways
            .iter()
            .map(|(way, steps)| WayDocument { way: way.name(), statements: documents(steps) })
            .collect(),
    });
    ui.document(&DriftDocument { targets: targets.collect() })?;
    told.iter().try_for_each(|told| show(ui, told))?;
    Ok(if told.iter().all(Told::is_equal) { Outcome::Done } else { Outcome::Found })
}

/// The objects that two sides do not agree on. Of privileges `compare` says nothing: the steps do.
fn differences(from: Side<'_>, to: Side<'_>, steps: &[&[Step]]) -> Vec<DifferenceDocument> {
    let document = |id: &ObjectId, change, before, after| DifferenceDocument {
        from: from.name,
        to: to.name,
        change,
        kind: id.kind.name(),
        object: id.to_string(),
        before,
        after,
    };
    let found = compare(from.graph, to.graph);
    let mut listed: BTreeSet<_> = found.iter().map(|difference| difference.id().clone()).collect();
    let text = |graph, object| Some(describe(graph, object).join("\n"));
    let mut documents: Vec<_> = found
        .iter()
        .map(|difference| {
            let (change, before, after) = match difference {
                Difference::Added(object) => ("added", None, text(to.graph, object)),
                Difference::Removed(object) => ("missing", text(from.graph, object), None),
                Difference::Changed { from: old, to: new } => ("changed", text(from.graph, old), text(to.graph, new)),
            };
            document(difference.id(), change, before, after)
        })
        .collect();
    if documents.is_empty() {
        for step in steps.iter().copied().flatten() {
            if listed.insert(step.object.clone()) {
                documents.push(document(&step.object, "changed", None, None));
            }
        }
    }
    documents
}

fn show(ui: &Ui, told: &Told<'_>) -> Result<()> {
    headline(ui, told)?;
    let Told { subject, sides, findings, .. } = told;
    let name = subject.name;
    if !sides.unknown.is_empty() {
        ui.data(format!("  its version table has {}: no file has it", sides.unknown.join(", ")))?;
    }
    if findings.is_unrecorded {
        ui.data("  its version table does not say so; this records it and runs nothing:")?;
        ui.data(format!("    dbops migrate stamp heads -t {name}"))?;
    } else if !sides.pending.is_empty() {
        ui.data(format!("  {} pending, to be applied first:", count(sides.pending.len())))?;
        ui.data(format!("    dbops migrate -t {name}"))?;
    }
    for (from, to) in &findings.pairs {
        if findings.pairs.len() > 1 {
            ui.data(format!("  {}, compared with {}:", said(to, told), said(from, told)))?;
        }
        let of_pair = |it: &&DifferenceDocument| (it.from, it.to) == (from.name, to.name);
        told.differences.iter().filter(of_pair).try_for_each(|difference| object(ui, difference))?;
    }
    findings.ways.iter().try_for_each(|(way, steps)| way_out(ui, told, *way, steps))
}

fn headline(ui: &Ui, told: &Told<'_>) -> Result<()> {
    let (name, schema) = (told.subject.name, told.schema());
    let sides = told.sides;
    let (has_schema, has_revisions) = (sides.declared.is_some(), sides.revisions.is_some());
    let what = if has_schema { schema.as_str() } else { "its revisions" };
    let differs = paint(BAD, "differs from");
    let line = match told.findings.verdict {
        Verdict::Equal if sides.live.is_none() => format!("the revisions {} {schema}", paint(GOOD, "lead to")),
        Verdict::Equal if !told.is_equal() && !told.findings.is_unrecorded => {
            format!("{} at {what}", paint(WARN, "not yet"))
        }
        Verdict::Equal => format!("{} {what}", paint(GOOD, "equal to")),
        Verdict::Declared if sides.live.is_none() => format!("{schema} {differs} the revisions"),
        Verdict::Declared => format!("{schema} {differs} the revisions and the database, which agree"),
        Verdict::Live if has_schema && has_revisions => {
            format!("the database {differs} {schema} and the revisions, which agree:\n  someone changed it by hand")
        }
        Verdict::Live => format!("the database {differs} {what}"),
        Verdict::Revisions => {
            format!("no revision leads to {schema} and the database, which agree: one is {}", paint(BAD, "missing"))
        }
        Verdict::All => format!("{schema}, the revisions and the database {}", paint(BAD, "all differ")),
    };
    ui.data(format!("{name}: {line}"))
}

fn count(revisions: usize) -> String {
    if revisions == 1 { "1 revision is".into() } else { format!("{revisions} revisions are") }
}

fn said(side: &Side<'_>, told: &Told<'_>) -> String {
    match side.name {
        "declared" => told.schema(),
        "live" => "the database".into(),
        _ => "the revisions".into(),
    }
}

fn object(ui: &Ui, difference: &DifferenceDocument) -> Result<()> {
    let what = format!("  {} {}", paint(WARN, format!("{:<8}", difference.change)), printable(&difference.object));
    let (before, after) = match (&difference.before, &difference.after) {
        (Some(before), Some(after)) => (before, after),
        (None, None) => return ui.data(format!("{what}: privileges")),
        _ => return ui.data(what),
    };
    ui.data(what)?;
    let lines = |text: &str| -> Vec<String> {
        // The comma belongs to the list, not to the column.
        text.lines().map(|line| printable_lines(line.trim().trim_end_matches(','))).collect()
    };
    let (before, after) = (lines(before), lines(after));
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("      - {line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("      + {line}"));
    gone.chain(new).try_for_each(|line| ui.data(line))
}

fn way_out(ui: &Ui, told: &Told<'_>, way: Way, steps: &[Step]) -> Result<()> {
    let (name, schema) = (told.subject.name, told.schema());
    let autogenerate = format!("    dbops migrate revision --autogenerate -t {name} -m \"…\"");
    let stamp = format!("    dbops migrate stamp heads -t {name}");
    let (has_schema, has_revisions) = (told.sides.declared.is_some(), told.sides.revisions.is_some());
    let lines: Vec<String> = match way {
        Way::WriteRevision if told.findings.verdict == Verdict::Revisions => {
            vec!["to write the missing revision, and record that the database has it:".into(), autogenerate, stamp]
        }
        Way::WriteRevision => vec!["to write the missing revision:".into(), autogenerate],
        Way::Revert => vec!["to take back what the database has by hand, run this in it:".into()],
        Way::Adopt if has_schema && has_revisions => vec![
            format!("to keep it, write it into {schema}, make a revision of that, and record"),
            "  that the database has it:".into(),
            autogenerate,
            stamp,
        ],
        Way::Adopt if has_schema => vec![format!("to keep what it has, write it into {schema}:")],
        Way::Adopt => vec![
            "to keep what it has by hand, make a revision of it and record that it is there:".into(),
            format!("    dbops migrate revision -t {name} -m \"…\""),
            stamp,
        ],
        Way::Align => vec![format!("to bring the database straight to {schema}, run this in it:")],
    };
    ui.data(format!("\n  {}", paint(STRONG, &lines[0])))?;
    lines[1..].iter().try_for_each(|line| ui.data(line))?;
    ui.data("")?;
    if makes_functions(steps) {
        ui.data("      SET check_function_bodies = off;")?;
    }
    for statement in steps.iter().flat_map(|step| &step.statements) {
        let text = format!("{}{};", remarks(statement), statement.sql);
        text.lines().try_for_each(|line| ui.script(&format!("      {line}")))?;
    }
    Ok(())
}
