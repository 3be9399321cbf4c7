//! The snapshots on disk.
//!
//! ```text
//! snapshots/<sha256 of the collection's name>/NAME.snapshot            whole from the moment it has this name
//!                                             NAME.snapshot.checksum   its SHA-256
//!           .writing-…                                                 being made or received
//! ```
//!
//! They stay when their collection is deleted. What a killed server was writing is removed on the next start.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::collection::Collection;
use crate::error::{Error, Result};
use crate::files;

const SUFFIX: &str = ".snapshot";
const CHECKSUM_SUFFIX: &str = ".checksum";
const WRITING_PREFIX: &str = ".writing-";
/// The longest name of a file.
const MAX_FILE_NAME: usize = 255;

/// The directory of all snapshots.
#[derive(Debug)]
pub(crate) struct Snapshots {
    directory: PathBuf,
}

/// What is told about a snapshot.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) name: String,
    pub(crate) created: SystemTime,
    pub(crate) bytes: u64,
    /// SHA-256, in hexadecimal.
    pub(crate) checksum: Option<String>,
}

/// A file that is being written; removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It may have been renamed. What cannot be removed now is removed on the next start.
        fs::remove_file(&self.path).unwrap_or_default();
    }
}

impl Snapshots {
    /// Opens the directory, and removes what was not finished.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                for file in fs::read_dir(entry.path())? {
                    remove_without_snapshot(&file?.path())?;
                }
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { directory })
    }

    /// Makes a snapshot of a collection.
    pub(crate) fn create(&self, collection: &Collection) -> Result<Snapshot> {
        let directory = self.of(collection.name());
        fs::create_dir_all(&directory)?;
        let unfinished = self.receive();
        collection.archive(File::create_new(&unfinished.path)?)?;
        let path = directory.join(new_name(collection.name()));
        // The checksum first: with its name the snapshot is complete.
        fs::write(beside(&path), files::sha256(&unfinished.path)?)?;
        fs::rename(&unfinished.path, &path)?;
        files::sync_parent(&path)?;
        describe(&path)?.ok_or_else(|| Error::Internal("the snapshot is gone".into()))
    }

    /// A place for a file that comes from outside.
    pub(crate) fn receive(&self) -> Unfinished {
        Unfinished { path: self.directory.join(format!("{WRITING_PREFIX}{}", Uuid::new_v4())) }
    }

    /// All snapshots of a collection, the oldest first.
    pub(crate) fn list(&self, collection: &str) -> Result<Vec<Snapshot>> {
        let entries = match fs::read_dir(self.of(collection)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut snapshots = Vec::new();
        for entry in entries {
            snapshots.extend(describe(&entry?.path())?);
        }
        snapshots.sort_by(|one, other| (one.created, &one.name).cmp(&(other.created, &other.name)));
        Ok(snapshots)
    }

    /// The file of a snapshot that is there.
    pub(crate) fn path(&self, collection: &str, name: &str) -> Result<PathBuf> {
        let is_plain = name.ends_with(SUFFIX) && !name.starts_with('.') && !name.contains(['/', '\0']);
        Some(self.of(collection).join(name))
            .filter(|path| is_plain && path.is_file())
            .ok_or_else(|| Error::NotFound(format!("Snapshot {name} not found")))
    }

    /// Deletes a snapshot.
    pub(crate) fn delete(&self, collection: &str, name: &str) -> Result<()> {
        let path = self.path(collection, name)?;
        fs::remove_file(&path)?;
        fs::remove_file(beside(&path)).unwrap_or_default();
        Ok(files::sync_parent(&path)?)
    }

    /// The file that a `file://` location names, which has to be one of the snapshots here.
    pub(crate) fn located(&self, location: &str) -> Result<PathBuf> {
        let Some(path) = location.strip_prefix("file://") else {
            return Err(Error::Unsupported("snapshots from another place than file://"));
        };
        let path = Path::new(path.strip_prefix("localhost").unwrap_or(path));
        if !path.is_absolute() {
            return Err(Error::invalid("Invalid snapshot URI, file path must be absolute or on localhost"));
        }
        let Ok(found) = path.canonicalize() else {
            return Err(Error::invalid(format!("Snapshot file {path:?} does not exist")));
        };
        if !found.starts_with(self.directory.canonicalize()?) {
            return Err(Error::invalid("Snapshot file path must be inside the snapshots directory"));
        }
        Ok(found)
    }

    /// A collection's name may not be one for a directory.
    fn of(&self, collection: &str) -> PathBuf {
        self.directory.join(files::hexadecimal(&Sha256::digest(collection)))
    }
}

