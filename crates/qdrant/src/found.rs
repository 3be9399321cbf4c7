//! What is on a server as declarations: the way back from [`Live`] to the file. What has the value that a server takes
//! by itself is left out, as people leave it out.

use std::collections::BTreeMap;

use crate::parameter::{Kind, Parameter, Scope, UNKNOWN, Value};
use crate::{CollectionSpec, IndexSpec, Live, LiveCollection, RebuildStage, Settings};

/// The collections of a server as they would be declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Those that can be declared, by name.
    pub specs: Vec<CollectionSpec>,
    /// What cannot, in words.
    pub left_out: Vec<String>,
}

/// What a server takes where a new collection says nothing: `config/config.yaml` of Qdrant itself. A server that is set
/// up otherwise tells other values, which are then declared. Vectors and indexes say nothing of what they were not
/// given. What some servers tell and others do not stands here too.
static USUAL: &[(&str, Value)] = &[
    ("shard_number", Value::Integer(1)),
    ("replication_factor", Value::Integer(1)),
    ("write_consistency_factor", Value::Integer(1)),
    ("on_disk_payload", Value::Bool(true)),
    ("hnsw.m", Value::Integer(16)),
    ("hnsw.ef_construct", Value::Integer(100)),
    ("hnsw.full_scan_threshold", Value::Integer(10_000)),
    ("hnsw.max_indexing_threads", Value::Integer(0)),
    ("hnsw.on_disk", Value::Bool(false)),
    ("hnsw.inline_storage", Value::Bool(false)),
    ("optimizers.deleted_threshold", Value::Float(0.2)),
    ("optimizers.vacuum_min_vector_number", Value::Integer(1000)),
    ("optimizers.default_segment_number", Value::Integer(0)),
    // Before 1.15 it was the second.
    ("optimizers.indexing_threshold", Value::Integer(10_000)),
    ("optimizers.indexing_threshold", Value::Integer(20_000)),
    ("optimizers.flush_interval_sec", Value::Integer(5)),
    ("optimizers.prevent_unoptimized", Value::Bool(false)),
    ("wal.wal_capacity_mb", Value::Integer(32)),
    ("wal.wal_segments_ahead", Value::Integer(0)),
    ("wal.wal_retain_closed", Value::Integer(1)),
    ("strict_mode.enabled", Value::Bool(false)),
];

/// Declares what is there.
#[must_use]
pub fn found(live: &Live) -> Found {
    let mut found = Found::default();
    for (name, collection) in &live.collections {
        let is_unfinished = live.note(name).is_some_and(|note| note.stage != RebuildStage::Done);
        if is_unfinished {
            found.left_out.push(format!("collection {name}: an unfinished rebuild"));
        } else if collection.vectors.is_empty() && collection.sparse_vectors.is_empty() {
            found.left_out.push(format!("collection {name}: it has no vectors"));
        } else {
            let spec = collection_spec(name, collection, &mut found.left_out);
            found.specs.push(spec);
        }
    }
    for (alias, collection) in &live.aliases {
        match found.specs.iter_mut().find(|spec| spec.name == *collection) {
            Some(spec) if spec.alias.is_none() => spec.alias = Some(alias.clone()),
            _ => found.left_out.push(format!("alias {alias} of {collection}: a collection is declared with one alias")),
        }
    }
    found
}

fn collection_spec(name: &str, live: &LiveCollection, left_out: &mut Vec<String>) -> CollectionSpec {
    let mut told = |scope: Scope, settings: &Settings, what: &str| told(scope, settings, what, left_out);
    let mut vectors = |scope: Scope, vectors: &BTreeMap<String, Settings>| {
        let one = |(vector, settings): (&String, &Settings)| {
            (vector.clone(), told(scope, settings, &format!("vector {vector} of {name}")))
        };
        vectors.iter().map(one).collect()
    };
    let (dense, sparse) = (vectors(Scope::Vector, &live.vectors), vectors(Scope::SparseVector, &live.sparse_vectors));
    let settings = told(Scope::Collection, &live.settings, &format!("collection {name}"));
    let mut payload_indexes = BTreeMap::new();
    let mut unknown = Vec::new();
    for (path, index) in &live.payload_indexes {
        let what = format!("payload index {path} of {name}");
        let Some(IndexSpec { index_type, settings }) = index else {
            unknown.push(format!("{what}: its type is not known to this version of dbops"));
            continue;
        };
        let settings = told(Scope::PayloadIndex(*index_type), settings, &what);
        payload_indexes.insert(path.clone(), IndexSpec { index_type: *index_type, settings });
    }
    left_out.append(&mut unknown);
    let name = name.to_owned();
    let (vectors, sparse_vectors) = (dense, sparse);
    CollectionSpec { name, vectors, sparse_vectors, settings, payload_indexes, ..CollectionSpec::default() }
}

/// The settings that say something: what a server does where nothing is said is left out.
fn told(scope: Scope, settings: &Settings, what: &str, left_out: &mut Vec<String>) -> Settings {
    let mut told = Settings::default();
    for (parameter, value) in settings.of(scope) {
        if is_unspoken(scope, parameter, &value) {
            continue;
        }
        if is_declarable(parameter, &value) {
            told.set(parameter, value);
        } else {
            left_out.push(format!("{what}: the value of {} is not known to this version of dbops", parameter.path));
        }
    }
    told
}

fn is_unspoken(scope: Scope, parameter: &Parameter, value: &Value) -> bool {
    let is_usual =
        scope == Scope::Collection && USUAL.iter().any(|(path, usual)| *path == parameter.path && *usual == *value);
    !parameter.is_required && (is_usual || parameter.absent == Some(value))
}

fn is_declarable(parameter: &Parameter, value: &Value) -> bool {
    match (parameter.kind, value) {
        (Kind::Set(known), Value::Set(words)) => {
            known.is_empty() || words.iter().all(|word| known.contains(&word.as_str()))
        }
        (_, Value::Word(word)) => *word != UNKNOWN,
        _ => true,
    }
}
