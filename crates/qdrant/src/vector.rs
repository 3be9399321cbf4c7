//! A vector of a point, as it is written and read.

use std::collections::BTreeMap;

use qdrant_client::qdrant::vector_output::Vector as Output;
use qdrant_client::qdrant::{Vector, VectorOutput};

/// One of the three kinds of vectors.
#[derive(Debug, Clone, PartialEq)]
pub enum PointVector {
    /// A list of numbers.
    Dense(Vec<f32>),
    /// Several of one length.
    Multi(Vec<Vec<f32>>),
    /// The numbers that are not zero, and where each of them stands, counted from 0.
    #[expect(missing_docs, reason = "Qdrant's own names")]
    Sparse { indices: Vec<u32>, values: Vec<f32> },
}

/// The vectors of a point by name; the one without a name has the empty one.
pub type Vectors = BTreeMap<String, PointVector>;

impl PointVector {
    /// The numbers, if they are one list.
    #[must_use]
    pub fn dense(self) -> Option<Vec<f32>> {
        match self {
            Self::Dense(numbers) => Some(numbers),
            Self::Multi(_) | Self::Sparse { .. } => None,
        }
    }
}

impl From<PointVector> for Vector {
    fn from(vector: PointVector) -> Self {
        match vector {
            PointVector::Dense(numbers) => Self::new_dense(numbers),
            PointVector::Multi(vectors) => Self::new_multi(vectors),
            PointVector::Sparse { indices, values } => Self::new_sparse(indices, values),
        }
    }
}

impl From<VectorOutput> for PointVector {
    fn from(output: VectorOutput) -> Self {
        match output.into_vector() {
            Output::Dense(dense) => Self::Dense(dense.data),
            Output::Sparse(sparse) => Self::Sparse { indices: sparse.indices, values: sparse.values },
            Output::MultiDense(multi) => Self::Multi(multi.vectors.into_iter().map(|one| one.data).collect()),
        }
    }
}
