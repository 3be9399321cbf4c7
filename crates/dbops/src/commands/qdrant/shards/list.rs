//! `qdrant shards list`: the replicas of each shard.

use std::collections::BTreeMap;

use dbops_qdrant::{Server, Shards, Transfer};
use serde::Serialize;

use super::super::{TIMEOUT, chosen, connect, node_servers, single};
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint, printable};

/// `{"targets": [{"name", "collections": [{"name", "replicas": [{"shard", "key", "peer", "address", "state", "points"}],
/// "transfers": [{"shard", "from", "to", "stays"}]}]}]}`. `key` is null where the server chooses the shards, `address` for
/// a server that stands alone, and `points` (about how many) for replicas on nodes whose addresses are not configured.
/// `stays` tells whether the first node keeps the shard.
#[derive(Serialize)]
struct ShardsDocument {
    targets: Vec<ShardsTarget>,
}

#[derive(Serialize)]
struct ShardsTarget {
    name: String,
    collections: Vec<ShardsCollection>,
}

#[derive(Serialize)]
struct ShardsCollection {
    name: String,
    replicas: Vec<ReplicaDocument>,
    transfers: Vec<TransferDocument>,
}

#[derive(Serialize)]
struct ReplicaDocument {
    shard: u32,
    key: Option<String>,
    peer: u64,
    address: Option<String>,
    state: &'static str,
    points: Option<u64>,
}

#[derive(Serialize)]
struct TransferDocument {
    shard: u32,
    from: u64,
    to: u64,
    stays: bool,
}

pub(super) async fn list(
    context: &Context,
    config: &Config,
    names: &[String],
    collections: &[String],
) -> Result<Outcome> {
    let selected = if collections.is_empty() { config.select_qdrant(names)? } else { vec![single(config, names)?] };
    let mut targets = Vec::new();
    for (name, target) in selected {
        let failed = |failure: Failure| failure.context(format!("cannot list the shards on {name}"));
        let listed = list_all(context, name, target, collections).await.map_err(failed)?;
        show(context, &listed)?;
        targets.push(listed);
    }
    context.ui.document(&ShardsDocument { targets })?;
    Ok(Outcome::Done)
}

async fn list_all(context: &Context, name: &str, target: &QdrantTarget, wanted: &[String]) -> Result<ShardsTarget> {
    let server = connect(target)?;
    // Only HTTP tells the addresses.
    let cluster = server.cluster().await.unwrap_or_else(|error| {
        context.ui.detail(format!("{name}: {error}"));
        None
    });
    let peers = cluster.map(|cluster| cluster.peers).unwrap_or_default();
    let nodes = if peers.len() > 1 { node_servers(target, TIMEOUT) } else { Vec::new() };
    let nodes = nodes.iter().map(Server::new).collect::<std::result::Result<Vec<_>, _>>()?;
    let mut collections = Vec::new();
    for collection in chosen(&server, wanted).await? {
        // One that was dropped since is not there.
        let Some(mut shards) = server.shards(&collection).await? else { continue };
        for node in &nodes {
            match node.shards(&collection).await {
                Ok(seen) => take_points(&mut shards, &seen.unwrap_or_default()),
                Err(error) => context.ui.warn(format!("{name}: {error}")),
            }
        }
        collections.push(document(collection, shards, &peers));
    }
    Ok(ShardsTarget { name: name.to_owned(), collections })
}

/// What another node tells of its own replicas.
fn take_points(shards: &mut Shards, seen: &Shards) {
    for replica in &mut shards.replicas {
        let same = seen.replicas.iter().find(|one| (one.shard, one.peer) == (replica.shard, replica.peer));
        replica.points = replica.points.or(same.and_then(|one| one.points));
    }
}

fn document(name: String, shards: Shards, peers: &BTreeMap<u64, String>) -> ShardsCollection {
    let replicas = shards.replicas.into_iter().map(|replica| ReplicaDocument {
        shard: replica.shard,
        key: replica.key,
        peer: replica.peer,
        address: peers.get(&replica.peer).cloned(),
        state: replica.state,
        points: replica.points,
    });
    let transfer = |Transfer { shard, from, to, stays }| TransferDocument { shard, from, to, stays };
    ShardsCollection {
        name,
        replicas: replicas.collect(),
        transfers: shards.transfers.into_iter().map(transfer).collect(),
    }
}

fn show(context: &Context, target: &ShardsTarget) -> Result<()> {
    let ui = &context.ui;
    if target.collections.is_empty() {
        return ui.data(format!("{}: no collections", paint(STRONG, &target.name)));
    }
    ui.data(paint(STRONG, &target.name))?;
    let mut rows = Vec::new();
    for collection in &target.collections {
        rows.extend(collection.replicas.iter().map(|replica| {
            let shard = match &replica.key {
                Some(key) => format!("{} ({})", replica.shard, printable(key)),
                None => replica.shard.to_string(),
            };
            let node =
                replica.address.as_deref().map_or_else(String::new, |address| format!(" {}", printable(address)));
            let node = format!("{}{node}", replica.peer);
            let points = replica.points.map_or_else(String::new, |points| points.to_string());
            vec![collection.name.clone(), shard, node, replica.state.to_owned(), points]
        }));
    }
    ui.table(&["collection", "shard", "node", "state", "points"], rows)?;
    for collection in &target.collections {
        for TransferDocument { shard, from, to, .. } in &collection.transfers {
            ui.data(format!("{}: shard {shard} is on its way from node {from} to node {to}", collection.name))?;
        }
    }
    Ok(())
}
