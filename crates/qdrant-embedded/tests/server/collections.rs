//! Collections and aliases.

#![expect(deprecated, reason = "Qdrant 1.20 deprecates `on_disk` for `memory`, which Qdrant 1.18 does not know")]

use qdrant_client::qdrant::quantization_config::Quantization;
use qdrant_client::qdrant::vectors_config::Config;
use qdrant_client::qdrant::{
    CollectionStatus, CountPointsBuilder, CreateAliasBuilder, CreateCollection, CreateCollectionBuilder, Datatype,
    Distance, HnswConfigDiff, HnswConfigDiffBuilder, Modifier, MultiVectorComparator, MultiVectorConfigBuilder,
    OptimizersConfigDiff, OptimizersConfigDiffBuilder, QuantizationConfigDiff, RenameAliasBuilder,
    ScalarQuantizationBuilder, ShardingMethod, SparseVectorParamsBuilder, SparseVectorsConfigBuilder, StrictModeConfig,
    UpdateCollectionBuilder, Value, VectorParams, VectorParamsBuilder, VectorParamsMap, VectorsConfigBuilder,
    WalConfigDiff, quantization_config_diff,
};
use tonic::Code;

use crate::harness::{Server, create, fill, fresh, refusal};

#[tokio::test]
async fn create_exists_list_get_delete() {
    let (_directory, _server, client) = fresh();
    for name in ["b", "a", "with spaces and ümläuts"] {
        assert!(!client.collection_exists(name).await.unwrap(), "{name}");
        create(&client, name).await;
        assert!(client.collection_exists(name).await.unwrap(), "{name}");
    }
    let names: Vec<String> =
        client.list_collections().await.unwrap().collections.into_iter().map(|collection| collection.name).collect();
    assert_eq!(names, ["a", "b", "with spaces and ümläuts"]);

    let again = CreateCollectionBuilder::new("a").vectors_config(VectorParamsBuilder::new(4, Distance::Dot));
    let (code, message) = refusal(client.create_collection(again).await);
    assert_eq!((code, message.as_str()), (Code::AlreadyExists, "Wrong input: Collection `a` already exists!"));

    assert!(client.delete_collection("a").await.unwrap().result);
    assert!(!client.delete_collection("a").await.unwrap().result);
    assert!(!client.collection_exists("a").await.unwrap());
    let (code, message) = refusal(client.collection_info("a").await);
    assert_eq!((code, message.as_str()), (Code::NotFound, "Not found: Collection `a` doesn't exist!"));
    let (code, message) = refusal(client.count(CountPointsBuilder::new("a")).await);
    assert_eq!((code, message.as_str()), (Code::NotFound, "Not found: Collection `a` doesn't exist!"));

    // The name is free again, and nothing of the first collection is left.
    create(&client, "a").await;
    fill(&client, "a").await;
    client.delete_collection("a").await.unwrap();
    create(&client, "a").await;
    assert_eq!(client.collection_info("a").await.unwrap().result.unwrap().points_count, Some(0));
}

#[tokio::test]
async fn nonsense_is_refused() {
    let (_directory, _server, client) = fresh();
    let vectors = |size, distance: Distance| VectorParamsBuilder::new(size, distance);
    let good = || CreateCollectionBuilder::new("x").vectors_config(vectors(4, Distance::Dot));
    let strict = StrictModeConfig { enabled: Some(true), ..Default::default() };
    let mut twice = SparseVectorsConfigBuilder::default();
    twice.add_named_vector_params("", SparseVectorParamsBuilder::default());
    let long = "x".repeat(256);
    let mut no_replica: CreateCollection = good().into();
    no_replica.replication_factor = Some(0);
    let cases: Vec<(&str, CreateCollection, Code)> = vec![
        (
            "size 0",
            CreateCollectionBuilder::new("x").vectors_config(vectors(0, Distance::Dot)).into(),
            Code::InvalidArgument,
        ),
        (
            "size",
            CreateCollectionBuilder::new("x").vectors_config(vectors(1 << 40, Distance::Dot)).into(),
            Code::InvalidArgument,
        ),
        (
            "distance",
            CreateCollectionBuilder::new("x").vectors_config(vectors(4, Distance::UnknownDistance)).into(),
            Code::InvalidArgument,
        ),
        (
            "turbo",
            CreateCollectionBuilder::new("x")
                .vectors_config(vectors(4, Distance::Dot).datatype(Datatype::Turbo4))
                .into(),
            Code::Unimplemented,
        ),
        ("two of a name", good().sparse_vectors_config(twice).into(), Code::InvalidArgument),
        ("sharding", good().sharding_method(ShardingMethod::Custom.into()).into(), Code::Unimplemented),
        ("strict mode", good().strict_mode_config(strict).into(), Code::Unimplemented),
        ("replicas", no_replica, Code::InvalidArgument),
        ("empty name", CreateCollectionBuilder::new("").into(), Code::InvalidArgument),
        ("path", CreateCollectionBuilder::new("../x").into(), Code::InvalidArgument),
        ("long name", CreateCollectionBuilder::new(long).into(), Code::InvalidArgument),
    ];
    for (case, request, expected) in cases {
        let (code, message) = refusal(client.create_collection(request).await);
        assert_eq!(code, expected, "{case}: {message}");
        if code == Code::Unimplemented {
            assert!(message.starts_with("not implemented by the embedded server"), "{case}: {message}");
        }
    }
    assert!(client.list_collections().await.unwrap().collections.is_empty());
}

