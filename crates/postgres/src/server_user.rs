//! The account that servers run under: PostgreSQL refuses to run as root.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::ClusterError;

/// An unprivileged account that stands in for root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUser {
    name: String,
    uid: u32,
    gid: u32,
}

impl ServerUser {
    /// `None` unless this process runs as root: then the account `postgres`, else `nobody`.
    ///
    /// # Errors
    ///
    /// When there is neither, or `/etc/passwd` cannot be read.
    pub fn for_servers() -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        let find = |name: &str| accounts.lines().find_map(|line| Self::from_passwd_line(line, name));
        match find("postgres").or_else(|| find("nobody")) {
            Some(user) => Ok(Some(user)),
            None => {
                Err(io::Error::other("PostgreSQL does not run as root, and there is no account `postgres` or `nobody`"))
            }
        }
    }

    /// The account for a server on this data: the folder's owner, so that what an ordinary user made stays usable.
    pub(crate) fn for_data(data: &Path) -> io::Result<Option<Self>> {
        let user = Self::for_servers()?;
        let owner = fs::metadata(data).ok().filter(|it| user.is_some() && it.uid() != 0);
        Ok(owner.map(|it| Self { name: it.uid().to_string(), uid: it.uid(), gid: it.gid() }).or(user))
    }

    fn from_passwd_line(line: &str, name: &str) -> Option<Self> {
        let fields: Vec<_> = line.split(':').collect();
        let [account, _, uid, gid, ..] = fields[..] else { return None };
        let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
        (account == name && uid != 0).then(|| Self { name: name.into(), uid, gid })
    }

    /// The account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the command run under this account.
    pub(crate) fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a folder or file to this account.
    ///
    /// # Errors
    ///
    /// When the owner cannot be changed.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
    }

    /// As [`can_reach`](Self::can_reach), for those who go on only if it can.
    pub(crate) fn check_reach(&self, folder: &Path) -> Result<(), ClusterError> {
        if self.can_reach(folder) {
            return Ok(());
        }
        Err(ClusterError::Unreachable { folder: folder.into(), user: self.name.clone() })
    }

    /// Whether this account may pass through every folder that leads to `path`.
    #[must_use]
    pub fn can_reach(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        path.ancestors().all(|folder| self.may(folder, 0o1))
    }

    /// Whether this account may make and remove things in a folder.
    pub(crate) fn can_write(&self, folder: &Path) -> bool {
        self.may(folder, 0o3)
    }

    /// Whether the bits that count for this account hold these: 1 to enter, 2 to write.
    fn may(&self, folder: &Path, bits: u32) -> bool {
        let Ok(metadata) = fs::metadata(folder) else { return false };
        let shift = if metadata.uid() == self.uid {
            6
        } else if metadata.gid() == self.gid {
            3
        } else {
            0
        };
        metadata.mode() >> shift & bits == bits
    }
}
