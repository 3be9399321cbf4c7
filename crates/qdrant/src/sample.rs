//! Some points of a collection, each as a hash of all that it holds: enough to see that a copy holds the same.

use std::collections::{BTreeMap, HashMap};

use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::vector_output::Vector;
use qdrant_client::qdrant::vectors_output::VectorsOptions;
use qdrant_client::qdrant::{
    CountPoints, GetPoints, PointId, Query, QueryPoints, RetrievedPoint, Sample, Value, VectorsOutput,
    WithPayloadSelector, WithVectorsSelector, query, with_payload_selector, with_vectors_selector,
};
use sha2::{Digest, Sha256};

use crate::{Error, Server};

impl Server {
    /// How many points there are, exactly.
    ///
    /// # Errors
    ///
    /// When there is no such collection.
    pub async fn count(&self, collection: &str) -> Result<u64, Error> {
        let doing = format!("count the points of {collection}");
        let request = CountPoints { collection_name: collection.into(), exact: Some(true), ..Default::default() };
        let mut client = self.points_api();
        Ok(self.work(&doing, client.count(request)).await?.result.map_or(0, |result| result.count))
    }

    /// Up to `limit` points, chosen at random: id and hash.
    pub(crate) async fn sample(&self, collection: &str, limit: u64) -> Result<BTreeMap<String, String>, Error> {
        let doing = format!("read points of {collection}");
        let request = QueryPoints {
            collection_name: collection.into(),
            query: Some(Query { variant: Some(query::Variant::Sample(Sample::Random.into())) }),
            limit: Some(limit),
            ..Default::default()
        };
        let mut client = self.points_api();
        let found = self.work(&doing, client.query(request)).await?.result;
        let ids: Vec<_> = found.into_iter().filter_map(|point| Some(id_text(point.id?))).collect();
        self.hashes(collection, ids.iter()).await
    }

    /// The hashes of those of these points that are there.
    pub(crate) async fn hashes(
        &self,
        collection: &str,
        ids: impl Iterator<Item = &String>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let doing = format!("read points of {collection}");
        let ids: Vec<_> = ids.map(|id| id_of(id)).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let all_payload = with_payload_selector::SelectorOptions::Enable(true);
        let all_vectors = with_vectors_selector::SelectorOptions::Enable(true);
        let request = GetPoints {
            collection_name: collection.into(),
            ids,
            with_payload: Some(WithPayloadSelector { selector_options: Some(all_payload) }),
            with_vectors: Some(WithVectorsSelector { selector_options: Some(all_vectors) }),
            ..Default::default()
        };
        let mut client = self.points_api();
        let found = self.work(&doing, client.get(request)).await?.result;
        Ok(found.into_iter().filter_map(hash_of).collect())
    }
}

fn id_text(id: PointId) -> String {
    match id.point_id_options {
        Some(PointIdOptions::Num(number)) => number.to_string(),
        Some(PointIdOptions::Uuid(uuid)) => uuid,
        None => String::new(),
    }
}

/// A UUID never reads as a number: it has dashes.
fn id_of(text: &str) -> PointId {
    let options = text.parse().map_or_else(|_| PointIdOptions::Uuid(text.into()), PointIdOptions::Num);
    PointId { point_id_options: Some(options) }
}

fn hash_of(point: RetrievedPoint) -> Option<(String, String)> {
    let id = id_text(point.id.clone()?);
    Some((id, digest(&point)?.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// A hash of all that a point holds; `None` for one without an id, which no server sends.
pub(crate) fn digest(point: &RetrievedPoint) -> Option<[u8; 32]> {
    let mut hasher = Sha256::new();
    text(&mut hasher, &id_text(point.id.clone()?));
    fields(&mut hasher, &point.payload);
    for (name, output) in named(point.vectors.clone()) {
        text(&mut hasher, &name);
        vector(&mut hasher, output);
    }
    Some(hasher.finalize().into())
}

/// The vectors by name, the one without a name under the empty one.
pub(crate) fn named(vectors: Option<VectorsOutput>) -> BTreeMap<String, Vector> {
    let named: Vec<_> = match vectors.and_then(|vectors| vectors.vectors_options) {
        None => Vec::new(),
        Some(VectorsOptions::Vector(vector)) => vec![(String::new(), vector)],
        Some(VectorsOptions::Vectors(named)) => named.vectors.into_iter().collect(),
    };
    named.into_iter().map(|(name, output)| (name, output.into_vector())).collect()
}

/// Everything is written with its length, so that no two different points read the same.
fn text(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_le_bytes());
    hasher.update(text);
}

fn fields(hasher: &mut Sha256, map: &HashMap<String, Value>) {
    hasher.update((map.len() as u64).to_le_bytes());
    let sorted: BTreeMap<_, _> = map.iter().collect();
    for (key, one) in sorted {
        text(hasher, key);
        value(hasher, one);
    }
}

fn value(hasher: &mut Sha256, value_: &Value) {
    match &value_.kind {
        None | Some(Kind::NullValue(_)) => hasher.update(b"n"),
        Some(Kind::BoolValue(flag)) => hasher.update([b'b', u8::from(*flag)]),
        Some(Kind::IntegerValue(number)) => {
            hasher.update(b"i");
            hasher.update(number.to_le_bytes());
        }
        Some(Kind::DoubleValue(number)) => {
            hasher.update(b"d");
            hasher.update(number.to_le_bytes());
        }
        Some(Kind::StringValue(string)) => {
            hasher.update(b"s");
            text(hasher, string);
        }
        Some(Kind::ListValue(list)) => {
            hasher.update(b"l");
            hasher.update((list.values.len() as u64).to_le_bytes());
            list.values.iter().for_each(|one| value(hasher, one));
        }
        Some(Kind::StructValue(inner)) => {
            hasher.update(b"o");
            fields(hasher, &inner.fields);
        }
    }
}

fn vector(hasher: &mut Sha256, vector: Vector) {
    match vector {
        Vector::Dense(dense) => {
            hasher.update(b"v");
            floats(hasher, &dense.data);
        }
        Vector::Sparse(sparse) => {
            hasher.update(b"w");
            let mut pairs: Vec<_> = sparse.indices.into_iter().zip(sparse.values).collect();
            pairs.sort_by_key(|(index, _)| *index);
            for (index, weight) in pairs {
                hasher.update(index.to_le_bytes());
                hasher.update(weight.to_le_bytes());
            }
        }
        Vector::MultiDense(many) => {
            hasher.update(b"m");
            many.vectors.iter().for_each(|one| floats(hasher, &one.data));
        }
    }
}

fn floats(hasher: &mut Sha256, numbers: &[f32]) {
    hasher.update((numbers.len() as u64).to_le_bytes());
    numbers.iter().for_each(|number| hasher.update(number.to_le_bytes()));
}
