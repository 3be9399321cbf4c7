//! The file of declared collections: reading it, with the place of every mistake. The one user of serde_yaml here.

mod locate;
mod raw;
mod section;
mod source;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeSeed;

use crate::parameter::{Scope, Value, keys};
use crate::{CollectionSpec, IndexSpec, IndexType, Settings};
use locate::{Descent, FOUND, Key};
use raw::{Entries, Node, RawFile, Scalar};
pub(crate) use source::OF_SOURCE;
pub use write::{file_text, yaml_quoted};

/// What stands in a collection besides its parameters.
pub(crate) const OF_COLLECTION: [&str; 5] = ["alias", "vectors", "sparse_vectors", "payload_indexes", "from"];

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

/// What to do about a name that [`is_name`] refuses.
pub const NAMES: &str = "use letters, digits, `_` and `-`, at most 255 of them";

/// Whether a collection or an alias can have this name: Qdrant makes folders of them.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let is_wrong = |c: char| matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*') || c.is_control();
    !name.is_empty() && name.len() <= 255 && !name.chars().any(is_wrong)
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
    parse_file(path, &read_text(path)?)
}

/// Without the mark that some editors put at the beginning.
fn read_text(path: &Path) -> Result<String, FileError> {
    let text = std::fs::read_to_string(path).map_err(|error| FileError {
        path: path.into(),
        place: None,
        message: format!("cannot be read: {error}"),
        advice: Some(Advice::Text("correct `collections` in the configuration".into())),
    })?;
    Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text))
}

/// Whether the tables that the collections of the file at `path` come from are in one of these `databases`, the
/// PostgreSQL targets.
///
/// # Errors
///
/// The first target that is none of them, with its place.
pub fn check_databases(path: &Path, declared: &[CollectionSpec], databases: &[&str]) -> Result<(), FileError> {
    let targets = declared.iter().filter_map(|spec| Some((spec, spec.source.as_ref()?.target.as_str())));
    for (spec, target) in targets {
        if !databases.contains(&target) {
            let text = read_text(path)?;
            let place = [key("collections"), key(&spec.name), key("from"), key("target")];
            let message = format!("there is no PostgreSQL target `{target}`");
            return Err(Reader { path, text: &text }.error(&place, message, one_of(target, databases)));
        }
    }
    Ok(())
}

