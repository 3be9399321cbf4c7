//! Comparing a set with its manifest, byte by byte, and remembering the outcome.

use std::fmt;
use std::fs::{self, File};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hash::hash_file;
use crate::manifest::MANIFEST;
use crate::partial::write_whole;
use crate::{Error, Event, Manifest, ManifestTarget, Repository, Set};

/// The file's name in the set.
const VERIFICATION: &str = "verify.json";

/// One file of a set that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its name.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file, self.reason)
    }
}

/// The outcome of comparing a set with its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// When it was done.
    pub at: Timestamp,
    /// What was found; nothing when the set is whole.
    pub problems: Vec<Problem>,
}

impl Verification {
    /// The last outcome that was stored in a set's folder.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(folder.join(VERIFICATION)).ok()?).ok()
    }

    /// Stores the outcome in the set, for the listing.
    ///
    /// # Errors
    ///
    /// When the set cannot be written to, as on a medium that is read only.
    pub fn store(&self, repository: &Repository, set: &Set) -> Result<(), Error> {
        let path = set.path.join(VERIFICATION);
        let text =
            serde_json::to_string_pretty(self).map_err(std::io::Error::from).map_err(Error::io("write", &path))?;
        write_whole(repository.folder(), &path, &format!("{text}\n"))
    }
}

/// Compares every byte of a set with its manifest, and looks for files that do not belong to it.
///
/// # Errors
///
/// When a file that is there cannot be read.
pub async fn verify(set: &Set, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Verification, Error> {
    let problems = match &set.manifest {
        Ok(manifest) => problems(set, manifest, on_event).await?,
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.strip_prefix(MANIFEST).unwrap_or(&reason).trim_start().to_owned();
            vec![Problem { file: MANIFEST.into(), reason }]
        }
    };
    Ok(Verification { at: Timestamp::now(), problems })
}

async fn problems(set: &Set, manifest: &Manifest, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    for target in &manifest.targets {
        on_event(Event::Checking { file: &target.file });
        problems.extend(check(&set.path, target, on_event).await?);
    }
    for entry in fs::read_dir(&set.path).map_err(Error::io("read", &set.path))? {
        let name = entry.map_err(Error::io("read", &set.path))?.file_name().to_string_lossy().into_owned();
        let is_known = name == MANIFEST || name == VERIFICATION || manifest.targets.iter().any(|t| t.file == name);
        if !is_known {
            problems.push(Problem { file: name, reason: "is not in the manifest".into() });
        }
    }
    Ok(problems)
}

/// Compares one archive with the manifest.
pub(crate) async fn check(
    folder: &Path,
    target: &ManifestTarget,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Option<Problem>, Error> {
    let path = folder.join(&target.file);
    let problem = |reason: String| Ok(Some(Problem { file: target.file.clone(), reason }));
    // Not following a link: what it leads to is not part of the set.
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return problem("is missing".into()),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    if !metadata.is_file() {
        return problem("is not a regular file".into());
    }
    if metadata.len() != target.bytes {
        return problem(format!("has {} bytes, and the manifest says {}", metadata.len(), target.bytes));
    }
    let file = File::open(&path).map_err(Error::io("read", &path))?;
    let hashed = hash_file(file, &mut |bytes| on_event(Event::Bytes(bytes))).await;
    let (_, sha256) = hashed.map_err(Error::io("read", &path))?;
    if !sha256.eq_ignore_ascii_case(&target.sha256) {
        return problem(format!("has the SHA-256 {sha256}, and the manifest says {}", target.sha256));
    }
    Ok(None)
}
