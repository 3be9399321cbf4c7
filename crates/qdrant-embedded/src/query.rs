//! Queries: from the messages of a client to the engine's request.
//!
//! Every query compares all vectors that its filter leaves, so the parameters that trade exactness for speed
//! (`hnsw_ef`, `exact`, quantization, ACORN, `indexed_only`) change nothing here and are not passed on.

use qdrant_client::qdrant::query::Variant;
use qdrant_client::qdrant::vector::Vector as VectorVariant;
use qdrant_client::qdrant::vector_input::Variant as InputVariant;
use qdrant_client::qdrant::{
    DenseVector, Filter, Fusion, LookupLocation, Mmr, NearestInputWithMmr, PrefetchQuery, Query, QueryPoints, Rrf,
    SearchParams, SearchPoints, SparseVector, VectorInput,
};
use qdrant_edge::external::ordered_float::OrderedFloat;
use qdrant_edge::{
    Condition, Filter as EngineFilter, Fusion as EngineFusion, HasIdCondition, Mmr as EngineMmr, NamedQuery, PointId,
    Prefetch, QueryEnum, QueryRequest, Sample, ScoringQuery, VectorInternal,
};

use crate::collection::Collection;
use crate::convert::{filter, payload, points, vectors};
use crate::error::{Error, Result};
use crate::read::{at_least_one, order_by};
use crate::update::no_shard_key;

/// What Qdrant returns when the request does not say.
const DEFAULT_LIMIT: u64 = 10;

/// Qdrant's constant of reciprocal rank fusion.
const DEFAULT_RRF_K: usize = 2;

/// The engine's request, with room for the offset, which the engine does not skip itself.
pub(crate) fn to_engine(collection: &Collection, request: QueryPoints) -> Result<QueryRequest> {
    no_shard_key(request.shard_key_selector.as_ref())?;
    let limit = at_least_one(request.limit.unwrap_or(DEFAULT_LIMIT))?;
    let limit = limit.saturating_add(request.offset.unwrap_or(0));
    let stage = stage(
        collection,
        PrefetchQuery {
            prefetch: request.prefetch,
            query: request.query,
            using: request.using,
            filter: request.filter,
            params: request.params,
            score_threshold: request.score_threshold,
            limit: Some(limit),
            lookup_from: request.lookup_from,
        },
    )?;
    Ok(QueryRequest {
        prefetches: stage.prefetches,
        query: stage.query,
        filter: stage.filter,
        score_threshold: stage.score_threshold,
        limit: stage.limit,
        offset: 0,
        params: None,
        with_vector: vectors::selector(request.with_vectors, &*collection.layout()?)?,
        with_payload: payload::selector(request.with_payload, false)?,
    })
}

/// The query that means the same as a search, Qdrant's older request.
pub(crate) fn of_search(request: SearchPoints) -> Result<QueryPoints> {
    let variant = match request.sparse_indices {
        None => InputVariant::Dense(DenseVector { data: request.vector }),
        Some(indices) => InputVariant::Sparse(SparseVector { values: request.vector, indices: indices.data }),
    };
    Ok(QueryPoints {
        collection_name: request.collection_name,
        query: Some(Query { variant: Some(Variant::Nearest(VectorInput { variant: Some(variant) })) }),
        using: request.vector_name,
        filter: request.filter,
        params: request.params,
        score_threshold: request.score_threshold,
        limit: Some(at_least_one(request.limit)?),
        offset: request.offset,
        with_vectors: request.with_vectors,
        with_payload: request.with_payload,
        shard_key_selector: request.shard_key_selector,
        ..QueryPoints::default()
    })
}

fn stage(collection: &Collection, request: PrefetchQuery) -> Result<Prefetch> {
    refuse_unsupported(request.params.as_ref(), request.lookup_from.as_ref())?;
    let limit = at_least_one(request.limit.unwrap_or(DEFAULT_LIMIT))?;
    let using = request.using.unwrap_or_default();
    let prefetches =
        request.prefetch.into_iter().map(|prefetch| stage(collection, prefetch)).collect::<Result<Vec<_>>>()?;
    let mut mentioned = None;
    let query = match request.query.and_then(|query| query.variant) {
        None => None,
        Some(variant) => Some(scoring(collection, variant, &using, limit, &mut mentioned)?),
    };
    Ok(Prefetch {
        prefetches,
        query,
        limit: collection.at_most(limit),
        params: None,
        filter: without(request.filter, mentioned)?,
        score_threshold: request.score_threshold.map(OrderedFloat),
    })
}

