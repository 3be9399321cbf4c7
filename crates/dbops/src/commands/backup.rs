//! `dbops backup [TARGET...]` and `dbops backup list|show|verify|delete`: making sets and looking after them.

mod create;
mod estimate;
mod events;
mod hooks;
mod label;
mod prune;
mod report;
mod sets;
mod show;
mod trial;
mod work;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use dbops_backup::script::ScriptError;
use dbops_backup::{Error, Programs, QdrantSource, Source, Sources, Within};

use self::create::{DumpArgs, Request, create};
use self::label::Label;
use self::prune::PruneArgs;
pub(super) use self::report::{Reporter, revision, seconds};
use self::trial::Trial;
use super::qdrant::{TIMEOUT, server_options};
use super::{Context, Outcome};
use crate::config::{Config, TargetKind, nearest};
use crate::failure::{Failure, FailureKind, Result};

const EXAMPLES: &str = "Examples:
  dbops backup                   back up every target into one set
  dbops backup bot_db            back up one
  dbops backup list              show what there is
  dbops backup verify --all      compare every byte with the manifests
  dbops backup verify --restore  restore the newest elsewhere, compare the rows
  dbops backup prune --dry-run   show what backup.retention would remove";

/// Back up targets into one set, and look after the sets
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    command: Option<BackupCommand>,
    /// The targets to back up [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// The same as TARGET
    #[arg(short, long = "target", value_name = "NAME")]
    target: Vec<String>,
    /// Say something of the set, such as why it was made
    #[arg(long = "label", value_name = "NAME=VALUE")]
    labels: Vec<Label>,
    /// The file with the key of encrypted backups, to list, show, verify or prune them
    #[arg(long, global = true, value_name = "FILE")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    dump: DumpArgs,
}

#[derive(Subcommand)]
enum BackupCommand {
    /// Show the sets, the newest first
    #[command(after_help = "Examples:\n  dbops backup list\n  dbops backup list --label release=1.4")]
    List {
        /// Only those that have this label
        #[arg(long = "label", value_name = "NAME=VALUE")]
        labels: Vec<Label>,
    },
    /// Show what a set holds
    #[command(after_help = "Example: dbops backup show latest")]
    Show {
        /// Its id, the beginning of it, or `latest`
        id: String,
    },
    /// Compare every byte of a set with its manifest, or restore it to see; exit code 3 when something is wrong
    #[command(after_help = "Examples:\n  dbops backup verify\n  dbops backup verify --newer-than 7d --restore")]
    Verify {
        /// Its id, the beginning of it, or `latest`
        #[arg(default_value = "latest")]
        id: String,
        /// Verify every set
        #[arg(long, conflicts_with = "id")]
        all: bool,
        /// Verify those that are not older than this: years, months, days and hours, such as 7d
        #[arg(long, conflicts_with_all = ["id", "all"], value_name = "TIME")]
        newer_than: Option<Within>,
        /// Then restore it: databases into a server that is started for it, collections under another name; and compare
        /// the rows and points with what was backed up
        #[arg(long)]
        restore: bool,
    },
    /// Remove the sets that are not worth keeping, and what killed backups left
    #[command(after_help = "Example: dbops backup prune --dry-run")]
    Prune(PruneArgs),
    /// Delete a set
    #[command(after_help = "Example: dbops backup delete 20261123T0215")]
    Delete {
        /// Its id, or the beginning of it
        id: String,
    },
}

pub(crate) async fn run(context: &Context, args: &BackupArgs) -> Result<Outcome> {
    let config = context.config()?;
    let names = [args.targets.as_slice(), &args.target].concat();
    // Not left to clap's `args_conflicts_with_subcommands`, which takes the `list` of `backup --json list` for a target.
    if args.command.is_some() && !names.is_empty() {
        return Err(Failure::usage("targets are named to make a backup, not to look after the ones that there are"));
    }
    if args.command.is_some() && !args.labels.is_empty() {
        return Err(
            Failure::usage("the label stands before the command").with_hint("dbops backup list --label NAME=VALUE")
        );
    }
    if args.command.is_some() && !args.dump.are_default() {
        return Err(Failure::usage("how to dump is said to make a backup, not to look after the ones that there are"));
    }
    let sources = if args.command.is_none() { sources(&config, &names)? } else { Sources::default() };
    let repository = super::repository::open(context, &config, args.identity.as_deref()).await?;
    match &args.command {
        None => {
            let request =
                Request { repository: &repository, sources: &sources, labels: &args.labels, dump: &args.dump };
            create(context, &config, &request).await
        }
        Some(BackupCommand::List { labels }) => sets::list(context, &repository, labels).await,
        Some(BackupCommand::Show { id }) => show::show(context, &sets::find(&repository, id).await?),
        Some(BackupCommand::Verify { id, all, newer_than, restore }) => {
            let sets = sets::chosen(&repository, id, *all, *newer_than).await?;
            let trial = restore.then(|| Trial::new(context, &config));
            sets::verify_all(context, &repository, &sets, trial.as_ref()).await
        }
        Some(BackupCommand::Prune(args)) => prune::prune(context, &repository, config.backup.retention, args).await,
        Some(BackupCommand::Delete { id }) => sets::delete(context, &repository, id).await,
    }
}

