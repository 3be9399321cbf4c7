//! Where sets are kept: a folder, or a bucket of an object store. What is in there is named by a key: the set's id, a
//! slash, and the file's name.

mod bucket;
mod folder;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use serde::{Deserialize, Serialize};

pub(crate) use self::bucket::{Bucket, detached, use_ring};
pub(crate) use self::folder::Folder;
use crate::hash::CHUNK;
use crate::{Error, SetId};

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of an object store, perhaps with a prefix.
    Bucket(BucketLocation),
}

/// A bucket, and what is needed to get at it.
#[derive(Clone, PartialEq, Eq)]
pub struct BucketLocation {
    /// `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`.
    pub url: String,
    /// The settings of the provider by the names that its environment variables have, in small letters:
    /// `aws_access_key_id`. Those that are not known are left alone.
    pub options: Vec<(String, String)>,
}

impl fmt::Debug for BucketLocation {
    /// Without the options, which hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketLocation").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Bucket(bucket) => f.write_str(&bucket.url),
        }
    }
}

/// A file of a set, as the store lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its name in the set.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Whether it is a file, and not a link or a folder. What a link leads to is not part of the set.
    pub is_regular: bool,
}

/// The bytes of a file as they arrive.
pub(crate) type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A repository's place, opened.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    Folder(Folder),
    Bucket(Bucket),
}

impl Store {
    pub(crate) fn open(location: &Location) -> Result<Self, Error> {
        Ok(match location {
            Location::Folder(path) => Self::Folder(Folder::new(path)),
            Location::Bucket(location) => Self::Bucket(Bucket::open(location)?),
        })
    }

    /// What is there, by the names of sets; a repository that is not there holds none.
    pub(crate) async fn sets(&self) -> Result<BTreeMap<SetId, Vec<StoredFile>>, Error> {
        match self {
            Self::Folder(folder) => folder.sets(),
            Self::Bucket(bucket) => bucket.sets().await,
        }
    }

    /// The files of one set.
    pub(crate) async fn files(&self, id: &SetId) -> Result<Vec<StoredFile>, Error> {
        match self {
            Self::Folder(folder) => folder.files(id),
            Self::Bucket(bucket) => bucket.files(id).await,
        }
    }

    /// A new file of a set, to be written from its beginning to its end.
    pub(crate) fn sink(&self, key: &str) -> Result<Sink, Error> {
        Ok(match self {
            Self::Folder(folder) => Sink::File(folder.sink(key)?),
            Self::Bucket(bucket) => Sink::Upload(bucket.sink(key)),
        })
    }

    /// Writes a small file in one step, unless there is one of its name: then it is `false`.
    ///
    /// The bytes must be nobody else's: where an answer is lost, they tell whether it was this call that wrote them.
    pub(crate) async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, Error> {
        match self {
            Self::Folder(folder) => folder.create(key, &bytes),
            Self::Bucket(bucket) => Ok(bucket.create(key, bytes.into()).await?.is_some()),
        }
    }

    /// Writes a small file in one step, in the place of the one of its name.
    pub(crate) async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.put(key, &bytes),
            Self::Bucket(bucket) => bucket.put(key, bytes.into()).await,
        }
    }

    /// Reads a small file; `None` when there is none, and an error when it is larger than `limit`.
    pub(crate) async fn read(&self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Folder(folder) => folder.read(key, limit),
            Self::Bucket(bucket) => bucket.read(key, limit).await,
        }
    }

    /// The bytes of a file.
    pub(crate) async fn stream(&self, key: &str) -> Result<ByteStream, Error> {
        match self {
            Self::Folder(folder) => folder.stream(key),
            Self::Bucket(bucket) => bucket.stream(key).await,
        }
    }

    /// Removes a file that may be gone already.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => folder.delete(key),
            Self::Bucket(bucket) => bucket.delete(key).await,
        }
    }

    /// Removes the place of a set whose files are gone. A folder that somebody has put something into stays.
    pub(crate) fn forget(&self, id: &SetId) {
        if let Self::Folder(folder) = self {
            folder.forget(id);
        }
    }

    /// A key as people may look for it: a path or a URL.
    pub(crate) fn shown(&self, key: &str) -> String {
        match self {
            Self::Folder(folder) => folder.path(key).display().to_string(),
            Self::Bucket(bucket) => bucket.shown(key),
        }
    }

    /// The repository itself.
    pub(crate) fn shown_root(&self) -> String {
        match self {
            Self::Folder(folder) => folder.root().display().to_string(),
            Self::Bucket(bucket) => bucket.url().to_owned(),
        }
    }
}

/// A file on its way into the store. It is there when it is finished; dropped before that, it may be there in part.
#[derive(Debug)]
pub(crate) enum Sink {
    File(folder::FileSink),
    Upload(bucket::Upload),
}

impl Sink {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Upload(upload) => upload.write(bytes).await,
        }
    }

    /// Ends when everything is stored so that a crash does not lose it.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        match self {
            Self::File(file) => file.finish().await,
            Self::Upload(upload) => upload.finish().await,
        }
    }
}

/// How much is read from a file at a time.
const READ: usize = CHUNK;