fn scoring(
    collection: &Collection,
    variant: Variant,
    using: &str,
    limit: u64,
    mentioned: &mut Option<PointId>,
) -> Result<ScoringQuery> {
    Ok(match variant {
        Variant::Nearest(input) => ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(
            vector(collection, Some(input), using, mentioned)?,
            using,
        ))),
        Variant::NearestWithMmr(NearestInputWithMmr { nearest, mmr }) => {
            let vector = vector(collection, nearest, using, mentioned)?;
            ScoringQuery::Mmr(diverse(collection, vector, mmr.unwrap_or_default(), using, limit)?)
        }
        Variant::OrderBy(order) => ScoringQuery::OrderBy(order_by(order)?),
        Variant::Fusion(number) => ScoringQuery::Fusion(match Fusion::try_from(number) {
            Ok(Fusion::Rrf) => EngineFusion::Rrf { k: DEFAULT_RRF_K, weights: None },
            Ok(Fusion::Dbsf) => EngineFusion::Dbsf,
            Err(_) => return Err(Error::invalid("the fusion is unknown")),
        }),
        Variant::Rrf(rrf) => ScoringQuery::Fusion(reciprocal_rank(rrf)?),
        Variant::Sample(0) => ScoringQuery::Sample(Sample::Random),
        Variant::Sample(_) => return Err(Error::invalid("the sample is unknown")),
        Variant::Recommend(_) => return Err(Error::Unsupported("recommendation queries")),
        Variant::Discover(_) => return Err(Error::Unsupported("discovery queries")),
        Variant::Context(_) => return Err(Error::Unsupported("context queries")),
        Variant::Formula(_) => return Err(Error::Unsupported("formula queries")),
        Variant::RelevanceFeedback(_) => return Err(Error::Unsupported("relevance feedback queries")),
        Variant::Text(_) => return Err(Error::Unsupported("text queries")),
    })
}

/// The vector to compare with. The point it was taken from, if any, is not part of the answer.
fn vector(
    collection: &Collection,
    input: Option<VectorInput>,
    using: &str,
    mentioned: &mut Option<PointId>,
) -> Result<VectorInternal> {
    let kind = vectors::kind(&*collection.layout()?, using)?;
    let variant = input.and_then(|input| input.variant).ok_or_else(|| Error::invalid("the query has no vector"))?;
    let vector = match variant {
        InputVariant::Id(id) => {
            let id = points::id_to_engine(Some(id))?;
            *mentioned = Some(id);
            return collection.vector_of(id, using);
        }
        InputVariant::Dense(vector) => VectorVariant::Dense(vector),
        InputVariant::Sparse(vector) => VectorVariant::Sparse(vector),
        InputVariant::MultiDense(vectors) => VectorVariant::MultiDense(vectors),
        InputVariant::Document(document) => VectorVariant::Document(document),
        InputVariant::Image(image) => VectorVariant::Image(image),
        InputVariant::Object(object) => VectorVariant::Object(object),
    };
    vectors::checked(vector, kind)
}

fn diverse(collection: &Collection, vector: VectorInternal, mmr: Mmr, using: &str, limit: u64) -> Result<EngineMmr> {
    let diversity = mmr.diversity.unwrap_or(0.5);
    if !(0.0..=1.0).contains(&diversity) {
        return Err(Error::invalid("the diversity must be between 0 and 1"));
    }
    let candidates = mmr.candidates_limit.map_or(limit, u64::from);
    Ok(EngineMmr {
        vector,
        using: using.to_owned(),
        lambda: OrderedFloat(1.0 - diversity),
        candidates_limit: collection.at_most(at_least_one(candidates)?),
    })
}

fn reciprocal_rank(rrf: Rrf) -> Result<EngineFusion> {
    if rrf.weights.iter().any(|weight| !weight.is_finite()) {
        return Err(Error::invalid("a weight of the fusion is not a finite number"));
    }
    Ok(EngineFusion::Rrf {
        k: at_least_one(rrf.k.map_or(DEFAULT_RRF_K, |k| k as usize))?,
        weights: (!rrf.weights.is_empty()).then(|| rrf.weights.into_iter().map(OrderedFloat).collect()),
    })
}

fn without(filter: Option<Filter>, mentioned: Option<PointId>) -> Result<Option<EngineFilter>> {
    let filter = filter.map(filter::to_engine).transpose()?;
    let Some(id) = mentioned else {
        return Ok(filter);
    };
    let others = EngineFilter::new_must_not(Condition::HasId(HasIdCondition::from_iter([id])));
    Ok(Some(match filter {
        Some(filter) => filter.merge_owned(others),
        None => others,
    }))
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
