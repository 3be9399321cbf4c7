//! A folder of sets: which there are, which one is meant, and deleting one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::partial::{partial_path, remove, sync_folder};
use crate::verify::Verification;
use crate::{Error, Manifest, ManifestError, SetId};

/// A folder of backup sets.
#[derive(Debug, Clone)]
pub struct Repository {
    folder: PathBuf,
}

/// A set in a repository, whole or not.
#[derive(Debug, Clone)]
pub struct Set {
    /// Its id.
    pub id: SetId,
    /// Its folder.
    pub path: PathBuf,
    /// What it holds, or why that is not known.
    pub manifest: Result<Manifest, ManifestError>,
    /// The outcome of the last verification.
    pub verification: Option<Verification>,
}

impl Repository {
    /// Names a repository; the first backup creates its folder.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All sets, the newest first. What is being written, or was left by a crash, is not among them.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read; one that does not exist holds no sets.
    pub fn sets(&self) -> Result<Vec<Set>, Error> {
        let mut sets: Vec<_> = self.ids()?.into_iter().map(|id| self.set(id)).collect();
        sets.sort_by_key(|set| std::cmp::Reverse((set.created(), set.id.clone())));
        Ok(sets)
    }

    /// The set with this id, or the only one whose id begins so.
    ///
    /// # Errors
    ///
    /// When there is none, or several.
    pub fn find(&self, wanted: &str) -> Result<Set, Error> {
        let id = resolve(&self.ids()?, wanted, &self.folder)?;
        Ok(self.set(id))
    }

    /// The newest complete set that holds all of `targets`; and the newer ones that were passed over because
    /// they are not complete, or were found damaged.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn latest(&self, targets: &[String]) -> Result<(Set, Vec<Set>), Error> {
        let mut passed_over = Vec::new();
        for set in self.sets()? {
            if set.manifest.is_ok() && !targets.iter().all(|target| set.targets().contains(target)) {
                continue;
            }
            if set.is_complete() && !set.is_damaged() {
                return Ok((set, passed_over));
            }
            passed_over.push(set);
        }
        let not_whole = passed_over.into_iter().map(|set| set.id).collect();
        Err(Error::NoLatest { targets: targets.to_vec(), repository: self.folder.clone(), not_whole })
    }

    /// Deletes a set: first it is no longer listed, then its files go.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub fn delete(&self, set: &Set) -> Result<(), Error> {
        let hidden = partial_path(&self.folder, &set.id);
        fs::rename(&set.path, &hidden).map_err(Error::io("remove", &set.path))?;
        sync_folder(&self.folder)?;
        remove(&hidden)
    }

    fn ids(&self) -> Result<Vec<SetId>, Error> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", &self.folder)(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::io("read", &self.folder))?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            ids.extend(entry.file_name().to_str().and_then(SetId::parse).filter(|_| is_folder));
        }
        ids.sort();
        Ok(ids)
    }

    fn set(&self, id: SetId) -> Set {
        let path = self.folder.join(id.as_str());
        let manifest = Manifest::read(&path, &id);
        Set { manifest, verification: Verification::read(&path), id, path }
    }
}

impl Set {
    /// The manifest, for what cannot do without.
    ///
    /// # Errors
    ///
    /// When it cannot be used.
    pub fn manifest(&self) -> Result<&Manifest, Error> {
        self.manifest.as_ref().map_err(|source| Error::Manifest { id: self.id.clone(), source: source.clone() })
    }

    /// Whether there is a manifest and every file has the size that it says. What the files hold is for
    /// [`verify`](crate::verify).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let size = |file: &str| fs::symlink_metadata(self.path.join(file)).ok().filter(|file| file.is_file());
        self.manifest.as_ref().is_ok_and(|manifest| {
            let has_size = |file: &str, bytes| size(file).is_some_and(|metadata| metadata.len() == bytes);
            manifest.targets.iter().all(|target| has_size(&target.file, target.bytes))
        })
    }

    /// When it was begun.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.manifest.as_ref().map(|manifest| manifest.created).ok().or_else(|| self.id.time()).unwrap_or_default()
    }

    /// The names of its targets, as far as they are known.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        self.manifest.as_ref().map(Manifest::target_names).unwrap_or_default()
    }

    /// The size of its archives: what the manifest says, else what is there.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let on_disk = || fs::read_dir(&self.path).into_iter().flatten().flatten().flat_map(|entry| entry.metadata());
        self.manifest.as_ref().map_or_else(|_| on_disk().map(|file| file.len()).sum(), Manifest::bytes)
    }

    /// Whether the last verification found something wrong.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.verification.as_ref().is_some_and(|found| !found.problems.is_empty())
    }

    /// When it was last verified, if it was whole then.
    #[must_use]
    pub fn verified(&self) -> Option<Timestamp> {
        self.verification.as_ref().filter(|found| found.problems.is_empty()).map(|found| found.at)
    }
}

fn resolve(ids: &[SetId], wanted: &str, repository: &Path) -> Result<SetId, Error> {
    if let Some(id) = ids.iter().find(|id| id.as_str() == wanted) {
        return Ok(id.clone());
    }
    let candidates: Vec<_> = ids.iter().filter(|id| id.as_str().starts_with(wanted)).cloned().collect();
    match candidates.as_slice() {
        [id] if !wanted.is_empty() => Ok(id.clone()),
        [_, _, ..] if !wanted.is_empty() => Err(Error::Ambiguous { wanted: wanted.into(), candidates }),
        _ => Err(Error::NoSuchSet { wanted: wanted.into(), repository: repository.to_path_buf() }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Repository, resolve};
    use crate::SetId;

    const IDS: [&str; 3] = ["20261122T021500Z-0001", "20261123T021500Z-1a2b", "20261123T021500Z-1a2c"];

    #[test]
    fn an_id_is_found_by_its_beginning() {
        let ids: Vec<_> = IDS.iter().map(|id| SetId::parse(id).expect(id)).collect();
        let cases = [
            ("20261122", Ok(IDS[0])),
            ("20261123T021500Z-1a2b", Ok(IDS[1])),
            (
                "20261123",
                Err("`20261123` is the beginning of several backups: 20261123T021500Z-1a2b, 20261123T021500Z-1a2c"),
            ),
            ("2027", Err("there is no backup `2027` in backups")),
            ("1a2b", Err("there is no backup `1a2b` in backups")),
            ("", Err("there is no backup `` in backups")),
        ];
        for (wanted, expected) in cases {
            let found = resolve(&ids, wanted, "backups".as_ref()).map_err(|error| error.to_string());
            assert_eq!(found.as_ref().map(SetId::as_str).map_err(String::as_str), expected, "{wanted}");
        }
    }

    #[test]
    fn only_folders_named_by_an_id_are_sets() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [IDS[0], ".partial-20261123T021500Z-1a2b", "notes", "lost+found"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        std::fs::write(folder.path().join(IDS[1]), "").expect("a file");
        std::os::unix::fs::symlink("/", folder.path().join(IDS[2])).expect("a link");
        let sets = Repository::new(folder.path()).sets().expect("a listing");
        let ids: Vec<_> = sets.iter().map(|set| set.id.as_str()).collect();
        assert_eq!(ids, [IDS[0]]);
        assert!(!sets[0].is_complete() && sets[0].created().to_string() == "2026-11-22T02:15:00Z");
        assert!(Repository::new(folder.path().join("none")).sets().expect("no folder").is_empty());
    }
}
