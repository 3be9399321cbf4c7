//! Every parameter, and declarations at random, on a real server.

mod random;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use dbops_qdrant::parameter::{Kind, NONE, PARAMETERS, Parameter, Scope, Value, parameters};
use dbops_qdrant::{
    ChangeKind, CollectionSpec, Error, Extent, Found, IndexSpec, IndexType, Live, LiveCollection, Plan, RebuildNote,
    RebuildStage, Server, ServerOptions, Settings, file_text, found, parse_file, plan,
};
use dbops_testbed::{Qdrant, start_qdrant, unique};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use qdrant_client::Payload;
use qdrant_client::qdrant::{
    CreateCollection, HnswConfigDiff, Memory, NamedVectors, PayloadStorageParams, PointStruct, SparseIndexConfig,
    SparseVectorConfig, SparseVectorParams, UpsertPointsBuilder, Vector, VectorParams,
};

/// A server of their own: each plan asks about every collection, and other tests leave hundreds.
fn own() -> &'static Qdrant {
    static OWN: OnceLock<Qdrant> = OnceLock::new();
    OWN.get_or_init(start_qdrant)
}

fn server() -> Server {
    let qdrant = own();
    let options = ServerOptions {
        url: qdrant.url.clone(),
        grpc_port: qdrant.grpc_port,
        api_key: None,
        timeout: Duration::from_secs(10),
    };
    Server::new(&options).expect("right options")
}

async fn plan_now(server: &Server, spec: &CollectionSpec) -> Plan {
    let mut plan =
        plan(std::slice::from_ref(spec), &server.live(std::slice::from_ref(spec)).await.expect("the server answers"))
            .expect("a plan");
    // Other tests' collections are on the server too.
    plan.undeclared.clear();
    plan
}

async fn apply(server: &Server, spec: &CollectionSpec, extent: Extent) -> Result<(), Error> {
    let plan = plan_now(server, spec).await;
    server.apply(std::slice::from_ref(spec), &plan, extent, &mut |_| ()).await.map(|_| ())
}

/// Two values that are not the same, the second one not what a server takes by itself.
fn samples(parameter: &Parameter) -> Vec<Value> {
    let number = |least: u64| vec![Value::Integer(least + 2), Value::Integer(least + 1)];
    match (parameter.path, parameter.kind) {
        ("strict_mode.enabled", _) => vec![Value::Bool(false), Value::Bool(true)],
        ("sharding_method", _) => vec![Value::Word("auto")],
        (_, Kind::Bool) => vec![Value::Bool(true), Value::Bool(false)],
        (_, Kind::Integer { least, .. }) => number(least),
        (_, Kind::Float { least, .. }) => vec![Value::Float(least + 0.25), Value::Float(least + 0.123_456_789)],
        (_, Kind::Word(_) | Kind::Name(_) | Kind::Choice(_)) => {
            parameter.kind.words().into_iter().map(Value::Word).collect()
        }
        (_, Kind::Set(words)) => {
            let words = if words.is_empty() { &["zebra", "Apfel"] } else { words };
            let set = |words: &[&str]| Value::Set(words.iter().map(|word| (*word).to_owned()).collect());
            vec![set(&words[..2]), set(&[]), set(&words[1..2])]
        }
        (_, Kind::PerVector(_)) => {
            let limits = |name: &str, limit| Value::PerVector(BTreeMap::from([(name.to_owned(), limit)]));
            vec![limits("a", 3), limits("b", 3), limits("b", 2), Value::PerVector(BTreeMap::new())]
        }
        (_, Kind::Text) => vec![Value::Text("a[]".into())],
    }
}

fn set(settings: &mut Settings, scope: Scope, path: &str, value: Value) {
    settings.set(parameters(scope).find(|parameter| parameter.path == path).expect("it is in the table"), value);
}

