//! `dbops migrate`: revisions as SQL files, Alembic's graph and version table.

mod autogenerate;
mod check;
mod dry_run;
mod graph;
mod history;
mod import;
mod lint;
mod offline;
mod progress;
mod rehearse;
mod resume;
mod revision;
mod run;
mod state;

use clap::{Args, Subcommand};
use dbops_migrate::{Error, Graph, is_alembic, load_alembic, load_folder};

pub(in crate::commands) use autogenerate::baseline;
pub(crate) use check::{Agreement, agreement};
pub(crate) use history::{HistoryRevision, revisions};
pub(in crate::commands) use import::{
    AlembicProject, ImportDocument, report as report_import, summary as summarize_import,
};
pub(in crate::commands) use run::stamp_heads;

use super::{Context, Outcome};
use crate::config::PostgresTarget;
use crate::failure::{Failure, FailureKind, Result};

/// Bring the databases to the newest revision, or go to another one
///
/// Without a subcommand: upgrade every PostgreSQL target to its heads, then apply the Qdrant collections.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  dbops migrate\n  dbops migrate current\n  dbops migrate downgrade -1 -t bot_db\n  \
                        dbops migrate revision -m \"add email verification to users\" -t bot_db"
)]
pub(crate) struct MigrateArgs {
    #[command(subcommand)]
    command: Option<MigrateCommand>,
    /// Only this target; may be repeated
    #[arg(short, long = "target", value_name = "NAME", global = true)]
    targets: Vec<String>,
    #[command(flatten)]
    flags: run::RunFlags,
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Apply revisions up to REV: an id, its beginning, `head`, `heads`, `+N`, `REV+N`, `label@head`
    #[command(
        after_help = "Examples:\n  dbops migrate upgrade heads\n  dbops migrate upgrade +1 -t bot_db --dry-run\n  dbops migrate upgrade base:head -t bot_db --sql"
    )]
    Upgrade(run::MoveArgs),
    /// Undo revisions down to REV, which stays: an id, its beginning, `base`, `-N`, `label@base`
    #[command(
        after_help = "Examples:\n  dbops migrate downgrade -1 -t bot_db\n  dbops migrate downgrade base -t bot_db --dry-run"
    )]
    Downgrade(run::MoveArgs),
    /// Show which revision each database is at and what is pending
    #[command(after_help = "Example: dbops migrate current")]
    Current,
    /// Show the newest revision of each target
    #[command(after_help = "Example: dbops migrate heads")]
    Heads,
    /// Show the revisions that more than one revision follows
    #[command(after_help = "Example: dbops migrate branches -t bot_db")]
    Branches,
    /// List the revisions, the newest first; with --verbose, when each was run, by whom, and how long it took
    #[command(
        after_help = "Examples:\n  dbops migrate history -t bot_db --verbose\n  dbops migrate history current: -t bot_db"
    )]
    History(history::HistoryArgs),
    /// Show a revision: its file, what it follows and what follows it
    #[command(after_help = "Example: dbops migrate show head -t bot_db")]
    Show {
        /// An id, its beginning, a label, `head`, `current`, …
        #[arg(value_name = "REV", allow_hyphen_values = true)]
        revision: String,
    },
    /// Compare files and databases; exit code 3 when something is pending, unknown, changed, or has several heads
    #[command(after_help = "Example: dbops migrate check")]
    Check,
    /// Look at revision files: locks, data steps, messages; exit code 3 when something is found
    #[command(
        after_help = "Examples:\n  dbops migrate lint\n  dbops migrate lint config/bot_db/versions/20261122T210501Z_add_role.sql"
    )]
    Lint(lint::LintArgs),
    /// Write a new, empty revision file
    #[command(
        after_help = "Examples:\n  dbops migrate revision -m \"add role column to users\" -t bot_db\n  dbops migrate revision -m \"add plans to users\" -t bot_db --autogenerate"
    )]
    Revision(revision::RevisionArgs),
    /// Write a revision that joins several heads
    #[command(after_help = "Example: dbops migrate merge -m \"merge the two heads\" -t bot_db")]
    Merge(revision::MergeArgs),
    /// Turn an Alembic project into revision files with the same ids
    #[command(after_help = "Example: dbops migrate import --alembic src/api/db/alembic.ini -t bot_db")]
    Import(import::ImportArgs),
    /// Try the pending revisions on a restored backup: how long they take, what they lock, and whether they can be undone
    #[command(after_help = "Example: dbops migrate rehearse -t bot_db")]
    Rehearse(rehearse::RehearseArgs),
    /// Complete a revision without a transaction that failed or was broken off
    #[command(after_help = "Example: dbops migrate resume -t bot_db")]
    Resume(resume::ResumeArgs),
    /// Take revision files as they are that changed, or came in below, after they were applied
    #[command(after_help = "Example: dbops migrate accept 8f3c2a9d41be -t bot_db")]
    Accept {
        /// The revisions [default: all that `check` reports]
        #[arg(value_name = "REV")]
        revisions: Vec<String>,
    },
    /// Record a revision as applied without running it
    #[command(after_help = "Example: dbops migrate stamp heads -t bot_db")]
    Stamp {
        /// One or more revisions, `head`, or `base`
        #[arg(value_name = "REV", required = true)]
        revisions: Vec<String>,
        /// Delete all rows of the version table first, also those that no file explains
        #[arg(long)]
        purge: bool,
    },
}

