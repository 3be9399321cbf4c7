//! `manifest.json`: what a set holds and what each file must look like.
//!
//! It is read as hostile input: a repository may be shared, copied around, or damaged.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fingerprint::{LargeObjects, TableFingerprint};
use crate::hash::sha256;
use crate::{Compression, Facts, Format, QdrantContents, SealError, SequenceValue, SetId};

/// The file's name in the set; in an encrypted one `.age` is added.
pub(crate) const MANIFEST: &str = "manifest.json";
/// A manifest that is larger is none.
pub(crate) const MANIFEST_LIMIT: u64 = 64 * 1024 * 1024;
/// The only version of the format so far.
const VERSION: u64 = 1;
/// The digits of a SHA-256.
const CHECKSUM: usize = 64;
/// The role of an archive of pg_dump.
pub(crate) const ARCHIVE: &str = "archive";
/// The role of the snapshot of a collection, with a slash and its number behind it.
pub(crate) const COLLECTION: &str = "collection";

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read.
    #[error("manifest.json cannot be read: {0}")]
    Unreadable(String),
    /// A later dbops wrote it.
    #[error("manifest.json has version {version}, and this dbops knows version 1")]
    Newer {
        /// The version that it has.
        version: u64,
    },
    /// It is damaged, or says what no manifest may say.
    #[error("manifest.json is damaged: {0}")]
    Damaged(String),
    /// It is encrypted, and cannot be decrypted.
    #[error("manifest.json {0}")]
    Sealed(SealError),
}

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u64,
    /// The SHA-256 of the manifest's text as it is with zeros in this place: no byte of it changes unnoticed.
    checksum: String,
    /// The set's id, the same as its folder's name.
    pub id: SetId,
    /// When the backup was begun.
    pub created: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The version of dbops that made it.
    pub dbops: String,
    /// The host that it was made on.
    pub host: String,
    /// What the user said of it.
    pub labels: BTreeMap<String, String>,
    /// Whether its files are encrypted.
    pub encryption: Encryption,
    /// One for each target, in the order of the backup.
    pub targets: Vec<ManifestTarget>,
}

/// Whether the files of a set are encrypted, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// They are as they were written.
    None,
    /// In age's format.
    Age,
}

/// One target in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTarget {
    /// The target's name.
    pub name: String,
    /// Its files.
    pub files: Vec<ManifestFile>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What it was when it was backed up.
    pub contents: Contents,
}

/// A file in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name in the set's folder.
    pub name: String,
    /// What it is to its target: `archive`, or in an archive of several files `archive/` and its name there.
    pub role: String,
    /// Its size as it is stored.
    pub bytes: u64,
    /// The SHA-256 of what is stored, in hexadecimal.
    pub sha256: String,
    /// Its size before it was encrypted.
    pub plain_bytes: u64,
}

/// What a target was when it was backed up, by its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Contents {
    /// A PostgreSQL database.
    Postgres(Box<PostgresContents>),
    /// The collections of a Qdrant server.
    Qdrant(Box<QdrantContents>),
}

/// What a PostgreSQL database was when it was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostgresContents {
    /// The database's name.
    pub database: String,
    /// The version of the pg_dump that made the archive.
    pub pg_dump_version: String,
    /// The archive's format.
    pub format: Format,
    /// How it is compressed.
    pub compression: Compression,
    /// What pg_dump was told beyond the connection.
    pub options: Vec<String>,
    /// Whether nothing was left out, no table and no rows.
    pub is_whole: bool,
    /// Whether the roles in the set have the hashes of their passwords.
    pub has_role_passwords: bool,
    /// The database in the moment that the archive shows.
    pub facts: Facts,
    /// How far the sequences were at the end of the dump.
    pub sequences: Vec<SequenceValue>,
    /// The size of the dumped tables on the server's disk, without indexes.
    pub table_bytes: u64,
    /// What the rows come to; `None` where that was not wanted, or there are none.
    pub fingerprints: Option<Fingerprints>,
}

