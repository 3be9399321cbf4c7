//! Collections and aliases.

use qdrant_client::qdrant::collections_server::Collections;
use qdrant_client::qdrant::{
    AliasDescription, ChangeAliases, CollectionClusterInfoRequest, CollectionClusterInfoResponse,
    CollectionDescription, CollectionExists, CollectionExistsRequest, CollectionExistsResponse,
    CollectionOperationResponse, CreateCollection, CreateShardKeyRequest, CreateShardKeyResponse, DeleteCollection,
    DeleteShardKeyRequest, DeleteShardKeyResponse, GetCollectionInfoRequest, GetCollectionInfoResponse,
    ListAliasesRequest, ListAliasesResponse, ListCollectionAliasesRequest, ListCollectionsRequest,
    ListCollectionsResponse, ListShardKeysRequest, ListShardKeysResponse, LocalShardInfo, ReplicaState,
    UpdateCollection, UpdateCollectionClusterSetupRequest, UpdateCollectionClusterSetupResponse,
};
use tonic::{Request, Response, Status};

use super::{Service, unimplemented};
use crate::convert::config;

#[tonic::async_trait]
impl Collections for Service {
    async fn get(
        &self,
        request: Request<GetCollectionInfoRequest>,
    ) -> Result<Response<GetCollectionInfoResponse>, Status> {
        let name = request.into_inner().collection_name;
        self.answer(
            move |store| store.collection(&name)?.info(),
            |info, time| GetCollectionInfoResponse { result: Some(info), time },
        )
        .await
    }

    async fn list(&self, _: Request<ListCollectionsRequest>) -> Result<Response<ListCollectionsResponse>, Status> {
        self.answer(
            |store| store.list(),
            |names, time| ListCollectionsResponse {
                collections: names.into_iter().map(|name| CollectionDescription { name }).collect(),
                time,
            },
        )
        .await
    }

    async fn create(
        &self,
        request: Request<CreateCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let mut request = request.into_inner();
        self.answer(
            move |store| {
                let name = std::mem::take(&mut request.collection_name);
                store.create(&name, config::of_new(request)?)
            },
            |(), time| CollectionOperationResponse { result: true, time },
        )
        .await
    }

    async fn update(
        &self,
        request: Request<UpdateCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| {
                let collection = store.collection(&request.collection_name)?;
                collection.reconfigure(|present| config::updated(present, request))
            },
            |(), time| CollectionOperationResponse { result: true, time },
        )
        .await
    }

    async fn delete(
        &self,
        request: Request<DeleteCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let name = request.into_inner().collection_name;
        self.answer(move |store| store.delete(&name), |result, time| CollectionOperationResponse { result, time }).await
    }

    async fn update_aliases(
        &self,
        request: Request<ChangeAliases>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let actions = request.into_inner().actions;
        self.answer(
            move |store| store.change_aliases(actions),
            |(), time| CollectionOperationResponse { result: true, time },
        )
        .await
    }

    async fn list_collection_aliases(
        &self,
        request: Request<ListCollectionAliasesRequest>,
    ) -> Result<Response<ListAliasesResponse>, Status> {
        let name = request.into_inner().collection_name;
        self.answer(move |store| store.aliases_of(&name), aliases_response).await
    }

    async fn list_aliases(&self, _: Request<ListAliasesRequest>) -> Result<Response<ListAliasesResponse>, Status> {
        self.answer(|store| store.aliases(), aliases_response).await
    }

    async fn collection_exists(
        &self,
        request: Request<CollectionExistsRequest>,
    ) -> Result<Response<CollectionExistsResponse>, Status> {
        let name = request.into_inner().collection_name;
        self.answer(
            move |store| store.exists(&name),
            |exists, time| CollectionExistsResponse { result: Some(CollectionExists { exists }), time },
        )
        .await
    }

    /// Whatever `shard_number` says, the engine holds all in one shard.
    async fn collection_cluster_info(
        &self,
        request: Request<CollectionClusterInfoRequest>,
    ) -> Result<Response<CollectionClusterInfoResponse>, Status> {
        let name = request.into_inner().collection_name;
        self.answer(
            move |store| store.collection(&name)?.info(),
            |info, time| {
                let points_count = info.points_count.unwrap_or_default();
                let shard = LocalShardInfo { points_count, state: ReplicaState::Active.into(), ..Default::default() };
                CollectionClusterInfoResponse { shard_count: 1, local_shards: vec![shard], time, ..Default::default() }
            },
        )
        .await
    }

    async fn update_collection_cluster_setup(
        &self,
        _: Request<UpdateCollectionClusterSetupRequest>,
    ) -> Result<Response<UpdateCollectionClusterSetupResponse>, Status> {
        unimplemented()
    }

    async fn create_shard_key(
        &self,
        _: Request<CreateShardKeyRequest>,
    ) -> Result<Response<CreateShardKeyResponse>, Status> {
        unimplemented()
    }

    async fn delete_shard_key(
        &self,
        _: Request<DeleteShardKeyRequest>,
    ) -> Result<Response<DeleteShardKeyResponse>, Status> {
        unimplemented()
    }

    async fn list_shard_keys(
        &self,
        _: Request<ListShardKeysRequest>,
    ) -> Result<Response<ListShardKeysResponse>, Status> {
        unimplemented()
    }
}

fn aliases_response(aliases: Vec<(String, String)>, time: f64) -> ListAliasesResponse {
    let aliases = aliases
        .into_iter()
        .map(|(alias_name, collection_name)| AliasDescription { alias_name, collection_name })
        .collect();
    ListAliasesResponse { aliases, time }
}
