//! Plans applied to a real server.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use dbops_qdrant::parameter::{Scope, Value, parameters};
use dbops_qdrant::{
    Change, ChangeKind, CollectionSpec, CollectionState, Error, Event, Extent, IndexSpec, IndexType, Plan, Server,
    ServerOptions, Settings, What, plan,
};
use dbops_testbed::unique;
use qdrant_client::Payload;
use qdrant_client::qdrant::{PointStruct, UpsertPointsBuilder};
use tokio::sync::Notify;

fn options() -> ServerOptions {
    let qdrant = dbops_testbed::qdrant();
    ServerOptions {
        url: qdrant.url.clone(),
        grpc_port: qdrant.grpc_port,
        api_key: None,
        timeout: Duration::from_secs(10),
    }
}

fn server() -> Server {
    Server::new(&options()).expect("right options")
}

fn settings(scope: Scope, values: &[(&str, Value)]) -> Settings {
    let mut settings = Settings::default();
    values.iter().for_each(|(path, value)| set(&mut settings, scope, path, value.clone()));
    settings
}

fn set(settings: &mut Settings, scope: Scope, path: &str, value: Value) {
    settings.set(parameters(scope).find(|parameter| parameter.path == path).expect("it is in the table"), value);
}

fn vector(size: u64, distance: &'static str) -> Settings {
    settings(Scope::Vector, &[("size", Value::Integer(size)), ("distance", Value::Word(distance))])
}

fn index(index_type: IndexType) -> IndexSpec {
    IndexSpec { index_type, settings: Settings::default() }
}

fn spec(name: &str) -> CollectionSpec {
    let mut unnamed = vector(4, "Cosine");
    set(&mut unnamed, Scope::Vector, "on_disk", Value::Bool(false));
    let collection = [
        ("on_disk_payload", Value::Bool(true)),
        ("hnsw.m", Value::Integer(8)),
        ("hnsw.ef_construct", Value::Integer(64)),
    ];
    let indexes = IndexType::ALL.into_iter().map(|index_type| (format!("metadata.{index_type}"), index(index_type)));
    CollectionSpec {
        name: unique(name),
        alias: Some(unique("alias")),
        vectors: BTreeMap::from([(String::new(), unnamed)]),
        settings: settings(Scope::Collection, &collection),
        payload_indexes: indexes.collect(),
        ..CollectionSpec::default()
    }
}

async fn plan_now(server: &Server, declared: &[CollectionSpec]) -> Plan {
    let mut plan = plan(declared, &server.live(declared).await.expect("the server answers")).expect("a plan");
    // Other tests' collections are on the server too.
    plan.undeclared.clear();
    plan
}

/// Applies the plan of the moment, and expects that nothing is left to do.
async fn apply(server: &Server, declared: &[CollectionSpec]) -> Vec<String> {
    let plan = plan_now(server, declared).await;
    let mut events = Vec::new();
    let mut on_event = |event: Event<'_>| {
        if let Event::Done(change) = event {
            events.push(change.what.to_string());
        }
    };
    let done = server.apply(declared, &plan, Extent::Whole, &mut on_event).await;
    assert_eq!(done.expect("it can be applied"), plan.changes);
    assert_eq!(plan_now(server, declared).await, Plan::default());
    events
}

#[tokio::test]
async fn what_was_applied_needs_no_change() {
    let server = server();
    let declared = [spec("whole")];
    let events = apply(&server, &declared).await;
    assert_eq!(events.len(), 10, "{events:?}");
    assert_eq!(events[0], "collection");
    assert!(events[9].starts_with("alias "), "{events:?}");
    assert_eq!(apply(&server, &declared).await, Vec::<String>::new());

    let collections = server.collections().await.expect("the server answers");
    let found = collections.iter().find(|found| found.name == declared[0].name).expect("it is there");
    assert_eq!((found.points, &found.aliases), (0, &vec![declared[0].alias.clone().expect("it has one")]));
    assert!(matches!(found.state, CollectionState::Green | CollectionState::Grey), "{found:?}");
    assert_eq!(found.optimizer_error, None);
}

/// Tests run against one node; a server that answered otherwise than is understood would be an error.
#[tokio::test]
async fn a_server_that_stands_alone_has_no_cluster() {
    assert_eq!(server().cluster().await.expect("the server answers"), None);
}

