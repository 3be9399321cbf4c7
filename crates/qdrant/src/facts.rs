//! What a collection is, in few words: recorded with a snapshot, and compared with what comes out of one.

use std::collections::BTreeMap;

use qdrant_client::qdrant::vectors_config::Config as WireVectors;
use qdrant_client::qdrant::{CollectionInfo, Datatype, VectorParams};
use serde::{Deserialize, Serialize};

use crate::{Error, Server};

/// How many points are looked at.
const SAMPLE: u64 = 100;

/// A collection at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionFacts {
    /// The number of points: between these two, which are the same unless points came or went meanwhile.
    pub points: (u64, u64),
    /// Each vector by name (the empty one for a vector without): `384 Cosine`, `sparse`.
    pub vectors: BTreeMap<String, String>,
    /// Each payload index by path: `keyword`.
    pub payload_indexes: BTreeMap<String, String>,
    /// Some points by id: a hash of payload and vectors.
    pub sample: BTreeMap<String, String>,
}

impl CollectionFacts {
    /// What holds before as well as after: points that changed meanwhile are not in the sample.
    #[must_use]
    pub fn steady(before: Self, after: &Self) -> Self {
        let numbers = [before.points.0, before.points.1, after.points.0, after.points.1];
        let points = numbers.iter().fold((u64::MAX, 0), |(low, high), n| (low.min(*n), high.max(*n)));
        let mut sample = before.sample;
        sample.retain(|id, hash| after.sample.get(id) == Some(hash));
        Self { points, sample, ..before }
    }

    /// What a copy has otherwise, in words; nothing when it is the same.
    #[must_use]
    pub fn differences(&self, copy: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let (low, high) = self.points;
        if copy.points.1 < low || copy.points.0 > high {
            let expected = if low == high { low.to_string() } else { format!("{low} to {high}") };
            found.push(format!("it holds {} points instead of {expected}", copy.points.0));
        }
        found.extend(differing("vector", &self.vectors, &copy.vectors));
        found.extend(differing("payload index", &self.payload_indexes, &copy.payload_indexes));
        let missing = self.sample.keys().filter(|id| !copy.sample.contains_key(*id));
        let changed = self.sample.iter().filter(|(id, hash)| copy.sample.get(*id).is_some_and(|other| other != *hash));
        let some = |ids: Vec<&String>| ids.iter().take(3).map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
        let (missing, changed): (Vec<_>, Vec<_>) = (missing.collect(), changed.map(|(id, _)| id).collect());
        if !missing.is_empty() {
            found.push(format!(
                "{} of {} points looked at are missing: {}",
                missing.len(),
                self.sample.len(),
                some(missing)
            ));
        }
        if !changed.is_empty() {
            found.push(format!(
                "{} of {} points looked at differ: {}",
                changed.len(),
                self.sample.len(),
                some(changed)
            ));
        }
        found
    }
}

fn differing(what: &str, expected: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let mut names: Vec<_> = expected.keys().chain(found.keys()).collect();
    names.sort();
    names.dedup();
    let word = |value: Option<&String>| value.map_or("none", |value| value.as_str()).to_owned();
    let differ = names.into_iter().filter(|name| expected.get(*name) != found.get(*name));
    differ
        .map(|name| format!("the {what} {name:?} is {} instead of {}", word(found.get(name)), word(expected.get(name))))
        .collect()
}

impl Server {
    /// What a collection is now, with a sample of its points; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn facts(&self, collection: &str) -> Result<Option<CollectionFacts>, Error> {
        self.facts_with(collection, None).await
    }

    /// The same with the points that an earlier look has chosen.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn facts_again(
        &self,
        collection: &str,
        earlier: &CollectionFacts,
    ) -> Result<Option<CollectionFacts>, Error> {
        self.facts_with(collection, Some(earlier)).await
    }

    async fn facts_with(
        &self,
        collection: &str,
        earlier: Option<&CollectionFacts>,
    ) -> Result<Option<CollectionFacts>, Error> {
        let Some(info) = self.info(collection).await? else { return Ok(None) };
        let points = self.count(collection).await?;
        let sample = match earlier {
            Some(earlier) => self.hashes(collection, earlier.sample.keys()).await?,
            None => self.sample(collection, SAMPLE).await?,
        };
        Ok(Some(CollectionFacts {
            points: (points, points),
            vectors: vectors(&info),
            payload_indexes: payload_indexes(&info),
            sample,
        }))
    }

    /// The names of the collections and where aliases lead.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn collections_and_aliases(&self) -> Result<(Vec<String>, BTreeMap<String, String>), Error> {
        Ok((self.names().await?, self.aliases().await?))
    }
}

