//! A Qdrant server over gRPC, each call with a deadline; [`crate::http`] is for what only HTTP can do.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_util::TryStreamExt;
use qdrant_client::qdrant::collections_client::CollectionsClient;
use qdrant_client::qdrant::points_client::PointsClient;
use qdrant_client::qdrant::qdrant_client::QdrantClient;
use qdrant_client::qdrant::snapshots_client::SnapshotsClient;
use qdrant_client::qdrant::{
    CollectionInfo, GetCollectionInfoRequest, HealthCheckRequest, ListAliasesRequest, ListCollectionsRequest,
};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, ClientTlsConfig, Uri};
use tonic::{Code, Request, Response, Status};

use crate::Error;
use crate::error::innermost;
use crate::http::Http;

/// How large an answer over HTTP about the server may be.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

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
pub struct Server {
    channel: Channel,
    key: ApiKey,
    /// `host:port` of gRPC.
    pub(crate) address: String,
    pub(crate) timeout: Duration,
    pub(crate) http: Http,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Adds the key to each call.
#[derive(Clone)]
pub(crate) struct ApiKey(Option<MetadataValue<Ascii>>);

impl Interceptor for ApiKey {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("api-key", key.clone());
        }
        Ok(request)
    }
}

type Connection = InterceptedService<Channel, ApiKey>;

impl Server {
    /// Prepares the connection, without making it. Has to be called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Address`], [`Error::ApiKey`] and [`Error::Tls`], when the options cannot be used.
    pub fn new(options: &ServerOptions) -> Result<Self, Error> {
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
        let key = ApiKey(options.api_key.as_deref().map(api_key).transpose()?);
        let http = Http::new(options, &address)?;
        Ok(Self { channel: endpoint.connect_lazy(), key, address, timeout: options.timeout, http })
    }

    /// The server's version, such as `1.18.2`. Needs no key.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn version(&self) -> Result<String, Error> {
        let mut client = QdrantClient::new(self.connection());
        Ok(self.ask("ask for the version", client.health_check(HealthCheckRequest {})).await?.version)
    }

    /// Major and minor version, as far as it is known. Refuses a server that is too old to be compared with.
    pub(crate) async fn require_version(&self) -> Result<Option<(u32, u32)>, Error> {
        let version = self.version().await?;
        let known = parse_version(&version);
        if known.is_some_and(|known| known < MINIMUM) {
            return Err(Error::TooOld {
                address: self.address.clone(),
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
                Err(late) => match self.version().await {
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
        tokio::time::timeout(self.timeout, call).await.map_err(|_| Error::Deadline {
            address: self.address.clone(),
            doing: doing.into(),
            seconds: self.timeout.as_secs_f64(),
        })
    }

    /// What the server tells over HTTP only; `None` from the embedded one, which does not know it.
    pub(crate) async fn told(&self, doing: &str, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let sent = self.bounded(doing, self.http.client.get(self.http.root(path)).send()).await?;
        let response = sent.map_err(|error| self.http.broken(doing, &error))?;
        let response = match self.bounded(doing, self.http.checked(doing, response)).await? {
            Err(Error::Http { status: 404 | 501, .. }) => return Ok(None),
            other => other?,
        };
        let mut stream = response.bytes_stream();
        let mut text = Vec::new();
        loop {
            let chunk = self.bounded(doing, stream.try_next()).await?;
            let Some(chunk) = chunk.map_err(|error| self.http.broken(doing, &error))? else { return Ok(Some(text)) };
            text.extend_from_slice(&chunk);
            if text.len() > MAX_ANSWER {
                let reason = format!("the answer has more than {MAX_ANSWER} bytes");
                return Err(Error::Server { doing: doing.into(), reason });
            }
        }
    }

    fn connection(&self) -> Connection {
        InterceptedService::new(self.channel.clone(), self.key.clone())
    }

    pub(crate) fn error(&self, doing: &str, status: &Status) -> Error {
        Error::from_status(&self.address, self.key.0.is_some(), doing, status)
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
fn parse_url(url: &str) -> Result<(String, String), Error> {
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
