//! Collections rebuilt behind their aliases, on a real Qdrant engine: whole, written to meanwhile, refused.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dbops_qdrant::{Id, Point, PointVector, RebuildNote, RebuildStage};
use dbops_testbed::unique;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{
    ListValue, NamedVectors, PointId, PointStruct, RetrievedPoint, ScrollPointsBuilder, Struct, UpsertPointsBuilder,
    Value as WireValue, Vector,
};
use serde_json::{Value, json};

use crate::project::{Project, Run};
use crate::qdrant::{fill, on_server, project};
use crate::qdrant_sync::Bot;

/// A project with this collection, and a folder of its own for locks and records.
pub(crate) fn declared(text: &str) -> Project {
    let project = project(text);
    let folder = project.path("cache").display().to_string();
    project.env("DBOPS_CACHE_DIR", &folder)
}

fn redeclare(project: &Project, text: &str) {
    project.write("qdrant/collections.yaml", &format!("version: 1\ncollections:\n{text}"));
}

pub(crate) fn plain(name: &str, alias: &str, vectors: &str) -> String {
    format!("  {name}:\n    alias: {alias}\n    vectors: {vectors}\n")
}

/// What the command says of the one collection.
pub(crate) fn reindex(project: &Project, arguments: &[&str]) -> Value {
    project.json(0, &[&["qdrant", "reindex"], arguments].concat())["collections"][0].clone()
}

fn refused(project: &Project, arguments: &[&str], said: &str, hint: &str) -> Run {
    let run = project.run(&[&["qdrant", "reindex"], arguments].concat());
    assert!(run.code == 4 && run.stderr.contains(said) && run.stderr.contains(hint), "{run}");
    run
}

pub(crate) fn has_nothing_to_do(project: &Project) {
    project.ok(&["qdrant", "plan", "--check"]);
    assert_eq!(project.json(0, &["qdrant", "reindex"]), json!({"collections": []}));
}

/// The collection behind an alias.
pub(crate) fn behind(alias: &str) -> Option<String> {
    on_server(async |server| server.collections_and_aliases().await).1.remove(alias)
}

pub(crate) fn exists(name: &str) -> bool {
    on_server(async |server| server.has_collection(name).await)
}

pub(crate) fn count(name: &str) -> u64 {
    on_server(async |server| server.count(name).await)
}

/// The files of rebuilds that are kept between runs.
pub(crate) fn kept(project: &Project, extension: &str) -> Vec<PathBuf> {
    let folder = fs::read_dir(project.path("cache/rebuilds")).expect("a folder");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|known| known == extension)).collect()
}

/// The numbers in the payloads of all points, by id, as an application reads them.
pub(crate) fn numbers(name: &str) -> BTreeMap<u64, u64> {
    let stored = on_server(async |server| {
        let ids: Vec<_> = server.page(name, None, 100_000, false).await?.points.into_iter().map(|(id, _)| id).collect();
        server.stored(name, &ids).await
    });
    let number = |id| if let Id::Number(number) = id { number } else { panic!("{id}") };
    stored.into_iter().map(|point| (number(point.id), point.payload["number"].as_u64().expect("a number"))).collect()
}

pub(crate) fn numbered(id: u64, number: u64) -> Point {
    Point {
        id: Id::Number(id),
        vectors: [(String::new(), PointVector::Dense(vec![2.0; 4]))].into(),
        payload: serde_json::Map::from_iter([("number".to_owned(), json!(number))]),
    }
}

/// Works with Qdrant's own client, which gives points as they come.
fn with_client<T>(work: impl AsyncFnOnce(Qdrant) -> Result<T, qdrant_client::QdrantError>) -> T {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = format!("http://127.0.0.1:{}", dbops_testbed::qdrant().grpc_port);
        work(Qdrant::from_url(&url).skip_compatibility_check().build().expect("a client")).await.expect("it answers")
    })
}

fn all_points(name: &str) -> Vec<RetrievedPoint> {
    let request = ScrollPointsBuilder::new(name).limit(10_000).with_payload(true).with_vectors(true);
    with_client(async |client| client.scroll(request).await).result
}