/// A collection in which one parameter has a value.
fn with(name: &str, scope: Scope, parameter: &'static Parameter, value: Value) -> CollectionSpec {
    let mut settings = Settings::default();
    let method = parameter.path.strip_prefix("quantization.").and_then(|rest| rest.split('.').next());
    let words = parameters(scope).find(|it| it.path == "quantization").map(|it| it.kind.words()).unwrap_or_default();
    if let Some(word) = words.into_iter().find(|word| Some(*word) == method) {
        set(&mut settings, scope, "quantization", Value::Word(word));
    }
    settings.set(parameter, value);
    let mut vector = Settings::default();
    set(&mut vector, Scope::Vector, "size", Value::Integer(4));
    set(&mut vector, Scope::Vector, "distance", Value::Word("Dot"));
    let mut spec = CollectionSpec { name: name.into(), ..CollectionSpec::default() };
    match scope {
        Scope::Collection => spec.settings = settings,
        Scope::Vector => settings.of(scope).for_each(|(parameter, value)| vector.set(parameter, value)),
        Scope::SparseVector => _ = spec.sparse_vectors.insert("words".into(), settings),
        Scope::PayloadIndex(index_type) => {
            spec.payload_indexes.insert("key".into(), IndexSpec { index_type, settings });
        }
    }
    spec.vectors = BTreeMap::from([(String::new(), vector)]);
    spec
}

/// Whether the server says that it lacks this. The embedded one may, for these alone, and never keeps them in silence.
fn is_lacking(parameter: &Parameter, value: &Value, result: &Result<(), Error>) -> bool {
    let Err(error) = result else { return false };
    let may_lack = match parameter.path {
        "strict_mode.enabled" | "prefix" => *value == Value::Bool(true),
        "scoring" => *value == Value::Word("bm25"),
        "tokenizer" => *value == Value::Word("code"),
        "modifier" | "nested" => true,
        _ => false,
    };
    let says_so = error.to_string().contains("not implemented by the embedded server");
    assert!(may_lack && says_so, "{}: {value}: {error}", parameter.path);
    true
}

/// Each parameter is created, given back, changed in place where the table says so, and given back again.
#[tokio::test]
async fn every_parameter_is_held_and_given_back() {
    let server = server();
    for parameter in PARAMETERS {
        for scope in parameter.scopes {
            let name = unique("parameter");
            for (index, value) in samples(parameter).into_iter().enumerate() {
                let spec = with(&name, *scope, parameter, value.clone());
                let what = format!("{scope:?} {}: {value}", parameter.path);
                let planned = plan_now(&server, &spec).await;
                if index > 0 && !parameter.in_place {
                    assert!(planned.changes.iter().all(|change| change.kind == ChangeKind::NeedsRebuild), "{what}");
                    assert!(!planned.changes.is_empty(), "{what}");
                    continue;
                }
                let result = apply(&server, &spec, Extent::Whole).await;
                if !is_lacking(parameter, &value, &result) {
                    result.unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert_eq!(plan_now(&server, &spec).await, Plan::default(), "{what}");
                }
            }
            server.delete_collection(&name).await.expect("it is there");
        }
    }
}

