//! Payload indexes: what a request asks for, and the schema that the engine builds from.

#![expect(deprecated, reason = "Qdrant 1.20 deprecates `on_disk` for `memory`, which Qdrant 1.18 does not know")]

use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::stemming_algorithm::StemmingParams;
use qdrant_client::qdrant::{
    CreateFieldIndexCollection, FieldType, KeywordIndexParams, PayloadIndexParams, PayloadSchemaInfo,
    PayloadSchemaType, StemmingAlgorithm, TextIndexParams, TokenizerType,
};
use qdrant_edge::PayloadFieldSchema;
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};

/// The schema entry that the request asks for, as clients will read it.
pub(crate) fn of_request(request: &CreateFieldIndexCollection) -> Result<PayloadSchemaInfo> {
    let from_params = request.field_index_params.as_ref().and_then(type_of);
    let from_type = request
        .field_type
        .map(|number| FieldType::try_from(number).map_err(|_| Error::invalid("the field type is unknown")))
        .transpose()?
        .map(schema_type);
    let data_type = match (from_type, from_params) {
        (Some(named), Some(implied)) if named != implied => {
            return Err(Error::invalid("field type and field index params do not match"));
        }
        (Some(data_type), _) | (None, Some(data_type)) => data_type,
        (None, None) => {
            return Err(Error::invalid(format!(
                "Unable to infer type for the field '{}'. Please specify `field_type`",
                request.field_name
            )));
        }
    };
    Ok(PayloadSchemaInfo {
        data_type: data_type as i32,
        params: request.field_index_params.clone().filter(|params| params.index_params.is_some()),
        points: None,
    })
}

/// The schema that the engine builds an index from.
pub(crate) fn to_engine(info: &PayloadSchemaInfo) -> Result<PayloadFieldSchema> {
    let json = match info.params.as_ref().and_then(|params| params.index_params.as_ref()) {
        Some(params) => params_json(params)?,
        None => json!(type_name(info.data_type)?),
    };
    serde_json::from_value(json)
        .map_err(|error| Error::invalid(format!("the parameters of the index make no sense: {error}")))
}

fn type_of(params: &PayloadIndexParams) -> Option<PayloadSchemaType> {
    Some(match params.index_params.as_ref()? {
        IndexParams::KeywordIndexParams(_) => PayloadSchemaType::Keyword,
        IndexParams::IntegerIndexParams(_) => PayloadSchemaType::Integer,
        IndexParams::FloatIndexParams(_) => PayloadSchemaType::Float,
        IndexParams::GeoIndexParams(_) => PayloadSchemaType::Geo,
        IndexParams::TextIndexParams(_) => PayloadSchemaType::Text,
        IndexParams::BoolIndexParams(_) => PayloadSchemaType::Bool,
        IndexParams::DatetimeIndexParams(_) => PayloadSchemaType::Datetime,
        IndexParams::UuidIndexParams(_) => PayloadSchemaType::Uuid,
    })
}

fn schema_type(field: FieldType) -> PayloadSchemaType {
    match field {
        FieldType::Keyword => PayloadSchemaType::Keyword,
        FieldType::Integer => PayloadSchemaType::Integer,
        FieldType::Float => PayloadSchemaType::Float,
        FieldType::Geo => PayloadSchemaType::Geo,
        FieldType::Text => PayloadSchemaType::Text,
        FieldType::Bool => PayloadSchemaType::Bool,
        FieldType::Datetime => PayloadSchemaType::Datetime,
        FieldType::Uuid => PayloadSchemaType::Uuid,
    }
}

/// The word for the type of an index.
pub(crate) fn type_name(data_type: i32) -> Result<&'static str> {
    Ok(match PayloadSchemaType::try_from(data_type) {
        Ok(PayloadSchemaType::Keyword) => "keyword",
        Ok(PayloadSchemaType::Integer) => "integer",
        Ok(PayloadSchemaType::Float) => "float",
        Ok(PayloadSchemaType::Geo) => "geo",
        Ok(PayloadSchemaType::Text) => "text",
        Ok(PayloadSchemaType::Bool) => "bool",
        Ok(PayloadSchemaType::Datetime) => "datetime",
        Ok(PayloadSchemaType::Uuid) => "uuid",
        Ok(PayloadSchemaType::UnknownType) | Err(_) => return Err(Error::invalid("the field type is unknown")),
    })
}

