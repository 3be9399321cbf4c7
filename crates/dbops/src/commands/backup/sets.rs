//! `dbops backup list|verify|delete`: looking after the sets that there are.

use std::collections::BTreeMap;

use dbops_backup::{Error, Problem, Repository, Set, SetId, TrialRestore, Within, verify};
use indicatif::HumanBytes;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::super::{Context, Outcome};
use super::label::{self, Label};
use super::report::Reporter;
use super::trial::Trial;
use crate::failure::{Failure, Result};
use crate::times::local;
use crate::ui::{BAD, GOOD, Ui, paint, printable};

#[derive(Serialize)]
struct ListDocument {
    backups: Vec<SetDocument>,
}

#[derive(Serialize)]
struct SetDocument {
    id: SetId,
    created: Timestamp,
    targets: Vec<String>,
    bytes: u64,
    /// When it was found whole; `null` when it never was, and when the last time found it damaged.
    verified: Option<Timestamp>,
    /// When it was last restored to see whether it can be, and came out as it was backed up.
    restored: Option<Timestamp>,
    /// Whether the last verification found something wrong.
    damaged: bool,
    /// Whether every file is there with its size, as far as that is known.
    complete: bool,
    /// Whether something of a target was left out: tables, or rows.
    partial: bool,
    /// Whether it is encrypted; without the key its targets and labels are not known.
    encrypted: bool,
    labels: BTreeMap<String, String>,
}

impl SetDocument {
    fn of(set: &Set) -> Self {
        Self {
            id: set.id.clone(),
            created: set.created(),
            targets: set.targets(),
            bytes: set.bytes(),
            verified: set.verified(),
            restored: set.restored(),
            damaged: set.is_damaged(),
            complete: set.is_complete() || set.is_locked(),
            partial: set.is_partial(&[]),
            encrypted: set.is_encrypted(),
            labels: labels(set),
        }
    }
}

fn labels(set: &Set) -> BTreeMap<String, String> {
    set.manifest.as_ref().map(|manifest| manifest.labels.clone()).unwrap_or_default()
}

pub(super) async fn list(context: &Context, repository: &Repository, wanted: &[Label]) -> Result<Outcome> {
    let mut sets = repository.sets().await?;
    sets.retain(|set| label::are_on(wanted, &labels(set)));
    context.ui.document(&ListDocument { backups: sets.iter().map(SetDocument::of).collect() })?;
    if sets.is_empty() {
        let which =
            if wanted.is_empty() { none(repository) } else { format!("{} with these labels", none(repository)) };
        context.ui.status(which);
        return Ok(Outcome::Done);
    }
    let has_labels = sets.iter().any(|set| !labels(set).is_empty());
    let row = |set: &Set| {
        let mut cells = vec![
            set.id.to_string(),
            local(set.created()),
            targets(set),
            HumanBytes(set.bytes()).to_string(),
            state(set),
        ];
        cells.extend(has_labels.then(|| label::shown(&labels(set))));
        cells
    };
    let rows = sets.iter().map(row).collect();
    let headings = ["id", "created", "targets", "size", "verified", "labels"];
    context.ui.table(&headings[..if has_labels { 6 } else { 5 }], rows)?;
    Ok(Outcome::Done)
}

/// A set's targets; of those that are not whole that is said.
fn targets(set: &Set) -> String {
    let Ok(manifest) = &set.manifest else {
        return if set.is_locked() { "encrypted".into() } else { set.targets().join(", ") };
    };
    let shown = manifest.targets.iter().map(|target| match target.is_whole() {
        true => target.name.clone(),
        false => format!("{} (part)", target.name),
    });
    shown.collect::<Vec<_>>().join(", ")
}

pub(super) fn none(repository: &Repository) -> String {
    format!("no backups in {}", repository.path())
}

/// What is known about a set's soundness, in a cell.
pub(super) fn state(set: &Set) -> String {
    match &set.verification {
        _ if !set.is_complete() && !set.is_locked() => "incomplete".into(),
        Some(found) if found.problems.is_empty() => match &found.restore {
            Some(tried) if !tried.problems.is_empty() => "DOES NOT RESTORE".into(),
            Some(tried) if tried.not_tried.is_empty() => format!("restored {}", local(tried.at)),
            _ => local(found.at),
        },
        Some(_) => "DAMAGED".into(),
        None => "never".into(),
    }
}

#[derive(Serialize)]
struct VerifyDocument {
    backups: Vec<VerifiedDocument>,
}

