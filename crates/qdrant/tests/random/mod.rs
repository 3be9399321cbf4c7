//! Declarations at random, such as any server takes: small numbers, and what belongs together together.

use std::collections::BTreeMap;

use dbops_qdrant::parameter::{Kind, NONE, Parameter, Scope, Value, parameters};
use dbops_qdrant::{CollectionSpec, IndexSpec, IndexType, Settings};
use proptest::prelude::*;

/// A value that is no burden to the server.
fn value(parameter: &'static Parameter) -> BoxedStrategy<Value> {
    let few = |least: u64, most: u64| (least..=most).prop_map(Value::Integer).boxed();
    match (parameter.path, parameter.kind) {
        // Custom sharding needs keys; strict mode would refuse what these tests do.
        ("sharding_method", _) => Just(Value::Word("auto")).boxed(),
        ("strict_mode.enabled", _) => Just(Value::Bool(false)).boxed(),
        ("wal.wal_capacity_mb" | "shard_number" | "replication_factor", _) => few(1, 2),
        ("min_token_len", _) => few(0, 3),
        ("max_token_len", _) => few(4, 20),
        // What the embedded server says that it lacks.
        ("prefix", _) => Just(Value::Bool(false)).boxed(),
        (_, Kind::Bool) => any::<bool>().prop_map(Value::Bool).boxed(),
        (_, Kind::Integer { least, .. }) => few(least, least + 7),
        (_, Kind::Float { least, most }) => (least..=most.min(4.0)).prop_map(Value::Float).boxed(),
        // The same.
        ("scoring", _) => Just(Value::Word(NONE)).boxed(),
        ("tokenizer", _) => prop::sample::select(vec!["word", "prefix", "multilingual"]).prop_map(Value::Word).boxed(),
        (_, Kind::Set([])) => prop::collection::vec("[a-zA-Zä]{1,4}", 0..4).prop_map(Value::Set).boxed(),
        (_, Kind::Set(words)) => {
            let some = prop::sample::subsequence(words, 0..3);
            some.prop_map(|some| Value::Set(some.into_iter().map(ToOwned::to_owned).collect())).boxed()
        }
        (_, Kind::PerVector(_)) => {
            prop::collection::btree_map("[a-c]", 1..9_u64, 0..3).prop_map(Value::PerVector).boxed()
        }
        (_, Kind::Text) => Just(Value::Text("key[]".into())).boxed(),
        (_, Kind::Word(_) | Kind::Name(_) | Kind::Choice(_)) => {
            prop::sample::select(parameter.kind.words()).prop_map(Value::Word).boxed()
        }
    }
}

/// Some of the parameters of `scope`, and those that have to be there.
pub(crate) fn settings(scope: Scope) -> impl Strategy<Value = Settings> {
    let each = parameters(scope).map(|parameter| {
        let value = match parameter.path {
            "size" | "distance" => value(parameter).prop_map(Some).boxed(),
            // A choice without its parameters is made more often than with none of them.
            "quantization.product.compression" => value(parameter).prop_map(Some).boxed(),
            // The embedded server says that it lacks it.
            "nested" => Just(None).boxed(),
            _ => prop::option::weighted(0.4, value(parameter)).boxed(),
        };
        value.prop_map(move |value| (parameter, value))
    });
    each.collect::<Vec<_>>().prop_map(belonging_together)
}

fn belonging_together(values: Vec<(&'static Parameter, Option<Value>)>) -> Settings {
    let mut settings = Settings::default();
    for (parameter, value) in values {
        let Some(value) = value else { continue };
        let chosen = match settings.get("quantization") {
            Some(Value::Word(word)) => word,
            _ => NONE,
        };
        let is_of_another = parameter.path.starts_with("quantization.")
            && !parameter.path.starts_with(&format!("quantization.{chosen}."));
        // An index that serves nothing is refused.
        let is_last = parameter.path == "range" && settings.get("lookup") == Some(Value::Bool(false));
        if !is_of_another && !is_last {
            settings.set(parameter, value);
        }
    }
    settings
}

/// A sparse vector. Whether it has a modifier goes by its name: not every server changes that.
fn sparse_vectors() -> impl Strategy<Value = BTreeMap<String, Settings>> {
    let one = settings(Scope::SparseVector);
    prop::collection::btree_map(prop::sample::select(vec!["plain", "rare"]), one, 0..2).prop_map(|vectors| {
        let modifier = parameters(Scope::SparseVector).find(|it| it.path == "modifier").expect("it is in the table");
        let one = |(name, mut settings): (&str, Settings)| {
            settings.set(modifier, Value::Word(if name == "rare" { "idf" } else { NONE }));
            (name.to_owned(), settings)
        };
        vectors.into_iter().map(one).collect()
    })
}

fn payload_index() -> impl Strategy<Value = IndexSpec> {
    prop::sample::select(IndexType::ALL.to_vec()).prop_flat_map(|index_type| {
        settings(Scope::PayloadIndex(index_type)).prop_map(move |settings| IndexSpec { index_type, settings })
    })
}

/// A collection without name and alias.
pub(crate) fn collection() -> impl Strategy<Value = CollectionSpec> {
    let vectors = prop_oneof![
        1 => settings(Scope::Vector).prop_map(|unnamed| BTreeMap::from([(String::new(), unnamed)])),
        3 => prop::collection::btree_map("[a-c]", settings(Scope::Vector), 1..3),
    ];
    let indexes = prop::collection::btree_map("[a-d]", payload_index(), 0..4);
    (vectors, sparse_vectors(), settings(Scope::Collection), indexes).prop_map(
        |(vectors, sparse_vectors, settings, payload_indexes)| CollectionSpec {
            vectors,
            sparse_vectors,
            settings,
            payload_indexes,
            ..CollectionSpec::default()
        },
    )
}
