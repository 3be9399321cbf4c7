//! A row that is to be a point.

use dbops_postgres::tokio_postgres::binary_copy::BinaryCopyOutRow;
use dbops_qdrant::{Id, MARK, Point, PointVector, Vectors};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Error;
use crate::table::{Form, KeyKind, Table};

/// What tells a row from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// The id of its point.
    pub(crate) id: Id,
    /// As text, where the id does not say it.
    text: Option<String>,
}

impl Key {
    pub(crate) fn of(row: &BinaryCopyOutRow, table: &Table) -> Result<Self, Error> {
        let failed = Error::sql(&table.name);
        let none = || Error::Row { table: table.name.clone(), key: "NULL".into(), reason: "has no key".into() };
        match table.key {
            KeyKind::Number => {
                let number: i64 = row.try_get::<Option<i64>>(0).map_err(failed)?.ok_or_else(none)?;
                let id = u64::try_from(number).map_err(|_| Error::Row {
                    table: table.name.clone(),
                    key: number.to_string(),
                    reason: "has a negative key, which no point can have".into(),
                })?;
                Ok(Self { id: Id::Number(id), text: None })
            }
            KeyKind::Uuid => {
                let bytes: &[u8] = row.try_get::<Option<&[u8]>>(0).map_err(failed)?.ok_or_else(none)?;
                let bytes = bytes.try_into().map_err(|_| none())?;
                Ok(Self { id: Id::Uuid(u128::from_be_bytes(bytes)), text: None })
            }
            KeyKind::Text => {
                let text: &str = row.try_get::<Option<&str>>(0).map_err(failed)?.ok_or_else(none)?;
                let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("dbops:{text}").as_bytes());
                Ok(Self { id: Id::Uuid(id.as_u128()), text: Some(text.to_owned()) })
            }
        }
    }

    /// As the table's queries want it.
    pub(crate) fn text(&self) -> String {
        self.text.clone().unwrap_or_else(|| self.id.to_string())
    }
}

/// A row with all that its point holds, as the server sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: Key,
    payload: String,
    vectors: Vec<Option<Vec<u8>>>,
}

pub(crate) fn of_copy(row: &BinaryCopyOutRow, table: &Table) -> Result<Row, Error> {
    let failed = Error::sql(&table.name);
    let key = Key::of(row, table)?;
    let payload = row.try_get::<&str>(1).map_err(&failed)?.to_owned();
    let vector = |(index, (_, form)): (usize, &(String, Form))| {
        let mut bytes = row.try_get::<Option<&[u8]>>(2 + index).map_err(&failed)?.map(<[u8]>::to_vec);
        if let (Form::Vectors, Some(bytes)) = (form, &mut bytes) {
            forget_type(bytes);
        }
        Ok(bytes)
    };
    let vectors = table.vectors.iter().enumerate().map(vector).collect::<Result<_, Error>>()?;
    Ok(Row { key, payload, vectors })
}

