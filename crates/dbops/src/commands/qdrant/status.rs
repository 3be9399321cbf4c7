//! `qdrant status`: the collections of each server, and the nodes of its cluster.

use std::collections::BTreeMap;

use dbops_qdrant::{Cluster, CollectionState, CollectionStatus, DeadReplica};
use serde::Serialize;

use super::connect;
use crate::commands::{Context, Outcome};
use crate::config::{Config, QdrantTarget};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint, printable};

/// What is to be said of states that are not green.
/// <https://qdrant.tech/documentation/concepts/collections/#collection-info>
const MEANINGS: [(CollectionState, &str); 3] = [
    (CollectionState::Yellow, "segments are being optimized; all works, searches may be slower"),
    (CollectionState::Grey, "optimizations wait for the next write, as after a restart"),
    (CollectionState::Red, "something failed that did not heal; see the server's log"),
];

/// `{"targets": [{"name", "version", "cluster": {"peer", "peers": [{"id", "address"}], "consensus", "unreachable": []},
/// "collections": [{"name", "state", "points", "indexed_vectors", "segments", "shards", "replication_factor",
/// "strict_mode", "dead_replicas": [{"shard", "peer"}], "aliases": [], "optimizer_error"}]}]}`. `state` is green, yellow
/// (optimizing), grey (optimization pending), red or unknown; `optimizer_error` is null unless the optimizer gave up.
/// `cluster` is null for a server that stands alone, or does not tell; `peer` is the node that was asked, and
/// `unreachable` are the addresses of those that it cannot reach.
#[derive(Serialize)]
struct StatusDocument {
    targets: Vec<StatusTarget>,
}

#[derive(Serialize)]
struct StatusTarget {
    name: String,
    version: String,
    cluster: Option<StatusCluster>,
    collections: Vec<StatusCollection>,
}

#[derive(Serialize)]
struct StatusCluster {
    peer: u64,
    peers: Vec<StatusPeer>,
    consensus: String,
    unreachable: Vec<String>,
}

#[derive(Serialize)]
struct StatusPeer {
    id: u64,
    address: String,
}

#[derive(Serialize)]
struct StatusCollection {
    name: String,
    state: &'static str,
    points: u64,
    indexed_vectors: u64,
    segments: u64,
    shards: u32,
    replication_factor: u32,
    strict_mode: bool,
    dead_replicas: Vec<StatusReplica>,
    aliases: Vec<String>,
    optimizer_error: Option<String>,
}

#[derive(Serialize)]
struct StatusReplica {
    shard: u32,
    peer: u64,
}

/// What a server tells about itself.
struct Told {
    version: String,
    cluster: Option<Cluster>,
    collections: Vec<CollectionStatus>,
    /// By collection.
    dead: BTreeMap<String, Vec<DeadReplica>>,
}

pub(super) async fn status(context: &Context, config: &Config, names: &[String]) -> Result<Outcome> {
    let mut targets = Vec::new();
    for (name, target) in config.select_qdrant(names)? {
        let failed = |failure: Failure| failure.context(format!("cannot tell the status of {name}"));
        let told = ask(context, name, target).await.map_err(failed)?;
        show(context, name, target, &told)?;
        targets.push(document(name, told));
    }
    context.ui.document(&StatusDocument { targets })?;
    Ok(Outcome::Done)
}

async fn ask(context: &Context, name: &str, target: &QdrantTarget) -> Result<Told> {
    let server = connect(target)?;
    let (version, collections) = (server.version().await?, server.collections().await?);
    // Only HTTP tells, which may be closed where gRPC is open.
    let cluster = server.cluster().await.unwrap_or_else(|error| {
        context.ui.detail(format!("{name}: {error}"));
        None
    });
    let mut dead = BTreeMap::new();
    if cluster.as_ref().is_some_and(|cluster| cluster.peers.len() > 1) {
        for collection in &collections {
            dead.insert(collection.name.clone(), server.dead_replicas(&collection.name).await?);
        }
    }
    Ok(Told { version, cluster, collections, dead })
}

