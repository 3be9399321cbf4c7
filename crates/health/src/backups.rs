//! Whether a target is backed up: lately, in sets that were verified, and of about the size that they had before.

use crate::check::{bytes, duration};
use crate::{Check, Finding, Limits, Selection, Status, Unit};

const AGE: Check = Check {
    id: "backup_age",
    looks_at: "the age of the newest complete backup",
    limits: Limits::new(Unit::Seconds, 26.0 * 3600.0, 50.0 * 3600.0),
};
const VERIFIED: Check = Check {
    id: "backup_verified",
    looks_at: "the time since a backup was last verified",
    limits: Limits::warning(Unit::Seconds, 8.0 * 86_400.0),
};
const GROWTH: Check = Check {
    id: "backup_growth",
    looks_at: "how much the newest backup differs in size from the median of the earlier ones",
    limits: Limits::warning(Unit::Percent, 100.0),
};
pub(crate) const CHECKS: [Check; 3] = [AGE, VERIFIED, GROWTH];

/// Below this a backup may be of any size.
const SMALL: f64 = 10.0 * 1024.0 * 1024.0;
/// With fewer earlier backups their median says little.
const ENOUGH: usize = 3;

/// What is known of the backups of a target.
#[derive(Debug, Clone, PartialEq)]
pub enum BackupState {
    /// The complete sets that hold the whole target, the newest first.
    Taken(Vec<BackupTaken>),
    /// The repository cannot be read.
    Unreadable {
        /// Why.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
}

/// A backup of a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackupTaken {
    /// How long ago it was begun, in seconds.
    pub age: f64,
    /// How long ago it was last verified, in seconds, if it was whole then.
    pub verified: Option<f64>,
    /// The size of the target's files.
    pub bytes: f64,
}

/// The findings about the backups of a target.
#[must_use]
pub fn check_backups(target: &str, selection: &Selection, state: &BackupState) -> Vec<Finding> {
    let findings = match state {
        BackupState::Taken(sets) => {
            vec![age(target, selection, sets), verified(target, selection, sets), growth(target, selection, sets)]
        }
        BackupState::Unreadable { reason, remedy } => {
            let unknown = |check: &Check| Finding::new(check.id, target, Status::Unknown, reason).remedy(remedy);
            // Once is enough.
            CHECKS.iter().filter(|check| selection.wants(check.id)).take(1).map(unknown).collect()
        }
    };
    selection.apply(findings)
}

fn age(target: &str, selection: &Selection, sets: &[BackupTaken]) -> Finding {
    let remedy = format!("dbops backup {target}");
    let Some(newest) = sets.first() else {
        return Finding::new(AGE.id, target, Status::Warning, "there is no backup").remedy(remedy);
    };
    let summary = format!("the newest backup was made {} ago", duration(newest.age));
    judged(&AGE, target, selection, newest.age, summary, &remedy)
}

/// A set that has just been made need not be verified yet.
fn verified(target: &str, selection: &Selection, sets: &[BackupTaken]) -> Finding {
    let last = sets.iter().filter_map(|set| set.verified).min_by(f64::total_cmp);
    let Some(since) = last.or_else(|| sets.iter().map(|set| set.age).max_by(f64::total_cmp)) else {
        return Finding::new(VERIFIED.id, target, Status::Ok, "there is nothing to verify");
    };
    let summary = match last {
        Some(_) => format!("a backup was verified {} ago", duration(since)),
        None => format!("no backup was ever verified; the oldest is of {} ago", duration(since)),
    };
    judged(&VERIFIED, target, selection, since, summary, "dbops backup verify")
}

