//! Filters, by way of the JSON form that the engine reads from Qdrant's REST API.

use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::{
    Condition, DatetimeRange, FieldCondition, Filter, GeoBoundingBox, GeoLineString, GeoPoint, GeoPolygon, GeoRadius,
    Match, Range, Timestamp, ValuesCount,
};
use qdrant_edge::Filter as EngineFilter;
use serde_json::{Map, Value as Json, json};

use crate::convert::payload;
use crate::convert::points;
use crate::error::{Error, Result};

/// A filter as the engine takes it.
pub(crate) fn to_engine(filter: Filter) -> Result<EngineFilter> {
    let json = filter_json(filter)?;
    serde_json::from_value(json).map_err(|error| Error::invalid(format!("the filter makes no sense: {error}")))
}

/// A moment in the text form that the engine reads.
pub(crate) fn timestamp(moment: &Timestamp) -> Result<String> {
    jiff::Timestamp::new(moment.seconds, moment.nanos)
        .map(|moment| moment.to_string())
        .map_err(|error| Error::invalid(format!("the point in time is out of range: {error}")))
}

fn filter_json(filter: Filter) -> Result<Json> {
    let Filter { should, must, must_not, min_should } = filter;
    let mut json = Map::new();
    for (key, conditions) in [("should", should), ("must", must), ("must_not", must_not)] {
        if !conditions.is_empty() {
            json.insert(key.to_owned(), conditions_json(conditions)?);
        }
    }
    if let Some(min_should) = min_should {
        let conditions = conditions_json(min_should.conditions)?;
        json.insert("min_should".to_owned(), json!({ "conditions": conditions, "min_count": min_should.min_count }));
    }
    Ok(Json::Object(json))
}

fn conditions_json(conditions: Vec<Condition>) -> Result<Json> {
    conditions.into_iter().map(condition_json).collect()
}

fn condition_json(condition: Condition) -> Result<Json> {
    let condition = condition.condition_one_of.ok_or_else(|| Error::invalid("the filter holds an empty condition"))?;
    Ok(match condition {
        ConditionOneOf::Field(field) => field_json(field)?,
        ConditionOneOf::IsEmpty(is_empty) => json!({ "is_empty": { "key": key(is_empty.key)? } }),
        ConditionOneOf::IsNull(is_null) => json!({ "is_null": { "key": key(is_null.key)? } }),
        ConditionOneOf::HasId(has_id) => {
            let ids = has_id.has_id.into_iter().map(|id| points::id_to_engine(Some(id))).collect::<Result<Vec<_>>>()?;
            json!({ "has_id": ids })
        }
        ConditionOneOf::HasVector(has_vector) => json!({ "has_vector": has_vector.has_vector }),
        ConditionOneOf::Filter(filter) => filter_json(filter)?,
        ConditionOneOf::Nested(nested) => {
            let filter = nested.filter.ok_or_else(|| Error::invalid("the nested condition has no filter"))?;
            json!({ "nested": { "key": key(nested.key)?, "filter": filter_json(filter)? } })
        }
        ConditionOneOf::Slice(_) => return Err(Error::Unsupported("slice conditions")),
    })
}

fn field_json(field: FieldCondition) -> Result<Json> {
    let FieldCondition {
        key: name,
        r#match,
        range,
        geo_bounding_box,
        geo_radius,
        values_count,
        geo_polygon,
        datetime_range,
        is_empty,
        is_null,
    } = field;
    let mut json = Map::new();
    let mut add = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            json.insert(name.to_owned(), value);
        }
    };
    if range.is_some() && datetime_range.is_some() {
        return Err(Error::invalid("a condition holds a range of numbers and one of times: make it two"));
    }
    add("match", r#match.map(match_json).transpose()?);
    add("range", range.map(range_json).transpose()?);
    add("range", datetime_range.map(datetime_range_json).transpose()?);
    add("geo_bounding_box", geo_bounding_box.map(bounding_box_json).transpose()?);
    add("geo_radius", geo_radius.map(radius_json).transpose()?);
    add("geo_polygon", geo_polygon.map(polygon_json).transpose()?);
    add("values_count", values_count.map(values_count_json));
    add("is_empty", is_empty.map(Json::Bool));
    add("is_null", is_null.map(Json::Bool));
    if json.is_empty() {
        return Err(Error::invalid(format!("the condition on `{name}` says nothing")));
    }
    json.insert("key".to_owned(), key(name)?.into());
    Ok(Json::Object(json))
}