/// A part of quantization, or of an index, is not lost when another part of it changes.
#[tokio::test]
async fn what_is_not_declared_stays_when_something_beside_it_changes() {
    let server = server();
    let name = unique("beside");
    let find = |scope, path: &str| parameters(scope).find(|it| it.path == path).expect("it is in the table");
    let (quantile, always_ram) = ("quantization.scalar.quantile", "quantization.scalar.always_ram");
    let text = Scope::PayloadIndex(IndexType::Text);
    let build = |quantization: &[(&'static str, Value)], index: &[(&'static str, Value)]| {
        let mut spec = with(&name, Scope::Collection, find(Scope::Collection, "quantization"), Value::Word("scalar"));
        quantization.iter().for_each(|(path, value)| set(&mut spec.settings, Scope::Collection, path, value.clone()));
        let mut settings = Settings::default();
        index.iter().for_each(|(path, value)| set(&mut settings, text, path, value.clone()));
        spec.payload_indexes.insert("key".into(), IndexSpec { index_type: IndexType::Text, settings });
        spec
    };
    let tokenizer = ("tokenizer", Value::Word("whitespace"));
    let first =
        build(&[(quantile, Value::Float(0.9)), (always_ram, Value::Bool(true))], std::slice::from_ref(&tokenizer));
    apply(&server, &first, Extent::Whole).await.expect("it can be applied");
    let second = build(&[(quantile, Value::Float(0.8))], &[("lowercase", Value::Bool(false))]);
    apply(&server, &second, Extent::Whole).await.expect("it can be applied");
    let both = build(
        &[(quantile, Value::Float(0.8)), (always_ram, Value::Bool(true))],
        &[tokenizer, ("lowercase", Value::Bool(false))],
    );
    assert_eq!(plan_now(&server, &both).await, Plan::default());
}

#[tokio::test]
async fn a_collection_may_have_sparse_vectors_alone() {
    let server = server();
    let mut spec = CollectionSpec { name: unique("sparse"), ..CollectionSpec::default() };
    spec.sparse_vectors.insert("words".into(), Settings::default());
    apply(&server, &spec, Extent::Whole).await.expect("it can be applied");
    assert_eq!(plan_now(&server, &spec).await, Plan::default());
    spec.sparse_vectors.insert("more".into(), Settings::default());
    apply(&server, &spec, Extent::Whole).await.expect("it can be applied");
    assert_eq!(plan_now(&server, &spec).await, Plan::default());
}

/// Servers have a newer way to say where data is kept, which overrides the one that can be declared.
#[tokio::test]
async fn what_is_kept_elsewhere_in_the_newer_way_is_moved() {
    let server = server();
    let name = unique("newer");
    let memory = Some(Memory::Cached.into());
    let hnsw = HnswConfigDiff { memory, ..Default::default() };
    let vector = VectorParams { size: 4, distance: 3, memory, hnsw_config: Some(hnsw), ..Default::default() };
    let index = SparseIndexConfig { memory, ..Default::default() };
    let sparse = SparseVectorParams { index: Some(index), modifier: None };
    let request = CreateCollection {
        collection_name: name.clone(),
        vectors_config: Some(vector.into()),
        sparse_vectors_config: Some(SparseVectorConfig { map: [("words".to_owned(), sparse)].into() }),
        hnsw_config: Some(hnsw),
        payload: Some(PayloadStorageParams { memory }),
        ..Default::default()
    };
    client().create_collection(request).await.expect("a collection");
    let mut spec = CollectionSpec { name, ..CollectionSpec::default() };
    let (mut vector, mut sparse) = (Settings::default(), Settings::default());
    for (path, value) in [("size", Value::Integer(4)), ("distance", Value::Word("Dot"))] {
        set(&mut vector, Scope::Vector, path, value);
    }
    for path in ["on_disk", "hnsw.on_disk"] {
        set(&mut vector, Scope::Vector, path, Value::Bool(true));
    }
    set(&mut sparse, Scope::SparseVector, "index.on_disk", Value::Bool(true));
    for path in ["on_disk_payload", "hnsw.on_disk"] {
        set(&mut spec.settings, Scope::Collection, path, Value::Bool(true));
    }
    spec.vectors.insert(String::new(), vector);
    spec.sparse_vectors.insert("words".into(), sparse);
    assert_eq!(plan_now(&server, &spec).await.changes.len(), 5);
    apply(&server, &spec, Extent::Whole).await.expect("it can be applied");
    assert_eq!(plan_now(&server, &spec).await, Plan::default());
}

/// How many declarations are tried: more when they are asked for.
fn cases() -> u32 {
    std::env::var("DBOPS_TEST_DECLARATIONS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(15)
}

/// Declarations in an order that is the same each time.
fn declarations(count: u32) -> Vec<CollectionSpec> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let strategy = random::collection();
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("a declaration").current()).collect()
}