fn wire(value: Value) -> WireValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(flag) => Kind::BoolValue(flag),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Kind::IntegerValue(number),
            None => Kind::DoubleValue(number.as_f64().expect("a number")),
        },
        Value::String(text) => Kind::StringValue(text),
        Value::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(wire).collect() }),
        Value::Object(fields) => {
            Kind::StructValue(Struct { fields: fields.into_iter().map(|(name, one)| (name, wire(one))).collect() })
        }
    };
    WireValue { kind: Some(kind) }
}

/// Points with all sorts of ids, payloads and vectors, some without this or that.
fn odd_points() -> Vec<PointStruct> {
    let point = |number: u16| {
        let float = f32::from(number);
        let mut vectors = NamedVectors::default().add_vector("text", Vector::new_dense(vec![3.0, 4.0, float, 1.0]));
        if number.is_multiple_of(2) {
            let many = vec![vec![float, 0.5], vec![-1.0, 2.5]];
            vectors = vectors.add_vector("parts", Vector::new_multi(many));
        }
        if number.is_multiple_of(3) {
            vectors =
                vectors.add_vector("words", Vector::new_sparse(vec![7, 1, 4_000_000_000], vec![0.25, -2.0, float]));
        }
        let id = match number % 5 {
            0 => PointId::from(format!("00000000-0000-4000-8000-{number:012x}")),
            _ => PointId::from(u64::MAX - u64::from(number)),
        };
        let payload = match number % 4 {
            0 => json!({}),
            1 => json!({"a": {"b": [1, 1.0, -9_007_199_254_740_993_i64, null, {"é \"' ": []}]}, "n": number}),
            2 => json!({"text": "é\u{1F600}\n".repeat(200), "empty": "", "list": [], "n": 1e300}),
            _ => json!({"n": i64::MAX, "flag": false, "nothing": null}),
        };
        let payload = serde_json::from_value::<HashMap<String, Value>>(payload).expect("a map");
        let payload: HashMap<_, _> = payload.into_iter().map(|(name, one)| (name, wire(one))).collect();
        PointStruct::new(id, vectors, payload)
    };
    (0..300).map(point).collect()
}

#[test]
fn everything_that_points_hold_is_copied() {
    let (name, alias) = (format!("it's é {}", unique("odd")), unique("al ias"));
    let text = |datatype: &str, shards: &str| {
        format!(
            "  \"{name}\":\n    alias: {alias}\n    vectors:\n      text: {{ size: 4, distance: Cosine }}\n      parts: \
             {{ size: 2, distance: Dot, datatype: {datatype}, multivector: {{ comparator: max_sim }} }}\n    \
             sparse_vectors:\n      words: {{ modifier: idf }}\n    payload_indexes:\n      n: {{ type: integer }}\n{shards}"
        )
    };
    let project = declared(&text("float32", ""));
    project.ok(&["qdrant", "apply"]);
    with_client(async |client| client.upsert_points(UpsertPointsBuilder::new(&alias, odd_points()).wait(true)).await);
    let before = all_points(&alias);
    assert_eq!(before.len(), 300);

    // Halves and whole numbers are the same in a float16.
    redeclare(&project, &text("float16", "    shard_number: 2\n    quantization: { scalar: { quantile: 0.9 } }\n"));
    let plain = project.run(&["qdrant", "apply"]);
    assert!(plain.code == 4 && plain.stderr.contains("hint: `dbops qdrant apply --rebuild` writes"), "{plain}");
    let applied = project.json(0, &["qdrant", "apply", "--rebuild"]);
    let done = &applied["collections"][0];
    let second = format!("{name}.2");
    let facts =
        ["collection", "from", "to", "points", "copied", "followed", "swapped", "dropped"].map(|key| &done[key]);
    let expected =
        [&json!(name), &json!(name), &json!(second), &json!(300), &json!(300), &json!(0), &json!(true), &json!([])];
    assert_eq!(facts, expected);
    assert_eq!(behind(&alias), Some(second.clone()));
    assert_eq!(all_points(&alias), before);
    has_nothing_to_do(&project);
    let plan = project.ok(&["qdrant", "plan"]).stdout;
    assert!(plan.contains(&format!("collection {name}, rebuilt into {second}\n")), "{plan}");

    // A collection of that name that somebody else made is none of ours.
    let third = format!("{name}.3");
    redeclare(
        &project,
        &(text("float16", "    shard_number: 1\n")
            + &self::plain(&format!("'{}'", third.replace('\'', "''")), "x", "{ size: 1, distance: Dot }")),
    );
    project.ok(&["qdrant", "apply", "--in-place"]);
    redeclare(&project, &text("float16", "    shard_number: 1\n"));
    assert_eq!(reindex(&project, &[&alias])["to"], json!(format!("{name}.4")));
    assert_eq!((all_points(&alias), count(&third)), (before, 0));
    has_nothing_to_do(&project);

    let old = refused(&project, &["--drop-old"], &format!("not done: drop {second}"), "--yes");
    assert!(exists(&name) && exists(&second), "{old}");
    assert_eq!(reindex(&project, &["--drop-old", "--yes"])["dropped"], json!([second, name]));
    assert!(!exists(&name) && !exists(&second) && exists(&third));
    has_nothing_to_do(&project);
}

