//! What the server tells about itself: of the metrics the memory alone, and issues, of which it looks for none.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::answer;
use crate::error::Result;
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new().route("/metrics", get(metrics)).route("/issues", get(issues))
}

async fn metrics() -> Response {
    match resident_bytes() {
        Ok(bytes) => format!("# TYPE memory_resident_bytes gauge\nmemory_resident_bytes {bytes}\n").into_response(),
        Err(error) => answer::refused(&error),
    }
}

async fn issues() -> Response {
    answer::answer::<Value>(Instant::now(), Ok(json!({ "issues": [] })))
}

/// `VmRSS` of this process: <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>.
fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let kib = kib.ok_or_else(|| std::io::Error::new(ErrorKind::InvalidData, "/proc/self/status has no VmRSS"))?;
    Ok(kib * 1024)
}
