//! Locks of a repository: one backup of a target at a time.
//!
//! In a folder they are `flock`s, which the system lets go when a process ends, however it ends. The files stay: removing
//! one would let two processes hold "the" lock on two files. A program that is started meanwhile does not inherit them.
//! In a bucket they are [leases](Lease). The files are named by a hash of the target's name, so that they tell nothing.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::hash::sha256;
use crate::lease::{Lease, release_detached};
use crate::store::{Folder, Store};

const FOLDER: &str = "locks";

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id, on its host.
    pub pid: u32,
    /// The host it runs on; empty where the repository is not to tell.
    pub host: String,
    /// Since when it has the lock.
    pub since: Timestamp,
}

impl Holder {
    /// This process. What is encrypted is not to tell where it came from.
    fn this_process(is_encrypted: bool) -> Self {
        let host = if is_encrypted { String::new() } else { host_name() };
        Self { pid: std::process::id(), host, since: Timestamp::now() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, self.host.as_str()) {
            (0, _) => f.write_str("another process"),
            (pid, "") => write!(f, "process {pid} since {:.0}", self.since),
            (pid, host) => write!(f, "process {pid} on {host} since {:.0}", self.since),
        }
    }
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Something that no other process has. Seeded at random each time.
pub(crate) fn token() -> String {
    let random = || RandomState::new().hash_one(Timestamp::now().as_nanosecond());
    format!("{:016x}{:016x}", random(), random())
}

/// The locks of a running backup; dropped, they are free.
#[derive(Debug)]
pub(crate) struct Locks {
    store: Store,
    /// Of leases: whose they are.
    pub(crate) token: String,
    held: Vec<Held>,
}

#[derive(Debug)]
enum Held {
    File { _locked: File },
    Lease(Lease),
}

impl Locks {
    /// Takes the lock of each target.
    pub(crate) async fn take(store: &Store, targets: &[&str], is_encrypted: bool) -> Result<Self, Error> {
        let mut locks = Self { store: store.clone(), token: token(), held: Vec::new() };
        let holder = Holder::this_process(is_encrypted);
        for target in targets {
            let key = format!("{FOLDER}/{}", &sha256(target.as_bytes())[..16]);
            let held = match store {
                Store::Folder(folder) => lock_file(folder, &key, &holder).map(|file| Held::File { _locked: file }),
                Store::Bucket(bucket) => Lease::take(bucket, &key, &locks.token, &holder).await.map(Held::Lease),
            };
            match held {
                Ok(held) => locks.held.push(held),
                Err(Refused::Held(holder)) => {
                    locks.release().await;
                    return Err(Error::Locked { target: (*target).into(), holder });
                }
                Err(Refused::Failed(error)) => {
                    locks.release().await;
                    return Err(*error);
                }
            }
        }
        Ok(locks)
    }

    /// The keys of the leases among them.
    pub(crate) fn leases(&self) -> Vec<String> {
        let key = |held: &Held| match held {
            Held::Lease(lease) => Some(lease.key().to_owned()),
            Held::File { .. } => None,
        };
        self.held.iter().filter_map(key).collect()
    }

    /// Whether they are still held: a lease is lost when the service could not be reached for minutes.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        for held in &self.held {
            if let Held::Lease(lease) = held
                && !lease.is_held().await?
            {
                return Err(Error::LostLock);
            }
        }
        Ok(())
    }

    /// Lets them go.
    pub(crate) async fn release(mut self) {
        for held in std::mem::take(&mut self.held) {
            if let Held::Lease(lease) = held {
                lease.release().await;
            }
        }
    }
}

impl Drop for Locks {
    /// The work was interrupted, if there are any left.
    fn drop(&mut self) {
        if let Store::Bucket(bucket) = &self.store
            && !self.held.is_empty()
        {
            release_detached(bucket, self.leases(), self.token.clone());
        }
    }
}

/// Why a lock was not given.
pub(crate) enum Refused {
    Held(Holder),
    Failed(Box<Error>),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(Box::new(error))
    }
}

fn lock_file(folder: &Folder, key: &str, holder: &Holder) -> Result<File, Refused> {
    folder.create_folders(FOLDER)?;
    let path = folder.path(key);
    let mut file = open(&path)?;
    match try_lock(&file, &path)? {
        true => {}
        false => return Err(Refused::Held(read_holder(&mut file))),
    }
    let text = serde_json::to_string(holder).unwrap_or_default();
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

/// Takes a file's lock, unless another process has it.
pub(crate) fn try_lock(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
    }
}

/// What the holder wrote; nobody in particular when it has not come to that yet.
fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    read.unwrap_or(Holder { pid: 0, host: String::new(), since: Timestamp::UNIX_EPOCH })
}

#[cfg(test)]
mod tests {
    use super::Locks;
    use crate::store::Store;
    use crate::{Error, Location};

    #[tokio::test]
    async fn a_target_is_locked_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&Location::Folder(folder.path().join("new"))).expect("a folder");
        let first = Locks::take(&store, &["a", "b"], false).await.expect("free");
        let refused = Locks::take(&store, &["c", "b"], false).await.expect_err("held");
        let Error::Locked { target, holder } = refused else { panic!("{refused}") };
        assert_eq!((target.as_str(), holder.pid), ("b", std::process::id()));
        let other = Locks::take(&store, &["c"], true).await.expect("another target");
        let refused = Locks::take(&store, &["c"], false).await.expect_err("held").to_string();
        let told = format!("target `c` is being backed up by process {} since ", std::process::id());
        assert!(refused.starts_with(&told), "{refused}");
        drop((first, other));
        Locks::take(&store, &["b", "c"], false).await.expect("free again");
    }
}
