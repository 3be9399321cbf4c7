//! `dbops restore ID|latest|FILE [TARGET]`: into an empty or a new database, or in the place of a live one.

mod copy;
mod postgres;
mod qdrant;
mod undo;

use std::path::PathBuf;

use clap::Args;
use dbops_backup::{Existing, Repository, Set, SetId};
use serde::Serialize;

pub(crate) use self::copy::{find_backup, restore_copy};
use self::postgres::{DatabaseArgs, RestoredDatabase};
use self::qdrant::RestoredServer;
use super::backup::programs;
use super::qdrant::warn_of_differences;
use super::{Context, Outcome};
use crate::config::{Config, TargetKind};
use crate::failure::{Failure, Result};
use crate::ui::Ui;

const EXAMPLES: &str = "Examples:
  dbops restore latest bot_db --into bot_db_check     into a new database
  dbops restore latest bot_db --swap                  in place of the live one
  dbops restore --undo-swap bot_db                    back to what was live
  dbops restore latest bot_db --into x --table users  one table
  dbops restore 20261123T0215                         every target of that set
  dbops restore bot_db.dump bot_db                    an archive of pg_dump
  dbops restore bot_db.sql bot_db                     a script of pg_dump";

/// Restore a backup into an empty or a new database, or in the place of a live one
///
/// A database that holds anything is not touched without --swap or --overwrite, and with them only once what was restored
/// is whole and its rows are those that were dumped. A database that does not exist is created; it appears when it is
/// whole. One that is empty is filled in a single transaction. A collection is restored where there is none of its name,
/// or an empty one.
///
/// A script is read by dbops and not by psql. One that holds commands of psql, is about another database or about the
/// whole server, or is cut off, is refused before anything is touched; its statements run with your rights.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RestoreArgs {
    /// A set's id, the beginning of it, `latest`, or the file or folder of an archive or script
    #[arg(value_name = "ID|latest|FILE", required_unless_present = "undo_swap")]
    from: Option<String>,
    /// The target to restore [default: every configured one in the set]
    target: Option<String>,
    /// The same as TARGET, for several
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Restore into this database, or as this collection, on the target's server
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    /// Restore beside what is live and let it take its place; what was live stays under a name with the time
    #[arg(long, conflicts_with = "overwrite")]
    swap: bool,
    /// Let what is restored take the place of what is live, which is removed then
    #[arg(long)]
    overwrite: bool,
    /// Take the latest swap of these targets back: what was live before is live again
    #[arg(long, conflicts_with_all = ["swap", "overwrite", "into", "identity", "collections"])]
    undo_swap: bool,
    /// The file with the key of an encrypted backup
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Of a Qdrant target: restore only this collection; may be repeated
    #[arg(long = "collection", value_name = "NAME")]
    collections: Vec<String>,
    #[command(flatten)]
    database: DatabaseArgs,
}

impl RestoreArgs {
    fn existing(&self) -> Existing {
        match (self.swap, self.overwrite) {
            (true, _) => Existing::Swap,
            (_, true) => Existing::Overwrite,
            _ => Existing::Refuse,
        }
    }
}

enum From {
    Set(Box<(Repository, Set)>),
    File(PathBuf),
}

