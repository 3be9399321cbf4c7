//! Vectors in JSON, in both directions.

use std::collections::{BTreeMap, HashMap};

use qdrant_client::qdrant::vector::Vector as Message;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::{
    DenseVector, MultiDenseVector, NamedVectors, SparseVector, Vector as VectorMessage, Vectors as VectorsMessage,
};
use qdrant_edge::{SparseVector as EngineSparse, VectorInternal, VectorStructInternal};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A vector of a point.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a vector: a list of numbers, a list of such lists, or {\"indices\": […], \"values\": […]}"
)]
pub(super) enum Vector {
    Dense(Vec<f32>),
    Multi(Vec<Vec<f32>>),
    Sparse(Sparse),
    Inferred(Inferred),
}

/// A sparse vector.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sparse {
    pub(super) indices: Vec<u32>,
    pub(super) values: Vec<f32>,
}

/// What Qdrant makes a vector from, with a model that this server has not.
#[derive(Debug, Deserialize)]
pub(super) struct Inferred {
    #[serde(rename = "model")]
    _model: String,
}

/// All vectors of a point: one without a name, or several with.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a vector (a list of numbers, or a list of such lists), or vectors by name")]
pub(super) enum Vectors {
    Dense(Vec<f32>),
    Multi(Vec<Vec<f32>>),
    Inferred(Inferred),
    Named(HashMap<String, Vector>),
}

/// The vectors of many points.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a list of vectors, or such lists by the names of the vectors")]
pub(super) enum BatchVectors {
    Dense(Vec<Vec<f32>>),
    Multi(Vec<Vec<Vec<f32>>>),
    Inferred(Vec<Inferred>),
    Named(HashMap<String, Vec<Vector>>),
}

/// Why a vector cannot be inferred.
pub(super) const INFERENCE: Error = Error::Unsupported("vectors made from texts, images or objects");

fn dense(data: Vec<f32>) -> Message {
    Message::Dense(DenseVector { data })
}

fn multi(vectors: Vec<Vec<f32>>) -> Message {
    Message::MultiDense(MultiDenseVector { vectors: vectors.into_iter().map(|data| DenseVector { data }).collect() })
}

impl Vector {
    /// The message for it.
    pub(super) fn message(self) -> Result<Message> {
        match self {
            Self::Dense(data) => Ok(dense(data)),
            Self::Multi(vectors) => Ok(multi(vectors)),
            Self::Sparse(Sparse { indices, values }) => Ok(Message::Sparse(SparseVector { values, indices })),
            Self::Inferred(Inferred { .. }) => Err(INFERENCE),
        }
    }
}

impl Vectors {
    /// The message for them.
    pub(super) fn message(self) -> Result<VectorsMessage> {
        Ok(match self {
            Self::Dense(data) => one(dense(data)),
            Self::Multi(vectors) => one(multi(vectors)),
            Self::Inferred(Inferred { .. }) => return Err(INFERENCE),
            Self::Named(named) => {
                let named = named.into_iter().map(|(name, vector)| Ok((name, wrapped(vector.message()?))));
                several(named.collect::<Result<_>>()?)
            }
        })
    }
}

impl BatchVectors {
    /// The messages for them, of `count` points.
    pub(super) fn messages(self, count: usize) -> Result<Vec<VectorsMessage>> {
        let messages: Vec<_> = match self {
            Self::Dense(vectors) => vectors.into_iter().map(|data| one(dense(data))).collect(),
            Self::Multi(vectors) => vectors.into_iter().map(|vectors| one(multi(vectors))).collect(),
            Self::Inferred(inferred) if inferred.is_empty() => Vec::new(),
            Self::Inferred(_) => return Err(INFERENCE),
            Self::Named(named) => transposed(named, count)?,
        };
        if messages.len() == count {
            return Ok(messages);
        }
        Err(unequal("vectors", messages.len(), count))
    }
}

/// That there are not as many of something as points.
pub(super) fn unequal(what: &str, number: usize, points: usize) -> Error {
    Error::invalid(format!("the batch has {number} {what} for {points} points"))
}

fn transposed(named: HashMap<String, Vec<Vector>>, count: usize) -> Result<Vec<VectorsMessage>> {
    let mut points = vec![HashMap::new(); count];
    for (name, vectors) in named {
        if vectors.len() != count {
            return Err(unequal(&format!("vectors called `{name}`"), vectors.len(), count));
        }
        for (point, vector) in points.iter_mut().zip(vectors) {
            point.insert(name.clone(), wrapped(vector.message()?));
        }
    }
    Ok(points.into_iter().map(several).collect())
}

fn one(vector: Message) -> VectorsMessage {
    VectorsMessage { vectors_options: Some(VectorsOptions::Vector(wrapped(vector))) }
}

fn several(vectors: HashMap<String, VectorMessage>) -> VectorsMessage {
    VectorsMessage { vectors_options: Some(VectorsOptions::Vectors(NamedVectors { vectors })) }
}

fn wrapped(vector: Message) -> VectorMessage {
    VectorMessage { vector: Some(vector), ..VectorMessage::default() }
}

/// The vectors of a point, as they are returned.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Output {
    One(OutputVector),
    Named(BTreeMap<String, OutputVector>),
}

/// A vector, as it is returned.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum OutputVector {
    Dense(Vec<f32>),
    Multi(Vec<Vec<f32>>),
    Sparse { indices: Vec<u32>, values: Vec<f32> },
}

impl From<VectorStructInternal> for Output {
    fn from(vectors: VectorStructInternal) -> Self {
        match vectors {
            VectorStructInternal::Single(vector) => Self::One(OutputVector::Dense(vector)),
            VectorStructInternal::MultiDense(several) => Self::One(VectorInternal::MultiDense(several).into()),
            VectorStructInternal::Named(named) => {
                Self::Named(named.into_iter().map(|(name, vector)| (name, vector.into())).collect())
            }
        }
    }
}

impl From<VectorInternal> for OutputVector {
    fn from(vector: VectorInternal) -> Self {
        match vector {
            VectorInternal::Dense(data) => Self::Dense(data),
            VectorInternal::Sparse(EngineSparse { indices, values }) => Self::Sparse { indices, values },
            VectorInternal::MultiDense(several) => {
                Self::Multi(several.flattened_vectors.chunks(several.dim.max(1)).map(<[f32]>::to_vec).collect())
            }
        }
    }
}
