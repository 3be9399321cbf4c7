//! A repository in a bucket. Requests are repeated when the network or the service fails; what must happen at most once
//! is a conditional write, and where its answer is lost, a look at what is there tells how it ended.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    ClientOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutPayload, PutPayloadMut, PutResult,
    RetryConfig, UpdateVersion,
};
use tokio::task::JoinSet;

use super::{BucketLocation, ByteStream, StoredFile};
use crate::{Error, SetId};

/// The parts of a large file: all but the last are of one size, as some services want it. At most 10,000 make a file.
const PART: usize = 12 * 1024 * 1024;
/// Parts that are sent at the same time. Together with the one that fills they are what a transfer needs of memory.
const PARTS_UNDER_WAY: usize = 2;
const BLOCK: usize = 64 * 1024;
/// How often a conditional write is tried when it is not known how it ended.
const ATTEMPTS: u32 = 6;
/// Without a byte for so long, a request is given up and repeated.
const SILENCE: Duration = Duration::from_secs(60);

/// A bucket and a prefix.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    location: BucketLocation,
    client: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// How long cleaning up may take when the work was interrupted.
const DETACHED_LIMIT: Duration = Duration::from_secs(10);

/// Which of the states of an object it was.
pub(crate) type Version = UpdateVersion;

/// How a conditional write ended, as far as it is known.
enum Attempt {
    Done(PutResult),
    /// Something else is there.
    Refused,
}

impl Bucket {
    pub(super) fn open(location: &BucketLocation) -> Result<Self, Error> {
        use_ring();
        let failed = |error| Error::store("open", &location.url)(error);
        let (scheme, rest) = location.url.split_once("://").unwrap_or_default();
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = Path::parse(prefix).map_err(|error| failed(error.into()))?;
        let client: Arc<dyn ObjectStore> = match scheme {
            "s3" => Arc::new(s3(name, &location.options).map_err(failed)?),
            "gs" => Arc::new(google(name, &location.options).map_err(failed)?),
            "az" => Arc::new(azure(name, &location.options).map_err(failed)?),
            _ => return Err(Error::Scheme(location.url.clone())),
        };
        Ok(Self { location: location.clone(), client, prefix })
    }

    /// The same, for another runtime: connections belong to the one that made them.
    pub(crate) fn reopen(&self) -> Result<Self, Error> {
        Self::open(&self.location)
    }

    pub(super) fn url(&self) -> &str {
        &self.location.url
    }

    pub(super) fn shown(&self, key: &str) -> String {
        format!("{}/{key}", self.location.url.trim_end_matches('/'))
    }

