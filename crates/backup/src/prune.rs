//! Removing the sets that are not worth keeping, and what killed backups left.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::new_set::{claim_unfinished, is_manifest, remove};
use crate::retention::{Keep, Reason, reasons};
use crate::store::Store;
use crate::{Error, Event, ManifestError, Repository, SealError, Set, SetId};

/// What is to become of one set.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The set.
    pub set: Set,
    /// Why it is kept, for each target and rule; nothing when it is removed.
    pub kept: Vec<Kept>,
}

/// Why a set is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// A rule keeps it for a target.
    For {
        /// The target.
        target: String,
        /// The rule.
        reason: Reason,
    },
    /// It does not count, and is not for the rules to remove: what it is.
    NotCounted(&'static str),
}

/// What is to become of all sets.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The sets, the newest first.
    pub decisions: Vec<Decision>,
    /// What was left of sets that were never whole, or were not removed to the end.
    pub unfinished: Vec<SetId>,
}

impl Plan {
    /// The sets that are to be removed.
    pub fn removed(&self) -> impl Iterator<Item = &Set> {
        self.decisions.iter().filter(|decision| decision.kept.is_empty()).map(|decision| &decision.set)
    }
}

/// Decides what is kept. Each target has its own history for each set of labels; a set goes when none of its targets
/// needs it. What is damaged, not complete or cannot be read does not count, and stays.
///
/// # Errors
///
/// When the repository cannot be read.
pub async fn plan_prune(repository: &Repository, keep: &Keep, zone: &TimeZone) -> Result<Plan, Error> {
    let decisions = decide(repository.sets().await?, keep, zone);
    let mut unfinished = Vec::new();
    for (id, files) in repository.store.sets().await? {
        if !files.iter().any(|file| is_manifest(&file.name))
            && claim_unfinished(&repository.store, &id).await?.is_some()
        {
            unfinished.push(id);
        }
    }
    Ok(Plan { decisions, unfinished })
}

fn decide(sets: Vec<Set>, keep: &Keep, zone: &TimeZone) -> Vec<Decision> {
    let mut decisions: Vec<_> =
        sets.into_iter().map(|set| Decision { kept: not_counted(&set).into_iter().collect(), set }).collect();
    let mut histories: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, decision) in decisions.iter().enumerate().filter(|(_, decision)| decision.kept.is_empty()) {
        let Ok(manifest) = &decision.set.manifest else { continue };
        for target in &manifest.targets {
            // Single tables stand for no whole database, and a schema not for its rows.
            let history = (target.name.clone(), manifest.labels.clone(), target.is_whole());
            histories.entry(history).or_default().push(index);
        }
    }
    for ((target, ..), history) in histories {
        let times: Vec<Timestamp> = history.iter().map(|index| decisions[*index].set.created()).collect();
        let mut found = reasons(&times, keep, zone);
        if let Some(verified) = history.iter().position(|index| decisions[*index].set.verified().is_some()) {
            found[verified].push(Reason::Verified);
        }
        for (index, reasons) in history.into_iter().zip(found) {
            let kept = reasons.into_iter().map(|reason| Kept::For { target: target.clone(), reason });
            decisions[index].kept.extend(kept);
        }
    }
    decisions
}

fn not_counted(set: &Set) -> Option<Kept> {
    let why = if let Err(ManifestError::Sealed(SealError::NoKey)) = &set.manifest {
        "encrypted, and no key was given"
    } else if set.is_locked() {
        "encrypted for another key"
    } else if set.manifest.is_err() {
        "its manifest cannot be used"
    } else if !set.is_complete() {
        "not complete"
    } else if set.is_damaged() {
        "damaged"
    } else {
        return None;
    };
    Some(Kept::NotCounted(why))
}

/// Removes what the plan removes: of each set the manifest first, so that an interruption leaves sets that are whole and
/// remains that the next run removes.
///
/// # Errors
///
/// When something cannot be removed; what was removed before stays so.
pub async fn prune(repository: &Repository, plan: &Plan, on_event: &mut dyn FnMut(Event<'_>)) -> Result<(), Error> {
    let store = &repository.store;
    for set in plan.removed() {
        on_event(Event::Removing { set: &set.id });
        remove(store, &set.id).await?;
    }
    for id in &plan.unfinished {
        on_event(Event::Removing { set: id });
        if let Some(_claim) = claim_unfinished(store, id).await? {
            remove(store, id).await?;
        }
    }
    if let Store::Folder(folder) = store {
        folder.remove_stale_files()?;
    }
    Ok(())
}
