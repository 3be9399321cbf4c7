//! The configuration of a collection: what clients set and read, and the part that the engine acts on.
//!
//! The server keeps the whole configuration and returns it as it was given. It acts on what decides results (sizes,
//! distances, data types, sparse modifiers) and on what is on disk. It never builds HNSW graphs or quantized copies:
//! it compares every vector, so those settings could only make the same answers come faster.

#![expect(deprecated, reason = "Qdrant 1.20 deprecates `on_disk` for `memory`, which Qdrant 1.18 does not know")]

use std::collections::HashMap;

use prost::Message;
use qdrant_client::qdrant::create_vector_name_request::VectorConfig;
use qdrant_client::qdrant::quantization_config_diff::Quantization as QuantizationDiff;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::vectors_config_diff::Config as ConfigDiff;
use qdrant_client::qdrant::{
    CollectionConfig, CollectionParams, CreateCollection, Datatype, DenseVectorCreationConfig, Distance,
    HnswConfigDiff, Modifier, OptimizersConfigDiff, QuantizationConfig, QuantizationConfigDiff, ShardingMethod,
    SparseIndexConfig, SparseVectorCreationConfig, SparseVectorParams, StrictModeConfig, UpdateCollection,
    VectorParams, VectorParamsDiff, VectorParamsMap, VectorsConfigDiff, WalConfigDiff,
    quantization_config::Quantization,
};
use qdrant_edge::{
    DEFAULT_VECTOR_NAME, Distance as EngineDistance, EdgeConfig, EdgeSparseVectorParams, EdgeVectorParams,
    Modifier as EngineModifier, MultiVectorComparator, MultiVectorConfig, VectorStorageDatatype, WalOptions,
};

use crate::convert::vectors::{Kind, Layout};
use crate::error::{Error, Result};

/// The largest vector that Qdrant takes.
const MAX_SIZE: u64 = 65_536;

/// The engine's log is never read (see [`crate::journal`]): keep its pre-allocated files small.
const WAL_SEGMENT_BYTES: usize = 1024 * 1024;

/// The configuration of a new collection, with Qdrant's defaults where the request says nothing.
pub(crate) fn of_new(request: CreateCollection) -> Result<CollectionConfig> {
    if request.sharding_method == Some(ShardingMethod::Custom as i32) {
        return Err(Error::Unsupported("custom sharding"));
    }
    check_strict_mode(request.strict_mode_config.as_ref())?;
    for (name, number) in [
        ("shard_number", request.shard_number),
        ("replication_factor", request.replication_factor),
        ("write_consistency_factor", request.write_consistency_factor),
    ] {
        if number == Some(0) {
            return Err(Error::invalid(format!("`{name}` cannot be 0")));
        }
    }
    let config = CollectionConfig {
        params: Some(CollectionParams {
            shard_number: request.shard_number.unwrap_or(1),
            on_disk_payload: request.on_disk_payload.unwrap_or(true),
            vectors_config: request.vectors_config,
            replication_factor: Some(request.replication_factor.unwrap_or(1)),
            write_consistency_factor: Some(request.write_consistency_factor.unwrap_or(1)),
            read_fan_out_factor: None,
            sharding_method: request.sharding_method,
            sparse_vectors_config: request.sparse_vectors_config,
            read_fan_out_delay_ms: None,
            payload: request.payload,
            id_tracker: request.id_tracker,
        }),
        hnsw_config: Some(merged(default_hnsw(), request.hnsw_config.as_ref())?),
        optimizer_config: Some(merged(default_optimizers(), request.optimizers_config.as_ref())?),
        wal_config: Some(merged(default_wal(), request.wal_config.as_ref())?),
        quantization_config: request.quantization_config,
        strict_mode_config: request.strict_mode_config,
        metadata: request.metadata,
    };
    to_engine(&config)?;
    Ok(config)
}

