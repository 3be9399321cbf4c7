//! The nodes of a cluster, and the replicas that are lost. <https://qdrant.tech/documentation/guides/distributed_deployment/>

use std::collections::BTreeMap;

use qdrant_client::qdrant::{CollectionClusterInfoRequest, CollectionClusterInfoResponse, ReplicaState};
use serde::Deserialize;
use tonic::Code;

use crate::{Error, Server};

/// A cluster, as the node that was asked sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The id of that node.
    pub peer: u64,
    /// The addresses of all nodes by id.
    pub peers: BTreeMap<u64, String>,
    /// `working`, or what keeps the nodes from agreeing with each other.
    pub consensus: String,
    /// The addresses that this node has lately sent to in vain.
    pub unreachable: Vec<String>,
}

/// A copy of a shard that failed: it takes no part in searches until it is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadReplica {
    /// The shard.
    pub shard: u32,
    /// The node that it is on.
    pub peer: u64,
}

/// What `GET /cluster` answers.
#[derive(Deserialize)]
struct Answer {
    result: WireCluster,
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum WireCluster {
    Disabled,
    Enabled {
        peer_id: u64,
        /// The ids are texts, as all keys of JSON.
        peers: BTreeMap<String, WirePeer>,
        consensus_thread_status: WireConsensus,
        #[serde(default)]
        message_send_failures: BTreeMap<String, serde_json::Value>,
    },
}

#[derive(Deserialize)]
struct WirePeer {
    uri: String,
}

#[derive(Deserialize)]
struct WireConsensus {
    consensus_thread_status: String,
    err: Option<String>,
}

impl Server {
    /// The cluster that this server is in; `None` for one that stands alone.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked over HTTP, or answers something else.
    pub async fn cluster(&self) -> Result<Option<Cluster>, Error> {
        let doing = "ask for the cluster";
        // The embedded server knows no clusters.
        let Some(text) = self.told(doing, "/cluster").await? else { return Ok(None) };
        let strange = |reason: String| Error::Server { doing: doing.into(), reason };
        read(&text).map_err(|error| strange(format!("the answer is not understood: {error}")))
    }

    /// The replicas of a collection that are dead, sorted. Only a server in a cluster can be asked.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn dead_replicas(&self, collection: &str) -> Result<Vec<DeadReplica>, Error> {
        let request = CollectionClusterInfoRequest { collection_name: collection.into() };
        let doing = format!("ask for the replicas of {collection}");
        let mut client = self.collections_api();
        match self.bounded(&doing, client.collection_cluster_info(request)).await? {
            Ok(answer) => Ok(dead(answer.get_ref())),
            // A collection that was dropped since has none.
            Err(status) if status.code() == Code::NotFound => Ok(Vec::new()),
            Err(status) => Err(self.error(&doing, &status)),
        }
    }
}

fn read(text: &[u8]) -> serde_json::Result<Option<Cluster>> {
    let id = |text: String| text.parse().map_err(serde::de::Error::custom);
    Ok(match serde_json::from_slice::<Answer>(text)?.result {
        WireCluster::Disabled => None,
        WireCluster::Enabled { peer_id, peers, consensus_thread_status: consensus, message_send_failures } => {
            let state = consensus.consensus_thread_status;
            let peers = peers.into_iter().map(|(peer, told)| Ok((id(peer)?, told.uri)));
            Some(Cluster {
                peer: peer_id,
                peers: peers.collect::<serde_json::Result<_>>()?,
                consensus: consensus.err.map_or_else(|| state.clone(), |error| format!("{state}: {error}")),
                unreachable: message_send_failures.into_keys().collect(),
            })
        }
    })
}

fn dead(info: &CollectionClusterInfoResponse) -> Vec<DeadReplica> {
    let local = info.local_shards.iter().map(|shard| (shard.shard_id, info.peer_id, shard.state()));
    let remote = info.remote_shards.iter().map(|shard| (shard.shard_id, shard.peer_id, shard.state()));
    let all = local.chain(remote).filter(|(_, _, state)| *state == ReplicaState::Dead);
    let mut found: Vec<_> = all.map(|(shard, peer, _)| DeadReplica { shard, peer }).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use qdrant_client::qdrant::{CollectionClusterInfoResponse, LocalShardInfo, RemoteShardInfo, ReplicaState};

    use super::{Cluster, DeadReplica, dead, read};

    /// What a server answers, and what is read.
    #[test]
    fn answers_about_the_cluster_are_read() {
        let node = |consensus: &str, failures: &str| {
            format!(
                r#"{{"result": {{"status": "enabled", "peer_id": 18446744073709551615, "peers": {{
                "18446744073709551615": {{"uri": "http://a:6335/"}}, "7": {{"uri": "http://b:6335/"}}}},
                "raft_info": {{"term": 3, "leader": 7}}, "consensus_thread_status": {consensus},
                "message_send_failures": {failures}}}, "status": "ok", "time": 0.1}}"#
            )
        };
        let cluster = |consensus: &str, unreachable: &[&str]| Cluster {
            peer: u64::MAX,
            peers: [(u64::MAX, "http://a:6335/".to_owned()), (7, "http://b:6335/".to_owned())].into(),
            consensus: consensus.to_owned(),
            unreachable: unreachable.iter().map(|address| (*address).to_owned()).collect(),
        };
        let working = r#"{"consensus_thread_status": "working", "last_update": "2026-01-02T03:04:05Z"}"#;
        let stopped = r#"{"consensus_thread_status": "stopped_with_err", "err": "no disk"}"#;
        let failures = r#"{"http://b:6335/": {"count": 3, "latest_error": "refused"}}"#;
        let cases = [
            (r#"{"result": {"status": "disabled"}, "status": "ok", "time": 0}"#.to_owned(), None),
            (node(working, "{}"), Some(cluster("working", &[]))),
            (node(stopped, failures), Some(cluster("stopped_with_err: no disk", &["http://b:6335/"]))),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text.as_bytes()).expect("an answer"), expected, "{text}");
        }
        for strange in ["", "[]", r#"{"result": {"status": "enabled"}}"#, r#"{"result": {"status": "other"}}"#] {
            assert!(read(strange.as_bytes()).is_err(), "{strange}");
        }
    }

    #[test]
    fn dead_replicas_are_found_here_and_elsewhere() {
        let local =
            |shard_id, state: ReplicaState| LocalShardInfo { shard_id, state: state.into(), ..Default::default() };
        let remote = |shard_id, peer_id, state: ReplicaState| RemoteShardInfo {
            shard_id,
            peer_id,
            state: state.into(),
            ..Default::default()
        };
        let info = CollectionClusterInfoResponse {
            peer_id: 1,
            local_shards: vec![local(0, ReplicaState::Active), local(1, ReplicaState::Dead)],
            remote_shards: vec![
                remote(1, 2, ReplicaState::Active),
                remote(0, 3, ReplicaState::Dead),
                remote(0, 2, ReplicaState::Partial),
            ],
            ..Default::default()
        };
        assert_eq!(dead(&info), [DeadReplica { shard: 0, peer: 3 }, DeadReplica { shard: 1, peer: 1 }]);
    }
}
