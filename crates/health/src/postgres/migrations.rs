//! Whether every revision has been applied, as its file is, and whether there is one way on.

use super::PostgresTarget;
use crate::deadline::too_late;
use crate::{Check, Finding, Status};

const ID: &str = "migrations";
const HEADS: &str = "heads";
const FILES: &str = "revision_files";

pub(super) const CHECKS: [Check; 3] = [
    Check { id: ID, looks_at: "whether every revision is applied, and none was left unfinished", limits: None },
    Check { id: HEADS, looks_at: "whether the revisions have a single head", limits: None },
    Check { id: FILES, looks_at: "whether applied revisions still are what their files say", limits: None },
];

/// How a database stands to its revisions, and the revisions to each other; ids throughout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionState {
    /// Whether all are applied.
    pub migrations: MigrationState,
    /// A revision without a transaction that was begun and not completed.
    pub unfinished: Option<String>,
    /// The heads.
    pub heads: Vec<String>,
    /// Their files changed after they were applied.
    pub changed: Vec<String>,
    /// Applied, and their files are gone.
    pub deleted: Vec<String>,
    /// Below an applied revision, and never run.
    pub merged_below: Vec<String>,
}

impl From<MigrationState> for RevisionState {
    fn from(migrations: MigrationState) -> Self {
        let (heads, changed, deleted, merged_below) = Default::default();
        Self { migrations, unfinished: None, heads, changed, deleted, merged_below }
    }
}

pub(super) async fn findings(target: &PostgresTarget<'_>, state: impl Future<Output = RevisionState>) -> Vec<Finding> {
    let name = target.name;
    match tokio::time::timeout(target.deadline, state).await {
        Ok(state) if matches!(state.migrations, MigrationState::Unreadable { .. }) => {
            vec![finding(name, state.migrations)]
        }
        Ok(state) => {
            let (heads, files) = (heads(name, &state.heads), files(name, &state));
            let migrations = match state.unfinished {
                Some(id) => Finding::new(ID, name, Status::Critical, format!("{id} was begun and not completed"))
                    .remedy(format!("dbops migrate resume -t {name}")),
                None => finding(name, state.migrations),
            };
            vec![migrations, heads, files]
        }
        Err(_) => vec![too_late(ID, name, target.deadline)],
    }
}

fn heads(target: &str, heads: &[String]) -> Finding {
    match heads {
        [] => Finding::new(HEADS, target, Status::Ok, "there are no revisions"),
        [head] => Finding::new(HEADS, target, Status::Ok, format!("the head is {head}")),
        _ => Finding::new(HEADS, target, Status::Warning, format!("several heads: {}", heads.join(", ")))
            .remedy(format!("dbops migrate merge -m MESSAGE -t {target}")),
    }
}

fn files(target: &str, state: &RevisionState) -> Finding {
    let accept = format!("or take it as it is: dbops migrate accept REV -t {target}");
    let cases = [
        (&state.changed, "changed after it was applied", format!("bring the file back as it was, {accept}")),
        (&state.deleted, "applied, and its file is gone", "bring the file back".to_owned()),
        (
            &state.merged_below,
            "below an applied revision, and never run here",
            format!("undo down to below it and upgrade again, or run its SQL by hand, {accept}"),
        ),
    ];
    let found: Vec<_> = cases.iter().filter(|(ids, ..)| !ids.is_empty()).collect();
    let Some((_, _, remedy)) = found.first() else {
        return Finding::new(FILES, target, Status::Ok, "every applied revision is as its file is");
    };
    let summaries: Vec<_> = found.iter().map(|(ids, what, _)| format!("{what}: {}", ids.join(", "))).collect();
    Finding::new(FILES, target, Status::Warning, summaries.join("; ")).remedy(remedy)
}

