//! Qdrant's gRPC services. The methods only unpack requests and pack answers.

mod collections;
mod health;
mod points;
mod snapshots;

use std::sync::Arc;
use std::time::Instant;

use tonic::{Response, Status};

use crate::error::{Error, Result};
use crate::store::Store;

/// All the services, on one store.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    store: Arc<Store>,
}

impl Service {
    /// The services on `store`.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Runs `work`, which may block on the disk and on locks, and makes its answer a response that says how long it
    /// took, in seconds.
    async fn answer<T, R>(
        &self,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
        response: impl FnOnce(T, f64) -> R,
    ) -> Result<Response<R>, Status>
    where
        T: Send + 'static,
    {
        let start = Instant::now();
        let result = in_background(&self.store, work).await?;
        Ok(Response::new(response(result, start.elapsed().as_secs_f64())))
    }
}

/// Runs `work`, which may block, where that keeps nobody waiting. It runs to its end even if nobody waits for it.
pub(crate) async fn in_background<T: Send + 'static>(
    store: &Arc<Store>,
    work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
) -> Result<T> {
    let store = Arc::clone(store);
    let failed = |_| Error::Internal("the engine failed on this request: see the server's error output".into());
    tokio::task::spawn_blocking(move || work(&store)).await.map_err(failed)?
}

/// The answer to what this server does not do.
fn unimplemented<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not implemented by the embedded server"))
}