/// The JSON form of index parameters. `memory` is left out: it places an index, and changes no result.
pub(crate) fn params_json(params: &IndexParams) -> Result<Json> {
    let nested = match params {
        IndexParams::KeywordIndexParams(p) => &p.nested,
        IndexParams::IntegerIndexParams(p) => &p.nested,
        IndexParams::FloatIndexParams(p) => &p.nested,
        IndexParams::GeoIndexParams(p) => &p.nested,
        IndexParams::TextIndexParams(p) => &p.nested,
        IndexParams::BoolIndexParams(p) => &p.nested,
        IndexParams::DatetimeIndexParams(p) => &p.nested,
        IndexParams::UuidIndexParams(p) => &p.nested,
    };
    if nested.is_some() {
        return Err(Error::Unsupported("indexes on nested objects"));
    }
    Ok(match params {
        IndexParams::KeywordIndexParams(p) => keyword_json(p)?,
        IndexParams::IntegerIndexParams(p) => {
            if p.lookup == Some(false) && p.range == Some(false) {
                return Err(Error::invalid("the 'lookup' and 'range' capabilities can't be both disabled"));
            }
            json!({
                "type": "integer", "lookup": p.lookup, "range": p.range, "is_principal": p.is_principal,
                "on_disk": p.on_disk, "enable_hnsw": p.enable_hnsw,
            })
        }
        IndexParams::FloatIndexParams(p) => json!({
            "type": "float", "is_principal": p.is_principal, "on_disk": p.on_disk, "enable_hnsw": p.enable_hnsw,
        }),
        IndexParams::GeoIndexParams(p) => {
            json!({ "type": "geo", "on_disk": p.on_disk, "enable_hnsw": p.enable_hnsw })
        }
        IndexParams::TextIndexParams(p) => text_json(p)?,
        IndexParams::BoolIndexParams(p) => {
            json!({ "type": "bool", "on_disk": p.on_disk, "enable_hnsw": p.enable_hnsw })
        }
        IndexParams::DatetimeIndexParams(p) => json!({
            "type": "datetime", "is_principal": p.is_principal, "on_disk": p.on_disk, "enable_hnsw": p.enable_hnsw,
        }),
        IndexParams::UuidIndexParams(p) => json!({
            "type": "uuid", "is_tenant": p.is_tenant, "on_disk": p.on_disk, "enable_hnsw": p.enable_hnsw,
        }),
    })
}

fn keyword_json(params: &KeywordIndexParams) -> Result<Json> {
    if params.prefix.is_some() {
        return Err(Error::Unsupported("prefix indexes"));
    }
    Ok(json!({
        "type": "keyword", "is_tenant": params.is_tenant, "on_disk": params.on_disk,
        "enable_hnsw": params.enable_hnsw,
    }))
}

