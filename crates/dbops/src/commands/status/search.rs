//! What a Qdrant server says of itself.

use std::time::Duration;

use dbops_qdrant::{CollectionState, CollectionStatus, Server, plan, read_file};
use serde::Serialize;

use crate::commands::qdrant::connect_within;
use crate::config::QdrantTarget;

#[derive(Debug, Serialize)]
pub(crate) struct SearchStatus {
    /// `1.18.2`.
    pub(crate) version: String,
    /// Sorted by name.
    pub(crate) collections: Vec<SearchCollection>,
    /// How many changes `qdrant plan` shows; null where no collections are declared.
    pub(crate) changes: Option<usize>,
    /// Why that is not known.
    pub(crate) changes_error: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SearchCollection {
    pub(crate) name: String,
    /// `green`, `yellow` (optimizing), `grey` (optimization pending), `red` or `unknown`.
    pub(crate) state: &'static str,
    /// About how many.
    pub(crate) points: u64,
    pub(crate) aliases: Vec<String>,
}

impl SearchStatus {
    pub(super) fn is_well(&self) -> bool {
        let is_well = |collection: &SearchCollection| {
            [CollectionState::Green.name(), CollectionState::Yellow.name()].contains(&collection.state)
        };
        self.changes.is_none_or(|count| count == 0)
            && self.changes_error.is_none()
            && self.collections.iter().all(is_well)
    }
}

impl From<CollectionStatus> for SearchCollection {
    fn from(it: CollectionStatus) -> Self {
        Self { name: it.name, state: it.state.name(), points: it.points, aliases: it.aliases }
    }
}

/// Asks the server; the error is why it cannot be reached.
pub(super) async fn ask(target: &QdrantTarget, deadline: Duration) -> Result<SearchStatus, String> {
    let text = |error: dbops_qdrant::Error| error.to_string();
    let server = connect_within(target, deadline).map_err(text)?;
    let version = server.version().await.map_err(text)?;
    let collections = server.collections().await.map_err(text)?;
    let (changes, changes_error) = match changes(target, &server).await {
        Ok(count) => (count, None),
        Err(reason) => (None, Some(reason)),
    };
    let collections = collections.into_iter().map(Into::into).collect();
    Ok(SearchStatus { version, collections, changes, changes_error })
}

async fn changes(target: &QdrantTarget, server: &Server) -> Result<Option<usize>, String> {
    let Some(path) = &target.collections else { return Ok(None) };
    let declared = read_file(path).map_err(|error| error.to_string())?;
    let live = server.live(&declared).await.map_err(|error| error.to_string())?;
    let planned = plan(&declared, &live).map_err(|error| error.to_string())?;
    Ok(Some(planned.changes.len()))
}
