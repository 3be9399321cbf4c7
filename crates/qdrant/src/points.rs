//! Points as a synchronisation writes and reads them: in batches, again after a broken connection, and in the order of
//! their ids, which is that of Qdrant's scroll: numbers first, then UUIDs by their bytes.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::vectors_output::VectorsOptions as OutputOptions;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions as PayloadOptions;
use qdrant_client::qdrant::with_vectors_selector::SelectorOptions as VectorOptions;
use qdrant_client::qdrant::{
    DeletePoints, GetPoints, ListValue, NamedVectors, PayloadIncludeSelector, PointId, PointStruct, PointsIdsList,
    PointsSelector, RetrievedPoint, ScrollPoints, Struct, UpdateCollection, UpsertPoints, Value, Vector,
    Vectors as ProtoVectors, VectorsOutput, WithPayloadSelector, WithVectorsSelector,
};
use serde_json::Value as Json;

use crate::{Error, MARK, Server, Vectors, wire};

/// How often in a row a call is made that finds nobody.
const ATTEMPTS: u32 = 6;
/// The first of the pauses between, each twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(200);

/// The id of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// A number.
    Number(u64),
    /// A UUID.
    Uuid(u128),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Uuid(uuid) => {
                let digits = format!("{uuid:032x}");
                let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
                f.write_str(&parts.join("-"))
            }
        }
    }
}

impl From<Id> for PointId {
    fn from(id: Id) -> Self {
        let options = match id {
            Id::Number(number) => PointIdOptions::Num(number),
            Id::Uuid(_) => PointIdOptions::Uuid(id.to_string()),
        };
        Self { point_id_options: Some(options) }
    }
}

impl Id {
    /// A number, or a UUID with its dashes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse() {
            return Some(Self::Number(number));
        }
        let id = Self::Uuid(u128::from_str_radix(&text.replace('-', ""), 16).ok()?);
        (id.to_string() == text.to_ascii_lowercase()).then_some(id)
    }

    pub(crate) fn of(id: Option<PointId>) -> Option<Self> {
        match id?.point_id_options? {
            PointIdOptions::Num(number) => Some(Self::Number(number)),
            PointIdOptions::Uuid(text) => Some(Self::Uuid(u128::from_str_radix(&text.replace('-', ""), 16).ok()?)),
        }
    }
}

/// A point to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its id.
    pub id: Id,
    /// Its vectors.
    pub vectors: Vectors,
    /// Its payload.
    pub payload: serde_json::Map<String, Json>,
}

/// A point as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its id.
    pub id: Id,
    /// Its vectors.
    pub vectors: Vectors,
    /// Its payload.
    pub payload: serde_json::Map<String, Json>,
}

/// Points in the order of their ids, each with the mark in its payload.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// They.
    pub points: Vec<(Id, Option<String>)>,
    /// The first of the next page.
    pub next: Option<Id>,
}

