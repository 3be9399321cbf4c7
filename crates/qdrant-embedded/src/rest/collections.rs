//! Collections: made, listed, described, changed, deleted.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use qdrant_client::qdrant::vectors_config_diff::Config as ConfigDiff;
use qdrant_client::qdrant::{
    CreateCollection, ShardingMethod, UpdateCollection, VectorParamsDiffMap, VectorsConfigDiff,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::SharedStore;
use super::answer::run;
use super::config::{self, Hnsw, Optimizers, Params, SparseVector, StrictMode, VectorDiff, Vectors, Wal};
use super::info::description;
use super::quantization::{Quantization, QuantizationDiff};
use super::request::{Body, Parameters};
use crate::convert::{config as conversion, payload};
use crate::error::{Error, Result};
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/collections", get(list))
        .route("/collections/{collection}", get(describe).put(create).patch(update).delete(delete))
        .route("/collections/{collection}/exists", get(exists))
}

/// A new collection.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    vectors: Option<Vectors>,
    sparse_vectors: Option<HashMap<String, SparseVector>>,
    shard_number: Option<u32>,
    sharding_method: Option<String>,
    replication_factor: Option<u32>,
    write_consistency_factor: Option<u32>,
    on_disk_payload: Option<bool>,
    hnsw_config: Option<Hnsw>,
    wal_config: Option<Wal>,
    optimizers_config: Option<Optimizers>,
    quantization_config: Option<Quantization>,
    strict_mode_config: Option<StrictMode>,
    metadata: Option<Map<String, Json>>,
}

/// Changes to a collection. What is absent stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Update {
    vectors: Option<HashMap<String, VectorDiff>>,
    sparse_vectors: Option<HashMap<String, SparseVector>>,
    params: Option<Params>,
    hnsw_config: Option<Hnsw>,
    optimizers_config: Option<Optimizers>,
    quantization_config: Option<QuantizationDiff>,
    strict_mode_config: Option<StrictMode>,
    metadata: Option<Map<String, Json>>,
}

#[expect(deprecated, reason = "Qdrant 1.20 deprecates `on_disk` for `memory`, which Qdrant 1.18 does not know")]
fn creation(create: Create) -> Result<CreateCollection> {
    let sharding_method = match create.sharding_method.as_deref() {
        None => None,
        Some("auto") => Some(ShardingMethod::Auto as i32),
        Some("custom") => Some(ShardingMethod::Custom as i32),
        Some(word) => return Err(Error::invalid(format!("the sharding method {word} is unknown"))),
    };
    Ok(CreateCollection {
        vectors_config: create.vectors.map(Into::into),
        sparse_vectors_config: create.sparse_vectors.map(config::sparse_vectors),
        shard_number: create.shard_number,
        sharding_method,
        replication_factor: create.replication_factor,
        write_consistency_factor: create.write_consistency_factor,
        on_disk_payload: create.on_disk_payload,
        hnsw_config: create.hnsw_config.map(Into::into),
        wal_config: create.wal_config.map(Into::into),
        optimizers_config: create.optimizers_config.map(Into::into),
        quantization_config: create.quantization_config.map(Into::into),
        strict_mode_config: create.strict_mode_config.map(Into::into),
        metadata: payload::of_json(create.metadata.unwrap_or_default())?,
        ..CreateCollection::default()
    })
}

fn change(update: Update) -> Result<UpdateCollection> {
    let vectors = update.vectors.map(|vectors| {
        let map = vectors.into_iter().map(|(name, diff)| (name, diff.into())).collect();
        VectorsConfigDiff { config: Some(ConfigDiff::ParamsMap(VectorParamsDiffMap { map })) }
    });
    Ok(UpdateCollection {
        vectors_config: vectors,
        sparse_vectors_config: update.sparse_vectors.map(config::sparse_vectors),
        params: update.params.map(Into::into),
        hnsw_config: update.hnsw_config.map(Into::into),
        optimizers_config: update.optimizers_config.map(Into::into),
        quantization_config: update.quantization_config.map(Into::into),
        strict_mode_config: update.strict_mode_config.map(Into::into),
        metadata: payload::of_json(update.metadata.unwrap_or_default())?,
        ..UpdateCollection::default()
    })
}

async fn list(State(store): SharedStore) -> Response {
    run(&store, |store| {
        let collections: Vec<Json> = store.list()?.into_iter().map(|name| json!({ "name": name })).collect();
        Ok(json!({ "collections": collections }))
    })
    .await
}

async fn describe(State(store): SharedStore, Path(collection): Path<String>) -> Response {
    run(&store, move |store| description(store.collection(&collection)?.info()?)).await
}

async fn exists(State(store): SharedStore, Path(collection): Path<String>) -> Response {
    run(&store, move |store| Ok(json!({ "exists": store.exists(&collection)? }))).await
}

async fn create(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        store.create(&collection, conversion::of_new(creation(body.parse()?)?)?)?;
        Ok(true)
    })
    .await
}

async fn update(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        let update = change(body.parse()?)?;
        store.collection(&collection)?.reconfigure(|present| conversion::updated(present, update))?;
        Ok(true)
    })
    .await
}

async fn delete(State(store): SharedStore, Path(collection): Path<String>, _: Parameters) -> Response {
    run(&store, move |store| store.delete(&collection)).await
}