/// `config` after an update. As in Qdrant, what the request does not mention stays.
pub(crate) fn updated(mut config: CollectionConfig, request: UpdateCollection) -> Result<CollectionConfig> {
    check_strict_mode(request.strict_mode_config.as_ref())?;
    config.hnsw_config = Some(merged(config.hnsw_config.unwrap_or_default(), request.hnsw_config.as_ref())?);
    config.optimizer_config =
        Some(merged(config.optimizer_config.unwrap_or_default(), request.optimizers_config.as_ref())?);
    if let Some(strict) = request.strict_mode_config {
        let mut there = config.strict_mode_config.unwrap_or_default();
        // The limits of all vectors are replaced together.
        there.multivector_config = there.multivector_config.filter(|_| strict.multivector_config.is_none());
        there.sparse_config = there.sparse_config.filter(|_| strict.sparse_config.is_none());
        config.strict_mode_config = Some(merged(there, Some(&strict))?);
    }
    if let Some(diff) = request.quantization_config {
        config.quantization_config = quantization(diff);
    }
    for (key, value) in request.metadata {
        config.metadata.insert(key, value);
    }

    let mut params = config.params.unwrap_or_default();
    if let Some(diff) = request.params {
        params.replication_factor = diff.replication_factor.or(params.replication_factor);
        params.write_consistency_factor = diff.write_consistency_factor.or(params.write_consistency_factor);
        params.on_disk_payload = diff.on_disk_payload.unwrap_or(params.on_disk_payload);
        params.read_fan_out_factor = diff.read_fan_out_factor.or(params.read_fan_out_factor);
        params.read_fan_out_delay_ms = diff.read_fan_out_delay_ms.or(params.read_fan_out_delay_ms);
        params.payload = diff.payload.or(params.payload);
        params.id_tracker = diff.id_tracker.or(params.id_tracker);
    }
    if let Some(diff) = request.vectors_config {
        update_vectors(&mut params, diff)?;
    }
    if let Some(sparse) = request.sparse_vectors_config {
        let present = params.sparse_vectors_config.get_or_insert_default();
        for (name, diff) in sparse.map {
            let vector = present.map.get_mut(&name).ok_or_else(|| unknown_vector(&name))?;
            if diff.modifier.is_some() && diff.modifier != vector.modifier {
                return Err(Error::Unsupported("changing the modifier of a sparse vector"));
            }
            *vector = merged(*vector, Some(&diff))?;
        }
    }
    config.params = Some(params);
    Ok(config)
}

/// `config` with one more vector. One that is there already stays as it is, if it is the same.
pub(crate) fn with_vector(
    mut config: CollectionConfig,
    name: &str,
    vector: Option<VectorConfig>,
) -> Result<CollectionConfig> {
    if name.is_empty() {
        return Err(Error::invalid("a new vector needs a name"));
    }
    let params = config.params.get_or_insert_default();
    let fits = match vector {
        None => return Err(Error::invalid("a new vector needs a size and a distance, or to be sparse")),
        Some(VectorConfig::DenseConfig(new)) => add_dense(params, name, new)?,
        Some(VectorConfig::SparseConfig(new)) => add_sparse(params, name, new),
    };
    let is_twice =
        dense(params).iter().any(|(other, _)| *other == name) && sparse(params).any(|(other, _)| other == name);
    if !fits || is_twice {
        return Err(Error::invalid(format!("there is another vector called `{name}`")));
    }
    to_engine(&config)?;
    Ok(config)
}

/// Whether the vector is now as it is asked for.
fn add_dense(params: &mut CollectionParams, name: &str, new: DenseVectorCreationConfig) -> Result<bool> {
    let DenseVectorCreationConfig { size, distance, multivector_config, datatype } = new;
    let present = params.vectors_config.get_or_insert_default();
    let present = present.config.get_or_insert_with(|| Config::ParamsMap(VectorParamsMap::default()));
    let Config::ParamsMap(present) = present else {
        return Err(Error::invalid("a collection whose vector has no name takes none with a name"));
    };
    let vector = VectorParams { size, distance, multivector_config, datatype, ..VectorParams::default() };
    let there = present.map.entry(name.to_owned()).or_insert(vector);
    let is_same = (there.size, there.distance, there.multivector_config, there.datatype)
        == (size, distance, multivector_config, datatype);
    Ok(is_same)
}

/// The same for a sparse vector.
fn add_sparse(params: &mut CollectionParams, name: &str, new: SparseVectorCreationConfig) -> bool {
    let SparseVectorCreationConfig { modifier, datatype } = new;
    let index = datatype.map(|datatype| SparseIndexConfig { datatype: Some(datatype), ..SparseIndexConfig::default() });
    let present = params.sparse_vectors_config.get_or_insert_default();
    let there = present.map.entry(name.to_owned()).or_insert(SparseVectorParams { modifier, index });
    there.modifier == modifier && there.index.and_then(|index| index.datatype) == datatype
}