impl Row {
    /// A hash of all of it: equal marks, equal points.
    pub(crate) fn mark(&self, table: &Table) -> String {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update((bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(self.payload.as_bytes());
        for ((name, _), vector) in table.vectors.iter().zip(&self.vectors) {
            part(name.as_bytes());
            part(vector.as_deref().unwrap_or_default());
        }
        let digest = hasher.finalize();
        digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How much it holds, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.payload.len() + self.vectors.iter().flatten().map(Vec::len).sum::<usize>()
    }

    /// The point, with its mark as [`Self::mark`] gave it.
    pub(crate) fn point(&self, table: &Table, mark: String) -> Result<Point, Error> {
        let mut payload = self.payload(table)?;
        payload.insert(MARK.into(), Value::String(mark));
        Ok(Point { id: self.key.id, vectors: self.vectors(table)?, payload })
    }

    /// The payload without the mark. What is NULL is left out.
    pub(crate) fn payload(&self, table: &Table) -> Result<Map<String, Value>, Error> {
        let read: Value = serde_json::from_str(&self.payload).map_err(|error| self.wrong(table, &error.to_string()))?;
        let Value::Object(mut values) = read else { return Err(self.wrong(table, "has no payload")) };
        let mut payload = Map::new();
        for path in &table.paths {
            match values.remove(path) {
                None | Some(Value::Null) => {}
                Some(value) => put(&mut payload, path, value).map_err(|reason| self.wrong(table, &reason))?,
            }
        }
        Ok(payload)
    }

    pub(crate) fn vectors(&self, table: &Table) -> Result<Vectors, Error> {
        let mut vectors = Vectors::new();
        for ((name, form), bytes) in table.vectors.iter().zip(&self.vectors) {
            let Some(bytes) = bytes else { continue };
            let vector = match form {
                Form::Vector => of_vector(bytes).map(PointVector::Dense),
                Form::Array => of_array(bytes),
                Form::Vectors => of_vectors(bytes).map(PointVector::Multi),
                Form::Sparse => of_sparse(bytes),
            };
            let unreadable = "has a vector that cannot be read: an empty array, or one with NULL in it";
            let vector = vector.ok_or_else(|| self.wrong(table, unreadable))?;
            if let Some(reason) = table.sizes.get(name).and_then(|size| other_size(name, &vector, *size)) {
                return Err(self.wrong(table, &reason));
            }
            vectors.insert(name.clone(), vector);
        }
        Ok(vectors)
    }

    fn wrong(&self, table: &Table, reason: &str) -> Error {
        Error::Row { table: table.name.clone(), key: self.key.text(), reason: reason.into() }
    }
}

/// What is wrong with a dense vector that has not so many numbers as the collection takes.
fn other_size(name: &str, vector: &PointVector, size: u64) -> Option<String> {
    let lists = match vector {
        PointVector::Dense(numbers) => std::slice::from_ref(numbers),
        PointVector::Multi(lists) => lists,
        PointVector::Sparse { .. } => return None,
    };
    let wrong = lists.iter().map(Vec::len).find(|length| *length as u64 != size)?;
    let name = if name.is_empty() { String::new() } else { format!(" `{name}`") };
    Some(format!("has a vector{name} of dimension {wrong}, and the collection takes {size}"))
}

/// Puts a value where the path leads, beside what is there already.
fn put(payload: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_once('.') else {
        payload.insert(path.into(), value);
        return Ok(());
    };
    let inner = payload.entry(first).or_insert_with(|| Value::Object(Map::new()));
    match inner {
        Value::Object(inner) => put(inner, rest, value),
        _ => Err(format!("has at `{first}` something that `{path}` cannot be put into")),
    }
}

/// pgvector's `vector_send`: the dimensions, two bytes of nothing, the numbers.
fn of_vector(bytes: &[u8]) -> Option<Vec<f32>> {
    let (head, numbers) = bytes.split_at_checked(4)?;
    let dimensions = usize::from(u16::from_be_bytes([head[0], head[1]]));
    let (numbers, rest) = numbers.as_chunks::<4>();
    (numbers.len() == dimensions && rest.is_empty()).then(|| numbers.iter().map(|it| f32::from_be_bytes(*it)).collect())
}

/// Where `array_send` has the object id of the elements' type. That of an extension's type is another in each database,
/// and the mark is not to differ with it.
fn forget_type(array: &mut [u8]) {
    if let Some(bytes) = array.get_mut(8..12) {
        bytes.fill(0);
    }
}

/// `array_send` without NULL: dimensions, flags, type, then length and lower bound of each dimension. Gives the lengths
/// and the elements, each after its own length.
fn array(bytes: &[u8]) -> Option<(Vec<usize>, &[u8])> {
    let (dimensions, rest) = word(bytes)?;
    let (has_null, rest) = word(rest)?;
    let (_, mut rest) = word(rest)?;
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        let (length, after) = word(rest)?;
        lengths.push(length);
        rest = word(after)?.1;
    }
    (has_null == 0 && !lengths.is_empty()).then_some((lengths, rest))
}

/// A number of four bytes, and what follows it.
fn word(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_be_bytes(*word)).ok()?, rest))
}

