//! Backup sets of PostgreSQL databases: dump, list, verify, restore, prune.
//!
//! A repository is a folder or a bucket of an object store; a set is what is below its id there: one archive of pg_dump's
//! custom format for each target and a `manifest.json` that says what each must look like:
//!
//! ```text
//! backups/
//!   20261123T021500Z-1a2b/
//!     app.dump  manifest.json  verify.json
//!   20261123T031500Z-9c0d/     being written, or left by a crash: nothing lists or restores it
//!     writing  app.dump
//!   locks/  key.age            see `lock` and `seal`
//! ```
//!
//! - A set appears whole or not at all: its manifest is written last.
//! - A restored database appears whole or not at all too: a new one under a temporary name (`draft`), an existing empty
//!   one in a single transaction. One that holds data is never touched.
//! - The client programs get the password through a temporary password file and nothing of this process' environment
//!   but what [`Programs`] names.
//!
//! The library reads no environment and no configuration and prints nothing; what it does is told by [`Event`]s.

mod archive;
mod backup;
mod child;
mod database;
mod destination;
mod draft;
mod dump;
mod error;
mod hash;
mod id;
mod lease;
mod lock;
mod manifest;
mod new_set;
mod prune;
mod repository;
mod restore;
mod retention;
mod seal;
mod stage;
mod store;
mod verify;

pub use archive::{Archive, ArchiveHeader};
pub use backup::{Backup, BackupOptions, Source, back_up};
pub use child::Programs;
pub use database::Locale;
pub use destination::Destination;
pub use error::Error;
pub use id::SetId;
pub use lock::Holder;
pub use manifest::{Contents, Encryption, Manifest, ManifestError, ManifestFile, ManifestTarget, PostgresContents};
pub use prune::{Decision, Kept, Plan, plan_prune, prune};
pub use repository::{Repository, Set};
pub use restore::{RestorePlan, Restored, plan_restore, restore};
pub use retention::{Count, Keep, Reason, Rule, Within};
pub use seal::{Keys, SealError};
pub use store::{BucketLocation, Location, StoredFile};
pub use verify::{Problem, Verification, verify};

/// What happens during a backup, a verification or a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A database is being dumped.
    Dumping {
        /// The target's name.
        target: &'a str,
    },
    /// The bytes of a file are being compared with the manifest.
    Checking {
        /// The file's name.
        file: &'a str,
    },
    /// A database is being restored.
    Restoring {
        /// The database's name.
        database: &'a str,
    },
    /// The statistics of a restored database are being collected.
    Analyzing {
        /// The database's name.
        database: &'a str,
    },
    /// A set is being removed.
    Removing {
        /// Its id.
        set: &'a SetId,
    },
    /// So many more bytes were written or read.
    Bytes(u64),
}
