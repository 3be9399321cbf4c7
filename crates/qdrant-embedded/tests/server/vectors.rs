//! Vectors that a collection is given when it has points already.

use std::path::{Path, PathBuf};

use qdrant_client::Qdrant;
use qdrant_client::qdrant::create_vector_name_request::VectorConfig;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, CreateVectorNameRequest, DenseVectorCreationConfig, Distance, Modifier, NamedVectors,
    PointStruct, PointVectors, QueryPointsBuilder, SparseVectorCreationConfig, UpdatePointVectorsBuilder,
    UpsertPointsBuilder, Vector, VectorParamsBuilder, VectorsConfigBuilder,
};
use tonic::Code;

use crate::harness::{Server, create, fresh, payload, refusal};

/// A collection of three points with the vector `first`.
async fn named(client: &Qdrant) {
    let mut vectors = VectorsConfigBuilder::default();
    vectors.add_named_vector_params("first", VectorParamsBuilder::new(2, Distance::Dot));
    client.create_collection(CreateCollectionBuilder::new("c").vectors_config(vectors)).await.unwrap();
    let points = (1..=3_u64).map(|id| {
        let vectors = NamedVectors::default().add_vector("first", vec![id as f32, 0.0]);
        PointStruct::new(id, vectors, payload(serde_json::json!({ "n": id })))
    });
    client.upsert_points(UpsertPointsBuilder::new("c", points.collect::<Vec<_>>()).wait(true)).await.unwrap();
}

fn dense(name: &str, size: u64) -> CreateVectorNameRequest {
    let config = DenseVectorCreationConfig { size, distance: Distance::Dot as i32, ..Default::default() };
    request(name, VectorConfig::DenseConfig(config))
}

fn sparse(name: &str) -> CreateVectorNameRequest {
    let config = SparseVectorCreationConfig { modifier: Some(Modifier::Idf as i32), datatype: None };
    request(name, VectorConfig::SparseConfig(config))
}

fn request(name: &str, config: VectorConfig) -> CreateVectorNameRequest {
    CreateVectorNameRequest {
        collection_name: "c".into(),
        wait: Some(true),
        vector_name: name.into(),
        vector_config: Some(config),
        ..Default::default()
    }
}

/// Gives the points the new vectors.
async fn give(client: &Qdrant) {
    let points = (1..=3_u64).map(|id| {
        let vectors = NamedVectors::default()
            .add_vector("second", vec![0.0, 0.0, id as f32])
            .add_vector("words", Vector::new_sparse(vec![7, 9], vec![id as f32, 1.0]));
        PointVectors { id: Some(id.into()), vectors: Some(vectors.into()) }
    });
    let request = UpdatePointVectorsBuilder::new("c", points.collect::<Vec<_>>()).wait(true);
    client.update_vectors(request).await.unwrap();
}

/// The points nearest to something by each vector, best first; none for a vector that no point has.
async fn found(client: &Qdrant) -> [Vec<u64>; 3] {
    let queries = [
        QueryPointsBuilder::new("c").query(vec![1.0, 0.0]).using("first"),
        QueryPointsBuilder::new("c").query(vec![0.0, 0.0, 1.0]).using("second"),
        QueryPointsBuilder::new("c").query(vec![(7_u32, 1.0_f32)]).using("words"),
    ];
    let mut all = Vec::new();
    for query in queries {
        let points = client.query(query).await.unwrap().result;
        let id = |id| match id {
            qdrant_client::qdrant::point_id::PointIdOptions::Num(number) => number,
            other => panic!("{other:?}"),
        };
        all.push(points.into_iter().map(|point| id(point.id.unwrap().point_id_options.unwrap())).collect());
    }
    all.try_into().unwrap()
}

#[tokio::test]
async fn vectors_are_added_beside_points() {
    let (directory, server, client) = fresh();
    named(&client).await;
    client.create_vector_name(dense("second", 3)).await.unwrap();
    client.create_vector_name(sparse("words")).await.unwrap();
    // Again, the same.
    client.create_vector_name(dense("second", 3)).await.unwrap();
    assert_eq!(found(&client).await, [vec![3, 2, 1], vec![], vec![]]);
    give(&client).await;
    let all = [vec![3, 2, 1], vec![3, 2, 1], vec![3, 2, 1]];
    assert_eq!(found(&client).await, all);

    server.kill();
    let server = Server::start(directory.path());
    let client = server.client();
    assert_eq!(found(&client).await, all);
    let info = client.collection_info("c").await.unwrap().result.unwrap();
    let params = info.config.unwrap().params.unwrap();
    assert_eq!(params.sparse_vectors_config.unwrap().map["words"].modifier, Some(Modifier::Idf as i32));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let (_directory, _server, client) = fresh();
    named(&client).await;
    for (request, said) in [
        (dense("first", 3), "there is another vector called `first`"),
        (sparse("first"), "there is another vector called `first`"),
        (dense("", 3), "a new vector needs a name"),
        (dense("big", 70_000), "it must be between 1 and 65536"),
        (CreateVectorNameRequest { vector_config: None, ..dense("x", 3) }, "a new vector needs a size"),
    ] {
        let (code, text) = refusal(client.create_vector_name(request).await);
        assert!(code == Code::InvalidArgument && text.contains(said), "{code:?} {text}");
    }
    create(&client, "unnamed").await;
    let request = CreateVectorNameRequest { collection_name: "unnamed".into(), ..dense("x", 3) };
    let (code, text) = refusal(client.create_vector_name(request).await);
    assert!(code == Code::InvalidArgument && text.contains("whose vector has no name"), "{code:?} {text}");
}

/// The states in which a kill finds the files: what is to be is written first, then the engine makes it, and last the
/// engine writes its own settings.
#[tokio::test]
async fn a_kill_amid_an_addition_is_finished_by_the_next_start() {
    let (directory, server, client) = fresh();
    named(&client).await;
    // So that all is in the engine's files, and nothing in the journal.
    assert!(server.terminate().success());
    let home = only_collection(directory.path());
    let (shard, before) = (home.join("shard"), directory.path().join("before"));
    copy(&shard, &before);
    let server = Server::start(directory.path());
    let client = server.client();
    client.create_vector_name(dense("second", 3)).await.unwrap();
    client.create_vector_name(sparse("words")).await.unwrap();
    server.kill();

    std::fs::copy(before.join("edge_config.json"), shard.join("edge_config.json")).unwrap();
    let server = Server::start(directory.path());
    let client = server.client();
    assert_eq!(found(&client).await, [vec![3, 2, 1], vec![], vec![]]);
    server.kill();

    std::fs::remove_dir_all(&shard).unwrap();
    copy(&before, &shard);
    let server = Server::start(directory.path());
    let client = server.client();
    assert_eq!(found(&client).await, [vec![3, 2, 1], vec![], vec![]]);
    give(&client).await;
    assert_eq!(found(&client).await, [vec![3, 2, 1], vec![3, 2, 1], vec![3, 2, 1]]);
}

fn only_collection(data: &Path) -> PathBuf {
    std::fs::read_dir(data.join("collections")).unwrap().next().unwrap().unwrap().path()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
