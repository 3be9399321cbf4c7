//! Whether a copy holds what its point does, as far as the new vectors can.

use qdrant_client::qdrant::RetrievedPoint;
use qdrant_client::qdrant::vector_output::Vector;

use crate::parameter::Value;
use crate::sample::named;
use crate::{CollectionSpec, Settings};

/// What of a copy is not as it was; `None` when all is.
pub(crate) fn differing(spec: &CollectionSpec, point: &RetrievedPoint, copy: &RetrievedPoint) -> Option<String> {
    if point.payload != copy.payload {
        return Some("its payload".into());
    }
    let (mut wanted, found) = (named(point.vectors.clone()), named(copy.vectors.clone()));
    wanted.retain(|name, _| spec.vectors.contains_key(name) || spec.sparse_vectors.contains_key(name));
    if !wanted.keys().eq(found.keys()) {
        return Some("which vectors it has".into());
    }
    let none = Settings::default();
    let differs = |(name, wanted): &(&String, &Vector)| {
        let settings = spec.vectors.get(*name).unwrap_or(&none);
        found.get(*name).is_none_or(|found| !is_close(settings, wanted, found))
    };
    let (name, _) = wanted.iter().find(differs)?;
    Some(if name.is_empty() { "its vector".into() } else { format!("its vector {name}") })
}

fn is_close(settings: &Settings, wanted: &Vector, found: &Vector) -> bool {
    match (wanted, found) {
        (Vector::Dense(wanted), Vector::Dense(found)) => are_close(settings, &wanted.data, &found.data),
        (Vector::MultiDense(wanted), Vector::MultiDense(found)) => {
            wanted.vectors.len() == found.vectors.len()
                && wanted.vectors.iter().zip(&found.vectors).all(|(one, two)| are_close(settings, &one.data, &two.data))
        }
        (Vector::Sparse(wanted), Vector::Sparse(found)) => {
            let mut wanted: Vec<_> = wanted.indices.iter().zip(&wanted.values).collect();
            let mut found: Vec<_> = found.indices.iter().zip(&found.values).collect();
            wanted.sort_by_key(|(index, _)| **index);
            found.sort_by_key(|(index, _)| **index);
            wanted.iter().map(|(index, _)| index).eq(found.iter().map(|(index, _)| index))
                && wanted.iter().zip(&found).all(|((_, one), (_, two))| (**one - **two).abs() <= 2e-3 * one.abs())
        }
        _ => false,
    }
}

fn are_close(settings: &Settings, wanted: &[f32], found: &[f32]) -> bool {
    let is = |path: &str, word| settings.get(path) == Some(Value::Word(word));
    let is_whole = is("datatype", "uint8");
    // What is compared by cosine is stored with the length 1, unless it is stored in whole numbers.
    let length = wanted.iter().map(|number| number * number).sum::<f32>().sqrt();
    let scale = if is("distance", "Cosine") && !is_whole && length > 0.0 { 1.0 / length } else { 1.0 };
    let largest = wanted.iter().fold(0f32, |largest, number| largest.max((number * scale).abs()));
    let tolerance = if is_whole {
        1.0
    } else if is("datatype", "float16") {
        largest * 2e-3
    } else {
        largest * 1e-5
    };
    wanted.len() == found.len() && wanted.iter().zip(found).all(|(one, two)| (one * scale - two).abs() <= tolerance)
}

#[cfg(test)]
mod tests {
    use super::are_close;
    use crate::Settings;
    use crate::parameter::{Scope, Value, parameter};

    /// Distance, datatype, what was there, what is there, and whether that is the same.
    type Case = (&'static str, &'static str, &'static [f32], &'static [f32], bool);

    #[test]
    fn numbers_are_as_close_as_they_can_be_stored() {
        let cases: [Case; 8] = [
            ("Dot", "float32", &[3.0, 4.0], &[3.0, 4.0], true),
            ("Dot", "float32", &[3.0, 4.0], &[3.0, 4.001], false),
            ("Dot", "float32", &[3.0, 4.0], &[3.0], false),
            ("Cosine", "float32", &[3.0, 4.0], &[0.6, 0.8], true),
            ("Cosine", "float32", &[0.0, 0.0], &[0.0, 0.0], true),
            ("Dot", "float16", &[3.0, 4.0], &[3.0, 4.001], true),
            ("Dot", "float16", &[3.0, 1e6], &[3.0, f32::INFINITY], false),
            ("Cosine", "uint8", &[3.4, 255.0], &[3.0, 255.0], true),
        ];
        for (distance, datatype, wanted, found, expected) in cases {
            let mut settings = Settings::default();
            for (path, word) in [("distance", distance), ("datatype", datatype)] {
                settings.set(parameter(Scope::Vector, path).expect("it is in the table"), Value::Word(word));
            }
            assert_eq!(are_close(&settings, wanted, found), expected, "{distance} {datatype} {wanted:?} {found:?}");
        }
    }
}