/// A `real[]`: of one dimension a vector, of two several.
fn of_array(bytes: &[u8]) -> Option<PointVector> {
    let (lengths, elements) = array(bytes)?;
    let (pairs, rest) = elements.as_chunks::<8>();
    if !rest.is_empty() || pairs.len() != lengths.iter().try_fold(1_usize, |all, length| all.checked_mul(*length))? {
        return None;
    }
    let numbers: Vec<_> = pairs.iter().map(|[_, _, _, _, a, b, c, d]| f32::from_be_bytes([*a, *b, *c, *d])).collect();
    match lengths.as_slice() {
        [_] => Some(PointVector::Dense(numbers)),
        [_, length] => Some(PointVector::Multi(numbers.chunks(*length).map(<[f32]>::to_vec).collect())),
        _ => None,
    }
}

/// A `vector[]` of one dimension.
fn of_vectors(bytes: &[u8]) -> Option<Vec<Vec<f32>>> {
    let (lengths, mut rest) = array(bytes)?;
    let mut vectors = Vec::new();
    while !rest.is_empty() {
        let (length, after) = word(rest)?;
        let (vector, after) = after.split_at_checked(length)?;
        vectors.push(of_vector(vector)?);
        rest = after;
    }
    (lengths == [vectors.len()]).then_some(vectors)
}

/// pgvector's `sparsevec_send`: the dimensions, how many numbers, four bytes of nothing, where each stands counted from 0,
/// and the numbers.
fn of_sparse(bytes: &[u8]) -> Option<PointVector> {
    let (_, rest) = word(bytes)?;
    let (count, rest) = word(rest)?;
    let (words, end) = word(rest)?.1.as_chunks::<4>();
    if !end.is_empty() || words.len() != count.checked_mul(2)? {
        return None;
    }
    let (indices, values) = words.split_at(count);
    Some(PointVector::Sparse {
        indices: indices.iter().map(|it| u32::from_be_bytes(*it)).collect(),
        values: values.iter().map(|it| f32::from_be_bytes(*it)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use dbops_qdrant::PointVector;

    use super::{of_array, of_sparse, of_vector, of_vectors, other_size, put};

    #[test]
    fn paths_lead_into_objects() {
        let mut payload = Map::new();
        for (path, value) in [("a", json!({"x": 1})), ("b.c.d", json!("e")), ("a.y", json!(2)), ("b.f", json!([]))] {
            put(&mut payload, path, value).expect(path);
        }
        assert_eq!(Value::Object(payload.clone()), json!({"a": {"x": 1, "y": 2}, "b": {"c": {"d": "e"}, "f": []}}));
        assert!(put(&mut payload, "b.f.g", json!(1)).is_err_and(|reason| reason.contains("`f`")));
    }

    #[test]
    fn vectors_are_read_as_they_are_sent() {
        let sent = [0, 2, 0, 0, 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0];
        assert_eq!(of_vector(&sent), Some(vec![1.0, -2.0]));
        assert_eq!(of_vector(&sent[..11]), None);
        let head = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2, 188, 0, 0, 0, 1, 0, 0, 0, 1];
        let array = [head.as_slice(), &[0, 0, 0, 4, 0x3f, 0x80, 0, 0]].concat();
        assert_eq!(of_array(&array), Some(PointVector::Dense(vec![1.0])));
        assert_eq!(of_array(&array[..24]), None);
        let several = [head.as_slice(), &[0, 0, 0, 12], &sent].concat();
        assert_eq!(of_vectors(&several), Some(vec![vec![1.0, -2.0]]));
        assert_eq!(of_vectors(&several[..several.len() - 1]), None);
        let sparse = [0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0x3f, 0x80, 0, 0];
        assert_eq!(of_sparse(&sparse), Some(PointVector::Sparse { indices: vec![7], values: vec![1.0] }));
        assert_eq!(of_sparse(&sparse[..16]), None);
    }

    #[test]
    fn each_list_of_numbers_has_the_size() {
        let multi = PointVector::Multi(vec![vec![1.0, 2.0], vec![1.0]]);
        let said = other_size("title", &multi, 2);
        assert_eq!(said.as_deref(), Some("has a vector `title` of dimension 1, and the collection takes 2"));
        assert_eq!(other_size("", &PointVector::Dense(vec![1.0; 3]), 3), None);
        assert_eq!(other_size("", &PointVector::Sparse { indices: vec![7], values: vec![1.0] }, 3), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            drop((of_vector(&bytes), of_array(&bytes), of_vectors(&bytes), of_sparse(&bytes)));
        }
    }
}
