//! The nodes of a server by their addresses: which of them is asked, and another one once it does not answer.
//!
//! A node of a Qdrant cluster passes on what it is asked, so that any of them will do.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use qdrant_client::qdrant::HealthCheckRequest;
use qdrant_client::qdrant::qdrant_client::QdrantClient;
use tokio::sync::Mutex;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, StdError, http};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, ClientTlsConfig};

use crate::error::innermost;
use crate::http::Http;
use crate::server::{ApiKey, parse_url};
use crate::{Error, ServerOptions};

/// How long a node may take to answer when there are others to be asked.
const PATIENCE: Duration = Duration::from_secs(3);

/// One address.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    channel: Channel,
    key: ApiKey,
    /// `host:port` of gRPC.
    pub(crate) address: String,
    pub(crate) http: Http,
}

impl Node {
    pub(crate) fn new(options: &ServerOptions, key: ApiKey) -> Result<Self, Error> {
        let (scheme, host) = parse_url(&options.url)?;
        let address = format!("{host}:{}", options.grpc_port);
        let wrong = |reason: &str| Error::Address { url: options.url.clone(), reason: reason.into() };
        let endpoint = Channel::from_shared(format!("{scheme}://{address}")).map_err(|_| wrong("it is not a URL"))?;
        let mut endpoint = endpoint.connect_timeout(options.timeout).http2_keep_alive_interval(options.timeout);
        if scheme == "https" {
            endpoint = endpoint
                .tls_config(ClientTlsConfig::new().with_native_roots())
                .map_err(|error| Error::Tls { address: address.clone(), reason: innermost(&error) })?;
        }
        let http = Http::new(options, &address)?;
        Ok(Self { channel: endpoint.connect_lazy(), key, address, http })
    }

    /// Its version, which is told without a key.
    pub(crate) async fn version(&self, patience: Duration) -> Result<String, Error> {
        let doing = "ask for the version";
        let mut client = QdrantClient::new(InterceptedService::new(self.channel.clone(), self.key.clone()));
        let answer = tokio::time::timeout(patience, client.health_check(HealthCheckRequest {})).await;
        let answer = answer.map_err(|_| Error::Deadline {
            address: self.address.clone(),
            doing: doing.into(),
            seconds: patience.as_secs_f64(),
        })?;
        let answer = answer.map_err(|status| Error::from_status(&self.address, self.key.is_some(), doing, &status))?;
        Ok(answer.into_inner().version)
    }
}

/// All of them; the first that answers is asked, until it does not answer any more.
#[derive(Debug)]
pub(crate) struct Nodes {
    pub(crate) all: Vec<Node>,
    /// How long a node may take to answer.
    patience: Duration,
    chosen: AtomicUsize,
    /// Whether the chosen one has to answer a question before it is asked for anything else.
    is_doubtful: AtomicBool,
    /// One at a time looks for another.
    choosing: Mutex<()>,
}

impl Nodes {
    /// `all` holds at least one.
    pub(crate) fn new(all: Vec<Node>, timeout: Duration) -> Self {
        let is_doubtful = AtomicBool::new(all.len() > 1);
        let patience = timeout.min(PATIENCE);
        Self { all, patience, chosen: AtomicUsize::new(0), is_doubtful, choosing: Mutex::new(()) }
    }

    /// The one that was asked last.
    pub(crate) fn chosen(&self) -> &Node {
        &self.all[self.chosen.load(Ordering::SeqCst)]
    }

    /// The chosen one did not answer: the next call looks whether it does, and for another if not.
    pub(crate) fn doubt(&self) {
        self.is_doubtful.store(self.all.len() > 1, Ordering::SeqCst);
    }

    /// The one to ask. A single node is asked as it is: the call itself tells whether it answers.
    pub(crate) async fn choose(&self) -> Result<&Node, NobodyAnswers> {
        if !self.is_doubtful.load(Ordering::SeqCst) {
            return Ok(self.chosen());
        }
        let _alone = self.choosing.lock().await;
        if !self.is_doubtful.load(Ordering::SeqCst) {
            return Ok(self.chosen());
        }
        let first = self.chosen.load(Ordering::SeqCst);
        let mut tried = Vec::new();
        for step in 0..self.all.len() {
            let index = (first + step) % self.all.len();
            let node = &self.all[index];
            match node.version(self.patience).await {
                Err(error) if error.is_absence() => {
                    // Who has no time to wait for all of them goes on with the next one.
                    self.chosen.store((index + 1) % self.all.len(), Ordering::SeqCst);
                    tried.push((node.address.clone(), error.reason()));
                }
                // Whatever else is wrong, the call itself will say.
                _ => {
                    self.chosen.store(index, Ordering::SeqCst);
                    self.is_doubtful.store(false, Ordering::SeqCst);
                    return Ok(node);
                }
            }
        }
        Err(NobodyAnswers { tried })
    }
}

/// The nodes that were tried, each with what went wrong.
#[derive(Debug, Clone)]
pub(crate) struct NobodyAnswers {
    pub(crate) tried: Vec<(String, String)>,
}

impl fmt::Display for NobodyAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no node answers")
    }
}

impl std::error::Error for NobodyAnswers {}

/// What calls are made on: each goes to the node that is chosen when it is made.
#[derive(Clone)]
pub(crate) struct Route(pub(crate) Arc<Nodes>);

impl Service<http::Request<Body>> for Route {
    type Response = http::Response<Body>;
    type Error = StdError;
    type Future = BoxFuture<Self::Response, StdError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let nodes = Arc::clone(&self.0);
        Box::pin(async move {
            let mut channel = nodes.choose().await?.channel.clone();
            let answer = match poll_fn(|context| channel.poll_ready(context)).await {
                Ok(()) => channel.call(request).await,
                Err(error) => Err(error),
            };
            answer.map_err(|error| {
                nodes.doubt();
                error.into()
            })
        })
    }
}
