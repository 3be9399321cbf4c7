//! Points and payload indexes.

use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::points_update_operation::{DeletePoints, Operation, PointStructList};
use qdrant_client::qdrant::vectors_output::VectorsOptions;
use qdrant_client::qdrant::{
    ClearPayloadPointsBuilder, Condition, CountPointsBuilder, CreateCollectionBuilder,
    CreateFieldIndexCollectionBuilder, DeletePayloadPointsBuilder, DeletePointVectorsBuilder, DeletePointsBuilder,
    Distance, FieldType, Filter, GetPointsBuilder, IntegerIndexParamsBuilder, Modifier, MultiVectorComparator,
    MultiVectorConfigBuilder, NamedVectors, PayloadIncludeSelector, PayloadSchemaType, PointId, PointStruct,
    PointVectors, PointsIdsList, PointsUpdateOperation, RetrievedPoint, SetPayloadPointsBuilder,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, TextIndexParamsBuilder, TokenizerType,
    UpdateBatchPointsBuilder, UpdateMode, UpdatePointVectorsBuilder, UpdateStatus, UpsertPointsBuilder, Vector,
    VectorParamsBuilder, VectorsConfigBuilder, VectorsSelector, vector_output,
};
use qdrant_client::{Payload, Qdrant};
use serde_json::json;
use tonic::Code;

use crate::harness::{cities, create, fill, fresh, payload, refusal};

#[tokio::test]
async fn upsert_get_delete() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    let answer = client.upsert_points(UpsertPointsBuilder::new("c", cities()).wait(true)).await.unwrap();
    assert_eq!(answer.result.unwrap().status, UpdateStatus::Completed as i32);
    let answer = client.upsert_points(UpsertPointsBuilder::new("c", cities())).await.unwrap();
    assert_eq!(answer.result.unwrap().status, UpdateStatus::Acknowledged as i32);

    let ids = ["550e8400-e29b-41d4-a716-446655440000".into(), PointId::from(1), PointId::from(99)];
    let uuid = PointStruct::new(ids[0].clone(), vec![0.5; 4], Payload::new());
    client.upsert_points(UpsertPointsBuilder::new("c", vec![uuid])).await.unwrap();
    let found = get(&client, GetPointsBuilder::new("c", ids.to_vec())).await;
    let found: Vec<_> = found.into_iter().map(|point| point.id.unwrap()).collect();
    assert_eq!(found, ids[..2], "in the order asked for, without those that do not exist");

    let request = GetPointsBuilder::new("c", vec![1.into()]).with_payload(true).with_vectors(true);
    let point = get(&client, request).await.remove(0);
    assert_eq!(point.payload, cities()[0].payload);
    assert_eq!(dense(&point), [1.0, 1.0, 0.0, 0.0]);
    let bare = get(&client, GetPointsBuilder::new("c", vec![1.into()])).await.remove(0);
    assert!(bare.payload.is_empty() && bare.vectors.is_none());
    let include = PayloadIncludeSelector { fields: vec!["metadata.page".into()] };
    let request = GetPointsBuilder::new("c", vec![10.into()]).with_payload(include);
    assert_eq!(get(&client, request).await[0].payload, fields(json!({ "metadata": { "page": 7 } })));
    let exclude = qdrant_client::qdrant::PayloadExcludeSelector { fields: vec!["metadata.page".into(), "n".into()] };
    let request = GetPointsBuilder::new("c", vec![10.into()]).with_payload(exclude);
    assert_eq!(get(&client, request).await[0].payload, fields(json!({ "metadata": { "source": "web" } })));

    // An upsert replaces the whole point.
    let point = PointStruct::new(1, vec![9.0; 4], payload(json!({ "new": 1 })));
    client.upsert_points(UpsertPointsBuilder::new("c", vec![point]).wait(true)).await.unwrap();
    let request = GetPointsBuilder::new("c", vec![1.into()]).with_payload(true).with_vectors(true);
    let point = get(&client, request).await.remove(0);
    assert_eq!((point.payload.clone(), dense(&point)), (fields(json!({ "new": 1 })), vec![9.0; 4]));

    let gone = PointsIdsList { ids: vec![1.into(), 2.into(), 99.into()] };
    client.delete_points(DeletePointsBuilder::new("c").points(gone).wait(true)).await.unwrap();
    assert_eq!(count(&client, "c", None).await, 9);
    let dear =
        Filter::must([Condition::range("n", qdrant_client::qdrant::Range { gt: Some(8.0), ..Default::default() })]);
    assert_eq!(count(&client, "c", Some(dear.clone())).await, 2);
    client.delete_points(DeletePointsBuilder::new("c").points(dear.clone()).wait(true)).await.unwrap();
    assert_eq!(count(&client, "c", Some(dear)).await, 0);
    assert_eq!(count(&client, "c", None).await, 7);
    assert_eq!(client.collection_info("c").await.unwrap().result.unwrap().points_count, Some(7));
}

