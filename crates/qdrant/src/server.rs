//! A Qdrant server over gRPC, each call with a deadline; [`crate::http`] is for what only HTTP can do.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use qdrant_client::qdrant::collections_client::CollectionsClient;
use qdrant_client::qdrant::points_client::PointsClient;
use qdrant_client::qdrant::snapshots_client::SnapshotsClient;
use qdrant_client::qdrant::{CollectionInfo, GetCollectionInfoRequest, ListAliasesRequest, ListCollectionsRequest};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Uri;
use tonic::{Code, Request, Response, Status};

use crate::Error;
use crate::http::Http;
use crate::node::{NobodyAnswers, Node, Nodes, Route};

/// The first version with payload indexes of type uuid.
const MINIMUM: (u32, u32) = (1, 11);

/// Where a server is and how to talk to it.
#[derive(Clone)]
pub struct ServerOptions {
    /// Its HTTP address, `http://host:port` or `https://host:port`. Scheme and host hold for gRPC too.
    pub url: String,
    /// The port of its gRPC interface.
    pub grpc_port: u16,
    /// The key that it asks for.
    pub api_key: Option<String>,
    /// How long connecting, or an answer, may take. A change that the server works on may take longer, as long as the
    /// server answers otherwise.
    pub timeout: Duration,
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("url", &self.url)
            .field("grpc_port", &self.grpc_port)
            .field("api_key", &self.api_key.as_ref().map(|_| "***"))
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// A server. The connection is made by the first call, and again when it was lost.
///
/// It may have several addresses, each of a node of the same cluster. Calls go to the first that answers, and to the next
/// one once that does not answer any more.
pub struct Server {
    nodes: Arc<Nodes>,
    key: ApiKey,
    pub(crate) timeout: Duration,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Adds the key to each call.
#[derive(Clone)]
pub(crate) struct ApiKey(Option<MetadataValue<Ascii>>);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl ApiKey {
    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl Interceptor for ApiKey {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("api-key", key.clone());
        }
        Ok(request)
    }
}

type Connection = InterceptedService<Route, ApiKey>;

impl Server {
    /// Prepares the connection, without making it. Has to be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Address`], [`Error::ApiKey`] and [`Error::Tls`], when the options cannot be used.
    pub fn new(options: &ServerOptions) -> Result<Self, Error> {
        Self::first_of(options, &[])
    }

    /// As [`new`](Self::new), with further addresses of the same server, in the order in which they are tried. The key and
    /// the timeout are the first one's.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn first_of(first: &ServerOptions, others: &[ServerOptions]) -> Result<Self, Error> {
        let key = ApiKey(first.api_key.as_deref().map(api_key).transpose()?);
        let nodes = std::iter::once(first).chain(others).map(|options| Node::new(options, key.clone()));
        let nodes = Nodes::new(nodes.collect::<Result<_, _>>()?, first.timeout);
        Ok(Self { nodes: Arc::new(nodes), key, timeout: first.timeout })
    }

    /// The server by the one of its addresses that answers now, and no other: what is begun on one node, such as a
    /// snapshot, has to be ended there.
    ///
    /// # Errors
    ///
    /// [`Error::NobodyAnswers`], where there are several.
    pub async fn by_one_node(&self) -> Result<Self, Error> {
        let node = self.choose().await?.clone();
        Ok(Self { nodes: Arc::new(Nodes::new(vec![node], self.timeout)), key: self.key.clone(), timeout: self.timeout })
    }

    /// `host:port` of gRPC of the node that is asked.
    pub(crate) fn address(&self) -> String {
        self.nodes.chosen().address.clone()
    }

    /// The addresses of all nodes, in an order that does not depend on how they were named.
    pub(crate) fn addresses(&self) -> String {
        let mut all: Vec<_> = self.nodes.all.iter().map(|node| node.address.as_str()).collect();
        all.sort_unstable();
        all.join(",")
    }

