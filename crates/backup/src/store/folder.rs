//! A repository in a folder. What is created is for this user alone, and is on the disk when a call returns.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tempfile::NamedTempFile;

use super::{ByteStream, READ, StoredFile};
use crate::{Error, SetId};

/// Small files that are being written, which takes no lock: a verification goes on beside a backup.
const WRITING: &str = ".writing-";
/// Nobody writes a small file for so long.
const WRITING_LIMIT: Duration = Duration::from_secs(60 * 60);

/// A folder of sets, which the first backup creates.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Creates a folder in the repository, with those above it.
    pub(crate) fn create_folders(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(Error::io("create", &path))
    }

    /// Creates the folder of a set; `false` when there is one.
    pub(crate) fn create_set(&self, id: &SetId) -> Result<bool, Error> {
        let path = self.path(id.as_str());
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => sync(&self.root).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::io("create", &path)(error)),
        }
    }

    pub(super) fn sets(&self) -> Result<BTreeMap<SetId, Vec<StoredFile>>, Error> {
        let mut sets = BTreeMap::new();
        for entry in entries(&self.root)? {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if let Some(id) = entry.file_name().to_str().and_then(SetId::parse).filter(|_| is_folder) {
                let files = self.files(&id)?;
                sets.insert(id, files);
            }
        }
        Ok(sets)
    }

    pub(super) fn files(&self, id: &SetId) -> Result<Vec<StoredFile>, Error> {
        let file = |entry: DirEntry| {
            let metadata = entry.metadata().ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Some(StoredFile { name, bytes: metadata.len(), is_regular: metadata.is_file() })
        };
        let mut files: Vec<_> = entries(&self.path(id.as_str()))?.into_iter().filter_map(file).collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    pub(super) fn sink(&self, key: &str) -> Result<FileSink, Error> {
        let path = self.path(key);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(Error::io("create", &path))?;
        Ok(FileSink { file, path })
    }

    pub(super) fn create(&self, key: &str, bytes: &[u8]) -> Result<bool, Error> {
        let path = self.path(key);
        let failed = || Error::io("create", &path);
        match self.written(bytes).map_err(failed())?.persist_noclobber(&path) {
            Ok(_) => sync_above(&path).map(|()| true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failed()(error.error)),
        }
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(key);
        let put = || {
            self.written(bytes)?.persist(&path)?;
            Ok(())
        };
        put().map_err(Error::io("write", &path))?;
        sync_above(&path)
    }

    /// Bytes under a temporary name.
    fn written(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix(WRITING).tempfile_in(&self.root)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    pub(super) fn read(&self, key: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(key);
        let failed = || Error::io("read", &path);
        let Some(file) = open(&path).map_err(failed())? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map_err(failed())?;
        if bytes.len() as u64 > limit {
            return Err(Error::TooLarge { file: path.display().to_string(), limit });
        }
        Ok(Some(bytes))
    }

    pub(super) fn stream(&self, key: &str) -> Result<ByteStream, Error> {
        let path = self.path(key);
        let file = File::open(&path).map_err(Error::io("read", &path))?;
        Ok(Box::pin(stream::unfold(Some(file), |file| async {
            let mut file = file?;
            let mut buffer = vec![0; READ];
            // A chunk takes a millisecond; in between, an interruption must be able to get a word in.
            tokio::task::yield_now().await;
            match file.read(&mut buffer) {
                Ok(0) => None,
                Ok(count) => {
                    buffer.truncate(count);
                    Some((Ok(Bytes::from(buffer)), Some(file)))
                }
                Err(error) => Some((Err(error), None)),
            }
        })))
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), Error> {
        let path = self.path(key);
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", &path)(error)),
            _ => sync_above(&path),
        }
    }

    pub(super) fn forget(&self, id: &SetId) {
        drop(fs::remove_dir(self.path(id.as_str())));
    }

    /// Removes the temporary files that killed processes left.
    pub(crate) fn remove_stale_files(&self) -> Result<(), Error> {
        for entry in entries(&self.root)? {
            if entry.file_name().to_string_lossy().starts_with(WRITING) && is_old(&entry) {
                self.delete(&entry.file_name().to_string_lossy())?;
            }
        }
        Ok(())
    }
}

fn is_old(entry: &DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > WRITING_LIMIT))
}

/// What is in a folder; nothing when it is not there.
fn entries(path: &Path) -> Result<Vec<DirEntry>, Error> {
    match fs::read_dir(path).and_then(Iterator::collect) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries.map_err(Error::io("read", path)),
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}

/// Makes what was created, renamed or removed in a folder survive a crash of the machine.
fn sync(folder: &Path) -> Result<(), Error> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("sync", folder)(error)),
        _ => Ok(()),
    }
}

fn sync_above(path: &Path) -> Result<(), Error> {
    path.parent().map_or(Ok(()), sync)
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct FileSink {
    file: File,
    path: PathBuf,
}

impl FileSink {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))
    }

    pub(super) async fn finish(self) -> Result<(), Error> {
        let Self { file, path } = self;
        // Syncing gigabytes takes a while, in which an interruption must be heard.
        let synced = tokio::task::spawn_blocking(move || file.sync_all()).await;
        synced.unwrap_or_else(|error| Err(error.into())).map_err(Error::io("write", &path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::Folder;

    #[test]
    fn cleaning_leaves_what_is_being_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Folder::new(folder.path());
        let path = |name: &str| folder.path().join(name);
        fs::write(path("notes"), "").expect("a file");
        let being_written = store.written(b"1").expect("a file");
        let killed = store.written(b"2").expect("a file");
        killed.as_file().set_modified(SystemTime::now() - Duration::from_secs(2 * 60 * 60)).expect("a time");
        let (_, killed) = killed.keep().expect("a file");
        store.remove_stale_files().expect("cleaned");
        assert!(!killed.exists() && path("notes").exists());
        being_written.persist(path("verify.json")).expect("still there");
    }

    #[test]
    fn a_file_is_created_once_and_read_up_to_a_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Folder::new(folder.path());
        assert_eq!(store.create("a", b"first").ok(), Some(true));
        assert_eq!(store.create("a", b"second").ok(), Some(false));
        assert_eq!(store.read("a", 5).ok(), Some(Some(b"first".to_vec())));
        assert!(store.read("a", 4).expect_err("too large").to_string().contains("is larger than 4 bytes"));
        assert_eq!(store.read("b", 4).ok(), Some(None));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no temporary file is left");
    }
}