#[tokio::test]
async fn every_change_in_place_is_made() {
    let server = server();
    let mut declared = [spec("change")];
    let named = vector(3, "Dot");
    declared[0].vectors = BTreeMap::from([("text".into(), named.clone()), ("image".into(), named)]);
    apply(&server, &declared).await;

    let changed = &mut declared[0];
    let collection = [
        ("on_disk_payload", Value::Bool(false)),
        ("hnsw.m", Value::Integer(32)),
        ("hnsw.ef_construct", Value::Integer(200)),
    ];
    changed.settings = settings(Scope::Collection, &collection);
    set(changed.vectors.get_mut("text").expect("it is there"), Scope::Vector, "on_disk", Value::Bool(true));
    changed.payload_indexes.insert("metadata.keyword".into(), index(IndexType::Text));
    changed.payload_indexes.insert("metadata.new".into(), index(IndexType::Datetime));
    let expected = [
        "vector.on_disk text",
        "on_disk_payload",
        "hnsw.m",
        "hnsw.ef_construct",
        "payload index metadata.keyword",
        "payload index metadata.new",
    ];
    assert_eq!(apply(&server, &declared).await, expected);
}

#[tokio::test]
async fn aliases_move_together() {
    let server = server();
    let mut declared = [spec("left"), spec("right")];
    apply(&server, &declared).await;
    let [left, right] = &mut declared;
    std::mem::swap(&mut left.alias, &mut right.alias);
    let events = apply(&server, &declared).await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.iter().all(|event| event.starts_with("alias ")), "{events:?}");
}

#[tokio::test]
async fn an_alias_leaves_points_only_for_points() {
    let server = server();
    let mut declared = [spec("blue")];
    apply(&server, &declared).await;
    insert_point(&declared[0].name).await;

    let alias = declared[0].alias.clone();
    declared[0] = CollectionSpec { alias, ..spec("green") };
    let plan = plan_now(&server, &declared).await;
    let error = server.apply(&declared, &plan, Extent::Whole, &mut |_| ()).await.expect_err("it is empty");
    assert!(error.to_string().starts_with("alias ") && error.to_string().contains("(blue_"), "{error}");
    server.apply(&declared, &plan, Extent::InPlace, &mut |_| ()).await.expect("the collection can be made");
    let kinds = |plan: Plan| plan.changes.iter().map(|change| change.kind).collect::<Vec<_>>();
    assert_eq!(kinds(plan_now(&server, &declared).await), [ChangeKind::NeedsRebuild]);

    insert_point(&declared[0].name).await;
    assert_eq!(apply(&server, &declared).await.len(), 1);
}

async fn insert_point(collection: &str) {
    let uri = format!("http://127.0.0.1:{}", dbops_testbed::qdrant().grpc_port);
    let client = qdrant_client::Qdrant::from_url(&uri).skip_compatibility_check().build().expect("a client");
    let point = PointStruct::new(1, vec![0.5, 0.5, 0.5, 0.5], Payload::new());
    client.upsert_points(UpsertPointsBuilder::new(collection, vec![point]).wait(true)).await.expect("a point");
}

#[tokio::test]
async fn what_needs_a_rebuild_is_refused_before_anything_is_done() {
    let server = server();
    let mut declared = [spec("rebuild")];
    apply(&server, &declared).await;
    set(&mut declared[0].settings, Scope::Collection, "hnsw.m", Value::Integer(32));
    set(declared[0].vectors.get_mut("").expect("it is there"), Scope::Vector, "size", Value::Integer(5));
    let plan = plan_now(&server, &declared).await;
    let error = server.apply(&declared, &plan, Extent::Whole, &mut |_| ()).await.expect_err("the size differs");
    assert!(matches!(error, Error::NotInPlace { .. }), "{error:?}");
    assert_eq!(plan_now(&server, &declared).await, plan);

    let done = server.apply(&declared, &plan, Extent::InPlace, &mut |_| ()).await.expect("the rest can be done");
    assert_eq!(done.iter().map(|change| &change.what).collect::<Vec<_>>(), [&What::Parameter("hnsw.m")]);
    let left = plan_now(&server, &declared).await.changes;
    assert_eq!(left.iter().map(|change| change.kind).collect::<Vec<_>>(), [ChangeKind::NeedsRebuild]);
}

#[tokio::test]
async fn a_plan_made_against_another_state_is_refused() {
    let server = server();
    let declared = [spec("stale")];
    let plan = plan_now(&server, &declared).await;
    apply(&server, &declared).await;
    let error = server.apply(&declared, &plan, Extent::Whole, &mut |_| ()).await.expect_err("the server changed");
    assert!(matches!(error, Error::Changed), "{error:?}");
}

/// Both plan the same, and one comes first.
#[tokio::test]
async fn two_at_once_leave_nothing_half_done() {
    let server = server();
    let declared = [spec("both")];
    let plan = plan_now(&server, &declared).await;
    let (mut left, mut right) = (|_: Event<'_>| (), |_: Event<'_>| ());
    let (left, right) = tokio::join!(
        server.apply(&declared, &plan, Extent::Whole, &mut left),
        server.apply(&declared, &plan, Extent::Whole, &mut right),
    );
    let (failures, done): (Vec<_>, Vec<_>) = [left, right].into_iter().partition(Result::is_err);
    assert_eq!(done.len(), 1);
    assert!(matches!(failures[0], Err(Error::Changed)), "{failures:?}");
    assert_eq!(plan_now(&server, &declared).await, Plan::default());
}

