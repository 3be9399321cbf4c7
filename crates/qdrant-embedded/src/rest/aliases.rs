//! Aliases.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::{AliasOperations, CreateAlias, DeleteAlias, RenameAlias};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::SharedStore;
use super::answer::run;
use super::request::{Body, Parameters};
use crate::store::Store;

pub(super) fn router() -> Router<Arc<Store>> {
    Router::new()
        .route("/aliases", get(list))
        .route("/collections/aliases", post(change))
        .route("/collections/{collection}/aliases", get(list_of))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    actions: Vec<AliasAction>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
enum AliasAction {
    #[serde(rename = "create_alias")]
    Create { collection_name: String, alias_name: String },
    #[serde(rename = "delete_alias")]
    Delete { alias_name: String },
    #[serde(rename = "rename_alias")]
    Rename { old_alias_name: String, new_alias_name: String },
}

impl From<AliasAction> for AliasOperations {
    fn from(action: AliasAction) -> Self {
        let action = match action {
            AliasAction::Create { collection_name, alias_name } => {
                Action::CreateAlias(CreateAlias { collection_name, alias_name })
            }
            AliasAction::Delete { alias_name } => Action::DeleteAlias(DeleteAlias { alias_name }),
            AliasAction::Rename { old_alias_name, new_alias_name } => {
                Action::RenameAlias(RenameAlias { old_alias_name, new_alias_name })
            }
        };
        Self { action: Some(action) }
    }
}

async fn change(State(store): SharedStore, _: Parameters, body: Body) -> Response {
    run(&store, move |store| {
        let change: Change = body.parse()?;
        store.change_aliases(change.actions.into_iter().map(AliasOperations::from).collect())?;
        Ok(true)
    })
    .await
}

async fn list(State(store): SharedStore) -> Response {
    run(&store, |store| Ok(described(store.aliases()?))).await
}

async fn list_of(State(store): SharedStore, Path(collection): Path<String>) -> Response {
    run(&store, move |store| Ok(described(store.aliases_of(&collection)?))).await
}

fn described(aliases: Vec<(String, String)>) -> Json {
    let aliases = aliases.into_iter().map(|(alias, target)| json!({ "alias_name": alias, "collection_name": target }));
    json!({ "aliases": aliases.collect::<Vec<_>>() })
}
