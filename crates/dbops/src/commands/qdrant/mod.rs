//! `dbops qdrant`: collections as they are declared and as they are.

mod agreement;
mod alias;
mod apply;
mod failures;
mod nodes;
mod plan;
mod recall;
mod reindex;
mod search;
mod shards;
mod snapshot;
mod sources;
mod status;
mod sync;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use clap::{Args, Subcommand};
use dbops_qdrant::{
    Advice, CollectionSpec, Error, Extent, FileError, Server, ServerOptions, check_databases, read_file,
};

use super::{Context, Outcome};
use crate::config::{Config, QdrantAddress, QdrantAddresses, QdrantTarget, suggest};
use crate::failure::{Failure, FailureKind, Result};

pub(crate) use agreement::warn_of_differences;
use apply::ApplyDocument;
pub(crate) use apply::{AppliedTarget, apply_planned, plan_all};

/// How long a server may take to answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// See what is on the Qdrant servers, and make it what is declared
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops qdrant status\n  dbops qdrant plan\n  dbops qdrant apply -t qdrant")]
pub(crate) struct QdrantArgs {
    #[command(subcommand)]
    command: QdrantCommand,
    /// Only this target; may be repeated
    #[arg(short, long = "target", value_name = "NAME", global = true)]
    targets: Vec<String>,
}

#[derive(Subcommand)]
enum QdrantCommand {
    /// Show the collections of each server, and how they are
    #[command(after_help = "Example: dbops qdrant status")]
    Status,
    /// Show what differs between the declared collections and the server's
    #[command(after_help = "Examples:\n  dbops qdrant plan\n  dbops qdrant plan --check")]
    Plan {
        /// End with exit code 3 when something differs
        #[arg(long)]
        check: bool,
    },
    /// Make the server's collections what is declared; what is not declared is left alone
    #[command(after_help = "Examples:\n  dbops qdrant apply\n  dbops qdrant apply --in-place")]
    Apply {
        /// Leave out what would need the points to be written anew, instead of refusing
        #[arg(long)]
        in_place: bool,
        /// Then write the points anew of what needs it, and move the aliases, as `reindex` does
        #[arg(long, conflicts_with = "in_place")]
        rebuild: bool,
    },
    /// Rebuild collections behind their aliases: copy the points to a new one, follow what changes, move the aliases
    Reindex(reindex::ReindexArgs),
    /// List, move and delete aliases, the names that applications use
    #[command(after_help = "Example: dbops qdrant alias list")]
    Alias {
        #[command(subcommand)]
        command: alias::AliasCommand,
    },
    /// Make, fetch, put back and delete snapshots of collections
    #[command(after_help = "Example: dbops qdrant snapshot list")]
    Snapshot {
        #[command(subcommand)]
        command: snapshot::SnapshotCommand,
        /// Only on this node, by its address or its number in the configuration
        #[arg(long, value_name = "URL|N", global = true)]
        node: Option<String>,
    },
    /// List the shards of collections, and move, replicate and drop them in a cluster
    #[command(after_help = "Example: dbops qdrant shards list")]
    Shards {
        #[command(subcommand)]
        command: shards::ShardsCommand,
    },
    /// Make the points of collections what the rows of their tables are
    #[command(after_help = "Examples:\n  dbops qdrant sync\n  dbops qdrant sync document_chunks --dry-run")]
    Sync(sync::SyncArgs),
    /// Find the points nearest to a vector, and the rows of the collection's table beside them
    #[command(after_help = "Example: dbops qdrant search document_chunks --row 42")]
    Search(search::SearchArgs),
    /// Measure how many of the nearest rows the indexes of Qdrant and pgvector find, and how fast
    #[command(after_help = "Example: dbops qdrant recall document_chunks --min 0.95")]
    Recall(recall::RecallArgs),
    /// Compare collections with the tables that their points come from; exit code 3 when something differs
    #[command(after_help = "Examples:\n  dbops qdrant verify\n  dbops qdrant verify document_chunks --deep --repair")]
    Verify(verify::VerifyArgs),
}

