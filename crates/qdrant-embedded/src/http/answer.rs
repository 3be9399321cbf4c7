//! The form of Qdrant's answers: `{"result": …, "status": "ok", "time": …}`.

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};

/// The answer to a request that began at `start`.
pub(super) fn answer<T: Serialize>(start: Instant, result: Result<T>) -> Response {
    match result {
        Ok(result) => {
            Json(json!({ "result": result, "status": "ok", "time": start.elapsed().as_secs_f64() })).into_response()
        }
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
    (code, Json(json!({ "status": { "error": error.to_string() }, "time": 0.0 }))).into_response()
}
