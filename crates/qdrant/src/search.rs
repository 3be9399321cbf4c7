//! The points nearest to a vector. <https://qdrant.tech/documentation/concepts/search/>

use qdrant_client::qdrant::query::Variant;
use qdrant_client::qdrant::vector_input::Variant as Input;
use qdrant_client::qdrant::{DenseVector, Query, QueryPoints, SearchParams, VectorInput};

use crate::parameter::Value;
use crate::{Error, Id, Server, Settings};

/// How two vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Qdrant's own names")]
pub enum Distance {
    Cosine,
    Dot,
    Euclid,
    Manhattan,
}

impl Distance {
    /// That of a declared vector.
    #[must_use]
    pub fn of(vector: &Settings) -> Option<Self> {
        match vector.get("distance")? {
            Value::Word("Cosine") => Some(Self::Cosine),
            Value::Word("Dot") => Some(Self::Dot),
            Value::Word("Euclid") => Some(Self::Euclid),
            Value::Word("Manhattan") => Some(Self::Manhattan),
            _ => None,
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search<'a> {
    /// The vector.
    pub vector: &'a [f32],
    /// The name of the vectors that it is compared with; the empty one of those without a name.
    pub using: &'a str,
    /// How many points are wanted.
    pub limit: u64,
    /// Whether all points are compared, and not those that the index leads to.
    pub exact: bool,
}

impl Server {
    /// The nearest points, the nearest first, with their scores: of the cosine and dot product the more the nearer, of the
    /// other distances the less.
    ///
    /// # Errors
    ///
    /// When the vector has another dimension, or the collection no vectors of that name.
    pub async fn nearest(&self, collection: &str, search: Search<'_>) -> Result<Vec<(Id, f32)>, Error> {
        let doing = format!("search {collection}");
        let vector = VectorInput { variant: Some(Input::Dense(DenseVector { data: search.vector.to_vec() })) };
        let request = QueryPoints {
            collection_name: collection.into(),
            query: Some(Query { variant: Some(Variant::Nearest(vector)) }),
            using: (!search.using.is_empty()).then(|| search.using.to_owned()),
            limit: Some(search.limit),
            params: Some(SearchParams { exact: Some(search.exact), ..Default::default() }),
            ..Default::default()
        };
        let answer = self.work(&doing, self.points_api().query(request)).await?;
        Ok(answer.result.into_iter().filter_map(|point| Some((Id::of(point.id)?, point.score))).collect())
    }
}