#[tokio::test]
async fn the_configuration_comes_back_as_it_was_given() {
    let (directory, server, client) = fresh();
    let mut named = VectorsConfigBuilder::default();
    named.add_named_vector_params(
        "text",
        VectorParamsBuilder::new(384, Distance::Cosine)
            .on_disk(true)
            .hnsw_config(HnswConfigDiffBuilder::default().m(32))
            .quantization_config(ScalarQuantizationBuilder::default().quantile(0.5)),
    );
    named.add_named_vector_params(
        "late",
        VectorParamsBuilder::new(8, Distance::Dot)
            .datatype(Datatype::Float16)
            .multivector_config(MultiVectorConfigBuilder::new(MultiVectorComparator::MaxSim)),
    );
    let mut sparse = SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params("words", SparseVectorParamsBuilder::default().modifier(Modifier::Idf));
    let mut request: CreateCollection = CreateCollectionBuilder::new("c")
        .vectors_config(named)
        .sparse_vectors_config(sparse)
        .hnsw_config(HnswConfigDiffBuilder::default().ef_construct(200).payload_m(8))
        .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(1).memmap_threshold(2))
        .quantization_config(ScalarQuantizationBuilder::default().always_ram(true))
        .shard_number(2)
        .replication_factor(3)
        .write_consistency_factor(2)
        .on_disk_payload(false)
        .into();
    request.wal_config = Some(WalConfigDiff { wal_capacity_mb: Some(1), ..Default::default() });
    request.metadata.insert("owner".into(), Value::from("dbops"));
    client.create_collection(request.clone()).await.unwrap();

    server.kill();
    let server = Server::start(directory.path());
    let client = server.client();
    let info = client.collection_info("c").await.unwrap().result.unwrap();
    assert_eq!(info.status, CollectionStatus::Green as i32);
    assert!(info.optimizer_status.unwrap().ok);
    let config = info.config.unwrap();
    let params = config.params.unwrap();
    assert_eq!(params.vectors_config, request.vectors_config);
    assert_eq!(params.sparse_vectors_config, request.sparse_vectors_config);
    assert_eq!(params.shard_number, 2);
    assert_eq!(params.replication_factor, Some(3));
    assert_eq!(params.write_consistency_factor, Some(2));
    assert!(!params.on_disk_payload);
    assert_eq!(config.quantization_config, request.quantization_config);
    assert_eq!(config.metadata, request.metadata);
    let hnsw = HnswConfigDiff {
        m: Some(16),
        ef_construct: Some(200),
        full_scan_threshold: Some(10_000),
        max_indexing_threads: Some(0),
        on_disk: Some(false),
        payload_m: Some(8),
        ..Default::default()
    };
    assert_eq!(config.hnsw_config, Some(hnsw));
    let optimizers = OptimizersConfigDiff {
        deleted_threshold: Some(0.2),
        vacuum_min_vector_number: Some(1000),
        default_segment_number: Some(0),
        memmap_threshold: Some(2),
        indexing_threshold: Some(1),
        flush_interval_sec: Some(5),
        ..Default::default()
    };
    assert_eq!(config.optimizer_config, Some(optimizers));
    let wal = WalConfigDiff { wal_capacity_mb: Some(1), wal_segments_ahead: Some(0), wal_retain_closed: Some(1) };
    assert_eq!(config.wal_config, Some(wal));
}

