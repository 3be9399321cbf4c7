//! How the collections of a server are.

use std::collections::BTreeMap;

use qdrant_client::qdrant::{CollectionInfo, CollectionStatus as WireStatus};

use crate::{Error, Server};

/// One collection, as the server describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionStatus {
    /// Its own name, not an alias.
    pub name: String,
    /// What the server says about its condition.
    pub state: CollectionState,
    /// About how many points it holds.
    pub points: u64,
    /// About how many vectors are in an index. A collection whose segments are small has none, and needs none.
    pub indexed_vectors: u64,
    /// How many segments it is made of.
    pub segments: u64,
    /// How many shards its points are spread over.
    pub shards: u32,
    /// How many replicas of each shard there are to be.
    pub replication_factor: u32,
    /// Whether requests that its limits forbid are refused.
    pub strict_mode: bool,
    /// The names that lead to it, sorted.
    pub aliases: Vec<String>,
    /// Why the optimizer gave up, when it did.
    pub optimizer_error: Option<String>,
}

/// <https://qdrant.tech/documentation/concepts/collections/#collection-info>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectionState {
    /// All is ready.
    Green,
    /// Optimizations run.
    Yellow,
    /// Optimizations are pending, and wait for an update to go on: so it is after a restart.
    Grey,
    /// Something failed.
    Red,
    /// A state that this version of dbops does not know.
    Unknown,
}

impl CollectionState {
    /// The word that Qdrant's own interfaces use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Grey => "grey",
            Self::Red => "red",
            Self::Unknown => "unknown",
        }
    }
}

impl Server {
    /// Every collection, sorted by name.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn collections(&self) -> Result<Vec<CollectionStatus>, Error> {
        let aliases = self.aliases().await?;
        let mut collections = Vec::new();
        for name in self.names().await? {
            // A collection that was dropped since is not there.
            if let Some(info) = self.info(&name).await? {
                collections.push(status(name, &info, &aliases));
            }
        }
        Ok(collections)
    }
}

fn status(name: String, info: &CollectionInfo, aliases: &BTreeMap<String, String>) -> CollectionStatus {
    let state = match info.status() {
        WireStatus::Green => CollectionState::Green,
        WireStatus::Yellow => CollectionState::Yellow,
        WireStatus::Grey => CollectionState::Grey,
        WireStatus::Red => CollectionState::Red,
        WireStatus::UnknownCollectionStatus => CollectionState::Unknown,
    };
    let config = info.config.as_ref();
    let params = config.and_then(|config| config.params.as_ref());
    let strict_mode = config.and_then(|config| config.strict_mode_config.as_ref());
    let optimizer = info.optimizer_status.as_ref().filter(|optimizer| !optimizer.ok);
    CollectionStatus {
        state,
        points: info.points_count(),
        indexed_vectors: info.indexed_vectors_count(),
        segments: info.segments_count,
        // Servers leave out what is one.
        shards: params.map_or(1, |params| params.shard_number.max(1)),
        replication_factor: params.map_or(1, |params| params.replication_factor().max(1)),
        strict_mode: strict_mode.is_some_and(|strict| strict.enabled()),
        aliases: aliases.iter().filter(|(_, to)| **to == name).map(|(alias, _)| alias.clone()).collect(),
        optimizer_error: optimizer.map(|optimizer| optimizer.error.clone()),
        name,
    }
}
