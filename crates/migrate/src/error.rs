//! What can be wrong with revision files, their graph, a request, or a statement.

use std::io;
use std::path::PathBuf;

use dbops_postgres::process::ProcessError;
use dbops_postgres::{ConnectError, SqlError};

use crate::Unfinished;

/// Why a migration could not be planned or carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A revision file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The files contradict each other, or a request does not fit them.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A file or folder cannot be read or written.
    #[error("{}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A text that cannot be a revision's id.
    #[error("`{id}` cannot be a revision's id: {problem}")]
    Id {
        /// The text.
        id: String,
        /// Why not.
        problem: &'static str,
    },
    /// The connection that holds the lock broke.
    #[error("the connection that keeps other migrations away was lost; no further revision was begun")]
    LockLost,
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A statement of a revision failed.
    #[error(transparent)]
    Statement(Box<StatementError>),
    /// A statement of dbops' own failed.
    #[error("{doing}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// What the server said.
        source: Box<SqlError>,
    },
    /// Another run holds the lock.
    #[error("another migration of this database is running{}", holder_text(.holder))]
    Locked {
        /// Who holds it, as far as the server says.
        holder: Option<String>,
    },
    /// The version table is not as it was left.
    #[error(
        "the version table changed while revision {revision} ran: it no longer has exactly one row for {}",
        .ids.join(" and one for ")
    )]
    Rows {
        /// The revision whose edit did not fit.
        revision: String,
        /// The rows that it was to find.
        ids: Vec<String>,
    },
    /// The version table could not be edited after a revision's statements.
    #[error("cannot record revision {revision} in the version table; nothing of it was applied")]
    Record {
        /// The revision.
        revision: String,
        /// What the server said.
        source: Box<SqlError>,
    },
    /// A revision without a transaction was begun and is not completed.
    #[error("revision {} was not completed: {} of its statements are done{}", .0.revision, .0.statements, reason(.0))]
    Unfinished(Box<Unfinished>),
    /// A file changed while its revision was under way.
    #[error(
        "revision {revision} cannot be completed: the first {statements} statements of {}, which ran, have changed",
        .path.display()
    )]
    ChangedUnderWay {
        /// The revision.
        revision: String,
        /// Its file.
        path: PathBuf,
        /// How many had run.
        statements: usize,
    },
    /// Nobody knows whether a statement that was broken off took effect.
    #[error(
        "revision {revision} was broken off while a statement ran that PostgreSQL does not run in a transaction, and \
         whether it took effect cannot be told\n{}:{line}\n{sql}",
        .path.display()
    )]
    Uncertain {
        /// The revision.
        revision: String,
        /// Its file.
        path: PathBuf,
        /// Where the statement begins.
        line: usize,
        /// Its first line.
        sql: String,
    },
    /// Several revisions in one transaction, of which one cannot run in any.
    #[error("revision {revision} runs without a transaction: {} has `-- transaction: off`", .path.display())]
    NotTransactional {
        /// The revision.
        revision: String,
        /// Its file.
        path: PathBuf,
    },
    /// A batch block names a table or key that it cannot go over.
    #[error("{}:{line}: {problem}", .path.display())]
    Batch {
        /// The file.
        path: PathBuf,
        /// Where the statement begins.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The progress of a revision without a transaction cannot be remembered.
    #[error("revision {revision} runs without a transaction, and how far it comes cannot be remembered: {reason}")]
    NoLedger {
        /// The revision.
        revision: String,
        /// Why the tables cannot be used.
        reason: String,
    },
    /// A revision was imported and could not be rendered.
    #[error("revision {revision} cannot be run: {} is a stub ({reason})", .path.display())]
    Stub {
        /// Its id.
        revision: String,
        /// Its file.
        path: PathBuf,
        /// Why it could not be rendered.
        reason: String,
    },
    /// Alembic could not render the revisions.
    #[error("Alembic cannot render the revisions")]
    Export {
        /// What Python said.
        source: ProcessError,
    },
    /// What the project's Python printed is not what was asked for.
    #[error("{program} did not print the revisions: {reason}")]
    ExportUnreadable {
        /// The program.
        program: String,
        /// Why not.
        reason: String,
    },
    /// Alembic keeps the revisions of a database in another table than dbops does.
    #[error("env.py keeps the revisions of a database in {table}, and dbops in alembic_version")]
    OtherVersionTable {
        /// Its name, with its schema if that is not `public`.
        table: String,
    },
    /// A revision file is there and says something else.
    #[error("revision {revision} is there already and differs: {}", .path.display())]
    ImportDiffers {
        /// Its id.
        revision: String,
        /// The file that is there.
        path: PathBuf,
    },
    /// A revision has no way down.
    #[error("revision {revision} cannot be undone: {} has no `-- +down` section", .path.display())]
    NoDown {
        /// Its id.
        revision: String,
        /// Its file.
        path: PathBuf,
    },
}

