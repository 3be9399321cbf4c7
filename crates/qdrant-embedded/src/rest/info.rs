//! What is told about a collection.

#![expect(deprecated, reason = "Qdrant 1.20 deprecates `on_disk` for `memory`, which Qdrant 1.18 does not know")]

use std::collections::BTreeMap;

use qdrant_client::qdrant::{CollectionConfig, CollectionInfo, CollectionParams, PayloadSchemaInfo, ShardingMethod};
use qdrant_edge::Payload;
use serde::Serialize;
use serde_json::Value as Json;

use super::config::{Hnsw, Optimizers, SparseVector, StrictMode, Vectors, Wal};
use super::quantization::Quantization;
use crate::convert::{index, payload};
use crate::error::Result;

/// A collection.
#[derive(Serialize)]
pub(super) struct Description {
    /// The server is never anything else: see the README.
    status: &'static str,
    optimizer_status: &'static str,
    indexed_vectors_count: Option<u64>,
    points_count: Option<u64>,
    segments_count: u64,
    config: Config,
    payload_schema: BTreeMap<String, Index>,
}

#[derive(Serialize)]
struct Config {
    params: Params,
    hnsw_config: Hnsw,
    optimizer_config: Optimizers,
    wal_config: Wal,
    quantization_config: Option<Quantization>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict_mode_config: Option<StrictMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Payload>,
}

#[derive(Serialize)]
struct Params {
    #[serde(skip_serializing_if = "Option::is_none")]
    vectors: Option<Vectors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sparse_vectors: Option<BTreeMap<String, SparseVector>>,
    shard_number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    sharding_method: Option<&'static str>,
    replication_factor: Option<u32>,
    write_consistency_factor: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_fan_out_factor: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_fan_out_delay_ms: Option<u64>,
    on_disk_payload: bool,
}

#[derive(Serialize)]
struct Index {
    data_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Json>,
    points: u64,
}

/// The description of a collection.
pub(super) fn description(info: CollectionInfo) -> Result<Description> {
    let payload_schema = info.payload_schema.into_iter().map(|(field, info)| Ok((field, described(&info)?)));
    Ok(Description {
        status: "green",
        optimizer_status: "ok",
        indexed_vectors_count: info.indexed_vectors_count,
        points_count: info.points_count,
        segments_count: info.segments_count,
        config: config(info.config.unwrap_or_default())?,
        payload_schema: payload_schema.collect::<Result<_>>()?,
    })
}

fn config(config: CollectionConfig) -> Result<Config> {
    Ok(Config {
        params: params(config.params.unwrap_or_default()),
        hnsw_config: config.hnsw_config.unwrap_or_default().into(),
        optimizer_config: Optimizers::from(config.optimizer_config.unwrap_or_default()).described(),
        wal_config: config.wal_config.unwrap_or_default().into(),
        quantization_config: config.quantization_config.and_then(Quantization::of),
        strict_mode_config: config.strict_mode_config.map(Into::into),
        metadata: (!config.metadata.is_empty()).then(|| payload::to_engine(config.metadata)).transpose()?,
    })
}

fn params(params: CollectionParams) -> Params {
    let sparse = params.sparse_vectors_config.filter(|sparse| !sparse.map.is_empty());
    Params {
        vectors: params.vectors_config.and_then(Vectors::of),
        sparse_vectors: sparse
            .map(|sparse| sparse.map.into_iter().map(|(name, vector)| (name, vector.into())).collect()),
        shard_number: params.shard_number,
        sharding_method: params.sharding_method.map(|number| match ShardingMethod::try_from(number) {
            Ok(ShardingMethod::Custom) => "custom",
            Ok(ShardingMethod::Auto) | Err(_) => "auto",
        }),
        replication_factor: params.replication_factor,
        write_consistency_factor: params.write_consistency_factor,
        read_fan_out_factor: params.read_fan_out_factor,
        read_fan_out_delay_ms: params.read_fan_out_delay_ms,
        on_disk_payload: params.on_disk_payload,
    }
}

fn described(info: &PayloadSchemaInfo) -> Result<Index> {
    let params = info.params.as_ref().and_then(|params| params.index_params.as_ref());
    Ok(Index {
        data_type: index::type_name(info.data_type)?,
        params: params.map(|params| index::params_json(params).map(without_nulls)).transpose()?,
        points: info.points.unwrap_or(0),
    })
}

fn without_nulls(json: Json) -> Json {
    match json {
        Json::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        json => json,
    }
}
