use std::collections::BTreeMap;
use std::slice::from_ref;

use super::plan;
use crate::parameter::{NONE, Scope, Value, parameter, parameters};
use crate::{CollectionSpec, Extent, IndexSpec, IndexType, Live, LiveCollection, RebuildNote, RebuildStage, Settings};

fn spec(name: &str) -> CollectionSpec {
    CollectionSpec {
        name: name.into(),
        alias: Some("chunks".into()),
        vectors: BTreeMap::from([(String::new(), vector(4, "Cosine"))]),
        payload_indexes: BTreeMap::from([("source".into(), index(IndexType::Keyword))]),
        ..CollectionSpec::default()
    }
}

fn index(index_type: IndexType) -> IndexSpec {
    IndexSpec { index_type, settings: Settings::default() }
}

fn vector(size: u64, distance: &'static str) -> Settings {
    let mut settings = Settings::default();
    set(&mut settings, Scope::Vector, "size", Value::Integer(size));
    set(&mut settings, Scope::Vector, "distance", Value::Word(distance));
    settings
}

fn set(settings: &mut Settings, scope: Scope, path: &str, value: Value) {
    settings.set(parameter(scope, path).expect("it is in the table"), value);
}

/// What the server chooses where a declaration says nothing.
fn completed(scope: Scope, settings: &Settings) -> Settings {
    let mut all = Settings::default();
    for parameter in parameters(scope) {
        if let Some(value) = settings.get(parameter.path).or_else(|| parameter.absent.cloned()) {
            all.set(parameter, value);
        }
    }
    all
}

/// What a server holds after `specs` were applied to an empty one.
fn live_from(specs: &[CollectionSpec]) -> Live {
    let mut live = Live { version: Some((1, 18)), ..Live::default() };
    for spec in specs {
        let vectors = spec.vectors.iter().map(|(name, it)| (name.clone(), completed(Scope::Vector, it)));
        let sparse = spec.sparse_vectors.iter().map(|(name, it)| (name.clone(), completed(Scope::SparseVector, it)));
        let indexes = spec.payload_indexes.iter().map(|(path, it)| {
            let settings = completed(Scope::PayloadIndex(it.index_type), &it.settings);
            (path.clone(), Some(IndexSpec { index_type: it.index_type, settings }))
        });
        let mut settings = spec.settings.clone();
        for (path, value) in [("on_disk_payload", Value::Bool(true)), ("hnsw.m", Value::Integer(16))] {
            if settings.get(path).is_none() {
                set(&mut settings, Scope::Collection, path, value);
            }
        }
        let collection = LiveCollection {
            is_empty: true,
            vectors: vectors.collect(),
            sparse_vectors: sparse.collect(),
            settings: completed(Scope::Collection, &settings),
            payload_indexes: indexes.collect(),
            rebuild: None,
        };
        live.collections.insert(spec.name.clone(), collection);
        live.aliases.extend(spec.alias.clone().map(|alias| (alias, spec.name.clone())));
    }
    live
}

/// The plan as text, a line per change and per thing that is not declared; or what is in the way.
fn shown(declared: &[CollectionSpec], live: &Live) -> Vec<String> {
    let plan = match plan(declared, live) {
        Ok(plan) => plan,
        Err(error) => return vec![error.to_string()],
    };
    let changes = plan.changes.iter().map(|change| {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
        let (kind, from, to) = (change.kind.name(), value(&change.from), value(&change.to));
        format!("{kind} {}: {} {from} > {to}", change.collection, change.what)
    });
    changes.chain(plan.undeclared.iter().map(|undeclared| format!("undeclared {undeclared}"))).collect()
}

/// A change to the declaration `one` and to a server that had it, and the plan.
type Case = (fn(&mut CollectionSpec), fn(&mut Live), &'static [&'static str]);

fn one(live: &mut Live) -> &mut LiveCollection {
    live.collections.get_mut("one").expect("it is there")
}

fn collection(spec: &mut CollectionSpec, path: &str, value: Value) {
    set(&mut spec.settings, Scope::Collection, path, value);
}

fn of_vector(spec: &mut CollectionSpec, path: &str, value: Value) {
    set(spec.vectors.get_mut("").expect("it is there"), Scope::Vector, path, value);
}

