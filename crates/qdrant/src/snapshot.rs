//! Snapshots of a collection: made, listed and deleted over gRPC; downloaded and uploaded over HTTP, in pieces, whatever
//! their size. <https://qdrant.tech/documentation/concepts/snapshots/>
//!
//! A snapshot holds the points, the configuration and the payload indexes of a collection, and no aliases. In a cluster
//! it holds what one node has.

use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use qdrant_client::qdrant::{CreateSnapshotRequest, DeleteSnapshotRequest, ListSnapshotsRequest, SnapshotDescription};
use reqwest::Body;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use tonic::Code;

use crate::http::encoded;
use crate::{Error, Server};

/// How often in a row a transfer may break without having brought anything.
const ATTEMPTS: u32 = 4;
/// The first of the pauses between, each twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);
/// How much of a file is sent at a time.
const CHUNK: usize = 256 * 1024;

/// A snapshot on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The collection.
    pub collection: String,
    /// Its name, which the server gave it.
    pub name: String,
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal. A server that keeps snapshots in an object store does not tell.
    pub checksum: Option<String>,
}

/// What came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transferred {
    /// How many bytes.
    pub bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Server {
    /// Makes a snapshot of a collection, which may take long.
    ///
    /// # Errors
    ///
    /// When there is no such collection, or the server has no room for it.
    pub async fn create_snapshot(&self, collection: &str) -> Result<Snapshot, Error> {
        let doing = format!("make a snapshot of {collection}");
        let mut client = self.snapshots_api();
        let request = CreateSnapshotRequest { collection_name: collection.into() };
        let made = self.work(&doing, client.create(request)).await?.snapshot_description;
        let nothing = || Error::Server { doing: doing.clone(), reason: "the server does not say which it made".into() };
        Ok(snapshot(collection, made.ok_or_else(nothing)?))
    }

    /// The snapshots of a collection.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked, or there is no such collection.
    pub async fn snapshots(&self, collection: &str) -> Result<Vec<Snapshot>, Error> {
        let doing = format!("list the snapshots of {collection}");
        let mut client = self.snapshots_api();
        let listed = client.list(ListSnapshotsRequest { collection_name: collection.into() });
        let listed = self.ask(&doing, listed).await?.snapshot_descriptions;
        Ok(listed.into_iter().map(|one| snapshot(collection, one)).collect())
    }

    /// Deletes a snapshot; `false` when there is none.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked, or refuses.
    pub async fn delete_snapshot(&self, collection: &str, name: &str) -> Result<bool, Error> {
        let doing = format!("delete the snapshot {name} of {collection}");
        let mut client = self.snapshots_api();
        let request = DeleteSnapshotRequest { collection_name: collection.into(), snapshot_name: name.into() };
        match self.patiently(&doing, client.delete(request)).await? {
            Ok(_) => Ok(true),
            Err(status) if status.code() == Code::NotFound => Ok(false),
            Err(status) => Err(self.error(&doing, &status)),
        }
    }

    /// Downloads a snapshot, and gives each piece to `write`. What breaks off goes on where it was.
    ///
    /// # Errors
    ///
    /// When it cannot be had, when what arrives is not what the server described, and when `write` fails.
    pub async fn download_snapshot<E: From<Error>>(
        &self,
        snapshot: &Snapshot,
        mut write: impl AsyncFnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Transferred, E> {
        let doing = format!("download the snapshot {}", snapshot.name);
        let mut received = Received { bytes: 0, hasher: Sha256::new() };
        let mut failures = 0;
        while received.bytes < snapshot.bytes {
            let before = received.bytes;
            let error = match self.download_rest(&doing, snapshot, &mut received, &mut write).await {
                Ok(()) => Error::Transfer {
                    doing: doing.clone(),
                    reason: format!("{} of {} bytes arrived", received.bytes, snapshot.bytes),
                },
                Err(Broken::Read(error)) => error,
                Err(Broken::Write(error)) => return Err(error),
            };
            if received.bytes >= snapshot.bytes {
                break;
            }
            failures = if received.bytes > before { 0 } else { failures + 1 };
            if failures == ATTEMPTS || !(error.is_passing() || matches!(error, Error::Transfer { .. })) {
                return Err(error.into());
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(failures)).await;
        }
        received.finish(&doing, snapshot).map_err(E::from)
    }

    /// One request for what has not arrived yet.
    async fn download_rest<E>(
        &self,
        doing: &str,
        snapshot: &Snapshot,
        received: &mut Received,
        write: &mut impl AsyncFnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), Broken<E>> {
        let url = self.http.url(doing, &snapshot.collection, &format!("/{}", encoded(&snapshot.name)))?;
        let mut request = self.http.client.get(url);
        if received.bytes > 0 {
            request = request.header(RANGE, format!("bytes={}-", received.bytes));
        }
        let sent = self.patiently(doing, request.send()).await?;
        let response = sent.map_err(|error| self.http.broken(doing, &error))?;
        let response = self.http.checked(doing, response).await?;
        // A server that knows no ranges sends everything again.
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        let mut known = if range.starts_with(&format!("bytes {}-", received.bytes)) { 0 } else { received.bytes };
        let mut stream = response.bytes_stream();
        while let Some(chunk) = self.bounded(doing, stream.next()).await? {
            let chunk = chunk.map_err(|error| self.http.broken(doing, &error))?;
            let skipped = known.min(chunk.len() as u64);
            known -= skipped;
            let new = &chunk[usize::try_from(skipped).unwrap_or(chunk.len())..];
            received.bytes += new.len() as u64;
            received.hasher.update(new);
            write(new).await.map_err(Broken::Write)?;
        }
        Ok(())
    }

    /// Makes `collection` what is in a snapshot's file, whose size and SHA-256 are known. A collection that is there is
    /// replaced; one that is not is created. The server checks the SHA-256 before it touches anything.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and when the server refuses it.
    pub async fn upload_snapshot(
        &self,
        collection: &str,
        file: &Path,
        expected: &Transferred,
        on_bytes: impl Fn(u64) + Clone + Send + 'static,
    ) -> Result<(), Error> {
        let doing = format!("upload the snapshot of {collection}");
        let mut failures = 0;
        loop {
            match self.upload_once(&doing, collection, file, expected, on_bytes.clone()).await {
                Err(error) if error.is_passing() && failures + 1 < ATTEMPTS => failures += 1,
                result => {
                    // Releases of Qdrant keep what was sent among the collection's snapshots. Where there is nothing
                    // to delete, nothing is wrong.
                    drop(self.delete_snapshot(collection, &sent_name(expected)).await);
                    return result;
                }
            }
            tokio::time::sleep(PAUSE * 2_u32.pow(failures)).await;
        }
    }

    async fn upload_once(
        &self,
        doing: &str,
        collection: &str,
        file: &Path,
        expected: &Transferred,
        on_bytes: impl Fn(u64) + Send + 'static,
    ) -> Result<(), Error> {
        // With another priority the data of other replicas would win over the snapshot's.
        let options = format!("/upload?priority=snapshot&wait=true&checksum={}", expected.sha256);
        let url = self.http.url(doing, collection, &options)?;
        let unreadable = |error: std::io::Error| Error::Transfer {
            doing: doing.into(),
            reason: format!("{} cannot be read: {error}", file.display()),
        };
        let content = ReaderStream::with_capacity(File::open(file).await.map_err(unreadable)?, CHUNK);
        let content = content.inspect(move |chunk| on_bytes(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64)));
        // What separates the parts of the form must not be in the file, and no file holds its own hash.
        let boundary = &expected.sha256;
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"snapshot\"; filename=\"{}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n",
            sent_name(expected)
        );
        let tail = format!("\r\n--{boundary}--\r\n");
        let length = head.len() as u64 + expected.bytes + tail.len() as u64;
        let text = |text: String| stream::iter([Ok(text.into())]);
        let request = self
            .http
            .client
            .post(url)
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .header(CONTENT_LENGTH, length)
            .body(Body::wrap_stream(text(head).chain(content).chain(text(tail))));
        let sent = self.patiently(doing, request.send()).await?;
        let response = sent.map_err(|error| self.http.broken(doing, &error))?;
        self.http.checked(doing, response).await.map(drop)
    }
}

