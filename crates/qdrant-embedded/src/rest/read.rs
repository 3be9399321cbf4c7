//! Points by id, pages, counts and facets.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use qdrant_edge::{
    FacetRequest, FacetValueHit, Filter, OrderByInterface, OrderValue, Payload, PointId, Record, ScrollRequest,
    ValueVariants, WithPayloadInterface, WithVector,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::SharedStore;
use super::answer::run;
use super::request::{Body, Parameters, filter, whole, without};
use super::vectors::Output;
use crate::convert::payload;
use crate::error::{Error, Result};
use crate::read::DEFAULT_LIMIT;
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/collections/{collection}/points/{id}", get(one))
        .route("/collections/{collection}/points/scroll", post(scroll))
        .route("/collections/{collection}/points/count", post(count))
        .route("/collections/{collection}/facet", post(facet))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Retrieve {
    ids: Vec<PointId>,
    #[serde(default, deserialize_with = "whole")]
    with_payload: Option<WithPayloadInterface>,
    #[serde(default, deserialize_with = "whole")]
    with_vector: Option<WithVector>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scroll {
    offset: Option<PointId>,
    limit: Option<usize>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    #[serde(default, deserialize_with = "whole")]
    with_payload: Option<WithPayloadInterface>,
    #[serde(default, deserialize_with = "whole")]
    with_vector: Option<WithVector>,
    #[serde(default, deserialize_with = "whole")]
    order_by: Option<OrderByInterface>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    /// The number is exact in any case.
    #[serde(rename = "exact")]
    _exact: Option<bool>,
    shard_key: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facet {
    key: String,
    limit: Option<usize>,
    #[serde(default, deserialize_with = "filter")]
    filter: Option<Filter>,
    exact: Option<bool>,
    shard_key: Option<Json>,
}

/// A point that was asked for.
#[derive(Serialize)]
struct Point {
    id: PointId,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<Output>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_value: Option<OrderValue>,
}

impl From<Record> for Point {
    fn from(record: Record) -> Self {
        Self {
            id: record.id,
            payload: record.payload,
            vector: record.vector.map(Into::into),
            order_value: record.order_value,
        }
    }
}

#[derive(Serialize)]
struct Page {
    points: Vec<Point>,
    next_page_offset: Option<PointId>,
}

/// Points by id; those that do not exist are left out.
pub(super) async fn retrieve(
    State(store): SharedStore,
    Path(collection): Path<String>,
    _: Parameters,
    body: Body,
) -> Response {
    run(&store, move |store| {
        let Retrieve { ids, with_payload, with_vector, shard_key } = body.parse()?;
        without(shard_key.as_ref(), "shard keys")?;
        let with_payload = with_payload.unwrap_or(WithPayloadInterface::Bool(true));
        let records =
            store.collection(&collection)?.get(&ids, with_payload, with_vector.unwrap_or(WithVector::Bool(false)))?;
        Ok(records.into_iter().map(Point::from).collect::<Vec<_>>())
    })
    .await
}

async fn one(State(store): SharedStore, Path((collection, id)): Path<(String, String)>, _: Parameters) -> Response {
    run(&store, move |store| {
        let found = store.collection(&collection)?.get(
            &[id_of(&id)?],
            WithPayloadInterface::Bool(true),
            WithVector::Bool(true),
        )?;
        let point = found.into_iter().next().map(Point::from);
        point.ok_or_else(|| Error::NotFound(format!("Point with id {id} does not exists!")))
    })
    .await
}

/// The number or UUID that a path ends with.
fn id_of(text: &str) -> Result<PointId> {
    let json = text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number));
    serde_json::from_value(json).map_err(|error| Error::invalid(error.to_string()))
}

async fn scroll(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        let request: Scroll = body.parse()?;
        without(request.shard_key.as_ref(), "shard keys")?;
        let (records, next_page_offset) = store.collection(&collection)?.scroll(ScrollRequest {
            offset: request.offset,
            limit: request.limit,
            filter: request.filter,
            with_payload: Some(request.with_payload.unwrap_or(WithPayloadInterface::Bool(true))),
            with_vector: request.with_vector.unwrap_or(WithVector::Bool(false)),
            order_by: request.order_by,
        })?;
        Ok(Page { points: records.into_iter().map(Point::from).collect(), next_page_offset })
    })
    .await
}

async fn count(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        let request: Count = body.parse()?;
        without(request.shard_key.as_ref(), "shard keys")?;
        Ok(json!({ "count": store.collection(&collection)?.count(request.filter)? }))
    })
    .await
}

async fn facet(State(store): SharedStore, Path(collection): Path<String>, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        let request: Facet = body.parse()?;
        without(request.shard_key.as_ref(), "shard keys")?;
        let hits = store.collection(&collection)?.facet(FacetRequest {
            key: payload::path(&request.key)?,
            limit: request.limit.unwrap_or(DEFAULT_LIMIT),
            filter: request.filter,
            exact: request.exact.unwrap_or(false),
        })?;
        let hits: Vec<Json> = hits
            .into_iter()
            .map(|FacetValueHit { value, count }| json!({ "value": ValueVariants::from(value), "count": count }))
            .collect();
        Ok(json!({ "hits": hits }))
    })
    .await
}
