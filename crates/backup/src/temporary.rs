//! Folders for what is on this machine only while dbops works: copies that were decrypted, archives on their way into a
//! set, lists for pg_restore.
//!
//! Each holds a file that is locked. Where nobody has the lock the process was killed, and the next one that needs a
//! folder removes what it left: it may be readable only there.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Once;

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::Error;

const PREFIX: &str = "dbops-tmp-";
const LOCK: &str = ".lock";

/// A folder that only this user can read; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    // Before the lock: nobody else is to remove it meanwhile.
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Creates one, and once in a process removes those that killed processes of this user left.
    pub(crate) fn create() -> Result<Self, Error> {
        static REMOVED: Once = Once::new();
        let parent = std::env::temp_dir();
        REMOVED.call_once(|| remove_left_over(&parent));
        Self::create_in(&parent).map_err(Error::io("create a temporary folder in", &parent))
    }

    fn create_in(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // It has its name once it is locked, so that nobody finds it free.
        let unnamed = folder.path().join(".lock.new");
        let lock = File::create_new(&unnamed)?;
        // Where the filesystem knows no locks nobody can find it free either.
        drop(lock.try_lock());
        fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn remove_left_over(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|it| it.is_dir() && it.uid() == geteuid().as_raw());
        let Some(lock) = is_ours.then(|| File::open(entry.path().join(LOCK)).ok()).flatten() else { continue };
        if lock.try_lock().is_ok() {
            // What cannot be removed is left for the next time.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Folder, remove_left_over};

    #[test]
    fn what_nobody_has_is_removed() {
        let parent = tempfile::tempdir().expect("a folder");
        let held = Folder::create_in(parent.path()).expect("a folder");
        let (left, strange) = (parent.path().join("dbops-tmp-left"), parent.path().join("dbops-tmp-strange"));
        for folder in [&left, &strange] {
            fs::create_dir(folder).expect("a folder");
            fs::write(folder.join("copy"), "rows").expect("a file");
        }
        fs::write(left.join(".lock"), "").expect("a file");
        remove_left_over(parent.path());
        assert!(!left.exists() && strange.exists() && held.path(".lock").exists());
        drop(held);
        assert_eq!(fs::read_dir(parent.path()).expect("a folder").count(), 1);
    }
}
