//! The two listeners, who may use them, and their orderly end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use qdrant_client::qdrant::snapshots_server::SnapshotsServer;
use tokio::net::{TcpListener, lookup_host};
use tokio::sync::watch;
use tonic::codec::CompressionEncoding;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::key::ApiKey;
use crate::rest;
use crate::service::Service;
use crate::store::Store;

/// The largest request.
const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;

/// How many requests of one connection are worked on at a time.
const MAX_REQUESTS: usize = 32;

/// How long open requests may take to end once the server is told to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// One of the generated servers, with our limits, behind the API key. They share no trait that has these settings.
macro_rules! guarded {
    ($server:ident, $service:expr, $key:expr) => {
        InterceptedService::new(
            $server::from_arc(Arc::clone(&$service))
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Gzip)
                .max_decoding_message_size(MAX_REQUEST_BYTES),
            $key.clone(),
        )
    };
}

/// Both ports, taken.
#[derive(Debug)]
pub(crate) struct Listeners {
    http: TcpListener,
    grpc: TcpListener,
}

impl Listeners {
    /// Takes both ports; 0 is any free one.
    pub(crate) async fn bind(host: &str, http_port: u16, grpc_port: u16) -> Result<Self> {
        Ok(Self {
            http: bind(host, http_port, "HTTP", "--http-port").await?,
            grpc: bind(host, grpc_port, "gRPC", "--grpc-port").await?,
        })
    }

    /// Where HTTP and gRPC are served.
    pub(crate) fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.http.local_addr()?, self.grpc.local_addr()?))
    }

    /// Serves `store` until `stop` says so, then waits a little for open requests.
    pub(crate) async fn serve(
        self,
        store: Arc<Store>,
        api_keys: Vec<String>,
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        let (stopping, stopped) = watch::channel(false);
        let service = Arc::new(Service::new(Arc::clone(&store)));
        let key = ApiKey::new(api_keys);
        let grpc = Server::builder()
            .concurrency_limit_per_connection(MAX_REQUESTS)
            .add_service(guarded!(QdrantServer, service, key))
            .add_service(guarded!(CollectionsServer, service, key))
            .add_service(guarded!(PointsServer, service, key))
            .add_service(guarded!(SnapshotsServer, service, key))
            .serve_with_incoming_shutdown(TcpIncoming::from(self.grpc).with_nodelay(Some(true)), wait(stopped.clone()));
        let http = axum::serve(self.http, rest::router(store, key)).with_graceful_shutdown(wait(stopped));
        let both = async {
            tokio::try_join!(async { grpc.await.context("the gRPC listener failed") }, async {
                http.await.context("the HTTP listener failed")
            },)
        };
        tokio::pin!(both);
        tokio::select! {
            ended = &mut both => {
                ended?;
                bail!("the listeners ended by themselves");
            }
            () = stop => {}
        }
        stopping.send_replace(true);
        // A client that keeps a request open must not keep the server from writing its data.
        if let Ok(ended) = tokio::time::timeout(PATIENCE, both).await {
            ended?;
        }
        Ok(())
    }
}

async fn bind(host: &str, port: u16, what: &str, option: &str) -> Result<TcpListener> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port))
        .await
        .with_context(|| format!("cannot find the address of the host `{host}`"))?
        .collect();
    match TcpListener::bind(addresses.as_slice()).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => bail!(
            "port {port} on {host} ({what}) is taken by another program: stop it, or choose another port with {option}"
        ),
        Err(error) => Err(error).with_context(|| format!("cannot listen on port {port} of {host} ({what})")),
    }
}

async fn wait(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server.
    stopped.wait_for(|stopped| *stopped).await.ok();
}
