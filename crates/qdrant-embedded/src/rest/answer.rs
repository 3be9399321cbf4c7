//! The form of Qdrant's answers: `{"result": …, "status": "ok", "time": …}`.

use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::service::in_background;
use crate::store::Store;

/// Not through a JSON value, which would write numbers of 32 bits with the digits of 64.
#[derive(Serialize)]
struct Answer<T> {
    result: T,
    status: &'static str,
    time: f64,
}

/// The answer of `work`, which may block on the disk and on locks.
pub(super) async fn run<T: Serialize + Send + 'static>(
    store: &Arc<Store>,
    work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
) -> Response {
    let start = Instant::now();
    answer(start, in_background(store, work).await)
}

/// The answer to a request that began at `start`.
pub(super) fn answer<T: Serialize>(start: Instant, result: Result<T>) -> Response {
    match result {
        Ok(result) => Json(Answer { result, status: "ok", time: start.elapsed().as_secs_f64() }).into_response(),
        Err(error) => refused(&error),
    }
}

/// The answer to a request that is not done.
pub(super) fn refused(error: &Error) -> Response {
    let code = match error {
        Error::NotFound(_) => StatusCode::NOT_FOUND,
        Error::AlreadyExists(_) => StatusCode::CONFLICT,
        Error::Invalid(_) => StatusCode::BAD_REQUEST,
        Error::Unsupported(_) => StatusCode::NOT_IMPLEMENTED,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    error_response(code, &error.to_string())
}

/// An error in Qdrant's form.
pub(super) fn error_response(code: StatusCode, message: &str) -> Response {
    (code, Json(json!({ "result": null, "status": { "error": message }, "time": 0.0 }))).into_response()
}
