//! Whether every revision has been applied.

use crate::{Finding, Status};

pub(super) const ID: &str = "migrations";

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

pub(super) fn finding(target: &str, state: MigrationState) -> Finding {
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
    use super::{MigrationState, finding};
    use crate::Status;

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
