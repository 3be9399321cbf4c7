//! What has to change on a server to make it what is declared: a value that can be shown, tested, and then applied.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::parameter::{NONE, Parameter, Scope, Value};
use crate::{CollectionSpec, Error, IndexSpec, Live, LiveCollection, RebuildStage, Settings};

/// The first version that adds a vector to a collection.
const ADDS_VECTORS: (u32, u32) = (1, 18);

/// The differences between what is declared and what is there. Empty when there is nothing to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are applied.
    pub changes: Vec<Change>,
    /// What is there and not declared. It is never touched.
    pub undeclared: Vec<Undeclared>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The declared collection.
    pub collection: String,
    /// What of it.
    pub what: What,
    /// Whether it can be changed as it is.
    pub kind: ChangeKind,
    /// What is there; `None` when nothing is.
    pub from: Option<String>,
    /// What is declared; `None` when nothing is.
    pub to: Option<String>,
}

/// What differs. A vector without a name has the empty one; paths are those of the table of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The collection is not there.
    Collection,
    /// The payload index on this path.
    PayloadIndex(String),
    /// A parameter of the collection itself.
    Parameter(&'static str),
    /// A parameter of a dense vector.
    #[expect(missing_docs, reason = "the fields say what they are")]
    VectorParameter { vector: String, path: &'static str },
    /// A parameter of a sparse vector.
    #[expect(missing_docs, reason = "the fields say what they are")]
    SparseVectorParameter { vector: String, path: &'static str },
    /// The vector of this name is only declared, or only there.
    Vector(String),
    /// The sparse vector of this name is only declared.
    SparseVector(String),
    /// Where this alias leads: `from` and `to` are collections.
    Alias(String),
}

/// Whether a change can be carried out on what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Yes, while the collection is in use.
    InPlace,
    /// The points have to be written anew, to another collection.
    NeedsRebuild,
    /// It would throw data away.
    Destructive,
}

/// Something on the server that no declaration mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum Undeclared {
    Collection {
        name: String,
    },
    PayloadIndex {
        collection: String,
        path: String,
    },
    SparseVector {
        collection: String,
        name: String,
    },
    Alias {
        name: String,
        collection: String,
    },
    /// A collection that belongs to a rebuild: what `of` was before it, or is to be after it.
    Generation {
        name: String,
        of: String,
        is_unfinished: bool,
    },
}

impl Change {
    /// Whether an alias is to have the name that a collection has now.
    #[must_use]
    pub fn is_cut_over(&self) -> bool {
        matches!(&self.what, What::Alias(alias) if self.from.as_ref() == Some(alias))
    }
}

impl What {
    /// The sort of thing, without its name: `payload_index`, `hnsw.m`, `vector.size`.
    #[must_use]
    pub fn sort(&self) -> String {
        match self {
            Self::Collection => "collection".into(),
            Self::PayloadIndex(_) => "payload_index".into(),
            Self::Parameter(path) => (*path).into(),
            Self::VectorParameter { path, .. } => format!("vector.{path}"),
            Self::SparseVectorParameter { path, .. } => format!("sparse_vector.{path}"),
            Self::Vector(_) => "vector".into(),
            Self::SparseVector(_) => "sparse_vector".into(),
            Self::Alias(_) => "alias".into(),
        }
    }

    /// Which one, where a collection may have several.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Collection | Self::Parameter(_) => None,
            Self::PayloadIndex(name)
            | Self::VectorParameter { vector: name, .. }
            | Self::SparseVectorParameter { vector: name, .. }
            | Self::Vector(name)
            | Self::SparseVector(name)
            | Self::Alias(name) => Some(name.as_str()).filter(|name| !name.is_empty()),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sort = match self {
            Self::PayloadIndex(_) => "payload index".into(),
            Self::SparseVector(_) => "sparse vector".into(),
            _ => self.sort(),
        };
        match self.name() {
            Some(name) => write!(f, "{sort} {name}"),
            None => f.write_str(&sort),
        }
    }
}

impl ChangeKind {
    /// A word for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in_place",
            Self::NeedsRebuild => "needs_rebuild",
            Self::Destructive => "destructive",
        }
    }
}

impl fmt::Display for Undeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collection { name } => write!(f, "collection {name}"),
            Self::PayloadIndex { collection, path } => write!(f, "payload index {path} of {collection}"),
            Self::SparseVector { collection, name } => write!(f, "sparse vector {name} of {collection}"),
            Self::Alias { name, collection } => write!(f, "alias {name} of {collection}"),
            Self::Generation { name, of, is_unfinished: true } => {
                write!(f, "collection {name}, an unfinished rebuild of {of}")
            }
            Self::Generation { name, of, is_unfinished: false } => write!(f, "collection {name}, rebuilt into {of}"),
        }
    }
}