/// Reads the text of the file that is, or will be, at `path`.
///
/// # Errors
///
/// The first mistake.
pub fn parse_file(path: &Path, text: &str) -> Result<Vec<CollectionSpec>, FileError> {
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

const VECTOR_FORM: &str = "write {size: 384, distance: Cosine}, or a map of names to such entries";

fn words(text: &str) -> Advice {
    Advice::Text(text.into())
}

impl Reader<'_> {
    fn collections(&self, raw: Entries<Node>) -> Result<Vec<CollectionSpec>, FileError> {
        self.no_twins(&[key("collections")], "collection", &raw)?;
        raw.0.into_iter().map(|(name, raw)| self.collection(name, raw)).collect()
    }

    fn collection(&self, name: String, raw: Node) -> Result<CollectionSpec, FileError> {
        let place = [key("collections"), key(&name)];
        self.check_name(&place, "a collection", &name)?;
        let entries = self.map(&place, raw)?;
        self.no_twins(&place, "key", &entries)?;
        let mut spec = CollectionSpec::default();
        let mut parameters = Vec::new();
        for (word, node) in entries.0 {
            let below = [place[0], place[1], key(&word)];
            match word.as_str() {
                "alias" => spec.alias = Some(self.alias(&below, node)?),
                "vectors" => spec.vectors = self.vectors(&below, node)?,
                "sparse_vectors" => spec.sparse_vectors = self.sparse_vectors(&below, node)?,
                "payload_indexes" => spec.payload_indexes = self.payload_indexes(&below, node)?,
                "from" => spec.source = Some(self.source(&below, node)?),
                known if keys(Scope::Collection, "").contains(&known) => parameters.push((word, node)),
                unknown => {
                    let known = [&OF_COLLECTION[..], &keys(Scope::Collection, "")].concat();
                    let message = format!("a collection has no key `{unknown}`");
                    return Err(self.error(&below, message, one_of(unknown, &known)));
                }
            }
        }
        if spec.vectors.is_empty() && spec.sparse_vectors.is_empty() {
            return Err(self.error(&place, "`vectors` is missing".into(), words(VECTOR_FORM)));
        }
        if let Some(twin) = spec.sparse_vectors.keys().find(|name| spec.vectors.contains_key(*name)) {
            let message = format!("a dense and a sparse vector cannot both be called `{twin}`");
            let below = [place[0], place[1], key("sparse_vectors"), key(twin)];
            return Err(self.error(&below, message, words("give one of them another name")));
        }
        self.check_source(&place, &spec)?;
        spec.settings = self.settings(Scope::Collection, &place, Entries(parameters))?;
        spec.name = name;
        Ok(spec)
    }

    fn alias(&self, place: &[Key<'_>], node: Node) -> Result<String, FileError> {
        let Node::Scalar(Scalar::Text(alias)) = node else {
            return Err(self.error(place, "an alias is a name".into(), words("write it in quotes")));
        };
        self.check_name(place, "an alias", &alias)?;
        Ok(alias)
    }

    fn check_name(&self, place: &[Key<'_>], what: &str, name: &str) -> Result<(), FileError> {
        if !is_name(name) {
            let message = format!("`{}` cannot be the name of {what}", name.escape_default());
            return Err(self.error(place, message, words(NAMES)));
        }
        Ok(())
    }

    /// One vector without a name, or vectors by name: told apart by what stands under the keys, so that a misspelt
    /// `size` is not taken for a name.
    fn vectors(&self, place: &[Key<'_>], raw: Node) -> Result<BTreeMap<String, Settings>, FileError> {
        let entries = self.map(place, raw)?;
        self.no_twins(place, "key", &entries)?;
        let is_single = entries.0.iter().any(|(_, node)| matches!(node, Node::Scalar(_)));
        if entries.0.is_empty() {
            return Err(self.error(place, "there is no vector".into(), words(VECTOR_FORM)));
        }
        if !is_single {
            return entries.0.into_iter().map(|(name, entry)| self.vector(Scope::Vector, place, name, entry)).collect();
        }
        let known = keys(Scope::Vector, "");
        let is_named = |(name, node): &(String, Node)| matches!(node, Node::Map(_)) && !known.contains(&name.as_str());
        if entries.0.iter().any(is_named) {
            let message = "one vector without a name and vectors by name cannot be together";
            return Err(self.error(place, message.into(), words(VECTOR_FORM)));
        }
        Ok(BTreeMap::from([(String::new(), self.settings(Scope::Vector, place, entries)?)]))
    }

    fn sparse_vectors(&self, place: &[Key<'_>], raw: Node) -> Result<BTreeMap<String, Settings>, FileError> {
        let entries = self.map(place, raw)?;
        self.no_twins(place, "sparse vector", &entries)?;
        entries.0.into_iter().map(|(name, entry)| self.vector(Scope::SparseVector, place, name, entry)).collect()
    }

    fn vector(
        &self,
        scope: Scope,
        place: &[Key<'_>],
        name: String,
        entry: Node,
    ) -> Result<(String, Settings), FileError> {
        let place = [place, &[key(&name)]].concat();
        if name.is_empty() {
            let advice = words("leave the name out altogether, or give one");
            return Err(self.error(&place, "a vector has an empty name".into(), advice));
        }
        let entries = self.map(&place, entry)?;
        let settings = self.settings(scope, &place, entries)?;
        Ok((name, settings))
    }

    fn payload_indexes(&self, place: &[Key<'_>], raw: Node) -> Result<BTreeMap<String, IndexSpec>, FileError> {
        let entries = self.map(place, raw)?;
        self.no_twins(place, "payload index", &entries)?;
        entries.0.into_iter().map(|(path, index)| self.payload_index(place, path, index)).collect()
    }

    fn payload_index(&self, place: &[Key<'_>], path: String, index: Node) -> Result<(String, IndexSpec), FileError> {
        let place = [place, &[key(&path)]].concat();
        if path.trim().is_empty() {
            let advice = words("write the path of a payload key, such as metadata.source");
            return Err(self.error(&place, "the path is empty".into(), advice));
        }
        let mut entries = self.map(&place, index)?;
        self.no_twins(&place, "key", &entries)?;
        let types = IndexType::ALL.map(IndexType::name);
        let Some(at) = entries.0.iter().position(|(word, _)| word == "type") else {
            let mistyped = entries.0.first().map_or("type", |(word, _)| word.as_str());
            let advice = Advice::OneOf { wrong: mistyped.into(), known: vec!["type".into()] };
            return Err(self.error(&place, format!("`type` is missing: one of {}", types.join(", ")), advice));
        };
        let (word, node) = entries.0.remove(at);
        let below = [place.as_slice(), &[key(&word)]].concat();
        let wanted = match &node {
            Node::Scalar(Scalar::Text(wanted)) => wanted.as_str(),
            _ => "",
        };
        let index_type = IndexType::ALL
            .into_iter()
            .find(|known| known.name() == wanted)
            .ok_or_else(|| self.error(&below, format!("the type `{wanted}` is not known"), one_of(wanted, &types)))?;
        let settings = self.settings(Scope::PayloadIndex(index_type), &place, entries)?;
        let off = |path: &str| settings.get(path) == Some(Value::Bool(false));
        if off("lookup") && off("range") {
            let message = "an index with neither `lookup` nor `range` serves nothing";
            return Err(self.error(&place, message.into(), words("leave one of them out")));
        }
        Ok((path, IndexSpec { index_type, settings }))
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
