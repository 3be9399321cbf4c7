//! Declared collections against a real Qdrant server, which other tests use too: only what these tests made counts.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use dbops_qdrant::{Id, Point, PointVector, Server, ServerOptions};
use dbops_testbed::unique;
use serde_json::{Value, json};

use crate::project::Project;

/// A project with the target `search`, which declares `collections`.
pub(crate) fn project(collections: &str) -> Project {
    let qdrant = dbops_testbed::qdrant();
    let project = Project::empty().env("SEARCH_URL", &qdrant.url);
    project.write(
        "dbops.yaml",
        &format!(
            "version: 1\ntargets:\n  search:\n    kind: qdrant\n    url: ${{SEARCH_URL}}\n    grpc_port: {}\n    \
             collections: qdrant/collections.yaml\n",
            qdrant.grpc_port
        ),
    );
    declare(&project, collections);
    project
}

/// Works on the server as an application would.
pub(crate) fn on_server<T>(work: impl AsyncFnOnce(&Server) -> Result<T, dbops_qdrant::Error>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let qdrant = dbops_testbed::qdrant();
        let options = ServerOptions {
            url: qdrant.url.clone(),
            grpc_port: qdrant.grpc_port,
            api_key: None,
            timeout: Duration::from_secs(60),
        };
        work(&Server::new(&options).expect("a server")).await.expect("it answers")
    })
}

/// Writes so many points to a collection with one vector of `size` numbers.
pub(crate) fn fill(collection: &str, count: u16, size: usize) {
    let point = |number: u16| Point {
        id: Id::Number(number.into()),
        vectors: [(String::new(), PointVector::Dense(vec![f32::from(number) + 1.0; size]))].into(),
        payload: serde_json::Map::from_iter([("number".to_owned(), json!(number))]),
    };
    on_server(async |server| server.write(collection, (0..count).map(point).collect()).await);
}

fn declare(project: &Project, collections: &str) {
    project.write("qdrant/collections.yaml", &format!("version: 1\ncollections:\n{collections}"));
}

fn collection(name: &str, size: u32, m: u32) -> String {
    format!(
        "  {name}:\n    alias: {name}_alias\n    vectors: {{ size: {size}, distance: Cosine }}\n    hnsw: {{ m: {m} }}\n    \
         payload_indexes:\n      metadata.source: {{ type: keyword }}\n      metadata.page: {{ type: integer }}\n"
    )
}

fn changes(project: &Project) -> Vec<Value> {
    let plan = project.json(0, &["qdrant", "plan"]);
    plan["targets"][0]["changes"].as_array().cloned().expect("a list")
}

