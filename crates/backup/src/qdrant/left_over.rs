//! Snapshots that a backup made on the server and has not deleted yet. A killed backup leaves them there, and the next
//! one of the same target deletes them.
//!
//! Only hashes of their names are kept, so that the note tells nothing in a repository that is encrypted.

use std::collections::BTreeSet;

use dbops_qdrant::Snapshot;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A note of what has to be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOver {
    snapshots: BTreeSet<String>,
}

impl LeftOver {
    /// Reads a note; one that is not readable names nothing.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// The note as it is kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether nothing has to be deleted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty()
    }

    pub(super) fn add(&mut self, snapshot: &Snapshot) {
        self.snapshots.insert(hash(snapshot));
    }

    pub(super) fn remove(&mut self, snapshot: &Snapshot) {
        self.snapshots.remove(&hash(snapshot));
    }

    pub(super) fn holds(&self, snapshot: &Snapshot) -> bool {
        self.snapshots.contains(&hash(snapshot))
    }

    pub(super) fn clear(&mut self) {
        self.snapshots.clear();
    }
}

fn hash(snapshot: &Snapshot) -> String {
    let digest = Sha256::digest(format!("{}/{}", snapshot.collection, snapshot.name));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