#[tokio::test]
async fn an_update_changes_what_it_mentions() {
    let (directory, server, client) = fresh();
    let vectors = VectorParamsBuilder::new(4, Distance::Dot).quantization_config(ScalarQuantizationBuilder::default());
    let create = CreateCollectionBuilder::new("c")
        .vectors_config(vectors)
        .quantization_config(ScalarQuantizationBuilder::default().quantile(0.9));
    client.create_collection(create).await.unwrap();

    let disabled = QuantizationConfigDiff {
        quantization: Some(quantization_config_diff::Quantization::Disabled(Default::default())),
    };
    let mut diff = qdrant_client::qdrant::VectorParamsDiff {
        on_disk: Some(true),
        hnsw_config: Some(HnswConfigDiffBuilder::default().m(4).build()),
        ..Default::default()
    };
    diff.quantization_config = Some(disabled);
    let update = UpdateCollectionBuilder::new("c")
        .hnsw_config(HnswConfigDiffBuilder::default().m(64))
        .optimizers_config(OptimizersConfigDiffBuilder::default().indexing_threshold(5))
        .vectors_config(qdrant_client::qdrant::vectors_config_diff::Config::Params(diff));
    client.update_collection(update).await.unwrap();

    server.kill();
    let server = Server::start(directory.path());
    let config = server.client().collection_info("c").await.unwrap().result.unwrap().config.unwrap();
    let hnsw = config.hnsw_config.unwrap();
    assert_eq!((hnsw.m, hnsw.ef_construct), (Some(64), Some(100)));
    let optimizers = config.optimizer_config.unwrap();
    assert_eq!((optimizers.indexing_threshold, optimizers.flush_interval_sec), (Some(5), Some(5)));
    let Some(Quantization::Scalar(scalar)) = config.quantization_config.unwrap().quantization else {
        panic!("the collection's quantization is gone")
    };
    assert_eq!(scalar.quantile, Some(0.9));
    let Some(Config::Params(VectorParams { size, on_disk, hnsw_config, quantization_config, .. })) =
        config.params.unwrap().vectors_config.unwrap().config
    else {
        panic!("the vector is gone")
    };
    assert_eq!((size, on_disk, quantization_config), (4, Some(true), None));
    assert_eq!(hnsw_config.unwrap().m, Some(4));

    let client = server.client();
    let missing = UpdateCollectionBuilder::new("missing").hnsw_config(HnswConfigDiffBuilder::default().m(1));
    assert_eq!(refusal(client.update_collection(missing).await).0, Code::NotFound);
    let params = qdrant_client::qdrant::VectorParamsDiffMap { map: [("other".to_owned(), Default::default())].into() };
    let unknown = UpdateCollectionBuilder::new("c")
        .vectors_config(qdrant_client::qdrant::vectors_config_diff::Config::ParamsMap(params));
    assert_eq!(refusal(client.update_collection(unknown).await).0, Code::InvalidArgument);
}

#[tokio::test]
async fn a_collection_without_vectors_takes_points_without() {
    let (_directory, _server, client) = fresh();
    let none = Config::ParamsMap(VectorParamsMap::default());
    client.create_collection(CreateCollectionBuilder::new("c").vectors_config(none)).await.unwrap();
    let empty: std::collections::HashMap<String, Vec<f32>> = Default::default();
    let point = qdrant_client::qdrant::PointStruct::new(1, empty, qdrant_client::Payload::new());
    let upsert = qdrant_client::qdrant::UpsertPointsBuilder::new("c", vec![point]).wait(true);
    client.upsert_points(upsert).await.unwrap();
    assert_eq!(client.count(CountPointsBuilder::new("c")).await.unwrap().result.unwrap().count, 1);
}

