//! Points: changes, payload indexes, reads and queries.

use qdrant_client::qdrant::points_server::Points;
use qdrant_client::qdrant::points_update_operation::{
    ClearPayload, DeletePayload, DeletePoints as DeletePointsChange, DeleteVectors, Operation, OverwritePayload,
    PointStructList, SetPayload, UpdateVectors,
};
use qdrant_client::qdrant::{
    BatchResult, ClearPayloadPoints, CountPoints, CountResponse, CountResult, CreateFieldIndexCollection,
    CreateVectorNameRequest, DeleteFieldIndexCollection, DeletePayloadPoints, DeletePointVectors, DeletePoints,
    DeleteVectorNameRequest, DiscoverBatchPoints, DiscoverBatchResponse, DiscoverPoints, DiscoverResponse, FacetCounts,
    FacetResponse, GetPoints, GetResponse, PointsOperationResponse, PointsUpdateOperation, QueryBatchPoints,
    QueryBatchResponse, QueryGroupsResponse, QueryPointGroups, QueryPoints, QueryResponse, RecommendBatchPoints,
    RecommendBatchResponse, RecommendGroupsResponse, RecommendPointGroups, RecommendPoints, RecommendResponse,
    ScrollPoints, ScrollResponse, SearchBatchPoints, SearchBatchResponse, SearchGroupsResponse,
    SearchMatrixOffsetsResponse, SearchMatrixPairsResponse, SearchMatrixPoints, SearchPointGroups, SearchPoints,
    SearchResponse, SetPayloadPoints, UpdateBatchPoints, UpdateBatchResponse, UpdatePointVectors, UpdateResult,
    UpdateStatus, UpsertPoints,
};
use qdrant_edge::ScoredPoint;
use tonic::{Request, Response, Status};

use super::{Service, unimplemented};
use crate::convert::{filter, index, payload, points, requests, vectors};
use crate::update::{self, no_shard_key};

impl Service {
    async fn change(
        &self,
        collection: String,
        wait: Option<bool>,
        operation: Operation,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let durable = wait.unwrap_or(false);
        let operation = PointsUpdateOperation { operation: Some(operation) };
        self.answer(
            move |store| store.collection(&collection)?.update([update::accepted(operation)], durable),
            |numbers, time| operation_response(numbers.last().copied(), durable, time),
        )
        .await
    }
}

