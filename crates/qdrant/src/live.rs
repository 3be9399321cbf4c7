//! What is on a server, as far as it can be declared.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use qdrant_client::qdrant::CollectionInfo;

use crate::generation::{NOTE, generation};
use crate::parameter::Scope;
use crate::points::text;
use crate::{CollectionSpec, Error, IndexSpec, RebuildNote, Server, Settings, wire};

/// How many collections the server is asked about at a time.
const AT_ONCE: usize = 8;

/// The collections of a server and the aliases that lead to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
    /// Major and minor version of the server; `None` for one that is named otherwise, such as a development build's.
    pub version: Option<(u32, u32)>,
    /// By name: those that the declared ones have to do with.
    pub collections: BTreeMap<String, LiveCollection>,
    /// The names of all others.
    pub others: BTreeSet<String>,
    /// Alias to collection.
    pub aliases: BTreeMap<String, String>,
}

/// A collection that is there. Its settings hold what the server says, and what it does where it says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveCollection {
    /// Whether it holds no points.
    pub is_empty: bool,
    /// The dense vectors by name, the empty one for a vector without a name.
    pub vectors: BTreeMap<String, Settings>,
    /// The sparse vectors by name.
    pub sparse_vectors: BTreeMap<String, Settings>,
    /// The parameters of the collection itself.
    pub settings: Settings,
    /// The payload indexes by path; `None` for one of a type that this version of dbops does not know.
    pub payload_indexes: BTreeMap<String, Option<IndexSpec>>,
    /// What is noted of the rebuild that made it.
    pub rebuild: Option<RebuildNote>,
}

impl Server {
    /// Reads what is there. The server is asked about each collection on its own, so only about those that the declared
    /// ones have to do with: those of their names and aliases, their generations, what their aliases lead to, and what
    /// these were rebuilt from.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked, or is too old for what can be declared.
    pub async fn live(&self, declared: &[CollectionSpec]) -> Result<Live, Error> {
        let mut live = self.live_names().await?;
        let mut next = concerned(declared, &live.aliases, &live.others);
        while !next.is_empty() {
            live.others.retain(|name| !next.contains(name));
            let found = self.describe(next).await?;
            let before = found.values().filter_map(|there| Some(there.rebuild.as_ref()?.of.clone()));
            next = before.filter(|name| live.others.contains(name)).collect();
            live.collections.extend(found);
        }
        Ok(live)
    }

    /// Reads all that is there, for whom nothing is declared yet.
    ///
    /// # Errors
    ///
    /// As [`live`](Self::live).
    pub async fn live_whole(&self) -> Result<Live, Error> {
        let mut live = self.live_names().await?;
        live.collections = self.describe(std::mem::take(&mut live.others)).await?;
        Ok(live)
    }

    /// What is there by name alone.
    async fn live_names(&self) -> Result<Live, Error> {
        let (version, aliases) = (self.require_version().await?, self.aliases().await?);
        let others = self.names().await?.into_iter().collect();
        Ok(Live { version, collections: BTreeMap::new(), others, aliases })
    }

    async fn describe(&self, names: BTreeSet<String>) -> Result<BTreeMap<String, LiveCollection>, Error> {
        let found = stream::iter(names).map(|name| async {
            // A collection that was dropped since is not there.
            let info = self.info(&name).await?;
            Ok::<_, Error>(info.map(|info| (name, collection(info))))
        });
        let found: Vec<_> = found.buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

fn concerned(
    declared: &[CollectionSpec],
    aliases: &BTreeMap<String, String>,
    names: &BTreeSet<String>,
) -> BTreeSet<String> {
    let own: BTreeSet<_> = declared.iter().map(|spec| spec.name.as_str()).collect();
    let behind = declared.iter().filter_map(|spec| spec.alias.as_ref());
    let behind: BTreeSet<_> = behind.flat_map(|alias| [Some(alias), aliases.get(alias)]).flatten().collect();
    let is_generation =
        |name: &str| name.rsplit_once('.').is_some_and(|(of, _)| own.contains(of) && generation(of, name).is_some());
    let is_concerned =
        |name: &&String| own.contains(name.as_str()) || behind.contains(name) || is_generation(name.as_str());
    names.iter().filter(is_concerned).cloned().collect()
}

pub(crate) fn collection(info: CollectionInfo) -> LiveCollection {
    let is_empty = info.points_count() == 0;
    let mut config = info.config.unwrap_or_default();
    let note = config.metadata.remove(NOTE).and_then(text);
    let params = config.params.clone().unwrap_or_default();
    let vectors = wire::vectors(params.vectors_config).into_iter().map(|(name, params)| {
        let settings = Settings::read(Scope::Vector, &mut wire::vector_fields(params));
        (name, settings)
    });
    let sparse = params.sparse_vectors_config.unwrap_or_default().map.into_iter().map(|(name, params)| {
        let settings = Settings::read(Scope::SparseVector, &mut wire::sparse_fields(params));
        (name, settings)
    });
    let payload_indexes = info.payload_schema.into_iter().map(|(path, schema)| {
        let index = wire::index_fields(schema).map(|(index_type, mut fields)| IndexSpec {
            index_type,
            settings: Settings::read(Scope::PayloadIndex(index_type), &mut fields),
        });
        (path, index)
    });
    LiveCollection {
        is_empty,
        rebuild: note.and_then(|note| serde_json::from_str(&note).ok()),
        vectors: vectors.collect(),
        sparse_vectors: sparse.collect(),
        payload_indexes: payload_indexes.collect(),
        settings: Settings::read(Scope::Collection, &mut wire::collection_fields(config)),
    }
}
