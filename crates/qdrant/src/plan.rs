//! What has to change on a server to make it what is declared: a value that can be shown, tested, and then applied.

use std::fmt;

use crate::parameter::{NONE, Parameter, Scope, Value};
use crate::{CollectionSpec, Error, IndexSpec, Live, LiveCollection, Settings};

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
    Collection { name: String },
    PayloadIndex { collection: String, path: String },
    SparseVector { collection: String, name: String },
    Alias { name: String, collection: String },
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
        }
    }
}

/// Compares what is declared with what is there. What a declaration leaves open is not compared.
///
/// # Errors
///
/// [`Error::NameTaken`] when a collection or alias of another kind stands in the way: Qdrant keeps both in one
/// namespace, and there is no way on that loses nothing.
pub fn plan(declared: &[CollectionSpec], live: &Live) -> Result<Plan, Error> {
    let mut plan = Plan::default();
    // A version that is named otherwise is a development build's.
    let adds_vectors = live.version.is_none_or(|version| version >= ADDS_VECTORS);
    for spec in declared {
        if let Some(collection) = live.aliases.get(&spec.name) {
            return Err(Error::NameTaken {
                name: spec.name.clone(),
                declared_as: "a collection",
                taken_by: format!("an alias of the collection {collection}"),
            });
        }
        if let Some(alias) = spec.alias.as_ref().filter(|alias| live.collections.contains_key(*alias)) {
            return Err(Error::NameTaken {
                name: alias.clone(),
                declared_as: "an alias",
                taken_by: "a collection".into(),
            });
        }
        let changes = match live.collections.get(&spec.name) {
            Some(live) => differences(spec, live, adds_vectors),
            None => creation(spec),
        };
        plan.changes.extend(changes);
    }
    // Last: an alias leads to nothing that is not ready.
    plan.changes.extend(declared.iter().filter_map(|spec| alias(spec, live)));
    plan.undeclared = undeclared(declared, live);
    Ok(plan)
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

fn differences(spec: &CollectionSpec, live: &LiveCollection, adds_vectors: bool) -> Vec<Change> {
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

/// Where the alias has to lead, if it does not yet. Away from points to none, it would leave the application without
/// an answer, so that waits until the new collection is filled.
fn alias(spec: &CollectionSpec, live: &Live) -> Option<Change> {
    let alias = spec.alias.as_ref()?;
    let there = live.aliases.get(alias);
    if there == Some(&spec.name) {
        return None;
    }
    let has_points = |name: &String| live.collections.get(name).is_some_and(|collection| !collection.is_empty);
    let waits = there.is_some_and(has_points) && !has_points(&spec.name);
    let kind = if waits { ChangeKind::NeedsRebuild } else { ChangeKind::InPlace };
    Some(Change { kind, ..in_place(spec, What::Alias(alias.clone()), there.cloned(), &spec.name) })
}

fn undeclared(declared: &[CollectionSpec], live: &Live) -> Vec<Undeclared> {
    let mut found = Vec::new();
    for (name, collection) in &live.collections {
        let Some(spec) = declared.iter().find(|spec| spec.name == *name) else {
            found.push(Undeclared::Collection { name: name.clone() });
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
