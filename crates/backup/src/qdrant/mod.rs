//! The collections of a Qdrant server in a set: each as a snapshot that the server made, with what must come out of it.
//!
//! A snapshot holds points, configuration and payload indexes of one collection. Its aliases are kept beside it. Between
//! two collections a set is not of one moment: Qdrant has no such thing.

mod cluster;
mod error;
mod left_over;
mod restore;
mod scratch;
mod take;
mod target;
mod undo;

use dbops_qdrant::{CollectionFacts, Transferred};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use cluster::refuse_cluster;
pub use error::QdrantError;
pub use left_over::LeftOver;
pub use restore::{QdrantPlan, QdrantStep, RestoredCollection, check_version, plan_qdrant_restore, restore_collection};
pub use scratch::{left_over_scratch, try_snapshot};
pub use take::{collections, remove_left_over, take};
pub use target::{QdrantSource, prove_qdrant, qdrant_contents, restore_from_set};
pub(crate) use target::{ReadyQdrant, back_up_qdrant, prepare_qdrant};
pub use undo::undo_qdrant_swap;

/// What a Qdrant server was when it was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QdrantContents {
    /// The server's version: `1.18.2`.
    pub server_version: String,
    /// In the order of their names.
    pub collections: Vec<QdrantCollection>,
}

/// A collection in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QdrantCollection {
    /// Its name.
    pub name: String,
    /// The aliases that led to it.
    pub aliases: Vec<String>,
    /// The name that the server gave the snapshot.
    pub snapshot: String,
    /// When the server made it.
    pub created: Option<Timestamp>,
    /// The size of the snapshot.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal: the server compares it before it touches anything.
    pub sha256: String,
    /// What must come out of it.
    pub facts: CollectionFacts,
}

impl QdrantCollection {
    /// The snapshot as a file to send.
    #[must_use]
    pub fn file(&self) -> Transferred {
        Transferred { bytes: self.bytes, sha256: self.sha256.clone() }
    }
}
