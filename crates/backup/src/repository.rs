//! A repository of sets: which there are, which one is meant, and deleting one.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use crate::manifest::{MANIFEST, MANIFEST_LIMIT};
use crate::new_set::{is_manifest, remove};
use crate::seal::{Keys, SUFFIX};
use crate::store::{Location, Store, StoredFile};
use crate::verify::Verification;
use crate::{Error, Manifest, ManifestError, ManifestTarget, SealError, SetId};

/// How many manifests are read at a time.
const READERS: usize = 16;

/// A repository of backup sets, opened.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(crate) store: Store,
    pub(crate) keys: Keys,
}

/// A set in a repository: it has a manifest, and is whole as far as that goes.
#[derive(Debug, Clone)]
pub struct Set {
    /// Its id.
    pub id: SetId,
    /// Its folder or URL.
    pub path: String,
    /// The files that there are.
    pub files: Vec<StoredFile>,
    /// What it holds, or why that is not known.
    pub manifest: Result<Manifest, ManifestError>,
    /// The outcome of the last verification.
    pub verification: Option<Verification>,
}

impl Repository {
    /// Opens a repository; the first backup creates its folder.
    ///
    /// # Errors
    ///
    /// When its place is not understood, or the passphrase is not its own.
    pub async fn open(location: &Location, keys: Keys) -> Result<Self, Error> {
        let store = Store::open(location)?;
        let keys = keys.unlock(&store).await?;
        Ok(Self { store, keys })
    }

    /// Its folder or URL.
    #[must_use]
    pub fn path(&self) -> String {
        self.store.shown_root()
    }

    /// All sets, the newest first. What is being written, or was left by a crash, is not among them.
    ///
    /// # Errors
    ///
    /// When the repository cannot be read; one that does not exist holds no sets.
    pub async fn sets(&self) -> Result<Vec<Set>, Error> {
        let listed = self.store.sets().await?.into_iter().filter(|(_, files)| is_set(files));
        let read = stream::iter(listed).map(|(id, files)| self.set(id, files)).buffered(READERS);
        let mut sets: Vec<_> = read.try_collect().await?;
        sets.sort_by_key(|set| std::cmp::Reverse((set.created(), set.id.clone())));
        Ok(sets)
    }

    /// The set with this id, or the only one whose id begins so.
    ///
    /// # Errors
    ///
    /// When there is none, or several.
    pub async fn find(&self, wanted: &str) -> Result<Set, Error> {
        let mut listed = self.store.sets().await?;
        listed.retain(|_, files| is_set(files));
        let id = resolve(&listed.keys().cloned().collect::<Vec<_>>(), wanted, &self.path())?;
        let files = listed.remove(&id).unwrap_or_default();
        self.set(id, files).await
    }

    /// The newest complete set that holds all of `targets` whole; and the newer ones that were passed over because
    /// they are not complete, were found damaged, or hold only a part of a target.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not known because a set is encrypted and cannot be read.
    pub async fn latest(&self, targets: &[String]) -> Result<(Set, Vec<Set>), Error> {
        let mut passed_over = Vec::new();
        for set in self.sets().await? {
            if let Err(ManifestError::Sealed(SealError::NoKey | SealError::WrongKey)) = &set.manifest {
                set.manifest()?;
            }
            if set.manifest.is_ok() && !targets.iter().all(|target| set.targets().contains(target)) {
                continue;
            }
            if set.is_complete() && !set.is_damaged() && !set.is_partial(targets) {
                return Ok((set, passed_over));
            }
            passed_over.push(set);
        }
        let not_whole = passed_over.into_iter().map(|set| set.id).collect();
        Err(Error::NoLatest { targets: targets.to_vec(), repository: self.path(), not_whole })
    }