pub(crate) async fn run(context: &Context, args: MigrateArgs) -> Result<Outcome> {
    let config = context.config()?;
    let (targets, flags) = (&args.targets[..], &args.flags);
    match args.command {
        None => run::migrate_all(context, &config, targets, flags).await,
        Some(MigrateCommand::Upgrade(to)) => run::upgrade(context, &config, targets, &to, flags).await,
        Some(MigrateCommand::Downgrade(to)) => run::downgrade(context, &config, targets, &to, flags).await,
        Some(MigrateCommand::Stamp { revisions, purge }) => {
            run::stamp(context, &config, targets, &run::Stamp { revisions, purge }, flags).await
        }
        Some(MigrateCommand::Import(args)) => import::import(context, &config, targets, &args).await,
        Some(MigrateCommand::Rehearse(args)) => rehearse::rehearse(context, &config, targets, &args, flags).await,
        Some(MigrateCommand::Resume(how)) => resume::resume(context, &config, targets, &how, flags).await,
        Some(MigrateCommand::Accept { revisions }) => {
            resume::accept(context, &config, targets, &revisions, flags).await
        }
        Some(MigrateCommand::Current) => state::current(context, &config, targets).await,
        Some(MigrateCommand::Heads) => state::heads(context, &config, targets),
        Some(MigrateCommand::Branches) => graph::branches(context, &config, targets),
        Some(MigrateCommand::History(args)) => history::history(context, &config, targets, &args).await,
        Some(MigrateCommand::Show { revision }) => graph::show(context, &config, targets, &revision).await,
        Some(MigrateCommand::Check) => check::check(context, &config, targets).await,
        Some(MigrateCommand::Lint(args)) => lint::run(context, &config, targets, &args),
        Some(MigrateCommand::Merge(args)) => revision::merged(context, &config, targets, &args),
        Some(MigrateCommand::Revision(new)) => revision::revision(context, &config, targets, &new).await,
    }
}

/// The graph of a target's revision files.
pub(crate) fn load(name: &str, target: &PostgresTarget) -> Result<Graph> {
    let path = &target.versions;
    let read = || -> std::result::Result<Graph, Error> {
        Ok(Graph::new(if is_alembic(path) { load_alembic(path)? } else { load_folder(path)? })?)
    };
    read().map_err(|error| {
        // A mistake in the files is the user's to correct before anything is touched, like one in the configuration.
        let failure = Failure::from(error);
        Failure { kind: FailureKind::Usage, ..failure }.context(format!("the revisions of {name} cannot be used"))
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::File(_) | Error::Graph(_) | Error::Id { .. } => FailureKind::Usage,
            Error::Locked { .. } => FailureKind::Locked,
            Error::Statement(statement) if statement.error.is_lock_timeout() => FailureKind::Locked,
            Error::NoDown { .. } | Error::Unfinished(_) | Error::ChangedUnderWay { .. } | Error::Uncertain { .. } => {
                FailureKind::Refused
            }
            Error::NotTransactional { .. }
            | Error::NoLedger { .. }
            | Error::Stub { .. }
            | Error::OtherVersionTable { .. }
            | Error::ImportDiffers { .. } => FailureKind::Refused,
            _ => FailureKind::Failed,
        };
        let hint = error.hint();
        Self { kind, error: error.into(), hint }
    }
}

impl From<dbops_migrate::GraphError> for Failure {
    fn from(error: dbops_migrate::GraphError) -> Self {
        Error::from(error).into()
    }
}
