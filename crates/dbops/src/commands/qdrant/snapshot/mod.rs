//! `qdrant snapshot`: the snapshots that a server keeps of its collections.
//!
//! Each is of one collection, and without its aliases. For sets that restore as a whole there is `dbops backup`.

mod create;
mod delete;
mod download;
mod list;
mod restore;

use clap::Subcommand;
use dbops_qdrant::{Server, Snapshot};
use jiff::Timestamp;
use serde::Serialize;

use super::nodes::{Node, nodes};
use super::{found, single};
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget, suggest};
use crate::failure::{Failure, Result};

#[derive(Subcommand)]
pub(super) enum SnapshotCommand {
    /// Make a snapshot of each of these collections, of all when none is named
    #[command(after_help = "Example: dbops qdrant snapshot create document_chunks")]
    Create {
        /// The collections, by their names or aliases
        #[arg(value_name = "COLLECTION")]
        collections: Vec<String>,
    },
    /// Show the snapshots that are on the server
    #[command(after_help = "Example: dbops qdrant snapshot list")]
    List {
        /// Only those of these collections
        #[arg(value_name = "COLLECTION")]
        collections: Vec<String>,
    },
    /// Download a snapshot into a file that is not there yet; what an earlier try has left goes on
    #[command(after_help = "Example: dbops qdrant snapshot download chunks NAME --to chunks.snapshot")]
    Download(download::DownloadArgs),
    /// Make a collection what it was when a snapshot was made
    #[command(after_help = "Example: dbops qdrant snapshot restore document_chunks chunks.snapshot")]
    Restore(restore::RestoreArgs),
    /// Delete a snapshot from the server
    #[command(after_help = "Example: dbops qdrant snapshot delete document_chunks NAME")]
    Delete {
        /// The collection, by its name or alias
        collection: String,
        /// The snapshot, as `list` shows it
        name: String,
    },
}

pub(super) async fn snapshot(
    context: &Context,
    config: &Config,
    targets: &[String],
    command: SnapshotCommand,
    node: Option<&str>,
) -> Result<Outcome> {
    match command {
        SnapshotCommand::Create { collections } => create::create(context, config, targets, &collections, node).await,
        SnapshotCommand::List { collections } => list::list(context, config, targets, &collections, node).await,
        SnapshotCommand::Download(args) => download::download(context, single(config, targets)?, &args, node).await,
        SnapshotCommand::Restore(args) => restore::restore(context, single(config, targets)?, &args, node).await,
        SnapshotCommand::Delete { collection, name } => {
            delete::delete(context, single(config, targets)?, &collection, &name, node).await
        }
    }
}

/// `{"targets": [{"name", "snapshots": [{"node", "collection", "name", "created", "bytes", "sha256"}]}]}`: those that were
/// made, or that are there. `node` is its address, null where there is one; `created` and `sha256` are null where the
/// server does not tell.
#[derive(Serialize)]
struct SnapshotsDocument {
    targets: Vec<SnapshotsTarget>,
}

#[derive(Serialize)]
struct SnapshotsTarget {
    name: String,
    snapshots: Vec<SnapshotDocument>,
}

#[derive(Serialize)]
struct SnapshotDocument {
    node: Option<String>,
    collection: String,
    name: String,
    created: Option<Timestamp>,
    bytes: u64,
    sha256: Option<String>,
}

impl SnapshotDocument {
    fn new(node: Option<&str>, snapshot: Snapshot) -> Self {
        Self {
            node: node.map(ToOwned::to_owned),
            created: snapshot.created.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            collection: snapshot.collection,
            name: snapshot.name,
            bytes: snapshot.bytes,
            sha256: snapshot.checksum,
        }
    }
}

/// The snapshot of this name, and the node that has it.
async fn located(options: &QdrantTarget, node: Option<&str>, collection: &str, name: &str) -> Result<(Node, Snapshot)> {
    let mut nodes = nodes(options, node).await?;
    if nodes.len() > 1 {
        let mut holders = Vec::new();
        for node in nodes {
            let own = found(&node.server, collection).await?;
            if node.server.snapshots(&own).await?.iter().any(|snapshot| snapshot.name == name) {
                holders.push(node);
            }
        }
        nodes = holders;
    }
    if nodes.len() > 1 {
        return Err(
            Failure::usage(format!("several nodes have a snapshot `{name}`")).with_hint("choose one with --node")
        );
    }
    let Some(node) = nodes.pop() else {
        return Err(Failure::usage(format!("no node has a snapshot `{name}` of {collection}"))
            .with_hint("`dbops qdrant snapshot list` shows those that there are"));
    };
    let collection = found(&node.server, collection).await?;
    let snapshot = named(&node.server, &collection, name).await?;
    Ok((node, snapshot))
}

/// The snapshot of this name.
async fn named(server: &Server, collection: &str, name: &str) -> Result<Snapshot> {
    let snapshots = server.snapshots(collection).await?;
    if let Some(snapshot) = snapshots.iter().find(|snapshot| snapshot.name == name) {
        return Ok(snapshot.clone());
    }
    let known: Vec<_> = snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
    Err(Failure::usage(format!("{collection} has no snapshot `{name}`")).with_hint(suggest(name, &known)))
}