    /// Whether what is written to it is encrypted.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        self.keys.encrypt()
    }

    /// Whether it holds a set that is encrypted.
    ///
    /// # Errors
    ///
    /// When it cannot be listed.
    pub async fn holds_encrypted(&self) -> Result<bool, Error> {
        let sealed = format!("{MANIFEST}{SUFFIX}");
        Ok(self.store.sets().await?.values().flatten().any(|file| file.name == sealed))
    }

    /// Deletes a set: first it is no longer listed, then its files go.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub async fn delete(&self, set: &Set) -> Result<(), Error> {
        remove(&self.store, &set.id).await
    }

    async fn set(&self, id: SetId, files: Vec<StoredFile>) -> Result<Set, Error> {
        let manifest = self.manifest(&id, &files).await?;
        let verification = Verification::read(&self.store, &id, &files).await?;
        let path = self.store.shown(id.as_str());
        Ok(Set { id, path, files, manifest, verification })
    }

    /// Fails only where other sets could not be read either.
    async fn manifest(&self, id: &SetId, files: &[StoredFile]) -> Result<Result<Manifest, ManifestError>, Error> {
        let is_sealed = !files.iter().any(|file| file.name == MANIFEST);
        let suffix = if is_sealed { SUFFIX } else { "" };
        let unreadable = |reason: String| Ok(Err(ManifestError::Unreadable(reason)));
        let bytes = match self.store.read(&format!("{id}/{MANIFEST}{suffix}"), MANIFEST_LIMIT).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return unreadable("it is gone".into()),
            Err(Error::Io { source, .. }) => return unreadable(source.to_string()),
            Err(error @ Error::TooLarge { .. }) => return unreadable(error.to_string()),
            Err(error) => return Err(error),
        };
        let opened = if is_sealed { self.keys.open(&bytes).map_err(ManifestError::Sealed) } else { Ok(bytes) };
        Ok(opened.and_then(|bytes| Manifest::read(&bytes, id)))
    }
}

/// Whether there is a manifest: without one it is no set.
fn is_set(files: &[StoredFile]) -> bool {
    files.iter().any(|file| is_manifest(&file.name))
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

    /// What it holds of a target.
    ///
    /// # Errors
    ///
    /// When it does not hold the target, or its manifest cannot be used.
    pub(crate) fn target(&self, name: &str) -> Result<&ManifestTarget, Error> {
        let manifest = self.manifest()?;
        manifest.targets.iter().find(|held| held.name == name).ok_or_else(|| Error::NotInSet {
            id: self.id.clone(),
            target: name.into(),
            held: manifest.target_names(),
        })
    }

    /// Whether every file has the size that the manifest says. What the files hold is for [`verify`](crate::verify).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.manifest.as_ref().is_ok_and(|manifest| {
            manifest
                .files()
                .all(|file| self.files.iter().any(|it| it.is_regular && it.name == file.name && it.bytes == file.bytes))
        })
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        !self.files.iter().any(|file| file.name == MANIFEST)
    }

    /// Whether what it holds is not known because the key to it was not given.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self.manifest, Err(ManifestError::Sealed(SealError::NoKey | SealError::WrongKey)))
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

    /// The size of its files: what the manifest says, else what is there.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let stored = || self.files.iter().filter(|file| !crate::manifest::is_sets_own(&file.name));
        self.manifest.as_ref().map_or_else(|_| stored().map(|file| file.bytes).sum(), Manifest::bytes)
    }

    /// Whether the last verification found something wrong.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.verification.as_ref().is_some_and(|found| !found.problems.is_empty())
    }

    /// Whether it holds only a part of one of these targets, or of any where none is named: single tables, or no rows.
    #[must_use]
    pub fn is_partial(&self, targets: &[String]) -> bool {
        let wanted = |name: &String| targets.is_empty() || targets.contains(name);
        let manifest = self.manifest.as_ref();
        manifest.is_ok_and(|it| it.targets.iter().any(|target| wanted(&target.name) && !target.is_whole()))
    }

    /// When it was last verified, if it was whole then.
    #[must_use]
    pub fn verified(&self) -> Option<Timestamp> {
        self.verification.as_ref().filter(|found| found.problems.is_empty()).map(|found| found.at)
    }

    /// When every target of it was last restored on trial, if all came out as they were backed up.
    #[must_use]
    pub fn restored(&self) -> Option<Timestamp> {
        let tried = self.verification.as_ref()?.restore.as_ref()?;
        (tried.problems.is_empty() && tried.not_tried.is_empty()).then_some(tried.at)
    }
}

