//! What to do next, for each thing that can go wrong.

use std::io;

use dbops_postgres::SqlError;
use dbops_postgres::process::ProcessError;

use super::Error;
use crate::{ManifestError, SealError};

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space, or point backup.repository at another folder".into()
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => {
                "raise the limit on the size of files (ulimit -f), or use a filesystem that takes files of this size"
                    .into()
            }
            Self::Io { path, .. } => format!("check the owner and permissions of {}", path.display()),
            Self::Store { source, .. } => store_hint(source),
            Self::Scheme(_) => "name a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX".into(),
            Self::TooLarge { .. } => "it was not written by dbops; look at it, and remove it if nobody needs it".into(),
            Self::NoId(_) => "try again; many backups seem to be made at the same moment".into(),
            Self::LostLock | Self::TakenAway(_) => "nothing of this backup is left; make it again".into(),
            Self::Recipient(_) => "write the public key that `age-keygen` shows: age1…".into(),
            Self::Identity(_) => "name the file that `age-keygen` wrote, with lines of AGE-SECRET-KEY-1…".into(),
            Self::Passphrase { .. } => {
                "the passphrase is that of the repository's first backup; its key.age holds the key to all of them"
                    .into()
            }
            Self::Seal(_) => return None,
            Self::Locked { .. } => "wait until it has ended, then try again".into(),
            Self::TargetName(_) => "use letters, digits, `_` and `-`".into(),
            Self::NoSuchSet { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`? `dbops backup list` shows what there is")
            }
            Self::NoSuchSet { nearest: None, .. } => "`dbops backup list` shows what there is".into(),
            Self::Ambiguous { .. } => "write more of the id".into(),
            Self::NoLatest { targets, .. } => {
                format!("make one: dbops backup {}", targets.join(" ")).trim_end().to_owned()
            }
            Self::Manifest { source: ManifestError::Newer { .. }, .. } => "use the newer dbops that made it".into(),
            Self::Manifest { source: ManifestError::Sealed(SealError::NoKey | SealError::WrongKey), .. } => {
                "name the file with its key: --identity FILE or backup.encryption.identity, or give its passphrase"
                    .into()
            }
            Self::Manifest { .. } | Self::Damaged { .. } => {
                "nothing was touched; `dbops backup verify --all` tells which backups are whole".into()
            }
            Self::NotInSet { .. } => "`dbops backup list` shows which backup holds what".into(),
            Self::NotAnArchive { .. } => "make one with `dbops backup`, or with `pg_dump --format=custom`".into(),
            Self::NotEmpty { .. } => {
                "restore beside it with --into NAME, or let it take its place with --swap; nothing was touched".into()
            }
            Self::InUse { .. } | Self::NotSwapped { .. } => {
                "stop what is connected, or end its sessions in the moment of the swap with --disconnect; nothing was \
                 touched"
                    .into()
            }
            Self::Beside { database, .. } => format!(
                "stop what is connected to it, then let what was restored take its place: dbops restore --undo-swap \
                 TARGET, TARGET being that of {database}"
            ),
            Self::Different { .. } => {
                "restore it beside with --into NAME to look at it; nothing else was touched".into()
            }
            Self::NothingToUndo { database, .. } => format!("a swap leaves {database}_20261126t021500z or the like"),
            Self::MissingRoles { owns, has_privileges, .. } => {
                let mut without: Vec<&str> = Vec::new();
                without.extend(owns.then_some("--no-owner"));
                without.extend(has_privileges.then_some("--no-privileges"));
                format!(
                    "create them with --create-roles, or do without: {} (policies always need theirs); nothing was \
                     touched",
                    without.join(" ")
                )
            }
            Self::NoRole { .. } => "name a role that is there; nothing was touched".into(),
            Self::OutOfReach { .. } => {
                "let everything belong to you with --no-owner, or to another role with --role NAME; nothing was touched"
                    .into()
            }
            Self::Role { source, .. } => {
                return Some(source.server_hint.clone().unwrap_or_else(|| "let a superuser create it".into()));
            }
            Self::NoTable { .. } => {
                "write SCHEMA.NAME, in double quotes what has a dot in it; a table without a schema is in public".into()
            }
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
            Self::Roles { .. } => {
                "leave them out with --no-roles; nothing of this backup is left, see what pg_dumpall said".into()
            }
            Self::Compression { .. } => {
                "choose another with --compress, or set DBOPS_PG_BIN to programs that were built with it".into()
            }
            Self::Dump { .. } => "nothing of this backup is left; see what pg_dump said".into(),
            Self::Restore { source, .. } => restore_hint(source),
            Self::Revision { .. } => {
                "the version table changed while the backup was made; look at it before use".into()
            }
            Self::Script(error) => return error.hint(),
            Self::Qdrant(error) => return error.hint(),
            Self::LeftBehind { database, .. } => {
                format!(
                    "drop it when the server lets you: DROP DATABASE {}",
                    dbops_postgres::quote_identifier(database)
                )
            }
        })
    }
}

fn store_hint(error: &object_store::Error) -> String {
    match error {
        object_store::Error::PermissionDenied { .. } => {
            "let the account list, read, write and delete objects in the bucket".into()
        }
        object_store::Error::Unauthenticated { .. } => {
            "check the credentials: AWS_ACCESS_KEY_ID and the like, AWS_PROFILE, GOOGLE_APPLICATION_CREDENTIALS, \
             AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"
                .into()
        }
        object_store::Error::NotFound { .. } => "check the bucket's name, and that it exists".into(),
        _ => "check the bucket's name, the endpoint (AWS_ENDPOINT_URL) and the credentials, then try again".into(),
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
