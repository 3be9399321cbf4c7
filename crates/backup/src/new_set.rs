//! A set while it is being written: it has no manifest, so that nothing lists it, and is gone unless it is published.
//!
//! The file `writing` tells a set that is being written from one that a kill left behind. In a folder it is locked; in a
//! bucket it names the leases of the backup.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hash::Tally;
use crate::lease::is_alive;
use crate::lock::{Locks, token, try_lock};
use crate::manifest::{MANIFEST, ManifestFile};
use crate::seal::{Keys, SUFFIX, Sealer};
use crate::store::{Bucket, Folder, Sink, Store, detached};
use crate::{Error, Manifest, SetId};

/// The file that says that somebody writes the set.
pub(crate) const WRITING: &str = "writing";
const WRITING_LIMIT: u64 = 64 * 1024;
/// How many ids are tried: two backups of one second have the same one once in 65,536 times.
const ATTEMPTS: u32 = 8;

/// What `writing` holds in a bucket.
#[derive(Debug, Serialize, Deserialize)]
struct Writing {
    token: String,
    leases: Vec<String>,
}

/// A set that is not whole yet. Dropped before it is published, it is removed.
#[derive(Debug)]
pub(crate) struct NewSet {
    pub(crate) id: SetId,
    store: Store,
    keys: Keys,
    files: u32,
    is_settled: bool,
    /// The lock on `writing`.
    _writing: Option<File>,
}

impl NewSet {
    /// Takes an id that no set has.
    pub(crate) async fn reserve(store: &Store, keys: &Keys, locks: &Locks, created: Timestamp) -> Result<Self, Error> {
        for _ in 0..ATTEMPTS {
            let id = SetId::new(created);
            let writing = match store {
                Store::Folder(folder) => reserve_folder(folder, &id)?.map(Some),
                Store::Bucket(bucket) => reserve_in_bucket(bucket, &id, locks).await?.then_some(None),
            };
            if let Some(writing) = writing {
                let (store, keys) = (store.clone(), keys.clone());
                return Ok(Self { id, store, keys, files: 0, is_settled: false, _writing: writing });
            }
        }
        Err(Error::NoId(created))
    }

    /// A new file. In an encrypted set its name tells nothing.
    pub(crate) fn file(&mut self, name: &str, role: &str) -> Result<FileWriter, Error> {
        self.files += 1;
        let sealer = self.keys.sealer()?;
        let name = if sealer.is_some() { format!("{}{SUFFIX}", self.files) } else { name.to_owned() };
        let shown = self.store.shown(&self.key(&name));
        let sink = self.store.sink(&self.key(&name))?;
        let (tally, role) = (Tally::new(), role.to_owned());
        Ok(FileWriter { name, role, shown, sink, sealer, tally, plain_bytes: 0 })
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.id)
    }

    /// Writes the manifest, which makes it a set. The files are stored already.
    pub(crate) async fn publish(mut self, manifest: &Manifest, locks: &Locks) -> Result<(), Error> {
        let path = self.store.shown(&self.key(MANIFEST));
        let text = manifest.text().map_err(std::io::Error::from);
        let mut bytes = text.map_err(Error::io("write", Path::new(&path)))?.into_bytes();
        let name = match self.keys.sealer()? {
            Some(sealer) => {
                bytes = sealer.seal_all(&bytes).map_err(Error::Seal)?;
                format!("{MANIFEST}{SUFFIX}")
            }
            None => MANIFEST.to_owned(),
        };
        self.check(manifest).await?;
        locks.check().await?;
        if !self.store.create(&self.key(&name), bytes).await? {
            return Err(Error::TakenAway(self.id.clone()));
        }
        self.is_settled = true;
        // Where this fails, `writing` is left in a set that is whole, and means nothing there.
        drop(self.store.delete(&self.key(WRITING)).await);
        Ok(())
    }

    /// Whether everything is there that is to be published: nobody may have cleaned it away.
    async fn check(&self, manifest: &Manifest) -> Result<(), Error> {
        let stored = self.store.files(&self.id).await?;
        let is_stored = |file: &ManifestFile| stored.iter().any(|it| it.name == file.name && it.bytes == file.bytes);
        if manifest.files().all(is_stored) { Ok(()) } else { Err(Error::TakenAway(self.id.clone())) }
    }

    /// Removes what there is of it after a failure.
    pub(crate) async fn discard(mut self) {
        self.is_settled = true;
        // What cannot be removed now is for `prune`.
        drop(remove(&self.store, &self.id).await);
    }
}

impl Drop for NewSet {
    /// The work was interrupted.
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        match &self.store {
            Store::Folder(folder) => drop(std::fs::remove_dir_all(folder.path(self.id.as_str()))),
            Store::Bucket(bucket) => {
                let id = self.id.clone();
                detached(bucket, |bucket| async move { drop(remove(&Store::Bucket(bucket), &id).await) });
            }
        }
    }
}

