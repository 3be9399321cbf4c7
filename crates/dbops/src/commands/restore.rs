//! `dbops restore ID|latest|FILE [TARGET] [--into NAME]`: into an empty or a new database, never over data.

mod copy;
mod qdrant;

use std::path::{Path, PathBuf};

use clap::Args;
use dbops_backup::{
    Archive, Destination, Programs, Repository, RestorePlan, Restored, Set, SetId, differences, plan_restore, restore,
};
use dbops_postgres::{DatabaseUrl, quote_identifier};
use serde::Serialize;

pub(crate) use self::copy::{create_roles, find_backup, restore_copy};
use self::qdrant::{CollectionArgs, RestoredServer};
use super::backup::{Reporter, programs, revision, seconds};
use super::{Context, Outcome};
use crate::config::{Config, TargetKind};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, Ui, paint};

const EXAMPLES: &str = "Examples:
  dbops restore latest bot_db --into bot_db_check    into a new database on the same server
  dbops restore 20261123T0215                        every target of that set, where its database is empty
  dbops restore latest qdrant --swap                 collections beside the live ones; their aliases move
  dbops restore bot_db.dump bot_db                   an archive of pg_dump --format=custom";

/// Restore a backup into an empty or a new database
///
/// A database that holds anything is never touched. A database that does not exist is created; it appears when it is
/// whole. One that is empty is filled in a single transaction. A collection is restored where there is none of its name,
/// or an empty one.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RestoreArgs {
    /// A set's id, the beginning of it, `latest`, or the file of an archive
    #[arg(value_name = "ID|latest|FILE")]
    from: String,
    /// The target to restore [default: every configured one in the set]
    target: Option<String>,
    /// The same as TARGET, for several
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Restore into this database, or as this collection, on the target's server
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    /// Leave out what was granted to whom, so that the roles need not be there
    #[arg(long)]
    no_privileges: bool,
    /// The file with the key of an encrypted backup
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    collection: CollectionArgs,
}

/// A target's archive-to-be: where it lies and where it goes.
struct Task {
    target: String,
    url: DatabaseUrl,
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
    Database(RestoredDocument),
    Server(RestoredServer),
}

#[derive(Serialize)]
struct RestoredDocument {
    name: String,
    database: String,
    created: bool,
    tables: u64,
    revision: Vec<String>,
    duration_ms: u128,
    /// How the rows differ from those that were dumped; `null` where that is not known.
    differences: Option<Vec<String>>,
}