#[tokio::test]
async fn what_does_not_fit_changes_nothing() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    let good = || PointStruct::new(1, vec![1.0; 4], Payload::new());
    let named = |name: &str, size: usize| {
        PointStruct::new(2, NamedVectors::default().add_vector(name, vec![1.0; size]), Payload::new())
    };
    let no_id = PointStruct { id: None, ..good() };
    let no_vector = PointStruct { vectors: None, ..good() };
    let nan = PointStruct::new(2, vec![f32::NAN; 4], Payload::new());
    let sparse = PointStruct::new(2, Vector::new_sparse(vec![1], vec![1.0]), Payload::new());
    let infinite = PointStruct::new(
        2,
        vec![1.0; 4],
        Payload::from(std::collections::HashMap::from([("x".to_owned(), f64::INFINITY.into())])),
    );
    let bad_uuid = PointStruct::new("no-uuid", vec![1.0; 4], Payload::new());
    let document = qdrant_client::qdrant::Document::new("text", "model");
    let cases = [
        (
            "short",
            PointStruct::new(2, vec![1.0; 3], Payload::new()),
            "Wrong input: Vector dimension error: expected dim: 4, got 3",
        ),
        ("long", PointStruct::new(2, vec![1.0; 5], Payload::new()), "expected dim: 4, got 5"),
        ("named", named("other", 4), "Not existing vector name error: other"),
        ("no id", no_id, "no id"),
        ("no vector", no_vector, "Expected some vectors"),
        ("not a number", nan, "not a finite number"),
        ("sparse", sparse, "Conversion between sparse and regular vectors failed"),
        ("infinite payload", infinite, "not finite"),
        ("uuid", bad_uuid, "Unable to parse UUID: no-uuid"),
    ];
    for (case, point, expected) in cases {
        let upsert = UpsertPointsBuilder::new("c", vec![good(), point]).wait(true);
        let (code, message) = refusal(client.upsert_points(upsert).await);
        assert_eq!(code, Code::InvalidArgument, "{case}: {message}");
        assert!(message.contains(expected), "{case}: {message}");
    }
    let text = PointStruct::new(2, document, Payload::new());
    let (code, message) = refusal(client.upsert_points(UpsertPointsBuilder::new("c", vec![text])).await);
    assert_eq!(code, Code::Unimplemented);
    assert!(message.starts_with("not implemented by the embedded server"), "{message}");
    for request in [
        UpsertPointsBuilder::new("c", vec![good()]).update_mode(UpdateMode::InsertOnly),
        UpsertPointsBuilder::new("c", vec![good()]).update_filter(Filter::default()),
        UpsertPointsBuilder::new("c", vec![good()])
            .shard_key_selector(qdrant_client::qdrant::ShardKeySelectorBuilder::with_shard_key("a".to_owned())),
    ] {
        assert_eq!(refusal(client.upsert_points(request).await).0, Code::Unimplemented);
    }
    assert_eq!(count(&client, "c", None).await, 0, "a refused request leaves nothing");
}

#[tokio::test]
async fn payloads_change() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let seven = || PointsIdsList { ids: vec![7.into()] };
    let of_seven = || async {
        get(&client, GetPointsBuilder::new("c", vec![7.into()]).with_payload(true)).await.remove(0).payload
    };
    let set = |json| SetPayloadPointsBuilder::new("c", payload(json)).points_selector(seven()).wait(true);

    client.set_payload(set(json!({ "a": { "b": 1 } }))).await.unwrap();
    assert_eq!(of_seven().await, fields(json!({ "n": 7, "a": { "b": 1 } })));
    client.set_payload(set(json!({ "c": 2 })).key("a")).await.unwrap();
    assert_eq!(of_seven().await, fields(json!({ "n": 7, "a": { "b": 1, "c": 2 } })));
    let delete = DeletePayloadPointsBuilder::new("c", vec!["a.b".into(), "n".into()]).points_selector(seven());
    client.delete_payload(delete.wait(true)).await.unwrap();
    assert_eq!(of_seven().await, fields(json!({ "a": { "c": 2 } })));
    client.overwrite_payload(set(json!({ "only": true }))).await.unwrap();
    assert_eq!(of_seven().await, fields(json!({ "only": true })));
    client.clear_payload(ClearPayloadPointsBuilder::new("c").points(seven()).wait(true)).await.unwrap();
    assert_eq!(of_seven().await, fields(json!({})));

    let berlin = Filter::must([Condition::matches("city", "Berlin".to_owned())]);
    let by_filter = SetPayloadPointsBuilder::new("c", payload(json!({ "capital": true }))).points_selector(berlin);
    client.set_payload(by_filter.wait(true)).await.unwrap();
    let capitals = Filter::must([Condition::matches("capital", true)]);
    assert_eq!(count(&client, "c", Some(capitals)).await, 2);

    let missing = SetPayloadPointsBuilder::new("c", payload(json!({ "a": 1 })))
        .points_selector(PointsIdsList { ids: vec![99.into()] });
    let (code, message) = refusal(client.set_payload(missing.wait(true)).await);
    assert_eq!((code, message.as_str()), (Code::NotFound, "Not found: No point with id 99 found"));
    assert_eq!(refusal(client.set_payload(set(json!({ "a": 1 })).key("a..b")).await).0, Code::InvalidArgument);
    assert_eq!(refusal(client.overwrite_payload(set(json!({ "a": 1 })).key("a")).await).0, Code::Unimplemented);
}

