//! What has to be done on each node of a server by itself, never through a balancer: snapshots are of one node.

use dbops_qdrant::{Cluster, Server};

use super::{TIMEOUT, connect, node_servers};
use crate::config::QdrantTarget;
use crate::failure::{Failure, Result};

/// A node to work on.
pub(super) struct Node {
    /// Its address, where there are several.
    pub(super) url: Option<String>,
    pub(super) server: Server,
    /// Whether it may be without some of the collections' shards.
    pub(super) is_in_cluster: bool,
}

/// The nodes to work on: the one that was chosen by its address or number, else all of them. Refuses when they are not
/// all that there are.
pub(super) async fn nodes(target: &QdrantTarget, chosen: Option<&str>) -> Result<Vec<Node>> {
    let known = node_servers(target, TIMEOUT);
    if let Some(chosen) = chosen {
        let urls: Vec<_> = known.iter().map(|options| options.url.as_str()).collect();
        let options = &known[position(&urls, chosen)?];
        let server = Server::new(options)?;
        let is_in_cluster = is_several(server.cluster().await?.as_ref());
        return Ok(vec![Node { url: Some(options.url.clone()), server, is_in_cluster }]);
    }
    if target.nodes.is_none() {
        // Addresses of a server that stands alone are ways to the same one.
        let server = connect(target)?.by_one_node().await?;
        if !is_several(server.cluster().await?.as_ref()) {
            return Ok(vec![Node { url: None, server, is_in_cluster: false }]);
        }
    }
    let mut nodes = Vec::new();
    let mut seen = Vec::new();
    for options in known {
        let server = Server::new(&options)?;
        let cluster = server.cluster().await?;
        let is_in_cluster = is_several(cluster.as_ref());
        seen.push((options.url.clone(), cluster));
        nodes.push(Node { url: Some(options.url), server, is_in_cluster });
    }
    all_once(&seen)?;
    Ok(nodes)
}

/// The one node to work on; where there are several it has to be chosen.
pub(super) async fn one_node(target: &QdrantTarget, chosen: Option<&str>) -> Result<Node> {
    let mut nodes = nodes(target, chosen).await?;
    match (nodes.pop(), nodes.is_empty()) {
        (Some(node), true) => Ok(node),
        _ => Err(Failure::usage("this is done on one node, and there are several")
            .with_hint("name it with --node URL, or --node 1 for the first")),
    }
}

fn is_several(cluster: Option<&Cluster>) -> bool {
    cluster.is_some_and(|cluster| cluster.peers.len() > 1)
}

/// Where in the list the address or the number, counted from 1, leads.
fn position(urls: &[&str], chosen: &str) -> Result<usize> {
    let by_number = chosen.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let by_url = || urls.iter().position(|url| *url == chosen.trim_end_matches('/'));
    let position = by_number.filter(|index| *index < urls.len()).or_else(by_url);
    position.ok_or_else(|| {
        let known: Vec<_> = urls.iter().enumerate().map(|(index, url)| format!("{} ({url})", index + 1)).collect();
        Failure::usage(format!("there is no node `{chosen}` in the configuration"))
            .with_hint(format!("choose from {}; others can be added to `nodes`", known.join(", ")))
    })
}

/// Whether the addresses lead to every node of the cluster, and to each once.
fn all_once(seen: &[(String, Option<Cluster>)]) -> Result<()> {
    let clusters: Vec<_> = seen.iter().filter_map(|(url, cluster)| Some((url, cluster.as_ref()?))).collect();
    for (index, (url, cluster)) in clusters.iter().enumerate() {
        if let Some((same, _)) = clusters[..index].iter().find(|(_, other)| other.peer == cluster.peer) {
            return Err(Failure::refused(format!("{same} and {url} lead to the same node, {}", cluster.peer))
                .with_hint("name in `nodes` the address of each node once, and no balancer's"));
        }
    }
    let all = clusters.iter().flat_map(|(_, cluster)| &cluster.peers);
    let missing = all.filter(|(peer, _)| !clusters.iter().any(|(_, cluster)| cluster.peer == **peer));
    let mut missing: Vec<_> = missing.map(|(peer, address)| format!("{peer} ({address})")).collect();
    missing.sort();
    missing.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::refused(format!("the cluster has nodes that the configuration does not name: {}", missing.join(", ")))
        .with_hint("name the address of each in `nodes`, or choose one node with --node"))
}

#[cfg(test)]
mod tests {
    use dbops_qdrant::Cluster;

    use super::{all_once, position};

    /// The node that answers, and the nodes that it knows.
    fn node(url: &str, peer: u64, peers: &[u64]) -> (String, Option<Cluster>) {
        let peers = peers.iter().map(|peer| (*peer, format!("http://n{peer}:6335/"))).collect();
        let (consensus, unreachable) = ("working".to_owned(), Vec::new());
        (url.to_owned(), Some(Cluster { peer, peers, consensus, unreachable }))
    }

    #[test]
    fn every_node_has_to_be_named_once() {
        let all = [1, 2];
        let cases = [
            (vec![node("a", 1, &all), node("b", 2, &all)], None),
            (vec![("a".to_owned(), None), ("b".to_owned(), None)], None),
            (vec![node("a", 1, &[1])], None),
            (vec![node("a", 1, &all)], Some("does not name: 2 (http://n2:6335/)")),
            (vec![node("a", 1, &all), node("b", 1, &all)], Some("a and b lead to the same node, 1")),
        ];
        for (seen, expected) in cases {
            let refused = all_once(&seen).err().map(|failure| failure.error.to_string());
            match expected {
                None => assert_eq!(refused, None, "{seen:?}"),
                Some(words) => assert!(refused.as_ref().is_some_and(|text| text.contains(words)), "{refused:?}"),
            }
        }
    }

    #[test]
    fn nodes_are_chosen_by_address_or_number() {
        let urls = ["http://a:6333", "http://b:6333"];
        let cases =
            [("1", Some(0)), ("2", Some(1)), ("http://b:6333/", Some(1)), ("0", None), ("3", None), ("b", None)];
        for (chosen, expected) in cases {
            assert_eq!(position(&urls, chosen).ok(), expected, "{chosen}");
        }
    }
}
