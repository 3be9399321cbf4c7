//! Backup sets of PostgreSQL databases and Qdrant collections: dump, list, verify, restore, prune.
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
//!   one in a single transaction. One that holds data is never touched, unless what is restored may take its place, in
//!   one moment and when it is whole.
//! - The client programs get the password through a temporary password file and nothing of this process' environment
//!   but what [`Programs`] names.
//!
//! The library reads no environment and no configuration and prints nothing; what it does is told by [`Event`]s.

mod archive;
mod backup;
mod child;
mod compression;
mod database;
mod directory;
mod dump;
mod error;
mod facts;
pub mod fingerprint;
mod follow;
mod hash;
mod id;
mod lease;
mod locale;
mod lock;
mod manifest;
mod narration;
mod new_set;
mod options;
mod prune;
mod qdrant;
mod repository;
mod restore;
mod retention;
mod roles;
pub mod script;
mod seal;
mod snapshot;
mod stage;
mod store;
mod target;
mod temporary;
mod verify;
mod webhook;
mod whole;

pub use archive::{Archive, ArchiveHeader};
pub use backup::{Backup, BackupOptions, Source, Sources, back_up};
pub use child::Programs;
pub use error::Error;
pub use facts::{Facts, RoleUse, SequenceValue, Settings};
pub use id::SetId;
pub use locale::Locale;
pub use lock::Holder;
pub use manifest::{
    Contents, Encryption, Fingerprints, Manifest, ManifestError, ManifestFile, ManifestTarget, PostgresContents,
};
pub use options::{Compression, DumpOptions, Format, Method};
pub use prune::{Decision, Kept, Plan, plan_prune, prune};
pub use qdrant::{
    LeftOver, QdrantCollection, QdrantContents, QdrantError, QdrantPlan, QdrantSource, QdrantStep, RestoredCollection,
    check_version, collections, left_over_scratch, plan_qdrant_restore, prove_qdrant, qdrant_contents,
    remove_left_over, restore_collection, restore_from_set, take, try_snapshot, undo_qdrant_swap,
};
pub use repository::{Repository, Set};
pub use restore::{
    Comparison, Destination, Existing, Owners, RestoreOptions, RestorePlan, Restored, State, TableName, Undone,
    create_roles, plan_restore, restore, undo_swap,
};
pub use retention::{Count, Keep, Reason, Rule, Within};
pub use seal::{Keys, SealError};
pub use store::{BucketLocation, Location, StoredFile};
pub use verify::{Problem, TrialRestore, Verification, verify};
pub use webhook::post_json;

/// What happens during a backup, a verification or a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A target is being dumped.
    Dumping {
        /// Its name.
        target: &'a str,
        /// How many tables the database has whose rows may be dumped; 0 for a Qdrant server.
        tables: usize,
        /// Their size on the server's disk, as the server estimated it last.
        bytes: u64,
    },
    /// Something about the way in which it is dumped, for those who want to know.
    Using {
        /// The target's name.
        target: &'a str,
        /// The programs and the compression.
        what: &'a str,
    },
    /// pg_dump has come to the rows of a table.
    Table {
        /// Its schema.
        schema: &'a str,
        /// Its name.
        name: &'a str,
        /// Its size on the server's disk, as the server estimated it last.
        bytes: u64,
    },
    /// A target was dumped.
    Dumped {
        /// Its name.
        target: &'a str,
        /// The size of its files.
        bytes: u64,
        /// The size of the database's tables on the server's disk, without indexes; 0 for a Qdrant server.
        table_bytes: u64,
        /// How long it took, in milliseconds.
        duration_ms: u64,
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
    /// pg_restore begins to fill a database.
    Filling {
        /// The database's name.
        database: &'a str,
        /// How many tables have rows to load.
        tables: usize,
        /// How many rows there are, where the backup tells.
        rows: Option<u64>,
        /// How many indexes, keys and materialized views are to be built.
        builds: usize,
    },
    /// pg_restore has come to the rows of a table.
    Loading {
        /// The table, as `schema.name` with nothing quoted.
        table: &'a str,
    },
    /// So many rows were loaded in all, as far as the server tells.
    Loaded {
        /// Their number.
        rows: u64,
    },
    /// pg_restore builds an index or the like.
    Building {
        /// `INDEX`, `CONSTRAINT`, `FK CONSTRAINT` or `MATERIALIZED VIEW DATA`.
        kind: &'a str,
        /// Its name, as `schema.name` or `schema.table name` with nothing quoted.
        name: &'a str,
    },
    /// The rows of a restored database are being compared with those that were dumped.
    Comparing {
        /// The database's name.
        database: &'a str,
    },
    /// The statistics of a restored database are being collected.
    Analyzing {
        /// The database's name.
        database: &'a str,
    },
    /// What a killed backup had left on a Qdrant server was deleted there.
    RemovedSnapshot {
        /// The snapshot's name.
        snapshot: &'a str,
        /// Its collection.
        collection: &'a str,
    },
    /// A set is being removed.
    Removing {
        /// Its id.
        set: &'a SetId,
    },
    /// So many more bytes were written or read.
    Bytes(u64),
}
