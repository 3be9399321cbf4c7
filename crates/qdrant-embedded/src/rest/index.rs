//! Payload indexes.

#![expect(deprecated, reason = "Qdrant 1.20 deprecates `on_disk` for `memory`, which Qdrant 1.18 does not know")]

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::put;
use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::stemming_algorithm::StemmingParams;
use qdrant_client::qdrant::{
    BoolIndexParams, CreateFieldIndexCollection, DatetimeIndexParams, FieldType, FloatIndexParams, GeoIndexParams,
    IntegerIndexParams, KeywordIndexParams, PayloadIndexParams, SnowballParams, StemmingAlgorithm, StopwordsSet,
    TextIndexParams, TokenizerType, UuidIndexParams,
};
use serde::Deserialize;

use super::SharedStore;
use super::answer::run;
use super::config::words;
use super::points::update_result;
use super::request::{Body, Parameters};
use crate::convert::index;
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/collections/{collection}/index", put(create))
        .route("/collections/{collection}/index/{field}", axum::routing::delete(delete))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    field_name: String,
    field_schema: Option<Schema>,
}

/// A type, with or without parameters.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected the type of an index, or its parameters with their `type`")]
enum Schema {
    Type(TypeWord),
    Params(Box<Params>),
}

words! {
    /// The type of an index.
    TypeWord = FieldType {
        "keyword" Keyword, "integer" Integer, "float" Float, "geo" Geo, "text" Text, "bool" Bool, "datetime" Datetime,
        "uuid" Uuid,
    }
}

words! {
    /// How a text is cut into tokens.
    TokenizerWord = TokenizerType {
        "word" Word, "whitespace" Whitespace, "prefix" Prefix, "multilingual" Multilingual,
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Params {
    Keyword {
        is_tenant: Option<bool>,
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
    Integer {
        lookup: Option<bool>,
        range: Option<bool>,
        is_principal: Option<bool>,
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
    Float {
        is_principal: Option<bool>,
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
    Geo {
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
    Text {
        tokenizer: Option<TokenizerWord>,
        lowercase: Option<bool>,
        min_token_len: Option<u64>,
        max_token_len: Option<u64>,
        ascii_folding: Option<bool>,
        phrase_matching: Option<bool>,
        stopwords: Option<Stopwords>,
        stemmer: Option<Stemmer>,
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
    Bool {
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
    Datetime {
        is_principal: Option<bool>,
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
    Uuid {
        is_tenant: Option<bool>,
        on_disk: Option<bool>,
        enable_hnsw: Option<bool>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a language, or languages and words")]
enum Stopwords {
    Language(String),
    Set(StopwordSet),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StopwordSet {
    languages: Option<Vec<String>>,
    custom: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Stemmer {
    Snowball { language: String },
}

/// The message that asks for the same.
fn request(create: Create) -> CreateFieldIndexCollection {
    let (field_type, params) = match create.field_schema {
        None => (None, None),
        Some(Schema::Type(word)) => (Some(word.into()), None),
        Some(Schema::Params(params)) => (None, Some(PayloadIndexParams { index_params: Some((*params).into()) })),
    };
    CreateFieldIndexCollection {
        field_name: create.field_name,
        field_type,
        field_index_params: params,
        ..CreateFieldIndexCollection::default()
    }
}

/// A message with these fields, and nothing in the others.
macro_rules! params {
    ($variant:ident, $message:ident { $($field:ident),* }) => {
        IndexParams::$variant($message { $($field,)* ..$message::default() })
    };
}

impl From<Params> for IndexParams {
    fn from(json: Params) -> Self {
        match json {
            Params::Keyword { is_tenant, on_disk, enable_hnsw } => {
                params!(KeywordIndexParams, KeywordIndexParams { is_tenant, on_disk, enable_hnsw })
            }
            Params::Integer { lookup, range, is_principal, on_disk, enable_hnsw } => {
                params!(IntegerIndexParams, IntegerIndexParams { lookup, range, is_principal, on_disk, enable_hnsw })
            }
            Params::Float { is_principal, on_disk, enable_hnsw } => {
                params!(FloatIndexParams, FloatIndexParams { is_principal, on_disk, enable_hnsw })
            }
            Params::Geo { on_disk, enable_hnsw } => params!(GeoIndexParams, GeoIndexParams { on_disk, enable_hnsw }),
            Params::Bool { on_disk, enable_hnsw } => {
                params!(BoolIndexParams, BoolIndexParams { on_disk, enable_hnsw })
            }
            Params::Datetime { is_principal, on_disk, enable_hnsw } => {
                params!(DatetimeIndexParams, DatetimeIndexParams { is_principal, on_disk, enable_hnsw })
            }
            Params::Uuid { is_tenant, on_disk, enable_hnsw } => {
                params!(UuidIndexParams, UuidIndexParams { is_tenant, on_disk, enable_hnsw })
            }
            Params::Text {
                tokenizer,
                lowercase,
                min_token_len,
                max_token_len,
                ascii_folding,
                phrase_matching,
                stopwords,
                stemmer,
                on_disk,
                enable_hnsw,
            } => {
                // The engine's default.
                let tokenizer = tokenizer.unwrap_or(TokenizerWord::Word).into();
                let stopwords = stopwords.map(Into::into);
                let stemmer = stemmer.map(Into::into);
                params!(
                    TextIndexParams,
                    TextIndexParams {
                        tokenizer,
                        lowercase,
                        min_token_len,
                        max_token_len,
                        ascii_folding,
                        phrase_matching,
                        stopwords,
                        stemmer,
                        on_disk,
                        enable_hnsw
                    }
                )
            }
        }
    }
}

impl From<Stopwords> for StopwordsSet {
    fn from(json: Stopwords) -> Self {
        match json {
            Stopwords::Language(language) => Self { languages: vec![language], custom: Vec::new() },
            Stopwords::Set(set) => {
                Self { languages: set.languages.unwrap_or_default(), custom: set.custom.unwrap_or_default() }
            }
        }
    }
}

impl From<Stemmer> for StemmingAlgorithm {
    fn from(json: Stemmer) -> Self {
        let Stemmer::Snowball { language } = json;
        Self { stemming_params: Some(StemmingParams::Snowball(SnowballParams { language })) }
    }
}

async fn create(
    State(store): SharedStore,
    Path(collection): Path<String>,
    parameters: Parameters,
    body: Body,
) -> Response {
    run(&store, move |store| {
        let request = request(body.parse()?);
        let number = store.collection(&collection)?.create_index(&request.field_name, index::of_request(&request)?)?;
        Ok(update_result(Some(number), parameters.wait))
    })
    .await
}

async fn delete(
    State(store): SharedStore,
    Path((collection, field)): Path<(String, String)>,
    parameters: Parameters,
) -> Response {
    run(&store, move |store| {
        let number = store.collection(&collection)?.delete_index(&field)?;
        Ok(update_result(Some(number), parameters.wait))
    })
    .await
}
