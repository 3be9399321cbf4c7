//! Locks of a repository: one backup of a target at a time, and no cleaning up under a running one.
//!
//! They are `flock`s, which the system lets go when a process ends, however it ends. The files stay: removing one would
//! let two processes hold "the" lock on two files. A program that is started meanwhile does not inherit them.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::manifest::is_plain_name;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id, on its host.
    pub pid: u32,
    /// The host it runs on.
    pub host: String,
    /// Since when it has the lock.
    pub since: Timestamp,
}

impl Holder {
    fn this_process() -> Self {
        Self { pid: std::process::id(), host: host_name(), since: Timestamp::now() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("another process");
        }
        write!(f, "process {} on {} since {:.0}", self.pid, self.host, self.since)
    }
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The locks of a running backup; dropped, they are free.
#[derive(Debug)]
pub(crate) struct BackupLocks {
    _targets: Vec<File>,
    _repository: File,
}

impl BackupLocks {
    /// Takes the lock of each target. When no other backup runs in the repository, `clean` is called before any can.
    pub(crate) fn take(
        folder: &Path,
        targets: &[&str],
        clean: impl FnOnce() -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let held = targets.iter().map(|target| lock_target(folder, target)).collect::<Result<_, _>>()?;
        let path = folder.join(".lock");
        let repository = open(&path)?;
        match repository.try_lock() {
            Ok(()) => {
                clean()?;
                // Others may clean before the lock is taken again: there is nothing of ours to remove yet.
                repository.unlock().map_err(Error::io("unlock", &path))?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        repository.lock_shared().map_err(Error::io("lock", &path))?;
        Ok(Self { _targets: held, _repository: repository })
    }
}

fn lock_target(folder: &Path, target: &str) -> Result<File, Error> {
    if !is_plain_name(target) {
        return Err(Error::TargetName(target.into()));
    }
    let path = folder.join(format!(".lock-{target}"));
    let mut file = open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Error::Locked { target: target.into(), holder: holder(&mut file) });
        }
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
    }
    let text = serde_json::to_string(&Holder::this_process()).unwrap_or_default();
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{text}"))
        .map_err(Error::io("write", &path))?;
    Ok(file)
}

fn open(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(Error::io("write", path))
}

/// What the holder wrote; nobody in particular when it has not come to that yet.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    read.unwrap_or(Holder { pid: 0, host: String::new(), since: Timestamp::UNIX_EPOCH })
}

#[cfg(test)]
mod tests {
    use super::BackupLocks;
    use crate::Error;

    #[test]
    fn a_target_is_locked_once_and_cleaning_needs_the_repository_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut cleaned = 0;
        let first = BackupLocks::take(folder.path(), &["a", "b"], || {
            cleaned += 1;
            Ok(())
        });
        let first = first.expect("free");
        let refused = BackupLocks::take(folder.path(), &["c", "b"], || unreachable!("not alone")).expect_err("held");
        let Error::Locked { target, holder } = refused else { panic!("{refused}") };
        assert_eq!((target.as_str(), holder.pid), ("b", std::process::id()));
        let other = BackupLocks::take(folder.path(), &["c"], || unreachable!("not alone")).expect("another target");
        drop((first, other));
        let again = BackupLocks::take(folder.path(), &["b"], || {
            cleaned += 1;
            Ok(())
        });
        again.expect("free again");
        assert_eq!(cleaned, 2);
        assert!(matches!(BackupLocks::take(folder.path(), &["../x"], || Ok(())), Err(Error::TargetName(_))));
    }
}