pub(crate) async fn run(context: &Context, args: &RestoreArgs) -> Result<Outcome> {
    let config = context.config()?;
    let mut names = args.targets.clone();
    names.extend(args.target.clone());
    config.select(&names)?;
    let from = find(context, &config, args, &names).await?;
    let Chosen { databases, servers } = choose(&context.ui, &config, args, names, &from)?;
    let programs = programs(context);
    let collections = match &from {
        From::Set(found) => qdrant::plan(&config, &found.1, &servers, args.into.as_deref(), &args.collection).await?,
        From::File(_) => Vec::new(),
    };
    let plans = plan(&context.ui, &from, tasks(&config, args, &databases)?, &programs).await?;

    let (mut kept, mut done, mut is_same) = (Vec::new(), Vec::new(), true);
    for (target, mut plan) in plans {
        plan.with_privileges = !args.no_privileges;
        let mut reporter = Reporter::new(&context.ui);
        let restored = restore(&plan, &programs, &mut |event| reporter.event(event)).await;
        reporter.finish();
        let restored = restored.map_err(|error| after(error.into(), &kept))?;
        show(context, &plan, &restored)?;
        kept.push(restored.database.clone());
        let differences = compare(context, &plan).await.map_err(|failure| after(failure, &kept))?;
        is_same &= differences.as_ref().is_none_or(Vec::is_empty);
        done.push(RestoredTarget::Database(document(target, restored, differences)));
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
    Ok(if is_same { Outcome::Done } else { Outcome::Found })
}

/// Compares the rows that came out with those that were dumped. The database stays as it is, whatever is found: who
/// needs it now is to decide.
async fn compare(context: &Context, plan: &RestorePlan) -> Result<Option<Vec<String>>> {
    let (Some(expected), ui) = (&plan.archive.expected, &context.ui) else { return Ok(None) };
    let name = plan.destination.url.database();
    let spinner = ui.spinner(format!("{name}: comparing the rows"));
    let found = differences(&plan.destination.url, expected).await;
    spinner.finish_and_clear();
    let found = found?;
    match &found {
        None => ui.detail(format!("{name}: the backup has no fingerprints of its rows to compare them with")),
        Some(found) if found.is_empty() => ui.detail(format!("{name}: its rows are those that were dumped")),
        Some(found) => found.iter().for_each(|line| ui.warn(format!("{name}: {line}"))),
    }
    Ok(found)
}

/// The set or the file that is meant. A file is what exists as one, or is written with its folder.
async fn find(context: &Context, config: &Config, args: &RestoreArgs, names: &[String]) -> Result<From> {
    let path = context.environment.working_directory.join(&args.from);
    if args.from != "latest" && (path.is_file() || args.from.contains('/')) {
        return Ok(From::File(path));
    }
    let repository = super::repository::open(context, config, args.identity.as_deref()).await?;
    let set = find_set(context, &repository, &args.from, names).await?;
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
    if let (false, [database, ..]) = (args.collection.is_default(), databases.as_slice()) {
        let failure = Failure::usage(format!("`{database}` is a database: --swap and the like are for collections"));
        return Err(failure.with_hint("name the Qdrant target: dbops restore ID TARGET --swap"));
    }
    Ok(Chosen { databases, servers })
}

/// What goes where.
fn tasks(config: &Config, args: &RestoreArgs, names: &[String]) -> Result<Vec<Task>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let tasks = config.select_postgres(names)?.into_iter().map(|(name, postgres)| {
        let url = postgres.url.clone();
        let url = args.into.as_ref().map_or(url.clone(), |into| url.with_database(into));
        Task { target: name.to_owned(), url }
    });
    Ok(tasks.collect())
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

/// Refuses all that can be refused before the first database is touched: cheap reasons first, then every byte.
async fn plan(ui: &Ui, from: &From, tasks: Vec<Task>, programs: &Programs) -> Result<Vec<(String, RestorePlan)>> {
    let mut destinations = Vec::new();
    for task in tasks {
        let destination = Destination::find(&task.url).await?;
        for name in &destination.left_over {
            let statement = format!("DROP DATABASE {}", quote_identifier(name));
            ui.warn(format!("a killed restore left the database {name} at {}: {statement}", task.url.server()));
        }
        destinations.push((task.target, destination));
    }
    let mut plans = Vec::new();
    for (target, destination) in destinations {
        let archive = match from {
            From::File(path) => open(path)?,
            From::Set(found) => {
                let (repository, set) = found.as_ref();
                let mut reporter = Reporter::new(ui);
                Archive::in_set(repository, set, &target, &mut |event| reporter.event(event)).await?
            }
        };
        plans.push((target, plan_restore(archive, destination, programs).await?));
    }
    Ok(plans)
}

fn open(path: &Path) -> Result<Archive> {
    if !path.exists() {
        return Err(Failure::usage(format!("there is no file {}", path.display())));
    }
    Ok(Archive::open(path)?)
}

/// Names what an earlier step of the same run has restored, which stays.
fn after(failure: Failure, kept: &[String]) -> Failure {
    if kept.is_empty() {
        return failure;
    }
    failure.context(format!("restored before this failed, and kept: {}", kept.join(", ")))
}

fn show(context: &Context, plan: &RestorePlan, restored: &Restored) -> Result<()> {
    let how = if restored.is_new { "a new database" } else { "was empty" };
    context.ui.data(format!(
        "{} ({how}): {} tables at revision {} in {}, from {}",
        paint(STRONG, &restored.database),
        restored.tables,
        revision(&restored.revision),
        seconds(restored.duration),
        context.environment.shown(plan.archive.origin.as_ref())
    ))
}

fn document(target: String, restored: Restored, differences: Option<Vec<String>>) -> RestoredDocument {
    RestoredDocument {
        name: target,
        database: restored.database,
        created: restored.is_new,
        tables: restored.tables,
        revision: restored.revision,
        duration_ms: restored.duration.as_millis(),
        differences,
    }
}