fn holder_text(holder: &Option<String>) -> String {
    holder.as_deref().map(|holder| format!(": {holder}")).unwrap_or_default()
}

fn reason(unfinished: &Unfinished) -> String {
    match (&unfinished.error, &unfinished.batch_key) {
        (Some(error), _) => format!("; the next one failed: {error}"),
        (None, Some(_)) => format!("; the next one has gone over {} rows", unfinished.batch_rows),
        (None, None) => String::new(),
    }
}

impl Error {
    pub(crate) fn sql(doing: &'static str, error: impl Into<SqlError>) -> Self {
        Self::Sql { doing, source: Box::new(error.into()) }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint.clone(),
            Self::Graph(error) => error.hint(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::InvalidData => Some("save it as UTF-8".into()),
            Self::Io { .. } => None,
            Self::Id { .. } => Some("use letters, digits and `_`".into()),
            Self::LockLost => Some("see `dbops migrate current`, then run the command again".into()),
            Self::Connect(error) => Some(error.hint()),
            Self::Statement(error) => Some(error.hint()),
            Self::Sql { source, .. } => source.server_hint.clone(),
            Self::Locked { .. } => Some("wait for it to end, or wait longer with --lock-wait SECONDS".into()),
            Self::Record { source, .. } => source.server_hint.clone(),
            Self::Rows { .. } => Some("look at it with `dbops migrate current`, then run the command again".into()),
            Self::Unfinished(_) => Some(
                "complete it with `dbops migrate resume`; or bring the database to a known state by hand and record \
                 that with `dbops migrate stamp REV`"
                    .into(),
            ),
            Self::ChangedUnderWay { .. } => Some(
                "bring those statements back as they were, or undo them by hand and record where the database is \
                 with `dbops migrate stamp REV`"
                    .into(),
            ),
            Self::Uncertain { .. } => Some(
                "look at the database, then run the statement again with `dbops migrate resume --rerun`, or go on \
                 after it with `dbops migrate resume --skip`"
                    .into(),
            ),
            Self::NotTransactional { revision, .. } => Some(format!(
                "go up to the revision before {revision}, then to {revision} without --single-transaction, then on"
            )),
            Self::Batch { .. } => Some("correct the block; nothing of its statement has run".into()),
            Self::NoLedger { .. } => Some(
                "let the role create the schema `dbops` (GRANT CREATE ON DATABASE), or use it (GRANT USAGE ON SCHEMA \
                 dbops, and ALL ON ALL TABLES IN SCHEMA dbops)"
                    .into(),
            ),
            Self::Stub { path, .. } if path.extension().is_some_and(|it| it == "py") => Some(
                "`dbops migrate import --alembic INI` writes the files; their folder is then to be named as `versions`"
                    .into(),
            ),
            Self::Stub { path, .. } => Some(format!(
                "write its SQL under `-- +up` and `-- +down` in {}, and delete the line `-- stub:`; where its work is \
                 done already, `dbops migrate stamp` records it",
                path.display()
            )),
            Self::Export { .. } => Some(
                "`alembic upgrade head --sql` has to work there; --python names the Python that has the project's \
                 packages"
                    .into(),
            ),
            Self::ExportUnreadable { .. } => None,
            Self::OtherVersionTable { .. } => Some(
                "rename the table to alembic_version, or move it to the schema public, in every database, and take \
                 `version_table` and `version_table_schema` out of env.py; nothing was written"
                    .into(),
            ),
            Self::ImportDiffers { .. } => Some("delete the file to have it written again; nothing was written".into()),
            Self::NoDown { .. } => {
                Some("write the statements that undo it under `-- +down`, or restore a backup".into())
            }
        }
    }
}

