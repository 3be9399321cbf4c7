//! The key `from` of a collection: the table that its points come from.

use std::collections::{BTreeMap, BTreeSet};

use super::locate::Key;
use super::raw::{Entries, Node, Scalar};
use super::{FileError, Reader, key, one_of, words};
use crate::{CollectionSpec, MARK, SourceSpec};

/// What stands in it.
pub(crate) const OF_SOURCE: [&str; 8] = ["target", "schema", "table", "key", "vector", "vectors", "payload", "updated"];

impl Reader<'_> {
    /// What stands under `from`.
    pub(super) fn source(&self, place: &[Key<'_>], raw: Node) -> Result<SourceSpec, FileError> {
        let entries = self.map(place, raw)?;
        self.no_twins(place, "key", &entries)?;
        let mut source = SourceSpec { schema: "public".into(), ..SourceSpec::default() };
        for (word, node) in entries.0 {
            let below = [place, &[key(&word)]].concat();
            match word.as_str() {
                "target" => source.target = self.name(&below, node)?,
                "schema" => source.schema = self.name(&below, node)?,
                "table" => source.table = self.name(&below, node)?,
                "key" => source.key = self.names(&below, node)?,
                "vector" => {
                    source.vectors.insert(String::new(), self.name(&below, node)?);
                }
                "vectors" => source.vectors.extend(self.columns(&below, "vector", node)?),
                "payload" => source.payload = self.payload(&below, node)?,
                "updated" => source.updated = Some(self.name(&below, node)?),
                unknown => {
                    let message = format!("`from` has no key `{unknown}`");
                    return Err(self.error(&below, message, one_of(unknown, &OF_SOURCE)));
                }
            }
        }
        let missing = [("target", source.target.is_empty()), ("table", source.table.is_empty())];
        let missing = missing.into_iter().chain([("key", source.key.is_empty())]).find(|(_, is_missing)| *is_missing);
        match missing {
            Some((name, _)) => {
                let advice = "write {target: …, table: …, key: …, vector: …}";
                Err(self.error(place, format!("`{name}` is missing"), words(advice)))
            }
            None => Ok(source),
        }
    }

    /// Whether each vector of the collection has a column, and nothing else has.
    pub(super) fn check_source(&self, place: &[Key<'_>], spec: &CollectionSpec) -> Result<(), FileError> {
        let Some(source) = &spec.source else { return Ok(()) };
        let place = [place, &[key("from")]].concat();
        let known: BTreeSet<&str> = spec.vectors.keys().chain(spec.sparse_vectors.keys()).map(String::as_str).collect();
        if source.vectors.keys().map(String::as_str).eq(known.iter().copied()) {
            return Ok(());
        }
        if known.contains("") && !source.vectors.contains_key("") {
            let message = "the column of the vector is not named".into();
            return Err(self.error(&place, message, words("write `vector: COLUMN`")));
        }
        let known: Vec<_> = known.into_iter().collect();
        Err(match source.vectors.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) if !name.is_empty() => {
                let place = [place.as_slice(), &[key("vectors"), key(name)]].concat();
                self.error(&place, format!("the collection has no vector `{name}`"), one_of(name, &known))
            }
            _ => {
                let advice = words("write `vectors: {NAME: COLUMN}`, with every vector of the collection");
                self.error(&place, format!("the vectors are {}", known.join(", ")), advice)
            }
        })
    }

    fn name(&self, place: &[Key<'_>], node: Node) -> Result<String, FileError> {
        match node {
            Node::Scalar(Scalar::Text(name)) if !name.is_empty() => Ok(name),
            _ => Err(self.error(place, "a name belongs here".into(), words("write it in quotes where it is a number"))),
        }
    }

    fn names(&self, place: &[Key<'_>], node: Node) -> Result<Vec<String>, FileError> {
        match node {
            Node::List(nodes) if nodes.is_empty() => {
                Err(self.error(place, "there is no column".into(), words("name those of the primary key")))
            }
            Node::List(nodes) => nodes.into_iter().map(|node| self.name(place, node)).collect(),
            one => Ok(vec![self.name(place, one)?]),
        }
    }

    fn columns(&self, place: &[Key<'_>], what: &str, node: Node) -> Result<BTreeMap<String, String>, FileError> {
        let entries = self.map(place, node)?;
        self.no_twins(place, what, &entries)?;
        self.each_column(place, entries).collect()
    }

    fn each_column(
        &self,
        place: &[Key<'_>],
        entries: Entries<Node>,
    ) -> impl Iterator<Item = Result<(String, String), FileError>> {
        entries.0.into_iter().map(move |(name, node)| {
            let column = self.name(&[place, &[key(&name)]].concat(), node)?;
            Ok((name, column))
        })
    }

    fn payload(&self, place: &[Key<'_>], node: Node) -> Result<Vec<(String, String)>, FileError> {
        let entries = self.map(place, node)?;
        self.no_twins(place, "path", &entries)?;
        for (path, _) in &entries.0 {
            let is_whole = path.split('.').all(|part| !part.is_empty());
            if !is_whole || path.split('.').next() == Some(MARK) {
                let place = [place, &[key(path)]].concat();
                let advice = words("write keys joined by dots, such as metadata.source; `_dbops` is kept for dbops");
                return Err(self.error(&place, format!("`{path}` cannot be a path in a payload"), advice));
            }
        }
        self.each_column(place, entries).collect()
    }
}
