//! Health checks for PostgreSQL and Qdrant: findings with what to do about them.
//!
//! - One check is one file, with its query beside it and its tests in it; [`checks`] lists them all.
//! - [`check_postgres`], [`check_qdrant`], [`check_backups`] and [`check_drift`] run the checks of one target, concurrently and each with
//!   a deadline: a server that hangs yields findings too.
//! - A check that could not run is `unknown` and says why. Checks of a target that cannot be reached are not run.
//! - Of several things that one check finds, the worst is in the finding's summary and all are in its details.
//!
//! What a target should have (extensions, revisions, collections) and from where on a value is bad ([`Selection`])
//! arrives as plain data: the library reads no configuration, no files and no environment.

mod backups;
mod check;
mod deadline;
mod drift;
mod finding;
mod fold;
mod postgres;
mod qdrant;

pub use backups::{BackupState, BackupTaken, check_backups};
pub use check::{Check, Limits, Selection, Unit};
pub use drift::{SchemaSince, check_drift};
pub use finding::{Finding, Status};
pub use postgres::{MigrationState, PostgresTarget, RevisionState, check_postgres};
pub use qdrant::{QdrantTarget, SourceRows, check_qdrant};

/// Every check: those of PostgreSQL, of Qdrant, and of backups.
#[must_use]
pub fn checks() -> Vec<(&'static str, Vec<Check>)> {
    let postgres = [postgres::checks(), vec![drift::CHECK]].concat();
    vec![("PostgreSQL", postgres), ("Qdrant", qdrant::checks()), ("backups", backups::CHECKS.to_vec())]
}
