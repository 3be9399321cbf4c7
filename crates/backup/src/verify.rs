//! Comparing a set with its manifest, byte by byte, and remembering the outcome.

use std::fmt;

use futures_util::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hash::Tally;
use crate::manifest::{MANIFEST, ManifestFile, is_sets_own};
use crate::store::{Store, StoredFile};
use crate::{Error, Event, Manifest, Repository, Set, SetId};

/// The file's name in the set. What it says of an encrypted set tells no more than the names and sizes there.
pub(crate) const VERIFICATION: &str = "verify.json";
/// An outcome that is larger is none.
const LIMIT: u64 = 16 * 1024 * 1024;

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
    /// The outcome of the last trial restore.
    #[serde(default)]
    pub restore: Option<TrialRestore>,
}

/// The outcome of restoring a set where nobody is, to see whether it can be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialRestore {
    /// When it was done.
    pub at: Timestamp,
    /// What failed, or came out otherwise than it was backed up.
    pub problems: Vec<Problem>,
    /// The targets that were not tried.
    pub not_tried: Vec<String>,
}

impl Verification {
    /// The last outcome that was stored in a set; one that cannot be read counts as none.
    pub(crate) async fn read(store: &Store, id: &SetId, files: &[StoredFile]) -> Result<Option<Self>, Error> {
        if !files.iter().any(|file| file.name == VERIFICATION && file.is_regular) {
            return Ok(None);
        }
        match store.read(&format!("{id}/{VERIFICATION}"), LIMIT).await {
            Ok(bytes) => Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok())),
            Err(Error::Io { .. } | Error::TooLarge { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores the outcome in the set, for the listing.
    ///
    /// # Errors
    ///
    /// When the set cannot be written to, as on a medium that is read only.
    pub async fn store(&self, repository: &Repository, set: &Set) -> Result<(), Error> {
        let key = format!("{}/{VERIFICATION}", set.id);
        let mut text = serde_json::to_string_pretty(self)
            .map_err(std::io::Error::from)
            .map_err(Error::io("write", repository.store.shown(&key).as_ref()))?;
        text.push('\n');
        repository.store.put(&key, text.into_bytes()).await
    }
}

/// Compares every byte of a set with its manifest, and looks for files that do not belong to it.
///
/// # Errors
///
/// When a file that is there cannot be read, or the set is encrypted and the key was not given.
pub async fn verify(
    repository: &Repository,
    set: &Set,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Verification, Error> {
    if set.is_locked() {
        set.manifest()?;
    }
    let problems = match &set.manifest {
        Ok(manifest) => problems(&repository.store, set, manifest, on_event).await?,
        Err(error) => {
            let reason = error.to_string();
            let reason = reason.strip_prefix(MANIFEST).unwrap_or(&reason).trim_start().to_owned();
            vec![Problem { file: MANIFEST.into(), reason }]
        }
    };
    let restore = set.verification.as_ref().and_then(|earlier| earlier.restore.clone());
    Ok(Verification { at: Timestamp::now(), problems, restore })
}

async fn problems(
    store: &Store,
    set: &Set,
    manifest: &Manifest,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    for file in manifest.files() {
        on_event(Event::Checking { file: &file.name });
        problems.extend(check(store, set, file, on_event).await?);
    }
    for StoredFile { name, .. } in &set.files {
        if !is_sets_own(name) && !manifest.files().any(|file| file.name == *name) {
            problems.push(Problem { file: name.clone(), reason: "is not in the manifest".into() });
        }
    }
    Ok(problems)
}

/// Compares one file with the manifest.
async fn check(
    store: &Store,
    set: &Set,
    file: &ManifestFile,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Option<Problem>, Error> {
    if let Some(problem) = outward_problem(set, file) {
        return Ok(Some(problem));
    }
    let key = format!("{}/{}", set.id, file.name);
    let mut stream = store.stream(&key).await?;
    let mut tally = Tally::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(Error::io("read", store.shown(&key).as_ref()))?;
        tally.add(&chunk);
        on_event(Event::Bytes(chunk.len() as u64));
    }
    Ok(hash_problem(file, tally))
}

/// What the listing tells to be wrong with a file.
pub(crate) fn outward_problem(set: &Set, file: &ManifestFile) -> Option<Problem> {
    let problem = |reason: String| Some(Problem { file: file.name.clone(), reason });
    let Some(stored) = set.files.iter().find(|stored| stored.name == file.name) else {
        return problem("is missing".into());
    };
    if !stored.is_regular {
        return problem("is not a regular file".into());
    }
    if stored.bytes != file.bytes {
        return problem(format!("has {} bytes, and the manifest says {}", stored.bytes, file.bytes));
    }
    None
}

/// What is wrong with the bytes of a file, once all have been read.
pub(crate) fn hash_problem(file: &ManifestFile, tally: Tally) -> Option<Problem> {
    let (bytes, sha256) = tally.finish();
    let problem = |reason: String| Some(Problem { file: file.name.clone(), reason });
    if bytes != file.bytes {
        return problem(format!("has {bytes} bytes, and the manifest says {}", file.bytes));
    }
    if !sha256.eq_ignore_ascii_case(&file.sha256) {
        return problem(format!("has the SHA-256 {sha256}, and the manifest says {}", file.sha256));
    }
    None
}
