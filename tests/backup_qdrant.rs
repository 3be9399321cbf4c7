//! Collections in backup sets, end to end. The server is the test's own: a backup takes all that is there.

use dbops_testbed::Qdrant as TestServer;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, CreateAliasBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance,
    FieldType, PointStruct, UpsertPointsBuilder, VectorParamsBuilder,
};
use serde_json::{Value, json};

use crate::project::{Project, execute};

struct Stack {
    project: Project,
    server: TestServer,
    client: Qdrant,
    runtime: tokio::runtime::Runtime,
}

impl Stack {
    /// The database `app` and the Qdrant server `search` with two collections, one of them behind an alias.
    fn new() -> Self {
        let url = dbops_testbed::create_database("with_qdrant");
        execute(&url, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
        let project = Project::empty().env("APP_URL", &url.reveal());
        let server = dbops_testbed::start_qdrant();
        project.write(
            "dbops.yaml",
            &format!(
                "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${{APP_URL}}\n  search:\n    kind: qdrant\n    \
                 url: {}\n    grpc_port: {}\nbackup:\n  repository: backups\n",
                server.url, server.grpc_port
            ),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let url = format!("http://127.0.0.1:{}", server.grpc_port);
        let client =
            runtime.block_on(async { Qdrant::from_url(&url).skip_compatibility_check().build() }).expect("a client");
        let stack = Self { project, server, client, runtime };
        stack.collection("chunks_v1", 7);
        stack.collection("ödd & näme", 3);
        stack.runtime.block_on(stack.client.create_alias(CreateAliasBuilder::new("chunks_v1", "chunks"))).expect("new");
        stack
    }

    fn collection(&self, name: &str, points: u64) {
        let vectors = VectorParamsBuilder::new(2, Distance::Cosine);
        let config = CreateCollectionBuilder::new(name).vectors_config(vectors);
        self.runtime.block_on(self.client.create_collection(config)).expect("a collection");
        let index = CreateFieldIndexCollectionBuilder::new(name, "n", FieldType::Integer).wait(true);
        self.runtime.block_on(self.client.create_field_index(index)).expect("an index");
        self.fill(name, 0..points);
    }

    fn fill(&self, name: &str, ids: std::ops::Range<u64>) {
        let points = ids.map(|id| {
            let mut payload = qdrant_client::Payload::new();
            payload.insert("n", id as i64);
            PointStruct::new(id, vec![id as f32, 1.0], payload)
        });
        let upsert = UpsertPointsBuilder::new(name, points.collect::<Vec<_>>()).wait(true);
        self.runtime.block_on(self.client.upsert_points(upsert)).expect("points");
    }

    fn points(&self, name: &str) -> u64 {
        let count = self.runtime.block_on(self.client.count(CountPointsBuilder::new(name).exact(true)));
        count.expect("it is there").result.expect("a count").count
    }

    fn back_up(&self, arguments: &[&str]) -> String {
        let made = self.project.json(0, &[&["backup"], arguments].concat());
        made["id"].as_str().expect("an id").to_owned()
    }
}

#[test]
fn one_set_holds_the_database_and_the_collections() {
    let stack = Stack::new();
    let (project, id) = (&stack.project, stack.back_up(&[]));
    let listed = project.json(0, &["backup", "list"]);
    assert_eq!(listed["backups"][0]["targets"], json!(["app", "search"]));
    let shown = project.json(0, &["backup", "show", &id]);
    let search = &shown["targets"][1];
    assert_eq!(search["collections"][0]["name"], "chunks_v1");
    assert_eq!(search["collections"][0]["aliases"], json!(["chunks"]));
    assert_eq!(search["collections"][0]["points"], json!([7, 7]));
    assert_eq!(search["collections"][1]["payload_indexes"], json!({"n": "integer"}));
    assert_eq!(search["files"].as_array().map(Vec::len), Some(2));
    let text = project.ok(&["backup", "show", &id]).stdout;
    assert!(text.contains("search") && text.contains("chunks_v1: 7 points, alias chunks"), "{text}");
    project.ok(&["backup", "verify", &id]);
    let snapshots = stack.runtime.block_on(stack.client.list_snapshots("chunks_v1")).expect("it answers");
    assert!(snapshots.snapshot_descriptions.is_empty(), "none is left on the server");

    for collection in ["chunks_v1", "ödd & näme"] {
        stack.runtime.block_on(stack.client.delete_collection(collection)).expect("it is there");
    }
    let restored = project.json(0, &["restore", &id, "search"]);
    let alias = json!([{"name": "chunks", "from": null}]);
    assert_eq!(
        restored["targets"][0]["collections"],
        json!([
            {"collection": "chunks_v1", "name": "chunks_v1", "points": 7, "aliases": alias},
            {"collection": "ödd & näme", "name": "ödd & näme", "points": 3, "aliases": []},
        ])
    );
    assert_eq!((stack.points("chunks"), stack.points("ödd & näme")), (7, 3));
}

/// Arguments of a restore into a server that holds points, its exit code, and what is said.
#[test]
fn live_collections_are_safe() {
    let stack = Stack::new();
    let (project, id) = (&stack.project, stack.back_up(&["search"]));
    stack.fill("chunks_v1", 7..9);
    let cases: [(&[&str], i32, &str); 9] = [
        (&["search"], 4, "the collection `chunks_v1` holds 9 points"),
        (&["search", "--swap"], 4, "no alias leads to the collection `ödd & näme`"),
        (&["search", "--swap", "--overwrite"], 2, "cannot be used with"),
        (&["search", "--collection", "other"], 2, "does not hold the collection `other`, only chunks_v1, ödd & näme"),
        (&["search", "--into", "x"], 2, "`x` is one name, and the backup holds the collections"),
        (&["search", "--collection", "chunks_v1", "--into", "chunks"], 4, "`chunks` is an alias of the collection"),
        (&["app", "--collection", "x"], 2, "`app` is a database: --collection is for Qdrant targets"),
        (&["search", "--table", "x"], 2, "`search` is a Qdrant server: --table, --role and the like are for databases"),
        (&[], 4, "the collection `chunks_v1` holds 9 points"),
    ];
    for (arguments, code, message) in cases {
        let run = project.run(&[&["restore", id.as_str()], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?}: {run}");
        assert!(run.stderr.contains(message), "{arguments:?}: {run}");
        assert_eq!((stack.points("chunks"), stack.points("ödd & näme")), (9, 3), "{arguments:?}");
    }
    let run = project.ok(&["restore", &id, "search", "--collection", "chunks_v1", "--swap"]);
    let told = "alias chunks leads here now; chunks_v1, where it led, is still there";
    assert!(run.stdout.contains(told), "{run}");
    assert_eq!((stack.points("chunks"), stack.points("chunks_v1")), (7, 9));
    let run = project.ok(&["restore", "--undo-swap", "search"]);
    assert!(run.stdout.contains("chunks: leads to chunks_v1 again; chunks_v1_"), "{run}");
    assert_eq!(stack.points("chunks"), 9);
    let run = project.run(&["restore", "--undo-swap", "search"]);
    assert!(run.code == 1 && run.stderr.contains("no alias leads to a collection that was restored"), "{run}");

    project.ok(&["restore", &id, "search", "--collection", "ödd & näme", "--into", "copy"]);
    stack.fill("ödd & näme", 3..5);
    project.ok(&["restore", &id, "search", "--collection", "ödd & näme", "--overwrite"]);
    assert_eq!((stack.points("copy"), stack.points("ödd & näme")), (3, 3));
}

#[test]
fn a_damaged_snapshot_is_found_and_never_restored() {
    let stack = Stack::new();
    let (project, id) = (&stack.project, stack.back_up(&["search"]));
    let file = project.path(format!("backups/{id}/search.1.snapshot"));
    let mut bytes = std::fs::read(&file).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("a file");
    let run = project.run(&["backup", "verify", &id]);
    assert!(run.code == 3 && run.stdout.contains("search.1.snapshot has the SHA-256"), "{run}");
    let run = project.run(&["restore", &id, "search", "--collection", "chunks_v1", "--into", "copy"]);
    assert!(run.code == 1 && run.stderr.contains("is damaged: search.1.snapshot"), "{run}");
    let copy = stack.runtime.block_on(stack.client.collection_exists("copy")).expect("it answers");
    assert!(!copy, "nothing was made");
}

/// With a passphrase nothing in the repository tells of the collections, and they come back all the same.
#[test]
fn encrypted_collections_come_back() {
    let mut stack = Stack::new();
    stack.project = stack.project.env("DBOPS_BACKUP_PASSPHRASE", "a passphrase of some length");
    let id = stack.back_up(&["search"]);
    let mut names: Vec<_> = files(&stack.project.path(format!("backups/{id}"))).into_keys().collect();
    names.retain(|name| name != "verify.json");
    assert_eq!(names, ["1.age", "2.age", "manifest.json.age"]);
    for (name, bytes) in files(&stack.project.path(format!("backups/{id}"))) {
        let text = String::from_utf8_lossy(&bytes);
        let told = ["chunks", "search", "snapshot.json", "collection.json"].into_iter().find(|it| text.contains(it));
        assert_eq!(told, None, "{name}");
    }
    stack.project.ok(&["restore", &id, "search", "--collection", "chunks_v1", "--into", "copy"]);
    assert_eq!(stack.points("copy"), 7);
}

fn files(folder: &std::path::Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).expect("a file")))
        .collect()
}

/// Killed at various moments: no set is listed that is not whole, and the next backup is made.
#[test]
fn kills_leave_no_set_that_is_not_whole() {
    let stack = Stack::new();
    for wait in [20, 60, 120, 200] {
        let mut child = stack.project.command(&["backup", "search"]).spawn().expect("it starts");
        std::thread::sleep(std::time::Duration::from_millis(wait));
        child.kill().expect("it runs, or has ended");
        child.wait().expect("it ended");
    }
    let id = stack.back_up(&["search"]);
    let listed: Value = stack.project.json(0, &["backup", "list"]);
    let complete = listed["backups"].as_array().expect("a list").iter().all(|backup| backup["complete"] == true);
    assert!(complete && listed["backups"][0]["id"] == id.as_str(), "{listed}");
}

#[test]
fn a_server_that_is_down_fails_the_backup_at_once() {
    let stack = Stack::new();
    drop(stack.server);
    let run = stack.project.run(&["backup"]);
    assert!(run.code == 1 && run.stderr.contains("cannot reach Qdrant at 127.0.0.1:"), "{run}");
    assert_eq!(stack.project.json(0, &["backup", "list"])["backups"], json!([]));
}
