//! Several nodes: a snapshot holds the shards of the node that made it and no others, so that a set of one node's
//! snapshots would be a part that looks like the whole.
//! <https://qdrant.tech/documentation/concepts/snapshots/#create-snapshot>

use dbops_qdrant::{Cluster, Server};

use super::QdrantError;

/// Refuses a server whose points may lie on several nodes.
pub(super) async fn refuse_cluster(server: &Server) -> Result<(), QdrantError> {
    only_node(server.cluster().await?.as_ref())
}

fn only_node(cluster: Option<&Cluster>) -> Result<(), QdrantError> {
    match cluster {
        Some(cluster) if cluster.peers.len() > 1 => {
            Err(QdrantError::Cluster { nodes: cluster.peers.values().cloned().collect() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use dbops_qdrant::Cluster;

    use super::only_node;

    #[test]
    fn several_nodes_are_refused_with_a_way_out() {
        let cluster = |peers: u64| Cluster {
            peer: 0,
            peers: (0..peers).map(|peer| (peer, format!("http://node{peer}:6335/"))).collect(),
            consensus: "working".into(),
            unreachable: Vec::new(),
        };
        assert!(only_node(None).is_ok() && only_node(Some(&cluster(1))).is_ok());
        let refused = only_node(Some(&cluster(2))).expect_err("there are two");
        assert!(refused.is_refusal() && refused.to_string().contains("http://node1:6335/"), "{refused}");
        assert!(refused.hint().is_some_and(|hint| hint.contains("dbops qdrant snapshot create")));
    }
}
