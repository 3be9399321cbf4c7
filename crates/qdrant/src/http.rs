//! What only Qdrant's HTTP interface can do: files in, files out.

use std::fmt;
use std::sync::Arc;

use futures_util::TryStreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::{ClientConfig, RootCertStore};

use crate::error::innermost;
use crate::{Error, ServerOptions};

/// What may stand in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// How much of an error's text is read.
const MAX_REASON: usize = 4096;

/// The client, and where it goes.
#[derive(Clone)]
pub(crate) struct Http {
    pub(crate) client: Client,
    base: String,
    pub(crate) address: String,
    has_key: bool,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Http {
    /// `grpc` is for messages about TLS. The address was looked at already.
    pub(crate) fn new(options: &ServerOptions, grpc: &str) -> Result<Self, Error> {
        let base = options.url.trim_end_matches('/').to_owned();
        let address = base.split_once("://").map_or(base.as_str(), |(_, address)| address).to_owned();
        let mut headers = HeaderMap::new();
        if let Some(key) = &options.api_key {
            let mut value = HeaderValue::from_str(key).map_err(|_| Error::ApiKey)?;
            value.set_sensitive(true);
            headers.insert("api-key", value);
        }
        let no_tls = |reason: String| Error::Tls { address: grpc.to_owned(), reason };
        let client = Client::builder()
            .default_headers(headers)
            .connect_timeout(options.timeout)
            .tcp_keepalive(options.timeout)
            // gRPC knows no proxies either; and a redirection would send the key elsewhere.
            .no_proxy()
            .redirect(Policy::none())
            .tls_backend_preconfigured(tls(base.starts_with("https:")).map_err(|error| no_tls(innermost(&error)))?)
            .build()
            .map_err(|error| no_tls(innermost(&error)))?;
        Ok(Self { client, base, address, has_key: options.api_key.is_some() })
    }

    /// The URL of what belongs to no collection.
    pub(crate) fn root(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The URL of what is below a collection.
    pub(crate) fn url(&self, doing: &str, collection: &str, rest: &str) -> Result<String, Error> {
        // In a URL these two mean other folders, however they are written.
        if matches!(collection, "." | "..") {
            let reason = format!("a collection called `{collection}` cannot be named in a URL");
            return Err(Error::Server { doing: doing.into(), reason });
        }
        Ok(format!("{}/collections/{}/snapshots{rest}", self.base, encoded(collection)))
    }

    /// A request that was not answered, or whose answer broke off.
    pub(crate) fn broken(&self, doing: &str, error: &reqwest::Error) -> Error {
        let (address, doing, reason) = (self.address.clone(), doing.to_owned(), innermost(error));
        if reason.contains("certificate") || reason.contains("TLS") || reason.contains("InvalidContentType") {
            return Error::Tls { address, reason };
        }
        if error.is_connect() {
            return Error::Unreachable { address, reason };
        }
        Error::Lost { address, doing, reason }
    }

    /// The answer, if it is a good one.
    pub(crate) async fn checked(&self, doing: &str, response: Response) -> Result<Response, Error> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let reason = reason(response).await;
        let (address, doing) = (self.address.clone(), doing.to_owned());
        Err(match status.as_u16() {
            401 => Error::Unauthorized { address, reason, key_sent: self.has_key },
            403 if self.has_key => Error::Forbidden { doing, reason },
            403 => Error::Unauthorized { address, reason, key_sent: false },
            status => Error::Http { address, doing, status, reason },
        })
    }
}

/// A name as a part of a path.
pub(crate) fn encoded(name: &str) -> impl fmt::Display {
    utf8_percent_encode(name, PLAIN)
}

/// What an answer says about an error: Qdrant's `{"status": {"error": …}}`, or its text.
async fn reason(response: Response) -> String {
    let status = response.status();
    let mut stream = response.bytes_stream();
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = stream.try_next().await {
        text.extend_from_slice(&chunk);
        if text.len() > MAX_REASON {
            text.truncate(MAX_REASON);
            break;
        }
    }
    let said = serde_json::from_slice::<serde_json::Value>(&text).ok();
    let said = said.as_ref().and_then(|json| json.pointer("/status/error")?.as_str()).map(str::to_owned);
    let text = said.unwrap_or_else(|| String::from_utf8_lossy(&text).trim().to_owned());
    if text.is_empty() { status.canonical_reason().unwrap_or("no reason given").to_owned() } else { text }
}

/// The same trust as for gRPC: the certificates of this machine.
fn tls(is_needed: bool) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    if is_needed {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
