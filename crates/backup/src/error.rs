//! What can go wrong with a backup, with what to do about it.

mod hint;

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
        /// What was probably meant: an id, or `latest`.
        nearest: Option<String>,
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
}
