//! Vectors that a collection is given when it has points already.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::put;
use qdrant_client::qdrant::create_vector_name_request::VectorConfig;
use qdrant_client::qdrant::{DenseVectorCreationConfig, MultiVectorConfig, SparseVectorCreationConfig};
use serde::Deserialize;

use super::SharedStore;
use super::answer::run;
use super::config::{DatatypeWord, DistanceWord, ModifierWord, Multivector};
use super::points::update_result;
use super::request::{Body, Parameters};
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new().route("/collections/{collection}/vectors/{vector}", put(create))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Create {
    Dense(Dense),
    Sparse(Sparse),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dense {
    size: u64,
    distance: DistanceWord,
    multivector_config: Option<Multivector>,
    datatype: Option<DatatypeWord>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sparse {
    modifier: Option<ModifierWord>,
    datatype: Option<DatatypeWord>,
}

impl From<Create> for VectorConfig {
    fn from(json: Create) -> Self {
        match json {
            Create::Dense(Dense { size, distance, multivector_config, datatype }) => {
                Self::DenseConfig(DenseVectorCreationConfig {
                    size,
                    distance: distance.into(),
                    multivector_config: multivector_config.map(MultiVectorConfig::from),
                    datatype: datatype.map(Into::into),
                })
            }
            Create::Sparse(Sparse { modifier, datatype }) => Self::SparseConfig(SparseVectorCreationConfig {
                modifier: modifier.map(Into::into),
                datatype: datatype.map(Into::into),
            }),
        }
    }
}

async fn create(
    State(store): SharedStore,
    Path((collection, vector)): Path<(String, String)>,
    parameters: Parameters,
    body: Body,
) -> Response {
    run(&store, move |store| {
        let wanted: Create = body.parse()?;
        let number = store.collection(&collection)?.add_vector(&vector, Some(wanted.into()))?;
        Ok(update_result(Some(number), parameters.wait))
    })
    .await
}
