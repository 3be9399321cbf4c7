//! Requests to read, from gRPC.

use qdrant_client::qdrant::query::Variant;
use qdrant_client::qdrant::start_from::Value as StartValue;
use qdrant_client::qdrant::vector_input::Variant as Input;
use qdrant_client::qdrant::{
    DenseVector, Direction, FacetCounts, Fusion, LookupLocation, NearestInputWithMmr, OrderBy, PrefetchQuery,
    QueryPoints, ScrollPoints, SearchParams, SearchPoints, SparseVector, VectorInput,
};
use qdrant_edge::{
    FacetRequest, Fusion as EngineFusion, OrderBy as EngineOrderBy, OrderByInterface, Sample, ScrollRequest,
};
use serde_json::json;

use crate::convert::{filter, payload, points, vectors};
use crate::error::{Error, Result};
use crate::query::{Query, Scoring, Stage, reciprocal_rank};
use crate::read::{DEFAULT_LIMIT, at_least_one};
use crate::update::no_shard_key;

/// A page of points.
pub(crate) fn scroll(request: ScrollPoints) -> Result<ScrollRequest> {
    no_shard_key(request.shard_key_selector.as_ref())?;
    Ok(ScrollRequest {
        offset: request.offset.map(|id| points::id_to_engine(Some(id))).transpose()?,
        limit: request.limit.map(|limit| limit as usize),
        filter: request.filter.map(filter::to_engine).transpose()?,
        with_payload: Some(payload::selector(request.with_payload, true)?),
        with_vector: vectors::selector(request.with_vectors),
        order_by: request.order_by.map(|order| order_by(order).map(OrderByInterface::Struct)).transpose()?,
    })
}

/// A facet.
pub(crate) fn facet(request: FacetCounts) -> Result<FacetRequest> {
    no_shard_key(request.shard_key_selector.as_ref())?;
    Ok(FacetRequest {
        key: payload::path(&request.key)?,
        limit: request.limit.map_or(DEFAULT_LIMIT, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        filter: request.filter.map(filter::to_engine).transpose()?,
        exact: request.exact.unwrap_or(false),
    })
}

/// A query.
pub(crate) fn query(request: QueryPoints) -> Result<Query> {
    no_shard_key(request.shard_key_selector.as_ref())?;
    Ok(Query {
        stage: stage(PrefetchQuery {
            prefetch: request.prefetch,
            query: request.query,
            using: request.using,
            filter: request.filter,
            params: request.params,
            score_threshold: request.score_threshold,
            limit: request.limit,
            lookup_from: request.lookup_from,
        })?,
        offset: request.offset.unwrap_or(0),
        with_payload: payload::selector(request.with_payload, false)?,
        with_vector: vectors::selector(request.with_vectors),
    })
}

/// The query that means the same as a search, Qdrant's older request.
pub(crate) fn search(request: SearchPoints) -> Result<Query> {
    no_shard_key(request.shard_key_selector.as_ref())?;
    refuse_unsupported(request.params.as_ref(), None)?;
    let input = match request.sparse_indices {
        None => Input::Dense(DenseVector { data: request.vector }),
        Some(indices) => Input::Sparse(SparseVector { values: request.vector, indices: indices.data }),
    };
    Ok(Query {
        stage: Stage {
            prefetch: Vec::new(),
            scoring: Some(Scoring::Nearest(input, None)),
            using: request.vector_name.unwrap_or_default(),
            filter: request.filter.map(filter::to_engine).transpose()?,
            score_threshold: request.score_threshold,
            limit: Some(at_least_one(request.limit)?),
        },
        offset: request.offset.unwrap_or(0),
        with_payload: payload::selector(request.with_payload, false)?,
        with_vector: vectors::selector(request.with_vectors),
    })
}

fn stage(request: PrefetchQuery) -> Result<Stage> {
    refuse_unsupported(request.params.as_ref(), request.lookup_from.as_ref())?;
    Ok(Stage {
        prefetch: request.prefetch.into_iter().map(stage).collect::<Result<_>>()?,
        scoring: request.query.and_then(|query| query.variant).map(scoring).transpose()?,
        using: request.using.unwrap_or_default(),
        filter: request.filter.map(filter::to_engine).transpose()?,
        score_threshold: request.score_threshold,
        limit: request.limit,
    })
}

fn scoring(variant: Variant) -> Result<Scoring> {
    Ok(match variant {
        Variant::Nearest(vector) => Scoring::Nearest(input(Some(vector))?, None),
        Variant::NearestWithMmr(NearestInputWithMmr { nearest, mmr }) => {
            Scoring::Nearest(input(nearest)?, Some(mmr.unwrap_or_default()))
        }
        Variant::OrderBy(order) => Scoring::OrderBy(order_by(order)?),
        Variant::Fusion(number) => Scoring::Fusion(match Fusion::try_from(number) {
            Ok(Fusion::Rrf) => reciprocal_rank(None, Vec::new())?,
            Ok(Fusion::Dbsf) => EngineFusion::Dbsf,
            Err(_) => return Err(Error::invalid("the fusion is unknown")),
        }),
        Variant::Rrf(rrf) => Scoring::Fusion(reciprocal_rank(rrf.k.map(|k| k as usize), rrf.weights)?),
        Variant::Sample(0) => Scoring::Sample(Sample::Random),
        Variant::Sample(_) => return Err(Error::invalid("the sample is unknown")),
        Variant::Recommend(_) => return Err(Error::Unsupported("recommendation queries")),
        Variant::Discover(_) => return Err(Error::Unsupported("discovery queries")),
        Variant::Context(_) => return Err(Error::Unsupported("context queries")),
        Variant::Formula(_) => return Err(Error::Unsupported("formula queries")),
        Variant::RelevanceFeedback(_) => return Err(Error::Unsupported("relevance feedback queries")),
        Variant::Text(_) => return Err(Error::Unsupported("text queries")),
    })
}

fn input(input: Option<VectorInput>) -> Result<Input> {
    input.and_then(|input| input.variant).ok_or_else(|| Error::invalid("the query has no vector"))
}

fn order_by(order: OrderBy) -> Result<EngineOrderBy> {
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

fn refuse_unsupported(params: Option<&SearchParams>, lookup: Option<&LookupLocation>) -> Result<()> {
    if params.is_some_and(|params| params.idf.is_some()) {
        return Err(Error::Unsupported("a corpus for inverse document frequencies"));
    }
    match lookup {
        Some(_) => Err(Error::Unsupported("vectors from another collection")),
        None => Ok(()),
    }
}