/// A mistake in a revision file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {message}", .path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// A contradiction among the revisions, or a request that does not fit them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Two files have one id.
    #[error("revision {id} is there twice: {} and {}", .first.display(), .second.display())]
    DuplicateId {
        /// The id.
        id: String,
        /// A file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A label is another revision's label or id.
    #[error("the branch label `{label}` of {} is already used by revision {other}", .path.display())]
    DuplicateLabel {
        /// The label.
        label: String,
        /// Where it stands.
        path: PathBuf,
        /// Who has it.
        other: String,
    },
    /// A parent or dependency that no file has.
    #[error("{} names revision `{missing}`, which does not exist", .path.display())]
    Missing {
        /// The file that names it.
        path: PathBuf,
        /// The id or label.
        missing: String,
    },
    /// Revisions that follow one another in a circle.
    #[error("these revisions follow one another in a circle: {}", .0.join(", "))]
    Cycle(Vec<String>),
    /// An identifier that names nothing.
    #[error("there is no revision or branch `{name}`")]
    Unknown {
        /// As asked for.
        name: String,
        /// An id or label that is written almost like it.
        nearest: Option<String>,
    },
    /// A prefix of several ids.
    #[error("`{prefix}` is the beginning of several revisions: {}", .candidates.join(", "))]
    Ambiguous {
        /// As asked for.
        prefix: String,
        /// What it may mean.
        candidates: Vec<String>,
    },
    /// `head` where there are several.
    #[error("there are several heads: {}", .0.join(", "))]
    SeveralHeads(Vec<String>),
    /// A revision outside the branch that was named.
    #[error("revision {revision} does not belong to the branch `{branch}`")]
    NotOnBranch {
        /// The revision.
        revision: String,
        /// The branch.
        branch: String,
    },
    /// A relative step that has no place to go, or more than one.
    #[error("`{request}`: {problem}")]
    Relative {
        /// As asked for.
        request: String,
        /// Why not.
        problem: &'static str,
    },
    /// Targets of which one implies another.
    #[error("the revisions {0} and {1} overlap: one implies the other")]
    Overlap(String, String),
    /// A downgrade to a revision that is not applied.
    #[error("cannot go down to {0}: it is not among the applied revisions")]
    NotApplied(String),
    /// A new revision where there are several heads.
    #[error("there are several heads, and a new revision follows one: {}", .0.join(", "))]
    WhichHead(Vec<String>),
    /// A new revision after one that others follow already.
    #[error("{0} is not a head")]
    NotAHead(String),
    /// A text that cannot be a branch label.
    #[error("`{label}` cannot be a branch label: {problem}")]
    Label {
        /// The text.
        label: String,
        /// Why not.
        problem: &'static str,
    },
    /// A label for a new revision that another has.
    #[error("the branch label `{label}` is already used by revision {revision}")]
    LabelTaken {
        /// The label.
        label: String,
        /// Who has it.
        revision: String,
    },
    /// A merge of less than two revisions.
    #[error("there is nothing to merge{}", merged(.0))]
    NothingToMerge(Vec<String>),
    /// A text that has no `:`, or several.
    #[error("`{0}` is not a range")]
    NotARange(String),
    /// A range whose end does not need its start.
    #[error("{start} is not below `{end}`")]
    NotBelow {
        /// The start.
        start: String,
        /// The end, as asked for.
        end: String,
    },
    /// A row of the version table that no file explains.
    #[error("the database is at revision {}, which no file has", .0.join(", "))]
    UnknownRow(Vec<String>),
}

fn merged(ids: &[String]) -> String {
    ids.first().map(|id| format!(": {id} is one revision")).unwrap_or_default()
}