/// What to back up.
fn sources(config: &Config, names: &[String]) -> Result<Sources> {
    let mut sources = Sources::default();
    for target in config.select(names).map_err(|failure| or_command(failure, config, names))? {
        let name = target.name.clone();
        match &target.kind {
            TargetKind::Postgres(postgres) => {
                let (url, container) = (postgres.url.clone(), postgres.container.clone());
                sources.databases.push(Source { name, url, container });
            }
            TargetKind::Qdrant(qdrant) => {
                let (server, others) = server_options(qdrant, TIMEOUT);
                sources.qdrant.push(QdrantSource { name, server, others });
            }
        }
    }
    if sources.databases.is_empty() && sources.qdrant.is_empty() {
        return Err(Failure::usage(format!("there is no target in {}", config.path.display())));
    }
    Ok(sources)
}

/// A command that is written wrong is taken for a target: the hint is about both.
fn or_command(failure: Failure, config: &Config, names: &[String]) -> Failure {
    let is_target = |name: &str| config.targets.iter().any(|target| target.name == name);
    let Some(wrong) = names.iter().find(|name| !is_target(name)) else { return failure };
    let of_targets = failure.hint.clone().unwrap_or_default();
    match nearest_command(wrong) {
        Ok(command) => failure.with_hint(format!("did you mean `dbops backup {command}`? Of targets: {of_targets}")),
        Err(commands) => failure.with_hint(format!("{of_targets} (the commands are {commands})")),
    }
}

/// The command of `dbops backup` that is written almost so, else all of them.
fn nearest_command(wrong: &str) -> std::result::Result<String, String> {
    let backup = BackupCommand::augment_subcommands(clap::Command::new("backup"));
    let commands: Vec<_> = backup.get_subcommands().map(clap::Command::get_name).collect();
    nearest(wrong, &commands).map(ToOwned::to_owned).ok_or_else(|| commands.join(", "))
}

/// A hint for a command line that was refused for an option of the command that was meant: `backup verfy --all`.
pub(crate) fn hint_for(arguments: &[String]) -> Option<String> {
    let mut words = arguments.iter().skip(1).filter(|argument| !argument.starts_with('-'));
    let wrong = words.by_ref().find(|word| *word == "backup").and(words.next())?;
    let command = nearest_command(wrong).ok().filter(|command| command != wrong)?;
    Some(format!("did you mean `dbops backup {command}`?"))
}

pub(super) fn programs(context: &Context) -> Programs {
    Programs { places: context.environment.places(), environment: context.environment.for_programs() }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Locked { .. } => FailureKind::Locked,
            Error::NotEmpty { .. }
            | Error::ServersOwn { .. }
            | Error::InUse { .. }
            | Error::MissingRoles { .. }
            | Error::OutOfReach { .. } => FailureKind::Refused,
            Error::Script(ScriptError::Refused { .. }) => FailureKind::Refused,
            Error::Script(ScriptError::NotText { .. } | ScriptError::Tables(_)) => FailureKind::Usage,
            Error::Qdrant(error) if error.is_refusal() => FailureKind::Refused,
            Error::Qdrant(error) if error.is_usage() => FailureKind::Usage,
            Error::TargetName(_)
            | Error::NoSuchSet { .. }
            | Error::Ambiguous { .. }
            | Error::NotInSet { .. }
            | Error::NotAnArchive { .. }
            | Error::NoTable { .. }
            | Error::NoRole { .. }
            | Error::Scheme(_)
            | Error::Recipient(_)
            | Error::Identity(_)
            | Error::DatabaseName(_)
            | Error::Compression { .. } => FailureKind::Usage,
            Error::Sql { source, .. } if source.is_lock_timeout() => FailureKind::Locked,
            _ => FailureKind::Failed,
        };
        let hint = error.hint();
        Self { kind, error: error.into(), hint }
    }
}
