//! What is on a server, as far as it can be declared.

use std::collections::BTreeMap;

use qdrant_client::qdrant::vectors_config::Config as WireVectors;
use qdrant_client::qdrant::{
    CollectionInfo, Distance as WireDistance, Memory, PayloadSchemaType, VectorParams, VectorsConfig,
};

use crate::{Distance, Error, IndexType, Server};

/// The collections of a server and the aliases that lead to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// By name.
    pub collections: BTreeMap<String, LiveCollection>,
    /// Alias to collection.
    pub aliases: BTreeMap<String, String>,
}

/// A collection that is there. Values that this version of dbops does not know are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveCollection {
    /// Whether it holds no points.
    pub is_empty: bool,
    /// The dense vectors by name, the empty one for a vector without a name.
    pub vectors: BTreeMap<String, LiveVector>,
    /// The names of the sparse vectors, which cannot be declared.
    pub sparse_vectors: Vec<String>,
    /// Whether payloads stay on disk.
    pub on_disk_payload: bool,
    /// Links per point.
    pub m: Option<u64>,
    /// Candidates that are looked at while the graph is built.
    pub ef_construct: Option<u64>,
    /// Path to type.
    pub payload_indexes: BTreeMap<String, Option<IndexType>>,
}

/// A dense vector of a collection that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveVector {
    /// Its dimensions.
    pub size: u64,
    /// How two are compared.
    pub distance: Option<Distance>,
    /// Whether the vectors stay on disk.
    pub on_disk: bool,
}

impl Server {
    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked, or is too old for what can be declared.
    pub async fn live(&self) -> Result<Live, Error> {
        self.require_version().await?;
        let aliases = self.aliases().await?;
        let mut collections = BTreeMap::new();
        for name in self.names().await? {
            // A collection that was dropped since is not there.
            if let Some(info) = self.info(&name).await? {
                collections.insert(name, collection(info));
            }
        }
        Ok(Live { collections, aliases })
    }
}

#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
fn collection(info: CollectionInfo) -> LiveCollection {
    let is_empty = info.points_count() == 0;
    let payload_indexes = info.payload_schema.into_iter().map(|(path, schema)| {
        let index = index_type(schema.data_type());
        (path, index)
    });
    let payload_indexes = payload_indexes.collect();
    let config = info.config.unwrap_or_default();
    let hnsw = config.hnsw_config.unwrap_or_default();
    let params = config.params.unwrap_or_default();
    let payload_memory = params.payload.and_then(|payload| payload.memory);
    let mut sparse_vectors: Vec<_> = params.sparse_vectors_config.unwrap_or_default().map.into_keys().collect();
    sparse_vectors.sort();
    LiveCollection {
        is_empty,
        vectors: vectors(params.vectors_config),
        sparse_vectors,
        on_disk_payload: is_on_disk(payload_memory, Some(params.on_disk_payload)),
        m: hnsw.m,
        ef_construct: hnsw.ef_construct,
        payload_indexes,
    }
}

fn vectors(config: Option<VectorsConfig>) -> BTreeMap<String, LiveVector> {
    match config.and_then(|config| config.config) {
        None => BTreeMap::new(),
        Some(WireVectors::Params(params)) => BTreeMap::from([(String::new(), vector(&params))]),
        Some(WireVectors::ParamsMap(map)) => {
            map.map.into_iter().map(|(name, params)| (name, vector(&params))).collect()
        }
    }
}

#[expect(deprecated, reason = "servers before 1.19 know no other way to say where data is kept")]
fn vector(params: &VectorParams) -> LiveVector {
    let distance = match params.distance() {
        WireDistance::Cosine => Some(Distance::Cosine),
        WireDistance::Dot => Some(Distance::Dot),
        WireDistance::Euclid => Some(Distance::Euclid),
        WireDistance::Manhattan => Some(Distance::Manhattan),
        WireDistance::UnknownDistance => None,
    };
    LiveVector { size: params.size, distance, on_disk: is_on_disk(params.memory, params.on_disk) }
}

/// The newer setting overrides the older one where a server knows both.
fn is_on_disk(memory: Option<i32>, on_disk: Option<bool>) -> bool {
    match memory.map(Memory::try_from) {
        Some(Ok(Memory::Cold)) => true,
        Some(Ok(Memory::Cached | Memory::Pinned)) => false,
        _ => on_disk.unwrap_or(false),
    }
}

fn index_type(wire: PayloadSchemaType) -> Option<IndexType> {
    match wire {
        PayloadSchemaType::Keyword => Some(IndexType::Keyword),
        PayloadSchemaType::Integer => Some(IndexType::Integer),
        PayloadSchemaType::Float => Some(IndexType::Float),
        PayloadSchemaType::Bool => Some(IndexType::Bool),
        PayloadSchemaType::Datetime => Some(IndexType::Datetime),
        PayloadSchemaType::Uuid => Some(IndexType::Uuid),
        PayloadSchemaType::Text => Some(IndexType::Text),
        PayloadSchemaType::Geo => Some(IndexType::Geo),
        PayloadSchemaType::UnknownType => None,
    }
}
