//! Whether replicas are dead, and nodes do not reach each other.

use dbops_qdrant::{Cluster, Error};

use super::asked::Asked;
use crate::fold::Item;
use crate::{Check, Finding};

pub(super) const CHECK: Check =
    Check { id: "replicas", looks_at: "dead replicas, and nodes of a cluster that do not agree", limits: None };

/// A copy of a shard that failed.
struct DeadReplica {
    collection: String,
    shard: u32,
    peer: u64,
}

pub(super) async fn check(asked: &Asked<'_>) -> Finding {
    match look(asked).await {
        Ok(None) => asked.ok(&CHECK, "the server stands alone"),
        Ok(Some((cluster, dead))) => {
            let well = format!("{} nodes agree, and no replica is dead", cluster.peers.len());
            asked.fold(&CHECK, items(&cluster, &dead), ("things are wrong in the cluster", &well))
        }
        Err(error) => asked.unknown(&CHECK, &error),
    }
}

async fn look(asked: &Asked<'_>) -> Result<Option<(Cluster, Vec<DeadReplica>)>, Error> {
    let Some(cluster) = asked.server.cluster().await? else { return Ok(None) };
    let mut dead = Vec::new();
    for collection in asked.collections {
        let shards = asked.server.shards(&collection.name).await?.unwrap_or_default();
        let found = shards.replicas.iter().filter(|replica| replica.state == "dead");
        dead.extend(found.map(|replica| DeadReplica {
            collection: collection.name.clone(),
            shard: replica.shard,
            peer: replica.peer,
        }));
    }
    Ok(Some((cluster, dead)))
}

fn items(cluster: &Cluster, dead: &[DeadReplica]) -> Vec<Item> {
    let item = |value, text: String, remedy: String| Item { value, text, remedy };
    let replicas = dead.iter().map(|DeadReplica { collection, shard, peer }| {
        let node = cluster.peers.get(peer).map_or_else(|| peer.to_string(), Clone::clone);
        let remedy =
            format!("bring node {node} back, which makes it anew; or drop the replica and replicate the shard");
        item(3.0, format!("the replica of shard {shard} of {collection} on node {node} is dead"), remedy)
    });
    let consensus = (cluster.consensus != "working").then(|| {
        let text = format!("the nodes do not agree: {}", cluster.consensus);
        item(2.0, text, "see the server's log, and whether most of the nodes are there".into())
    });
    let unreachable = cluster.unreachable.iter().map(|address| {
        item(1.0, format!("node {address} cannot be reached"), "start it, or remove it from the cluster".into())
    });
    replicas.chain(consensus).chain(unreachable).collect()
}

#[cfg(test)]
mod tests {
    use dbops_qdrant::Cluster;

    use super::{DeadReplica, items};

    #[test]
    fn what_is_wrong_in_a_cluster_is_told() {
        let peers = [(1, "http://a:6335/".to_owned()), (2, "http://b:6335/".to_owned())].into();
        let mut cluster = Cluster { peer: 1, peers, consensus: "working".into(), unreachable: Vec::new() };
        assert!(items(&cluster, &[]).is_empty());
        cluster.consensus = "stopped_with_err: no disk".into();
        cluster.unreachable = vec!["http://b:6335/".into()];
        let texts: Vec<_> = items(&cluster, &[DeadReplica { collection: "c".into(), shard: 4, peer: 2 }])
            .into_iter()
            .map(|item| item.text)
            .collect();
        let expected = [
            "the replica of shard 4 of c on node http://b:6335/ is dead",
            "the nodes do not agree: stopped_with_err: no disk",
            "node http://b:6335/ cannot be reached",
        ];
        assert_eq!(texts, expected);
    }
}
