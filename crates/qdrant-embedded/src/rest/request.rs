//! What requests carry: the body, the parameters after the `?`, and JSON that has to be understood whole.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use qdrant_edge::{Condition, Filter};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value as Json};

use super::answer::{error_response, refused};
use crate::error::{Error, Result};

/// The largest body, as in Qdrant. Small numbers take many times their text once read: 16 MB of them some 1 GB.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// A body in JSON, whatever type the client says it has.
pub(super) struct Body(Bytes);

impl Body {
    /// Its content, which is an object. Without that word a list would pass for the fields in their order.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        if !self.0.trim_ascii_start().starts_with(b"{") {
            return Err(Error::invalid("Format error in JSON body: it is no JSON object"));
        }
        serde_json::from_slice(&self.0).map_err(|error| Error::invalid(format!("Format error in JSON body: {error}")))
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES).await.map(Self).map_err(|_| {
            let limit = MAX_BODY_BYTES / 1024 / 1024;
            let message = format!("the body broke off, or is larger than {limit} MiB: send less at a time");
            error_response(StatusCode::PAYLOAD_TOO_LARGE, &message)
        })
    }
}

/// The parameters that Qdrant's requests share. The others of them choose among replicas, of which there is one.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// Whether the change is to be on the disk before the answer.
    pub(super) wait: bool,
}

impl Parameters {
    fn read(query: &str) -> Result<Self> {
        let mut parameters = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("wait", "true") => parameters.wait = true,
                ("wait", "false") | ("ordering", "weak" | "medium" | "strong") => {}
                ("consistency", "majority" | "quorum" | "all") => {}
                ("consistency" | "timeout", number) if number.parse::<u64>().is_ok_and(|number| number > 0) => {}
                (key, _) => return Err(Error::invalid(format!("the parameter {key} is unknown, or its value is"))),
            }
        }
        Ok(parameters)
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        Self::read(parts.uri.query().unwrap_or_default()).map_err(|error| refused(&error))
    }
}

/// Refuses a field that asks for something that this server cannot do.
pub(super) fn without(field: Option<&Json>, what: &'static str) -> Result<()> {
    match field {
        Some(value) if !value.is_null() => Err(Error::Unsupported(what)),
        _ => Ok(()),
    }
}

/// For fields of the engine's types, which pass over what they do not know: refuses what would be passed over.
pub(super) fn whole<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Serialize,
{
    match Json::deserialize(deserializer)? {
        Json::Null => Ok(None),
        said => understood(said).map(Some).map_err(D::Error::custom),
    }
}

/// For filters: as [`whole`], and no condition may say nothing.
pub(super) fn filter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Filter>, D::Error> {
    let filter: Option<Filter> = whole(deserializer)?;
    filter.iter().try_for_each(check_filter).map_err(D::Error::custom)?;
    Ok(filter)
}

/// `said` as one of the engine's types. What the type does not know is missing when it is written out again.
pub(super) fn understood<T: DeserializeOwned + Serialize>(said: Json) -> Result<T, String> {
    let value = T::deserialize(&said).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&value).map_err(|error| error.to_string())?;
    match lost(&said, &written) {
        None => Ok(value),
        Some(what) => Err(format!("{what} is unknown here")),
    }
}

fn lost(said: &Json, written: &Json) -> Option<String> {
    match (said, written) {
        (Json::Object(said), Json::Object(written)) => lost_field(said, written),
        // Qdrant takes one condition for several.
        (Json::Object(_), Json::Array(several)) if several.len() == 1 => lost(said, &several[0]),
        (Json::Array(said), Json::Array(written)) => {
            let nested = said.iter().any(|value| value.is_object() || value.is_array());
            if nested && said.len() != written.len() {
                return Some("a value".to_owned());
            }
            // Plain values may be a set, which has an order of its own.
            said.iter().zip(written).filter(|_| nested).find_map(|(said, written)| lost(said, written))
        }
        (Json::Object(_) | Json::Array(_), _) => Some("a value".to_owned()),
        _ => None,
    }
}

fn lost_field(said: &Map<String, Json>, written: &Map<String, Json>) -> Option<String> {
    said.iter().filter(|(_, value)| !value.is_null()).find_map(|(key, value)| match written.get(key) {
        None | Some(Json::Null) => Some(format!("`{key}`")),
        Some(written) => lost(value, written),
    })
}