#[derive(Serialize)]
struct VerifiedDocument {
    id: SetId,
    ok: bool,
    problems: Vec<Problem>,
    /// The targets that were not restored; `null` when none was to be.
    not_tried: Option<Vec<String>>,
}

/// Reads every byte of the sets, and restores those that are whole where `trial` says.
pub(super) async fn verify_all(
    context: &Context,
    repository: &Repository,
    sets: &[Set],
    trial: Option<&Trial<'_>>,
) -> Result<Outcome> {
    let ui = &context.ui;
    let mut backups = Vec::new();
    for set in sets {
        let mut reporter = Reporter::new(ui);
        let mut found = verify(repository, set, &mut |event| reporter.event(event)).await?;
        reporter.finish();
        let tried = match trial {
            Some(trial) if found.problems.is_empty() => Some(trial.run(repository, set).await?),
            _ => None,
        };
        if tried.is_some() {
            found.restore.clone_from(&tried);
        }
        if let Err(error) = found.store(repository, set).await {
            ui.warn(format!("{}: the outcome is not remembered: {:#}", set.id, Failure::from(error).error));
        }
        report(ui, set, &found.problems, tried.as_ref())?;
        let mut problems = found.problems;
        let not_tried = tried.map(|tried| {
            problems.extend(tried.problems);
            tried.not_tried
        });
        backups.push(VerifiedDocument { id: set.id.clone(), ok: problems.is_empty(), problems, not_tried });
    }
    if sets.is_empty() {
        ui.status(none(repository));
    }
    let is_sound = backups.iter().all(|backup| backup.ok);
    ui.document(&VerifyDocument { backups })?;
    Ok(if is_sound { Outcome::Done } else { Outcome::Found })
}

fn report(ui: &Ui, set: &Set, problems: &[Problem], tried: Option<&TrialRestore>) -> Result<()> {
    for problem in problems.iter().chain(tried.iter().flat_map(|tried| &tried.problems)) {
        ui.data(format!("{}: {} {}", set.id, paint(BAD, printable(&problem.file)), problem.reason))?;
    }
    if !problems.is_empty() {
        return Ok(());
    }
    let whole = format!("{}: {}, {}", set.id, paint(GOOD, "whole"), HumanBytes(set.bytes()));
    match tried {
        None => ui.data(whole),
        Some(tried) if tried.problems.is_empty() && tried.not_tried.is_empty() => {
            ui.data(format!("{whole}; {}, as it was backed up", paint(GOOD, "restored")))
        }
        Some(tried) if tried.problems.is_empty() => {
            ui.data(format!("{whole}; restored, but for {}", tried.not_tried.join(", ")))
        }
        Some(_) => ui.data(format!("{}: whole, {}", set.id, paint(BAD, "and does not restore as it was"))),
    }
}

#[derive(Serialize)]
struct DeleteDocument<'a> {
    deleted: &'a SetId,
}

pub(super) async fn delete(context: &Context, repository: &Repository, id: &str) -> Result<Outcome> {
    if id == "latest" {
        return Err(
            Failure::usage("a set to be deleted is named by its id").with_hint("`dbops backup list` shows them")
        );
    }
    let set = repository.find(id).await?;
    let what = format!("{} of {}, {}", set.id, local(set.created()), HumanBytes(set.bytes()));
    context.ui.confirm(&format!("delete the backup {what}?")).await?;
    repository.delete(&set).await?;
    context.ui.document(&DeleteDocument { deleted: &set.id })?;
    context.ui.data(format!("deleted {what}"))?;
    Ok(Outcome::Done)
}

/// The newest set for `latest`, whatever its state, else the one with this id.
pub(super) async fn find(repository: &Repository, id: &str) -> Result<Set> {
    if id != "latest" {
        return Ok(repository.find(id).await?);
    }
    let newest = repository.sets().await?.into_iter().next();
    let none = || Error::NoLatest { targets: Vec::new(), repository: repository.path(), not_whole: Vec::new() };
    newest.ok_or_else(|| none().into())
}

/// The sets to verify.
pub(super) async fn chosen(
    repository: &Repository,
    id: &str,
    all: bool,
    newer_than: Option<Within>,
) -> Result<Vec<Set>> {
    if !all && newer_than.is_none() {
        return Ok(vec![find(repository, id).await?]);
    }
    let mut sets = repository.sets().await?;
    if let Some(within) = newer_than {
        let oldest = within.before(&Zoned::now().with_time_zone(TimeZone::system()));
        sets.retain(|set| set.created() > oldest);
    }
    Ok(sets)
}