/// As Qdrant names them: collection, node, time; the collection's name as far as a file's name has room for it.
fn new_name(collection: &str) -> String {
    let rest = format!("-1-{}{SUFFIX}", Timestamp::now().strftime("%Y-%m-%d-%H-%M-%S-%6f"));
    let mut room = MAX_FILE_NAME - rest.len() - CHECKSUM_SUFFIX.len();
    while !collection.is_char_boundary(room.min(collection.len())) {
        room -= 1;
    }
    let start = collection[..room.min(collection.len())].trim_start_matches('.');
    format!("{start}{rest}")
}

fn describe(path: &Path) -> Result<Option<Snapshot>> {
    let name = path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(SUFFIX));
    let Some(name) = name else { return Ok(None) };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(Snapshot {
        name: name.to_owned(),
        created: metadata.modified()?,
        bytes: metadata.len(),
        checksum: fs::read_to_string(beside(path)).ok(),
    }))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(CHECKSUM_SUFFIX);
    name.into()
}

/// Removes a checksum whose snapshot never got its name.
fn remove_without_snapshot(path: &Path) -> io::Result<()> {
    let snapshot = path.to_str().and_then(|path| path.strip_suffix(CHECKSUM_SUFFIX));
    match snapshot {
        Some(snapshot) if !Path::new(snapshot).exists() => fs::remove_file(path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_a_file_system() {
        for collection in ["c", "..", "ü", &"x".repeat(255), &"ü".repeat(127)] {
            let name = new_name(collection);
            assert!(name.len() + CHECKSUM_SUFFIX.len() <= MAX_FILE_NAME, "{name}");
            assert!(!name.starts_with('.') && name.ends_with(SUFFIX), "{name}");
        }
    }

    #[test]
    fn what_was_not_finished_is_removed_and_no_name_leads_elsewhere() {
        let root = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(root.path().join("snapshots")).unwrap();
        let directory = snapshots.of("c");
        fs::create_dir(&directory).unwrap();
        for file in ["whole.snapshot", "whole.snapshot.checksum", "torn.snapshot.checksum"] {
            fs::write(directory.join(file), "ab").unwrap();
        }
        let unfinished = std::mem::ManuallyDrop::new(snapshots.receive());
        fs::write(unfinished.path(), "half").unwrap();
        fs::write(root.path().join("secret.snapshot"), "").unwrap();

        let snapshots = Snapshots::open(root.path().join("snapshots")).unwrap();
        assert!(!unfinished.path().exists() && !directory.join("torn.snapshot.checksum").exists());
        let listed = snapshots.list("c").unwrap();
        assert_eq!(
            listed.iter().map(|one| (one.name.as_str(), one.bytes)).collect::<Vec<_>>(),
            [("whole.snapshot", 2)]
        );
        assert!(snapshots.path("c", "whole.snapshot").is_ok());
        for name in ["../../secret.snapshot", "/etc/passwd", "whole.snapshot.checksum", "", "none.snapshot", "."] {
            assert!(matches!(snapshots.path("c", name), Err(Error::NotFound(_))), "{name}");
        }
        let secret = format!("file://{}", root.path().join("secret.snapshot").display());
        let up = format!("file://{}/../secret.snapshot", snapshots.directory.display());
        for (location, refusal) in [
            (secret.as_str(), "must be inside"),
            (&up, "must be inside"),
            ("file://relative", "must be absolute"),
            ("file:///none.snapshot", "does not exist"),
            ("https://example.com/s.snapshot", "not implemented by the embedded server"),
        ] {
            let error = snapshots.located(location).unwrap_err().to_string();
            assert!(error.contains(refusal), "{location}: {error}");
        }
        let inside = format!("file://{}", directory.join("whole.snapshot").display());
        assert!(snapshots.located(&inside).is_ok());
    }
}