impl Server {
    /// Whether there is a collection of this name; one that is called so by an alias only is not.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn has_collection(&self, name: &str) -> Result<bool, Error> {
        Ok(self.names().await?.iter().any(|known| known == name))
    }

    /// How many numbers each dense vector of a collection has; `None` when there is no such collection.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn sizes(&self, name: &str) -> Result<Option<BTreeMap<String, u64>>, Error> {
        let Some(info) = self.info(name).await? else { return Ok(None) };
        let params = info.config.and_then(|config| config.params).unwrap_or_default();
        Ok(Some(wire::vectors(params.vectors_config).into_iter().map(|(name, params)| (name, params.size)).collect()))
    }

    /// Writes points, each in the place of the one with its id, and waits until they can be found.
    ///
    /// # Errors
    ///
    /// When the server refuses one of them: a vector of another dimension, say.
    pub async fn write(&self, collection: &str, points: Vec<Point>) -> Result<(), Error> {
        let doing = format!("write points to {collection}");
        let points: Vec<_> = points.into_iter().map(PointStruct::from).collect();
        let request =
            UpsertPoints { collection_name: collection.into(), wait: Some(true), points, ..Default::default() };
        self.insist(async || self.work(&doing, self.points_api().upsert(request.clone())).await).await?;
        Ok(())
    }

    /// Deletes points; those that are not there do not matter.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn remove(&self, collection: &str, ids: &[Id]) -> Result<(), Error> {
        let doing = format!("delete points of {collection}");
        let ids = ids.iter().map(|id| PointId::from(*id)).collect();
        let request = DeletePoints {
            collection_name: collection.into(),
            wait: Some(true),
            points: Some(PointsSelector {
                points_selector_one_of: Some(PointsSelectorOneOf::Points(PointsIdsList { ids })),
            }),
            ..Default::default()
        };
        self.insist(async || self.work(&doing, self.points_api().delete(request.clone())).await).await?;
        Ok(())
    }

    /// So many points from an id on.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn page(&self, collection: &str, from: Option<Id>, limit: u32, marks: bool) -> Result<Page, Error> {
        let doing = format!("read points of {collection}");
        let payload = if marks {
            PayloadOptions::Include(PayloadIncludeSelector { fields: vec![MARK.into()] })
        } else {
            PayloadOptions::Enable(false)
        };
        let request = ScrollPoints {
            collection_name: collection.into(),
            offset: from.map(PointId::from),
            limit: Some(limit),
            with_payload: Some(WithPayloadSelector { selector_options: Some(payload) }),
            with_vectors: Some(WithVectorsSelector { selector_options: Some(VectorOptions::Enable(false)) }),
            ..Default::default()
        };
        let answer = self.insist(async || self.work(&doing, self.points_api().scroll(request.clone())).await).await?;
        let points = answer.result.into_iter().filter_map(|point| Some((Id::of(point.id)?, mark(point.payload))));
        Ok(Page { points: points.collect(), next: Id::of(answer.next_page_offset) })
    }

    /// The marks of those of these points that are there.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn marks(&self, collection: &str, ids: &[Id]) -> Result<HashMap<Id, Option<String>>, Error> {
        let payload = PayloadOptions::Include(PayloadIncludeSelector { fields: vec![MARK.into()] });
        let found = self.get(collection, ids, payload, false).await?;
        Ok(found.into_iter().filter_map(|point| Some((Id::of(point.id)?, mark(point.payload)))).collect())
    }

    /// Those of these points that are there, with all that they hold.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn stored(&self, collection: &str, ids: &[Id]) -> Result<Vec<Stored>, Error> {
        let found = self.get(collection, ids, PayloadOptions::Enable(true), true).await?;
        let stored = |point: RetrievedPoint| {
            let payload = point.payload.into_iter().map(|(name, value)| (name, json(value))).collect();
            Some(Stored { id: Id::of(point.id)?, vectors: vectors(point.vectors), payload })
        };
        Ok(found.into_iter().filter_map(stored).collect())
    }

    pub(crate) async fn get(
        &self,
        collection: &str,
        ids: &[Id],
        payload: PayloadOptions,
        with_vectors: bool,
    ) -> Result<Vec<RetrievedPoint>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let doing = format!("read points of {collection}");
        let request = GetPoints {
            collection_name: collection.into(),
            ids: ids.iter().map(|id| PointId::from(*id)).collect(),
            with_payload: Some(WithPayloadSelector { selector_options: Some(payload) }),
            with_vectors: Some(WithVectorsSelector { selector_options: Some(VectorOptions::Enable(with_vectors)) }),
            ..Default::default()
        };
        let answer = self.insist(async || self.work(&doing, self.points_api().get(request.clone())).await).await?;
        Ok(answer.result)
    }

    /// What is noted in the collection itself, so that it goes where the collection goes: into its snapshots too. A server
    /// before 1.16 keeps no notes.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn note(&self, collection: &str, name: &str) -> Result<Option<String>, Error> {
        let info = self.info(collection).await?;
        Ok(info.and_then(|info| info.config).and_then(|mut config| text(config.metadata.remove(name)?)))
    }

    /// Notes a text in the collection.
    ///
    /// # Errors
    ///
    /// When the server refuses.
    pub async fn set_note(&self, collection: &str, name: &str, text: &str) -> Result<(), Error> {
        let metadata = metadata(name, text);
        let request = UpdateCollection { collection_name: collection.into(), metadata, ..Default::default() };
        let doing = format!("note in {collection} how far it is");
        self.insist(async || self.work(&doing, self.collections_api().update(request.clone())).await).await?;
        Ok(())
    }

    /// Makes a call that may be made twice again where the server or the way to it went away, or replicas are not ready.
    /// Of several nodes the next one is asked.
    pub(crate) async fn insist<T>(&self, call: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        for attempt in 1..ATTEMPTS {
            match call().await {
                Err(error) if error.is_passing() => {}
                answer => return answer,
            }
            tokio::time::sleep(PAUSE * 2u32.pow(attempt - 1)).await;
        }
        call().await
    }
}