#[tokio::test]
async fn what_was_applied_needs_no_change_whatever_it_is() {
    let server = server();
    for (case, spec) in declarations(cases()).into_iter().enumerate() {
        let spec = CollectionSpec { name: unique("random"), alias: Some(unique("alias")), ..spec };
        let result = apply(&server, &spec, Extent::Whole).await;
        result.unwrap_or_else(|error| panic!("case {case}: {error}\n{spec:#?}"));
        assert_eq!(plan_now(&server, &spec).await, Plan::default(), "case {case}: {spec:#?}");
        server.delete_collection(&spec.name).await.expect("it is there");
    }
}

/// What is there, written to a file and read again, is what is there; and a server makes the same of it once more.
#[tokio::test]
async fn what_is_there_is_declared_whatever_it_is() {
    let server = server();
    for (case, spec) in declarations(cases()).into_iter().enumerate() {
        let spec = CollectionSpec { name: unique("there"), alias: Some(unique("alias")), ..spec };
        apply(&server, &spec, Extent::Whole).await.unwrap_or_else(|error| panic!("case {case}: {error}\n{spec:#?}"));
        let live = only(server.live_whole().await.expect("the server answers"), &spec.name);
        let Found { specs, left_out } = found(&live);
        assert_eq!(left_out, [""; 0], "case {case}: {spec:#?}");
        let text = file_text(&specs);
        let read = parse_file(Path::new("collections.yaml"), &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, specs, "case {case}: {text}");
        assert_eq!(plan(&read, &live).expect("a plan"), Plan::default(), "case {case}: {text}");

        let again = CollectionSpec { name: unique("again"), alias: None, ..read[0].clone() };
        apply(&server, &again, Extent::Whole).await.unwrap_or_else(|error| panic!("case {case}: {error}\n{text}"));
        let made = only(server.live_whole().await.expect("the server answers"), &again.name);
        // What is said and what is left unsaid may be the same.
        assert_eq!(found(&made).specs, std::slice::from_ref(&again), "case {case}: {text}");
        for name in [spec.name, again.name] {
            server.delete_collection(&name).await.expect("it is there");
        }
    }
}

/// A collection that was given nothing is declared with nothing.
#[tokio::test]
async fn what_a_server_takes_by_itself_is_not_declared() {
    let server = server();
    let name = unique("plain");
    let request = CreateCollection {
        collection_name: name.clone(),
        vectors_config: Some(VectorParams { size: 4, distance: 1, ..Default::default() }.into()),
        ..Default::default()
    };
    client().create_collection(request).await.expect("a collection");
    let live = only(server.live_whole().await.expect("the server answers"), &name);
    let expected = format!("version: 1\n\ncollections:\n\n  {name}:\n    vectors: {{ size: 4, distance: Cosine }}\n");
    assert_eq!(file_text(&found(&live).specs), expected);
}

/// What can be declared only in part, or not, is told.
#[test]
fn what_cannot_be_declared_is_named() {
    let collection = |vectors: &[&str]| LiveCollection {
        vectors: vectors.iter().map(|name| ((*name).to_owned(), Settings::default())).collect(),
        payload_indexes: BTreeMap::from([("key".to_owned(), None)]),
        ..LiveCollection::default()
    };
    let note = RebuildNote { is: "c.2".into(), of: "c".into(), run: "1".into(), stage: RebuildStage::Filling };
    let live = Live {
        collections: BTreeMap::from([
            ("a".to_owned(), collection(&["v"])),
            ("b".to_owned(), LiveCollection::default()),
            ("c.2".to_owned(), LiveCollection { rebuild: Some(note), ..collection(&["v"]) }),
        ]),
        aliases: BTreeMap::from([("one".to_owned(), "a".to_owned()), ("two".to_owned(), "a".to_owned())]),
        ..Live::default()
    };
    let found = found(&live);
    let names: Vec<_> = found.specs.iter().map(|spec| (spec.name.as_str(), spec.alias.as_deref())).collect();
    assert_eq!(names, [("a", Some("one"))]);
    let expected = [
        "payload index key of a: its type is not known to this version of dbops",
        "collection b: it has no vectors",
        "collection c.2: an unfinished rebuild",
        "alias two of a: a collection is declared with one alias",
    ];
    assert_eq!(found.left_out, expected);
}

