//! What can go wrong with a backup, with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use dbops_postgres::process::ProcessError;
use dbops_postgres::{ConnectError, ProgramError, SqlError};

use crate::{Holder, ManifestError, SetId};

/// Why a backup, a verification or a restore was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process backs up the same target into the same repository.
    #[error("target `{target}` is being backed up by {holder}")]
    Locked {
        /// The target.
        target: String,
        /// The other process.
        holder: Holder,
    },
    /// A name that cannot be part of a file's name.
    #[error("{0:?} cannot name a target of a backup")]
    TargetName(String),
    /// No set has this id, and no id begins with it.
    #[error("there is no backup `{wanted}` in {}", .repository.display())]
    NoSuchSet {
        /// What was asked for.
        wanted: String,
        /// Where it was looked for.
        repository: PathBuf,
    },
    /// Several ids begin with it.
    #[error("`{wanted}` is the beginning of several backups: {}", join(.candidates))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The ids that begin with it.
        candidates: Vec<SetId>,
    },
    /// There is no set to take the latest of.
    #[error("there is no complete backup{} in {}{}", of_targets(.targets), .repository.display(), passed_over(.not_whole))]
    NoLatest {
        /// The targets that it should hold.
        targets: Vec<String>,
        /// Where it was looked for.
        repository: PathBuf,
        /// Sets that would do if they were complete and not damaged.
        not_whole: Vec<SetId>,
    },
    /// The set's manifest is missing, damaged, or from a newer dbops.
    #[error("backup {id} cannot be used")]
    Manifest {
        /// The set.
        id: SetId,
        /// Why.
        source: ManifestError,
    },
    /// The set holds other targets.
    #[error("backup {id} does not hold `{target}`, only {}", .held.join(", "))]
    NotInSet {
        /// The set.
        id: SetId,
        /// What was asked for.
        target: String,
        /// What it holds.
        held: Vec<String>,
    },
    /// A file of the set is not what the manifest says.
    #[error("backup {id} is damaged: {problem}")]
    Damaged {
        /// The set.
        id: SetId,
        /// The file and what is wrong with it.
        problem: String,
    },
    /// A file is not an archive of pg_dump's custom format.
    #[error("{} is not an archive of pg_dump's custom format: {reason}", .path.display())]
    NotAnArchive {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// The database to restore into holds something.
    #[error("database \"{database}\" at {server} holds data: {found}")]
    NotEmpty {
        /// The database.
        database: String,
        /// Its server.
        server: String,
        /// Some of what it holds.
        found: String,
    },
    /// The database to restore into is a template, or the one that the server is looked after from.
    #[error("database \"{database}\" at {server} is the server's own: a template, or where others are created from")]
    ServersOwn {
        /// The database.
        database: String,
        /// Its server.
        server: String,
    },
    /// A name that the server would cut or refuse.
    #[error("{0:?} cannot name a database: a name has 1 to 63 bytes")]
    DatabaseName(String),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server refused a statement.
    #[error("cannot {action} database \"{database}\"")]
    Sql {
        /// What the statement was for.
        action: &'static str,
        /// The database.
        database: String,
        /// What the server said.
        source: Box<SqlError>,
    },
    /// No suitable pg_dump or pg_restore.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// pg_dump failed.
    #[error("cannot dump target `{target}`")]
    Dump {
        /// The target.
        target: String,
        /// What pg_dump said.
        source: ProcessError,
    },
    /// pg_restore failed. Nothing of it is left.
    #[error("cannot restore {} into database \"{database}\"", .archive.display())]
    Restore {
        /// The archive.
        archive: PathBuf,
        /// The database.
        database: String,
        /// What pg_restore said.
        source: ProcessError,
    },
    /// The restored database is at another revision than the manifest says.
    #[error(
        "database \"{database}\" was restored at revision {}, and the manifest says {}",
        revision(.found),
        revision(.expected)
    )]
    Revision {
        /// The database.
        database: String,
        /// What its version table holds.
        found: Vec<String>,
        /// What the manifest says.
        expected: Vec<String>,
    },
    /// A restore failed, and the database under its temporary name could not be dropped.
    #[error("the half-restored database \"{database}\" at {server} is still there: {reason}")]
    LeftBehind {
        /// The database's temporary name.
        database: String,
        /// Its server.
        server: String,
        /// Why it could not be dropped.
        reason: String,
        /// Why the restore failed.
        source: Box<Self>,
    },
}

