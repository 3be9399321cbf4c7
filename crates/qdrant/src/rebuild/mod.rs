//! A collection rebuilt behind its alias: what has to be done, and the steps of it.
//!
//! The new collection is made with a note of what it is ([`crate::RebuildNote`]), filled, and followed up until nothing
//! changes any more; then the aliases move in one call. A run that broke off is gone on with by what the note says.

mod copy;
mod lock;
mod record;
mod same;

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use qdrant_client::qdrant::CollectionStatus;

use crate::generation::NOTE;
use crate::parameter::{Scope, Value};
use crate::plan::differences;
use crate::points::metadata;
use crate::{
    AliasMove, ChangeKind, CollectionSpec, CollectionState, Error, IndexSpec, Live, LiveCollection, RebuildNote,
    RebuildStage, Server, Settings, generation, live, standing,
};

pub use copy::{Copied, Copier, CopyOptions, Copying};
pub use lock::RebuildLock;

/// The first version that keeps notes in collections.
const KEEPS_NOTES: (u32, u32) = (1, 16);
/// How often it is looked whether the optimizations are over.
const LOOK: Duration = Duration::from_millis(500);

/// A rebuild to be made, or to be gone on with.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebuild {
    /// The new collection; its name is where the points go.
    pub spec: CollectionSpec,
    /// The collection as it is declared.
    pub declared: String,
    /// The collection that it takes the place of.
    pub from: String,
    /// The names that lead there, and are moved.
    pub aliases: Vec<String>,
    /// The alias has the name of `from`, which has to go.
    pub is_cut_over: bool,
    /// Where it begins.
    pub stage: Stage,
    /// The vectors of `from` that are not declared, whose data would not be copied.
    pub dropped_vectors: Vec<String>,
}

/// Where a rebuild begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The points have to be copied, or the copy has to be gone on with.
    Fill,
    /// The alias was moved; what was written to the old collection until then may have to follow.
    Tail,
    /// The old collection was deleted to make room for the alias, which has to be made.
    Name,
}

/// Whether the lengths of vectors are needed that Qdrant did not keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lengths {
    /// The vectors that were compared by cosine, and will not be.
    pub vectors: Vec<String>,
}

/// The rebuild that a declared collection needs; `None` when it is as declared, unless it is wanted `anyway`.
///
/// # Errors
///
/// [`Error::NoRebuild`] when it has no alias that could be moved.
pub fn rebuild(
    spec: &CollectionSpec,
    declared: &[CollectionSpec],
    live: &Live,
    anyway: bool,
) -> Result<Option<Rebuild>, Error> {
    let now = standing(spec, declared, &live.aliases);
    let alias = spec.alias.as_ref();
    let behind = alias.and_then(|alias| live.aliases.get(alias));
    let declared_name = &spec.name;
    let job = |to: &str, from: &str, stage, is_cut_over| {
        let there = live.collections.get(from);
        let declared_elsewhere = |alias: &String| {
            declared.iter().any(|other| other.name != spec.name && other.alias.as_ref() == Some(alias))
        };
        let leading = live.aliases.iter().filter(|(alias, to)| *to == from && !declared_elsewhere(alias));
        let mut aliases: Vec<_> = leading.map(|(alias, _)| alias.clone()).collect();
        aliases.extend(alias.filter(|alias| !aliases.contains(alias)).cloned());
        // Another name is declared as it is to be; a generation goes on as what it follows.
        let spec = if to == spec.name { spec.clone() } else { complete(spec, to, there) };
        Rebuild {
            declared: declared_name.clone(),
            from: from.to_owned(),
            aliases,
            is_cut_over,
            stage,
            dropped_vectors: there.map(|there| dropped(&spec, there)).unwrap_or_default(),
            spec,
        }
    };
    if let Some(taken) = alias.filter(|alias| live.collections.contains_key(*alias)) {
        return Ok(Some(job(&spec.name, taken, Stage::Fill, true)));
    }
    let unfinished = live.note(now).filter(|note| note.stage != RebuildStage::Done);
    if let Some(note) = unfinished {
        if behind.is_some_and(|behind| behind == now) {
            return Ok(Some(job(now, &note.of, Stage::Tail, false)));
        }
        if note.stage == RebuildStage::Swapping && Some(&note.of) == alias && behind.is_none() {
            return Ok(Some(job(now, &note.of, Stage::Name, true)));
        }
    }
    if let Some(behind) = behind.filter(|behind| *behind != now) {
        let has_points = live.collections.get(behind).is_some_and(|there| !there.is_empty);
        let is_whole = live.collections.get(now).is_some_and(|there| !there.is_empty);
        let is_copy = live.note(now).is_some_and(|note| note.of == *behind);
        return Ok((has_points && (!is_whole || is_copy)).then(|| job(now, behind, Stage::Fill, false)));
    }
    let Some(there) = live.collections.get(now) else { return Ok(None) };
    let standing = CollectionSpec { name: now.to_owned(), ..spec.clone() };
    let changes = differences(&standing, there, live.adds_vectors());
    if !anyway && changes.iter().all(|change| change.kind == ChangeKind::InPlace) {
        return Ok(None);
    }
    if alias.is_none() {
        return Err(Error::NoRebuild {
            collection: spec.name.clone(),
            reason: "it has no alias that could be moved to a new collection".into(),
            advice: "declare it under another name, with this one as its `alias`, and see `dbops qdrant reindex \
                     --cut-over`"
                .into(),
        });
    }
    Ok(Some(job(&next_generation(spec, declared, live, now), now, Stage::Fill, false)))
}

