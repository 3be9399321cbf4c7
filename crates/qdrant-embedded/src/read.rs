//! Reading a collection: points by id, pages, counts and queries.

use std::collections::HashSet;

use qdrant_client::qdrant::start_from::Value as StartValue;
use qdrant_client::qdrant::{
    CountPoints, Direction, Filter, GetPoints, OrderBy, PointId, QueryPoints, RetrievedPoint, ScoredPoint, ScrollPoints,
};
use qdrant_edge::{
    CountRequest, OrderBy as EngineOrderBy, OrderByInterface, PointId as EngineId, ScrollRequest, VectorInternal,
    VectorStructInternal, WithPayloadInterface, WithVector,
};
use serde_json::json;

use crate::collection::Collection;
use crate::convert::{filter, payload, points, vectors};
use crate::error::{Error, Result};
use crate::query;
use crate::update::no_shard_key;

/// What Qdrant returns of a page when the request does not say.
const DEFAULT_PAGE: u32 = 10;

impl Collection {
    /// Points by id; those that do not exist are left out.
    pub(crate) fn get(&self, request: GetPoints) -> Result<Vec<RetrievedPoint>> {
        no_shard_key(request.shard_key_selector.as_ref())?;
        let ids = points::ids_to_engine(request.ids)?;
        let payload = payload::selector(request.with_payload, false)?;
        let vectors = vectors::selector(request.with_vectors, &*self.layout()?)?;
        let records = self.shard().retrieve(&ids, Some(payload), Some(vectors))?;
        Ok(records.into_iter().map(points::record).collect())
    }

    /// A page of points, and where the next one begins.
    pub(crate) fn scroll(&self, request: ScrollPoints) -> Result<(Vec<RetrievedPoint>, Option<PointId>)> {
        no_shard_key(request.shard_key_selector.as_ref())?;
        let limit = request.limit.unwrap_or(DEFAULT_PAGE);
        let (records, next) = self.shard().scroll(ScrollRequest {
            offset: request.offset.map(|id| points::id_to_engine(Some(id))).transpose()?,
            limit: Some(self.at_most(u64::from(at_least_one(limit)?))),
            filter: request.filter.map(filter::to_engine).transpose()?,
            with_payload: Some(payload::selector(request.with_payload, true)?),
            with_vector: vectors::selector(request.with_vectors, &*self.layout()?)?,
            order_by: request.order_by.map(|order| order_by(order).map(OrderByInterface::Struct)).transpose()?,
        })?;
        let next = next.map(points::id_from_engine);
        Ok((records.into_iter().map(points::record).collect(), next))
    }

    /// How many points match: always the exact number, which is also the best approximation.
    pub(crate) fn count(&self, request: CountPoints) -> Result<u64> {
        no_shard_key(request.shard_key_selector.as_ref())?;
        let filter = request.filter.map(filter::to_engine).transpose()?;
        Ok(self.shard().count(CountRequest { filter, exact: true })? as u64)
    }

    /// The points that a query finds, best first.
    pub(crate) fn query(&self, request: QueryPoints) -> Result<Vec<ScoredPoint>> {
        let offset = request.offset.unwrap_or(0);
        let request = query::to_engine(self, request)?;
        // The engine leaves the offset of a query to its caller.
        let skipped = self.at_most(offset);
        let hits = self.shard().query(request)?;
        Ok(hits.into_iter().skip(skipped).map(points::hit).collect())
    }

    /// The vector `name` of a point, which a query refers to.
    pub(crate) fn vector_of(&self, id: EngineId, name: &str) -> Result<VectorInternal> {
        let wanted = WithVector::Selector(vec![name.to_owned()]);
        let record = self
            .shard()
            .retrieve(&[id], Some(WithPayloadInterface::Bool(false)), Some(wanted))?
            .pop()
            .ok_or_else(|| Error::NotFound(format!("No point with id {id} found")))?;
        let vector = match record.vector {
            Some(VectorStructInternal::Single(vector)) => Some(VectorInternal::Dense(vector)),
            Some(VectorStructInternal::MultiDense(vectors)) => Some(VectorInternal::MultiDense(vectors)),
            Some(VectorStructInternal::Named(mut named)) => named.remove(name),
            None => None,
        };
        vector.ok_or_else(|| Error::NotFound(format!("Vector with name `{name}` for point {id} not found")))
    }

    /// The ids of all points that match.
    pub(crate) fn matching(&self, filter: Filter) -> Result<Vec<EngineId>> {
        let (records, _) = self.shard().scroll(ScrollRequest {
            offset: None,
            limit: Some(self.at_most(u64::MAX)),
            filter: Some(filter::to_engine(filter)?),
            with_payload: Some(WithPayloadInterface::Bool(false)),
            with_vector: WithVector::Bool(false),
            order_by: None,
        })?;
        Ok(records.into_iter().map(|record| record.id).collect())
    }

    /// Those of `ids` that exist.
    pub(crate) fn present(&self, ids: &[EngineId]) -> Result<HashSet<EngineId>> {
        let records =
            self.shard().retrieve(ids, Some(WithPayloadInterface::Bool(false)), Some(WithVector::Bool(false)))?;
        Ok(records.into_iter().map(|record| record.id).collect())
    }

    /// `number`, or as many points as there are if it is more: the engine sets aside room for what it is asked.
    pub(crate) fn at_most(&self, number: u64) -> usize {
        let all = self.shard().info().points_count.max(1);
        usize::try_from(number).map_or(all, |number| number.min(all))
    }
}

/// The order of a page or a query.
pub(crate) fn order_by(order: OrderBy) -> Result<EngineOrderBy> {
    let direction = match order.direction.map(Direction::try_from) {
        None => None,
        Some(Ok(Direction::Asc)) => Some("asc"),
        Some(Ok(Direction::Desc)) => Some("desc"),
        Some(Err(_)) => return Err(Error::invalid("the direction of the order is unknown")),
    };
    let start_from = match order.start_from.and_then(|start| start.value) {
        None => None,
        Some(StartValue::Float(value)) => Some(json!(value)),
        Some(StartValue::Integer(value)) => Some(json!(value)),
        Some(StartValue::Timestamp(moment)) => Some(json!(filter::timestamp(&moment)?)),
        Some(StartValue::Datetime(text)) => Some(json!(text)),
    };
    let json = json!({ "key": order.key, "direction": direction, "start_from": start_from });
    serde_json::from_value(json).map_err(|error| Error::invalid(format!("the order makes no sense: {error}")))
}

/// The limit of a page or a query, which Qdrant wants to be positive.
pub(crate) fn at_least_one<T: PartialEq + Default>(limit: T) -> Result<T> {
    if limit == T::default() {
        return Err(Error::invalid("limit: value 0 invalid, must be 1 or larger"));
    }
    Ok(limit)
}