#[tokio::test]
async fn named_multi_and_sparse_vectors() {
    let (_directory, _server, client) = fresh();
    let mut named = VectorsConfigBuilder::default();
    named.add_named_vector_params("dense", VectorParamsBuilder::new(2, Distance::Euclid));
    named.add_named_vector_params(
        "many",
        VectorParamsBuilder::new(2, Distance::Dot)
            .multivector_config(MultiVectorConfigBuilder::new(MultiVectorComparator::MaxSim)),
    );
    let mut sparse = SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params("words", SparseVectorParamsBuilder::default().modifier(Modifier::None));
    let create = CreateCollectionBuilder::new("c").vectors_config(named).sparse_vectors_config(sparse);
    client.create_collection(create).await.unwrap();
    let vectors = NamedVectors::default()
        .add_vector("dense", vec![3.0, 4.0])
        .add_vector("many", Vector::new_multi(vec![vec![1.0, 0.0], vec![0.0, 1.0]]))
        .add_vector("words", Vector::new_sparse(vec![9, 3], vec![1.0, 2.0]));
    let points = vec![PointStruct::new(1, vectors, Payload::new())];
    client.upsert_points(UpsertPointsBuilder::new("c", points).wait(true)).await.unwrap();

    let vectors = named_vectors(&client, &["dense", "many", "words"]).await;
    assert_eq!(vectors["dense"], "Dense([3.0, 4.0])");
    assert_eq!(vectors["many"], "Multi([[1.0, 0.0], [0.0, 1.0]])");
    assert_eq!(vectors["words"], "Sparse([3, 9], [2.0, 1.0])");
    assert_eq!(named_vectors(&client, &["words"]).await.len(), 1);
    let unknown =
        GetPointsBuilder::new("c", vec![1.into()]).with_vectors(VectorsSelector { names: vec!["other".into()] });
    assert_eq!(refusal(client.get_points(unknown).await).0, Code::InvalidArgument);

    let point = PointVectors {
        id: Some(1.into()),
        vectors: Some(NamedVectors::default().add_vector("dense", vec![1.0, 2.0]).into()),
    };
    client.update_vectors(UpdatePointVectorsBuilder::new("c", vec![point]).wait(true)).await.unwrap();
    let delete = DeletePointVectorsBuilder::new("c")
        .points_selector(PointsIdsList { ids: vec![1.into()] })
        .vectors(VectorsSelector { names: vec!["many".into()] });
    client.delete_vectors(delete.wait(true)).await.unwrap();
    let vectors = named_vectors(&client, &["dense", "many", "words"]).await;
    assert_eq!(vectors["dense"], "Dense([1.0, 2.0])");
    assert!(!vectors.contains_key("many") && vectors.contains_key("words"));
}

#[tokio::test]
async fn a_batch_of_changes() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    let operations = vec![
        PointsUpdateOperation {
            operation: Some(Operation::Upsert(PointStructList { points: cities(), ..Default::default() })),
        },
        PointsUpdateOperation {
            operation: Some(Operation::DeletePoints(DeletePoints {
                points: Some(vec![PointId::from(1)].into()),
                shard_key_selector: None,
            })),
        },
    ];
    let answer = client.update_points_batch(UpdateBatchPointsBuilder::new("c", operations).wait(true)).await.unwrap();
    assert_eq!(answer.result.len(), 2);
    assert_eq!(count(&client, "c", None).await, 9);
}

