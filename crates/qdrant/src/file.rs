//! The file of declared collections: reading it, with the place of every mistake. The one user of serde_yaml here.

mod locate;
mod raw;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeSeed;

use crate::{CollectionSpec, Distance, HnswSpec, IndexType, VectorSpec};
use locate::{Descent, FOUND, Key};
use raw::{Entries, Item, RawCollection, RawFile, RawIndex, Scalar};

/// The dimensions that Qdrant accepts.
const LARGEST_VECTOR: u64 = 65536;

/// Something wrong in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Line and column, counted from 1.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub advice: Option<Advice>,
}

/// What to do about a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// In words.
    Text(String),
    /// One of these was probably meant.
    OneOf {
        /// What stands there.
        wrong: String,
        /// What may stand there.
        known: Vec<String>,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Reads the declared collections, in the order of the file.
///
/// # Errors
///
/// The first mistake, when the file cannot be read or says something that no server could be.
pub fn read_file(path: &Path) -> Result<Vec<CollectionSpec>, FileError> {
    let text = std::fs::read_to_string(path).map_err(|error| FileError {
        path: path.into(),
        place: None,
        message: format!("cannot be read: {error}"),
        advice: Some(Advice::Text("correct `collections` in the configuration".into())),
    })?;
    parse(path, text.strip_prefix('\u{feff}').unwrap_or(&text))
}

fn parse(path: &Path, text: &str) -> Result<Vec<CollectionSpec>, FileError> {
    let reader = Reader { path, text };
    let file: RawFile = serde_yaml::from_str(text).map_err(|error| reader.yaml_error(&error))?;
    if file.version != 1 {
        let message = format!("version {} is not known", file.version);
        return Err(reader.error(&[key("version")], message, Advice::Text("write `version: 1`".into())));
    }
    let specs = reader.collections(file.collections)?;
    reader.check_aliases(&specs)?;
    Ok(specs)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

fn key(name: &str) -> Key<'_> {
    Key { name, occurrence: 0 }
}

fn words(text: &str) -> Advice {
    Advice::Text(text.into())
}

impl Reader<'_> {
    fn collections(&self, raw: Entries<RawCollection>) -> Result<Vec<CollectionSpec>, FileError> {
        self.no_twins(&[key("collections")], "collection", &raw)?;
        raw.0.into_iter().map(|(name, raw)| self.collection(name, raw)).collect()
    }

    fn collection(&self, name: String, raw: RawCollection) -> Result<CollectionSpec, FileError> {
        let place = [key("collections"), key(&name)];
        self.check_name(&place, "a collection", &name)?;
        if let Some(alias) = &raw.alias {
            self.check_name(&[place[0], place[1], key("alias")], "an alias", alias)?;
        }
        let vectors = self.vectors(&[place[0], place[1], key("vectors")], raw.vectors)?;
        let hnsw = raw.hnsw.unwrap_or_default();
        if hnsw.ef_construct.is_some_and(|ef| ef < 4) {
            let place = [place[0], place[1], key("hnsw"), key("ef_construct")];
            return Err(self.error(&place, "ef_construct is too small".into(), words("write 4 or more")));
        }
        let payload_indexes = self.payload_indexes(&place, raw.payload_indexes)?;
        Ok(CollectionSpec {
            alias: raw.alias,
            vectors,
            on_disk_payload: raw.on_disk_payload,
            hnsw: HnswSpec { m: hnsw.m, ef_construct: hnsw.ef_construct },
            payload_indexes,
            name,
        })
    }

    fn check_name(&self, place: &[Key<'_>], what: &str, name: &str) -> Result<(), FileError> {
        // What Qdrant refuses: names become folders.
        let is_wrong = |c: char| matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*') || c.is_control();
        if name.is_empty() || name.len() > 255 || name.chars().any(is_wrong) {
            let message = format!("`{}` cannot be the name of {what}", name.escape_default());
            return Err(self.error(place, message, words("use letters, digits, `_` and `-`, at most 255 of them")));
        }
        Ok(())
    }

    /// One vector without a name, or vectors by name: told apart by what stands under the keys, so that a misspelt
    /// `size` is not taken for a name.
    fn vectors(&self, place: &[Key<'_>], raw: Entries<Item>) -> Result<BTreeMap<String, VectorSpec>, FileError> {
        self.no_twins(place, "key", &raw)?;
        let (mut single, mut named) = (Vec::new(), Vec::new());
        for (name, item) in raw.0 {
            match item {
                Item::Scalar(scalar) => single.push((name, scalar)),
                Item::Entries(entries) => named.push((name, entries)),
            }
        }
        let form = "write {size: 384, distance: Cosine}, or a map of names to such entries";
        match (single.is_empty(), named.is_empty()) {
            (true, true) => Err(self.error(place, "there is no vector".into(), words(form))),
            (false, false) => {
                let message = "one vector without a name and vectors by name cannot be together";
                Err(self.error(place, message.into(), words(form)))
            }
            (false, true) => Ok(BTreeMap::from([(String::new(), self.vector(place, Entries(single))?)])),
            (true, false) => named.into_iter().map(|(name, entry)| self.named_vector(place, name, entry)).collect(),
        }
    }

    fn named_vector(
        &self,
        place: &[Key<'_>],
        name: String,
        entry: Entries<Scalar>,
    ) -> Result<(String, VectorSpec), FileError> {
        let place = [place, &[key(&name)]].concat();
        if name.is_empty() {
            let advice = words("leave the name out altogether, or give one");
            return Err(self.error(&place, "a vector has an empty name".into(), advice));
        }
        let vector = self.vector(&place, entry)?;
        Ok((name, vector))
    }

    fn vector(&self, place: &[Key<'_>], entry: Entries<Scalar>) -> Result<VectorSpec, FileError> {
        let (mut size, mut distance, mut on_disk) = (None, None, None);
        self.no_twins(place, "key", &entry)?;
        for (name, value) in &entry.0 {
            let place = [place, &[key(name)]].concat();
            match name.as_str() {
                "size" => size = Some(self.size(&place, value)?),
                "distance" => distance = Some(self.distance(&place, value)?),
                "on_disk" => match value {
                    Scalar::Bool(value) => on_disk = Some(*value),
                    other => {
                        let message = format!("{other} is neither true nor false");
                        return Err(self.error(&place, message, words("write true or false")));
                    }
                },
                unknown => {
                    let message = format!("a vector has no key `{unknown}`");
                    return Err(self.error(&place, message, one_of(unknown, &["size", "distance", "on_disk"])));
                }
            }
        }
        let missing = |name: &str| {
            self.error(place, format!("`{name}` is missing"), words("write {size: 384, distance: Cosine}"))
        };
        Ok(VectorSpec {
            size: size.ok_or_else(|| missing("size"))?,
            distance: distance.ok_or_else(|| missing("distance"))?,
            on_disk,
        })
    }

    fn size(&self, place: &[Key<'_>], value: &Scalar) -> Result<u64, FileError> {
        match value {
            Scalar::Number(size @ 1..=LARGEST_VECTOR) => Ok(*size),
            other => {
                let advice = format!("write the dimensions that the embedding model gives, 1 to {LARGEST_VECTOR}");
                Err(self.error(place, format!("{other} is no size of a vector"), Advice::Text(advice)))
            }
        }
    }

    fn distance(&self, place: &[Key<'_>], value: &Scalar) -> Result<Distance, FileError> {
        let name = value.to_string();
        Distance::ALL.into_iter().find(|distance| distance.name() == name).ok_or_else(|| {
            let advice = one_of(&name, &Distance::ALL.map(Distance::name));
            self.error(place, format!("the distance `{name}` is not known"), advice)
        })
    }

    fn payload_indexes(
        &self,
        collection: &[Key<'_>],
        raw: Entries<RawIndex>,
    ) -> Result<BTreeMap<String, IndexType>, FileError> {
        let place = [collection, &[key("payload_indexes")]].concat();
        self.no_twins(&place, "payload index", &raw)?;
        let one = |(path, index): (String, RawIndex)| {
            let place = [place.as_slice(), &[key(&path)]].concat();
            if path.trim().is_empty() {
                let advice = words("write the path of a payload key, such as metadata.source");
                return Err(self.error(&place, "the path is empty".into(), advice));
            }
            let wanted = index.r#type.as_str();
            let index = IndexType::ALL.into_iter().find(|index| index.name() == wanted).ok_or_else(|| {
                let message = format!("the type `{wanted}` is not known");
                let place = [place.as_slice(), &[key("type")]].concat();
                self.error(&place, message, one_of(wanted, &IndexType::ALL.map(IndexType::name)))
            })?;
            Ok((path, index))
        };
        raw.0.into_iter().map(one).collect()
    }

    /// YAML forbids two equal keys, and its reader leaves it to us to notice.
    fn no_twins<T>(&self, place: &[Key<'_>], what: &str, entries: &Entries<T>) -> Result<(), FileError> {
        let mut seen = HashSet::new();
        let Some((twin, _)) = entries.0.iter().find(|(name, _)| !seen.insert(name)) else { return Ok(()) };
        let place = [place, &[Key { name: twin, occurrence: 1 }]].concat();
        Err(self.error(&place, format!("the {what} `{twin}` is there twice"), words("remove one of them")))
    }

    fn check_aliases(&self, specs: &[CollectionSpec]) -> Result<(), FileError> {
        let mut seen = HashSet::new();
        for spec in specs {
            let Some(alias) = &spec.alias else { continue };
            let place = [key("collections"), key(&spec.name), key("alias")];
            if specs.iter().any(|other| other.name == *alias) {
                let message = format!("the alias `{alias}` is also the name of a collection");
                let advice = words(
                    "give the collection another name, such as one with a number: aliases and collections share their names",
                );
                return Err(self.error(&place, message, advice));
            }
            if !seen.insert(alias) {
                let message = format!("the alias `{alias}` is there twice");
                return Err(self.error(
                    &place,
                    message,
                    words("keep it on the collection that the application shall use"),
                ));
            }
        }
        Ok(())
    }

    /// A mistake at the last key of `place`.
    fn error(&self, place: &[Key<'_>], message: String, advice: Advice) -> FileError {
        FileError { path: self.path.into(), place: locate(self.text, place), message, advice: Some(advice) }
    }

    fn yaml_error(&self, error: &serde_yaml::Error) -> FileError {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message);
        let place = error.location().map(|at| (at.line(), at.column()));
        let missing = message.split_once("missing field `").and_then(|(_, rest)| rest.split('`').next());
        let advice = match missing {
            Some(name) => Some(Advice::Text(format!("add `{name}`"))),
            // It says what was expected.
            None if message.contains("invalid type") => None,
            None => {
                Some(unknown_name(message).unwrap_or_else(|| words("check indentation, quotes and brackets there")))
            }
        };
        FileError { path: self.path.into(), place, message: message.into(), advice }
    }
}

/// Line and column, counted from 1, of the last key of `path`; of the key above it when that is not there.
fn locate(text: &str, path: &[Key<'_>]) -> Option<(usize, usize)> {
    (1..=path.len()).rev().find_map(|length| {
        let descent = Descent { path: path.get(..length)? };
        let error = descent.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
        if !error.to_string().contains(FOUND) {
            return None;
        }
        error.location().map(|at| (at.line(), at.column()))
    })
}

fn one_of(wrong: &str, known: &[&str]) -> Advice {
    Advice::OneOf { wrong: wrong.into(), known: known.iter().map(ToString::to_string).collect() }
}

/// The names in serde's "unknown field `a`, expected one of `b`, `c`".
fn unknown_name(message: &str) -> Option<Advice> {
    let (_, rest) = message.split_once("unknown field `")?;
    let mut names = rest.split('`').step_by(2);
    let wrong = names.next()?;
    Some(one_of(wrong, &names.filter(|name| !name.is_empty()).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests;
