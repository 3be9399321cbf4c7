//! The nodes of a cluster. <https://qdrant.tech/documentation/guides/distributed_deployment/>

use std::collections::BTreeMap;

use serde::Deserialize;

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
        read(&text).map_err(|error| Error::not_understood(doing, &error))
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

#[cfg(test)]
mod tests {
    use super::{Cluster, read};

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
}