/// What the rows of a database come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprints {
    /// How they were made: only those of [`ALGORITHM`](crate::fingerprint::ALGORITHM) can be compared.
    pub algorithm: String,
    /// Each table that was dumped with its rows.
    pub tables: Vec<TableFingerprint>,
    /// The large objects; `None` when they were not dumped, as when single tables were.
    pub large_objects: Option<LargeObjects>,
}

impl PostgresContents {
    /// Whether only some tables were dumped, and nothing that they stand in.
    pub(crate) fn is_of_tables(&self) -> bool {
        self.options.iter().any(|option| option.starts_with("--table="))
    }
}

impl ManifestTarget {
    /// The size of its files as they are stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// Whether nothing of the target was left out.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match &self.contents {
            Contents::Postgres(contents) => contents.is_whole,
            Contents::Qdrant(_) => true,
        }
    }

    /// The file of this role.
    #[must_use]
    pub fn file(&self, role: &str) -> Option<&ManifestFile> {
        self.files.iter().find(|file| file.role == role)
    }
}

/// What a manifest says besides its targets.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) id: SetId,
    pub(crate) created: Timestamp,
    pub(crate) duration_ms: u64,
    pub(crate) host: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) encryption: Encryption,
}

impl Manifest {
    /// What is to be written for a new set.
    pub(crate) fn new(about: About, targets: Vec<ManifestTarget>) -> Self {
        let About { id, created, duration_ms, host, labels, encryption } = about;
        let dbops = env!("CARGO_PKG_VERSION").into();
        Self {
            version: VERSION,
            checksum: no_checksum(),
            id,
            created,
            duration_ms,
            dbops,
            host,
            labels,
            encryption,
            targets,
        }
    }

    /// The text to be stored.
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        let text = serde_json::to_string_pretty(&Self { checksum: no_checksum(), ..self.clone() })? + "\n";
        Ok(text.replacen(&no_checksum(), &sha256(text.as_bytes()), 1))
    }

    /// Reads the manifest of the set of this id.
    pub(crate) fn read(bytes: &[u8], id: &SetId) -> Result<Self, ManifestError> {
        let text = str::from_utf8(bytes).map_err(|error| ManifestError::Damaged(error.to_string()))?;
        let manifest = Self::parse(text)?;
        if manifest.id != *id {
            return Err(ManifestError::Damaged(format!("it is the manifest of {}", manifest.id)));
        }
        Ok(manifest)
    }

    /// Reads the text of a manifest, and refuses names that would lead out of the set's folder.
    ///
    /// # Errors
    ///
    /// See [`ManifestError`].
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let damaged = |error: serde_json::Error| ManifestError::Damaged(error.to_string());
        // The version first: the rest of a newer one may have another shape.
        let Versioned { version } = serde_json::from_str(text).map_err(damaged)?;
        if version > VERSION {
            return Err(ManifestError::Newer { version });
        }
        let manifest: Self = serde_json::from_str(text).map_err(damaged)?;
        manifest.check().map_err(ManifestError::Damaged)?;
        let without = text.replacen(&manifest.checksum, &no_checksum(), 1);
        if sha256(without.as_bytes()) != manifest.checksum {
            return Err(ManifestError::Damaged("it is not what its checksum says".into()));
        }
        Ok(Self { checksum: no_checksum(), ..manifest })
    }

    fn check(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!("there is no version {}", self.version));
        }
        if self.checksum.len() != CHECKSUM {
            return Err("its checksum is none".into());
        }
        if self.targets.is_empty() {
            return Err("it names no target".into());
        }
        let (mut names, mut files) = (HashSet::new(), HashSet::new());
        for target in &self.targets {
            if !names.insert(&target.name) || !is_plain_name(&target.name) {
                return Err(format!("{:?} cannot be the name of a target", target.name));
            }
            let mut roles = HashSet::new();
            for file in &target.files {
                if !files.insert(&file.name) || !is_plain_name(&file.name) || is_sets_own(&file.name) {
                    return Err(format!("{:?} cannot be the name of a file", file.name));
                }
                if !roles.insert(&file.role) || !file.role.split('/').all(is_plain_name) {
                    return Err(format!("{:?} cannot be the role of a file", file.role));
                }
                check_sha256(&file.sha256)?;
            }
            if let Contents::Qdrant(contents) = &target.contents {
                contents.collections.iter().try_for_each(|collection| check_sha256(&collection.sha256))?;
            }
        }
        Ok(())
    }

    /// The files of all targets.
    pub fn files(&self) -> impl Iterator<Item = &ManifestFile> {
        self.targets.iter().flat_map(|target| &target.files)
    }

    /// The size of all files together, as they are stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// The names of the targets.
    #[must_use]
    pub fn target_names(&self) -> Vec<String> {
        self.targets.iter().map(|target| target.name.clone()).collect()
    }
}