fn show(context: &Context, name: &str, target: &QdrantTarget, told: &Told) -> Result<()> {
    let ui = &context.ui;
    ui.data(format!("{}: Qdrant {} at {}", paint(STRONG, name), told.version, target.url))?;
    if let Some(cluster) = &told.cluster {
        ui.data(format!("{} nodes, consensus {}", cluster.peers.len(), printable(&cluster.consensus)))?;
    }
    if told.collections.is_empty() {
        warn(context, name, told);
        return ui.data("no collections");
    }
    let rows = told.collections.iter().map(|collection| {
        vec![
            collection.name.clone(),
            collection.state.name().into(),
            collection.points.to_string(),
            collection.indexed_vectors.to_string(),
            collection.segments.to_string(),
            collection.aliases.join(", "),
        ]
    });
    ui.table(&["collection", "state", "points", "indexed", "segments", "aliases"], rows.collect())?;
    for words in told.collections.iter().filter_map(particulars) {
        ui.data(words)?;
    }
    for (state, meaning) in MEANINGS {
        if told.collections.iter().any(|collection| collection.state == state) {
            ui.data(format!("{}: {meaning}", state.name()))?;
        }
    }
    warn(context, name, told);
    Ok(())
}

fn warn(context: &Context, name: &str, told: &Told) {
    let ui = &context.ui;
    for address in told.cluster.iter().flat_map(|cluster| &cluster.unreachable) {
        ui.warn(format!("{name}: the node at {} cannot be reached", printable(address)));
    }
    for collection in &told.collections {
        if let Some(error) = &collection.optimizer_error {
            ui.warn(format!("{name}: the optimizer of {} gave up: {error}", collection.name));
        }
        for DeadReplica { shard, peer } in told.dead.get(&collection.name).into_iter().flatten() {
            ui.warn(format!("{name}: {}: the replica of shard {shard} on node {peer} is dead", collection.name));
        }
    }
}

/// What few collections have, and the table has no room for.
fn particulars(collection: &CollectionStatus) -> Option<String> {
    let mut words = Vec::new();
    if collection.shards > 1 {
        words.push(format!("{} shards", collection.shards));
    }
    if collection.replication_factor > 1 {
        words.push(format!("replication factor {}", collection.replication_factor));
    }
    if collection.strict_mode {
        words.push("strict mode".to_owned());
    }
    (!words.is_empty()).then(|| format!("{}: {}", collection.name, words.join(", ")))
}

fn document(name: &str, told: Told) -> StatusTarget {
    let Told { version, cluster, collections, mut dead } = told;
    let cluster = cluster.map(|cluster| StatusCluster {
        peer: cluster.peer,
        peers: cluster.peers.into_iter().map(|(id, address)| StatusPeer { id, address }).collect(),
        consensus: cluster.consensus,
        unreachable: cluster.unreachable,
    });
    let collections = collections.into_iter().map(|collection| {
        let dead = dead.remove(&collection.name).unwrap_or_default();
        collection_document(collection, dead)
    });
    StatusTarget { name: name.to_owned(), version, cluster, collections: collections.collect() }
}

fn collection_document(collection: CollectionStatus, dead: Vec<DeadReplica>) -> StatusCollection {
    StatusCollection {
        name: collection.name,
        state: collection.state.name(),
        points: collection.points,
        indexed_vectors: collection.indexed_vectors,
        segments: collection.segments,
        shards: collection.shards,
        replication_factor: collection.replication_factor,
        strict_mode: collection.strict_mode,
        dead_replicas: dead.into_iter().map(|DeadReplica { shard, peer }| StatusReplica { shard, peer }).collect(),
        aliases: collection.aliases,
        optimizer_error: collection.optimizer_error,
    }
}