/// The part of a configuration that the engine acts on.
pub(crate) fn to_engine(config: &CollectionConfig) -> Result<EdgeConfig> {
    let mut engine = EdgeConfig {
        wal_options: Some(WalOptions { segment_capacity: WAL_SEGMENT_BYTES, ..WalOptions::default() }),
        ..EdgeConfig::default()
    };
    let Some(params) = &config.params else {
        return Ok(engine);
    };
    engine.on_disk_payload = params.on_disk_payload;
    for (name, vector) in dense(params) {
        engine.vectors.insert(name.to_owned(), dense_to_engine(name, vector)?);
    }
    for (name, vector) in sparse(params) {
        if engine.vectors.contains_key(name) {
            return Err(Error::invalid(format!("Dense and sparse vectors cannot both be called `{name}`")));
        }
        engine.sparse_vectors.insert(name.to_owned(), sparse_to_engine(vector)?);
    }
    Ok(engine)
}

/// The vectors of a collection, to check requests against.
pub(crate) fn layout(engine: &EdgeConfig) -> Layout {
    let dense = engine.vectors.iter().map(|(name, vector)| {
        let kind = match vector.multivector_config {
            None => Kind::Dense(vector.size),
            Some(_) => Kind::Multi(vector.size),
        };
        (name.clone(), kind)
    });
    let sparse = engine.sparse_vectors.keys().map(|name| (name.clone(), Kind::Sparse));
    dense.chain(sparse).collect()
}

fn dense(params: &CollectionParams) -> Vec<(&str, &VectorParams)> {
    match params.vectors_config.as_ref().and_then(|config| config.config.as_ref()) {
        None => Vec::new(),
        Some(Config::Params(params)) => vec![(DEFAULT_VECTOR_NAME, params)],
        Some(Config::ParamsMap(map)) => map.map.iter().map(|(name, params)| (name.as_str(), params)).collect(),
    }
}

fn sparse(params: &CollectionParams) -> impl Iterator<Item = (&str, &SparseVectorParams)> {
    let map = params.sparse_vectors_config.iter().flat_map(|config| &config.map);
    map.map(|(name, params)| (name.as_str(), params))
}

fn dense_to_engine(name: &str, params: &VectorParams) -> Result<EdgeVectorParams> {
    if !(1..=MAX_SIZE).contains(&params.size) {
        return Err(Error::invalid(format!(
            "the vector `{name}` has size {}: it must be between 1 and {MAX_SIZE}",
            params.size
        )));
    }
    let distance = match Distance::try_from(params.distance) {
        Ok(Distance::Cosine) => EngineDistance::Cosine,
        Ok(Distance::Euclid) => EngineDistance::Euclid,
        Ok(Distance::Dot) => EngineDistance::Dot,
        Ok(Distance::Manhattan) => EngineDistance::Manhattan,
        Ok(Distance::UnknownDistance) | Err(_) => {
            return Err(Error::invalid(format!("the vector `{name}` has no known distance")));
        }
    };
    let multivector_config =
        params.multivector_config.as_ref().map(|_| MultiVectorConfig { comparator: MultiVectorComparator::MaxSim });
    Ok(EdgeVectorParams {
        size: usize::try_from(params.size).map_err(|error| Error::invalid(error.to_string()))?,
        distance,
        on_disk: params.on_disk,
        multivector_config,
        datatype: datatype(params.datatype)?,
        quantization_config: None,
        hnsw_config: None,
    })
}

fn sparse_to_engine(params: &SparseVectorParams) -> Result<EdgeSparseVectorParams> {
    let modifier = match params.modifier.map(Modifier::try_from) {
        None | Some(Ok(Modifier::None)) => None,
        Some(Ok(Modifier::Idf)) => Some(EngineModifier::Idf),
        Some(Err(_)) => return Err(Error::invalid("a sparse vector has an unknown modifier")),
    };
    Ok(EdgeSparseVectorParams {
        full_scan_threshold: None,
        on_disk: params.index.as_ref().and_then(|index| index.on_disk),
        modifier,
        datatype: datatype(params.index.as_ref().and_then(|index| index.datatype))?,
    })
}