#[test]
fn another_dimension_comes_from_the_table() {
    let tables = "CREATE EXTENSION vector; CREATE TABLE notes (id bigint PRIMARY KEY, body text, place vector);
        INSERT INTO notes SELECT n, 'note ' || n, ARRAY[n, 1, 2, 3]::vector FROM generate_series(1, 200) AS n";
    let alias = unique("table_alias");
    let from = format!(
        "alias: {alias}\n    from:\n      target: app\n      table: notes\n      key: id\n      vector: place\n      \
         payload:\n        body: body"
    );
    let bot = Bot::new(tables, "{size: 4, distance: Cosine}", &from);
    bot.sync(&[]);
    crate::project::execute(
        &bot.url,
        "UPDATE notes SET place = ARRAY[id::int, 1, 2, 3, 4]::vector; DELETE FROM notes WHERE id > 190",
    );
    bot.declare("{size: 5, distance: Dot}", &from);
    let done = reindex(&bot.project, &[]);
    assert_eq!((&done["points"], &done["copied"], &done["swapped"]), (&json!(190), &json!(190), &json!(true)));
    let second = format!("{}.2", bot.collection);
    assert_eq!(behind(&alias), Some(second.clone()));
    has_nothing_to_do(&bot.project);
    // The commands that name the collection mean the one that stands for it.
    crate::project::execute(&bot.url, "INSERT INTO notes VALUES (1000, 'new', '[1,2,3,4,5]')");
    assert_eq!(bot.sync(&[&bot.collection]).1, [191, 1, 0, 0]);
    let verified = bot.project.json(0, &["qdrant", "verify", &bot.collection]);
    assert_eq!(verified["collections"][0]["collection"], json!(second));
    let found = bot.project.json(0, &["qdrant", "search", &bot.collection, "--point", "1000", "--limit", "1"]);
    assert_eq!(found["collection"], json!(second));
    assert_eq!(count(&bot.collection), 200);

    // A table that lost its rows empties no collection unasked.
    crate::project::execute(&bot.url, "DELETE FROM notes WHERE id > 20");
    refused(&bot.project, &[&bot.collection, "--force"], "which holds 191 points", "--yes");
    assert_eq!(behind(&alias), Some(second));
}

#[test]
fn a_new_name_with_the_same_alias_takes_over() {
    let (first, second, alias) = (unique("first"), unique("second"), unique("moved"));
    let project = declared(&plain(&first, &alias, "{ size: 4, distance: Dot }"));
    project.ok(&["qdrant", "apply"]);
    fill(&first, 50, 4);
    redeclare(&project, &plain(&second, &alias, "{ size: 4, distance: Euclid }"));
    // An empty one that an earlier `apply` made is filled too.
    project.ok(&["qdrant", "apply", "--in-place"]);
    assert_eq!(reindex(&project, &["--no-swap"])["swapped"], false);
    assert_eq!((behind(&alias), count(&second)), (Some(first.clone()), 50));
    assert_eq!(project.run(&["qdrant", "apply"]).code, 4, "a copy that may be behind gets no alias");
    let moved = project.run(&["qdrant", "alias", "set", &alias, &second]);
    assert!(moved.code == 4 && moved.stderr.contains("a rebuild of") && moved.stderr.contains("--yes"), "{moved}");
    fill(&first, 60, 4);
    let done = reindex(&project, &["--drop-old", "--yes"]);
    assert_eq!((&done["from"], &done["to"], &done["dropped"]), (&json!(first), &json!(second), &json!([first])));
    assert_eq!((behind(&alias), numbers(&alias).len()), (Some(second), 60));
    has_nothing_to_do(&project);
}