/// The vectors that are there and would not be in the new collection.
fn dropped(spec: &CollectionSpec, there: &LiveCollection) -> Vec<String> {
    let dense = there.vectors.keys().filter(|name| !spec.vectors.contains_key(*name));
    let sparse = there.sparse_vectors.keys().filter(|name| !spec.sparse_vectors.contains_key(*name));
    dense.chain(sparse).cloned().collect()
}

/// The copy that is being filled, else a name that nobody has.
fn next_generation(spec: &CollectionSpec, declared: &[CollectionSpec], live: &Live, now: &str) -> String {
    let is_declared = |name: &str| declared.iter().any(|spec| spec.name == name || spec.alias.as_deref() == Some(name));
    let known = live.collections.keys().chain(&live.others).chain(live.aliases.keys()).map(String::as_str);
    let known = known.chain(declared.iter().map(|spec| spec.name.as_str()));
    let mut last = 1;
    for name in known {
        let Some(number) = generation(&spec.name, name) else { continue };
        if name != now && !is_declared(name) && live.note(name).is_some_and(|note| note.of == now) {
            return name.to_owned();
        }
        last = last.max(number);
    }
    format!("{}.{}", spec.name, last.saturating_add(1))
}

/// What is declared, and in all else what is there: a rebuild changes nothing that the declaration leaves open.
fn complete(spec: &CollectionSpec, to: &str, there: Option<&LiveCollection>) -> CollectionSpec {
    let mut spec = CollectionSpec { name: to.to_owned(), ..spec.clone() };
    let Some(there) = there else { return spec };
    spec.settings = spec.settings.over(Scope::Collection, &there.settings);
    for (name, vector) in &mut spec.vectors {
        if let Some(there) = there.vectors.get(name) {
            *vector = vector.over(Scope::Vector, there);
        }
    }
    for (name, settings) in &there.sparse_vectors {
        let declared = spec.sparse_vectors.entry(name.clone()).or_default();
        *declared = declared.over(Scope::SparseVector, settings);
    }
    for (path, index) in &there.payload_indexes {
        let Some(index) = index else { continue };
        let scope = Scope::PayloadIndex(index.index_type);
        match spec.payload_indexes.get_mut(path) {
            None => _ = spec.payload_indexes.insert(path.clone(), index.clone()),
            Some(declared) if declared.index_type == index.index_type => {
                declared.settings = declared.settings.over(scope, &index.settings);
            }
            Some(IndexSpec { .. }) => {}
        }
    }
    spec
}