#[tonic::async_trait]
impl Points for Service {
    async fn upsert(&self, request: Request<UpsertPoints>) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::Upsert(PointStructList {
            points: request.points,
            shard_key_selector: request.shard_key_selector,
            update_filter: request.update_filter,
            update_mode: request.update_mode,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn delete(&self, request: Request<DeletePoints>) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::DeletePoints(DeletePointsChange {
            points: request.points,
            shard_key_selector: request.shard_key_selector,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn update_vectors(
        &self,
        request: Request<UpdatePointVectors>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::UpdateVectors(UpdateVectors {
            points: request.points,
            shard_key_selector: request.shard_key_selector,
            update_filter: request.update_filter,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn delete_vectors(
        &self,
        request: Request<DeletePointVectors>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::DeleteVectors(DeleteVectors {
            points_selector: request.points_selector,
            vectors: request.vectors,
            shard_key_selector: request.shard_key_selector,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn set_payload(
        &self,
        request: Request<SetPayloadPoints>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::SetPayload(SetPayload {
            payload: request.payload,
            points_selector: request.points_selector,
            shard_key_selector: request.shard_key_selector,
            key: request.key,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn overwrite_payload(
        &self,
        request: Request<SetPayloadPoints>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::OverwritePayload(OverwritePayload {
            payload: request.payload,
            points_selector: request.points_selector,
            shard_key_selector: request.shard_key_selector,
            key: request.key,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn delete_payload(
        &self,
        request: Request<DeletePayloadPoints>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::DeletePayload(DeletePayload {
            keys: request.keys,
            points_selector: request.points_selector,
            shard_key_selector: request.shard_key_selector,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn clear_payload(
        &self,
        request: Request<ClearPayloadPoints>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let operation = Operation::ClearPayload(ClearPayload {
            points: request.points,
            shard_key_selector: request.shard_key_selector,
        });
        self.change(request.collection_name, request.wait, operation).await
    }

    async fn update_batch(&self, request: Request<UpdateBatchPoints>) -> Result<Response<UpdateBatchResponse>, Status> {
        let request = request.into_inner();
        let durable = request.wait.unwrap_or(false);
        self.answer(
            move |store| {
                let changes = request.operations.into_iter().map(update::accepted);
                store.collection(&request.collection_name)?.update(changes, durable)
            },
            |numbers, time| UpdateBatchResponse {
                result: numbers.into_iter().map(|number| update_result(Some(number), durable)).collect(),
                time,
                usage: None,
            },
        )
        .await
    }

    async fn create_field_index(
        &self,
        request: Request<CreateFieldIndexCollection>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let wait = request.wait.unwrap_or(false);
        self.answer(
            move |store| {
                let collection = store.collection(&request.collection_name)?;
                collection.create_index(&request.field_name, index::of_request(&request)?)
            },
            |number, time| operation_response(Some(number), wait, time),
        )
        .await
    }

    async fn delete_field_index(
        &self,
        request: Request<DeleteFieldIndexCollection>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let wait = request.wait.unwrap_or(false);
        self.answer(
            move |store| store.collection(&request.collection_name)?.delete_index(&request.field_name),
            |number, time| operation_response(Some(number), wait, time),
        )
        .await
    }

    async fn get(&self, request: Request<GetPoints>) -> Result<Response<GetResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| {
                no_shard_key(request.shard_key_selector.as_ref())?;
                store.collection(&request.collection_name)?.get(
                    &points::ids_to_engine(request.ids)?,
                    payload::selector(request.with_payload, false)?,
                    vectors::selector(request.with_vectors),
                )
            },
            |records, time| GetResponse { result: each(records, points::record), time, usage: None },
        )
        .await
    }

    async fn scroll(&self, request: Request<ScrollPoints>) -> Result<Response<ScrollResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| store.collection(&request.collection_name)?.scroll(requests::scroll(request)?),
            |(records, next), time| ScrollResponse {
                next_page_offset: next.map(points::id_from_engine),
                result: each(records, points::record),
                time,
                usage: None,
            },
        )
        .await
    }

    async fn count(&self, request: Request<CountPoints>) -> Result<Response<CountResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| {
                no_shard_key(request.shard_key_selector.as_ref())?;
                let filter = request.filter.map(filter::to_engine).transpose()?;
                store.collection(&request.collection_name)?.count(filter)
            },
            |count, time| CountResponse { result: Some(CountResult { count }), time, usage: None },
        )
        .await
    }

    async fn query(&self, request: Request<QueryPoints>) -> Result<Response<QueryResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| store.collection(&request.collection_name)?.query(requests::query(request)?),
            |hits, time| QueryResponse { result: each(hits, points::hit), time, usage: None },
        )
        .await
    }

    async fn query_batch(&self, request: Request<QueryBatchPoints>) -> Result<Response<QueryBatchResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| {
                let collection = store.collection(&request.collection_name)?;
                request.query_points.into_iter().map(|query| collection.query(requests::query(query)?)).collect()
            },
            |results: Vec<_>, time| QueryBatchResponse { result: batch(results), time, usage: None },
        )
        .await
    }

    async fn search(&self, request: Request<SearchPoints>) -> Result<Response<SearchResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| store.collection(&request.collection_name)?.query(requests::search(request)?),
            |hits, time| SearchResponse { result: each(hits, points::hit), time, usage: None },
        )
        .await
    }

    async fn search_batch(&self, request: Request<SearchBatchPoints>) -> Result<Response<SearchBatchResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| {
                let collection = store.collection(&request.collection_name)?;
                request.search_points.into_iter().map(|search| collection.query(requests::search(search)?)).collect()
            },
            |results: Vec<_>, time| SearchBatchResponse { result: batch(results), time, usage: None },
        )
        .await
    }

    async fn search_groups(&self, _: Request<SearchPointGroups>) -> Result<Response<SearchGroupsResponse>, Status> {
        unimplemented()
    }

    async fn recommend(&self, _: Request<RecommendPoints>) -> Result<Response<RecommendResponse>, Status> {
        unimplemented()
    }

    async fn recommend_batch(
        &self,
        _: Request<RecommendBatchPoints>,
    ) -> Result<Response<RecommendBatchResponse>, Status> {
        unimplemented()
    }

    async fn recommend_groups(
        &self,
        _: Request<RecommendPointGroups>,
    ) -> Result<Response<RecommendGroupsResponse>, Status> {
        unimplemented()
    }

    async fn discover(&self, _: Request<DiscoverPoints>) -> Result<Response<DiscoverResponse>, Status> {
        unimplemented()
    }

    async fn discover_batch(&self, _: Request<DiscoverBatchPoints>) -> Result<Response<DiscoverBatchResponse>, Status> {
        unimplemented()
    }

    async fn query_groups(&self, _: Request<QueryPointGroups>) -> Result<Response<QueryGroupsResponse>, Status> {
        unimplemented()
    }

    async fn facet(&self, request: Request<FacetCounts>) -> Result<Response<FacetResponse>, Status> {
        let request = request.into_inner();
        self.answer(
            move |store| store.collection(&request.collection_name)?.facet(requests::facet(request)?),
            |hits, time| FacetResponse { hits: each(hits, points::facet), time, usage: None },
        )
        .await
    }

    async fn search_matrix_pairs(
        &self,
        _: Request<SearchMatrixPoints>,
    ) -> Result<Response<SearchMatrixPairsResponse>, Status> {
        unimplemented()
    }

    async fn search_matrix_offsets(
        &self,
        _: Request<SearchMatrixPoints>,
    ) -> Result<Response<SearchMatrixOffsetsResponse>, Status> {
        unimplemented()
    }

    async fn create_vector_name(
        &self,
        request: Request<CreateVectorNameRequest>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let request = request.into_inner();
        let wait = request.wait.unwrap_or(false);
        self.answer(
            move |store| {
                store.collection(&request.collection_name)?.add_vector(&request.vector_name, request.vector_config)
            },
            |number, time| operation_response(Some(number), wait, time),
        )
        .await
    }

    async fn delete_vector_name(
        &self,
        _: Request<DeleteVectorNameRequest>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        unimplemented()
    }
}

fn batch(results: Vec<Vec<ScoredPoint>>) -> Vec<BatchResult> {
    each(results, |hits| BatchResult { result: each(hits, points::hit) })
}

fn each<T, U>(values: Vec<T>, convert: impl FnMut(T) -> U) -> Vec<U> {
    values.into_iter().map(convert).collect()
}

fn operation_response(number: Option<u64>, wait: bool, time: f64) -> PointsOperationResponse {
    PointsOperationResponse { result: Some(update_result(number, wait)), time, usage: None }
}

/// The change is made in either case; who did not wait is told no more than Qdrant would.
fn update_result(operation_id: Option<u64>, wait: bool) -> UpdateResult {
    let status = if wait { UpdateStatus::Completed } else { UpdateStatus::Acknowledged };
    UpdateResult { operation_id, status: status as i32 }
}
