//! Snapshots of collections. Their files pass over HTTP only, as in Qdrant.

use qdrant_client::qdrant::snapshots_server::Snapshots;
use qdrant_client::qdrant::{
    CreateFullSnapshotRequest, CreateSnapshotRequest, CreateSnapshotResponse, DeleteFullSnapshotRequest,
    DeleteSnapshotRequest, DeleteSnapshotResponse, ListFullSnapshotsRequest, ListSnapshotsRequest,
    ListSnapshotsResponse, SnapshotDescription,
};
use tonic::{Request, Response, Status};

use super::{Service, unimplemented};
use crate::snapshots::Snapshot;

#[tonic::async_trait]
impl Snapshots for Service {
    async fn create(
        &self,
        request: Request<CreateSnapshotRequest>,
    ) -> Result<Response<CreateSnapshotResponse>, Status> {
        let name = request.into_inner().collection_name;
        self.answer(
            move |store| store.snapshots().create(&*store.collection(&name)?),
            |snapshot, time| CreateSnapshotResponse { snapshot_description: Some(description(snapshot)), time },
        )
        .await
    }

    async fn list(&self, request: Request<ListSnapshotsRequest>) -> Result<Response<ListSnapshotsResponse>, Status> {
        let name = request.into_inner().collection_name;
        self.answer(
            move |store| store.snapshots().list(store.collection(&name)?.name()),
            |snapshots, time| ListSnapshotsResponse {
                snapshot_descriptions: snapshots.into_iter().map(description).collect(),
                time,
            },
        )
        .await
    }

    async fn delete(
        &self,
        request: Request<DeleteSnapshotRequest>,
    ) -> Result<Response<DeleteSnapshotResponse>, Status> {
        let DeleteSnapshotRequest { collection_name, snapshot_name } = request.into_inner();
        self.answer(
            move |store| store.snapshots().delete(store.collection(&collection_name)?.name(), &snapshot_name),
            |(), time| DeleteSnapshotResponse { time },
        )
        .await
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

fn description(snapshot: Snapshot) -> SnapshotDescription {
    SnapshotDescription {
        name: snapshot.name,
        creation_time: Some(snapshot.created.into()),
        size: i64::try_from(snapshot.bytes).unwrap_or(i64::MAX),
        checksum: snapshot.checksum,
    }
}
