//! Queries, and searches, their older form.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use qdrant_client::qdrant::Mmr;
use qdrant_client::qdrant::vector::Vector as VectorMessage;
use qdrant_client::qdrant::vector_input::Variant as Input;
use qdrant_edge::{
    Filter, Fusion, OrderBy, OrderByInterface, OrderValue, Payload, PointId, Sample, ScoredPoint, WithPayloadInterface,
    WithVector,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::SharedStore;
use super::answer::run;
use super::request::{Body, Parameters, filter, understood, whole, without};
use super::vectors::{INFERENCE, Output, Sparse, Vector};
use crate::convert::points;
use crate::error::{Error, Result};
use crate::query::{Query, Scoring, Stage, reciprocal_rank};
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/collections/{collection}/points/query", post(query))
        .route("/collections/{collection}/points/query/batch", post(query_batch))
        .route("/collections/{collection}/points/search", post(search))
        .route("/collections/{collection}/points/search/batch", post(search_batch))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryBody {
    prefetch: Option<Prefetches>,
    query: Option<Json>,
    using: Option<String>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    params: Option<Params>,
    score_threshold: Option<f32>,
    limit: Option<u64>,
    offset: Option<u64>,
    #[serde(default, deserialize_with = "whole")]
    with_vector: Option<WithVector>,
    #[serde(default, deserialize_with = "whole")]
    with_payload: Option<WithPayloadInterface>,
    lookup_from: Option<Json>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prefetch {
    prefetch: Option<Prefetches>,
    query: Option<Json>,
    using: Option<String>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    #[serde(rename = "params")]
    _params: Option<Params>,
    score_threshold: Option<f32>,
    limit: Option<u64>,
    lookup_from: Option<Json>,
}

/// One or several.
#[derive(Debug, Deserialize)]
#[serde(from = "Json")]
struct Prefetches(Json);

impl From<Json> for Prefetches {
    fn from(json: Json) -> Self {
        Self(json)
    }
}

/// Parameters that trade exactness for speed: see [`crate::query`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    #[serde(default, rename = "hnsw_ef")]
    _hnsw_ef: Option<u64>,
    #[serde(default, rename = "exact")]
    _exact: Option<bool>,
    #[serde(default, rename = "indexed_only")]
    _indexed_only: Option<bool>,
    #[serde(default, rename = "quantization")]
    _quantization: IgnoredAny,
    #[serde(default, rename = "acorn")]
    _acorn: IgnoredAny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SearchBody {
    vector: SearchVector,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    #[serde(rename = "params")]
    _params: Option<Params>,
    limit: u64,
    offset: Option<u64>,
    #[serde(default, deserialize_with = "whole")]
    with_vector: Option<WithVector>,
    #[serde(default, deserialize_with = "whole")]
    with_payload: Option<WithPayloadInterface>,
    score_threshold: Option<f32>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a vector, or {\"name\": …, \"vector\": …}")]
enum SearchVector {
    Dense(Vec<f32>),
    Named(NamedVector),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedVector {
    name: String,
    vector: NamedData,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a list of numbers, or {\"indices\": […], \"values\": […]}")]
enum NamedData {
    Dense(Vec<f32>),
    Sparse(Sparse),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<T> {
    searches: Vec<T>,
}

/// A point that a query found.
#[derive(Serialize)]
struct Hit {
    id: PointId,
    version: u64,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<Output>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_value: Option<OrderValue>,
}

impl From<ScoredPoint> for Hit {
    fn from(point: ScoredPoint) -> Self {
        Self {
            id: point.id,
            version: point.version,
            score: point.score,
            payload: point.payload,
            vector: point.vector.map(Into::into),
            order_value: point.order_value,
        }
    }
}

#[derive(Serialize)]
struct Hits {
    points: Vec<Hit>,
}

impl QueryBody {
    fn read(self) -> Result<Query> {
        without(self.shard_key.as_ref(), "shard keys")?;
        Ok(Query {
            stage: stage(Prefetch {
                prefetch: self.prefetch,
                query: self.query,
                using: self.using,
                filter: self.filter,
                _params: self.params,
                score_threshold: self.score_threshold,
                limit: self.limit,
                lookup_from: self.lookup_from,
            })?,
            offset: self.offset.unwrap_or(0),
            with_payload: self.with_payload.unwrap_or(WithPayloadInterface::Bool(false)),
            with_vector: self.with_vector.unwrap_or(WithVector::Bool(false)),
        })
    }
}

impl SearchBody {
    fn read(self) -> Result<Query> {
        without(self.shard_key.as_ref(), "shard keys")?;
        let (using, vector) = match self.vector {
            SearchVector::Dense(data) => (String::new(), Vector::Dense(data)),
            SearchVector::Named(NamedVector { name, vector: NamedData::Dense(data) }) => (name, Vector::Dense(data)),
            SearchVector::Named(NamedVector { name, vector: NamedData::Sparse(data) }) => (name, Vector::Sparse(data)),
        };
        Ok(Query {
            stage: Stage {
                prefetch: Vec::new(),
                scoring: Some(Scoring::Nearest(input(vector)?, None)),
                using,
                filter: self.filter,
                score_threshold: self.score_threshold,
                limit: Some(self.limit),
            },
            offset: self.offset.unwrap_or(0),
            with_payload: self.with_payload.unwrap_or(WithPayloadInterface::Bool(false)),
            with_vector: self.with_vector.unwrap_or(WithVector::Bool(false)),
        })
    }
}

fn stage(request: Prefetch) -> Result<Stage> {
    without(request.lookup_from.as_ref(), "vectors from another collection")?;
    let prefetch = match request.prefetch.map(|prefetches| prefetches.0) {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(several)) => {
            several.into_iter().map(|one| stage(part("prefetch", one)?)).collect::<Result<_>>()?
        }
        Some(one) => vec![stage(part("prefetch", one)?)?],
    };
    Ok(Stage {
        prefetch,
        scoring: request.query.filter(|query| !query.is_null()).map(scoring).transpose()?,
        using: request.using.unwrap_or_default(),
        filter: request.filter,
        score_threshold: request.score_threshold,
        limit: request.limit,
    })
}

/// A part of the body that is read once it is known what it has to be.
fn part<T: DeserializeOwned>(name: &str, json: Json) -> Result<T> {
    serde_json::from_value(json).map_err(|error| Error::invalid(format!("Format error in JSON body: {name}: {error}")))
}

/// What the query is by: a vector, a point, or an object with the name of its kind.
fn scoring(query: Json) -> Result<Scoring> {
    let Some(kind) = query.as_object().and_then(kind) else {
        return Ok(Scoring::Nearest(vector(query)?, None));
    };
    match kind {
        "nearest" => nearest(query),
        "fusion" => fusion(query),
        "rrf" => rrf(query),
        "order_by" => order_by(query),
        "sample" => sample(query),
        "recommend" => Err(Error::Unsupported("recommendation queries")),
        "discover" => Err(Error::Unsupported("discovery queries")),
        "context" => Err(Error::Unsupported("context queries")),
        "formula" => Err(Error::Unsupported("formula queries")),
        _ => Err(Error::Unsupported("relevance feedback queries")),
    }
}

fn kind(query: &serde_json::Map<String, Json>) -> Option<&'static str> {
    const KINDS: [&str; 10] = [
        "nearest",
        "fusion",
        "rrf",
        "order_by",
        "sample",
        "recommend",
        "discover",
        "context",
        "formula",
        "relevance_feedback",
    ];
    KINDS.into_iter().find(|kind| query.contains_key(*kind))
}

/// A vector, or the id of the point whose vector it is.
fn vector(json: Json) -> Result<Input> {
    match json {
        Json::Number(_) | Json::String(_) => Ok(Input::Id(points::id_from_engine(part("query", json)?))),
        json => input(part("query", json)?),
    }
}

fn input(vector: Vector) -> Result<Input> {
    match vector.message()? {
        VectorMessage::Dense(vector) => Ok(Input::Dense(vector)),
        VectorMessage::Sparse(vector) => Ok(Input::Sparse(vector)),
        VectorMessage::MultiDense(vectors) => Ok(Input::MultiDense(vectors)),
        VectorMessage::Document(_) | VectorMessage::Image(_) | VectorMessage::Object(_) => Err(INFERENCE),
    }
}

fn nearest(query: Json) -> Result<Scoring> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nearest {
        nearest: Json,
        mmr: Option<Diversity>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Diversity {
        diversity: Option<f32>,
        candidates_limit: Option<u32>,
    }
    let Nearest { nearest, mmr } = part("query", query)?;
    let mmr = mmr.map(|mmr| Mmr { diversity: mmr.diversity, candidates_limit: mmr.candidates_limit });
    Ok(Scoring::Nearest(vector(nearest)?, mmr))
}

fn fusion(query: Json) -> Result<Scoring> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct FusionQuery {
        fusion: Kind,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Rrf,
        Dbsf,
    }
    let FusionQuery { fusion } = part("query", query)?;
    Ok(Scoring::Fusion(match fusion {
        Kind::Rrf => reciprocal_rank(None, Vec::new())?,
        Kind::Dbsf => Fusion::Dbsf,
    }))
}

fn rrf(query: Json) -> Result<Scoring> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct RrfQuery {
        rrf: Rrf,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rrf {
        k: Option<usize>,
        weights: Option<Vec<f32>>,
    }
    let RrfQuery { rrf } = part("query", query)?;
    Ok(Scoring::Fusion(reciprocal_rank(rrf.k, rrf.weights.unwrap_or_default())?))
}

fn order_by(query: Json) -> Result<Scoring> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OrderByQuery {
        order_by: Json,
    }
    let OrderByQuery { order_by } = part("query", query)?;
    let order: OrderByInterface = understood(order_by)
        .map_err(|error| Error::invalid(format!("Format error in JSON body: order_by: {error}")))?;
    Ok(Scoring::OrderBy(OrderBy::from(order)))
}

