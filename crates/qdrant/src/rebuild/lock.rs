//! One rebuild of a collection at a time, on this machine: a `flock`, which goes with the process that holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::record::{create_folder, failed};
use crate::{Error, Server};

/// The lock of a collection; dropped, it is free.
#[derive(Debug)]
pub struct RebuildLock {
    _file: File,
}

impl Server {
    /// Takes the lock of a declared collection in `folder`. The file stays: removing it would let two processes hold "the"
    /// lock on two files.
    ///
    /// # Errors
    ///
    /// [`Error::Rebuilding`] when another process has it.
    pub fn lock_rebuild(&self, folder: &Path, collection: &str) -> Result<RebuildLock, Error> {
        create_folder(folder)?;
        let digest = Sha256::digest(format!("{} {collection}", self.addresses()));
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join(format!("{name}.lock"));
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(failed("write", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(RebuildLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Rebuilding(collection.into())),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }
}
