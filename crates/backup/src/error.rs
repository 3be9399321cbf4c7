//! What can go wrong with a backup, with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use dbops_postgres::process::ProcessError;
use dbops_postgres::{ConnectError, ProgramError, SqlError};

use jiff::Timestamp;

use crate::script::ScriptError;
use crate::{Compression, Holder, ManifestError, QdrantError, SealError, SetId, TableName};

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
    /// The object store refused something, or could not be reached.
    #[error("cannot {action} {what}")]
    Store {
        /// `read`, `write`, …
        action: &'static str,
        /// The object or the repository.
        what: String,
        /// Why.
        source: Box<object_store::Error>,
    },
    /// A repository's URL begins with something else than `s3://`, `gs://` or `az://`.
    #[error("a repository at {0} is not supported")]
    Scheme(String),
    /// A file of the repository is larger than any of its kind.
    #[error("{file} is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        file: String,
        /// What it may have.
        limit: u64,
    },
    /// Every id that was tried is taken.
    #[error("no id is free for a backup of {0:.0}")]
    NoId(Timestamp),
    /// The lease on a target was taken over by another process while the service could not be reached.
    #[error("the lock of the backup was lost while the repository could not be reached")]
    LostLock,
    /// What was written of a set is not there any more.
    #[error("backup {0} was removed or replaced while it was being written")]
    TakenAway(SetId),
    /// A recipient is none.
    #[error("`{0}` is not a recipient to encrypt for")]
    Recipient(String),
    /// An identity file holds no keys, or something else.
    #[error("{} does not hold the keys of age", .0.display())]
    Identity(PathBuf),
    /// The passphrase is not the repository's.
    #[error("{file} {}", passphrase(source))]
    Passphrase {
        /// The repository's key.
        file: String,
        /// What is wrong.
        source: SealError,
    },
    /// Something could not be encrypted.
    #[error("cannot encrypt")]
    Seal(#[source] io::Error),
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
    #[error("there is no backup `{wanted}` in {repository}")]
    NoSuchSet {
        /// What was asked for.
        wanted: String,
        /// Where it was looked for.
        repository: String,
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
    #[error("there is no complete backup{} in {repository}{}", of_targets(.targets), passed_over(.not_whole))]
    NoLatest {
        /// The targets that it should hold.
        targets: Vec<String>,
        /// Where it was looked for.
        repository: String,
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
    /// A file is not an archive of pg_dump.
    #[error("{} is not an archive of pg_dump: {reason}", .path.display())]
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
    /// Somebody is connected to the database whose place is to be taken.
    #[error("database \"{database}\" is in use by {}", sessions_text(.sessions))]
    InUse {
        /// The database.
        database: String,
        /// The sessions.
        sessions: Vec<String>,
    },
    /// The databases could not be renamed.
    #[error("cannot take the place of database \"{database}\"{}", in_use(.sessions))]
    NotSwapped {
        /// The live database.
        database: String,
        /// The sessions that are in it.
        sessions: Vec<String>,
        /// What the server said.
        source: Box<SqlError>,
    },
    /// The restored database is whole and could not take the place of the live one.
    #[error("database \"{database}\" is as it was; what was restored is whole, as database \"{beside}\"")]
    Beside {
        /// The live database.
        database: String,
        /// The restored one.
        beside: String,
        /// Why.
        source: Box<Self>,
    },
    /// What was restored is not what was dumped, and did not take the place of the live database.
    #[error("database \"{database}\" is as it was, for what was restored is not what was dumped: {}", .differences.join("; "))]
    Different {
        /// The live database.
        database: String,
        /// How the rows differ.
        differences: Vec<String>,
    },
    /// No database has given away its name.
    #[error("no database at {server} has given its name to \"{database}\"")]
    NothingToUndo {
        /// The live database.
        database: String,
        /// Its server.
        server: String,
    },
    /// Roles that own something or were granted something are not on the server.
    #[error("{server} does not have the {} that the backup needs: {}", if .roles.len() == 1 { "role" } else { "roles" }, .roles.join(", "))]
    MissingRoles {
        /// The roles.
        roles: Vec<String>,
        /// The server.
        server: String,
        /// Whether any of them owns something.
        owns: bool,
        /// Whether any of them was granted something, or is named by a policy.
        has_privileges: bool,
    },
    /// The role that is to own everything is not there.
    #[error("{server} has no role `{role}`")]
    NoRole {
        /// The role.
        role: String,
        /// The server.
        server: String,
    },
    /// The user who restores may not give anything to these roles.
    #[error("`{user}` cannot give what is restored to its owners: {}", .roles.join(", "))]
    OutOfReach {
        /// The user.
        user: String,
        /// The owners.
        roles: Vec<String>,
    },
    /// A role could not be created.
    #[error("cannot create the role `{role}`")]
    Role {
        /// The role.
        role: String,
        /// What the server said.
        source: Box<SqlError>,
    },
    /// The archive does not hold this table.
    #[error("{archive} does not hold the table {}.{}", .table.schema, .table.name)]
    NoTable {
        /// The table.
        table: TableName,
        /// The archive.
        archive: String,
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
    /// The roles of the target's server could not be dumped.
    #[error("cannot dump the roles of target `{target}`'s server")]
    Roles {
        /// The target.
        target: String,
        /// What pg_dumpall said.
        source: ProcessError,
    },
    /// The pg_dump that was found cannot compress as it was asked to.
    #[error("pg_dump {programs} cannot compress with {wanted}")]
    Compression {
        /// What was asked for.
        wanted: Compression,
        /// The programs.
        programs: String,
    },
    /// pg_restore failed. Nothing of it is left.
    #[error("cannot restore {archive} into database \"{database}\"")]
    Restore {
        /// The archive.
        archive: String,
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
    /// Something about a script for psql.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Something about a collection of a Qdrant server.
    #[error(transparent)]
    Qdrant(#[from] QdrantError),
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

impl From<dbops_qdrant::Error> for Error {
    fn from(error: dbops_qdrant::Error) -> Self {
        QdrantError::from(error).into()
    }
}

fn passphrase(error: &SealError) -> String {
    match error {
        SealError::WrongKey => "cannot be opened: the passphrase is another one".into(),
        error => error.to_string(),
    }
}

/// The first few; a pool has dozens.
fn sessions_text(sessions: &[String]) -> String {
    let shown = sessions.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = sessions.len().saturating_sub(5);
    let noun = if sessions.len() == 1 { "session" } else { "sessions" };
    let and = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{} {noun}: {shown}{and}", sessions.len())
}

fn in_use(sessions: &[String]) -> String {
    if sessions.is_empty() { String::new() } else { format!(": it is in use by {}", sessions_text(sessions)) }
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

    /// For `map_err`: a request to the object store.
    pub(crate) fn store(action: &'static str, what: &str) -> impl FnOnce(object_store::Error) -> Self + use<> {
        let what = what.to_owned();
        move |source| Self::Store { action, what, source: Box::new(source) }
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
            Self::NoSuchSet { .. } => "`dbops backup list` shows what there is".into(),
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