    fn path(&self, key: &str) -> Path {
        key.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    pub(super) async fn sets(&self) -> Result<BTreeMap<SetId, Vec<StoredFile>>, Error> {
        let mut sets: BTreeMap<SetId, Vec<StoredFile>> = BTreeMap::new();
        for (key, bytes) in self.list(&self.prefix).await? {
            let Some((id, name)) = key.split_once('/') else { continue };
            if let Some(id) = SetId::parse(id) {
                sets.entry(id).or_default().push(StoredFile { name: name.into(), bytes, is_regular: true });
            }
        }
        Ok(sets)
    }

    pub(super) async fn files(&self, id: &SetId) -> Result<Vec<StoredFile>, Error> {
        let listed = self.list(&self.path(id.as_str())).await?.into_iter();
        let files = listed.filter_map(|(key, bytes)| {
            let (_, name) = key.split_once('/')?;
            Some(StoredFile { name: name.into(), bytes, is_regular: true })
        });
        Ok(files.collect())
    }

    /// The keys under a prefix, with sizes.
    async fn list(&self, under: &Path) -> Result<Vec<(String, u64)>, Error> {
        let listed: Vec<_> =
            self.client.list(Some(under)).try_collect().await.map_err(Error::store("list", self.url()))?;
        let files = listed.into_iter().filter_map(|object| {
            let parts = object.location.prefix_match(&self.prefix)?;
            Some((parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"), object.size))
        });
        Ok(files.collect())
    }

    pub(super) fn sink(&self, key: &str) -> Upload {
        Upload {
            client: Arc::clone(&self.client),
            path: self.path(key),
            shown: self.shown(key),
            filling: new_part(),
            bytes: 0,
            multipart: None,
            parts: JoinSet::new(),
        }
    }

    /// Writes what must not be there; gives its version, or `None` when something else is there.
    pub(crate) async fn create(&self, key: &str, bytes: Bytes) -> Result<Option<Version>, Error> {
        self.conditional(key, &bytes, PutMode::Create).await
    }

    /// Writes in the place of a version; `None` when another one is there.
    pub(crate) async fn update(&self, key: &str, bytes: Bytes, old: Version) -> Result<Option<Version>, Error> {
        self.conditional(key, &bytes, PutMode::Update(old)).await
    }

    async fn conditional(&self, key: &str, bytes: &Bytes, mode: PutMode) -> Result<Option<Version>, Error> {
        let mut pause = Duration::from_millis(100);
        for attempt in 1.. {
            let put = self.client.put_opts(&self.path(key), bytes.clone().into(), mode.clone().into()).await;
            let outcome = match put {
                Ok(result) => Ok(Attempt::Done(result)),
                Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                    Ok(Attempt::Refused)
                }
                Err(error) => Err(error),
            };
            match outcome {
                Ok(Attempt::Done(result)) => return Ok(Some(result.into())),
                // An earlier attempt may have got through although its answer did not.
                Ok(Attempt::Refused) => return self.version_of(key, bytes).await,
                Err(error) if attempt == ATTEMPTS || !is_worth_repeating(&error) => {
                    return Err(Error::store("write", &self.shown(key))(error));
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
        Ok(None)
    }

    /// The version of what is there, if it is these bytes.
    async fn version_of(&self, key: &str, bytes: &Bytes) -> Result<Option<Version>, Error> {
        match self.read_version(key, bytes.len() as u64).await {
            Ok(Some((found, version, _))) if found == *bytes => Ok(Some(version)),
            Ok(_) | Err(Error::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        let put = self.client.put(&self.path(key), bytes.into()).await;
        put.map(drop).map_err(Error::store("write", &self.shown(key)))
    }

    pub(super) async fn read(&self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.read_version(key, limit).await?.map(|(bytes, _, _)| bytes.into()))
    }

    /// What is there, its version, and when it was written by the service's clock.
    pub(crate) async fn read_version(
        &self,
        key: &str,
        limit: u64,
    ) -> Result<Option<(Bytes, Version, Timestamp)>, Error> {
        let failed = || Error::store("read", &self.shown(key));
        let found = match self.client.get(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found.map_err(failed())?,
        };
        if found.meta.size > limit {
            return Err(Error::TooLarge { file: self.shown(key), limit });
        }
        let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        let written = timestamp(&found.meta);
        Ok(Some((found.bytes().await.map_err(failed())?, version, written)))
    }

    pub(super) async fn stream(&self, key: &str) -> Result<ByteStream, Error> {
        let found = self.client.get(&self.path(key)).await.map_err(Error::store("read", &self.shown(key)))?;
        Ok(found.into_stream().map(|chunk| chunk.map_err(io::Error::from)).boxed())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Error> {
        match self.client.delete(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            deleted => deleted.map_err(Error::store("remove", &self.shown(key))),
        }
    }

    /// The time by the service's clock, which is not ours: that of an object written just now.
    pub(crate) async fn now(&self, scratch_key: &str) -> Result<Timestamp, Error> {
        self.put(scratch_key, Bytes::new()).await?;
        let found = self.client.head(&self.path(scratch_key)).await;
        let now = found.map(|object| timestamp(&object)).map_err(Error::store("read", &self.shown(scratch_key)))?;
        self.delete(scratch_key).await?;
        Ok(now)
    }
}

fn timestamp(object: &object_store::ObjectMeta) -> Timestamp {
    Timestamp::from_second(object.last_modified.timestamp()).unwrap_or_default()
}

/// Whether it may have been the network or a moment of the service.
fn is_worth_repeating(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. })
}

fn client_options(options: &[(String, String)]) -> ClientOptions {
    let is_plain = |(key, value): &(String, String)| key.contains("endpoint") && value.starts_with("http://");
    ClientOptions::new()
        // An endpoint that is written without TLS is meant so.
        .with_allow_http(options.iter().any(is_plain))
        .with_connect_timeout(Duration::from_secs(10))
        // The transfer of a large file takes its time.
        .with_timeout_disabled()
        .with_read_timeout(SILENCE)
}

fn retries() -> RetryConfig {
    RetryConfig { max_retries: 8, retry_timeout: Duration::from_secs(120), ..RetryConfig::default() }
}

fn s3(bucket: &str, options: &[(String, String)]) -> object_store::Result<impl ObjectStore + use<>> {
    let mut builder = AmazonS3Builder::new().with_client_options(client_options(options)).with_retry(retries());
    for (key, value) in options {
        if let Ok(key) = key.parse() {
            builder = builder.with_config(key, value);
        }
    }
    builder.with_bucket_name(bucket).build()
}

fn google(bucket: &str, options: &[(String, String)]) -> object_store::Result<impl ObjectStore + use<>> {
    let mut builder =
        GoogleCloudStorageBuilder::new().with_client_options(client_options(options)).with_retry(retries());
    for (key, value) in options {
        if let Ok(key) = key.parse() {
            builder = builder.with_config(key, value);
        }
    }
    builder.with_bucket_name(bucket).build()
}

fn azure(container: &str, options: &[(String, String)]) -> object_store::Result<impl ObjectStore + use<>> {
    let mut builder = MicrosoftAzureBuilder::new().with_client_options(client_options(options)).with_retry(retries());
    for (key, value) in options {
        if let Ok(key) = key.parse() {
            builder = builder.with_config(key, value);
        }
    }
    builder.with_container_name(container).build()
}

/// A file that is being sent: in one piece when it is small, else in parts.
#[derive(Debug)]
pub(crate) struct Upload {
    client: Arc<dyn ObjectStore>,
    path: Path,
    shown: String,
    filling: PutPayloadMut,
    /// How many bytes were written in all.
    bytes: u64,
    multipart: Option<Box<dyn MultipartUpload>>,
    parts: JoinSet<object_store::Result<()>>,
}

/// Of small blocks, which are used again for the next part: what allocates large ones anew keeps as much besides.
fn new_part() -> PutPayloadMut {
    PutPayloadMut::new().with_block_size(BLOCK)
}

impl Upload {
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let (taken, rest) = bytes.split_at(bytes.len().min(PART - self.filling.content_length()));
            self.filling.extend_from_slice(taken);
            bytes = rest;
            if self.filling.content_length() == PART {
                let part = std::mem::replace(&mut self.filling, new_part());
                self.send(part.freeze()).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, part: PutPayload) -> Result<(), Error> {
        while self.parts.len() >= PARTS_UNDER_WAY {
            self.join().await?;
        }
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            none => {
                let begun = self.client.put_multipart(&self.path).await;
                none.insert(begun.map_err(Error::store("write", &self.shown))?)
            }
        };
        self.parts.spawn(multipart.put_part(part));
        Ok(())
    }

    /// Waits for the end of one part.
    async fn join(&mut self) -> Result<(), Error> {
        let Some(joined) = self.parts.join_next().await else { return Ok(()) };
        let sent = joined.unwrap_or_else(|source| Err(object_store::Error::JoinError { source }));
        sent.map_err(Error::store("write", &self.shown))
    }

    pub(super) async fn finish(mut self) -> Result<(), Error> {
        let rest = std::mem::take(&mut self.filling).freeze();
        if self.multipart.is_none() {
            let put = self.client.put(&self.path, rest).await;
            return put.map(drop).map_err(Error::store("write", &self.shown));
        }
        if rest.content_length() > 0 {
            self.send(rest).await?;
        }
        while !self.parts.is_empty() {
            self.join().await?;
        }
        if let Some(multipart) = &mut self.multipart {
            if let Err(error) = multipart.complete().await {
                // The answer may be lost, and not repeated, where the service has done it.
                let found = self.client.head(&self.path).await;
                if !found.is_ok_and(|object| object.size == self.bytes) {
                    return Err(Error::store("write", &self.shown)(error));
                }
            }
            self.multipart = None;
        }
        Ok(())
    }
}

impl Drop for Upload {
    /// Gives up what was sent. Where that cannot be done any more, the parts are for the bucket's own rules to remove.
    fn drop(&mut self) {
        let Some(mut multipart) = self.multipart.take() else { return };
        self.parts.abort_all();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { drop(multipart.abort().await) });
        }
    }
}

/// Does something with a bucket although the work around it was interrupted: its future is dropped in the middle, and
/// nothing can be awaited there any more.
pub(crate) fn detached<F>(bucket: &Bucket, work: impl FnOnce(Bucket) -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let Ok(bucket) = bucket.reopen() else { return };
    let run = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        drop(runtime.block_on(async { tokio::time::timeout(DETACHED_LIMIT, work(bucket)).await }));
    };
    // On a thread of its own, since this one may be in the middle of another runtime.
    drop(std::thread::spawn(run).join());
}

/// reqwest takes the process' TLS provider; that another one is there already does no harm.
pub(crate) fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests;