#[test]
fn what_is_declared_is_planned_applied_and_shown() {
    let name = unique("chunks");
    let project = project(&collection(&name, 4, 8));
    let change = |change: &str, of: Value, to: &str| json!({"collection": name, "change": change, "name": of, "kind": "in_place", "from": null, "to": to});
    let expected = [
        change("collection", json!(null), "4 Cosine"),
        change("payload_index", json!("metadata.page"), "integer"),
        change("payload_index", json!("metadata.source"), "keyword"),
        change("alias", json!(format!("{name}_alias")), &name),
    ];
    assert_eq!(changes(&project), expected);
    assert_eq!(project.run(&["qdrant", "plan", "--check"]).code, 3);
    let plan = project.ok(&["qdrant", "plan"]);
    assert!(plan.stdout.starts_with(&format!("search: 4 changes\n  {name}\n    + collection")), "{plan}");

    let applied = project.json(0, &["qdrant", "apply", "-t", "search"]);
    assert_eq!(applied, json!({"targets": [{"name": "search", "applied": expected}]}));
    assert_eq!(changes(&project), Vec::<Value>::new());
    let plan = project.ok(&["qdrant", "plan", "--check"]);
    assert!(plan.stdout.starts_with("search: nothing to do\n"), "{plan}");
    let again = project.ok(&["qdrant", "apply"]);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", "search: nothing to do\n"));

    let status = project.json(0, &["qdrant", "status"]);
    let target = &status["targets"][0];
    assert!(target["version"].as_str().is_some_and(|version| version.starts_with("1.")), "{status}");
    assert!(target.get("cluster").is_some(), "{status}");
    // The engine alone takes some megabytes.
    assert!(target["memory"]["resident_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{status}");
    assert_eq!(target["issues"], json!([]));
    let found = target["collections"].as_array().expect("a list").iter().find(|found| found["name"] == name.as_str());
    let expected = json!({
        "name": name, "state": "green", "points": 0, "indexed_vectors": 0, "segments": found.expect("it is there")["segments"],
        "shards": 1, "replication_factor": 1, "strict_mode": false, "replicas": [], "dead_replicas": [],
        "aliases": [format!("{name}_alias")], "optimizer_error": null,
    });
    assert_eq!(found, Some(&expected));
    let shown = project.ok(&["qdrant", "status"]).stdout;
    assert!(shown.contains("COLLECTION") && shown.contains(&format!("{name}_alias")), "{shown}");
    assert!(shown.contains(" of memory\n"), "{shown}");
}

#[test]
fn status_tells_what_few_collections_have() {
    let (plain, spread) = (unique("plain"), unique("spread"));
    let vectors = "vectors: { size: 4, distance: Dot }";
    let project = project(&format!(
        "  {plain}: {{ {vectors} }}\n  {spread}:\n    {vectors}\n    shard_number: 2\n    replication_factor: 3\n"
    ));
    project.ok(&["qdrant", "apply"]);
    let status = project.json(0, &["qdrant", "status"]);
    let collections = status["targets"][0]["collections"].as_array().expect("a list");
    let of = |name: &str| {
        collections.iter().find(|one| one["name"] == name).map(|one| (&one["shards"], &one["replication_factor"]))
    };
    assert_eq!((of(&plain), of(&spread)), (Some((&json!(1), &json!(1))), Some((&json!(2), &json!(3)))));
    let shown = project.ok(&["qdrant", "status"]).stdout;
    let said: Vec<_> = shown.lines().filter(|line| line.contains(": ")).collect();
    assert!(said.contains(&format!("{spread}: 2 shards, replication factor 3").as_str()), "{shown}");
    assert!(!said.iter().any(|line| line.starts_with(&plain)), "{shown}");
    // Words about states stand there for the states that are shown, and for no others.
    for state in ["yellow", "grey", "red"] {
        let is_shown = collections.iter().any(|one| one["state"] == state);
        assert_eq!(said.iter().any(|line| line.starts_with(&format!("{state}: "))), is_shown, "{shown}");
    }
}

#[test]
fn what_needs_a_rebuild_is_refused() {
    let name = unique("rebuilt");
    let project = project(&collection(&name, 4, 8));
    project.ok(&["qdrant", "apply"]);
    declare(&project, &collection(&name, 5, 16));
    let planned = changes(&project);
    let kinds: Vec<_> = planned.iter().map(|change| (&change["change"], &change["kind"])).collect();
    assert_eq!(kinds, [(&json!("vector.size"), &json!("needs_rebuild")), (&json!("hnsw.m"), &json!("in_place"))]);

    let run = project.run(&["qdrant", "apply"]);
    assert_eq!(run.code, 4, "{run}");
    let message = format!(
        "error: cannot apply the collections of search\n  vector.size of {name} (4 -> 5) cannot be changed in place\n\
         hint: `dbops qdrant apply --rebuild` writes the points to a new collection"
    );
    assert!(run.stderr.starts_with(&message), "{run}");
    assert_eq!(project.json(4, &["qdrant", "apply"])["error"]["kind"], "refused");
    assert_eq!(changes(&project), planned, "nothing was changed");

    let run = project.ok(&["qdrant", "apply", "--in-place"]);
    assert!(run.stderr.contains(&format!("{name}: ~ hnsw.m  8 -> 16\n")), "{run}");
    assert!(run.stderr.contains("1 of the differences cannot be removed in place"), "{run}");
    assert_eq!(changes(&project), [planned[0].clone()]);
}

#[test]
fn what_is_not_declared_is_left_alone() {
    let (kept, other) = (unique("kept"), unique("other"));
    let project = project(&format!("{}{}", collection(&kept, 4, 8), collection(&other, 4, 8)));
    project.ok(&["qdrant", "apply"]);
    declare(&project, &format!("  {kept}: {{ vectors: {{ size: 4, distance: Cosine }} }}\n"));
    assert_eq!(project.json(0, &["qdrant", "apply"])["targets"][0]["applied"], json!([]));
    let plan = project.json(0, &["qdrant", "plan"]);
    let undeclared = plan["targets"][0]["undeclared"].as_array().expect("a list");
    for expected in [
        json!({"kind": "collection", "collection": other, "name": null}),
        json!({"kind": "payload_index", "collection": kept, "name": "metadata.source"}),
        json!({"kind": "alias", "collection": kept, "name": format!("{kept}_alias")}),
    ] {
        assert!(undeclared.contains(&expected), "{expected} in {undeclared:?}");
    }
}

/// A declaration with everything that the development server holds.
fn everything(name: &str) -> String {
    format!(
        "  {name}:
    vectors:
      text: {{ size: 4, distance: Cosine, on_disk: true, hnsw: {{ m: 32 }} }}
      pages: {{ size: 3, distance: Dot, datatype: float16, multivector: {{ comparator: max_sim }} }}
    sparse_vectors:
      words: {{ modifier: idf, index: {{ on_disk: true }} }}
    shard_number: 1
    write_consistency_factor: 1
    read_fan_out_factor: 2
    quantization: {{ scalar: {{ quantile: 0.99, always_ram: true }} }}
    optimizers: {{ indexing_threshold: 20000, deleted_threshold: 0.3 }}
    wal: {{ wal_capacity_mb: 2 }}
    strict_mode: {{ enabled: false, max_query_limit: 100, multivector_config: {{ pages: {{ max_vectors: 9 }} }} }}
    payload_indexes:
      tenant: {{ type: keyword, is_tenant: true }}
      page: {{ type: integer, lookup: false, on_disk: true }}
      text: {{ type: text, tokenizer: whitespace, min_token_len: 2, phrase_matching: true, stemmer: german,
        stopwords: {{ languages: [german, english], custom: [bzw] }} }}
      'offers[].price': {{ type: float }}
"
    )
}

#[test]
fn everything_declared_is_applied_and_changed() {
    let name = unique("everything");
    let project = project(&everything(&name));
    let plan = project.ok(&["qdrant", "plan"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for shown in [
        "+ collection pages: 3 Dot, several per point, text: 4 Cosine, words: sparse idf +",
        "+ payload index tenant keyword {is_tenant: true} +",
    ] {
        assert!(plan.contains(shown), "{plan}");
    }
    project.ok(&["qdrant", "apply"]);
    assert_eq!(changes(&project), Vec::<Value>::new());

    let changed = everything(&name)
        .replace("hnsw: { m: 32 }", "hnsw: { m: 16 }")
        .replace("quantile: 0.99", "quantile: 0.9")
        .replace("wal_capacity_mb: 2", "wal_capacity_mb: 4")
        .replace("max_query_limit: 100", "max_query_limit: 50")
        .replace("is_tenant: true", "is_tenant: false")
        .replace("max_vectors: 9", "max_vectors: 8")
        .replace("custom: [bzw]", "custom: []")
        .replace("sparse_vectors:\n", "sparse_vectors:\n      more: {}\n")
        .replace("    vectors:\n", "    vectors:\n      new: { size: 2, distance: Euclid, hnsw: { m: 8 } }\n");
    declare(&project, &changed);
    let shown: Vec<_> = changes(&project)
        .iter()
        .map(|change| {
            let word = |key: &str| change[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}: {} > {}", word("kind"), word("change"), word("name"), word("from"), word("to"))
        })
        .collect();
    let rebuild = "needs_rebuild wal.wal_capacity_mb -: 2 > 4";
    let expected = [
        "in_place vector new: - > 2 Euclid",
        "in_place vector.hnsw.m text: 32 > 16",
        "in_place sparse_vector more: - > sparse",
        "in_place quantization.scalar.quantile -: 0.99 > 0.9",
        rebuild,
        "in_place strict_mode.max_query_limit -: 100 > 50",
        "in_place strict_mode.multivector_config -: {pages: 9} > {pages: 8}",
        "in_place payload_index tenant: keyword {is_tenant: true} > keyword {is_tenant: false}",
        "in_place payload_index text: text {tokenizer: whitespace, min_token_len: 2, phrase_matching: true, \
         stopwords.languages: [english, german], stopwords.custom: [bzw], stemmer: german} > text {tokenizer: whitespace, \
         min_token_len: 2, phrase_matching: true, stopwords.languages: [english, german], stopwords.custom: [], stemmer: german}",
    ];
    assert_eq!(shown, expected);
    let refused = project.run(&["qdrant", "apply"]);
    assert_eq!(refused.code, 4, "{refused}");
    assert!(refused.stderr.contains(&format!("wal.wal_capacity_mb of {name} (2 -> 4) cannot be changed")), "{refused}");
    project.ok(&["qdrant", "apply", "--in-place"]);
    let left = changes(&project);
    assert_eq!((left.len(), &left[0]["change"]), (1, &json!("wal.wal_capacity_mb")));
}

/// Strict mode would refuse requests; a server that only noted it would not.
#[test]
fn what_a_server_cannot_do_is_told_and_not_passed_over() {
    let name = unique("strict");
    let project = project(&format!(
        "  {name}:\n    vectors: {{ size: 4, distance: Dot }}\n    strict_mode: {{ enabled: true, max_query_limit: 7 }}\n"
    ));
    let run = project.run(&["qdrant", "apply"]);
    if run.code == 0 {
        // A server of Qdrant's own.
        assert_eq!(changes(&project), Vec::<Value>::new());
        return;
    }
    assert_eq!(run.code, 1, "{run}");
    let said = format!("cannot create the collection {name}: not implemented by the embedded server: strict mode\n");
    assert!(run.stderr.ends_with(&said), "{run}");
    assert_eq!(changes(&project).len(), 1, "nothing is there");
}

/// A declaration, and what is said about it.
#[test]
fn mistakes_in_the_file_are_named_with_their_place() {
    let cases = [
        (
            "  a: { vectors: { sise: 4 } }\n",
            "collections.yaml:3:19: a vector has no key `sise`",
            "did you mean `size`?",
        ),
        (
            "  a: { vektors: {} }\n",
            "collections.yaml:3:8: a collection has no key `vektors`",
            "did you mean `vectors`?",
        ),
        (
            "  a: { vectors: { size: 4, distance: Kosine } }\n",
            "collections.yaml:3:28: the distance `Kosine` is not known",
            "did you mean `Cosine`?",
        ),
        (
            "  a:\n    vectors: { size: 4, distance: Dot }\n    optimizers:\n      indexing_treshold: 5\n",
            "collections.yaml:6:7: `optimizers` has no key `indexing_treshold`",
            "did you mean `indexing_threshold`?",
        ),
    ];
    for (text, message, hint) in cases {
        let run = project(text).run(&["qdrant", "plan"]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}{run}");
        assert!(run.stderr.starts_with(&format!("error: PROJECT/qdrant/{message}")), "{text}{run}");
        assert!(run.stderr.ends_with(&format!("\nhint: {hint}\n")), "{text}{run}");
    }
}

#[test]
fn targets_are_chosen_and_their_faults_told() {
    let project = Project::empty();
    project.write("dbops.yaml", "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: postgresql://h/d\n");
    let none = project.run(&["qdrant", "status"]);
    assert_eq!(none.code, 2, "{none}");
    assert!(none.stderr.starts_with("error: there is no Qdrant target in PROJECT/dbops.yaml\nhint: "), "{none}");
    let wrong = project.run(&["qdrant", "status", "-t", "app"]);
    assert_eq!((wrong.code, wrong.stderr.as_str()), (2, "error: target `app` is not a Qdrant server\n"));

    let bare = "version: 1\ntargets:\n  q:\n    kind: qdrant\n    url: http://127.0.0.1:1\n    grpc_port: 1\n";
    project.write("dbops.yaml", bare);
    let missing = project.run(&["qdrant", "plan", "-t", "q"]);
    assert_eq!(missing.code, 2, "{missing}");
    assert!(missing.stderr.contains("hint: add `collections: qdrant/collections.yaml`"), "{missing}");
    assert_eq!(project.ok(&["qdrant", "apply"]).stdout, "");

    project.write("dbops.yaml", &format!("{bare}    collections: none.yaml\n"));
    let missing = project.run(&["qdrant", "apply"]);
    assert_eq!(missing.code, 2, "{missing}");
    assert!(missing.stderr.starts_with("error: PROJECT/none.yaml: cannot be read: No such file"), "{missing}");
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let project = Project::empty();
    let qdrant = dbops_testbed::qdrant();
    let http = qdrant.url.rsplit(':').next().expect("a port");
    let configure = |port: &str, key: &str| {
        let target =
            format!("    kind: qdrant\n    url: http://127.0.0.1\n    grpc_port: {port}\n    api_key: '{key}'\n");
        project.write("dbops.yaml", &format!("version: 1\ntargets:\n  q:\n{target}"));
    };
    configure("1", "");
    let run = project.run(&["qdrant", "status"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("cannot reach Qdrant at 127.0.0.1:1: Connection refused"), "{run}");
    assert!(run.stderr.contains("hint: start the server, or correct `url` and `grpc_port`"), "{run}");
    assert_eq!(project.json(1, &["qdrant", "status"])["error"]["kind"], "failed");

    configure(http, "");
    let run = project.run(&["qdrant", "status"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("no gRPC answers at") && run.stderr.contains("hint: `grpc_port`"), "{run}");

    configure("1", "s3cret key");
    let run = project.run(&["qdrant", "status", "-vv"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(!format!("{run}").contains("s3cret"), "{run}");
}

#[test]
fn what_a_killed_run_left_is_finished_by_the_next() {
    let name = unique("killed");
    let indexes: String = (0..20).map(|number| format!("      key{number}: {{ type: keyword }}\n")).collect();
    let project = project(&format!(
        "  {name}:\n    alias: {name}_alias\n    vectors: {{ size: 4, distance: Dot }}\n    payload_indexes:\n{indexes}"
    ));
    let mut child = project.command(&["qdrant", "apply"]).spawn().expect("dbops starts");
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    assert!(stderr.lines().nth(3).is_some_and(|line| line.is_ok_and(|line| line.contains("payload index"))));
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    // The server may still be at what it was asked for last.
    std::thread::sleep(Duration::from_millis(300));
    project.ok(&["qdrant", "apply"]);
    assert_eq!(changes(&project), Vec::<Value>::new());
}