fn join(ids: &[SetId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn of_targets(targets: &[String]) -> String {
    if targets.is_empty() { String::new() } else { format!(" of {}", targets.join(" and ")) }
}

fn passed_over(ids: &[SetId]) -> String {
    if ids.is_empty() { String::new() } else { format!(", only what is damaged or not complete: {}", join(ids)) }
}

fn revision(ids: &[String]) -> String {
    if ids.is_empty() { "(none)".into() } else { ids.join(", ") }
}

impl Error {
    /// For `map_err`: a file operation on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }

    /// For `map_err`: a statement on a database.
    pub(crate) fn sql<E: Into<SqlError>>(action: &'static str, database: &str) -> impl FnOnce(E) -> Self {
        move |source| Self::Sql { action, database: database.into(), source: Box::new(source.into()) }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space, or point backup.repository at another folder".into()
            }
            Self::Io { path, .. } => format!("check the owner and permissions of {}", path.display()),
            Self::Locked { .. } => "wait until it has ended, then try again".into(),
            Self::TargetName(_) => "use letters, digits, `_` and `-`".into(),
            Self::NoSuchSet { .. } => "`dbops backup list` shows what there is".into(),
            Self::Ambiguous { .. } => "write more of the id".into(),
            Self::NoLatest { targets, .. } => {
                format!("make one: dbops backup {}", targets.join(" ")).trim_end().to_owned()
            }
            Self::Manifest { source: ManifestError::Newer { .. }, .. } => "use the newer dbops that made it".into(),
            Self::Manifest { .. } | Self::Damaged { .. } => {
                "nothing was touched; `dbops backup verify --all` tells which backups are whole".into()
            }
            Self::NotInSet { .. } => "`dbops backup list` shows which backup holds what".into(),
            Self::NotAnArchive { .. } => "make one with `dbops backup`, or with `pg_dump --format=custom`".into(),
            Self::NotEmpty { .. } => "restore beside it with --into NAME; nothing was touched".into(),
            Self::ServersOwn { .. } => {
                "restore into a database of its own with --into NAME: what a template holds is in every database that \
                 is created later; nothing was touched"
                    .into()
            }
            Self::DatabaseName(_) => "choose another name".into(),
            Self::Connect(error) => error.hint(),
            Self::Sql { action, source, .. } => return sql_hint(action, source),
            Self::Program(error) => error.hint(),
            Self::Dump { source, .. } if source.to_string().contains("permission denied for ") => {
                format!("{LET_READ}; nothing of this backup is left")
            }
            Self::Dump { .. } => "nothing of this backup is left; see what pg_dump said".into(),
            Self::Restore { source, .. } => restore_hint(source),
            Self::Revision { .. } => {
                "the version table changed while the backup was made; look at it before use".into()
            }
            Self::LeftBehind { database, .. } => {
                format!(
                    "drop it when the server lets you: DROP DATABASE {}",
                    dbops_postgres::quote_identifier(database)
                )
            }
        })
    }
}

const LET_READ: &str = "let the user read everything in the database (GRANT pg_read_all_data TO …), or at least every \
                        table, sequence and large object (GRANT SELECT …)";

fn sql_hint(action: &str, error: &SqlError) -> Option<String> {
    match error.sqlstate.as_deref() {
        Some("42501") if action == "read" => Some(LET_READ.into()),
        Some("42501") if action == "create" => {
            Some("let the user create databases (ALTER ROLE … CREATEDB), or name an empty one".into())
        }
        // The encoding or locale of the original is not there on this server.
        Some("42809" | "22023") => Some("create the database yourself and restore into it while it is empty".into()),
        _ => error.server_hint.clone(),
    }
}

fn restore_hint(error: &ProcessError) -> String {
    let text = error.to_string();
    if text.contains("role \"") && text.contains("does not exist") {
        // Policies name roles too, and are no privileges.
        let is_privilege = ["GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES "]
            .iter()
            .any(|command| text.contains(&format!("Command was: {command}")));
        let or = if is_privilege { ", or leave the privileges out with --no-privileges" } else { "" };
        format!("create the role on this server first (CREATE ROLE …){or}; nothing was left behind")
    } else if text.contains("permission denied to create extension") {
        "let a superuser create the extension in an empty database, and restore into that; nothing was left behind"
            .into()
    } else if text.contains("is not available") || text.contains("could not open extension control file") {
        "install the extension on this server first; nothing was left behind".into()
    } else {
        "nothing was left behind; see what pg_restore said".into()
    }
}