fn sample(query: Json) -> Result<Scoring> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SampleQuery {
        sample: Kind,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Random,
    }
    let SampleQuery { sample: Kind::Random } = part("query", query)?;
    Ok(Scoring::Sample(Sample::Random))
}

fn found(store: &Store, collection: &str, query: Query) -> Result<Vec<Hit>> {
    Ok(store.collection(collection)?.query(query)?.into_iter().map(Hit::from).collect())
}

async fn query(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        let points = found(store, &collection, body.parse::<QueryBody>()?.read()?)?;
        Ok(Hits { points })
    })
    .await
}

async fn query_batch(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        let Batch::<QueryBody> { searches } = body.parse()?;
        let found = searches.into_iter().map(|query| Ok(Hits { points: found(store, &collection, query.read()?)? }));
        found.collect::<Result<Vec<_>>>()
    })
    .await
}

async fn search(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| found(store, &collection, body.parse::<SearchBody>()?.read()?)).await
}

async fn search_batch(
    State(store): SharedStore,
    Path(collection): Path<String>,
    _: Parameters,
    body: Body,
) -> Response {
    run(&store, move |store| {
        let Batch::<SearchBody> { searches } = body.parse()?;
        searches.into_iter().map(|search| found(store, &collection, search.read()?)).collect::<Result<Vec<_>>>()
    })
    .await
}
