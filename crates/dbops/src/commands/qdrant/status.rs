//! `qdrant status`: the collections of each server, and the nodes of its cluster.

use std::collections::BTreeMap;

use dbops_qdrant::{Cluster, CollectionState, CollectionStatus, Error, Issue, Memory, Shards};
use indicatif::HumanBytes;
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

/// `{"targets": [{"name", "version", "memory": {"resident_bytes", "allocated_bytes"}, "issues": [{"id", "description",
/// "solutions": []}], "cluster": {"peer", "peers": [{"id", "address"}], "consensus", "unreachable": []}, "collections": [{"name", "state", "points", "indexed_vectors", "segments", "shards", "replication_factor",
/// "strict_mode", "replicas": [{"shard", "peer", "state", "points"}], "dead_replicas": [{"shard", "peer"}], "aliases": [],
/// "optimizer_error"}]}]}`. `state` is green, yellow (optimizing), grey (optimization pending), red or unknown;
/// `optimizer_error` is null unless the optimizer gave up. `memory` and `issues` are null where the server does not tell;
/// `replicas` is empty outside clusters, and `points` null for those on other nodes than the one that was asked.
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
    memory: Option<StatusMemory>,
    issues: Option<Vec<StatusIssue>>,
    cluster: Option<StatusCluster>,
    collections: Vec<StatusCollection>,
}

#[derive(Serialize)]
struct StatusMemory {
    resident_bytes: Option<u64>,
    allocated_bytes: Option<u64>,
}

#[derive(Serialize)]
struct StatusIssue {
    id: String,
    description: String,
    solutions: Vec<String>,
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
    replicas: Vec<StatusReplica>,
    dead_replicas: Vec<DeadReplica>,
    aliases: Vec<String>,
    optimizer_error: Option<String>,
}

#[derive(Serialize)]
struct StatusReplica {
    shard: u32,
    peer: u64,
    state: &'static str,
    points: Option<u64>,
}

#[derive(Serialize)]
struct DeadReplica {
    shard: u32,
    peer: u64,
}

/// What a server tells about itself.
struct Told {
    version: String,
    memory: Option<Memory>,
    issues: Option<Vec<Issue>>,
    cluster: Option<Cluster>,
    collections: Vec<CollectionStatus>,
    /// By collection, in a cluster.
    shards: BTreeMap<String, Shards>,
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
    // Only HTTP tells, which may be closed where gRPC is open, and is not open to every key.
    let cluster = told(context, name, server.cluster().await);
    let memory = told(context, name, server.memory().await);
    let issues = told(context, name, server.issues().await);
    let mut shards = BTreeMap::new();
    if cluster.as_ref().is_some_and(|cluster| cluster.peers.len() > 1) {
        for collection in &collections {
            // A collection that was dropped since has none.
            if let Some(found) = server.shards(&collection.name).await? {
                shards.insert(collection.name.clone(), found);
            }
        }
    }
    Ok(Told { version, memory, issues, cluster, collections, shards })
}

fn told<T>(context: &Context, name: &str, answer: std::result::Result<Option<T>, Error>) -> Option<T> {
    answer.unwrap_or_else(|error| {
        context.ui.detail(format!("{name}: {error}"));
        None
    })
}

fn show(context: &Context, name: &str, target: &QdrantTarget, told: &Told) -> Result<()> {
    let ui = &context.ui;
    ui.data(format!("{}: Qdrant {} at {}", paint(STRONG, name), told.version, target.addresses))?;
    if let Some(bytes) = told.memory.and_then(|memory| memory.resident) {
        ui.data(format!("{} of memory", HumanBytes(bytes)))?;
    }
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
    for (collection, shards) in &told.shards {
        let replica = |one: &dbops_qdrant::Replica| {
            vec![collection.clone(), one.shard.to_string(), one.peer.to_string(), one.state.into()]
        };
        ui.table(&["collection", "shard", "node", "state"], shards.replicas.iter().map(replica).collect())?;
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
    for Issue { description, solutions, .. } in told.issues.iter().flatten() {
        let solutions = if solutions.is_empty() { String::new() } else { format!(" ({})", solutions.join("; or ")) };
        ui.warn(format!("{name}: the server reports: {}{}", printable(description), printable(&solutions)));
    }
    for collection in &told.collections {
        if let Some(error) = &collection.optimizer_error {
            ui.warn(format!("{name}: the optimizer of {} gave up: {error}", collection.name));
        }
        for DeadReplica { shard, peer } in told.shards.get(&collection.name).map(dead).unwrap_or_default() {
            ui.warn(format!("{name}: {}: the replica of shard {shard} on node {peer} is dead", collection.name));
        }
    }
}

fn dead(shards: &Shards) -> Vec<DeadReplica> {
    let dead = shards.replicas.iter().filter(|replica| replica.state == "dead");
    dead.map(|replica| DeadReplica { shard: replica.shard, peer: replica.peer }).collect()
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
    let Told { version, memory, issues, cluster, collections, shards } = told;
    let memory = memory
        .map(|Memory { resident, allocated }| StatusMemory { resident_bytes: resident, allocated_bytes: allocated });
    let issue = |Issue { id, description, solutions }| StatusIssue { id, description, solutions };
    let issues = issues.map(|issues| issues.into_iter().map(issue).collect());
    let cluster = cluster.map(|cluster| StatusCluster {
        peer: cluster.peer,
        peers: cluster.peers.into_iter().map(|(id, address)| StatusPeer { id, address }).collect(),
        consensus: cluster.consensus,
        unreachable: cluster.unreachable,
    });
    let collections = collections.into_iter().map(|collection| {
        let found = shards.get(&collection.name);
        collection_document(collection, found)
    });
    StatusTarget { name: name.to_owned(), version, memory, issues, cluster, collections: collections.collect() }
}

fn collection_document(collection: CollectionStatus, shards: Option<&Shards>) -> StatusCollection {
    let replicas = shards.into_iter().flat_map(|shards| &shards.replicas).map(|replica| StatusReplica {
        shard: replica.shard,
        peer: replica.peer,
        state: replica.state,
        points: replica.points,
    });
    StatusCollection {
        name: collection.name,
        state: collection.state.name(),
        points: collection.points,
        indexed_vectors: collection.indexed_vectors,
        segments: collection.segments,
        shards: collection.shards,
        replication_factor: collection.replication_factor,
        strict_mode: collection.strict_mode,
        replicas: replicas.collect(),
        dead_replicas: shards.map(dead).unwrap_or_default(),
        aliases: collection.aliases,
        optimizer_error: collection.optimizer_error,
    }
}