/// Compares what is declared with what is there. What a declaration leaves open is not compared.
///
/// # Errors
///
/// [`Error::NameTaken`] when an alias has the name of a declared collection: Qdrant keeps both in one namespace, and
/// there is no way on that loses nothing.
pub fn plan(declared: &[CollectionSpec], live: &Live) -> Result<Plan, Error> {
    let declared = &live.standing(declared);
    let mut plan = Plan::default();
    let adds_vectors = live.adds_vectors();
    for spec in declared {
        if let Some(collection) = live.aliases.get(&spec.name) {
            return Err(Error::NameTaken {
                name: spec.name.clone(),
                declared_as: "a collection",
                taken_by: format!("an alias of the collection {collection}"),
            });
        }
        let changes = match live.collections.get(&spec.name) {
            Some(there) => differences(spec, there, adds_vectors),
            None => creation(spec),
        };
        plan.changes.extend(changes);
    }
    // Last: an alias leads to nothing that is not ready.
    plan.changes.extend(declared.iter().filter_map(|spec| alias(spec, live)));
    plan.undeclared = undeclared(declared, live);
    Ok(plan)
}

impl Live {
    /// Whether the server adds a vector to a collection. A version that is named otherwise is a development build's.
    pub(crate) fn adds_vectors(&self) -> bool {
        self.version.is_none_or(|version| version >= ADDS_VECTORS)
    }
}

fn creation(spec: &CollectionSpec) -> Vec<Change> {
    let vectors = spec.vectors.iter().map(|(name, vector)| match name.as_str() {
        "" => describe(vector),
        name => format!("{name}: {}", describe(vector)),
    });
    let sparse = spec.sparse_vectors.iter().map(|(name, vector)| format!("{name}: {}", describe_sparse(vector)));
    let vectors = vectors.chain(sparse).collect::<Vec<_>>().join(", ");
    let indexes =
        spec.payload_indexes.iter().map(|(path, index)| (What::PayloadIndex(path.clone()), index.to_string()));
    let all = std::iter::once((What::Collection, vectors)).chain(indexes);
    all.map(|(what, to)| in_place(spec, what, None, to)).collect()
}

fn describe(vector: &Settings) -> String {
    let word = |path: &str| vector.get(path).map_or_else(|| "unknown".into(), |value| value.to_string());
    let several = if vector.get("multivector.comparator").is_some() { ", several per point" } else { "" };
    format!("{} {}{several}", word("size"), word("distance"))
}

fn describe_sparse(vector: &Settings) -> String {
    match vector.get("modifier").filter(|modifier| *modifier != Value::Word(NONE)) {
        Some(modifier) => format!("sparse {modifier}"),
        None => "sparse".into(),
    }
}

fn in_place(spec: &CollectionSpec, what: What, from: Option<String>, to: impl ToString) -> Change {
    Change { collection: spec.name.clone(), what, kind: ChangeKind::InPlace, from, to: Some(to.to_string()) }
}

/// What a collection has otherwise than it is declared.
pub(crate) fn differences(spec: &CollectionSpec, live: &LiveCollection, adds_vectors: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    let new_vector = |what, to: String, adds_vectors| {
        let kind = if adds_vectors { ChangeKind::InPlace } else { ChangeKind::NeedsRebuild };
        Change { kind, ..in_place(spec, what, None, to) }
    };
    for (name, vector) in &spec.vectors {
        match live.vectors.get(name) {
            Some(live) => changes.extend(parameters(spec, Scope::Vector, vector, live, |path| What::VectorParameter {
                vector: name.clone(),
                path,
            })),
            None => {
                // A collection has one vector without a name, or vectors with names.
                let fits = adds_vectors && !name.is_empty() && !live.vectors.contains_key("");
                changes.push(new_vector(What::Vector(name.clone()), describe(vector), fits));
            }
        }
    }
    for (name, vector) in live.vectors.iter().filter(|(name, _)| !spec.vectors.contains_key(*name)) {
        changes.push(Change {
            collection: spec.name.clone(),
            what: What::Vector(name.clone()),
            kind: ChangeKind::Destructive,
            from: Some(describe(vector)),
            to: None,
        });
    }
    for (name, vector) in &spec.sparse_vectors {
        match live.sparse_vectors.get(name) {
            Some(live) => changes.extend(parameters(spec, Scope::SparseVector, vector, live, |path| {
                What::SparseVectorParameter { vector: name.clone(), path }
            })),
            None => changes.push(new_vector(What::SparseVector(name.clone()), describe_sparse(vector), adds_vectors)),
        }
    }
    changes.extend(parameters(spec, Scope::Collection, &spec.settings, &live.settings, What::Parameter));
    for (path, wanted) in &spec.payload_indexes {
        let there = live.payload_indexes.get(path);
        let from = there.map(|there| there.as_ref().map(|there| alike(there, wanted)));
        if from.as_ref().is_none_or(|from| from.as_ref() != Some(wanted)) {
            let from = from.map(|from| from.map_or_else(|| "unknown".into(), |from| from.to_string()));
            changes.push(in_place(spec, What::PayloadIndex(path.clone()), from, wanted));
        }
    }
    changes
}

