//! What concerns the nodes of a cluster, as far as servers that stand alone have it: each of two is a node by itself.

use std::time::Duration;

use dbops_qdrant::{Id, Point, PointVector, Server, ServerOptions};
use dbops_testbed::{Qdrant, start_qdrant, unique};
use serde_json::{Value, json};

use crate::project::Project;
use crate::qdrant::{fill, project};

#[test]
fn shards_are_listed_and_stay_where_there_is_one_node() {
    let name = unique("shards");
    let project = project(&format!("  {name}:\n    alias: {name}_alias\n    vectors: {{ size: 4, distance: Dot }}\n"));
    project.ok(&["qdrant", "apply"]);
    fill(&name, 7, 4);
    let listed = project.json(0, &["qdrant", "shards", "list", &format!("{name}_alias")]);
    let replica = json!({"shard": 0, "key": null, "peer": 0, "address": null, "state": "active", "points": 7});
    let expected = json!({"targets": [{"name": "search", "collections": [
        {"name": name, "replicas": [replica], "transfers": []}]}]});
    assert_eq!(listed, expected);
    let shown = project.ok(&["qdrant", "shards", "list"]).stdout;
    assert!(shown.starts_with("search\nCOLLECTION") && shown.contains(&name), "{shown}");

    let changes: [&[&str]; 3] = [
        &["move", &name, "0", "--to", "2"],
        &["replicate", &name, "0", "--to", "2"],
        &["drop", &name, "0", "--from", "0"],
    ];
    for change in changes {
        let run = project.run(&[&["--yes", "qdrant", "shards"], change].concat());
        assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{run}");
        assert!(run.stderr.contains("error: the server of search is in no cluster"), "{run}");
    }
    let run = project.run(&["qdrant", "shards", "list", "no_such"]);
    assert!(run.code == 2 && run.stderr.contains("there is no collection `no_such`"), "{run}");
}

/// Two servers as the nodes of one target, with a collection of the same name and other points on each.
struct Two {
    project: Project,
    collection: String,
    servers: [Qdrant; 2],
}

impl Two {
    fn new() -> Self {
        let (servers, collection) = ([start_qdrant(), start_qdrant()], unique("nodes"));
        let project = Project::empty();
        let target = |name: &str, address: &str| {
            format!("  {name}:\n    kind: qdrant\n    {address}\n    collections: collections.yaml\n")
        };
        let address = |qdrant: &Qdrant| format!("{{url: \"{}\", grpc_port: {}}}", qdrant.url, qdrant.grpc_port);
        let [first, second] = [address(&servers[0]), address(&servers[1])];
        let targets = [
            target("first", &format!("url: [{first}]")),
            target("second", &format!("url: [{second}]")),
            target("both", &format!("url: [{second}]\n    nodes: [{first}, {second}]")),
        ];
        project.write("dbops.yaml", &format!("version: 1\ntargets:\n{}", targets.concat()));
        project.write(
            "collections.yaml",
            &format!("version: 1\ncollections:\n  {collection}: {{ vectors: {{ size: 2, distance: Dot }} }}\n"),
        );
        project.ok(&["qdrant", "apply", "-t", "first", "-t", "second"]);
        let two = Self { project, collection, servers };
        for (index, count) in [(0, 10), (1, 20)] {
            two.on(index, async |server| {
                let point = |number| Point {
                    id: Id::Number(number),
                    vectors: [(String::new(), PointVector::Dense(vec![1.0, 2.0]))].into(),
                    payload: serde_json::Map::new(),
                };
                server.write(&two.collection, (0..count).map(point).collect()).await
            });
        }
        two
    }

    fn on<T>(&self, index: usize, work: impl AsyncFnOnce(&Server) -> Result<T, dbops_qdrant::Error>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let Qdrant { url, grpc_port, .. } = &self.servers[index];
        let timeout = Duration::from_secs(60);
        let options = ServerOptions { url: url.clone(), grpc_port: *grpc_port, api_key: None, timeout };
        runtime.block_on(async { work(&Server::new(&options).expect("a server")).await.expect("it answers") })
    }

    fn counts(&self) -> [u64; 2] {
        [0, 1].map(|index| self.on(index, async |server| server.count(&self.collection).await))
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        self.project.json(code, &[&["qdrant", "snapshot", "-t", "both"], arguments].concat())
    }

    /// The snapshots that a document tells of, as numbers of their nodes and names.
    fn snapshots(&self, arguments: &[&str]) -> Vec<(usize, String)> {
        let document = self.json(0, arguments);
        let snapshots = document["targets"][0]["snapshots"].as_array().expect("a list").clone();
        let node = |one: &Value| self.servers.iter().position(|server| one["node"] == server.url.as_str());
        let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
        snapshots.iter().map(|one| (node(one).expect("a node of ours"), name(one))).collect()
    }
}

#[test]
fn snapshots_are_made_found_and_put_back_on_each_node() {
    let two = Two::new();
    let name = two.collection.as_str();
    let made = two.snapshots(&["create"]);
    assert_eq!(made.iter().map(|(node, _)| *node).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(two.snapshots(&["list"]), made);
    assert_eq!(two.snapshots(&["list", "--node", "2"]), made[1..]);
    assert_eq!(two.snapshots(&["list", "--node", &two.servers[0].url]), made[..1]);
    let shown = two.project.ok(&["qdrant", "snapshot", "list", "-t", "both"]).stdout;
    assert!(shown.starts_with("both\nNODE") && shown.contains(&two.servers[1].url), "{shown}");

    // By its name alone, wherever it is. Snapshots made in the same second may have the same name.
    for (number, (_, snapshot)) in made.iter().enumerate() {
        let file = format!("{number}.snapshot");
        let node = (number + 1).to_string();
        let chosen: &[&str] = if made[0].1 == made[1].1 { &["--node", &node] } else { &[] };
        two.json(0, &[&["download", name, snapshot, "--to", &file], chosen].concat());
    }
    let unchosen = two.json(2, &["restore", name, "0.snapshot", "--overwrite"]);
    assert_eq!(unchosen["error"]["hint"], "name it with --node URL, or --node 1 for the first");
    assert_eq!(two.counts(), [10, 20]);
    // The snapshot of the first node, on the second.
    let restored = two.json(0, &["restore", name, "0.snapshot", "--overwrite", "--node", "2"]);
    assert_eq!((&restored["points_before"], &restored["points"]), (&json!(20), &json!(10)));
    assert_eq!(two.counts(), [10, 10]);

    two.json(0, &["delete", name, &made[1].1, "--node", "2", "--yes"]);
    assert_eq!(two.snapshots(&["list"]), made[..1]);
    let unknown = two.json(2, &["list", "--node", "3"]);
    assert!(unknown["error"]["hint"].as_str().is_some_and(|hint| hint.starts_with("choose from 1 (http")), "{unknown}");
}

#[test]
fn a_node_that_is_away_fails_what_has_to_be_done_on_all() {
    let mut two = Two::new();
    let [first, second] = two.servers;
    let url = second.url.clone();
    drop(second);
    let run = two.project.run(&["qdrant", "snapshot", "create", "-t", "both"]);
    assert!(run.code == 1 && run.stderr.contains(url.trim_start_matches("http://")), "{run}");
    two.servers = [first, start_qdrant()];
    let none = two.project.json(0, &["qdrant", "snapshot", "list", "-t", "first"]);
    assert_eq!(none["targets"][0]["snapshots"], json!([]), "nothing was made on the one that is there");
}