fn text_json(params: &TextIndexParams) -> Result<Json> {
    if params.scoring.is_some() {
        return Err(Error::Unsupported("scoring by text indexes"));
    }
    let tokenizer = match TokenizerType::try_from(params.tokenizer) {
        Ok(TokenizerType::Prefix) => "prefix",
        Ok(TokenizerType::Whitespace) => "whitespace",
        Ok(TokenizerType::Word) => "word",
        Ok(TokenizerType::Multilingual) => "multilingual",
        Ok(TokenizerType::Code) => return Err(Error::Unsupported("the code tokenizer")),
        Ok(TokenizerType::Unknown) | Err(_) => return Err(Error::invalid("unknown tokenizer type")),
    };
    let mut json = json!({
        "type": "text", "tokenizer": tokenizer, "lowercase": params.lowercase,
        "min_token_len": params.min_token_len, "max_token_len": params.max_token_len,
        "on_disk": params.on_disk, "phrase_matching": params.phrase_matching,
        "ascii_folding": params.ascii_folding, "enable_hnsw": params.enable_hnsw,
    });
    if let Some(stopwords) = &params.stopwords {
        let languages: Vec<String> = stopwords.languages.iter().map(|name| name.to_lowercase()).collect();
        json["stopwords"] = json!({ "languages": languages, "custom": stopwords.custom });
    }
    if let Some(StemmingAlgorithm { stemming_params: Some(stemming) }) = &params.stemmer {
        json["stemmer"] = match stemming {
            StemmingParams::Snowball(snowball) => {
                json!({ "type": "snowball", "language": snowball.language.to_lowercase() })
            }
            StemmingParams::Disabled(_) => return Err(Error::Unsupported("disabling the stemmer")),
        };
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use qdrant_client::qdrant::{IntegerIndexParams, SnowballParams, StopwordsSet, UuidIndexParams};

    use super::*;

    fn engine_type(params: IndexParams) -> Result<String> {
        let params = PayloadIndexParams { index_params: Some(params) };
        let request = CreateFieldIndexCollection { field_index_params: Some(params), ..Default::default() };
        let info = of_request(&request)?;
        let schema = to_engine(&info)?;
        assert_eq!(type_name(info.data_type).unwrap(), schema.name());
        Ok(serde_json::to_value(&schema).unwrap().to_string())
    }

    #[test]
    fn each_type_by_name() {
        for number in 0..8 {
            let request = CreateFieldIndexCollection { field_type: Some(number), ..Default::default() };
            let info = of_request(&request).unwrap();
            let schema = to_engine(&info).unwrap();
            assert_eq!(type_name(info.data_type).unwrap(), schema.name(), "{number}");
        }
    }

    #[test]
    fn parameters_reach_the_engine() {
        let text = TextIndexParams {
            tokenizer: TokenizerType::Word as i32,
            lowercase: Some(false),
            min_token_len: Some(2),
            stopwords: Some(StopwordsSet { languages: vec!["English".into()], custom: vec!["foo".into()] }),
            stemmer: Some(StemmingAlgorithm {
                stemming_params: Some(StemmingParams::Snowball(SnowballParams { language: "english".into() })),
            }),
            phrase_matching: Some(true),
            ..Default::default()
        };
        let json = engine_type(IndexParams::TextIndexParams(text)).unwrap();
        for part in ["\"lowercase\":false", "\"english\"", "\"foo\"", "snowball", "\"min_token_len\":2"] {
            assert!(json.contains(part), "{json} lacks {part}");
        }
        let uuid = UuidIndexParams { is_tenant: Some(true), ..Default::default() };
        let json = engine_type(IndexParams::UuidIndexParams(uuid)).unwrap();
        assert!(json.contains("\"is_tenant\":true"), "{json}");
    }

    #[test]
    fn what_cannot_be_built_is_refused() {
        let neither = IntegerIndexParams { lookup: Some(false), range: Some(false), ..Default::default() };
        assert!(engine_type(IndexParams::IntegerIndexParams(neither)).is_err());
        let unknown = TextIndexParams::default();
        assert!(engine_type(IndexParams::TextIndexParams(unknown)).is_err());
        let nested = UuidIndexParams { nested: Some("a[]".into()), ..Default::default() };
        assert!(matches!(engine_type(IndexParams::UuidIndexParams(nested)), Err(Error::Unsupported(_))));

        assert!(of_request(&CreateFieldIndexCollection::default()).is_err());
        let mismatch = CreateFieldIndexCollection {
            field_type: Some(FieldType::Keyword as i32),
            field_index_params: Some(PayloadIndexParams {
                index_params: Some(IndexParams::UuidIndexParams(UuidIndexParams::default())),
            }),
            ..Default::default()
        };
        assert!(of_request(&mismatch).is_err());
    }
}
