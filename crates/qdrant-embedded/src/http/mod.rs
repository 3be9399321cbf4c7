//! The part of Qdrant's HTTP interface that start scripts and health checks use, and snapshots, whose files pass only
//! here.

mod answer;
mod form;
mod snapshots;

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

/// `/`, `/healthz`, `/livez` and `/readyz` need no API key, as in Qdrant; everything else does.
pub(crate) fn router(store: Arc<Store>, key: ApiKey) -> Router {
    let guarded = snapshots::router(store)
        .fallback(async || answer::refused(&Error::Unsupported("this part of the REST interface")))
        .layer(middleware::from_fn_with_state(key, guard));
    Router::new()
        .route("/", get(version))
        .route("/healthz", get(async || "healthz check passed"))
        .route("/livez", get(async || "livez check passed"))
        // The server listens only once all data is loaded.
        .route("/readyz", get(async || "all shards are ready"))
        .merge(guarded)
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