#[tokio::test]
async fn aliases_lead_to_collections() {
    let (directory, server, client) = fresh();
    create(&client, "one").await;
    create(&client, "two").await;
    fill(&client, "one").await;
    client.create_alias(CreateAliasBuilder::new("one", "current")).await.unwrap();
    assert_eq!(count(&client, "current").await, 10);
    assert!(client.collection_exists("current").await.unwrap());
    assert!(client.collection_info("current").await.is_ok());

    let cases = [
        (
            "the name of a collection",
            refusal(client.create_alias(CreateAliasBuilder::new("one", "two")).await),
            Code::AlreadyExists,
        ),
        ("to nothing", refusal(client.create_alias(CreateAliasBuilder::new("three", "x")).await), Code::NotFound),
        ("to an alias", refusal(client.create_alias(CreateAliasBuilder::new("current", "x")).await), Code::NotFound),
        (
            "rename to a collection",
            refusal(client.rename_alias(RenameAliasBuilder::new("current", "two")).await),
            Code::AlreadyExists,
        ),
        ("rename nothing", refusal(client.rename_alias(RenameAliasBuilder::new("x", "y")).await), Code::NotFound),
        (
            "a collection of an alias's name",
            refusal(client.create_collection(CreateCollectionBuilder::new("current")).await),
            Code::InvalidArgument,
        ),
    ];
    for (case, (code, message), expected) in cases {
        assert_eq!(code, expected, "{case}: {message}");
    }
    assert_eq!(aliases(&client).await, [("current".to_owned(), "one".to_owned())]);

    // An alias is not enough to delete a collection.
    assert!(!client.delete_collection("current").await.unwrap().result);
    assert!(client.collection_exists("one").await.unwrap());

    // An alias may move: the last word counts.
    client.create_alias(CreateAliasBuilder::new("two", "current")).await.unwrap();
    assert_eq!(count(&client, "current").await, 0);
    client.rename_alias(RenameAliasBuilder::new("current", "renamed")).await.unwrap();
    client.create_alias(CreateAliasBuilder::new("one", "other")).await.unwrap();

    server.kill();
    let server = Server::start(directory.path());
    let client = server.client();
    let expected = [("other".to_owned(), "one".to_owned()), ("renamed".to_owned(), "two".to_owned())];
    assert_eq!(aliases(&client).await, expected);
    let of_two = client.list_collection_aliases("two").await.unwrap().aliases;
    assert_eq!(of_two.len(), 1);
    assert_eq!(of_two[0].alias_name, "renamed");

    client.delete_alias("other").await.unwrap();
    client.delete_alias("never there").await.unwrap();
    client.delete_collection("two").await.unwrap();
    assert_eq!(aliases(&client).await, []);
    create(&client, "renamed").await;
}

#[tokio::test]
async fn alias_actions_happen_together_or_not_at_all() {
    use qdrant_client::qdrant::alias_operations::Action;
    use qdrant_client::qdrant::collections_client::CollectionsClient;
    use qdrant_client::qdrant::{AliasOperations, ChangeAliases, CreateAlias, DeleteAlias};

    let (_directory, server, client) = fresh();
    create(&client, "blue").await;
    create(&client, "green").await;
    client.create_alias(CreateAliasBuilder::new("blue", "live")).await.unwrap();
    let channel = tonic::transport::Endpoint::new(format!("http://{}", server.grpc)).unwrap().connect().await.unwrap();
    let mut raw = CollectionsClient::new(channel);

    let delete = |alias: &str| Action::DeleteAlias(DeleteAlias { alias_name: alias.into() });
    let make = |collection: &str, alias: &str| {
        Action::CreateAlias(CreateAlias { collection_name: collection.into(), alias_name: alias.into() })
    };
    let request = |actions: Vec<Action>| ChangeAliases {
        actions: actions.into_iter().map(|action| AliasOperations { action: Some(action) }).collect(),
        timeout: None,
    };
    raw.update_aliases(request(vec![delete("live"), make("missing", "live")])).await.unwrap_err();
    assert_eq!(aliases(&client).await, [("live".to_owned(), "blue".to_owned())]);
    raw.update_aliases(request(vec![delete("live"), make("green", "live"), make("blue", "previous")])).await.unwrap();
    let expected = [("live".to_owned(), "green".to_owned()), ("previous".to_owned(), "blue".to_owned())];
    assert_eq!(aliases(&client).await, expected);
}

async fn count(client: &qdrant_client::Qdrant, name: &str) -> u64 {
    client.count(CountPointsBuilder::new(name)).await.unwrap().result.unwrap().count
}

async fn aliases(client: &qdrant_client::Qdrant) -> Vec<(String, String)> {
    let aliases = client.list_aliases().await.unwrap().aliases;
    aliases.into_iter().map(|alias| (alias.alias_name, alias.collection_name)).collect()
}