fn datatype(datatype: Option<i32>) -> Result<Option<VectorStorageDatatype>> {
    Ok(match datatype.map(Datatype::try_from) {
        None | Some(Ok(Datatype::Default)) => None,
        Some(Ok(Datatype::Float32)) => Some(VectorStorageDatatype::Float32),
        Some(Ok(Datatype::Float16)) => Some(VectorStorageDatatype::Float16),
        Some(Ok(Datatype::Uint8)) => Some(VectorStorageDatatype::Uint8),
        Some(Ok(Datatype::Turbo4 | Datatype::Turbo8 | Datatype::Turbo16)) => {
            return Err(Error::Unsupported("turbo data types"));
        }
        Some(Err(_)) => return Err(Error::invalid("a vector has an unknown data type")),
    })
}

fn update_vectors(params: &mut CollectionParams, diff: VectorsConfigDiff) -> Result<()> {
    let diffs: HashMap<String, VectorParamsDiff> = match diff.config {
        None => HashMap::new(),
        Some(ConfigDiff::Params(diff)) => HashMap::from([(DEFAULT_VECTOR_NAME.to_owned(), diff)]),
        Some(ConfigDiff::ParamsMap(map)) => map.map,
    };
    for (name, diff) in diffs {
        let vector = match params.vectors_config.as_mut().and_then(|config| config.config.as_mut()) {
            Some(Config::Params(params)) if name == DEFAULT_VECTOR_NAME => params,
            Some(Config::ParamsMap(map)) => map.map.get_mut(&name).ok_or_else(|| unknown_vector(&name))?,
            _ => return Err(unknown_vector(&name)),
        };
        if let Some(hnsw) = &diff.hnsw_config {
            vector.hnsw_config = Some(merged(vector.hnsw_config.unwrap_or_default(), Some(hnsw))?);
        }
        if let Some(quantized) = diff.quantization_config {
            vector.quantization_config = quantization(quantized);
        }
        vector.on_disk = diff.on_disk.or(vector.on_disk);
        vector.memory = diff.memory.or(vector.memory);
    }
    Ok(())
}

fn unknown_vector(name: &str) -> Error {
    Error::invalid(format!("Not existing vector name error: {name}"))
}

fn quantization(diff: QuantizationConfigDiff) -> Option<QuantizationConfig> {
    let quantization = match diff.quantization? {
        QuantizationDiff::Scalar(scalar) => Quantization::Scalar(scalar),
        QuantizationDiff::Product(product) => Quantization::Product(product),
        QuantizationDiff::Binary(binary) => Quantization::Binary(binary),
        QuantizationDiff::Turboquant(turbo) => Quantization::Turboquant(turbo),
        QuantizationDiff::Disabled(_) => return None,
    };
    Some(QuantizationConfig { quantization: Some(quantization) })
}

/// Strict mode makes Qdrant refuse requests: a server that only recorded it would accept what production refuses.
fn check_strict_mode(config: Option<&StrictModeConfig>) -> Result<()> {
    match config {
        Some(config) if config.enabled == Some(true) => Err(Error::Unsupported("strict mode")),
        _ => Ok(()),
    }
}

/// `base` with the fields that `diff` sets: what merging means for protocol buffers.
fn merged<T: Message>(mut base: T, diff: Option<&T>) -> Result<T> {
    if let Some(diff) = diff {
        base.merge(diff.encode_to_vec().as_slice()).map_err(|error| Error::Internal(error.to_string()))?;
    }
    Ok(base)
}

fn default_hnsw() -> HnswConfigDiff {
    HnswConfigDiff {
        m: Some(16),
        ef_construct: Some(100),
        full_scan_threshold: Some(10_000),
        max_indexing_threads: Some(0),
        on_disk: Some(false),
        ..HnswConfigDiff::default()
    }
}

fn default_optimizers() -> OptimizersConfigDiff {
    OptimizersConfigDiff {
        deleted_threshold: Some(0.2),
        vacuum_min_vector_number: Some(1000),
        default_segment_number: Some(0),
        indexing_threshold: Some(10_000),
        flush_interval_sec: Some(5),
        ..OptimizersConfigDiff::default()
    }
}

fn default_wal() -> WalConfigDiff {
    WalConfigDiff { wal_capacity_mb: Some(32), wal_segments_ahead: Some(0), wal_retain_closed: Some(1) }
}
