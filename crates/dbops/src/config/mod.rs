//! The configuration: `--config`, else `DBOPS_CONFIG`, else `config/dbops.yaml` or `dbops.yaml` in the working
//! directory or one above it. Paths in the file are relative to it; `${NAME}` and `${NAME:-default}` are environment
//! variables.

mod backup;
mod expand;
mod file;
pub(crate) mod health;
mod json_schema;
mod qdrant;
mod schema;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbops_backup::{Keep, Location};
use dbops_health::Selection;
use dbops_migrate::lint::LintOptions;
use dbops_postgres::DatabaseUrl;

pub(crate) use file::can_name_target;
pub(crate) use json_schema::json_schema;
pub(crate) use qdrant::{QdrantAddress, QdrantAddresses, is_address};
pub(crate) use schema::{DeclaredSchema, Program};

use crate::environment::Environment;
use crate::failure::{Failure, Result};
use crate::ui::Ui;

/// Everything that the configuration file says.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) path: PathBuf,
    /// In the order of the file.
    pub(crate) targets: Vec<Target>,
    pub(crate) backup: BackupConfig,
    pub(crate) lint: LintOptions,
    /// Which health checks are run, and from where on they warn.
    pub(crate) health: Selection,
}

/// One database.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: TargetKind,
}

#[derive(Debug, Clone)]
pub(crate) enum TargetKind {
    Postgres(Box<PostgresTarget>),
    Qdrant(QdrantTarget),
}

#[derive(Debug, Clone)]
pub(crate) struct PostgresTarget {
    pub(crate) url: DatabaseUrl,
    /// The folder of its revisions.
    pub(crate) versions: PathBuf,
    /// Where its declared schema comes from.
    pub(crate) schema: Option<DeclaredSchema>,
    /// The container that it runs in.
    pub(crate) container: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct QdrantTarget {
    /// Its address, or several of the same cluster, of which the first that answers is asked.
    pub(crate) addresses: QdrantAddresses,
    /// The nodes of the cluster, where they are named: what is done on each goes there.
    pub(crate) nodes: Option<QdrantAddresses>,
    pub(crate) api_key: Option<Secret>,
    /// The file of the declared collections.
    pub(crate) collections: Option<PathBuf>,
    /// The container that it runs in.
    pub(crate) container: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct BackupConfig {
    /// Where the backup sets are.
    pub(crate) repository: Location,
    /// Which of them are to be kept.
    pub(crate) retention: Keep,
    pub(crate) encryption: EncryptionConfig,
    pub(crate) hooks: HooksConfig,
    /// The address that is told of failures.
    pub(crate) webhook: Option<Secret>,
}

/// What is run around a backup: lines for the shell.
#[derive(Debug, Clone)]
pub(crate) struct HooksConfig {
    pub(crate) before: Vec<String>,
    pub(crate) after: Vec<String>,
    /// When the backup, or one of the other hooks, failed.
    pub(crate) failure: Vec<String>,
    /// How long each of them may take.
    pub(crate) time_limit: Duration,
}

/// For whom backups are encrypted, and the key to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct EncryptionConfig {
    pub(crate) recipients: Vec<String>,
    pub(crate) recipients_file: Option<PathBuf>,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) identity: Option<PathBuf>,
}

/// A value that is never shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Config {
    /// Finds and reads the configuration.
    pub(crate) fn load(given: Option<&Path>, environment: &Environment, ui: &Ui) -> Result<Self> {
        let path = find(given, environment)?;
        ui.detail(format!("configuration: {}", path.display()));
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!("cannot read {}: {error}", path.display()))
                .with_hint("pass --config PATH or set DBOPS_CONFIG")
        })?;
        file::parse(&path, &text, environment)
    }

    /// Reads a text as the configuration that is, or will be, at `path`.
    pub(crate) fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Self> {
        file::parse(path, text, environment)
    }

    /// A target's URL as the file has it, with its variables. It may hold a password: never print it.
    pub(crate) fn url_as_written(&self, target: &str) -> Option<String> {
        file::url_as_written(&std::fs::read_to_string(&self.path).ok()?, target)
    }

    /// The targets that were named, in the order of the file; all of them when none was.
    pub(crate) fn select(&self, names: &[String]) -> Result<Vec<&Target>> {
        for name in names {
            if !self.targets.iter().any(|target| target.name == *name) {
                let known: Vec<_> = self.targets.iter().map(|target| target.name.as_str()).collect();
                let failure = Failure::usage(format!("there is no target `{name}` in {}", self.path.display()));
                return Err(failure.with_hint(suggest(name, &known)));
            }
        }
        let is_named = |target: &&Target| names.is_empty() || names.contains(&target.name);
        Ok(self.targets.iter().filter(is_named).collect())
    }

    /// As [`select`](Self::select), PostgreSQL only; naming another kind is wrong usage.
    pub(crate) fn select_postgres(&self, names: &[String]) -> Result<Vec<(&str, &PostgresTarget)>> {
        let mut chosen = Vec::new();
        for target in self.select(names)? {
            match &target.kind {
                TargetKind::Postgres(postgres) => chosen.push((target.name.as_str(), postgres.as_ref())),
                TargetKind::Qdrant(_) if names.is_empty() => {}
                TargetKind::Qdrant(_) => {
                    return Err(Failure::usage(format!("target `{}` is not a PostgreSQL database", target.name)));
                }
            }
        }
        Ok(chosen)
    }

    /// As [`select`](Self::select), Qdrant only; naming another kind is wrong usage.
    pub(crate) fn select_qdrant(&self, names: &[String]) -> Result<Vec<(&str, &QdrantTarget)>> {
        let mut chosen = Vec::new();
        for target in self.select(names)? {
            match &target.kind {
                TargetKind::Qdrant(qdrant) => chosen.push((target.name.as_str(), qdrant)),
                TargetKind::Postgres(_) if names.is_empty() => {}
                TargetKind::Postgres(_) => {
                    return Err(Failure::usage(format!("target `{}` is not a Qdrant server", target.name)));
                }
            }
        }
        Ok(chosen)
    }
}

fn find(given: Option<&Path>, environment: &Environment) -> Result<PathBuf> {
    let folder = &environment.working_directory;
    if let Some(path) = given {
        return Ok(folder.join(path));
    }
    if let Some(path) = environment.path("DBOPS_CONFIG") {
        return Ok(folder.join(path));
    }
    find_from(folder).ok_or_else(|| {
        Failure::usage(format!("no config/dbops.yaml or dbops.yaml in {} or above it", folder.display()))
            .with_hint("pass --config PATH or set DBOPS_CONFIG")
    })
}

/// The configuration in a folder, else in the nearest one above it.
pub(crate) fn find_from(folder: &Path) -> Option<PathBuf> {
    let mut candidates =
        folder.ancestors().flat_map(|above| [above.join("config/dbops.yaml"), above.join("dbops.yaml")]);
    candidates.find(|path| path.is_file())
}

/// "did you mean …", or what there is to choose from.
pub(crate) fn suggest(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if known.is_empty() => "there is none".into(),
        None => format!("choose from {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// What is written almost so.
pub(crate) fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |name: &&&str| strsim::damerau_levenshtein(wrong, name);
    known.iter().min_by_key(distance).filter(|name| distance(name) <= wrong.len().div_ceil(3)).copied()
}