/// What an application writes and deletes all the while is in the new collection in the end, and nothing else.
#[test]
fn writes_are_followed() {
    let (name, alias) = (unique("busy"), unique("busy_alias"));
    let project = declared(&plain(&name, &alias, "{ size: 4, distance: Euclid }"));
    project.ok(&["qdrant", "apply"]);
    fill(&name, 3000, 4);
    redeclare(&project, &plain(&name, &alias, "{ size: 4, distance: Dot }"));
    let is_over = AtomicBool::new(false);
    let (written, run) = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut held: BTreeMap<u64, u64> = (0..3000).map(|number| (number, number)).collect();
            on_server(async |server| {
                for turn in 0_u64.. {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    // Changed, new and gone, spread over all that is there.
                    let (id, number) = ((turn * 7) % 2000, 10_000 + turn);
                    let new = 100_000 + turn;
                    server.write(&alias, [id, new].map(|id| numbered(id, number)).into()).await?;
                    held.extend([(id, number), (new, number)]);
                    let gone = 2000 + turn % 1000;
                    server.remove(&alias, &[Id::Number(gone)]).await?;
                    held.remove(&gone);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok(held)
            })
        });
        let run = project.run(&["qdrant", "reindex", "--batch", "100", "--json"]);
        is_over.store(true, Ordering::SeqCst);
        (writer.join().expect("it writes"), run)
    });
    assert_eq!(run.code, 0, "{run}");
    let done = serde_json::from_str::<Value>(&run.stdout).expect("a document")["collections"][0].clone();
    assert!(done["followed"].as_u64() > Some(0), "nothing changed meanwhile: {done}");
    assert_eq!(behind(&alias), Some(format!("{name}.2")));
    let found = numbers(&alias);
    let differing: Vec<_> = written.iter().filter(|(id, number)| found.get(id) != Some(number)).take(5).collect();
    assert!(differing.is_empty(), "lost: {differing:?}; {done}");
    let extra: Vec<_> = found.keys().filter(|id| !written.contains_key(id)).take(5).collect();
    assert!(extra.is_empty(), "came back: {extra:?}; {done}");
    has_nothing_to_do(&project);
}

#[test]
fn one_rebuild_at_a_time() {
    let (name, alias) = (unique("locked"), unique("locked_alias"));
    let project = declared(&plain(&name, &alias, "{ size: 4, distance: Dot }"));
    project.ok(&["qdrant", "apply"]);
    fill(&name, 5, 4);
    reindex(&project, &[&name, "--force"]);
    let folder = fs::read_dir(project.path("cache/rebuilds")).expect("a folder");
    let left: Vec<_> = folder.map(|entry| entry.expect("an entry").path()).collect();
    let [lock] = &left[..] else { panic!("only the lock stays: {left:?}") };
    let lock = File::open(lock).expect("a file");
    lock.try_lock().expect("nobody has it");
    let run = project.run(&["qdrant", "reindex", &name, "--force"]);
    assert_eq!(run.code, 5, "{run}");
    assert!(run.stderr.contains(&format!("{name} is being rebuilt by another dbops")), "{run}");
    drop(lock);
    reindex(&project, &[&name, "--force"]);
}