impl GraphError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::DuplicateId { .. } => "give one of them another id and file name".into(),
            Self::DuplicateLabel { .. } => "choose another label".into(),
            Self::Missing { .. } => "correct the header, or bring the missing file back".into(),
            Self::Cycle(_) => "correct `revises` and `depends_on` in their headers".into(),
            Self::Unknown { nearest: Some(nearest), .. } => {
                format!("did you mean `{nearest}`? `dbops migrate history` lists the revisions")
            }
            Self::Unknown { nearest: None, .. } => "`dbops migrate history` lists the revisions".into(),
            Self::Ambiguous { .. } => "write more of its characters".into(),
            Self::SeveralHeads(heads) => {
                let first = heads.first().map_or("REV", String::as_str);
                format!(
                    "name `heads` for all of them, one of them (`{first}`) or a branch's (`LABEL@head`), or join them \
                     with `dbops migrate merge -m MESSAGE`"
                )
            }
            Self::NotOnBranch { .. } => "leave the branch out, or name a revision of it".into(),
            Self::Relative { .. } => "name the revision itself; `dbops migrate history` lists them".into(),
            Self::Overlap(..) => "name only the later one".into(),
            Self::WhichHead(heads) => {
                let first = heads.first().map_or("REV", String::as_str);
                format!("name it with `--head {first}`, or join them first with `dbops migrate merge -m MESSAGE`")
            }
            Self::NotAHead(_) => {
                "add --splice to begin another branch there, or leave --head out to follow the head".into()
            }
            Self::Label { .. } => "use letters, digits, `_`, `-` and `.`".into(),
            Self::LabelTaken { .. } => "choose another label".into(),
            Self::NothingToMerge(_) => "`dbops migrate heads` shows whether there are several".into(),
            Self::NotARange(_) => "write `START:END`; either may be left out".into(),
            Self::NotBelow { .. } => "`dbops migrate history --graph` shows how they are connected".into(),
            Self::NotApplied(_) => "`dbops migrate current` shows what is applied".into(),
            Self::UnknownRow(_) => {
                "get the files that belong to this database, or replace its rows with `dbops migrate stamp --purge REV`"
                    .into()
            }
        })
    }
}

/// A statement that failed, with its place in the file.
#[derive(Debug, Clone, thiserror::Error)]
#[error("revision {revision} failed: {error}\n{}:{line}:{column}\n{excerpt}", .path.display())]
pub struct StatementError {
    /// The revision.
    pub revision: String,
    /// Its file.
    pub path: PathBuf,
    /// The line that the server points at, else the statement's first, counted from 1.
    pub line: usize,
    /// The column, counted in characters from 1.
    pub column: usize,
    /// That line with a caret under the place.
    pub excerpt: String,
    /// What the server said.
    pub error: SqlError,
    /// Statements of a non-transactional revision that took effect before this one.
    pub applied_before: Option<usize>,
}

impl StatementError {
    fn hint(&self) -> String {
        if self.error.is_connection_lost() {
            return match self.applied_before {
                None => "the connection was lost; see `dbops migrate current`, then run the command again".into(),
                Some(_) => "the connection was lost; go on with `dbops migrate resume`".into(),
            };
        }
        if self.error.is_lock_timeout() && self.applied_before.is_none() {
            return "nothing of this revision was applied; run the command again when the table is less busy, or raise \
                    `-- lock_timeout:` in the header"
                .into();
        }
        // active_sql_transaction: CREATE INDEX CONCURRENTLY and the like.
        if self.error.sqlstate.as_deref() == Some("25001") && self.applied_before.is_none() {
            return "write `-- transaction: off` in the header: this statement cannot run in a transaction".into();
        }
        let server = self.error.server_hint.as_deref().map(|hint| format!("{hint}; ")).unwrap_or_default();
        match self.applied_before {
            None => format!("{server}nothing of this revision was applied; correct the file and run the command again"),
            Some(count) => format!(
                "{server}this revision runs without a transaction: {count} of its statements took effect and stay; \
                 correct the statement, then go on with `dbops migrate resume`"
            ),
        }
    }
}