impl Rebuild {
    /// Looks whether the points can be copied at all, and which vectors are known without their lengths only.
    ///
    /// # Errors
    ///
    /// [`Error::NoRebuild`].
    pub fn check_copy(&self, live: &Live) -> Result<Lengths, Error> {
        let mut lengths = Lengths { vectors: Vec::new() };
        let Some(there) = live.collections.get(&self.from) else { return Ok(lengths) };
        let is = |settings: &Settings, path: &str, word| settings.get(path) == Some(Value::Word(word));
        let custom = |settings: &Settings| is(settings, "sharding_method", "custom");
        if custom(&there.settings) || custom(&self.spec.settings) {
            return Err(self.refused("the application chooses the shards of its points", FROM_TABLE));
        }
        for (name, wanted) in &self.spec.vectors {
            let Some(known) = there.vectors.get(name) else { continue };
            let shown = if name.is_empty() { "the vector".into() } else { format!("the vector {name}") };
            // Without points nothing is made anew. One that is written meanwhile does not fit, and the server says so.
            let made_anew: &[_] = if there.is_empty { &[] } else { &["size", "multivector.comparator"] };
            for path in made_anew {
                let word = |settings: &Settings| settings.get(path).map_or("none".into(), |value| value.to_string());
                if wanted.get(path) != known.get(path) {
                    let reason = format!("{shown} is made anew ({path} {} -> {})", word(known), word(wanted));
                    return Err(self.refused(&reason, FROM_TABLE));
                }
            }
            // Vectors that are compared by cosine are stored with the length 1.
            let is_short = is(known, "distance", "Cosine") && !is(known, "datatype", "uint8");
            if is_short && is(wanted, "datatype", "uint8") {
                let reason = format!("the server holds {shown} with the length 1, of which whole numbers keep nothing");
                return Err(self.refused(&reason, FROM_TABLE));
            }
            if is_short && !is(wanted, "distance", "Cosine") {
                lengths.vectors.push(name.clone());
            }
        }
        Ok(lengths)
    }

    /// That it is not done, and what would allow it.
    #[must_use]
    pub fn refused(&self, reason: &str, advice: &str) -> Error {
        Error::NoRebuild { collection: self.from.clone(), reason: reason.into(), advice: advice.into() }
    }
}

const FROM_TABLE: &str =
    "declare with `from:` which table the points come from, so that they are made of its rows (docs/sync.md)";

impl Server {
    /// Makes the new collection, or looks whether what an earlier run made of it still fits, and gives its note.
    ///
    /// # Errors
    ///
    /// [`Error::NoRebuild`] when there is a collection that does not fit, [`Error::TooOld`] when the server keeps no notes.
    pub async fn begin_rebuild(&self, rebuild: &Rebuild, live: &Live) -> Result<RebuildNote, Error> {
        if let Some(version) = live.version.filter(|version| *version < KEEPS_NOTES) {
            return Err(Error::TooOld {
                address: self.address(),
                doing: format!("rebuild {}", rebuild.from),
                reason: format!("it is {}.{}, and 1.16 is the first that keeps notes", version.0, version.1),
            });
        }
        let to = &rebuild.spec.name;
        let note = live.note(to).filter(|note| note.of == rebuild.from);
        match live.collections.get(to) {
            Some(there) if note.is_none() && !there.is_empty => {
                return Err(
                    rebuild.refused(&format!("{to} holds points that no rebuild wrote"), "delete it, or its points")
                );
            }
            _ => {}
        }
        let fresh =
            || RebuildNote { is: to.clone(), of: rebuild.from.clone(), run: token(), stage: RebuildStage::Filling };
        let note = note.cloned().unwrap_or_else(fresh);
        if !live.collections.contains_key(to) {
            self.create(&rebuild.spec, metadata(NOTE, &text(&note))).await?;
        }
        let there = self.info(to).await?.map(live::collection).ok_or(Error::Changed)?;
        if there.rebuild.as_ref() != Some(&note) {
            self.note_rebuild(&note, note.stage).await?;
        }
        let changes = differences(&rebuild.spec, &there, live.adds_vectors());
        if let Some(change) = changes.iter().find(|change| change.kind != ChangeKind::InPlace) {
            return Err(rebuild.refused(
                &format!("{to}, which an earlier run began to fill, has another {}", change.what),
                "pass --restart to drop it and begin anew",
            ));
        }
        for change in &changes {
            self.make(std::slice::from_ref(&rebuild.spec), &[change]).await?;
        }
        Ok(note)
    }