/// What a file is called on its way to the server.
fn sent_name(file: &Transferred) -> String {
    format!("dbops-{}.snapshot", file.sha256)
}

/// Where a transfer broke.
enum Broken<E> {
    Read(Error),
    Write(E),
}

impl<E> From<Error> for Broken<E> {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

/// What has arrived so far.
struct Received {
    bytes: u64,
    hasher: Sha256,
}

impl Received {
    fn finish(self, doing: &str, snapshot: &Snapshot) -> Result<Transferred, Error> {
        let differs = |reason: String| Error::Transfer { doing: doing.into(), reason };
        if self.bytes != snapshot.bytes {
            return Err(differs(format!("{} bytes arrived, and it has {}", self.bytes, snapshot.bytes)));
        }
        let sha256: String = self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        match &snapshot.checksum {
            Some(checksum) if !checksum.eq_ignore_ascii_case(&sha256) => {
                Err(differs(format!("what arrived has the SHA-256 {sha256}, and the server says {checksum}")))
            }
            _ => Ok(Transferred { bytes: self.bytes, sha256 }),
        }
    }
}

fn snapshot(collection: &str, description: SnapshotDescription) -> Snapshot {
    Snapshot {
        collection: collection.into(),
        name: description.name,
        created: description.creation_time.map(|time| time.seconds),
        bytes: u64::try_from(description.size).unwrap_or_default(),
        checksum: description.checksum,
    }
}