fn resolve(ids: &[SetId], wanted: &str, repository: &str) -> Result<SetId, Error> {
    if let Some(id) = ids.iter().find(|id| id.as_str() == wanted) {
        return Ok(id.clone());
    }
    let candidates: Vec<_> = ids.iter().filter(|id| id.as_str().starts_with(wanted)).cloned().collect();
    match candidates.as_slice() {
        [id] if !wanted.is_empty() => Ok(id.clone()),
        [_, _, ..] if !wanted.is_empty() => Err(Error::Ambiguous { wanted: wanted.into(), candidates }),
        _ => {
            let nearest = nearest(ids, wanted);
            Err(Error::NoSuchSet { wanted: wanted.into(), repository: repository.into(), nearest })
        }
    }
}

/// What is written almost so. Ids are alike, most of all those of one day: more than two characters are no slip.
fn nearest(ids: &[SetId], wanted: &str) -> Option<String> {
    let from = |known: &str| strsim::damerau_levenshtein(known, wanted);
    // The beginning of an id may be meant.
    let distance = |known: &str| from(known).min(from(known.get(..wanted.len()).unwrap_or(known)));
    let is_slip = |known: &&str| !wanted.is_empty() && distance(known) <= wanted.len().div_ceil(4).min(2);
    let known = ids.iter().map(SetId::as_str).chain(["latest"]).filter(is_slip);
    known.min_by_key(|known| distance(known)).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{Repository, nearest, resolve};
    use crate::{Keys, Location, SetId};

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
            let found = resolve(&ids, wanted, "backups").map_err(|error| error.to_string());
            assert_eq!(found.as_ref().map(SetId::as_str).map_err(String::as_str), expected, "{wanted}");
        }
    }

    #[test]
    fn what_is_written_almost_so_is_suggested() {
        let ids: Vec<_> = IDS.iter().map(|id| SetId::parse(id).expect(id)).collect();
        let cases = [
            ("20261123T021500Z-1a2d", Some(IDS[1])),
            ("20261122T0251", Some(IDS[0])),
            ("20261123T021500-1a2c", Some(IDS[2])),
            ("latets", Some("latest")),
            ("20251105T1", None),
            ("", None),
        ];
        for (wanted, expected) in cases {
            assert_eq!(nearest(&ids, wanted).as_deref(), expected, "{wanted}");
        }
    }

    #[tokio::test]
    async fn only_folders_named_by_an_id_with_a_manifest_are_sets() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [IDS[0], "20261124T021500Z-1a2b", "notes", "lost+found"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        std::fs::write(folder.path().join(IDS[0]).join("manifest.json"), "{").expect("a file");
        std::fs::write(folder.path().join(IDS[1]), "").expect("a file");
        std::os::unix::fs::symlink("/", folder.path().join(IDS[2])).expect("a link");
        let open = |path| async { Repository::open(&Location::Folder(path), Keys::default()).await.expect("a folder") };
        let sets = open(folder.path().into()).await.sets().await.expect("a listing");
        let ids: Vec<_> = sets.iter().map(|set| set.id.as_str()).collect();
        assert_eq!(ids, [IDS[0]]);
        assert!(!sets[0].is_complete() && sets[0].created().to_string() == "2026-11-22T02:15:00Z");
        assert!(open(folder.path().join("none")).await.sets().await.expect("no folder").is_empty());
    }
}