/// Creates the set's folder with its locked file; `None` when the id is taken, or it was taken for left behind in the
/// moment before it was locked.
fn reserve_folder(folder: &Folder, id: &SetId) -> Result<Option<File>, Error> {
    if !folder.create_set(id)? {
        return Ok(None);
    }
    let path = folder.path(id.as_str()).join(WRITING);
    let mut options = OpenOptions::new();
    let file = match options.write(true).create_new(true).mode(0o600).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("create", &path)(error)),
    };
    let is_ours = try_lock(&file, &path)? && is_at(&file, &path);
    Ok(is_ours.then_some(file))
}

/// Whether an open file is still the one at a path.
fn is_at(file: &File, path: &Path) -> bool {
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (open, there) = (file.metadata().map(place), std::fs::metadata(path).map(place));
    open.is_ok_and(|open| there.is_ok_and(|there| open == there))
}

async fn reserve_in_bucket(bucket: &Bucket, id: &SetId, locks: &Locks) -> Result<bool, Error> {
    let writing = Writing { token: locks.token.clone(), leases: locks.leases() };
    let bytes = serde_json::to_vec(&writing).unwrap_or_default();
    Ok(bucket.create(&format!("{id}/{WRITING}"), bytes.into()).await?.is_some())
}

/// Removes a set: the manifest first, so that what is left of it is no set.
pub(crate) async fn remove(store: &Store, id: &SetId) -> Result<(), Error> {
    let mut files = store.files(id).await?;
    files.sort_by_key(|file| !is_manifest(&file.name));
    for file in files {
        store.delete(&format!("{id}/{}", file.name)).await?;
    }
    store.forget(id);
    Ok(())
}

/// Whether a file is what makes a set.
pub(crate) fn is_manifest(name: &str) -> bool {
    name.strip_suffix(SUFFIX).unwrap_or(name) == MANIFEST
}

/// The right to remove what is left of a set.
#[derive(Debug)]
pub(crate) struct Claim {
    _writing: Option<File>,
}

/// Claims what is left of a set that was never published, or was not removed to the end; `None` when somebody writes it,
/// or has published it meanwhile.
pub(crate) async fn claim_unfinished(store: &Store, id: &SetId) -> Result<Option<Claim>, Error> {
    let writing = match store {
        Store::Folder(folder) => {
            let path = folder.path(id.as_str()).join(WRITING);
            match File::open(&path) {
                Ok(file) if !try_lock(&file, &path)? => return Ok(None),
                Ok(file) => Some(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(Error::io("read", &path)(error)),
            }
        }
        Store::Bucket(bucket) => {
            if is_written(bucket, id).await? {
                return Ok(None);
            }
            None
        }
    };
    // Only now: what was published before its lock was free shows its manifest.
    let is_set = store.files(id).await?.iter().any(|file| is_manifest(&file.name));
    Ok((!is_set).then_some(Claim { _writing: writing }))
}

/// Whether somebody writes a set in a bucket: one who is alive holds one of the leases that it names.
async fn is_written(bucket: &Bucket, id: &SetId) -> Result<bool, Error> {
    let store = Store::Bucket(bucket.clone());
    let Some(bytes) = store.read(&format!("{id}/{WRITING}"), WRITING_LIMIT).await? else { return Ok(false) };
    let Ok(writing) = serde_json::from_slice::<Writing>(&bytes) else { return Ok(false) };
    let now = bucket.now(&format!("locks/clock-{}", token())).await?;
    for lease in &writing.leases {
        // As it was read from the bucket, it may lead anywhere; leases are nowhere else.
        if lease.starts_with("locks/") && is_alive(bucket, lease, &writing.token, now).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A file of a new set on its way: encrypted if need be, counted, hashed and stored in one pass.
#[derive(Debug)]
pub(crate) struct FileWriter {
    name: String,
    role: String,
    /// Where it goes, for messages.
    pub(crate) shown: String,
    sink: Sink,
    sealer: Option<Sealer>,
    tally: Tally,
    plain_bytes: u64,
}

impl FileWriter {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.plain_bytes += bytes.len() as u64;
        match &mut self.sealer {
            Some(sealer) => {
                let sealed = sealer.seal(bytes).map_err(Error::Seal)?;
                self.store(&sealed).await
            }
            None => self.store(bytes).await,
        }
    }

    async fn store(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.tally.add(bytes);
        self.sink.write(bytes).await
    }

    /// Ends when the file is stored; gives what the manifest says of it.
    pub(crate) async fn finish(mut self) -> Result<ManifestFile, Error> {
        if let Some(sealer) = self.sealer.take() {
            let sealed = sealer.finish().map_err(Error::Seal)?;
            self.store(&sealed).await?;
        }
        self.sink.finish().await?;
        let (bytes, sha256) = self.tally.finish();
        Ok(ManifestFile { name: self.name, role: self.role, bytes, sha256, plain_bytes: self.plain_bytes })
    }
}
