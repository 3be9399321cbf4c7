use std::collections::BTreeMap;

use proptest::prelude::*;

use super::plan;
use crate::{CollectionSpec, Distance, Extent, HnswSpec, IndexType, Live, LiveCollection, LiveVector, VectorSpec};

fn spec(name: &str) -> CollectionSpec {
    CollectionSpec {
        name: name.into(),
        alias: Some("chunks".into()),
        vectors: BTreeMap::from([(String::new(), vector(4, Distance::Cosine))]),
        on_disk_payload: None,
        hnsw: HnswSpec::default(),
        payload_indexes: BTreeMap::from([("source".into(), IndexType::Keyword)]),
    }
}

fn vector(size: u64, distance: Distance) -> VectorSpec {
    VectorSpec { size, distance, on_disk: None }
}

/// What a server holds after `specs` were applied to an empty one.
fn live_from(specs: &[CollectionSpec]) -> Live {
    let mut live = Live::default();
    for spec in specs {
        let vectors = spec.vectors.iter().map(|(name, vector)| {
            let on_disk = vector.on_disk.unwrap_or(false);
            (name.clone(), LiveVector { size: vector.size, distance: Some(vector.distance), on_disk })
        });
        let collection = LiveCollection {
            is_empty: true,
            vectors: vectors.collect(),
            sparse_vectors: Vec::new(),
            on_disk_payload: spec.on_disk_payload.unwrap_or(true),
            m: spec.hnsw.m.or(Some(16)),
            ef_construct: spec.hnsw.ef_construct.or(Some(100)),
            payload_indexes: spec.payload_indexes.iter().map(|(path, index)| (path.clone(), Some(*index))).collect(),
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

#[test]
fn differences_are_found() {
    let cases: [Case; 20] = [
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
                spec.vectors =
                    BTreeMap::from([("a".into(), vector(1, Distance::Dot)), ("b".into(), vector(2, Distance::Dot))])
            },
            |live| live.collections.clear(),
            &["in_place one: collection - > a: 1 Dot, b: 2 Dot", "in_place one: payload index source - > keyword"],
        ),
        (|spec| spec.hnsw.m = Some(32), |_| {}, &["in_place one: hnsw.m 16 > 32"]),
        (|spec| spec.hnsw.ef_construct = Some(64), |_| {}, &["in_place one: hnsw.ef_construct 100 > 64"]),
        (|spec| spec.hnsw.m = Some(16), |live| one(live).m = None, &["in_place one: hnsw.m unknown > 16"]),
        // What a declaration leaves out is the server's to choose.
        (|_| {}, |live| (one(live).m, one(live).on_disk_payload) = (Some(99), false), &[]),
        (|spec| spec.on_disk_payload = Some(false), |_| {}, &["in_place one: on_disk_payload true > false"]),
        (
            |spec| spec.vectors.get_mut("").expect("it is there").on_disk = Some(true),
            |_| {},
            &["in_place one: vector.on_disk false > true"],
        ),
        (
            |spec| *spec.vectors.get_mut("").expect("it is there") = vector(8, Distance::Euclid),
            |_| {},
            &["needs_rebuild one: vector.size 4 > 8", "needs_rebuild one: vector.distance Cosine > Euclid"],
        ),
        (
            |spec| spec.vectors.extend([("more".into(), vector(2, Distance::Dot))]),
            |_| {},
            &["needs_rebuild one: vector more - > 2 Dot"],
        ),
        (
            |spec| spec.vectors = BTreeMap::from([("text".into(), vector(4, Distance::Cosine))]),
            |_| {},
            &["needs_rebuild one: vector text - > 4 Cosine", "destructive one: vector 4 Cosine > -"],
        ),
        (
            |spec| spec.payload_indexes.extend([("page".into(), IndexType::Integer)]),
            |_| {},
            &["in_place one: payload index page - > integer"],
        ),
        (
            |spec| spec.payload_indexes.extend([("source".into(), IndexType::Text)]),
            |_| {},
            &["in_place one: payload index source keyword > text"],
        ),
        (
            |spec| spec.payload_indexes.clear(),
            |live| one(live).sparse_vectors.push("words".into()),
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
            |spec| spec.alias = Some("one_more".into()),
            |live| live.aliases.extend([("one_more".into(), "one".into())]),
            &["undeclared alias chunks of one"],
        ),
        (
            |_| {},
            |live| live.collections.extend([("chunks".into(), LiveCollection::default())]),
            &["`chunks` is declared as an alias, but on the server it is a collection"],
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

#[test]
fn what_needs_a_rebuild_refuses_everything_unless_the_rest_is_asked_for() {
    let mut declared = spec("one");
    let live = live_from(&[declared.clone()]);
    declared.hnsw.m = Some(32);
    declared.vectors.insert(String::new(), vector(5, Distance::Cosine));
    let plan = plan(&[declared], &live).expect("a plan");
    let error = plan.applicable(Extent::Whole).expect_err("the size differs");
    assert_eq!(error.to_string(), "vector.size of one (4 -> 5) cannot be changed in place");
    assert_eq!(plan.applicable(Extent::InPlace).expect("the rest").len(), 1);
}

fn any_spec() -> impl Strategy<Value = CollectionSpec> {
    let distance = prop::sample::select(Distance::ALL.to_vec());
    let vector = (1..100_u64, distance, any::<Option<bool>>()).prop_map(|(size, distance, on_disk)| VectorSpec {
        size,
        distance,
        on_disk,
    });
    let index = prop::sample::select(IndexType::ALL.to_vec());
    (
        "c[a-f]",
        prop::option::of("alias_[a-f]"),
        prop::collection::btree_map("[a-c]?", vector, 1..3),
        any::<Option<bool>>(),
        (any::<Option<u64>>(), any::<Option<u64>>()),
        prop::collection::btree_map("[a-d]", index, 0..4),
    )
        .prop_map(|(name, alias, vectors, on_disk_payload, (m, ef_construct), payload_indexes)| CollectionSpec {
            name,
            alias,
            vectors,
            on_disk_payload,
            hnsw: HnswSpec { m, ef_construct },
            payload_indexes,
        })
}

/// As the file's reader gives them: each name and each alias once.
fn any_specs() -> impl Strategy<Value = Vec<CollectionSpec>> {
    prop::collection::vec(any_spec(), 0..5).prop_map(|mut specs| {
        let mut seen = std::collections::HashSet::new();
        specs.retain(|spec| seen.insert(spec.name.clone()));
        for spec in &mut specs {
            spec.alias = spec.alias.take().filter(|alias| seen.insert(alias.clone()));
        }
        specs
    })
}

proptest! {
    #[test]
    fn what_is_declared_needs_no_change(specs in any_specs()) {
        prop_assert_eq!(plan(&specs, &live_from(&specs)).expect("a plan"), super::Plan::default());
    }

    #[test]
    fn any_two_states_have_a_plan(declared in any_specs(), there in any_specs()) {
        let plan = plan(&declared, &live_from(&there)).expect("names and aliases differ");
        prop_assert_eq!(plan.changes.is_empty(), shown(&declared, &live_from(&there)).iter().all(|line| line.starts_with("undeclared")));
    }
}
