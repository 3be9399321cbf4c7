//! Comparing what points hold with what rows hold, and not only the mark of what they were made of.

use std::collections::{BTreeMap, HashMap};

use dbops_qdrant::{Distance, MARK, PointVector, Server, Stored};

use crate::Error;
use crate::row::Row;
use crate::table::Table;

/// How many points are read at a time.
const BATCH: usize = 256;
/// How far a number may be from what was written, in parts of the vector's largest: vectors may be kept in 16 bits, and
/// those of the cosine distance are divided by their length.
const TOLERANCE: f32 = 2e-3;

/// Rows that wait to be compared.
pub(crate) struct Deep<'a> {
    server: &'a Server,
    collection: &'a str,
    table: &'a Table,
    distances: &'a BTreeMap<String, Distance>,
    rows: Vec<Row>,
}

impl<'a> Deep<'a> {
    pub(crate) fn new(
        server: &'a Server,
        collection: &'a str,
        table: &'a Table,
        distances: &'a BTreeMap<String, Distance>,
    ) -> Self {
        Self { server, collection, table, distances, rows: Vec::new() }
    }

    /// Takes a row whose point has its mark, and gives those that differ all the same.
    pub(crate) async fn push(&mut self, row: Row) -> Result<Vec<Row>, Error> {
        self.rows.push(row);
        if self.rows.len() == BATCH { self.finish().await } else { Ok(Vec::new()) }
    }

    /// Compares those that still wait.
    pub(crate) async fn finish(&mut self) -> Result<Vec<Row>, Error> {
        let rows = std::mem::take(&mut self.rows);
        let ids: Vec<_> = rows.iter().map(|row| row.key.id).collect();
        let stored = self.server.stored(self.collection, &ids).await?;
        let stored: HashMap<_, _> = stored.into_iter().map(|point| (point.id, point)).collect();
        let mut different = Vec::new();
        for row in rows {
            let is_same = match stored.get(&row.key.id) {
                Some(point) => self.is_same(&row, point)?,
                None => false,
            };
            if !is_same {
                different.push(row);
            }
        }
        Ok(different)
    }

    fn is_same(&self, row: &Row, point: &Stored) -> Result<bool, Error> {
        let mut payload = point.payload.clone();
        payload.remove(MARK);
        if payload != row.payload(self.table)? {
            return Ok(false);
        }
        let vectors = row.vectors(self.table)?;
        let is_close = |(name, vector): (&String, &PointVector)| {
            let is_cosine = self.distances.get(name) == Some(&Distance::Cosine);
            point.vectors.get(name).is_some_and(|stored| is_alike(vector, stored, is_cosine))
        };
        Ok(vectors.len() == point.vectors.len() && vectors.iter().all(is_close))
    }
}

fn is_alike(row: &PointVector, point: &PointVector, is_cosine: bool) -> bool {
    match (row, point) {
        (
            PointVector::Sparse { indices, values },
            PointVector::Sparse { indices: point_indices, values: point_values },
        ) => indices == point_indices && is_close(values, point_values, is_cosine),
        _ => {
            let (row, point) = (lists(row), lists(point));
            row.len() == point.len() && row.iter().zip(point).all(|(row, point)| is_close(row, point, is_cosine))
        }
    }
}

/// A vector, and several of them: Qdrant takes one for several.
fn lists(vector: &PointVector) -> Vec<&[f32]> {
    match vector {
        PointVector::Dense(numbers) => vec![numbers],
        PointVector::Multi(vectors) => vectors.iter().map(Vec::as_slice).collect(),
        PointVector::Sparse { .. } => Vec::new(),
    }
}

fn is_close(row: &[f32], point: &[f32], is_cosine: bool) -> bool {
    let length = row.iter().map(|number| number * number).sum::<f32>().sqrt();
    let scale = if is_cosine && length > 0.0 { length } else { 1.0 };
    let largest = row.iter().fold(0.0_f32, |largest, number| largest.max((number / scale).abs()));
    row.len() == point.len()
        && row
            .iter()
            .zip(point)
            .all(|(row, point)| (row / scale - point).abs() <= largest * TOLERANCE + f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::is_close;

    #[test]
    fn vectors_are_compared_as_they_are_kept() {
        assert!(is_close(&[3.0, 4.0], &[0.6, 0.8], true) && !is_close(&[3.0, 4.0], &[0.6, 0.8], false));
        assert!(is_close(&[3.0, 4.0], &[3.0, 4.001], false) && !is_close(&[3.0, 4.0], &[3.0, 4.1], false));
        assert!(is_close(&[0.0, 0.0], &[0.0, 0.0], true) && !is_close(&[1.0], &[1.0, 0.0], false));
    }
}
