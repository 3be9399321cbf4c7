//! Qdrant's gRPC services. The methods only unpack requests and pack answers.

mod collections;
mod health;
mod points;
mod snapshots;

use std::sync::Arc;
use std::time::Instant;

use tonic::{Response, Status};

use crate::error::Result;
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
        let store = Arc::clone(&self.store);
        let result = tokio::task::spawn_blocking(move || work(&store))
            .await
            .map_err(|_| Status::internal("the engine failed on this request: see the server's error output"))??;
        Ok(Response::new(response(result, start.elapsed().as_secs_f64())))
    }
}

/// The answer to what this server does not do.
fn unimplemented<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not implemented by the embedded server"))
}
