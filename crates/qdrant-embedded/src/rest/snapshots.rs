//! Snapshots of collections: made, listed, sent, received, recovered, deleted.
//!
//! Files pass through in pieces, whatever their size.

use std::fs::File;
use std::io::{self, SeekFrom};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::SharedStore;
use super::answer::{answer, refused, run};
use super::form::Part;
use super::request::Body as JsonBody;
use crate::error::{Error, Result};
use crate::files;
use crate::service::in_background;
use crate::snapshots::{Snapshot, Unfinished};
use crate::store::Store;

/// How much of a file is sent at a time.
const CHUNK: usize = 256 * 1024;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/collections/{collection}/snapshots", get(list).post(create))
        .route("/collections/{collection}/snapshots/{snapshot}", get(download).delete(delete))
        .route("/collections/{collection}/snapshots/recover", put(recover))
        .route("/collections/{collection}/snapshots/upload", post(upload))
}

async fn list(State(store): SharedStore, Path(collection): Path<String>) -> Response {
    run(&store, move |store| {
        let collection = store.collection(&collection)?;
        Ok(store.snapshots().list(collection.name())?.iter().map(description).collect::<Vec<_>>())
    })
    .await
}

async fn create(State(store): SharedStore, Path(collection): Path<String>, RawQuery(query): RawQuery) -> Response {
    run(&store, move |store| {
        Options::read(query.as_deref())?;
        Ok(description(&store.snapshots().create(&*store.collection(&collection)?)?))
    })
    .await
}

async fn delete(
    State(store): SharedStore,
    Path((collection, snapshot)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    run(&store, move |store| {
        Options::read(query.as_deref())?;
        store.snapshots().delete(store.collection(&collection)?.name(), &snapshot)?;
        Ok(true)
    })
    .await
}

/// The whole file, or the rest of it when the request has `Range: bytes=N-`.
async fn download(
    State(store): SharedStore,
    Path((collection, snapshot)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let from = headers.get(header::RANGE).and_then(|range| rest_from(range.to_str().ok()?));
    let opened = in_background(&store, move |store| {
        let path = store.snapshots().path(store.collection(&collection)?.name(), &snapshot)?;
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok((file, bytes))
    });
    match opened.await {
        Ok((file, bytes)) => send(file, bytes, from).await.unwrap_or_else(|error| refused(&error.into())),
        Err(error) => refused(&error),
    }
}

fn rest_from(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

async fn send(file: File, bytes: u64, from: Option<u64>) -> io::Result<Response> {
    let mut file = tokio::fs::File::from_std(file);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    let (status, first) = match from {
        Some(from) if from >= bytes => return Ok(StatusCode::RANGE_NOT_SATISFIABLE.into_response()),
        Some(from) => {
            let range = format!("bytes {from}-{}/{bytes}", bytes - 1);
            headers.insert(header::CONTENT_RANGE, range.parse().map_err(io::Error::other)?);
            (StatusCode::PARTIAL_CONTENT, from)
        }
        None => (StatusCode::OK, 0),
    };
    file.seek(SeekFrom::Start(first)).await?;
    headers.insert(header::CONTENT_LENGTH, (bytes - first).into());
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(bytes - first), CHUNK));
    Ok((status, headers, body).into_response())
}

async fn upload(
    State(store): SharedStore,
    Path(collection): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let start = Instant::now();
    let received = async {
        let options = Options::read(query.as_deref())?;
        let (file, checksum) = receive(&store, &headers, body).await?;
        Ok((options, file, checksum))
    };
    let recovered = match received.await {
        Ok((options, file, checksum)) => {
            let recover = move |store: &Store| {
                check(options.checksum.as_deref(), || Ok(checksum))?;
                store.recover(&collection, file.path())
            };
            in_background(&store, recover).await
        }
        Err(error) => Err(error),
    };
    answer(start, recovered.map(|()| true))
}

/// Stores the part `snapshot` of the form, and gives its SHA-256.
async fn receive(store: &Store, headers: &HeaderMap, body: Body) -> Result<(Unfinished, String)> {
    let mut part = Part::find(headers, body, "snapshot").await?;
    let unfinished = store.snapshots().receive();
    let mut file = tokio::fs::File::create_new(unfinished.path()).await?;
    let mut hasher = Sha256::new();
    while let Some(chunk) = part.chunk().await? {
        hasher.update(&chunk);
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok((unfinished, files::hexadecimal(&hasher.finalize())))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovery {
    location: String,
    checksum: Option<String>,
    priority: Option<String>,
    /// For the server that a snapshot is fetched from, which this one never does.
    #[serde(default, rename = "api_key")]
    _api_key: IgnoredAny,
}

async fn recover(
    State(store): SharedStore,
    Path(collection): Path<String>,
    RawQuery(query): RawQuery,
    body: JsonBody,
) -> Response {
    run(&store, move |store| {
        Options::read(query.as_deref())?;
        let recovery: Recovery = body.parse()?;
        check_priority(recovery.priority.as_deref())?;
        let path = store.snapshots().located(&recovery.location)?;
        check(recovery.checksum.as_deref(), || Ok(files::sha256(&path)?))?;
        store.recover(&collection, &path)?;
        Ok(true)
    })
    .await
}

/// What stands after the question mark.
#[derive(Debug, Default)]
struct Options {
    checksum: Option<String>,
}

impl Options {
    fn read(query: Option<&str>) -> Result<Self> {
        let mut options = Self::default();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                // An answer before the work is done would have to be followed up somewhere.
                ("wait", "false") => return Err(Error::Unsupported("wait=false")),
                ("wait", "true") => {}
                ("priority", word) => check_priority(Some(word))?,
                ("checksum", sum) => options.checksum = Some(sum.to_owned()),
                (key, _) => return Err(Error::invalid(format!("the parameter {key} is unknown, or its value is"))),
            }
        }
        Ok(options)
    }
}

/// Which side is right when there are several replicas. Here there is one, so all words mean the same.
fn check_priority(word: Option<&str>) -> Result<()> {
    match word {
        None | Some("snapshot" | "replica" | "no_sync") => Ok(()),
        Some(word) => Err(Error::invalid(format!("the priority {word} is unknown"))),
    }
}

fn check(expected: Option<&str>, found: impl FnOnce() -> Result<String>) -> Result<()> {
    let Some(expected) = expected else { return Ok(()) };
    let found = found()?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Error::invalid(format!("Snapshot checksum mismatch: expected {expected}, got {found}")))
}

fn description(snapshot: &Snapshot) -> Value {
    let created = Timestamp::try_from(snapshot.created).unwrap_or_default().to_zoned(TimeZone::UTC).datetime();
    json!({
        "name": snapshot.name,
        "creation_time": created.round(jiff::Unit::Second).unwrap_or(created).to_string(),
        "size": snapshot.bytes,
        "checksum": snapshot.checksum,
    })
}