fn vectors(info: &CollectionInfo) -> BTreeMap<String, String> {
    let Some(params) = info.config.as_ref().and_then(|config| config.params.as_ref()) else { return BTreeMap::new() };
    let dense = match params.vectors_config.as_ref().and_then(|config| config.config.as_ref()) {
        None => Vec::new(),
        Some(WireVectors::Params(params)) => vec![(String::new(), vector(params))],
        Some(WireVectors::ParamsMap(map)) => {
            map.map.iter().map(|(name, params)| (name.clone(), vector(params))).collect()
        }
    };
    let sparse = params.sparse_vectors_config.iter().flat_map(|config| config.map.keys());
    dense.into_iter().chain(sparse.map(|name| (name.clone(), "sparse".to_owned()))).collect()
}

fn vector(params: &VectorParams) -> String {
    let several = if params.multivector_config.is_some() { " several" } else { "" };
    let datatype = match params.datatype() {
        Datatype::Default | Datatype::Float32 => String::new(),
        other => format!(" {}", other.as_str_name().to_lowercase()),
    };
    format!("{} {}{datatype}{several}", params.size, params.distance().as_str_name())
}

fn payload_indexes(info: &CollectionInfo) -> BTreeMap<String, String> {
    let type_of = |schema: &qdrant_client::qdrant::PayloadSchemaInfo| schema.data_type().as_str_name().to_lowercase();
    info.payload_schema.iter().map(|(path, schema)| (path.clone(), type_of(schema))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::CollectionFacts;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn facts() -> CollectionFacts {
        CollectionFacts {
            points: (3, 3),
            vectors: map(&[("", "4 Dot")]),
            payload_indexes: map(&[("city", "keyword")]),
            sample: map(&[("1", "a"), ("2", "b"), ("3", "c")]),
        }
    }

    #[test]
    fn differences_are_told() {
        let change = |change: &dyn Fn(&mut CollectionFacts)| {
            let mut copy = facts();
            change(&mut copy);
            facts().differences(&copy).join("; ")
        };
        assert_eq!(change(&|_| ()), "");
        assert_eq!(change(&|copy| copy.points = (2, 2)), "it holds 2 points instead of 3");
        let index = "the payload index \"city\" is none instead of keyword";
        assert_eq!(change(&|copy| copy.payload_indexes.clear()), index);
        let vector = "the vector \"\" is 5 Dot instead of 4 Dot";
        assert_eq!(change(&|copy| copy.vectors = map(&[("", "5 Dot")])), vector);
        let sample = "1 of 3 points looked at are missing: 1; 1 of 3 points looked at differ: 2";
        assert_eq!(change(&|copy| copy.sample = map(&[("2", "x"), ("3", "c")])), sample);
    }

    /// Points that come, go and change while the snapshot is made are no difference.
    #[test]
    fn what_changes_meanwhile_is_left_open() {
        let mut after = facts();
        after.points = (5, 5);
        after.sample = map(&[("1", "a"), ("2", "other")]);
        let steady = CollectionFacts::steady(facts(), &after);
        assert_eq!((steady.points, &steady.sample), ((3, 5), &map(&[("1", "a")])));
        for (points, is_same) in [(2, false), (3, true), (4, true), (5, true), (6, false)] {
            let copy = CollectionFacts { points: (points, points), ..steady.clone() };
            assert_eq!(steady.differences(&copy).is_empty(), is_same, "{points}");
        }
    }
}
