//! The configuration of a collection in JSON, in both directions: the fields have the names of the messages' fields.

#![expect(deprecated, reason = "Qdrant 1.20 deprecates `on_disk` for `memory`, which Qdrant 1.18 does not know")]

use std::collections::{BTreeMap, HashMap};

use qdrant_client::qdrant::max_optimization_threads::{Setting, Variant as Threads};
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CollectionParamsDiff, Datatype, Distance, HnswConfigDiff, MaxOptimizationThreads, Modifier, MultiVectorComparator,
    MultiVectorConfig, OptimizersConfigDiff, SparseIndexConfig, SparseVectorConfig, SparseVectorParams,
    StrictModeConfig, StrictModeMultivector, StrictModeMultivectorConfig, StrictModeSparse, StrictModeSparseConfig,
    VectorParams, VectorParamsDiff, VectorParamsMap, VectorsConfig, WalConfigDiff,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::quantization::{Quantization, QuantizationDiff};

/// A JSON object and the message with the same optional fields.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident = $message:ty { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            $(#[serde(skip_serializing_if = "Option::is_none")] $field: Option<$type>,)*
        }

        impl From<$name> for $message {
            fn from(json: $name) -> Self {
                let mut message = Self::default();
                $(message.$field = json.$field.map(Into::into);)*
                message
            }
        }

        impl From<$message> for $name {
            fn from(message: $message) -> Self {
                Self { $($field: message.$field.map(Into::into),)* }
            }
        }
    };
}

/// Words, and the numbers that stand for them in messages.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = $message:ident { $($word:literal $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, serde::Deserialize, serde::Serialize)]
        pub(super) enum $name { $(#[serde(rename = $word)] $variant,)* }

        impl From<$name> for i32 {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => $message::$variant as Self,)* }
            }
        }

        impl TryFrom<i32> for $name {
            type Error = ();

            fn try_from(number: i32) -> std::result::Result<Self, ()> {
                match $message::try_from(number) {
                    $(Ok($message::$variant) => Ok(Self::$variant),)*
                    #[expect(clippy::allow_attributes, reason = "only some of the enumerations have further values")]
                    #[allow(unreachable_patterns)]
                    Ok(_) | Err(_) => Err(()),
                }
            }
        }
    };
}
pub(super) use words;

mirror! {
    /// The graph.
    Hnsw = HnswConfigDiff {
        m: u64, ef_construct: u64, full_scan_threshold: u64, max_indexing_threads: u64, on_disk: bool, payload_m: u64,
        inline_storage: bool,
    }
}

mirror! {
    /// The write-ahead log.
    Wal = WalConfigDiff { wal_capacity_mb: u64, wal_segments_ahead: u64, wal_retain_closed: u64 }
}

mirror! {
    /// The optimizers.
    Optimizers = OptimizersConfigDiff {
        deleted_threshold: f64, vacuum_min_vector_number: u64, default_segment_number: u64, max_segment_size: u64,
        memmap_threshold: u64, indexing_threshold: u64, flush_interval_sec: u64,
        max_optimization_threads: ThreadCount, prevent_unoptimized: bool,
    }
}

mirror! {
    /// What can be changed of a collection as a whole.
    Params = CollectionParamsDiff {
        replication_factor: u32, write_consistency_factor: u32, read_fan_out_factor: u32, read_fan_out_delay_ms: u64,
        on_disk_payload: bool,
    }
}

/// What can be changed of a vector.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VectorDiff {
    hnsw_config: Option<Hnsw>,
    quantization_config: Option<QuantizationDiff>,
    on_disk: Option<bool>,
}

impl From<VectorDiff> for VectorParamsDiff {
    fn from(json: VectorDiff) -> Self {
        Self {
            hnsw_config: json.hnsw_config.map(Into::into),
            quantization_config: json.quantization_config.map(Into::into),
            on_disk: json.on_disk,
            ..Self::default()
        }
    }
}

