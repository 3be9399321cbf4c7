//! `qdrant shards`: where the shards of collections lie, and other places for them.

mod change;
mod list;

use clap::{Args, Subcommand};
use dbops_qdrant::{Cluster, ShardError};

use super::single;
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::{Failure, FailureKind, Result};

#[derive(Subcommand)]
pub(super) enum ShardsCommand {
    /// Show the replicas of each shard, the nodes that they are on, and how they are
    #[command(after_help = "Example: dbops qdrant shards list document_chunks")]
    List {
        /// Only those of these collections, by their names or aliases
        #[arg(value_name = "COLLECTION")]
        collections: Vec<String>,
    },
    /// Move a shard to another node, and wait until it is there
    ///
    /// The nodes go on with it when dbops is interrupted; `list` shows what is under way.
    #[command(after_help = "Example: dbops qdrant shards move chunks 0 --to http://node-2:6335/")]
    Move(TransferArgs),
    /// Copy a shard to a further node, and wait until it is there
    ///
    /// The nodes go on with it when dbops is interrupted; `list` shows what is under way.
    #[command(after_help = "Example: dbops qdrant shards replicate chunks 0 --to http://node-3:6335/")]
    Replicate(TransferArgs),
    /// Remove the replica of a shard from a node; never the last active one
    #[command(after_help = "Example: dbops qdrant shards drop chunks 0 --from http://node-1:6335/")]
    Drop {
        #[command(flatten)]
        shard: ShardArgs,
        /// The node, by its id or address
        #[arg(long, value_name = "PEER")]
        from: String,
    },
}

#[derive(Args)]
pub(super) struct ShardArgs {
    /// The collection, by its name or alias
    collection: String,
    /// The shard, as `list` shows it
    shard: u32,
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
}

#[derive(Args)]
pub(super) struct TransferArgs {
    #[command(flatten)]
    shard: ShardArgs,
    /// The node that gets it, by its id or address
    #[arg(long, value_name = "PEER")]
    to: String,
    /// The node that it comes from, where several have it
    #[arg(long, value_name = "PEER")]
    from: Option<String>,
}

pub(super) async fn shards(
    context: &Context,
    config: &Config,
    names: &[String],
    command: ShardsCommand,
) -> Result<Outcome> {
    match command {
        ShardsCommand::List { collections } => list::list(context, config, names, &collections).await,
        ShardsCommand::Move(args) => change::transfer(context, single(config, names)?, &args, false).await,
        ShardsCommand::Replicate(args) => change::transfer(context, single(config, names)?, &args, true).await,
        ShardsCommand::Drop { shard, from } => change::drop(context, single(config, names)?, &shard, &from).await,
    }
}

/// The node of this id or address.
fn peer(cluster: &Cluster, wanted: &str) -> Result<u64> {
    let own = wanted.trim_end_matches('/');
    let is_wanted = |(id, address): &(&u64, &String)| id.to_string() == own || address.trim_end_matches('/') == own;
    let Some((id, _)) = cluster.peers.iter().find(is_wanted) else {
        let known: Vec<_> = cluster.peers.iter().map(|(id, address)| format!("{id} ({address})")).collect();
        return Err(Failure::usage(format!("the cluster has no node `{wanted}`"))
            .with_hint(format!("choose from {}", known.join(", "))));
    };
    Ok(*id)
}

impl From<ShardError> for Failure {
    fn from(error: ShardError) -> Self {
        let hint = error.hint();
        let kind = if error.is_refusal() { FailureKind::Refused } else { FailureKind::Failed };
        Self::new(kind, error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use dbops_qdrant::Cluster;

    use super::peer;

    #[test]
    fn nodes_are_named_by_id_or_address() {
        let cluster = Cluster {
            peer: 7,
            peers: [(7, "http://a:6335/".to_owned()), (12, "http://b:6335/".to_owned())].into(),
            consensus: "working".into(),
            unreachable: Vec::new(),
        };
        for (wanted, expected) in
            [("7", Some(7)), ("http://b:6335", Some(12)), ("http://b:6335/", Some(12)), ("1", None)]
        {
            assert_eq!(peer(&cluster, wanted).ok(), expected, "{wanted}");
        }
        let hint = peer(&cluster, "c").expect_err("there is none").hint;
        assert_eq!(hint.as_deref(), Some("choose from 7 (http://a:6335/), 12 (http://b:6335/)"));
    }
}