/// The parameters that are declared otherwise than they are.
fn parameters(
    spec: &CollectionSpec,
    scope: Scope,
    declared: &Settings,
    live: &Settings,
    what: impl Fn(&'static str) -> What,
) -> Vec<Change> {
    let differing = declared.of(scope).filter(|(parameter, wanted)| live.get(parameter.path) != Some(wanted.clone()));
    let change = |(parameter, wanted): (&'static Parameter, Value)| {
        let from = live.get(parameter.path).map_or_else(|| "not set".into(), |value| value.to_string());
        let kind = if parameter.in_place { ChangeKind::InPlace } else { ChangeKind::NeedsRebuild };
        Change { kind, ..in_place(spec, what(parameter.path), Some(from), wanted) }
    };
    differing.map(change).collect()
}

/// The index that is there with no more parameters than the declared one names.
fn alike(there: &IndexSpec, wanted: &IndexSpec) -> IndexSpec {
    let mut settings = Settings::default();
    if there.index_type == wanted.index_type {
        let declared = wanted.settings.of(Scope::PayloadIndex(wanted.index_type));
        declared.for_each(|(parameter, _)| {
            if let Some(value) = there.settings.get(parameter.path) {
                settings.set(parameter, value);
            }
        });
    }
    IndexSpec { index_type: there.index_type, settings }
}

/// Where the alias has to lead, if it does not yet. Away from points to none, or to a copy that is not whole, it would
/// leave the application without an answer, so that waits until the new collection is filled. So does an alias whose
/// name a collection has: that one has to make room.
fn alias(spec: &CollectionSpec, live: &Live) -> Option<Change> {
    let alias = spec.alias.as_ref()?;
    let there = live.aliases.get(alias);
    if there == Some(&spec.name) {
        return None;
    }
    let taken = live.collections.contains_key(alias).then_some(alias);
    let has_points = |name: &String| live.collections.get(name).is_some_and(|collection| !collection.is_empty);
    let is_less = there.is_some_and(has_points) && !has_points(&spec.name);
    // What was rebuilt from the one that the alias leads to is behind it again, if the alias was moved back.
    let is_behind =
        live.note(&spec.name).is_some_and(|note| note.stage != RebuildStage::Done || there == Some(&note.of));
    let waits = taken.is_some() || is_less || is_behind;
    let kind = if waits { ChangeKind::NeedsRebuild } else { ChangeKind::InPlace };
    let from = there.or(taken).cloned();
    Some(Change { kind, ..in_place(spec, What::Alias(alias.clone()), from, &spec.name) })
}

fn undeclared(declared: &[CollectionSpec], live: &Live) -> Vec<Undeclared> {
    let mut found = Vec::new();
    let specs: BTreeMap<_, _> = declared.iter().map(|spec| (&spec.name, spec)).collect();
    let before = declared.iter().flat_map(|spec| live.before(&spec.name).into_iter().map(move |old| (old, &spec.name)));
    let rebuilt: BTreeMap<_, _> = before.collect();
    let names: BTreeSet<_> = live.collections.keys().chain(&live.others).collect();
    for name in names {
        let (Some(spec), Some(collection)) = (specs.get(name), live.collections.get(name)) else {
            let unfinished = live.note(name).filter(|note| specs.contains_key(&note.of)).map(|note| &note.of);
            found.push(match unfinished.or(rebuilt.get(name).copied()) {
                Some(of) => {
                    Undeclared::Generation { name: name.clone(), of: of.clone(), is_unfinished: unfinished.is_some() }
                }
                None => Undeclared::Collection { name: name.clone() },
            });
            continue;
        };
        let of = || name.clone();
        let paths = collection.payload_indexes.keys().filter(|path| !spec.payload_indexes.contains_key(*path));
        found.extend(paths.map(|path| Undeclared::PayloadIndex { collection: of(), path: path.clone() }));
        let sparse = collection.sparse_vectors.keys().filter(|name| !spec.sparse_vectors.contains_key(*name));
        found.extend(sparse.map(|vector| Undeclared::SparseVector { collection: of(), name: vector.clone() }));
    }
    let aliases =
        live.aliases.iter().filter(|(alias, _)| !declared.iter().any(|spec| spec.alias.as_ref() == Some(*alias)));
    found.extend(
        aliases.map(|(alias, collection)| Undeclared::Alias { name: alias.clone(), collection: collection.clone() }),
    );
    found
}

#[cfg(test)]
mod tests;
