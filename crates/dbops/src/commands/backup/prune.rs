//! `dbops backup prune`: removing what is not worth keeping.

use clap::Args;
use dbops_backup::{Count, Decision, Keep, Kept, Plan, Repository, SetId, Within, plan_prune};
use indicatif::HumanBytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::super::{Context, Outcome};
use super::report::Reporter;
use crate::failure::{Failure, Result};
use crate::times::local;
use crate::ui::count;

/// What to keep. One of these stands for all of the configuration's `backup.retention`.
#[derive(Args)]
pub(super) struct PruneArgs {
    /// Keep the N newest (or `unlimited`)
    #[arg(long, value_name = "N")]
    keep_last: Option<Count>,
    /// Keep the newest of each of the last N hours that have one
    #[arg(long, value_name = "N")]
    keep_hourly: Option<Count>,
    /// The same with days
    #[arg(long, value_name = "N")]
    keep_daily: Option<Count>,
    /// The same with weeks
    #[arg(long, value_name = "N")]
    keep_weekly: Option<Count>,
    /// The same with months
    #[arg(long, value_name = "N")]
    keep_monthly: Option<Count>,
    /// The same with years
    #[arg(long, value_name = "N")]
    keep_yearly: Option<Count>,
    /// Keep what is not older than this before the newest: years, months, days and hours, such as 2y5m7d3h
    #[arg(long, value_name = "TIME")]
    keep_within: Option<Within>,
    /// Show what would be removed, and why the rest is kept; remove nothing
    #[arg(long)]
    dry_run: bool,
}

impl PruneArgs {
    fn keep(&self, configured: Keep) -> Keep {
        let counts =
            [self.keep_last, self.keep_hourly, self.keep_daily, self.keep_weekly, self.keep_monthly, self.keep_yearly];
        if counts.iter().all(Option::is_none) && self.keep_within.is_none() {
            return configured;
        }
        let [last, hourly, daily, weekly, monthly, yearly] = counts.map(Option::unwrap_or_default);
        Keep { last, hourly, daily, weekly, monthly, yearly, within: self.keep_within }
    }
}

#[derive(Serialize)]
struct PruneDocument {
    dry_run: bool,
    backups: Vec<DecisionDocument>,
    /// What killed backups and removals left.
    unfinished: Vec<SetId>,
    /// The size of what is removed.
    bytes: u64,
}

#[derive(Serialize)]
struct DecisionDocument {
    id: SetId,
    created: Timestamp,
    targets: Vec<String>,
    bytes: u64,
    keep: bool,
    reasons: Vec<ReasonDocument>,
}

#[derive(Serialize)]
struct ReasonDocument {
    target: Option<String>,
    reason: String,
}

impl DecisionDocument {
    fn of(decision: &Decision) -> Self {
        let reason = |kept: &Kept| match kept {
            Kept::For { target, reason } => ReasonDocument { target: Some(target.clone()), reason: reason.to_string() },
            Kept::NotCounted(why) => ReasonDocument { target: None, reason: (*why).into() },
        };
        Self {
            id: decision.set.id.clone(),
            created: decision.set.created(),
            targets: decision.set.targets(),
            bytes: decision.set.bytes(),
            keep: !decision.kept.is_empty(),
            reasons: decision.kept.iter().map(reason).collect(),
        }
    }
}

pub(super) async fn prune(
    context: &Context,
    repository: &Repository,
    configured: Keep,
    args: &PruneArgs,
) -> Result<Outcome> {
    let keep = args.keep(configured);
    if keep.is_nothing() {
        let failure = Failure::refused("no rule keeps anything: every backup would be removed");
        return Err(failure.with_hint("name what to keep, such as --keep-daily 7, or set backup.retention"));
    }
    let plan = plan_prune(repository, &keep, &TimeZone::system()).await?;
    show(context, repository, &plan)?;
    let count = plan.removed().count() + plan.unfinished.len();
    if !args.dry_run && count > 0 {
        context.ui.confirm(&format!("remove {}?", what(&plan))).await?;
        let mut reporter = Reporter::new(&context.ui);
        dbops_backup::prune(repository, &plan, &mut |event| reporter.event(event)).await?;
        reporter.finish();
        context.ui.data(format!("removed {}", what(&plan)))?;
    }
    context.ui.document(&PruneDocument {
        dry_run: args.dry_run,
        bytes: plan.removed().map(dbops_backup::Set::bytes).sum(),
        backups: plan.decisions.iter().map(DecisionDocument::of).collect(),
        unfinished: plan.unfinished,
    })?;
    Ok(Outcome::Done)
}

/// `2 backups, 1.20 GiB, and what is left of 1 unfinished`
fn what(plan: &Plan) -> String {
    let (sets, bytes) = plan.removed().fold((0, 0), |(sets, bytes), set| (sets + 1, bytes + set.bytes()));
    let backups = format!("{}, {}", count(sets, "backup"), HumanBytes(bytes));
    match plan.unfinished.len() {
        0 => backups,
        unfinished => format!("{backups}, and what is left of {unfinished} unfinished"),
    }
}

fn show(context: &Context, repository: &Repository, plan: &Plan) -> Result<()> {
    if plan.decisions.is_empty() && plan.unfinished.is_empty() {
        context.ui.status(super::sets::none(repository));
        return Ok(());
    }
    let mut rows: Vec<_> = plan.decisions.iter().map(row).collect();
    for id in &plan.unfinished {
        let created = id.time().map(local).unwrap_or_default();
        rows.push(vec![id.to_string(), created, String::new(), "remove".into(), "unfinished".into()]);
    }
    context.ui.table(&["id", "created", "targets", "fate", "because"], rows)
}

fn row(decision: &Decision) -> Vec<String> {
    let set = &decision.set;
    let (fate, because) = if decision.kept.is_empty() {
        ("remove", "no rule keeps it".to_owned())
    } else {
        ("keep", because(&decision.kept))
    };
    vec![set.id.to_string(), local(set.created()), set.targets().join(", "), fate.to_owned(), because]
}

/// The reasons, each target's together: `app: last, daily`; without the target's name where all targets have the same.
fn because(kept: &[Kept]) -> String {
    let mut by_target: Vec<(&str, Vec<String>)> = Vec::new();
    for kept in kept {
        match kept {
            Kept::NotCounted(why) => return (*why).to_owned(),
            Kept::For { target, reason } => match by_target.iter_mut().find(|(name, _)| name == target) {
                Some((_, reasons)) => reasons.push(reason.to_string()),
                None => by_target.push((target, vec![reason.to_string()])),
            },
        }
    }
    let reasons: Vec<_> = by_target.iter().map(|(name, reasons)| format!("{name}: {}", reasons.join(", "))).collect();
    reasons.join("; ")
}
