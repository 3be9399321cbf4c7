//! A row that is to be a point.

use dbops_postgres::tokio_postgres::binary_copy::BinaryCopyOutRow;
use dbops_qdrant::{Id, MARK, Point, Vectors};
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
    let vector = |index| Ok(row.try_get::<Option<&[u8]>>(2 + index).map_err(&failed)?.map(<[u8]>::to_vec));
    let vectors = (0..table.vectors.len()).map(vector).collect::<Result<_, Error>>()?;
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

    /// The point, with its mark.
    pub(crate) fn point(&self, table: &Table) -> Result<Point, Error> {
        let mut payload = self.payload(table)?;
        payload.insert(MARK.into(), Value::String(self.mark(table)));
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
            let numbers = match form {
                Form::Vector => of_vector(bytes),
                Form::Array => of_array(bytes),
            };
            let numbers = numbers.ok_or_else(|| self.wrong(table, "has a vector that cannot be read"))?;
            vectors.insert(name.clone(), numbers);
        }
        Ok(vectors)
    }

    fn wrong(&self, table: &Table, reason: &str) -> Error {
        Error::Row { table: table.name.clone(), key: self.key.text(), reason: reason.into() }
    }
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

/// `array_send` of a `real[]` of one dimension without NULL: dimensions, flags, type, then length and lower bound, then
/// each number after its own length.
fn of_array(bytes: &[u8]) -> Option<Vec<f32>> {
    let (words, rest) = bytes.as_chunks::<4>();
    let word = |index: usize| words.get(index).map(|word| u32::from_be_bytes(*word));
    let (dimensions, has_null, count) = (word(0)?, word(1)?, usize::try_from(word(3)?).ok()?);
    let pairs = words.get(5..)?.as_chunks::<2>().0;
    let is_plain = dimensions == 1 && has_null == 0 && rest.is_empty() && pairs.len() == count;
    (is_plain && words.len() == 5 + 2 * count)
        .then(|| pairs.iter().map(|[_, number]| f32::from_be_bytes(*number)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::{of_array, of_vector, put};

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
        assert_eq!(of_array(&array), Some(vec![1.0]));
        assert_eq!(of_array(&array[..24]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            drop((of_vector(&bytes), of_array(&bytes)));
        }
    }
}
