//! `dbops status`: what it says of servers that are well, that need a look, and that are down.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use dbops_testbed::{create_database, start_qdrant};
use serde_json::{Value, json};

use crate::project::{Project, execute};

fn target<'a>(document: &'a Value, name: &str) -> &'a Value {
    let targets = document["targets"].as_array().expect("targets");
    targets.iter().find(|target| target["name"] == name).unwrap_or_else(|| panic!("{name}: {document}"))
}

#[test]
fn tells_revisions_size_backups_and_health_as_they_come() {
    let url = create_database("status");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.revision("bbbb2222", "aaaa1111", "CREATE TABLE b (id int);", "DROP TABLE b;");

    let document = project.json(3, &["status"]);
    let app = target(&document, "app");
    assert_eq!((&document["ok"], &app["ok"], &app["kind"]), (&json!(false), &json!(false), &json!("postgres")));
    assert_eq!(app["database"]["migrations"]["pending"], json!(["aaaa1111", "bbbb2222"]), "{document}");
    assert_eq!((&app["last_backup"], &app["unreachable"], &app["search"]), (&json!(null), &json!(null), &json!(null)));
    assert_eq!(
        (&app["health"]["status"], &app["health"]["remedy"]),
        (&json!("warning"), &json!("dbops migrate -t app"))
    );

    project.ok(&["migrate", "upgrade", "heads"]);
    let id = project.json(0, &["backup"])["id"].clone();
    let document = project.json(0, &["status", "app"]);
    let app = target(&document, "app");
    assert_eq!((&document["ok"], &app["health"]["status"]), (&json!(true), &json!("ok")), "{document}");
    let (database, backup) = (&app["database"], &app["last_backup"]);
    assert_eq!(database["migrations"]["current"], json!(["bbbb2222"]));
    assert_eq!(database["database"], json!(url.database()));
    assert!(database["bytes"].as_i64() > Some(1_000_000) && database["connections"].as_i64() >= Some(1), "{document}");
    assert_eq!((&backup["id"], &backup["verified"], &backup["damaged"]), (&id, &json!(null), &json!(false)));
    assert!(backup["age_s"].as_i64().is_some_and(|age| (0..600).contains(&age)), "{document}");

    project.ok(&["backup", "verify"]);
    let run = project.ok(&["status"]);
    for words in ["bbbb2222, up to date", " connections", ", verified (", "health    ok", "ok: 1 targets"] {
        assert!(run.stdout.contains(words), "{words}: {run}");
    }

    // A file that changed, and one that is gone.
    let file = "versions/20261122T210501Z_aaaa1111_add_aaaa1111.sql";
    let text = std::fs::read_to_string(project.path(file)).expect("a file");
    project.write(file, &text.replace("a (id int)", "a (id bigint)"));
    let run = project.run(&["status"]);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stdout.contains("bbbb2222, 1 changed after it was applied"), "{run}");
    assert!(run.stdout.contains("1 of 1 targets needs a look"), "{run}");
}

#[test]
fn schemas_are_compared_when_that_is_asked_for() {
    let url = create_database("status");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    project.ok(&["migrate", "upgrade", "heads"]);
    assert_eq!(project.json(0, &["status"])["targets"][0]["database"]["schema"], json!(null));
    assert_eq!(project.json(0, &["status", "--drift"])["targets"][0]["database"]["schema"], "equal");
    execute(&url, "CREATE TABLE by_hand (id int)");
    let document = project.json(3, &["status", "--drift"]);
    assert_eq!(document["targets"][0]["database"]["schema"], "live", "{document}");
    let run = project.run(&["status", "--drift"]);
    assert!(run.stdout.contains("schema differs (live)"), "{run}");
}