impl From<Point> for PointStruct {
    fn from(point: Point) -> Self {
        let mut vectors = point.vectors;
        let options = match vectors.remove("") {
            Some(vector) if vectors.is_empty() => VectorsOptions::Vector(Vector::from(vector)),
            unnamed => {
                vectors.extend(unnamed.map(|vector| (String::new(), vector)));
                let vectors = vectors.into_iter().map(|(name, vector)| (name, Vector::from(vector))).collect();
                VectorsOptions::Vectors(NamedVectors { vectors })
            }
        };
        Self {
            id: Some(point.id.into()),
            payload: point.payload.into_iter().map(|(name, one)| (name, value(one))).collect(),
            vectors: Some(ProtoVectors { vectors_options: Some(options) }),
        }
    }
}

/// A note as a collection holds it.
pub(crate) fn metadata(name: &str, text: &str) -> HashMap<String, Value> {
    HashMap::from([(name.to_owned(), value(Json::String(text.into())))])
}

fn mark(mut payload: HashMap<String, Value>) -> Option<String> {
    text(payload.remove(MARK)?)
}

/// A value that is a text.
pub(crate) fn text(value: Value) -> Option<String> {
    match value.kind? {
        Kind::StringValue(text) => Some(text),
        _ => None,
    }
}

fn vectors(output: Option<VectorsOutput>) -> Vectors {
    let named: Vec<_> = match output.and_then(|output| output.vectors_options) {
        None => Vec::new(),
        Some(OutputOptions::Vector(vector)) => vec![(String::new(), vector)],
        Some(OutputOptions::Vectors(named)) => named.vectors.into_iter().collect(),
    };
    named.into_iter().map(|(name, output)| (name, output.into())).collect()
}

fn value(json: Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(flag) => Kind::BoolValue(flag),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Kind::IntegerValue(number),
            None => Kind::DoubleValue(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Kind::StringValue(text),
        Json::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(value).collect() }),
        Json::Object(fields) => {
            Kind::StructValue(Struct { fields: fields.into_iter().map(|(name, one)| (name, value(one))).collect() })
        }
    };
    Value { kind: Some(kind) }
}

fn json(value: Value) -> Json {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(flag)) => Json::Bool(flag),
        Some(Kind::IntegerValue(number)) => number.into(),
        Some(Kind::DoubleValue(number)) => number.into(),
        Some(Kind::StringValue(text)) => Json::String(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(json).collect(),
        Some(Kind::StructValue(inner)) => {
            Json::Object(inner.fields.into_iter().map(|(name, one)| (name, json(one))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use qdrant_client::qdrant::PointId;
    use serde_json::json;

    use super::{Id, json as of_value, value};

    #[test]
    fn ids_are_in_qdrants_order() {
        let uuid = |text: &str| Id::of(Some(PointId::from(text))).expect("an id");
        let (low, high) = (uuid("00000000-0000-0000-0000-0000000000ff"), uuid("ff000000-0000-4000-8000-000000000000"));
        assert!(Id::Number(u64::MAX) < low && low < high && Id::Number(9) < Id::Number(10));
        assert_eq!(high.to_string(), "ff000000-0000-4000-8000-000000000000");
        assert_eq!(Id::of(Some(PointId::from(low))), Some(low));
    }

    #[test]
    fn payloads_come_back() {
        let payload = json!({"a": [1, -2, 1.5, null, true, "x"], "b": {"c": {"d": []}}, "e": 1e300});
        assert_eq!(of_value(value(payload.clone())), payload);
    }
}
