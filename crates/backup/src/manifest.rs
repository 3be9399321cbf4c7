//! `manifest.json`: what a set holds and what each file must look like.
//!
//! It is read as hostile input: a repository may be shared, copied around, or damaged.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::{fs, io};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Locale, SetId};

/// The file's name in the set.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The only version of the format so far.
const VERSION: u64 = 1;

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// There is none, or it cannot be read.
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
}

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u64,
    /// The set's id, the same as its folder's name.
    pub id: SetId,
    /// When the backup was begun.
    pub created: Timestamp,
    /// The version of dbops that made it.
    pub dbops: String,
    /// The host that it was made on.
    pub host: String,
    /// One for each database, in the order of the backup.
    pub targets: Vec<ManifestTarget>,
}

/// One database in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestTarget {
    /// The target's name.
    pub name: String,
    /// The database's name.
    pub database: String,
    /// The archive's name in the set's folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// How long the dump took, in milliseconds.
    pub duration_ms: u64,
    /// The server's version: `18.6`.
    pub server_version: String,
    /// The version of the pg_dump that made it.
    pub pg_dump_version: String,
    /// What pg_dump was told beyond the connection.
    pub options: Vec<String>,
    /// The encoding and locale of the database.
    pub locale: Locale,
    /// Each extension and its version.
    pub extensions: BTreeMap<String, String>,
    /// The version table, as it is written in SQL; `None` when the database has none.
    pub version_table: Option<String>,
    /// The rows of the version table: the revisions that the database is at.
    pub revision: Vec<String>,
    /// How many tables it has, those of extensions left out.
    pub tables: u64,
}

impl Manifest {
    /// What is to be written for a new set.
    pub(crate) fn new(id: SetId, created: Timestamp, host: String, targets: Vec<ManifestTarget>) -> Self {
        Self { version: VERSION, id, created, dbops: env!("CARGO_PKG_VERSION").into(), host, targets }
    }

    /// Reads the manifest of the set in `folder`, which is named by the set's id.
    pub(crate) fn read(folder: &Path, id: &SetId) -> Result<Self, ManifestError> {
        let unreadable = |error: io::Error| ManifestError::Unreadable(error.to_string());
        let text = fs::read_to_string(folder.join(MANIFEST)).map_err(unreadable)?;
        let manifest = Self::parse(&text)?;
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
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!("there is no version {}", self.version));
        }
        if self.targets.is_empty() {
            return Err("it names no target".into());
        }
        let (mut names, mut files) = (HashSet::new(), HashSet::new());
        for target in &self.targets {
            if !names.insert(&target.name) || !is_plain_name(&target.name) {
                return Err(format!("{:?} cannot be the name of a target", target.name));
            }
            if !files.insert(&target.file) || !is_plain_name(&target.file) || target.file == MANIFEST {
                return Err(format!("{:?} cannot be the name of a file", target.file));
            }
            let is_sha256 = target.sha256.len() == 64 && target.sha256.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_sha256 {
                return Err(format!("{:?} is not a SHA-256", target.sha256));
            }
        }
        Ok(())
    }

    /// The size of all archives together.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.targets.iter().fold(0, |sum, target| sum.saturating_add(target.bytes))
    }

    /// The names of the targets.
    #[must_use]
    pub fn target_names(&self) -> Vec<String> {
        self.targets.iter().map(|target| target.name.clone()).collect()
    }
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

    fn manifest() -> Value {
        json!({
            "version": 1,
            "id": "20261123T021500Z-1a2b",
            "created": "2026-11-23T02:15:00Z",
            "dbops": "0.1.0",
            "host": "db1",
            "targets": [{
                "name": "app", "database": "app", "file": "app.dump", "bytes": 10, "sha256": "ab".repeat(32),
                "duration_ms": 5, "server_version": "18.6", "pg_dump_version": "18.6", "options": [],
                "locale": {"encoding": "UTF8", "provider": "c", "collate": "C", "ctype": "C", "locale": null},
                "extensions": {"plpgsql": "1.0"}, "version_table": "alembic_version", "revision": ["1a"], "tables": 1
            }]
        })
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
            ("/targets/0/file", json!("../app.dump"), "cannot be the name of a file"),
            ("/targets/0/file", json!("/etc/passwd"), "cannot be the name of a file"),
            ("/targets/0/file", json!(".."), "cannot be the name of a file"),
            ("/targets/0/file", json!(""), "cannot be the name of a file"),
            ("/targets/0/file", json!("a\\b"), "cannot be the name of a file"),
            ("/targets/0/file", json!("--option"), "cannot be the name of a file"),
            ("/targets/0/file", json!("a\u{0}b"), "cannot be the name of a file"),
            ("/targets/0/file", json!("manifest.json"), "cannot be the name of a file"),
            ("/targets/0/name", json!("a/b"), "cannot be the name of a target"),
            ("/targets/0/sha256", json!("ab"), "is not a SHA-256"),
            ("/targets/0/bytes", json!(-1), "invalid value"),
        ];
        for (place, value, message) in cases {
            let mut hostile = manifest();
            *hostile.pointer_mut(place).expect(place) = value.clone();
            let error = Manifest::parse(&hostile.to_string()).expect_err(place).to_string();
            assert!(error.contains(message), "{place} = {value}: {error}");
        }
        let mut twice = manifest();
        let target = twice["targets"][0].clone();
        twice["targets"].as_array_mut().expect("a list").push(target);
        assert!(Manifest::parse(&twice.to_string()).is_err());
    }

    #[test]
    fn reads_what_it_writes_and_what_a_later_release_adds() {
        let mut text = manifest();
        let read = Manifest::parse(&text.to_string()).expect("a manifest");
        assert_eq!(serde_json::to_value(&read).expect("JSON"), text);
        text["targets"][0]["since_the_next_release"] = json!(true);
        assert_eq!(Manifest::parse(&text.to_string()), Ok(read));
        assert_eq!(Manifest::parse(r#"{"version": 7, "shape": "other"}"#), Err(ManifestError::Newer { version: 7 }));
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
            let mut text = manifest();
            text["targets"][0]["file"] = json!(file);
            if let Ok(manifest) = Manifest::parse(&text.to_string()) {
                let path = std::path::Path::new("/repository").join(&manifest.targets[0].file);
                prop_assert_eq!(path.components().count(), 3);
                prop_assert!(!file.contains(".."  ) || !file.contains('/'));
            }
        }
    }
}
