//! Payloads, and the selection of what to return of them.

use std::collections::HashMap;

use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use qdrant_client::qdrant::{ListValue, Struct, Value, WithPayloadSelector};
use qdrant_edge::{JsonPath, Payload, PayloadSelector, WithPayloadInterface};
use serde_json::{Map, Number, Value as Json};

use crate::error::{Error, Result};

/// How deep a payload may be nested. The wire form allows 100 messages within one another, some three to a level, and
/// a payload that was accepted must be readable again from the journal, where it lies one message deeper.
const MAX_DEPTH: usize = 28;

/// A payload as the engine keeps it.
pub(crate) fn to_engine(payload: HashMap<String, Value>) -> Result<Payload> {
    Ok(Payload(object(payload, 0)?))
}

/// A payload from its JSON form.
pub(crate) fn of_json(payload: Map<String, Json>) -> Result<HashMap<String, Value>> {
    payload.iter().try_for_each(|(key, value)| check_numbers(key, value))?;
    Ok(fields(payload))
}

/// Messages have whole numbers up to `i64::MAX`: a greater one would come back as another.
fn check_numbers(key: &str, value: &Json) -> Result<()> {
    match value {
        Json::Number(number) if number.is_u64() && !number.is_i64() => Err(Error::invalid(format!(
            "the payload holds {number} under `{key}`: the greatest whole number is {}",
            i64::MAX
        ))),
        Json::Array(values) => values.iter().try_for_each(|value| check_numbers(key, value)),
        Json::Object(fields) => fields.iter().try_for_each(|(key, value)| check_numbers(key, value)),
        _ => Ok(()),
    }
}

/// A payload as clients read it.
pub(crate) fn from_engine(payload: Option<Payload>) -> HashMap<String, Value> {
    payload.map_or_else(HashMap::new, |payload| fields(payload.0))
}

/// A path into a payload, such as `metadata.tags[].name`.
pub(crate) fn path(text: &str) -> Result<JsonPath> {
    text.parse().map_err(|()| Error::invalid(format!("`{text}` is not a path into a payload")))
}

/// Which part of the payload to return; `default` when the request does not say.
pub(crate) fn selector(selector: Option<WithPayloadSelector>, default: bool) -> Result<WithPayloadInterface> {
    let paths = |fields: Vec<String>| fields.iter().map(|field| path(field)).collect::<Result<Vec<_>>>();
    Ok(match selector.and_then(|selector| selector.selector_options) {
        None => WithPayloadInterface::Bool(default),
        Some(SelectorOptions::Enable(enable)) => WithPayloadInterface::Bool(enable),
        Some(SelectorOptions::Include(include)) => {
            WithPayloadInterface::Selector(PayloadSelector::new_include(paths(include.fields)?))
        }
        Some(SelectorOptions::Exclude(exclude)) => {
            WithPayloadInterface::Selector(PayloadSelector::new_exclude(paths(exclude.fields)?))
        }
    })
}

fn object(fields: HashMap<String, Value>, depth: usize) -> Result<Map<String, Json>> {
    if depth > MAX_DEPTH {
        return Err(Error::invalid(format!("the payload is nested more than {MAX_DEPTH} levels deep")));
    }
    fields.into_iter().map(|(key, value)| Ok((key, json(value, depth)?))).collect()
}

fn json(value: Value, depth: usize) -> Result<Json> {
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(value)) => Json::Bool(value),
        Some(Kind::IntegerValue(value)) => Json::from(value),
        Some(Kind::StringValue(value)) => Json::String(value),
        Some(Kind::DoubleValue(value)) => Number::from_f64(value)
            .map(Json::Number)
            .ok_or_else(|| Error::invalid("the payload holds a number that is not finite"))?,
        Some(Kind::StructValue(value)) => Json::Object(object(value.fields, depth + 1)?),
        Some(Kind::ListValue(_)) if depth >= MAX_DEPTH => {
            return Err(Error::invalid(format!("the payload is nested more than {MAX_DEPTH} levels deep")));
        }
        Some(Kind::ListValue(list)) => {
            Json::Array(list.values.into_iter().map(|value| json(value, depth + 1)).collect::<Result<_>>()?)
        }
    })
}

fn fields(object: Map<String, Json>) -> HashMap<String, Value> {
    object.into_iter().map(|(key, value)| (key, from_json(value))).collect()
}

fn from_json(value: Json) -> Value {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Kind::IntegerValue(integer),
            // Every JSON number that is no i64 has a nearest double.
            None => Kind::DoubleValue(number.as_f64().unwrap_or_default()),
        },
        Json::String(value) => Kind::StringValue(value),
        Json::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(from_json).collect() }),
        Json::Object(object) => Kind::StructValue(Struct { fields: fields(object) }),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use qdrant_client::qdrant::points_update_operation::{Operation, PointStructList};
    use qdrant_client::qdrant::{PointStruct, PointsUpdateOperation};

    use super::*;

    fn nested(levels: usize, wrap: fn(Value) -> Kind) -> HashMap<String, Value> {
        let leaf = Value { kind: Some(Kind::BoolValue(true)) };
        let value = (0..levels).fold(leaf, |inner, _| Value { kind: Some(wrap(inner)) });
        HashMap::from([("k".to_owned(), value)])
    }

    fn in_struct(value: Value) -> Kind {
        Kind::StructValue(Struct { fields: HashMap::from([("k".to_owned(), value)]) })
    }

    fn in_list(value: Value) -> Kind {
        Kind::ListValue(ListValue { values: vec![value] })
    }

    #[test]
    fn every_kind_round_trips() {
        let payload = HashMap::from([
            ("null".to_owned(), Value { kind: Some(Kind::NullValue(0)) }),
            ("bool".to_owned(), Value::from(true)),
            ("int".to_owned(), Value::from(i64::MIN)),
            ("double".to_owned(), Value::from(0.1)),
            ("whole double".to_owned(), Value::from(3.0)),
            ("text".to_owned(), Value::from("ü")),
            ("list".to_owned(), Value { kind: Some(in_list(Value::from(1))) }),
            ("object".to_owned(), Value { kind: Some(in_struct(Value::from(1))) }),
        ]);
        assert_eq!(from_engine(Some(to_engine(payload.clone()).unwrap())), payload);
    }

    #[test]
    fn what_is_accepted_can_be_read_from_the_journal() {
        for wrap in [in_struct, in_list] {
            let payload = nested(MAX_DEPTH, wrap);
            to_engine(payload.clone()).unwrap();
            let point = PointStruct { id: Some(1.into()), payload, vectors: None };
            let operation = PointsUpdateOperation {
                operation: Some(Operation::Upsert(PointStructList { points: vec![point], ..Default::default() })),
            };
            let bytes = operation.encode_to_vec();
            assert_eq!(PointsUpdateOperation::decode(bytes.as_slice()).unwrap(), operation);

            let refused = to_engine(nested(MAX_DEPTH + 1, wrap)).unwrap_err();
            assert!(refused.to_string().contains("levels deep"), "{refused}");
        }
    }

    #[test]
    fn numbers_without_a_json_form_are_refused() {
        let payload = HashMap::from([("k".to_owned(), Value::from(f64::NAN))]);
        assert!(to_engine(payload).is_err());
    }

    #[test]
    fn paths() {
        assert!(path("metadata.tags[].name").is_ok());
        for wrong in ["", "a..b", "a[", "a.[]"] {
            assert!(path(wrong).is_err(), "{wrong}");
        }
    }
}