pub(crate) async fn run(context: &Context, args: QdrantArgs) -> Result<Outcome> {
    let config = context.config()?;
    if config.select_qdrant(&args.targets)?.is_empty() {
        return Err(Failure::usage(format!("there is no Qdrant target in {}", config.path.display()))
            .with_hint("add one with `kind: qdrant`"));
    }
    let targets = args.targets;
    match args.command {
        QdrantCommand::Status => status::status(context, &config, &targets).await,
        QdrantCommand::Plan { check } => plan::plan(context, &config, &targets, check).await,
        QdrantCommand::Apply { in_place, rebuild } => {
            let extent = if in_place || rebuild { Extent::InPlace } else { Extent::Whole };
            let planned = plan_all(context, &config, &targets, extent).await?;
            if rebuild {
                reindex::check_all(context, &config, &targets).await?;
            }
            let applied = apply_planned(context, &planned, extent, !rebuild).await?;
            let collections = if rebuild { Some(reindex::all(context, &config, &targets).await?) } else { None };
            context.ui.document(&ApplyDocument { targets: applied, collections })?;
            Ok(Outcome::Done)
        }
        QdrantCommand::Reindex(args) => reindex::reindex(context, &config, &targets, &args).await,
        QdrantCommand::Alias { command } => alias::alias(context, &config, &targets, command).await,
        QdrantCommand::Snapshot { command, node } => {
            snapshot::snapshot(context, &config, &targets, command, node.as_deref()).await
        }
        QdrantCommand::Shards { command } => shards::shards(context, &config, &targets, command).await,
        QdrantCommand::Sync(args) => sync::sync(context, &config, &targets, &args).await,
        QdrantCommand::Search(args) => search::search(context, &config, &targets, &args).await,
        QdrantCommand::Recall(args) => recall::recall(context, &config, &targets, &args).await,
        QdrantCommand::Verify(args) => verify::verify(context, &config, &targets, &args).await,
    }
}

pub(crate) fn connect(target: &QdrantTarget) -> Result<Server> {
    Ok(connect_within(target, TIMEOUT)?)
}

/// `timeout` is what a call may take.
pub(crate) fn connect_within(target: &QdrantTarget, timeout: Duration) -> std::result::Result<Server, Error> {
    let (first, others) = server_options(target, timeout);
    Server::first_of(&first, &others)
}

/// How the server of a target is reached: by its first address, and by others where it has several.
pub(crate) fn server_options(target: &QdrantTarget, timeout: Duration) -> (ServerOptions, Vec<ServerOptions>) {
    let QdrantAddresses { first, others } = &target.addresses;
    let others = others.iter().map(|address| node_options(target, address, timeout));
    (node_options(target, first, timeout), others.collect())
}

/// How each node is reached by itself: those of `nodes`, else the addresses of `url`.
pub(crate) fn node_servers(target: &QdrantTarget, timeout: Duration) -> Vec<ServerOptions> {
    let nodes = target.nodes.as_ref().unwrap_or(&target.addresses);
    nodes.iter().map(|address| node_options(target, address, timeout)).collect()
}

pub(crate) fn node_options(target: &QdrantTarget, address: &QdrantAddress, timeout: Duration) -> ServerOptions {
    ServerOptions {
        url: address.url.clone(),
        grpc_port: address.grpc_port,
        api_key: target.api_key.as_ref().map(|key| key.reveal().to_owned()),
        timeout,
    }
}

/// The one target that a command acts on, which has to be named where there are several.
fn single<'a>(config: &'a Config, names: &[String]) -> Result<(&'a str, &'a QdrantTarget)> {
    let found = config.select_qdrant(names)?;
    if let [one] = found[..] {
        return Ok(one);
    }
    let known: Vec<_> = found.iter().map(|(name, _)| *name).collect();
    Err(Failure::usage(format!("this is done on one server, and there are {}: {}", known.len(), known.join(", ")))
        .with_hint("name one with --target"))
}

