//! Reading a collection: points by id, pages, counts, facets and queries.

use std::collections::HashSet;

use qdrant_edge::{
    Condition, CountRequest, FacetRequest, FacetValueHit, FieldCondition, Filter, Match, PointId, Record, ScoredPoint,
    ScrollRequest, VectorInternal, VectorStructInternal, WithPayloadInterface, WithVector,
};

use crate::collection::Collection;
use crate::convert::vectors;
use crate::error::{Error, Result};
use crate::query::{self, Query};

/// How much Qdrant returns of a page, a query or a facet when the request does not say.
pub(crate) const DEFAULT_LIMIT: usize = 10;

impl Collection {
    /// Points by id; those that do not exist are left out.
    pub(crate) fn get(&self, ids: &[PointId], payload: WithPayloadInterface, with: WithVector) -> Result<Vec<Record>> {
        vectors::check_selector(&with, &*self.layout()?)?;
        Ok(self.shard().retrieve(ids, Some(payload), Some(with))?)
    }

    /// A page of points, and where the next one begins.
    pub(crate) fn scroll(&self, request: ScrollRequest) -> Result<(Vec<Record>, Option<PointId>)> {
        vectors::check_selector(&request.with_vector, &*self.layout()?)?;
        let limit = at_least_one(request.limit.unwrap_or(DEFAULT_LIMIT))?;
        Ok(self.shard().scroll(ScrollRequest { limit: Some(self.at_most(limit as u64)), ..request })?)
    }

    /// How many points match: always the exact number, which is also the best approximation.
    pub(crate) fn count(&self, filter: Option<Filter>) -> Result<u64> {
        Ok(self.shard().count(CountRequest { filter, exact: true })? as u64)
    }

    /// The values of a payload field with an index, those of the most points first.
    pub(crate) fn facet(&self, request: FacetRequest) -> Result<Vec<FacetValueHit>> {
        let limit = at_least_one(request.limit)?;
        if !request.exact {
            return Ok(self.shard().facet(request)?.hits);
        }
        // The engine counts by its index alone, which may still know deleted points. Qdrant counts anew, too.
        let FacetRequest { key, filter, .. } = request.clone();
        let mut hits = self.shard().facet(FacetRequest { limit: usize::MAX, ..request })?.hits;
        for hit in &mut hits {
            let same = Match::new_value(hit.value.clone().into());
            let having = Filter::new_must(Condition::Field(FieldCondition::new_match(key.clone(), same)));
            let filter = match filter.clone() {
                Some(filter) => filter.merge_owned(having),
                None => having,
            };
            hit.count = self.shard().count(CountRequest { filter: Some(filter), exact: true })?;
        }
        hits.retain(|hit| hit.count > 0);
        hits.sort_by(|one, other| other.cmp(one));
        hits.truncate(limit);
        Ok(hits)
    }

    /// The points that a query finds, best first.
    pub(crate) fn query(&self, query: Query) -> Result<Vec<ScoredPoint>> {
        vectors::check_selector(&query.with_vector, &*self.layout()?)?;
        // The engine leaves the offset of a query to its caller.
        let skipped = self.at_most(query.offset);
        let hits = self.shard().query(query::to_engine(self, query)?)?;
        Ok(hits.into_iter().skip(skipped).collect())
    }

    /// The vector `name` of a point, which a query refers to.
    pub(crate) fn vector_of(&self, id: PointId, name: &str) -> Result<VectorInternal> {
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
    pub(crate) fn matching(&self, filter: Filter) -> Result<Vec<PointId>> {
        let (records, _) = self.shard().scroll(ScrollRequest {
            offset: None,
            limit: Some(self.at_most(u64::MAX)),
            filter: Some(filter),
            with_payload: Some(WithPayloadInterface::Bool(false)),
            with_vector: WithVector::Bool(false),
            order_by: None,
        })?;
        Ok(records.into_iter().map(|record| record.id).collect())
    }

    /// Those of `ids` that exist.
    pub(crate) fn present(&self, ids: &[PointId]) -> Result<HashSet<PointId>> {
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

/// A limit, which Qdrant wants to be positive.
pub(crate) fn at_least_one<T: PartialEq + Default>(limit: T) -> Result<T> {
    if limit == T::default() {
        return Err(Error::invalid("limit: value 0 invalid, must be 1 or larger"));
    }
    Ok(limit)
}
