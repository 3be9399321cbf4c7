//! Vectors, checked against what the collection holds before the engine sees them.

use std::collections::HashMap;

use qdrant_client::qdrant::vector::Vector as Variant;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::vectors_output::VectorsOptions as OutputOptions;
use qdrant_client::qdrant::with_vectors_selector::SelectorOptions;
use qdrant_client::qdrant::{
    DenseVector, MultiDenseVector, NamedVectorsOutput, SparseIndices, SparseVector, Vector, VectorOutput, Vectors,
    VectorsOutput, WithVectorsSelector, vector_output,
};
use qdrant_edge::{
    DEFAULT_VECTOR_NAME, SparseVector as EngineSparse, Vector as EngineVector, VectorInternal, VectorPersisted,
    VectorStructInternal, VectorStructPersisted, WithVector,
};

use crate::error::{Error, Result};

/// What a collection holds under one vector name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One vector of this many dimensions.
    Dense(usize),
    /// Any number of vectors of this many dimensions.
    Multi(usize),
    /// A sparse vector.
    Sparse,
}

/// The vectors of a collection by name.
pub(crate) type Layout = HashMap<String, Kind>;

/// The kind of the vector called `name`, or Qdrant's error.
pub(crate) fn kind(layout: &Layout, name: &str) -> Result<Kind> {
    layout.get(name).copied().ok_or_else(|| Error::invalid(format!("Not existing vector name error: {name}")))
}

/// A point's vectors as the engine keeps them.
pub(crate) fn to_engine(vectors: Option<Vectors>, layout: &Layout) -> Result<VectorStructPersisted> {
    let named = match vectors.and_then(|vectors| vectors.vectors_options) {
        None => return Err(Error::invalid("Expected some vectors")),
        Some(VectorsOptions::Vector(vector)) => HashMap::from([(DEFAULT_VECTOR_NAME.to_owned(), vector)]),
        Some(VectorsOptions::Vectors(named)) => named.vectors,
    };
    let vectors = named
        .into_iter()
        .map(|(name, vector)| {
            let vector = VectorPersisted::from(vector_to_engine(vector, kind(layout, &name)?)?);
            Ok((name, vector))
        })
        .collect::<Result<_>>()?;
    Ok(VectorStructPersisted::Named(vectors))
}

/// One vector as the engine takes it.
pub(crate) fn vector_to_engine(vector: Vector, kind: Kind) -> Result<VectorInternal> {
    checked(variant(vector)?, kind)
}

/// A vector in one of the wire's forms as the engine takes it, or why it does not fit `kind`.
pub(crate) fn checked(vector: Variant, kind: Kind) -> Result<VectorInternal> {
    match (vector, kind) {
        (Variant::Dense(dense), Kind::Dense(size)) => {
            check_dense(&dense.data, size)?;
            Ok(EngineVector::new_dense(dense.data).0)
        }
        // Qdrant takes one vector for several, too.
        (Variant::Dense(dense), Kind::Multi(size)) => multi(vec![dense], size),
        (Variant::MultiDense(several), Kind::Multi(size)) => multi(several.vectors, size),
        (Variant::Sparse(vector), Kind::Sparse) => sparse(vector),
        (Variant::Document(_) | Variant::Image(_) | Variant::Object(_), _) => {
            Err(Error::Unsupported("vectors made from texts, images or objects"))
        }
        (_, Kind::Dense(_)) => Err(Error::invalid("Conversion between sparse and regular vectors failed")),
        (_, Kind::Multi(_)) => Err(Error::invalid("Conversion between sparse and multi vectors failed")),
        (_, Kind::Sparse) => Err(Error::invalid("Conversion between regular and sparse vectors failed")),
    }
}

/// Which vectors to return with a point.
pub(crate) fn selector(selector: Option<WithVectorsSelector>) -> WithVector {
    match selector.and_then(|selector| selector.selector_options) {
        None => WithVector::Bool(false),
        Some(SelectorOptions::Enable(enable)) => WithVector::Bool(enable),
        Some(SelectorOptions::Include(include)) => WithVector::Selector(include.names),
    }
}

/// Refuses a choice of vectors that the collection does not have.
pub(crate) fn check_selector(selector: &WithVector, layout: &Layout) -> Result<()> {
    match selector {
        WithVector::Bool(_) => Ok(()),
        WithVector::Selector(names) => names.iter().try_for_each(|name| kind(layout, name).map(|_| ())),
    }
}

/// A point's vectors as clients read them.
pub(crate) fn from_engine(vectors: VectorStructInternal) -> VectorsOutput {
    let options = match vectors {
        VectorStructInternal::Single(vector) => OutputOptions::Vector(output(VectorInternal::Dense(vector))),
        VectorStructInternal::MultiDense(vectors) => OutputOptions::Vector(output(VectorInternal::MultiDense(vectors))),
        VectorStructInternal::Named(named) => OutputOptions::Vectors(NamedVectorsOutput {
            vectors: named.into_iter().map(|(name, vector)| (name, output(vector))).collect(),
        }),
    };
    VectorsOutput { vectors_options: Some(options) }
}