fn growth(target: &str, selection: &Selection, sets: &[BackupTaken]) -> Finding {
    let (Some(newest), earlier) = (sets.first(), sets.get(1..).unwrap_or_default()) else {
        return Finding::new(GROWTH.id, target, Status::Ok, "there is nothing to compare");
    };
    if earlier.len() < ENOUGH {
        let summary = format!("fewer than {ENOUGH} earlier backups to compare with");
        return Finding::new(GROWTH.id, target, Status::Ok, summary);
    }
    let mut sizes: Vec<_> = earlier.iter().map(|set| set.bytes).collect();
    sizes.sort_by(f64::total_cmp);
    let median = sizes[sizes.len() / 2].max(1.0);
    let (now, before) = (bytes(newest.bytes), bytes(median));
    let summary = format!("the newest backup has {now}; the median of the earlier ones is {before}");
    if newest.bytes.max(median) < SMALL {
        return Finding::new(GROWTH.id, target, Status::Ok, summary);
    }
    // To a half is as much as to the double.
    let (large, small) = (newest.bytes.max(median), newest.bytes.min(median).max(1.0));
    let remedy = "see what grew or went: `dbops backup show ID` lists the tables of a set";
    judged(&GROWTH, target, selection, (large / small - 1.0) * 100.0, summary, remedy)
}

fn judged(check: &Check, target: &str, selection: &Selection, value: f64, summary: String, remedy: &str) -> Finding {
    let limits = selection.limits(check);
    let status = limits.map_or(Status::Ok, |limits| limits.judge(value));
    let mut finding = Finding::new(check.id, target, status, summary);
    finding.remedy = (status != Status::Ok).then(|| remedy.to_owned());
    match limits {
        Some(limits) => finding.measured(value, limits.unit.name()),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::{BackupState, BackupTaken, check_backups};
    use crate::{Selection, Status};

    const HOUR: f64 = 3600.0;
    const MIB: f64 = 1024.0 * 1024.0;

    /// Hours since each set was made and verified (below 0: never) and its size in MiB; the status of each check.
    #[test]
    fn age_verification_and_growth_are_told() {
        type Sets<'a> = &'a [(f64, f64, f64)];
        let cases: [(Sets, &str); 9] = [
            (&[], "warning ok ok"),
            (&[(1.0, -1.0, 1.0)], "ok ok ok"),
            (&[(30.0, 29.0, 1.0)], "warning ok ok"),
            (&[(60.0, 59.0, 1.0)], "critical ok ok"),
            (&[(1.0, -1.0, 1.0), (300.0, -1.0, 1.0)], "ok warning ok"),
            (&[(1.0, -1.0, 1.0), (300.0, 299.0, 1.0)], "ok warning ok"),
            (&[(1.0, 0.5, 50.0), (2.0, -1.0, 20.0), (3.0, -1.0, 20.0), (4.0, -1.0, 90.0)], "ok ok warning"),
            (&[(1.0, 0.5, 10.0), (2.0, -1.0, 20.0), (3.0, -1.0, 20.0), (4.0, -1.0, 20.0)], "ok ok warning"),
            (&[(1.0, 0.5, 5.0), (2.0, -1.0, 2.0), (3.0, -1.0, 2.0), (4.0, -1.0, 2.0)], "ok ok ok"),
        ];
        for (sets, expected) in cases {
            let taken = sets.iter().map(|(age, verified, size)| BackupTaken {
                age: age * HOUR,
                verified: (*verified >= 0.0).then_some(verified * HOUR),
                bytes: size * MIB,
            });
            let findings = check_backups("app", &Selection::default(), &BackupState::Taken(taken.collect()));
            let found: Vec<_> = findings.iter().map(|finding| finding.status.name()).collect();
            assert_eq!(found.join(" "), expected, "{findings:?}");
            let well = |finding: &crate::Finding| (finding.status == Status::Ok) == finding.remedy.is_none();
            assert!(findings.iter().all(well), "{findings:?}");
        }
    }

    #[test]
    fn a_repository_that_cannot_be_read_is_no_bad_backup() {
        let state = BackupState::Unreadable { reason: "no".into(), remedy: "ask".into() };
        let findings = check_backups("app", &Selection::default(), &state);
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.id, finding.status), ("backup_age", Status::Unknown));
    }
}