#[test]
fn differences_are_found() {
    let cases: [Case; 28] = [
        (|_| {}, |_| {}, &[]),
        (
            |_| {},
            |live| *live = Live::default(),
            &[
                "in_place one: collection - > 4 Cosine",
                "in_place one: payload index source - > keyword",
                "in_place one: alias chunks - > one",
            ],
        ),
        (
            |spec| {
                spec.vectors = BTreeMap::from([("a".into(), vector(1, "Dot")), ("b".into(), vector(2, "Dot"))]);
                spec.sparse_vectors.insert("w".into(), Settings::default());
            },
            |live| live.collections.clear(),
            &[
                "in_place one: collection - > a: 1 Dot, b: 2 Dot, w: sparse",
                "in_place one: payload index source - > keyword",
            ],
        ),
        (|spec| collection(spec, "hnsw.m", Value::Integer(32)), |_| {}, &["in_place one: hnsw.m 16 > 32"]),
        (
            |spec| collection(spec, "hnsw.ef_construct", Value::Integer(64)),
            |_| {},
            &["in_place one: hnsw.ef_construct not set > 64"],
        ),
        // What a declaration leaves out is the server's to choose.
        (|_| {}, |live| set(&mut one(live).settings, Scope::Collection, "hnsw.m", Value::Integer(99)), &[]),
        (
            |spec| collection(spec, "on_disk_payload", Value::Bool(false)),
            |_| {},
            &["in_place one: on_disk_payload true > false"],
        ),
        (
            |spec| collection(spec, "wal.wal_capacity_mb", Value::Integer(64)),
            |live| set(&mut one(live).settings, Scope::Collection, "wal.wal_capacity_mb", Value::Integer(32)),
            &["needs_rebuild one: wal.wal_capacity_mb 32 > 64"],
        ),
        // What the server does where it says nothing needs no change.
        (|spec| collection(spec, "quantization", Value::Word(NONE)), |_| {}, &[]),
        (
            |spec| {
                collection(spec, "quantization", Value::Word("scalar"));
                collection(spec, "quantization.scalar.quantile", Value::Float(0.99));
            },
            |_| {},
            &["in_place one: quantization none > scalar", "in_place one: quantization.scalar.quantile not set > 0.99"],
        ),
        (|spec| of_vector(spec, "on_disk", Value::Bool(true)), |_| {}, &["in_place one: vector.on_disk false > true"]),
        (
            |spec| of_vector(spec, "datatype", Value::Word("uint8")),
            |_| {},
            &["needs_rebuild one: vector.datatype float32 > uint8"],
        ),
        (
            |spec| *spec.vectors.get_mut("").expect("it is there") = vector(8, "Euclid"),
            |_| {},
            &["needs_rebuild one: vector.size 4 > 8", "needs_rebuild one: vector.distance Cosine > Euclid"],
        ),
        // Where one vector has no name, none with a name fits beside it.
        (
            |spec| spec.vectors.extend([("more".into(), vector(2, "Dot"))]),
            |_| {},
            &["needs_rebuild one: vector more - > 2 Dot"],
        ),
        (
            |spec| spec.vectors = BTreeMap::from([("text".into(), vector(4, "Cosine"))]),
            |_| {},
            &["needs_rebuild one: vector text - > 4 Cosine", "destructive one: vector 4 Cosine > -"],
        ),
        (
            |spec| spec.vectors = BTreeMap::from([("a".into(), vector(4, "Dot")), ("b".into(), vector(2, "Dot"))]),
            |live| one(live).vectors = BTreeMap::from([("a".into(), vector(4, "Dot"))]),
            &["in_place one: vector b - > 2 Dot"],
        ),
        (
            |spec| spec.vectors = BTreeMap::from([("a".into(), vector(4, "Dot")), ("b".into(), vector(2, "Dot"))]),
            |live| {
                one(live).vectors = BTreeMap::from([("a".into(), vector(4, "Dot"))]);
                live.version = Some((1, 17));
            },
            &["needs_rebuild one: vector b - > 2 Dot"],
        ),
        (
            |spec| spec.sparse_vectors.extend([("w".into(), Settings::default())]),
            |_| {},
            &["in_place one: sparse vector w - > sparse"],
        ),
        (
            |spec| {
                let mut words = Settings::default();
                set(&mut words, Scope::SparseVector, "modifier", Value::Word("idf"));
                set(&mut words, Scope::SparseVector, "index.datatype", Value::Word("float16"));
                spec.sparse_vectors.insert("w".into(), words);
            },
            |live| {
                let bare = completed(Scope::SparseVector, &Settings::default());
                one(live).sparse_vectors.insert("w".into(), bare);
            },
            &[
                "in_place one: sparse_vector.modifier w none > idf",
                "needs_rebuild one: sparse_vector.index.datatype w float32 > float16",
            ],
        ),
        (
            |spec| spec.payload_indexes.extend([("page".into(), index(IndexType::Integer))]),
            |_| {},
            &["in_place one: payload index page - > integer"],
        ),
        (
            |spec| spec.payload_indexes.extend([("source".into(), index(IndexType::Text))]),
            |_| {},
            &["in_place one: payload index source keyword > text"],
        ),
        (
            |spec| {
                let settings = &mut spec.payload_indexes.get_mut("source").expect("it is there").settings;
                set(settings, Scope::PayloadIndex(IndexType::Keyword), "is_tenant", Value::Bool(true));
            },
            |_| {},
            &["in_place one: payload index source keyword {is_tenant: false} > keyword {is_tenant: true}"],
        ),
        (
            |_| {},
            |live| _ = one(live).payload_indexes.insert("source".into(), None),
            &["in_place one: payload index source unknown > keyword"],
        ),
        (
            |spec| spec.payload_indexes.clear(),
            |live| _ = one(live).sparse_vectors.insert("words".into(), Settings::default()),
            &["undeclared payload index source of one", "undeclared sparse vector words of one"],
        ),
        (
            |spec| spec.alias = None,
            |live| live.collections.extend([("other".into(), LiveCollection::default())]),
            &["undeclared collection other", "undeclared alias chunks of one"],
        ),
        (
            |spec| spec.alias = Some("new".into()),
            |_| {},
            &["in_place one: alias new - > one", "undeclared alias chunks of one"],
        ),
        (
            |_| {},
            |live| {
                live.aliases.clear();
                live.collections.insert("chunks".into(), LiveCollection::default());
            },
            &["needs_rebuild one: alias chunks chunks > one", "undeclared collection chunks"],
        ),
        (
            |spec| spec.name = "chunks".into(),
            |_| {},
            &["`chunks` is declared as a collection, but on the server it is an alias of the collection one"],
        ),
    ];
    for (index, (declare, change, expected)) in cases.into_iter().enumerate() {
        let mut declared = spec("one");
        let mut live = live_from(&[declared.clone()]);
        declare(&mut declared);
        change(&mut live);
        assert_eq!(shown(&[declared], &live), expected, "case {index}");
    }
}