/// The collections of these names or aliases, all when there are none.
async fn chosen(server: &Server, names: &[String]) -> Result<Vec<String>> {
    let (collections, aliases) = server.collections_and_aliases().await?;
    if names.is_empty() {
        return Ok(collections);
    }
    names.iter().map(|name| own_name(name, &collections, &aliases)).collect()
}

/// The collection of this name or alias.
async fn found(server: &Server, name: &str) -> Result<String> {
    let (collections, aliases) = server.collections_and_aliases().await?;
    own_name(name, &collections, &aliases)
}

fn own_name(name: &str, collections: &[String], aliases: &BTreeMap<String, String>) -> Result<String> {
    if let Some(own) = collections.iter().find(|known| *known == name).or_else(|| aliases.get(name)) {
        return Ok(own.clone());
    }
    let known: Vec<_> = collections.iter().chain(aliases.keys()).map(String::as_str).collect();
    Err(Failure::usage(format!("there is no collection `{name}`")).with_hint(suggest(name, &known)))
}

/// A target and what its file says, read before any server is asked.
struct Prepared<'a> {
    name: &'a str,
    server: Server,
    declared: Vec<CollectionSpec>,
}

/// The targets that declare collections. One that does not is left out, unless it was named.
fn prepare<'a>(context: &Context, config: &'a Config, names: &[String]) -> Result<Vec<Prepared<'a>>> {
    let mut prepared = Vec::new();
    for (name, target) in config.select_qdrant(names)? {
        let Some(path) = &target.collections else {
            if names.is_empty() {
                context.ui.detail(format!("{name}: declares no collections"));
                continue;
            }
            return Err(Failure::usage(format!("target `{name}` declares no collections"))
                .with_hint(format!("add `collections: qdrant/collections.yaml` to it in {}", config.path.display())));
        };
        prepared.push(Prepared { name, server: connect(target)?, declared: read_declared(config, path)? });
    }
    Ok(prepared)
}

/// The collections that a file declares, whose tables have to be in targets of the configuration.
pub(crate) fn read_declared(config: &Config, path: &Path) -> Result<Vec<CollectionSpec>> {
    let declared = read_file(path)?;
    let databases: Vec<_> = config.select_postgres(&[])?.into_iter().map(|(name, _)| name).collect();
    check_databases(path, &declared, &databases)?;
    Ok(declared)
}

impl Prepared<'_> {
    /// The collection that stands for a declared one.
    async fn standing(&self, spec: &CollectionSpec) -> Result<String> {
        let standing = self.server.standing(spec, &self.declared).await;
        standing.map_err(|error| Failure::from(error).context(format!("{}: {}", self.name, spec.name)))
    }

    async fn plan(&self) -> Result<dbops_qdrant::Plan> {
        let live = self.server.live(&self.declared).await;
        let plan = live.and_then(|live| dbops_qdrant::plan(&self.declared, &live));
        plan.map_err(|error| Failure::from(error).context(format!("cannot compare the collections of {}", self.name)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::Address { .. } | Error::ApiKey => FailureKind::Usage,
            Error::NotInPlace { .. } | Error::NoRebuild { .. } => FailureKind::Refused,
            Error::Rebuilding(_) | Error::Changed => FailureKind::Locked,
            _ => FailureKind::Failed,
        };
        let hint = match (&error, error.hint()) {
            (Error::NotInPlace { .. }, Some(hint)) => Some(format!("{hint}; --in-place applies all else")),
            (_, hint) => hint,
        };
        Self { kind, error: error.into(), hint }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let hint = error.advice.as_ref().map(|advice| match advice {
            Advice::Text(text) => text.clone(),
            Advice::OneOf { wrong, known } => suggest(wrong, &known.iter().map(String::as_str).collect::<Vec<_>>()),
        });
        Self { kind: FailureKind::Usage, error: error.into(), hint }
    }
}
