//! Health checks for PostgreSQL and Qdrant: findings with what to do about them.
//!
//! - One check is one file, with its query beside it and its tests in it.
//! - [`check_postgres`] and [`check_qdrant`] run the checks of one target, concurrently and each with a deadline: a
//!   server that hangs yields findings too.
//! - A check that could not run is `unknown` and says why. Checks of a target that cannot be reached are not run.
//!
//! What a target should have (extensions, revisions, collections) arrives as plain data: the library reads no
//! configuration, no files and no environment.

mod deadline;
mod finding;
mod postgres;
mod qdrant;

pub use finding::{Finding, Status};
pub use postgres::{MigrationState, PostgresTarget, check_postgres};
pub use qdrant::{QdrantTarget, check_qdrant};
