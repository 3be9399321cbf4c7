//! Queries: from what both interfaces ask to the engine's request.
//!
//! Every query compares all vectors that its filter leaves, so the parameters that trade exactness for speed
//! (`hnsw_ef`, `exact`, quantization, ACORN, `indexed_only`) change nothing here and are not passed on.

use qdrant_client::qdrant::Mmr;
use qdrant_client::qdrant::vector::Vector as VectorVariant;
use qdrant_client::qdrant::vector_input::Variant as Input;
use qdrant_edge::external::ordered_float::OrderedFloat;
use qdrant_edge::{
    Condition, Filter, Fusion, HasIdCondition, Mmr as EngineMmr, NamedQuery, OrderBy, PointId, Prefetch, QueryEnum,
    QueryRequest, Sample, ScoringQuery, VectorInternal, WithPayloadInterface, WithVector,
};

use crate::collection::Collection;
use crate::convert::{points, vectors};
use crate::error::{Error, Result};
use crate::read::{DEFAULT_LIMIT, at_least_one};

/// Qdrant's constant of reciprocal rank fusion.
const DEFAULT_RRF_K: usize = 2;

/// A query, and what to return of the points that it finds.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) stage: Stage,
    /// How many of the best are left out.
    pub(crate) offset: u64,
    pub(crate) with_payload: WithPayloadInterface,
    pub(crate) with_vector: WithVector,
}

/// A query, or one of those whose points another query starts from.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) prefetch: Vec<Stage>,
    /// None returns points in the order of their ids.
    pub(crate) scoring: Option<Scoring>,
    /// The name of the vector; empty for the one without.
    pub(crate) using: String,
    pub(crate) filter: Option<Filter>,
    pub(crate) score_threshold: Option<f32>,
    pub(crate) limit: Option<u64>,
}

/// What decides which points are best.
#[derive(Debug)]
pub(crate) enum Scoring {
    /// Close to a vector, and with the second part also far from one another.
    Nearest(Input, Option<Mmr>),
    OrderBy(OrderBy),
    Fusion(Fusion),
    Sample(Sample),
}

/// The engine's request, with room for the offset, which the engine does not skip itself.
pub(crate) fn to_engine(collection: &Collection, query: Query) -> Result<QueryRequest> {
    let limit = at_least_one(query.stage.limit.unwrap_or(DEFAULT_LIMIT as u64))?.saturating_add(query.offset);
    let stage = stage(collection, Stage { limit: Some(limit), ..query.stage })?;
    Ok(QueryRequest {
        prefetches: stage.prefetches,
        query: stage.query,
        filter: stage.filter,
        score_threshold: stage.score_threshold,
        limit: stage.limit,
        offset: 0,
        params: None,
        with_vector: query.with_vector,
        with_payload: query.with_payload,
    })
}

/// Reciprocal rank fusion, with Qdrant's constant and equal weights where none are given.
pub(crate) fn reciprocal_rank(k: Option<usize>, weights: Vec<f32>) -> Result<Fusion> {
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err(Error::invalid("a weight of the fusion is not a finite number"));
    }
    Ok(Fusion::Rrf {
        k: at_least_one(k.unwrap_or(DEFAULT_RRF_K))?,
        weights: (!weights.is_empty()).then(|| weights.into_iter().map(OrderedFloat).collect()),
    })
}

fn stage(collection: &Collection, stage: Stage) -> Result<Prefetch> {
    let limit = at_least_one(stage.limit.unwrap_or(DEFAULT_LIMIT as u64))?;
    let prefetches =
        stage.prefetch.into_iter().map(|prefetch| self::stage(collection, prefetch)).collect::<Result<Vec<_>>>()?;
    let mut mentioned = None;
    let query = match stage.scoring {
        None => None,
        Some(how) => Some(scoring(collection, how, &stage.using, limit, &mut mentioned)?),
    };
    Ok(Prefetch {
        prefetches,
        query,
        limit: collection.at_most(limit),
        params: None,
        filter: without(stage.filter, mentioned),
        score_threshold: stage.score_threshold.map(OrderedFloat),
    })
}

fn scoring(
    collection: &Collection,
    scoring: Scoring,
    using: &str,
    limit: u64,
    mentioned: &mut Option<PointId>,
) -> Result<ScoringQuery> {
    Ok(match scoring {
        Scoring::Nearest(input, None) => ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(
            vector(collection, input, using, mentioned)?,
            using,
        ))),
        Scoring::Nearest(input, Some(mmr)) => {
            let vector = vector(collection, input, using, mentioned)?;
            ScoringQuery::Mmr(diverse(collection, vector, mmr, using, limit)?)
        }
        Scoring::OrderBy(order) => ScoringQuery::OrderBy(order),
        Scoring::Fusion(fusion) => ScoringQuery::Fusion(fusion),
        Scoring::Sample(sample) => ScoringQuery::Sample(sample),
    })
}

/// The vector to compare with. The point it was taken from, if any, is not part of the answer.
fn vector(
    collection: &Collection,
    input: Input,
    using: &str,
    mentioned: &mut Option<PointId>,
) -> Result<VectorInternal> {
    let kind = vectors::kind(&*collection.layout()?, using)?;
    let vector = match input {
        Input::Id(id) => {
            let id = points::id_to_engine(Some(id))?;
            *mentioned = Some(id);
            return collection.vector_of(id, using);
        }
        Input::Dense(vector) => VectorVariant::Dense(vector),
        Input::Sparse(vector) => VectorVariant::Sparse(vector),
        Input::MultiDense(vectors) => VectorVariant::MultiDense(vectors),
        Input::Document(document) => VectorVariant::Document(document),
        Input::Image(image) => VectorVariant::Image(image),
        Input::Object(object) => VectorVariant::Object(object),
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

fn without(filter: Option<Filter>, mentioned: Option<PointId>) -> Option<Filter> {
    let Some(id) = mentioned else {
        return filter;
    };
    let others = Filter::new_must_not(Condition::HasId(HasIdCondition::from_iter([id])));
    Some(match filter {
        Some(filter) => filter.merge_owned(others),
        None => others,
    })
}
