//! What has to change on a server to make it what is declared: a value that can be shown, tested, and then applied.

use std::fmt;

use crate::live::LiveVector;
use crate::{CollectionSpec, Error, Live, LiveCollection, VectorSpec};

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

/// What differs. A vector without a name has the empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The collection is not there.
    Collection,
    /// The payload index on this path.
    PayloadIndex(String),
    /// Links per point of the graph index.
    HnswM,
    /// Candidates while the graph index is built.
    HnswEfConstruct,
    /// Where payloads are kept.
    OnDiskPayload,
    /// Where the vectors of this name are kept.
    VectorOnDisk(String),
    /// The dimensions of this vector.
    VectorSize(String),
    /// How two vectors of this name are compared.
    VectorDistance(String),
    /// The vector of this name is only declared, or only there.
    Vector(String),
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
    /// The sort of thing, without its name.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::PayloadIndex(_) => "payload_index",
            Self::HnswM => "hnsw.m",
            Self::HnswEfConstruct => "hnsw.ef_construct",
            Self::OnDiskPayload => "on_disk_payload",
            Self::VectorOnDisk(_) => "vector.on_disk",
            Self::VectorSize(_) => "vector.size",
            Self::VectorDistance(_) => "vector.distance",
            Self::Vector(_) => "vector",
            Self::Alias(_) => "alias",
        }
    }

    /// Which one, where a collection may have several.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Collection | Self::HnswM | Self::HnswEfConstruct | Self::OnDiskPayload => None,
            Self::PayloadIndex(name)
            | Self::VectorOnDisk(name)
            | Self::VectorSize(name)
            | Self::VectorDistance(name)
            | Self::Vector(name)
            | Self::Alias(name) => Some(name.as_str()).filter(|name| !name.is_empty()),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sort = self.sort().replace("payload_index", "payload index");
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
            Some(live) => differences(spec, live),
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
    let vectors = vectors.collect::<Vec<_>>().join(", ");
    let indexes =
        spec.payload_indexes.iter().map(|(path, index)| (What::PayloadIndex(path.clone()), index.to_string()));
    let all = std::iter::once((What::Collection, vectors)).chain(indexes);
    all.map(|(what, to)| in_place(spec, what, None, to)).collect()
}

fn describe(vector: &VectorSpec) -> String {
    format!("{} {}", vector.size, vector.distance)
}

fn in_place(spec: &CollectionSpec, what: What, from: Option<String>, to: impl ToString) -> Change {
    Change { collection: spec.name.clone(), what, kind: ChangeKind::InPlace, from, to: Some(to.to_string()) }
}

fn differences(spec: &CollectionSpec, live: &LiveCollection) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, vector) in &spec.vectors {
        match live.vectors.get(name) {
            Some(live) => vector_differences(spec, name, vector, live, &mut changes),
            None => changes.push(Change {
                kind: ChangeKind::NeedsRebuild,
                ..in_place(spec, What::Vector(name.clone()), None, describe(vector))
            }),
        }
    }
    for (name, vector) in live.vectors.iter().filter(|(name, _)| !spec.vectors.contains_key(*name)) {
        changes.push(Change {
            collection: spec.name.clone(),
            what: What::Vector(name.clone()),
            kind: ChangeKind::Destructive,
            from: Some(format!("{} {}", vector.size, known(vector.distance))),
            to: None,
        });
    }
    for (what, wanted, there) in
        [(What::HnswM, spec.hnsw.m, live.m), (What::HnswEfConstruct, spec.hnsw.ef_construct, live.ef_construct)]
    {
        if let Some(wanted) = wanted.filter(|_| wanted != there) {
            changes.push(in_place(spec, what, Some(known(there)), wanted));
        }
    }
    if let Some(wanted) = spec.on_disk_payload.filter(|wanted| *wanted != live.on_disk_payload) {
        changes.push(in_place(spec, What::OnDiskPayload, Some(live.on_disk_payload.to_string()), wanted));
    }
    for (path, wanted) in &spec.payload_indexes {
        let there = live.payload_indexes.get(path);
        if there != Some(&Some(*wanted)) {
            let from = there.map(|there| known(*there));
            changes.push(in_place(spec, What::PayloadIndex(path.clone()), from, wanted));
        }
    }
    changes
}

fn vector_differences(
    spec: &CollectionSpec,
    name: &str,
    wanted: &VectorSpec,
    live: &LiveVector,
    changes: &mut Vec<Change>,
) {
    let rebuild =
        |what, from, to: String| Change { kind: ChangeKind::NeedsRebuild, ..in_place(spec, what, Some(from), to) };
    if wanted.size != live.size {
        changes.push(rebuild(What::VectorSize(name.into()), live.size.to_string(), wanted.size.to_string()));
    }
    if Some(wanted.distance) != live.distance {
        let what = What::VectorDistance(name.into());
        changes.push(rebuild(what, known(live.distance), wanted.distance.to_string()));
    }
    if let Some(on_disk) = wanted.on_disk.filter(|on_disk| *on_disk != live.on_disk) {
        let what = What::VectorOnDisk(name.into());
        changes.push(in_place(spec, what, Some(live.on_disk.to_string()), on_disk));
    }
}

fn known(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "unknown".into(), |value| value.to_string())
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
        let sparse = collection.sparse_vectors.iter();
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
