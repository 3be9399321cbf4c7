//! Qdrant's REST interface: JSON to the same calls that gRPC makes, and their results to JSON.
//!
//! A field or value that is not known is refused, lest it be passed over and the answer be another than was asked for.

mod aliases;
mod answer;
mod collections;
mod config;
mod form;
mod index;
mod info;
mod monitoring;
mod points;
mod quantization;
mod query;
mod read;
mod request;
mod snapshots;
mod vector_names;
mod vectors;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::error::Error;
use crate::key::ApiKey;
use crate::store::Store;
use crate::{TITLE, VERSION};

type SharedStore = State<Arc<Store>>;

/// `/`, `/healthz`, `/livez` and `/readyz` need no API key, as in Qdrant; everything else does.
pub(crate) fn router(store: Arc<Store>, key: ApiKey) -> Router {
    let guarded = Router::new()
        .merge(aliases::router())
        .merge(collections::router())
        .merge(index::router())
        .merge(monitoring::router())
        .merge(points::router())
        .merge(query::router())
        .merge(read::router())
        .merge(snapshots::router())
        .merge(vector_names::router())
        .with_state(store)
        .fallback(unsupported)
        .method_not_allowed_fallback(unsupported)
        .layer(middleware::from_fn_with_state(key, guard));
    Router::new()
        .route("/", get(version))
        .route("/healthz", get(async || "healthz check passed"))
        .route("/livez", get(async || "livez check passed"))
        // The server listens only once all data is loaded.
        .route("/readyz", get(async || "all shards are ready"))
        .merge(guarded)
}

async fn unsupported() -> Response {
    answer::refused(&Error::Unsupported("this part of the REST interface"))
}

async fn version() -> Json<Value> {
    Json(json!({ "title": TITLE, "version": VERSION }))
}

async fn guard(State(key): State<ApiKey>, request: Request, next: Next) -> Response {
    let checked = key.check(|name| request.headers().get(name).and_then(|value| value.to_str().ok()));
    match checked {
        Ok(()) => next.run(request).await,
        Err(refusal) => (StatusCode::UNAUTHORIZED, refusal).into_response(),
    }
}
