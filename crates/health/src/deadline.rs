//! The time that a check has.

use std::time::{Duration, Instant};

use crate::{Finding, Status};

/// Runs a check, which becomes `unknown` when it takes too long.
pub(crate) async fn bounded(
    id: &'static str,
    target: &str,
    deadline: Duration,
    check: impl Future<Output = Finding>,
) -> Finding {
    let start = Instant::now();
    let finding = tokio::time::timeout(deadline, check).await.unwrap_or_else(|_| too_late(id, target, deadline));
    Finding { seconds: start.elapsed().as_secs_f64(), ..finding }
}

pub(crate) fn too_late(id: &'static str, target: &str, deadline: Duration) -> Finding {
    Finding::new(id, target, Status::Unknown, format!("no answer within {} s", deadline.as_secs_f64()))
        .remedy("see whether the server is overloaded, then try again")
}
