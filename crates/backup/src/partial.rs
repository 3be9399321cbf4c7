//! A set while it is being written: under a name that nothing lists, and gone unless it is published.

use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::manifest::MANIFEST;
use crate::{Error, Manifest, SetId};

const PREFIX: &str = ".partial-";
/// Single files that are being written, which takes no lock: a verification goes on beside a backup.
const FILE_PREFIX: &str = ".writing-";
/// Nobody writes a single file for so long.
const FILE_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The folder of a set that is not whole yet. Dropped before it is published, it is removed.
#[derive(Debug)]
pub(crate) struct PartialSet {
    repository: PathBuf,
    path: PathBuf,
    is_published: bool,
}

/// Where a set of this id is while it is not whole.
pub(crate) fn partial_path(repository: &Path, id: &SetId) -> PathBuf {
    repository.join(format!("{PREFIX}{id}"))
}

/// Creates the repository's folder, and those above it, for this user alone.
pub(crate) fn create_repository(folder: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::io("create", folder))
}

/// Removes what killed backups and deletions left. Only for who holds the whole repository's lock.
pub(crate) fn remove_stale(repository: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(repository).map_err(Error::io("read", repository))? {
        let entry = entry.map_err(Error::io("read", repository))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) || name.starts_with(FILE_PREFIX) && is_old(&entry) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn is_old(entry: &DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > FILE_LIMIT))
}

/// Removes a file or folder that may be gone already.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes what was created, renamed or removed in a folder survive a crash of the machine.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", path))
}

fn temporary_file(repository: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(FILE_PREFIX).tempfile_in(repository)
}

/// Writes a file under a temporary name in `repository`, and moves it to `path` once it is on the disk.
pub(crate) fn write_whole(repository: &Path, path: &Path, text: &str) -> Result<(), Error> {
    let write = || -> io::Result<()> {
        let mut file = temporary_file(repository)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(Error::io("write", path))
}

impl PartialSet {
    pub(crate) fn create(repository: &Path, id: &SetId) -> Result<Self, Error> {
        let path = partial_path(repository, id);
        DirBuilder::new().mode(0o700).create(&path).map_err(Error::io("create", &path))?;
        Ok(Self { repository: repository.to_path_buf(), path, is_published: false })
    }

    /// A new file in the set, and its path for messages.
    pub(crate) fn file(&self, name: &str) -> Result<(File, PathBuf), Error> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path).map_err(Error::io("create", &path))?;
        Ok((file, path))
    }

    /// Writes the manifest, makes everything survive a crash, and gives the set its name.
    ///
    /// The other files are on the disk already.
    pub(crate) fn publish(mut self, manifest: &Manifest) -> Result<PathBuf, Error> {
        let (mut file, path) = self.file(MANIFEST)?;
        let text =
            serde_json::to_string_pretty(manifest).map_err(io::Error::from).map_err(Error::io("write", &path))?;
        writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(Error::io("write", &path))?;
        sync_folder(&self.path)?;
        let published = self.repository.join(manifest.id.as_str());
        fs::rename(&self.path, &published).map_err(Error::io("create", &published))?;
        self.is_published = true;
        sync_folder(&self.repository)?;
        Ok(published)
    }
}

impl Drop for PartialSet {
    fn drop(&mut self) {
        if !self.is_published {
            // What cannot be removed now is removed by the next backup.
            drop(remove(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::{remove_stale, temporary_file};

    #[test]
    fn cleaning_leaves_what_is_being_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path(".partial-20261123T021500Z-1a2b")).expect("a folder");
        fs::write(path("notes"), "").expect("a file");
        let being_written = temporary_file(folder.path()).expect("a file");
        let killed = temporary_file(folder.path()).expect("a file");
        killed.as_file().set_modified(SystemTime::now() - Duration::from_secs(2 * 60 * 60)).expect("a time");
        let (_, killed) = killed.keep().expect("a file");
        remove_stale(folder.path()).expect("cleaned");
        assert!(!path(".partial-20261123T021500Z-1a2b").exists() && !killed.exists() && path("notes").exists());
        being_written.persist(path("verify.json")).expect("still there");
    }
}