    /// The HTTP interface of the node that is asked.
    pub(crate) async fn http(&self) -> Result<&Http, Error> {
        Ok(&self.choose().await?.http)
    }

    async fn choose(&self) -> Result<&Node, Error> {
        self.nodes.choose().await.map_err(|NobodyAnswers { tried }| Error::NobodyAnswers { tried })
    }

    /// The server's version, such as `1.18.2`. Needs no key.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn version(&self) -> Result<String, Error> {
        self.choose().await?.version(self.timeout).await
    }

    /// Major and minor version, as far as it is known. Refuses a server that is too old to be compared with.
    pub(crate) async fn require_version(&self) -> Result<Option<(u32, u32)>, Error> {
        let version = self.version().await?;
        let known = parse_version(&version);
        if known.is_some_and(|known| known < MINIMUM) {
            return Err(Error::TooOld {
                address: self.address(),
                doing: "compare the collections".into(),
                reason: format!("it is {version}, and {}.{} is the oldest that will do", MINIMUM.0, MINIMUM.1),
            });
        }
        Ok(known)
    }

    /// The names of the collections, sorted.
    pub(crate) async fn names(&self) -> Result<Vec<String>, Error> {
        let answer = self.ask("list the collections", self.collections_api().list(ListCollectionsRequest {})).await?;
        let mut names: Vec<_> = answer.collections.into_iter().map(|collection| collection.name).collect();
        names.sort();
        Ok(names)
    }

    /// Alias to collection.
    pub(crate) async fn aliases(&self) -> Result<BTreeMap<String, String>, Error> {
        let answer = self.ask("list the aliases", self.collections_api().list_aliases(ListAliasesRequest {})).await?;
        Ok(answer.aliases.into_iter().map(|alias| (alias.alias_name, alias.collection_name)).collect())
    }

    /// What the server tells about a collection; `None` when there is none of that name.
    pub(crate) async fn info(&self, name: &str) -> Result<Option<CollectionInfo>, Error> {
        let doing = format!("describe the collection {name}");
        let mut client = self.collections_api();
        let call = client.get(GetCollectionInfoRequest { collection_name: name.into() });
        match self.bounded(&doing, call).await? {
            Ok(answer) => Ok(answer.into_inner().result),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(self.error(&doing, &status)),
        }
    }

    pub(crate) fn collections_api(&self) -> CollectionsClient<Connection> {
        // Collections may be as many as they like.
        CollectionsClient::new(self.connection()).max_decoding_message_size(usize::MAX)
    }

    pub(crate) fn points_api(&self) -> PointsClient<Connection> {
        PointsClient::new(self.connection()).max_decoding_message_size(usize::MAX)
    }

    pub(crate) fn snapshots_api(&self) -> SnapshotsClient<Connection> {
        SnapshotsClient::new(self.connection()).max_decoding_message_size(usize::MAX)
    }

    /// A change, which the server may work on for long: an index over millions of points takes minutes.
    pub(crate) async fn work<T>(
        &self,
        doing: &str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Error> {
        let answer = self.patiently(doing, call).await?;
        answer.map(Response::into_inner).map_err(|status| self.error(doing, &status))
    }

    /// Waits for a call for as long as the server answers a health check meanwhile.
    pub(crate) async fn patiently<T>(&self, doing: &str, call: impl Future<Output = T>) -> Result<T, Error> {
        let mut call = std::pin::pin!(call);
        loop {
            match self.bounded(doing, &mut call).await {
                Ok(result) => return Ok(result),
                // That another node answers says nothing of this one.
                Err(late) => match self.nodes.chosen().version(self.timeout).await {
                    Err(Error::Deadline { .. }) => return Err(late),
                    answer => answer?,
                },
            };
        }
    }

    pub(crate) async fn ask<T>(
        &self,
        doing: &str,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Error> {
        let answer = self.bounded(doing, call).await?;
        answer.map(Response::into_inner).map_err(|status| self.error(doing, &status))
    }

    pub(crate) async fn bounded<T>(&self, doing: &str, call: impl Future<Output = T>) -> Result<T, Error> {
        self.bounded_at(&self.address(), doing, call).await
    }

    /// The same for a call that goes to another address than that of gRPC.
    pub(crate) async fn bounded_at<T>(
        &self,
        address: &str,
        doing: &str,
        call: impl Future<Output = T>,
    ) -> Result<T, Error> {
        tokio::time::timeout(self.timeout, call).await.map_err(|_| {
            self.nodes.doubt();
            Error::Deadline { address: address.into(), doing: doing.into(), seconds: self.timeout.as_secs_f64() }
        })
    }

    fn connection(&self) -> Connection {
        InterceptedService::new(Route(Arc::clone(&self.nodes)), self.key.clone())
    }

    pub(crate) fn error(&self, doing: &str, status: &Status) -> Error {
        let error = Error::from_status(&self.address(), self.key.is_some(), doing, status);
        if error.is_absence() {
            self.nodes.doubt();
        }
        error
    }
}

fn api_key(text: &str) -> Result<MetadataValue<Ascii>, Error> {
    let is_key = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let mut value = text.parse::<MetadataValue<Ascii>>().ok().filter(|_| is_key).ok_or(Error::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Major and minor; `None` for a version that is named otherwise, such as a development build's.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Scheme and host.
pub(crate) fn parse_url(url: &str) -> Result<(String, String), Error> {
    let wrong = |reason: &str| Error::Address { url: url.into(), reason: reason.into() };
    let uri: Uri = url.parse().map_err(|_| wrong("it is not a URL"))?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
    let scheme = scheme.ok_or_else(|| wrong("it does not begin with http:// or https://"))?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(Error::Address { url: format!("{scheme}://***@{host}"), reason: "it holds a user".into() });
    }
    if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
        return Err(wrong("it has a path, which gRPC does not know"));
    }
    Ok((scheme.into(), host.into()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MINIMUM, Server, ServerOptions, parse_url, parse_version};

    #[test]
    fn urls_are_read() {
        let cases = [
            ("http://localhost:6333", Ok(("http", "localhost"))),
            ("https://q.example.com", Ok(("https", "q.example.com"))),
            ("http://[::1]:6333/", Ok(("http", "[::1]"))),
            ("localhost:6333", Err("does not begin with http")),
            ("ftp://localhost", Err("does not begin with http")),
            ("", Err("not a URL")),
            ("http://", Err("not a URL")),
            ("http://host/prefix", Err("it has a path")),
            ("http://user:secret@host:6333", Err("it holds a user")),
        ];
        for (url, expected) in cases {
            match (parse_url(url), expected) {
                (Ok((scheme, host)), Ok(expected)) => assert_eq!((scheme.as_str(), host.as_str()), expected, "{url}"),
                (Err(error), Err(expected)) => {
                    let text = error.to_string();
                    assert!(text.contains(expected) && !text.contains("secret"), "{url}: {text}");
                }
                (result, _) => panic!("{url}: {result:?}"),
            }
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (text, is_old) in [("1.9.3", true), ("1.10.0", true), ("1.11.0", false), ("v1.18.2", false), ("dev", false)]
        {
            assert_eq!(parse_version(text).is_some_and(|version| version < MINIMUM), is_old, "{text}");
        }
    }

    #[tokio::test]
    async fn keys_are_never_shown() {
        let mut options = ServerOptions {
            url: "http://localhost:6333".into(),
            grpc_port: 6334,
            api_key: Some("s3cret".into()),
            timeout: Duration::from_secs(1),
        };
        assert!(!format!("{options:?} {:?}", Server::new(&options)).contains("s3cret"));
        options.api_key = Some("s3cret\n".into());
        let error = Server::new(&options).expect_err("a line break is no part of a key");
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains("s3cret"));
    }
}