mirror! {
    /// Limits to requests.
    StrictMode = StrictModeConfig {
        enabled: bool, max_query_limit: u32, max_timeout: u32, unindexed_filtering_retrieve: bool,
        unindexed_filtering_update: bool, search_max_hnsw_ef: u32, search_allow_exact: bool,
        search_max_oversampling: f32, upsert_max_batchsize: u64, search_max_batchsize: u64,
        max_collection_vector_size_bytes: u64, read_rate_limit: u32, write_rate_limit: u32,
        max_collection_payload_size_bytes: u64, filter_max_conditions: u64, condition_max_size: u64,
        multivector_config: StrictMultivectors, sparse_config: StrictSparse, max_points_count: u64,
        max_payload_index_count: u64, max_resident_memory_percent: u32,
    }
}

mirror! {
    /// Limits to a multi-vector.
    StrictMultivector = StrictModeMultivector { max_vectors: u64 }
}

mirror! {
    /// Limits to a sparse vector.
    StrictSparseVector = StrictModeSparse { max_length: u64 }
}

/// Limits to multi-vectors by name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct StrictMultivectors(BTreeMap<String, StrictMultivector>);

impl From<StrictMultivectors> for StrictModeMultivectorConfig {
    fn from(json: StrictMultivectors) -> Self {
        Self { multivector_config: json.0.into_iter().map(|(name, limits)| (name, limits.into())).collect() }
    }
}

impl From<StrictModeMultivectorConfig> for StrictMultivectors {
    fn from(message: StrictModeMultivectorConfig) -> Self {
        Self(message.multivector_config.into_iter().map(|(name, limits)| (name, limits.into())).collect())
    }
}

/// Limits to sparse vectors by name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct StrictSparse(BTreeMap<String, StrictSparseVector>);

impl From<StrictSparse> for StrictModeSparseConfig {
    fn from(json: StrictSparse) -> Self {
        Self { sparse_config: json.0.into_iter().map(|(name, limits)| (name, limits.into())).collect() }
    }
}

impl From<StrictModeSparseConfig> for StrictSparse {
    fn from(message: StrictModeSparseConfig) -> Self {
        Self(message.sparse_config.into_iter().map(|(name, limits)| (name, limits.into())).collect())
    }
}

/// A number of threads, or the server's choice.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a number of threads or \"auto\"")]
pub(super) enum ThreadCount {
    Number(u64),
    Auto(Auto),
}

/// The server's choice.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum Auto {
    #[serde(rename = "auto")]
    Auto,
}

impl From<ThreadCount> for MaxOptimizationThreads {
    fn from(json: ThreadCount) -> Self {
        let variant = match json {
            ThreadCount::Number(number) => Threads::Value(number),
            ThreadCount::Auto(Auto::Auto) => Threads::Setting(Setting::Auto as i32),
        };
        Self { variant: Some(variant) }
    }
}

impl From<MaxOptimizationThreads> for ThreadCount {
    fn from(message: MaxOptimizationThreads) -> Self {
        match message.variant {
            Some(Threads::Value(number)) => Self::Number(number),
            Some(Threads::Setting(_)) | None => Self::Auto(Auto::Auto),
        }
    }
}

impl Optimizers {
    /// As a collection's description has it, where the server's choice is no number at all.
    pub(super) fn described(mut self) -> Self {
        self.max_optimization_threads = self.max_optimization_threads.filter(|t| matches!(t, ThreadCount::Number(_)));
        self
    }
}

words! {
    /// How vectors are compared.
    DistanceWord = Distance { "Cosine" Cosine, "Euclid" Euclid, "Dot" Dot, "Manhattan" Manhattan }
}

words! {
    /// How numbers are kept.
    DatatypeWord = Datatype { "float32" Float32, "float16" Float16, "uint8" Uint8 }
}

words! {
    /// How sparse vectors are weighted.
    ModifierWord = Modifier { "none" None, "idf" Idf }
}

words! {
    /// How multi-vectors are compared.
    ComparatorWord = MultiVectorComparator { "max_sim" MaxSim }
}

/// A dense vector.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DenseVector {
    size: u64,
    distance: DistanceWord,
    #[serde(skip_serializing_if = "Option::is_none")]
    hnsw_config: Option<Hnsw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantization_config: Option<Quantization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_disk: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datatype: Option<DatatypeWord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multivector_config: Option<Multivector>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Multivector {
    comparator: ComparatorWord,
}

