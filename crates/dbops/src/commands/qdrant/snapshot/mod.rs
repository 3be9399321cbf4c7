//! `qdrant snapshot`: the snapshots that a server keeps of its collections.
//!
//! Each is of one collection, and without its aliases. For sets that restore as a whole there is `dbops backup`.

mod create;
mod delete;
mod download;
mod list;
mod restore;

use std::collections::BTreeMap;

use clap::Subcommand;
use dbops_qdrant::{Server, Snapshot};
use jiff::Timestamp;
use serde::Serialize;

use super::single;
use crate::commands::{Context, Outcome};
use crate::config::{Config, suggest};
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
    #[command(after_help = "Example: dbops qdrant snapshot download document_chunks NAME --to chunks.snapshot")]
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
) -> Result<Outcome> {
    match command {
        SnapshotCommand::Create { collections } => create::create(context, config, targets, &collections).await,
        SnapshotCommand::List { collections } => list::list(context, config, targets, &collections).await,
        SnapshotCommand::Download(args) => download::download(context, single(config, targets)?, &args).await,
        SnapshotCommand::Restore(args) => restore::restore(context, single(config, targets)?, &args).await,
        SnapshotCommand::Delete { collection, name } => {
            delete::delete(context, single(config, targets)?, &collection, &name).await
        }
    }
}

/// `{"targets": [{"name", "snapshots": [{"collection", "name", "created", "bytes", "sha256"}]}]}`: those that were made,
/// or that are there. `created` and `sha256` are null where the server does not tell.
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
    collection: String,
    name: String,
    created: Option<Timestamp>,
    bytes: u64,
    sha256: Option<String>,
}

impl From<Snapshot> for SnapshotDocument {
    fn from(snapshot: Snapshot) -> Self {
        Self {
            created: snapshot.created.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            collection: snapshot.collection,
            name: snapshot.name,
            bytes: snapshot.bytes,
            sha256: snapshot.checksum,
        }
    }
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

/// The snapshot of this name.
async fn named(server: &Server, collection: &str, name: &str) -> Result<Snapshot> {
    let snapshots = server.snapshots(collection).await?;
    if let Some(snapshot) = snapshots.iter().find(|snapshot| snapshot.name == name) {
        return Ok(snapshot.clone());
    }
    let known: Vec<_> = snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
    Err(Failure::usage(format!("{collection} has no snapshot `{name}`")).with_hint(suggest(name, &known)))
}