fn check_sha256(text: &str) -> Result<(), String> {
    let is_sha256 = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_sha256 { Ok(()) } else { Err(format!("{text:?} is not a SHA-256")) }
}

/// What stands in the place of the checksum while it is computed.
fn no_checksum() -> String {
    "0".repeat(CHECKSUM)
}

/// Whether a file belongs to the set as such, and not to a target.
pub(crate) fn is_sets_own(name: &str) -> bool {
    crate::new_set::is_manifest(name) || name == crate::verify::VERIFICATION || name == crate::new_set::WRITING
}

/// Whether a name stays in its folder, is not hidden, and looks in a message like what it is.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && name.len() <= 200 && !name.starts_with(['.', '-']) && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Manifest, ManifestError};
    use crate::hash::sha256;

    fn manifest() -> Value {
        json!({
            "version": 1,
            "checksum": "0".repeat(64),
            "id": "20261123T021500Z-1a2b",
            "created": "2026-11-23T02:15:00Z",
            "duration_ms": 6,
            "dbops": "0.1.0",
            "host": "db1",
            "labels": {"why": "before the upgrade"},
            "encryption": "none",
            "targets": [{
                "name": "app",
                "files": [{
                    "name": "app.dump", "role": "archive", "bytes": 10, "sha256": "ab".repeat(32), "plain_bytes": 10
                }],
                "duration_ms": 5,
                "contents": {
                    "kind": "postgres", "database": "app", "pg_dump_version": "18.6",
                    "format": "custom", "compression": {"method": "zstd", "level": 3},
                    "options": [], "is_whole": true, "has_role_passwords": false,
                    "facts": {
                        "server_version": "18.6", "snapshot_time": "2026-11-23T02:15:00Z", "lsn": "0/15D6B08",
                        "is_standby": false,
                        "locale": {"encoding": "UTF8", "provider": "c", "collate": "C", "ctype": "C", "locale": null},
                        "extensions": {"plpgsql": "1.0"}, "version_table": "alembic_version", "revision": ["1a"],
                        "tables": 1,
                        "roles": [{"name": "app", "owns": true, "has_privileges": false, "has_policies": false}],
                        "settings": [{"role": null, "settings": ["work_mem=64MB"]}]
                    },
                    "sequences": [{"schema": "public", "name": "t_id_seq", "value": 7}],
                    "table_bytes": 8192,
                    "fingerprints": {
                        "algorithm": "record-hash-1-le",
                        "tables": [{"schema": "public", "name": "t", "rows": 7, "fingerprint": "07"}],
                        "large_objects": {"count": 0, "fingerprint": null}
                    }
                }
            }]
        })
    }

    /// The text with its checksum.
    fn text(manifest: &Value) -> String {
        let text = manifest.to_string();
        let zeros = "0".repeat(64);
        text.replacen(&zeros, &sha256(text.as_bytes()), 1)
    }

    /// A place in the manifest, what stands there instead, and what is said about it.
    #[test]
    fn refuses_what_no_manifest_may_say() {
        let cases = [
            ("/version", json!(2), "version 2, and this dbops knows version 1"),
            ("/version", json!(0), "there is no version 0"),
            ("/version", json!("1"), "invalid type: string"),
            ("/id", json!("../20261123T021500Z-1a2b"), "is not the id of a backup"),
            ("/created", json!("yesterday"), "damaged"),
            ("/targets", json!([]), "it names no target"),
            ("/targets/0/files/0/name", json!("../app.dump"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("/etc/passwd"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!(".."), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!(""), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("a\\b"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("--option"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("a\u{0}b"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("manifest.json"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("manifest.json.age"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("verify.json"), "cannot be the name of a file"),
            ("/targets/0/files/0/name", json!("writing"), "cannot be the name of a file"),
            ("/targets/0/files/0/role", json!("archive/../../x"), "cannot be the role of a file"),
            ("/targets/0/files/0/role", json!("archive/"), "cannot be the role of a file"),
            ("/targets/0/name", json!("a/b"), "cannot be the name of a target"),
            ("/targets/0/contents/kind", json!("oracle"), "unknown variant"),
            ("/encryption", json!("rot13"), "unknown variant"),
            ("/targets/0/files/0/sha256", json!("ab"), "is not a SHA-256"),
            ("/targets/0/files/0/bytes", json!(-1), "invalid value"),
        ];
        for (place, value, message) in cases {
            let mut hostile = manifest();
            *hostile.pointer_mut(place).expect(place) = value.clone();
            let error = Manifest::parse(&text(&hostile)).expect_err(place).to_string();
            assert!(error.contains(message), "{place} = {value}: {error}");
        }
        let mut twice = manifest();
        let target = twice["targets"][0].clone();
        twice["targets"].as_array_mut().expect("a list").push(target);
        assert!(Manifest::parse(&text(&twice)).is_err());
    }

    #[test]
    fn reads_what_it_writes_and_what_a_later_release_adds() {
        let mut value = manifest();
        let read = Manifest::parse(&text(&value)).expect("a manifest");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), value);
        assert_eq!(Manifest::parse(&read.text().expect("text")), Ok(read.clone()));
        value["targets"][0]["since_the_next_release"] = json!(true);
        assert_eq!(Manifest::parse(&text(&value)), Ok(read));
        assert_eq!(Manifest::parse(r#"{"version": 7, "shape": "other"}"#), Err(ManifestError::Newer { version: 7 }));
    }

    #[test]
    fn no_byte_changes_unnoticed() {
        let written = Manifest::parse(&text(&manifest())).expect("read").text().expect("text");
        for place in 0..written.len() {
            let mut bytes = written.clone().into_bytes();
            bytes[place] ^= 1;
            let read = Manifest::parse(&String::from_utf8_lossy(&bytes));
            assert!(read.is_err(), "at {place}: {}", String::from_utf8_lossy(&bytes));
            assert!(Manifest::parse(&written[..place]).is_err(), "cut at {place}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,200}", at in 0usize..400, byte in any::<u8>()) {
            drop(Manifest::parse(&text));
            let mut bytes = manifest().to_string().into_bytes();
            let index = at % bytes.len();
            bytes[index] = byte;
            drop(Manifest::parse(&String::from_utf8_lossy(&bytes)));
        }

        #[test]
        fn an_accepted_file_stays_in_its_folder(file in r"[a-z./\\\x00-]{1,12}") {
            let mut value = manifest();
            value["targets"][0]["files"][0]["name"] = json!(file);
            if let Ok(manifest) = Manifest::parse(&text(&value)) {
                let path = std::path::Path::new("/repository").join(&manifest.targets[0].files[0].name);
                prop_assert_eq!(path.components().count(), 3);
                prop_assert!(!file.contains(".."  ) || !file.contains('/'));
            }
        }
    }
}
