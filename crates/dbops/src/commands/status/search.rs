//! What a Qdrant server says of itself.

use std::time::Duration;

use dbops_qdrant::{CollectionSpec, CollectionState, CollectionStatus, Server, plan, standing};
use serde::Serialize;

use crate::commands::qdrant::{connect_within, read_declared};
use crate::config::{Config, QdrantTarget};

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
    /// Whether it stands for a declared one.
    pub(crate) declared: bool,
}

impl SearchStatus {
    pub(super) fn is_well(&self) -> bool {
        self.changes.is_none_or(|count| count == 0)
            && self.changes_error.is_none()
            && self.collections.iter().all(SearchCollection::is_well)
    }
}

impl SearchCollection {
    pub(super) fn is_well(&self) -> bool {
        [CollectionState::Green.name(), CollectionState::Yellow.name()].contains(&self.state)
    }

    fn new(it: CollectionStatus, standing: &[&str]) -> Self {
        let declared = standing.contains(&it.name.as_str());
        Self { name: it.name, state: it.state.name(), points: it.points, aliases: it.aliases, declared }
    }
}

/// Asks the server; the error is why it cannot be reached.
pub(super) async fn ask(config: &Config, target: &QdrantTarget, deadline: Duration) -> Result<SearchStatus, String> {
    let text = |error: dbops_qdrant::Error| error.to_string();
    let server = connect_within(target, deadline).map_err(text)?;
    let version = server.version().await.map_err(text)?;
    let collections = server.collections().await.map_err(text)?;
    let declared = target.collections.as_ref().map(|path| read_declared(config, path)).transpose();
    let (declared, changes, changes_error) = match declared {
        Ok(None) => (Vec::new(), None, None),
        Ok(Some(declared)) => match changes(&declared, &server).await {
            Ok(count) => (declared, Some(count), None),
            Err(error) => (declared, None, Some(text(error))),
        },
        Err(failure) => (Vec::new(), None, Some(format!("{:#}", failure.error))),
    };
    let aliases = collections.iter().flat_map(|it| it.aliases.iter().map(|alias| (alias.clone(), it.name.clone())));
    let aliases = aliases.collect();
    let standing: Vec<_> = declared.iter().map(|spec| standing(spec, &declared, &aliases)).collect();
    let collections = collections.into_iter().map(|it| SearchCollection::new(it, &standing)).collect();
    Ok(SearchStatus { version, collections, changes, changes_error })
}

async fn changes(declared: &[CollectionSpec], server: &Server) -> Result<usize, dbops_qdrant::Error> {
    Ok(plan(declared, &server.live(declared).await?)?.changes.len())
}