#[derive(Serialize)]
struct RestoreDocument {
    /// Of the set; `null` for a file.
    id: Option<SetId>,
    targets: Vec<RestoredTarget>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RestoredTarget {
    Database(RestoredDatabase),
    Server(RestoredServer),
}

pub(crate) async fn run(context: &Context, args: &RestoreArgs) -> Result<Outcome> {
    let config = context.config()?;
    let Some(wanted) = args.from.as_deref().filter(|_| !args.undo_swap) else {
        return undo::run(context, &config, args).await;
    };
    let mut names = args.targets.clone();
    names.extend(args.target.clone());
    config.select(&names)?;
    let from = find(context, &config, wanted, args, &names).await?;
    let Chosen { databases, servers } = choose(&context.ui, &config, args, names, &from)?;
    let programs = programs(context);
    let collections = match &from {
        From::Set(found) => {
            let asked =
                qdrant::Asked { collections: &args.collections, into: args.into.as_deref(), existing: args.existing() };
            qdrant::plan(&config, &found.1, &servers, &asked).await?
        }
        From::File(_) => Vec::new(),
    };
    let restored: Vec<_> = databases.iter().chain(&servers).cloned().collect();
    let plans = postgres::plan(&context.ui, &config, &from, &databases, args, &programs).await?;

    let (mut kept, mut done, mut is_same) = (Vec::new(), Vec::new(), true);
    for (target, plan) in plans {
        let restored = postgres::restore(context, target, plan, &programs).await;
        let restored = restored.map_err(|failure| after(failure, &kept))?;
        kept.push(restored.database().to_owned());
        is_same &= restored.is_same();
        done.push(RestoredTarget::Database(restored));
    }
    let id = match from {
        From::Set(found) => {
            let (repository, set) = *found;
            for planned in collections {
                let restored = qdrant::restore(context, &repository, &set, planned, &mut kept).await?;
                done.push(RestoredTarget::Server(restored));
            }
            Some(set.id)
        }
        From::File(_) => None,
    };
    context.ui.document(&RestoreDocument { id, targets: done })?;
    if args.into.is_none() {
        warn_of_differences(context, &config, &restored).await;
    }
    Ok(if is_same { Outcome::Done } else { Outcome::Found })
}

/// The set or the file that is meant. A file is what exists as one, or is written with its folder.
async fn find(context: &Context, config: &Config, wanted: &str, args: &RestoreArgs, names: &[String]) -> Result<From> {
    let path = context.environment.working_directory.join(wanted);
    if wanted != "latest" && (path.is_file() || wanted.contains('/')) {
        return Ok(From::File(path));
    }
    let repository = super::repository::open(context, config, args.identity.as_deref()).await?;
    let set = find_set(context, &repository, wanted, names).await?;
    Ok(From::Set(Box::new((repository, set))))
}

/// The newest whole set with these targets, or the one that is named.
async fn find_set(context: &Context, repository: &Repository, id: &str, names: &[String]) -> Result<Set> {
    if id != "latest" {
        let set = repository.find(id).await?;
        if set.is_partial(names) {
            context.ui.warn(format!("{} holds only a part: single tables, or not all rows", set.id));
        }
        return Ok(set);
    }
    let (set, passed_over) = repository.latest(names).await?;
    for set in passed_over {
        let state = match (set.is_damaged(), set.is_partial(names)) {
            (true, _) => "was found damaged",
            (_, true) => "holds only a part",
            _ => "is not complete",
        };
        context.ui.warn(format!("{} {state} and was passed over", set.id));
    }
    Ok(set)
}

/// The targets to restore, by their kind.
struct Chosen {
    databases: Vec<String>,
    servers: Vec<String>,
}

/// What is restored, before anything is looked at.
fn choose(ui: &Ui, config: &Config, args: &RestoreArgs, names: Vec<String>, from: &From) -> Result<Chosen> {
    let names = match from {
        From::File(_) if names.len() != 1 => {
            let failure = Failure::usage("a file is restored into one target");
            return Err(failure.with_hint("name it: dbops restore FILE TARGET"));
        }
        From::Set(found) if names.is_empty() => configured(ui, config, found.1.manifest()?.target_names()),
        _ => names,
    };
    if names.is_empty() {
        return Err(Failure::usage("none of the set's targets is configured"));
    }
    if args.into.is_some() && names.len() > 1 {
        let failure = Failure::usage(format!("--into takes one target, and the set holds {}", names.join(", ")));
        return Err(failure.with_hint("name one: dbops restore ID TARGET --into NAME"));
    }
    let is_server = |name: &String| {
        let target = config.targets.iter().find(|target| target.name == *name);
        target.is_some_and(|target| matches!(target.kind, TargetKind::Qdrant(_)))
    };
    let (servers, databases): (Vec<_>, Vec<_>) = names.into_iter().partition(is_server);
    if let (From::File(_), [server, ..]) = (from, servers.as_slice()) {
        let failure = Failure::usage(format!("`{server}` is a Qdrant server, and a file is restored into a database"));
        return Err(failure.with_hint("collections are restored from backups: `dbops backup list`"));
    }
    if let (false, [database, ..]) = (args.collections.is_empty(), databases.as_slice()) {
        let failure = Failure::usage(format!("`{database}` is a database: --collection is for Qdrant targets"));
        return Err(failure.with_hint("name the Qdrant target: dbops restore ID TARGET --collection NAME"));
    }
    if let (false, [server, ..]) = (args.database.is_default(), servers.as_slice()) {
        let failure =
            Failure::usage(format!("`{server}` is a Qdrant server: --table, --role and the like are for databases"));
        return Err(failure.with_hint("name the database: dbops restore ID TARGET --table NAME"));
    }
    Ok(Chosen { databases, servers })
}

/// Those of a set's targets that the configuration knows; the others are told.
fn configured(ui: &Ui, config: &Config, mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| {
        let is_configured = config.targets.iter().any(|target| target.name == *name);
        if !is_configured {
            ui.warn(format!("{name}: in the set, and not in {}", config.path.display()));
        }
        is_configured
    });
    names
}

/// Names what an earlier step of the same run has restored, which stays.
fn after(failure: Failure, kept: &[String]) -> Failure {
    if kept.is_empty() {
        return failure;
    }
    failure.context(format!("restored before this failed, and kept: {}", kept.join(", ")))
}