#[test]
fn collections_are_told_with_points_aliases_and_plan() {
    let server = start_qdrant();
    let project = Project::empty();
    let config = format!(
        "version: 1\ntargets:\n  search:\n    kind: qdrant\n    url: {}\n    grpc_port: {}\n    collections: \
         collections.yaml\nbackup:\n  repository: backups\n",
        server.url, server.grpc_port
    );
    project.write("dbops.yaml", &config);
    project.write(
        "collections.yaml",
        "version: 1\ncollections:\n  docs_v1:\n    alias: docs\n    vectors: { size: 4, distance: Cosine }\n",
    );
    let document = project.json(3, &["status"]);
    assert!(target(&document, "search")["search"]["changes"].as_u64() > Some(0), "{document}");
    project.ok(&["qdrant", "apply"]);
    let document = project.json(0, &["status"]);
    let expected = json!([{"name": "docs_v1", "state": "green", "points": 0, "aliases": ["docs"], "declared": true}]);
    let search = &target(&document, "search")["search"];
    assert_eq!((&search["collections"], &search["changes"]), (&expected, &json!(0)), "{document}");
    let run = project.ok(&["status"]);
    assert!(run.stdout.contains("docs → docs_v1 0 (green)") && run.stdout.contains("collections as declared"), "{run}");

    // Beside seven that nobody declared.
    let others: String =
        (1..=7).map(|number| format!("  other_{number}:\n    vectors: {{ size: 4, distance: Cosine }}\n")).collect();
    let declared = std::fs::read_to_string(project.path("collections.yaml")).expect("a file");
    project.write("collections.yaml", &format!("{declared}{others}"));
    project.ok(&["qdrant", "apply"]);
    project.write("collections.yaml", &declared);
    let run = project.ok(&["status"]);
    assert!(run.stdout.contains("  points    docs → docs_v1 0 (green) and 7 others\n"), "{run}");
    let document = project.json(0, &["status"]);
    let collections = target(&document, "search")["search"]["collections"].as_array().expect("collections");
    let declared: Vec<_> = collections.iter().filter(|it| it["declared"] == true).map(|it| &it["name"]).collect();
    assert_eq!((declared, collections.len()), (vec![&json!("docs_v1")], 8), "{document}");
    project.write("dbops.yaml", &config.replace("    collections: collections.yaml\n", ""));
    let run = project.ok(&["status"]);
    let few = "docs → docs_v1 0 (green), other_1 0 (green), other_2 0 (green), other_3 0 (green), other_4 0 (green) and 3 others\n";
    assert!(run.stdout.contains(few), "{run}");
}

/// One refuses, one says nothing: each has its line, and the others are told all the same.
#[test]
fn what_is_down_has_its_line_and_holds_up_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    // It accepts, by way of the backlog, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = listener.local_addr().expect("an address").port();
    let url = create_database("status");
    let project = Project::empty().env("GOOD_URL", &url.reveal());
    project.write(
        "dbops.yaml",
        &format!(
            "version: 1\ntargets:\n  down:\n    kind: postgres\n    url: postgresql://u:s3cret@127.0.0.1:{closed}/d\n  \
             hangs:\n    kind: postgres\n    url: postgresql://u:s3cret@127.0.0.1:{silent}/d\n  good:\n    kind: \
             postgres\n    url: ${{GOOD_URL}}\n    versions: versions\n  search:\n    kind: qdrant\n    url: \
             http://127.0.0.1:{silent}\n    grpc_port: {silent}\nhealth:\n  skip: [settings, disk_space]\n"
        ),
    );
    std::fs::create_dir(project.path("versions")).expect("a folder");
    let begun = Instant::now();
    // Long enough for the good one on a busy machine.
    let document = project.json(3, &["status", "--timeout", "6"]);
    // Two that hang, one after the other, would take longer.
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    let reason = |name: &str| target(&document, name)["unreachable"].as_str().unwrap_or_default().to_owned();
    assert!(reason("down").contains("refused"), "{document}");
    assert_eq!(reason("hangs"), "no answer within 6 s");
    assert!(reason("search").contains("6 s"), "{document}");
    assert_eq!(target(&document, "good")["ok"], json!(true), "{document}");
    assert_eq!(target(&document, "down")["health"]["remedy"], json!("dbops doctor down"));

    let run = project.run(&["status", "down", "good"]);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stdout.contains("down  unreachable: ") && run.stdout.contains("run `dbops doctor down`"), "{run}");
    assert!(!run.stdout.contains("s3cret") && !document.to_string().contains("s3cret"), "{run}");
}

#[test]
fn a_repository_that_cannot_be_read_is_told_beside_the_rest() {
    let project = Project::with_database(&create_database("status"));
    project.write("backups", "no folder");
    let document = project.json(3, &["status"]);
    assert_eq!(target(&document, "app")["ok"], json!(true), "{document}");
    assert!(document["backups_error"].as_str().is_some_and(|reason| reason.contains("backups")), "{document}");
    let run = project.run(&["status", "nobody"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("there is no target `nobody`"), "{run}");
}