#[tokio::test]
async fn payload_indexes() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let text = TextIndexParamsBuilder::new(TokenizerType::Word).lowercase(true).min_token_len(2).build();
    let lookup = IntegerIndexParamsBuilder::new(true, false).build();
    let wanted = [
        ("city", FieldType::Keyword, None, PayloadSchemaType::Keyword, 5),
        ("n", FieldType::Integer, Some(IndexParams::IntegerIndexParams(lookup)), PayloadSchemaType::Integer, 10),
        ("price", FieldType::Float, None, PayloadSchemaType::Float, 3),
        ("open", FieldType::Bool, None, PayloadSchemaType::Bool, 3),
        ("at", FieldType::Geo, None, PayloadSchemaType::Geo, 3),
        ("when", FieldType::Datetime, None, PayloadSchemaType::Datetime, 3),
        ("id", FieldType::Uuid, None, PayloadSchemaType::Uuid, 1),
        ("text", FieldType::Text, Some(IndexParams::TextIndexParams(text)), PayloadSchemaType::Text, 3),
        ("metadata.source", FieldType::Keyword, None, PayloadSchemaType::Keyword, 1),
    ];
    for (field, field_type, params, ..) in &wanted {
        let mut request = CreateFieldIndexCollectionBuilder::new("c", *field, *field_type).wait(true);
        if let Some(params) = params.clone() {
            request = request.field_index_params(params);
        }
        client.create_field_index(request).await.unwrap();
    }
    let schema = client.collection_info("c").await.unwrap().result.unwrap().payload_schema;
    assert_eq!(schema.len(), wanted.len());
    for (field, _, params, schema_type, points) in wanted {
        let found = &schema[field];
        assert_eq!(found.data_type, schema_type as i32, "{field}");
        assert_eq!(found.params.clone().and_then(|found| found.index_params), params, "{field}");
        assert_eq!(found.points, Some(points), "{field}");
    }

    // Another type replaces the index; making the same again changes nothing.
    for field_type in [FieldType::Keyword, FieldType::Keyword] {
        client.create_field_index(CreateFieldIndexCollectionBuilder::new("c", "text", field_type)).await.unwrap();
        let schema = client.collection_info("c").await.unwrap().result.unwrap().payload_schema;
        assert_eq!(schema["text"].data_type, PayloadSchemaType::Keyword as i32);
        assert_eq!((schema["text"].params.clone(), schema["text"].points), (None, Some(3)));
    }
    let delete = |field: &str| qdrant_client::qdrant::DeleteFieldIndexCollectionBuilder::new("c", field).wait(true);
    client.delete_field_index(delete("text")).await.unwrap();
    client.delete_field_index(delete("never_there")).await.unwrap();
    let schema = client.collection_info("c").await.unwrap().result.unwrap().payload_schema;
    assert!(!schema.contains_key("text") && schema.len() == 8);

    let bad_path = CreateFieldIndexCollectionBuilder::new("c", "a..b", FieldType::Keyword);
    assert_eq!(refusal(client.create_field_index(bad_path).await).0, Code::InvalidArgument);
    let elsewhere = CreateFieldIndexCollectionBuilder::new("missing", "a", FieldType::Keyword);
    assert_eq!(refusal(client.create_field_index(elsewhere).await).0, Code::NotFound);
}

async fn count(client: &Qdrant, name: &str, filter: Option<Filter>) -> u64 {
    let mut request = CountPointsBuilder::new(name).exact(true);
    if let Some(filter) = filter {
        request = request.filter(filter);
    }
    client.count(request).await.unwrap().result.unwrap().count
}

async fn get(client: &Qdrant, request: GetPointsBuilder) -> Vec<RetrievedPoint> {
    client.get_points(request).await.unwrap().result
}

fn fields(json: serde_json::Value) -> std::collections::HashMap<String, qdrant_client::qdrant::Value> {
    payload(json).into()
}

fn dense(point: &RetrievedPoint) -> Vec<f32> {
    match point.vectors.clone().unwrap().vectors_options.unwrap() {
        VectorsOptions::Vector(vector) => match vector.vector.unwrap() {
            vector_output::Vector::Dense(dense) => dense.data,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// The vectors of point 1 by name.
async fn named_vectors(client: &Qdrant, names: &[&str]) -> std::collections::HashMap<String, String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let point =
        get(client, GetPointsBuilder::new("c", vec![1.into()]).with_vectors(VectorsSelector { names })).await.remove(0);
    let Some(VectorsOptions::Vectors(named)) = point.vectors.unwrap().vectors_options else {
        panic!("the vectors have no names")
    };
    let text = |vector| match vector {
        vector_output::Vector::Dense(dense) => format!("Dense({:?})", dense.data),
        vector_output::Vector::Sparse(sparse) => format!("Sparse({:?}, {:?})", sparse.indices, sparse.values),
        vector_output::Vector::MultiDense(several) => {
            format!("Multi({:?})", several.vectors.into_iter().map(|vector| vector.data).collect::<Vec<_>>())
        }
    };
    named.vectors.into_iter().map(|(name, vector)| (name, text(vector.vector.unwrap()))).collect()
}