/// Breaks off in the middle of a call, at various points.
#[tokio::test]
async fn what_was_broken_off_is_finished_by_the_next() {
    let server = server();
    for stop in [1, 2, 5, 17] {
        let declared = [spec("broken")];
        let plan = plan_now(&server, &declared).await;
        let (mut events, stopped) = (0, Notify::new());
        let mut on_event = |_: Event<'_>| {
            events += 1;
            if events == stop {
                stopped.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = stopped.notified() => {}
            _ = server.apply(&declared, &plan, Extent::Whole, &mut on_event) => panic!("it was not broken off"),
        }
        // The server may still be at what it was asked for last.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left = plan_now(&server, &declared).await;
        assert!(stop == 1 || left.changes.len() < plan.changes.len(), "{left:?}");
        apply(&server, &declared).await;
    }
}

#[tokio::test]
async fn names_that_are_taken_are_told() {
    let server = server();
    let first = [spec("taken")];
    apply(&server, &first).await;
    let mut second = [spec("second")];
    second[0].alias = Some(first[0].name.clone());
    let live = server.live(&second).await.expect("the server answers");
    let planned = plan(&second, &live).expect("a cut-over");
    assert!(planned.changes.last().is_some_and(Change::is_cut_over), "{planned:?}");
    second[0].name = first[0].alias.clone().expect("it has one");
    second[0].alias = None;
    let live = server.live(&second).await.expect("the server answers");
    let error = plan(&second, &live).expect_err("the collection is an alias");
    assert!(error.to_string().contains("is declared as a collection, but on the server it is an alias"), "{error}");
}

#[tokio::test]
async fn only_what_is_declared_is_looked_into() {
    let server = server();
    let [mut old, other, new] = [spec("old"), spec("other"), spec("new")];
    old.alias = None;
    apply(&server, &[old.clone(), other.clone()]).await;
    let declared = CollectionSpec { alias: Some(old.name.clone()), ..new };
    let live = server.live(&[declared]).await.expect("the server answers");
    assert!(live.collections.contains_key(&old.name) && !live.others.contains(&old.name), "{live:?}");
    assert!(live.others.contains(&other.name) && !live.collections.contains_key(&other.name), "{live:?}");
}

/// The check of it in `dbops health` may be given up on before the call is.
#[tokio::test]
async fn the_port_that_is_silent_is_named() {
    // It accepts, by way of the backlog, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let timeout = Duration::from_millis(500);
    let server = Server::new(&ServerOptions { url: format!("http://{address}"), timeout, ..options() });
    let error = server.expect("right options").memory().await.expect_err("nobody answers");
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("{address} gave no answer")), "{error}");
}

/// As by one before 1.17 whose telemetry is off.
#[tokio::test]
async fn a_server_need_not_tell_what_its_optimizer_is_at() {
    assert_eq!(server().optimizations("a/b c").await.expect("the server answers"), None);
}

#[tokio::test]
async fn the_version_is_told() {
    let version = server().version().await.expect("the server answers");
    assert!(version.starts_with("1."), "{version}");
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_told() {
    let unused = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = (silent.local_addr().expect("an address").port(), silent);
    let qdrant = dbops_testbed::qdrant();
    let http = qdrant.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the URL's port");
    let closing = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closing_port = closing.local_addr().expect("an address").port();
    std::thread::spawn(move || closing.incoming().for_each(drop));
    let cases = [
        ("http://127.0.0.1", closing_port, "cannot list the aliases: the connection to Qdrant at 127.0.0.1:"),
        ("http://127.0.0.1", unused, "cannot reach Qdrant at 127.0.0.1:"),
        ("http://no-such-host.invalid", 6334, "cannot reach Qdrant at no-such-host.invalid:6334"),
        ("http://127.0.0.1", silent.0, "gave no answer in 0.5 s"),
        ("https://127.0.0.1", silent.0, "gave no answer in 0.5 s"),
        ("http://127.0.0.1", http, "no gRPC answers at 127.0.0.1:"),
        ("https://127.0.0.1", qdrant.grpc_port, "no TLS connection to Qdrant at 127.0.0.1:"),
    ];
    for (url, grpc_port, message) in cases {
        let timeout = Duration::from_millis(if grpc_port == silent.0 { 500 } else { 30_000 });
        let options = ServerOptions { url: url.into(), grpc_port, api_key: None, timeout };
        let error = Server::new(&options).expect("right options").collections().await.expect_err("nobody is there");
        assert!(error.to_string().contains(message), "{url} {grpc_port}: {error}");
        assert!(error.hint().is_some(), "{error:?}");
    }
}