impl From<Multivector> for MultiVectorConfig {
    fn from(json: Multivector) -> Self {
        Self { comparator: json.comparator.into() }
    }
}

impl From<DenseVector> for VectorParams {
    fn from(json: DenseVector) -> Self {
        Self {
            size: json.size,
            distance: json.distance.into(),
            hnsw_config: json.hnsw_config.map(Into::into),
            quantization_config: json.quantization_config.map(Into::into),
            on_disk: json.on_disk,
            datatype: json.datatype.map(Into::into),
            multivector_config: json.multivector_config.map(Into::into),
            ..Self::default()
        }
    }
}

impl From<VectorParams> for DenseVector {
    fn from(message: VectorParams) -> Self {
        Self {
            size: message.size,
            // A collection without a known distance is never made.
            distance: message.distance.try_into().unwrap_or(DistanceWord::Cosine),
            hnsw_config: message.hnsw_config.map(Into::into),
            quantization_config: message.quantization_config.and_then(Quantization::of),
            on_disk: message.on_disk,
            datatype: message.datatype.and_then(|number| number.try_into().ok()),
            multivector_config: message.multivector_config.map(|_| Multivector { comparator: ComparatorWord::MaxSim }),
        }
    }
}

/// The dense vectors: one without a name, or several with.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Vectors {
    One(Box<DenseVector>),
    Named(BTreeMap<String, DenseVector>),
}

impl<'de> Deserialize<'de> for Vectors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        // A vector may be called `size`, but is an object.
        let read = if json.get("size").is_some_and(|size| !size.is_object()) {
            serde_json::from_value(json).map(Self::One)
        } else {
            serde_json::from_value(json).map(Self::Named)
        };
        read.map_err(|error| D::Error::custom(format!("vectors: {error}")))
    }
}

impl From<Vectors> for VectorsConfig {
    fn from(json: Vectors) -> Self {
        let config = match json {
            Vectors::One(vector) => Config::Params((*vector).into()),
            Vectors::Named(map) => Config::ParamsMap(VectorParamsMap {
                map: map.into_iter().map(|(name, vector)| (name, vector.into())).collect(),
            }),
        };
        Self { config: Some(config) }
    }
}

impl Vectors {
    /// What a collection has; `None` if it has no dense vectors.
    pub(super) fn of(message: VectorsConfig) -> Option<Self> {
        match message.config? {
            Config::Params(vector) => Some(Self::One(Box::new(vector.into()))),
            Config::ParamsMap(map) => (!map.map.is_empty())
                .then(|| Self::Named(map.map.into_iter().map(|(name, vector)| (name, vector.into())).collect())),
        }
    }
}

/// A sparse vector.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SparseVector {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<SparseIndex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modifier: Option<ModifierWord>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SparseIndex {
    #[serde(skip_serializing_if = "Option::is_none")]
    full_scan_threshold: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_disk: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datatype: Option<DatatypeWord>,
}

impl From<SparseVector> for SparseVectorParams {
    fn from(json: SparseVector) -> Self {
        let index = json.index.map(|index| SparseIndexConfig {
            full_scan_threshold: index.full_scan_threshold,
            on_disk: index.on_disk,
            datatype: index.datatype.map(Into::into),
            ..SparseIndexConfig::default()
        });
        Self { index, modifier: json.modifier.map(Into::into) }
    }
}

impl From<SparseVectorParams> for SparseVector {
    fn from(message: SparseVectorParams) -> Self {
        let index = message.index.map(|index| SparseIndex {
            full_scan_threshold: index.full_scan_threshold,
            on_disk: index.on_disk,
            datatype: index.datatype.and_then(|number| number.try_into().ok()),
        });
        Self { index, modifier: message.modifier.and_then(|number| number.try_into().ok()) }
    }
}

/// The sparse vectors by name.
pub(super) fn sparse_vectors(json: HashMap<String, SparseVector>) -> SparseVectorConfig {
    SparseVectorConfig { map: json.into_iter().map(|(name, vector)| (name, vector.into())).collect() }
}