/// The vector of a request, from the present field or from those that older clients fill.
#[expect(deprecated, reason = "older clients fill the deprecated fields")]
fn variant(vector: Vector) -> Result<Variant> {
    let Vector { data, indices, vectors_count, vector } = vector;
    if let Some(vector) = vector {
        return Ok(vector);
    }
    if let Some(SparseIndices { data: indices }) = indices {
        return Ok(Variant::Sparse(SparseVector { values: data, indices }));
    }
    let Some(count) = vectors_count else {
        return Ok(Variant::Dense(DenseVector { data }));
    };
    let count = count as usize;
    if count == 0 || data.len() % count != 0 || data.is_empty() {
        return Err(Error::invalid(format!("{} numbers do not make {count} vectors of one size", data.len())));
    }
    let vectors = data.chunks(data.len() / count).map(|chunk| DenseVector { data: chunk.to_vec() }).collect();
    Ok(Variant::MultiDense(MultiDenseVector { vectors }))
}

fn multi(vectors: Vec<DenseVector>, size: usize) -> Result<VectorInternal> {
    let vectors: Vec<Vec<f32>> = vectors.into_iter().map(|vector| vector.data).collect();
    for vector in &vectors {
        check_dense(vector, size)?;
    }
    Ok(EngineVector::new_multi(vectors)?.0)
}

fn sparse(vector: SparseVector) -> Result<VectorInternal> {
    let SparseVector { values, indices } = vector;
    if values.len() != indices.len() {
        return Err(Error::invalid("a sparse vector must have as many values as indices"));
    }
    check_finite(&values)?;
    let mut pairs: Vec<(u32, f32)> = indices.into_iter().zip(values).collect();
    pairs.sort_by_key(|(index, _)| *index);
    if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::invalid("the indices of a sparse vector must be unique"));
    }
    let (indices, values) = pairs.into_iter().unzip();
    Ok(VectorInternal::Sparse(EngineSparse { indices, values }))
}

fn check_dense(vector: &[f32], size: usize) -> Result<()> {
    if vector.len() != size {
        return Err(Error::invalid(format!("Vector dimension error: expected dim: {size}, got {}", vector.len())));
    }
    check_finite(vector)
}

/// The engine orders hits by score: one score that is not a number would break the order of all.
fn check_finite(values: &[f32]) -> Result<()> {
    if values.iter().all(|value| value.is_finite()) {
        Ok(())
    } else {
        Err(Error::invalid("a vector holds a value that is not a finite number"))
    }
}

/// A vector in the present form and in the one that older clients read.
#[expect(deprecated, reason = "older clients read the deprecated fields")]
fn output(vector: VectorInternal) -> VectorOutput {
    match vector {
        VectorInternal::Dense(data) => VectorOutput {
            data: data.clone(),
            indices: None,
            vectors_count: None,
            vector: Some(vector_output::Vector::Dense(DenseVector { data })),
        },
        VectorInternal::Sparse(EngineSparse { indices, values }) => VectorOutput {
            data: values.clone(),
            indices: Some(SparseIndices { data: indices.clone() }),
            vectors_count: None,
            vector: Some(vector_output::Vector::Sparse(SparseVector { values, indices })),
        },
        VectorInternal::MultiDense(several) => {
            let vectors: Vec<DenseVector> = several
                .flattened_vectors
                .chunks(several.dim.max(1))
                .map(|chunk| DenseVector { data: chunk.to_vec() })
                .collect();
            VectorOutput {
                data: several.flattened_vectors,
                indices: None,
                vectors_count: u32::try_from(vectors.len()).ok(),
                vector: Some(vector_output::Vector::MultiDense(MultiDenseVector { vectors })),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let dense = |data: &[f32]| Variant::Dense(DenseVector { data: data.to_vec() });
        let sparse = |indices: &[u32], values: &[f32]| {
            Variant::Sparse(SparseVector { values: values.to_vec(), indices: indices.to_vec() })
        };
        let several = |vectors: &[&[f32]]| {
            let vectors = vectors.iter().map(|data| DenseVector { data: data.to_vec() }).collect();
            Variant::MultiDense(MultiDenseVector { vectors })
        };
        let cases = [
            (dense(&[1.0, 2.0]), Kind::Dense(2), None),
            (dense(&[1.0]), Kind::Dense(2), Some("expected dim: 2, got 1")),
            (dense(&[]), Kind::Dense(2), Some("expected dim: 2, got 0")),
            (dense(&[1.0, f32::NAN]), Kind::Dense(2), Some("finite")),
            (dense(&[1.0, f32::INFINITY]), Kind::Dense(2), Some("finite")),
            (dense(&[1.0, 2.0]), Kind::Multi(2), None),
            (dense(&[1.0, 2.0]), Kind::Sparse, Some("Conversion")),
            (several(&[&[1.0, 2.0], &[3.0, 4.0]]), Kind::Multi(2), None),
            (several(&[&[1.0, 2.0], &[3.0]]), Kind::Multi(2), Some("expected dim: 2, got 1")),
            (several(&[]), Kind::Multi(2), Some("empty")),
            (several(&[&[1.0, 2.0]]), Kind::Dense(2), Some("Conversion")),
            (sparse(&[7, 3], &[1.0, 2.0]), Kind::Sparse, None),
            (sparse(&[3, 3], &[1.0, 2.0]), Kind::Sparse, Some("unique")),
            (sparse(&[3], &[1.0, 2.0]), Kind::Sparse, Some("as many")),
            (sparse(&[3], &[1.0]), Kind::Dense(1), Some("Conversion")),
        ];
        for (vector, kind, expected) in cases {
            let result = checked(vector.clone(), kind);
            match (&result, expected) {
                (Ok(_), None) => {}
                (Err(error), Some(part)) if error.to_string().contains(part) => {}
                _ => panic!("{vector:?} as {kind:?}: {result:?}, expected {expected:?}"),
            }
        }
    }
}
