//! Snapshots of a collection: made, listed and deleted over gRPC; downloaded and uploaded over HTTP, in pieces, whatever
//! their size. <https://qdrant.tech/documentation/concepts/snapshots/>
//!
//! A snapshot holds the points, the configuration and the payload indexes of a collection, and no aliases. In a cluster
//! it holds what one node has.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use qdrant_client::qdrant::{CreateSnapshotRequest, DeleteSnapshotRequest, ListSnapshotsRequest, SnapshotDescription};
use reqwest::Body;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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

impl Transferred {
    /// What a file holds, as it is told before it is uploaded. `on_bytes` is told how many bytes were read so far.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn of_file(path: &Path, on_bytes: impl Fn(u64)) -> Result<Self, Error> {
        let failed = |error: std::io::Error| in_file("read a snapshot", path, &error.to_string());
        let mut file = File::open(path).await.map_err(failed)?;
        let read = Received::in_file(&mut file, on_bytes).await.map_err(failed)?;
        Ok(Self { bytes: read.bytes, sha256: read.sha256() })
    }
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
        let mut received = Received::nothing();
        self.download_from(&doing, snapshot, &mut received, &mut write).await?;
        received.finish(&doing, snapshot).map_err(E::from)
    }

    /// Downloads a snapshot into a file, and goes on where an earlier download into the same file broke off. `on_bytes`
    /// is told how many bytes are there, whenever there are more. A file that turns out to be not what the server
    /// described is removed: the next download begins anew.
    ///
    /// # Errors
    ///
    /// When the snapshot cannot be had, the file cannot be written, or another download writes to it.
    pub async fn download_snapshot_to(
        &self,
        snapshot: &Snapshot,
        path: &Path,
        on_bytes: impl Fn(u64),
    ) -> Result<Transferred, Error> {
        let doing = format!("download the snapshot {}", snapshot.name);
        let failed = |error: std::io::Error| in_file(&doing, path, &error.to_string());
        let file = std::fs::OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => in_file(&doing, path, "another download writes to it"),
            std::fs::TryLockError::Error(error) => failed(error),
        })?;
        let mut file = File::from_std(file);
        let mut received = Received::in_file(&mut file, &on_bytes).await.map_err(failed)?;
        if received.bytes > snapshot.bytes {
            file.set_len(0).await.map_err(failed)?;
            received = Received::nothing();
        }
        let there = Cell::new(received.bytes);
        let mut write = async |chunk: &[u8]| {
            file.write_all(chunk).await.map_err(failed)?;
            there.set(there.get() + chunk.len() as u64);
            on_bytes(there.get());
            Ok(())
        };
        let downloaded = self.download_from(&doing, snapshot, &mut received, &mut write).await;
        // What has arrived is kept, whatever came after it.
        file.sync_all().await.map_err(failed)?;
        downloaded?;
        let finished = received.finish(&doing, snapshot);
        if finished.is_err() {
            tokio::fs::remove_file(path).await.map_err(failed)?;
        }
        finished
    }

    /// Downloads what has not arrived yet.
    async fn download_from<E: From<Error>>(
        &self,
        doing: &str,
        snapshot: &Snapshot,
        received: &mut Received,
        write: &mut impl AsyncFnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut failures = 0;
        while received.bytes < snapshot.bytes {
            let before = received.bytes;
            let error = match self.download_rest(doing, snapshot, received, write).await {
                Ok(()) => Error::Transfer {
                    doing: doing.to_owned(),
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
        Ok(())
    }

    /// One request for what has not arrived yet.
    async fn download_rest<E>(
        &self,
        doing: &str,
        snapshot: &Snapshot,
        received: &mut Received,
        write: &mut impl AsyncFnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), Broken<E>> {
        let http = self.http().await?;
        let url = http.url(doing, &snapshot.collection, &format!("/{}", encoded(&snapshot.name)))?;
        let mut request = http.client.get(url);
        if received.bytes > 0 {
            request = request.header(RANGE, format!("bytes={}-", received.bytes));
        }
        let sent = self.patiently(doing, request.send()).await?;
        let response = sent.map_err(|error| http.broken(doing, &error))?;
        let response = http.checked(doing, response).await?;
        // A server that knows no ranges sends everything again.
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        let mut known = if range.starts_with(&format!("bytes {}-", received.bytes)) { 0 } else { received.bytes };
        let mut stream = response.bytes_stream();
        while let Some(chunk) = self.bounded_at(&http.address, doing, stream.next()).await? {
            let chunk = chunk.map_err(|error| http.broken(doing, &error))?;
            let skipped = known.min(chunk.len() as u64);
            known -= skipped;
            let new = &chunk[usize::try_from(skipped).unwrap_or(chunk.len())..];
            received.take(new);
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
        // What is sent again was told before.
        let told = Arc::new(AtomicU64::new(0));
        loop {
            let (told, on_bytes) = (Arc::clone(&told), on_bytes.clone());
            let mut sent = 0;
            let on_chunk = move |bytes: u64| {
                sent += bytes;
                on_bytes(sent.saturating_sub(told.fetch_max(sent, Ordering::Relaxed)));
            };
            match self.upload_once(&doing, collection, file, expected, on_chunk).await {
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
        mut on_bytes: impl FnMut(u64) + Send + 'static,
    ) -> Result<(), Error> {
        // With another priority the data of other replicas would win over the snapshot's.
        let options = format!("/upload?priority=snapshot&wait=true&checksum={}", expected.sha256);
        let http = self.http().await?;
        let url = http.url(doing, collection, &options)?;
        let unreadable = |error: std::io::Error| in_file(doing, file, &error.to_string());
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
        let request = http
            .client
            .post(url)
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .header(CONTENT_LENGTH, length)
            .body(Body::wrap_stream(text(head).chain(content).chain(text(tail))));
        let sent = self.patiently(doing, request.send()).await?;
        let response = sent.map_err(|error| http.broken(doing, &error))?;
        http.checked(doing, response).await.map(drop)
    }
}

fn in_file(doing: &str, path: &Path, reason: &str) -> Error {
    Error::File { doing: doing.into(), path: path.display().to_string(), reason: reason.into() }
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
    fn nothing() -> Self {
        Self { bytes: 0, hasher: Sha256::new() }
    }

    /// What an earlier download left in a file.
    async fn in_file(file: &mut File, on_bytes: impl Fn(u64)) -> std::io::Result<Self> {
        let mut received = Self::nothing();
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = file.read(&mut chunk).await?;
            if length == 0 {
                return Ok(received);
            }
            received.take(&chunk[..length]);
            on_bytes(received.bytes);
        }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        self.hasher.update(chunk);
    }

    fn finish(self, doing: &str, snapshot: &Snapshot) -> Result<Transferred, Error> {
        let differs = |reason: String| Error::Transfer { doing: doing.into(), reason };
        if self.bytes != snapshot.bytes {
            return Err(differs(format!("{} bytes arrived, and it has {}", self.bytes, snapshot.bytes)));
        }
        let sha256 = self.sha256();
        match &snapshot.checksum {
            Some(checksum) if !checksum.eq_ignore_ascii_case(&sha256) => {
                Err(differs(format!("what arrived has the SHA-256 {sha256}, and the server says {checksum}")))
            }
            _ => Ok(Transferred { bytes: self.bytes, sha256 }),
        }
    }

    fn sha256(&self) -> String {
        self.hasher.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