/// Whether the collection that the alias leaves, and the new one, hold points.
#[test]
fn an_alias_waits_until_its_new_collection_is_filled() {
    for (old_is_empty, new_is_empty, kind) in [
        (true, true, "in_place"),
        (false, true, "needs_rebuild"),
        (false, false, "in_place"),
        (true, false, "in_place"),
    ] {
        let (old, mut new) = (spec("one"), spec("two"));
        let mut live = live_from(&[old.clone(), CollectionSpec { alias: None, ..new.clone() }]);
        one(&mut live).is_empty = old_is_empty;
        live.collections.get_mut("two").expect("it is there").is_empty = new_is_empty;
        new.alias = old.alias.clone();
        let expected = [format!("{kind} two: alias chunks one > two"), "undeclared collection one".into()];
        assert_eq!(shown(&[new], &live), expected);
    }
}

/// What a rebuild has begun to fill gets no alias, and what was rebuilt is what is declared.
#[test]
fn a_rebuild_is_seen_in_the_plan() {
    let note = |is: &str, of: &str, stage| Some(RebuildNote { is: is.into(), of: of.into(), run: "1".into(), stage });
    let declared = spec("one");
    let mut live = live_from(from_ref(&declared));
    let copy = LiveCollection { rebuild: note("one.2", "one", RebuildStage::Filling), ..one(&mut live).clone() };
    live.collections.insert("one.2".into(), copy);
    assert_eq!(shown(from_ref(&declared), &live), ["undeclared collection one.2, an unfinished rebuild of one"]);
    live.aliases.insert("chunks".into(), "one.2".into());
    assert_eq!(shown(from_ref(&declared), &live), ["undeclared collection one, rebuilt into one.2"]);

    let mut second = spec("two");
    let mut live = live_from(&[declared, CollectionSpec { alias: None, ..second.clone() }]);
    let two = live.collections.get_mut("two").expect("it is there");
    (two.is_empty, two.rebuild) = (false, note("two", "one", RebuildStage::Filling));
    one(&mut live).is_empty = false;
    second.alias = Some("chunks".into());
    let expected = ["needs_rebuild two: alias chunks one > two", "undeclared collection one, rebuilt into two"];
    assert_eq!(shown(&[second], &live), expected);
}

#[test]
fn what_needs_a_rebuild_refuses_everything_unless_the_rest_is_asked_for() {
    let mut declared = spec("one");
    let live = live_from(&[declared.clone()]);
    collection(&mut declared, "hnsw.m", Value::Integer(32));
    declared.vectors.insert(String::new(), vector(5, "Cosine"));
    let plan = plan(&[declared], &live).expect("a plan");
    let error = plan.applicable(Extent::Whole).expect_err("the size differs");
    assert_eq!(error.to_string(), "vector.size of one (4 -> 5) cannot be changed in place");
    assert_eq!(plan.applicable(Extent::InPlace).expect("the rest").len(), 1);
}
