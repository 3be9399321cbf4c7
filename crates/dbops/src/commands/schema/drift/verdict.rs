//! Which side differs from the others, and the ways out. Pure: schemas in, steps out.

use dbops_schema_graph::{Action, Graph, Kind, Step, online, plan};

use super::sides::Sides;

/// Which side differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// None.
    Equal,
    /// The declared schema: a revision is still to be written.
    Declared,
    /// The database: someone changed it by hand.
    Live,
    /// The revisions: the database has what is declared, and none of them leads there.
    Revisions,
    /// Each from each.
    All,
}

impl Verdict {
    /// The word in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Declared => "declared",
            Self::Live => "live",
            Self::Revisions => "revisions",
            Self::All => "all",
        }
    }
}

/// Where a way out leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A revision that is missing.
    WriteRevision,
    /// The database goes back to what the others say.
    Revert,
    /// What was done by hand is declared, and becomes a revision.
    Adopt,
    /// The database gets what is declared.
    Align,
}

impl Way {
    /// The word in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::WriteRevision => "write_revision",
            Self::Revert => "revert",
            Self::Adopt => "adopt",
            Self::Align => "align",
        }
    }
}

/// What was found out about a target.
pub(super) struct Findings<'a> {
    pub(super) verdict: Verdict,
    /// Pending revisions have left their traces all the same: only the version table does not say so.
    pub(super) is_unrecorded: bool,
    /// Each pair of sides that differs and is worth showing: from the first to the second.
    pub(super) pairs: Vec<(Side<'a>, Side<'a>)>,
    pub(super) ways: Vec<(Way, Vec<Step>)>,
}

/// A side by its word in JSON.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) name: &'static str,
    pub(super) graph: &'a Graph,
}

pub(super) fn find(sides: &Sides) -> Findings<'_> {
    let side = |name, graph| Side { name, graph };
    let declared = sides.declared.as_ref().map(|graph| side("declared", graph));
    let revisions = sides.revisions.as_ref().map(|graph| side("revisions", graph));
    let live = sides.live.as_ref().map(|graph| side("live", graph));
    let applied = sides.applied.as_ref().map(|graph| side("revisions", graph));
    let is_unrecorded = match (live, revisions, applied) {
        (Some(live), Some(revisions), Some(applied)) => way(live, applied).is_some() && way(live, revisions).is_none(),
        _ => false,
    };
    // What the database is to be compared with.
    let base = if is_unrecorded { revisions } else { applied.or(revisions) };
    let (verdict, pairs, ways) = match (declared, revisions, live, base) {
        (Some(declared), Some(revisions), Some(live), Some(base)) => three(declared, revisions, live, base),
        (Some(declared), Some(revisions), ..) => {
            let missing = way(revisions, declared).map(|steps| (Way::WriteRevision, steps));
            two(Verdict::Declared, (revisions, declared), missing.into_iter().collect())
        }
        (_, _, Some(live), Some(base)) => two(Verdict::Live, (base, live), by_hand(base, live)),
        (Some(declared), _, Some(live), _) => {
            let ways = [(Way::Align, way(live, declared)), (Way::Adopt, way(declared, live))];
            let ways = ways.into_iter().filter_map(|(way, steps)| Some((way, steps?)));
            two(Verdict::Live, (declared, live), ways.collect())
        }
        _ => (Verdict::Equal, Vec::new(), Vec::new()),
    };
    Findings { verdict, is_unrecorded, pairs, ways }
}

type Found<'a> = (Verdict, Vec<(Side<'a>, Side<'a>)>, Vec<(Way, Vec<Step>)>);

fn two<'a>(verdict: Verdict, pair: (Side<'a>, Side<'a>), ways: Vec<(Way, Vec<Step>)>) -> Found<'a> {
    if ways.is_empty() { (Verdict::Equal, Vec::new(), ways) } else { (verdict, vec![pair], ways) }
}

fn three<'a>(declared: Side<'a>, revisions: Side<'a>, live: Side<'a>, base: Side<'a>) -> Found<'a> {
    let missing = way(revisions, declared);
    let by_hand = by_hand(base, live);
    let write = |steps: Vec<Step>| (Way::WriteRevision, steps);
    match missing {
        None => two(Verdict::Live, (base, live), by_hand),
        Some(steps) if by_hand.is_empty() => (Verdict::Declared, vec![(revisions, declared)], vec![write(steps)]),
        Some(steps) => match way(live, declared) {
            None => (Verdict::Revisions, vec![(revisions, declared)], vec![write(steps)]),
            Some(straight) => {
                let ways = [write(steps)].into_iter().chain(by_hand).chain([(Way::Align, straight)]);
                (Verdict::All, vec![(revisions, declared), (base, live)], ways.collect())
            }
        },
    }
}

/// The ways out where the database differs from where the revisions lead; none where it does not.
fn by_hand(base: Side<'_>, live: Side<'_>) -> Vec<(Way, Vec<Step>)> {
    let ways = [(Way::Revert, way(live, base)), (Way::Adopt, way(base, live))];
    ways.into_iter().filter_map(|(way, steps)| Some((way, steps?))).collect()
}

/// The steps from one side to another; nothing where they are equal. An extension's version counts for nothing: it is
/// the server's affair which there are.
fn way(from: Side<'_>, to: Side<'_>) -> Option<Vec<Step>> {
    let mut steps = plan(from.graph, to.graph);
    steps.retain(|step| {
        let is_update = |sql: &str| sql.starts_with("ALTER EXTENSION ") && sql.contains(" UPDATE TO ");
        let is_extension = step.object.kind == Kind::Extension && step.action == Action::Alter;
        !is_extension || !step.statements.iter().all(|statement| is_update(&statement.sql))
    });
    if steps.is_empty() { None } else { Some(online(steps, to.graph)) }
}