fn check_filter(filter: &Filter) -> Result<(), String> {
    let Filter { should, min_should, must, must_not } = filter;
    let at_least = min_should.as_ref().map(|min_should| &min_should.conditions);
    [should.as_ref(), at_least, must.as_ref(), must_not.as_ref()]
        .into_iter()
        .flatten()
        .flatten()
        .try_for_each(check_condition)
}

fn check_condition(condition: &Condition) -> Result<(), String> {
    match condition {
        Condition::Field(field) if field.all_fields_none() => {
            Err(format!("the condition on `{}` says nothing", field.key))
        }
        Condition::Nested(nested) => check_filter(&nested.nested.filter),
        Condition::Filter(filter) => check_filter(filter),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Filtered {
        #[serde(default, deserialize_with = "filter")]
        filter: Option<Filter>,
    }

    fn read(filter: &Json) -> Result<Filter, String> {
        let read = serde_json::from_value::<Filtered>(json!({ "filter": filter }));
        read.map_err(|error| error.to_string()).map(|read| read.filter.unwrap())
    }

    #[test]
    fn filters_are_understood_whole() {
        let understood = [
            json!({ "must": [{ "key": "city", "match": { "value": "Berlin" } }] }),
            json!({ "must": { "key": "city", "match": { "any": ["Berlin", "Paris"] } } }),
            json!({ "should": [{ "key": "n", "range": { "gte": 1, "lt": null } }], "must_not": null }),
            json!({ "must": [{ "key": "at", "range": { "gt": "2024-01-01T00:00:00Z" } }] }),
            json!({ "must": [{ "has_id": [3, 1, 1, "5c56c793-69f3-4fbf-87e6-c4bf54c28c26"] }] }),
            json!({ "must": [{ "is_empty": { "key": "a" } }, { "is_null": { "key": "a" } }] }),
            json!({ "must": [{ "nested": { "key": "a", "filter": { "must": [{ "key": "b", "is_null": true }] } } }] }),
            json!({ "min_should": { "conditions": [{ "key": "a", "values_count": { "gt": 1 } }], "min_count": 1 } }),
            json!({ "must": [{ "must_not": [{ "has_vector": "text" }] }] }),
            json!({ "must": [{ "key": "g", "geo_polygon": { "exterior": { "points": [
                { "lon": 0.0, "lat": 0.0 }, { "lon": 1.0, "lat": 0.0 }, { "lon": 1.0, "lat": 1.0 },
                { "lon": 0.0, "lat": 0.0 },
            ] } } }] }),
        ];
        for filter in understood {
            read(&filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
        }
    }

    #[test]
    fn what_would_be_passed_over_is_refused() {
        let refused = [
            (json!({ "must": [{ "key": "a", "rnage": { "gte": 1 } }] }), "`rnage` is unknown"),
            (json!({ "must": [{ "key": "a", "range": { "gte": 1, "let": 2 } }] }), "`let` is unknown"),
            (json!({ "must": [{ "key": "a", "match": { "value": 1, "text": "b" } }] }), "`text` is unknown"),
            (json!({ "must": [{ "key": "a" }] }), "the condition on `a` says nothing"),
            (json!({ "must": [{ "must_not": { "key": "a", "match": null } }] }), "the condition on `a` says nothing"),
            (json!({ "must": [{ "key": "a", "match": { "prefix": "b" } }] }), ""),
            (json!({ "must": [{ "has_id": [1], "must": [] }] }), "is unknown"),
            (json!({ "must": [["a", { "value": 1 }, null, null, null, null, null, null, null]] }), ""),
            (json!({ "musst": [] }), ""),
            (json!({ "must": "a" }), ""),
            (json!([]), ""),
        ];
        for (filter, expected) in refused {
            let error = read(&filter).expect_err(&filter.to_string());
            assert!(error.contains(expected), "{filter}: {error}");
        }
    }

    #[test]
    fn parameters() {
        for (query, wait) in [("", false), ("wait=true&timeout=3", true), ("wait=false&ordering=weak&", false)] {
            assert_eq!(Parameters::read(query).unwrap().wait, wait, "{query}");
        }
        for query in ["wait", "wait=1", "ordering=any", "timeout=0", "timeout=x", "wiat=true", "="] {
            assert!(Parameters::read(query).is_err(), "{query}");
        }
    }
}