#[test]
fn what_would_lose_something_is_refused() {
    let (name, alias) = (unique("refused"), unique("refused_alias"));
    let with = |vectors: &str| plain(&name, &alias, vectors);
    let project = declared(&with("{ a: { size: 4, distance: Cosine }, b: { size: 2, distance: Dot } }"));
    project.ok(&["qdrant", "apply"]);
    let vectors = NamedVectors::default()
        .add_vector("a", Vector::new_dense(vec![3.0, 4.0, 0.0, 0.0]))
        .add_vector("b", Vector::new_dense(vec![1.0, 2.0]));
    let point = PointStruct::new(1, vectors, HashMap::<String, WireValue>::new());
    with_client(async |client| client.upsert_points(UpsertPointsBuilder::new(&name, vec![point]).wait(true)).await);

    redeclare(&project, &with("{ a: { size: 5, distance: Cosine }, b: { size: 2, distance: Dot } }"));
    refused(&project, &[], "the vector a is made anew (size 4 -> 5)", "declare with `from:`");
    assert_eq!(project.run(&["qdrant", "apply", "--rebuild"]).code, 4);
    redeclare(&project, &with("{ a: { size: 4, distance: Dot }, b: { size: 2, distance: Dot } }"));
    refused(&project, &[], "compared by cosine, and the server kept no lengths", "--yes");
    redeclare(&project, &with("{ a: { size: 4, distance: Cosine } }"));
    refused(&project, &[], "data of its vectors would be lost that are not declared: b", "--drop-vectors");
    assert_eq!((exists(&format!("{name}.2")), behind(&alias)), (false, Some(name.clone())));

    reindex(&project, &["--drop-vectors", "--no-swap"]);
    redeclare(&project, &with("{ a: { size: 4, distance: Dot } }"));
    let arguments = ["--drop-vectors", "--yes"];
    refused(&project, &arguments, "which an earlier run began to fill, has another vector.distance a", "--restart");
    reindex(&project, &[&arguments[..], &["--restart"]].concat());
    assert_eq!((behind(&alias), count(&alias)), (Some(format!("{name}.2")), 1));
    assert!(kept(&project, "record").is_empty(), "the record of the dropped copy is left");
    has_nothing_to_do(&project);

    let alone = unique("alone");
    redeclare(&project, &format!("  {alone}: {{ vectors: {{ size: 4, distance: Dot }} }}\n"));
    project.ok(&["qdrant", "apply"]);
    refused(&project, &[&alone, "--force"], "it has no alias that could be moved", "--cut-over");
}

/// Without points there is nothing that another dimension could lose; with one that came meanwhile there is.
#[test]
fn an_empty_collection_gets_another_dimension() {
    let (name, alias) = (unique("empty"), unique("empty_alias"));
    let with = |size: usize| plain(&name, &alias, &format!("{{ size: {size}, distance: Cosine }}"));
    let project = declared(&with(4));
    project.ok(&["qdrant", "apply"]);
    redeclare(&project, &with(5));
    assert_eq!(reindex(&project, &["--no-swap"])["swapped"], false);
    fill(&alias, 1, 4);
    refused(&project, &[], "the vector is made anew (size 4 -> 5)", "declare with `from:`");
    assert_eq!(behind(&alias), Some(name.clone()));
    on_server(async |server| server.remove(&alias, &[Id::Number(0)]).await);
    project.ok(&["qdrant", "apply", "--rebuild"]);
    assert_eq!(behind(&alias), Some(format!("{name}.2")));
    fill(&alias, 3, 5);
    has_nothing_to_do(&project);
}

/// A collection that the application uses by its real name.
#[test]
fn a_collection_gives_its_name_to_the_alias() {
    for is_killed in [false, true] {
        let (name, taken) = (unique("chunks_v1"), unique("chunks"));
        let project = declared(&format!("  {taken}: {{ vectors: {{ size: 4, distance: Dot }} }}\n"));
        project.ok(&["qdrant", "apply"]);
        fill(&taken, 40, 4);
        redeclare(&project, &plain(&name, &taken, "{ size: 4, distance: Euclid }"));
        let plan = project.ok(&["qdrant", "plan"]).stdout;
        assert!(plan.contains("a collection has this name: see `reindex --cut-over`"), "{plan}");
        assert!(project.run(&["qdrant", "apply"]).stderr.contains("reindex --cut-over"));
        refused(&project, &[], &format!("it has the name that {name} is to have"), "--cut-over");
        refused(&project, &["--cut-over"], &format!("delete the collection {taken}"), "--yes");
        assert_eq!((count(&taken), exists(&name)), (40, false));

        let arguments: &[&str] =
            if is_killed { &["--cut-over", "--yes", "--no-swap"] } else { &["--cut-over", "--yes"] };
        reindex(&project, arguments);
        if is_killed {
            // Between the deletion and the alias.
            let note =
                RebuildNote { is: name.clone(), of: taken.clone(), run: "0".into(), stage: RebuildStage::Swapping };
            let note = serde_json::to_string(&note).expect("a text");
            on_server(async |server| {
                server.set_note(&name, "dbops_rebuild", &note).await?;
                server.delete_collection(&taken).await
            });
            assert_eq!(project.run(&["qdrant", "apply"]).code, 4);
            reindex(&project, &[]);
        }
        assert_eq!((behind(&taken), numbers(&taken).len()), (Some(name), 40));
        has_nothing_to_do(&project);
    }
}
