//! The little of Qdrant's HTTP interface that start scripts and health checks use.

use axum::Router;
use axum::response::Json;
use axum::routing::get;
use serde_json::{Value, json};

use crate::{TITLE, VERSION};

/// `/`, `/healthz`, `/livez` and `/readyz`. As in Qdrant, they need no API key.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(version))
        .route("/healthz", get(async || "healthz check passed"))
        .route("/livez", get(async || "livez check passed"))
        // The server listens only once all data is loaded.
        .route("/readyz", get(async || "all shards are ready"))
}

async fn version() -> Json<Value> {
    Json(json!({ "title": TITLE, "version": VERSION }))
}