/// One collection of those that are there, with the aliases that lead to it.
fn only(live: Live, name: &str) -> Live {
    let collections = live.collections.into_iter().filter(|(other, _)| other == name).collect();
    let aliases = live.aliases.into_iter().filter(|(_, to)| to == name).collect();
    Live { collections, aliases, ..live }
}

/// From any declaration to any other: what is left says itself that it cannot be changed in place.
#[tokio::test]
async fn what_can_be_changed_in_place_is_changed_whatever_it_is() {
    let server = server();
    let specs = declarations(cases() * 2);
    let (mut changed, mut left) = (0, 0);
    for (case, pair) in specs.chunks_exact(2).enumerate() {
        let name = unique("pair");
        let [from, to] = [0, 1].map(|index| CollectionSpec { name: name.clone(), ..pair[index].clone() });
        apply(&server, &from, Extent::Whole).await.unwrap_or_else(|error| panic!("case {case}: {error}\n{from:#?}"));
        fill(&from).await;
        let planned = plan_now(&server, &to).await;
        let result = apply(&server, &to, Extent::InPlace).await;
        result.unwrap_or_else(|error| panic!("case {case}: {error}\n{from:#?}\n{to:#?}"));
        let after = plan_now(&server, &to).await;
        let kept: Vec<_> = planned.changes.iter().filter(|change| change.kind != ChangeKind::InPlace).collect();
        assert_eq!(after.changes.iter().collect::<Vec<_>>(), kept, "case {case}: {from:#?}\n{to:#?}");
        server.delete_collection(&name).await.expect("it is there");
        changed += planned.changes.len() - kept.len();
        left += kept.len();
    }
    // Else nothing was tried.
    assert!(changed > 10 && left > 10, "{changed} changed, {left} left");
}

/// Some points, with the dense vectors that there are.
async fn fill(spec: &CollectionSpec) {
    let points = (1..=3_u64).map(|id| {
        let vectors = spec.vectors.iter().fold(NamedVectors::default(), |named, (name, settings)| {
            let Some(Value::Integer(size)) = settings.get("size") else { panic!("no size") };
            let numbers = (0..size).map(|at| if at % 3 == id % 3 { 1.0 } else { 0.0 }).collect::<Vec<_>>();
            let vector = match settings.get("multivector.comparator") {
                Some(_) => Vector::new_multi(vec![numbers]),
                None => Vector::new_dense(numbers),
            };
            named.add_vector(name.clone(), vector)
        });
        PointStruct::new(id, vectors, Payload::new())
    });
    let request = UpsertPointsBuilder::new(&spec.name, points.collect::<Vec<_>>()).wait(true);
    client().upsert_points(request).await.expect("points");
}

fn client() -> qdrant_client::Qdrant {
    let uri = format!("http://127.0.0.1:{}", own().grpc_port);
    qdrant_client::Qdrant::from_url(&uri).skip_compatibility_check().build().expect("a client")
}

#[test]
fn the_table_names_each_parameter_once() {
    for parameter in PARAMETERS {
        for scope in parameter.scopes {
            let same = parameters(*scope).filter(|other| other.path == parameter.path).count();
            assert_eq!(same, 1, "{scope:?} {}", parameter.path);
        }
        assert!(!parameter.kind.words().contains(&""), "{}", parameter.path);
    }
    assert!(parameters(Scope::Collection).any(|parameter| parameter.kind.words().contains(&NONE)));
}
