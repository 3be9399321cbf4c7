//! The time that a check has.

use std::time::Duration;

use dbops_postgres::SqlError;
use dbops_postgres::deadpool_postgres::{Object, Pool};

use crate::{Finding, Status};

/// Runs a check, which becomes `unknown` when it takes too long.
pub(crate) async fn bounded(
    id: &'static str,
    target: &str,
    deadline: Duration,
    check: impl Future<Output = Finding>,
) -> Finding {
    tokio::time::timeout(deadline, check).await.unwrap_or_else(|_| too_late(id, target, deadline))
}

pub(crate) fn too_late(id: &'static str, target: &str, deadline: Duration) -> Finding {
    Finding::new(id, target, Status::Unknown, format!("no answer within {} s", deadline.as_secs_f64()))
        .remedy("see whether the server is overloaded, then try again")
}

/// Runs a check that queries the database, which becomes `unknown` when the query cannot be run.
pub(crate) async fn with_connection<F: Future<Output = Result<Finding, SqlError>>>(
    id: &'static str,
    target: &crate::PostgresTarget<'_>,
    pool: &Pool,
    check: impl FnOnce(Object) -> F,
) -> Finding {
    let unknown = |reason: String| {
        Finding::new(id, target.name, Status::Unknown, format!("the check could not be carried out: {reason}"))
    };
    let run = async {
        match pool.get().await {
            Ok(client) => check(client).await.unwrap_or_else(|error| unknown(error.to_string())),
            Err(error) => unknown(dbops_postgres::ConnectError::from_pool(target.url, &error).reason),
        }
    };
    bounded(id, target.name, target.deadline, run).await
}
