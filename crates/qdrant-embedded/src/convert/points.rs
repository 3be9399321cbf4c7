//! Points: their ids, and records and hits as clients read them.

use qdrant_client::qdrant::facet_value::Variant as FacetVariant;
use qdrant_client::qdrant::order_value::Variant;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::{FacetHit, FacetValue, OrderValue, PointId, RetrievedPoint, ScoredPoint};
use qdrant_edge::{
    FacetValue as EngineFacetValue, FacetValueHit, OrderValue as EngineOrderValue, PointId as EngineId, Record,
    ScoredPoint as EngineScoredPoint,
};
use uuid::Uuid;

use crate::convert::{payload, vectors};
use crate::error::{Error, Result};

/// A point's id as the engine takes it.
pub(crate) fn id_to_engine(id: Option<PointId>) -> Result<EngineId> {
    match id.and_then(|id| id.point_id_options) {
        Some(PointIdOptions::Num(number)) => Ok(EngineId::NumId(number)),
        Some(PointIdOptions::Uuid(text)) => Uuid::try_parse(&text)
            .map(EngineId::Uuid)
            .map_err(|_| Error::invalid(format!("Unable to parse UUID: {text}"))),
        None => Err(Error::invalid("a point has no id")),
    }
}

/// Ids as the engine takes them.
pub(crate) fn ids_to_engine(ids: Vec<PointId>) -> Result<Vec<EngineId>> {
    ids.into_iter().map(|id| id_to_engine(Some(id))).collect()
}

/// A point's id as clients read it.
pub(crate) fn id_from_engine(id: EngineId) -> PointId {
    PointId {
        point_id_options: Some(match id {
            EngineId::NumId(number) => PointIdOptions::Num(number),
            EngineId::Uuid(uuid) => PointIdOptions::Uuid(uuid.to_string()),
        }),
    }
}

/// A point that was asked for.
pub(crate) fn record(record: Record) -> RetrievedPoint {
    RetrievedPoint {
        id: Some(id_from_engine(record.id)),
        payload: payload::from_engine(record.payload),
        vectors: record.vector.map(vectors::from_engine),
        shard_key: None,
        order_value: record.order_value.map(order_value),
    }
}

/// A point that a query found.
pub(crate) fn hit(point: EngineScoredPoint) -> ScoredPoint {
    ScoredPoint {
        id: Some(id_from_engine(point.id)),
        payload: payload::from_engine(point.payload),
        score: point.score,
        version: point.version,
        vectors: point.vector.map(vectors::from_engine),
        shard_key: None,
        order_value: point.order_value.map(order_value),
    }
}

/// A value of a facet.
pub(crate) fn facet(hit: FacetValueHit) -> FacetHit {
    let variant = match hit.value {
        EngineFacetValue::Keyword(text) => FacetVariant::StringValue(text),
        EngineFacetValue::Int(number) => FacetVariant::IntegerValue(number),
        EngineFacetValue::Uuid(number) => FacetVariant::StringValue(Uuid::from_u128(number).to_string()),
        EngineFacetValue::Bool(value) => FacetVariant::BoolValue(value),
    };
    FacetHit { value: Some(FacetValue { variant: Some(variant) }), count: hit.count as u64 }
}

fn order_value(value: EngineOrderValue) -> OrderValue {
    OrderValue {
        variant: Some(match value {
            EngineOrderValue::Int(value) => Variant::Int(value),
            EngineOrderValue::Float(value) => Variant::Float(value),
        }),
    }
}