/// How a database stands to its revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationState {
    /// It has no version table, and there are revisions.
    NotInitialized,
    /// Every revision is applied.
    UpToDate,
    /// So many are not.
    Pending(usize),
    /// The version table names revisions that the files do not have.
    UnknownRevision(Vec<String>),
    /// Files or version table cannot be read.
    Unreadable {
        /// Why.
        reason: String,
        /// What to do about it.
        remedy: String,
    },
}

fn finding(target: &str, state: MigrationState) -> Finding {
    let new = |status, summary: String| Finding::new(ID, target, status, summary);
    let migrate = format!("dbops migrate -t {target}");
    match state {
        MigrationState::UpToDate => new(Status::Ok, "every revision is applied".into()).measured(0.0, "revisions"),
        MigrationState::NotInitialized => {
            new(Status::Warning, "the database has never been migrated".into()).remedy(migrate)
        }
        MigrationState::Pending(count) => {
            let revisions = if count == 1 { "1 revision is" } else { &format!("{count} revisions are") };
            let finding = new(Status::Warning, format!("{revisions} pending")).remedy(migrate);
            #[expect(clippy::cast_precision_loss, reason = "nobody has so many revisions")]
            finding.measured(count as f64, "revisions")
        }
        MigrationState::UnknownRevision(ids) => {
            new(Status::Critical, format!("the database is at {}, which no revision file has", ids.join(", "))).remedy(
                "deploy the revision files that belong to this database, or go back to a revision that both have with \
                 the newer files",
            )
        }
        MigrationState::Unreadable { reason, remedy } => new(Status::Unknown, reason).remedy(remedy),
    }
}

#[cfg(test)]
mod tests {
    use super::{MigrationState, RevisionState, files, finding, heads};
    use crate::Status;

    #[test]
    fn several_heads_and_files_that_changed_are_told() {
        let ids = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
        for (listed, status) in [("", Status::Ok), ("a", Status::Ok), ("a b", Status::Warning)] {
            assert_eq!(heads("app", &ids(listed)).status, status);
        }
        let state = |changed: &str, deleted: &str, merged_below: &str| RevisionState {
            changed: ids(changed),
            deleted: ids(deleted),
            merged_below: ids(merged_below),
            ..MigrationState::UpToDate.into()
        };
        let cases = [
            (state("", "", ""), Status::Ok, "every applied revision is as its file is"),
            (state("a b", "", ""), Status::Warning, "changed after it was applied: a, b"),
            (state("", "c", "d"), Status::Warning, "applied, and its file is gone: c; below an applied revision"),
        ];
        for (state, status, summary) in cases {
            let finding = files("app", &state);
            assert!(finding.status == status && finding.summary.starts_with(summary), "{finding:?}");
        }
    }

    #[test]
    fn each_state_has_its_finding() {
        let cases = [
            (MigrationState::UpToDate, Status::Ok, "every revision is applied", "", Some(0.0)),
            (
                MigrationState::NotInitialized,
                Status::Warning,
                "the database has never been migrated",
                "dbops migrate -t app",
                None,
            ),
            (MigrationState::Pending(1), Status::Warning, "1 revision is pending", "dbops migrate -t app", Some(1.0)),
            (MigrationState::Pending(3), Status::Warning, "3 revisions are pending", "dbops migrate -t app", Some(3.0)),
            (
                MigrationState::UnknownRevision(vec!["a".into(), "b".into()]),
                Status::Critical,
                "the database is at a, b, which no revision file has",
                "deploy the revision files",
                None,
            ),
            (
                MigrationState::Unreadable { reason: "no".into(), remedy: "ask".into() },
                Status::Unknown,
                "no",
                "ask",
                None,
            ),
        ];
        for (state, status, summary, remedy, value) in cases {
            let finding = finding("app", state);
            assert_eq!((finding.status, finding.summary.as_str(), finding.value), (status, summary, value));
            assert!(finding.remedy.unwrap_or_default().starts_with(remedy), "{summary}");
        }
    }
}
