//! Snapshots: none. Copy the data directory of a stopped server instead.

use qdrant_client::qdrant::snapshots_server::Snapshots;
use qdrant_client::qdrant::{
    CreateFullSnapshotRequest, CreateSnapshotRequest, CreateSnapshotResponse, DeleteFullSnapshotRequest,
    DeleteSnapshotRequest, DeleteSnapshotResponse, ListFullSnapshotsRequest, ListSnapshotsRequest,
    ListSnapshotsResponse,
};
use tonic::{Request, Response, Status};

use super::{Service, unimplemented};

#[tonic::async_trait]
impl Snapshots for Service {
    async fn create(&self, _: Request<CreateSnapshotRequest>) -> Result<Response<CreateSnapshotResponse>, Status> {
        unimplemented()
    }

    async fn list(&self, _: Request<ListSnapshotsRequest>) -> Result<Response<ListSnapshotsResponse>, Status> {
        unimplemented()
    }

    async fn delete(&self, _: Request<DeleteSnapshotRequest>) -> Result<Response<DeleteSnapshotResponse>, Status> {
        unimplemented()
    }

    async fn create_full(
        &self,
        _: Request<CreateFullSnapshotRequest>,
    ) -> Result<Response<CreateSnapshotResponse>, Status> {
        unimplemented()
    }

    async fn list_full(&self, _: Request<ListFullSnapshotsRequest>) -> Result<Response<ListSnapshotsResponse>, Status> {
        unimplemented()
    }

    async fn delete_full(
        &self,
        _: Request<DeleteFullSnapshotRequest>,
    ) -> Result<Response<DeleteSnapshotResponse>, Status> {
        unimplemented()
    }
}