    /// Drops what an earlier run has made of the new collection, and the record of it in `folder`; `false` when there is
    /// nothing. What no rebuild made stays.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn drop_unfinished(&self, rebuild: &Rebuild, live: &Live, folder: &Path) -> Result<bool, Error> {
        let to = &rebuild.spec.name;
        let copy = live.note(to).filter(|note| note.of == rebuild.from);
        let is_in_use = rebuild.stage != Stage::Fill || live.aliases.values().any(|behind| behind == to);
        let Some(note) = copy.filter(|_| !is_in_use) else { return Ok(false) };
        let is_dropped = self.delete_collection(to).await?;
        Self::forget_copy(note, folder);
        Ok(is_dropped)
    }

    /// Notes how far it is.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn note_rebuild(&self, note: &RebuildNote, stage: RebuildStage) -> Result<(), Error> {
        self.set_note(&note.is, NOTE, &text(&RebuildNote { stage, ..note.clone() })).await
    }

    /// Waits until the optimizations of a collection are over, and gives how it is then. Those of a grey one wait for the
    /// next write.
    ///
    /// # Errors
    ///
    /// When they failed.
    pub async fn settled(&self, collection: &str) -> Result<CollectionState, Error> {
        loop {
            let info = self.insist(async || self.info(collection).await).await?.ok_or(Error::Changed)?;
            match info.status() {
                CollectionStatus::Green => return Ok(CollectionState::Green),
                CollectionStatus::Grey => return Ok(CollectionState::Grey),
                CollectionStatus::Yellow | CollectionStatus::UnknownCollectionStatus => {
                    tokio::time::sleep(LOOK).await;
                }
                CollectionStatus::Red => {
                    let reason = info.optimizer_status.map(|status| status.error).unwrap_or_default();
                    return Err(Error::Server { doing: format!("optimize {collection}"), reason });
                }
            }
        }
    }

    /// Moves the aliases from the old collection to the new one, in one call. For a cut-over the old one is deleted before:
    /// for a moment there is neither.
    ///
    /// # Errors
    ///
    /// [`Error::Changed`] when the alias leads elsewhere by now.
    pub async fn swap(&self, rebuild: &Rebuild) -> Result<(), Error> {
        let aliases = self.aliases().await?;
        if rebuild.is_cut_over && rebuild.stage == Stage::Fill {
            self.delete_collection(&rebuild.from).await?;
        }
        let to = &rebuild.spec.name;
        let mut moves = Vec::new();
        for alias in &rebuild.aliases {
            let behind = aliases.get(alias);
            if behind.is_some_and(|behind| *behind != rebuild.from && behind != to) {
                return Err(Error::Changed);
            }
            // With a collection its aliases go.
            let is_there = behind.is_some() && !rebuild.is_cut_over;
            moves.push(AliasMove { alias: alias.clone(), is_there, to: to.clone() });
        }
        self.move_aliases(&moves).await
    }
}

/// Something that no other rebuild has. Seeded at random each time.
fn token() -> String {
    let random = || RandomState::new().hash_one("a rebuild");
    format!("{:016x}{:016x}", random(), random())
}

fn text(note: &RebuildNote) -> String {
    serde_json::to_string(note).unwrap_or_default()
}