/// The key, once it is known to be a path: the engine's own message for a bad one names no key.
fn key(name: String) -> Result<String> {
    payload::path(&name)?;
    Ok(name)
}

fn match_json(condition: Match) -> Result<Json> {
    let value = condition.match_value.ok_or_else(|| Error::invalid("a match condition holds no value"))?;
    Ok(match value {
        MatchValue::Keyword(value) => json!({ "value": value }),
        MatchValue::Integer(value) => json!({ "value": value }),
        MatchValue::Boolean(value) => json!({ "value": value }),
        MatchValue::Text(text) => json!({ "text": text }),
        MatchValue::TextAny(text) => json!({ "text_any": text }),
        MatchValue::Phrase(text) => json!({ "phrase": text }),
        MatchValue::Keywords(any) => json!({ "any": any.strings }),
        MatchValue::Integers(any) => json!({ "any": any.integers }),
        MatchValue::ExceptKeywords(except) => json!({ "except": except.strings }),
        MatchValue::ExceptIntegers(except) => json!({ "except": except.integers }),
        MatchValue::Prefix(_) => return Err(Error::Unsupported("prefix matches")),
        MatchValue::Substring(_) => return Err(Error::Unsupported("substring matches")),
    })
}

fn range_json(range: Range) -> Result<Json> {
    let bound = |value: Option<f64>| match value {
        Some(value) if !value.is_finite() => Err(Error::invalid("a range has a bound that is not a finite number")),
        value => Ok(value),
    };
    Ok(json!({ "lt": bound(range.lt)?, "gt": bound(range.gt)?, "gte": bound(range.gte)?, "lte": bound(range.lte)? }))
}

fn datetime_range_json(range: DatetimeRange) -> Result<Json> {
    let bound = |moment: Option<Timestamp>| moment.as_ref().map(timestamp).transpose();
    Ok(json!({ "lt": bound(range.lt)?, "gt": bound(range.gt)?, "gte": bound(range.gte)?, "lte": bound(range.lte)? }))
}

fn values_count_json(count: ValuesCount) -> Json {
    json!({ "lt": count.lt, "gt": count.gt, "gte": count.gte, "lte": count.lte })
}

fn point_json(point: Option<GeoPoint>) -> Result<Json> {
    let point = point.ok_or_else(|| Error::invalid("a geographic condition lacks a point"))?;
    Ok(json!({ "lon": point.lon, "lat": point.lat }))
}

fn bounding_box_json(area: GeoBoundingBox) -> Result<Json> {
    Ok(json!({ "top_left": point_json(area.top_left)?, "bottom_right": point_json(area.bottom_right)? }))
}

fn radius_json(area: GeoRadius) -> Result<Json> {
    Ok(json!({ "center": point_json(area.center)?, "radius": area.radius }))
}

fn polygon_json(area: GeoPolygon) -> Result<Json> {
    let line = |line: GeoLineString| -> Result<Json> {
        let points = line.points.into_iter().map(|point| point_json(Some(point))).collect::<Result<Vec<_>>>()?;
        Ok(json!({ "points": points }))
    };
    let exterior = area.exterior.ok_or_else(|| Error::invalid("a polygon lacks its exterior"))?;
    let interiors = area.interiors.into_iter().map(line).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "exterior": line(exterior)?, "interiors": interiors }))
}
