//! Pages and queries.

use qdrant_client::Payload;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::{
    Condition, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Direction, Distance, FieldType, Filter,
    Fusion, LookupLocationBuilder, Mmr, Modifier, NamedVectors, OrderByBuilder, PointId, PointStruct,
    PrefetchQueryBuilder, Query, QueryBatchPointsBuilder, QueryPointsBuilder, RecommendInputBuilder, Sample,
    ScoredPoint, ScrollPointsBuilder, SearchBatchPointsBuilder, SearchParamsBuilder, SearchPointsBuilder,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, UpsertPointsBuilder, Vector, VectorInput,
    VectorParamsBuilder, VectorsConfigBuilder, start_from,
};
use tonic::Code;

use crate::harness::{create, fill, fresh, refusal};

#[tokio::test]
async fn pages() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let mut offset: Option<PointId> = None;
    let mut pages = Vec::new();
    loop {
        let mut request = ScrollPointsBuilder::new("c").limit(4);
        if let Some(offset) = offset.take() {
            request = request.offset(offset);
        }
        let page = client.scroll(request).await.unwrap();
        assert!(page.result.iter().all(|point| !point.payload.is_empty() && point.vectors.is_none()));
        pages.push(page.result.into_iter().map(|point| number(point.id)).collect::<Vec<_>>());
        match page.next_page_offset {
            Some(next) => offset = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, [vec![1, 2, 3, 4], vec![5, 6, 7, 8], vec![9, 10]]);

    let ordered = |direction: Direction, from: Option<f64>| {
        let mut order = OrderByBuilder::new("n").direction(direction.into());
        if let Some(from) = from {
            order = order.start_from(start_from::Value::Float(from));
        }
        ScrollPointsBuilder::new("c").limit(3).order_by(order)
    };
    let (code, message) = refusal(client.scroll(ordered(Direction::Asc, None)).await);
    assert_eq!(code, Code::InvalidArgument);
    assert!(message.contains("No range index for `order_by` key: `n`"), "{message}");
    client.create_field_index(CreateFieldIndexCollectionBuilder::new("c", "n", FieldType::Integer)).await.unwrap();
    for (direction, from, expected) in [
        (Direction::Asc, None, [1, 2, 3]),
        (Direction::Desc, None, [10, 9, 8]),
        (Direction::Asc, Some(4.0), [4, 5, 6]),
        (Direction::Desc, Some(4.0), [4, 3, 2]),
    ] {
        let page = client.scroll(ordered(direction, from)).await.unwrap();
        let found: Vec<_> = page.result.into_iter().map(|point| number(point.id)).collect();
        assert_eq!(found, expected, "{direction:?} from {from:?}");
    }
    let with_offset = ordered(Direction::Asc, None).offset(PointId::from(3));
    assert_eq!(refusal(client.scroll(with_offset).await).0, Code::InvalidArgument);
    assert_eq!(refusal(client.scroll(ScrollPointsBuilder::new("c").limit(0)).await).0, Code::InvalidArgument);
    let all = client.scroll(ScrollPointsBuilder::new("c").limit(u32::MAX)).await.unwrap();
    assert_eq!(all.result.len(), 10);
}

#[tokio::test]
async fn nearest() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    // The score of point n is n.
    let along = || QueryPointsBuilder::new("c").query(vec![1.0, 0.0, 0.0, 0.0]);
    let berlin = Filter::must([Condition::matches("city", "Berlin".to_owned())]);
    let cases = [
        ("ten by default", along(), vec![10, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("limit", along().limit(3), vec![10, 9, 8]),
        ("offset", along().limit(3).offset(2), vec![8, 7, 6]),
        ("offset over the end", along().limit(3).offset(9), vec![1]),
        ("offset beyond", along().limit(3).offset(50), vec![]),
        ("huge", along().limit(u64::MAX).offset(8), vec![2, 1]),
        ("huge offset", along().limit(u64::MAX).offset(u64::MAX), vec![]),
        ("threshold", along().score_threshold(8.5), vec![10, 9]),
        ("filter", along().filter(berlin.clone()), vec![4, 1]),
        ("exact", along().limit(1).params(SearchParamsBuilder::default().exact(true).hnsw_ef(1)), vec![10]),
        ("by id, which is left out", QueryPointsBuilder::new("c").query(PointId::from(10)).limit(2), vec![9, 8]),
        ("by id, filtered", QueryPointsBuilder::new("c").query(PointId::from(4)).filter(berlin), vec![1]),
        ("no query", QueryPointsBuilder::new("c").limit(2), vec![1, 2]),
        (
            "diverse",
            QueryPointsBuilder::new("c")
                .query(Query::new_nearest_with_mmr(
                    vec![1.0, 0.0, 0.0, 0.0],
                    Mmr { diversity: Some(0.0), candidates_limit: None },
                ))
                .limit(2),
            vec![10, 9],
        ),
        (
            "prefetch",
            QueryPointsBuilder::new("c")
                .add_prefetch(PrefetchQueryBuilder::default().query(vec![-1.0, 0.0, 0.0, 0.0]).limit(3u64))
                .query(vec![1.0, 0.0, 0.0, 0.0]),
            vec![3, 2, 1],
        ),
    ];
    for (case, request, expected) in cases {
        let found = query(&client, request).await;
        assert_eq!(numbers(&found), expected, "{case}");
    }
    let hits = query(&client, along().limit(1).with_payload(true).with_vectors(true)).await;
    assert_eq!(hits[0].score, 10.0);
    assert!(hits[0].payload.contains_key("n") && hits[0].vectors.is_some());
    let bare = query(&client, along().limit(1)).await;
    assert!(bare[0].payload.is_empty() && bare[0].vectors.is_none());

    let fused = QueryPointsBuilder::new("c")
        .add_prefetch(PrefetchQueryBuilder::default().query(vec![1.0, 0.0, 0.0, 0.0]).limit(3u64))
        .add_prefetch(PrefetchQueryBuilder::default().query(PointId::from(10)).limit(3u64))
        .query(Query::new_fusion(Fusion::Rrf))
        .limit(2);
    assert_eq!(numbers(&query(&client, fused).await), [9, 8]);
    let sample = QueryPointsBuilder::new("c").query(Query::new_sample(Sample::Random)).limit(4);
    assert_eq!(query(&client, sample).await.len(), 4);

    let batch = QueryBatchPointsBuilder::new("c", vec![along().limit(1).build(), along().limit(2).build()]);
    let sizes: Vec<_> = client.query_batch(batch).await.unwrap().result.iter().map(|one| one.result.len()).collect();
    assert_eq!(sizes, [1, 2]);
}

#[tokio::test]
async fn the_older_search() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let search = |limit| SearchPointsBuilder::new("c", vec![1.0, 0.0, 0.0, 0.0], limit);
    let found = client.search_points(search(2).offset(1).with_payload(true)).await.unwrap().result;
    assert_eq!(numbers(&found), [9, 8]);
    assert!(!found[0].payload.is_empty());
    let batch = SearchBatchPointsBuilder::new("c", vec![search(1).build(), search(2).build()]);
    let results = client.search_batch_points(batch).await.unwrap().result;
    assert_eq!(numbers(&results[1].result), [10, 9]);
    assert_eq!(refusal(client.search_points(search(0)).await).0, Code::InvalidArgument);
    let short = SearchPointsBuilder::new("c", vec![1.0], 1);
    let (code, message) = refusal(client.search_points(short).await);
    assert_eq!(code, Code::InvalidArgument);
    assert!(message.contains("Vector dimension error: expected dim: 4, got 1"), "{message}");
}

#[tokio::test]
async fn by_the_name_of_the_vector() {
    let (_directory, _server, client) = fresh();
    let mut named = VectorsConfigBuilder::default();
    named.add_named_vector_params("a", VectorParamsBuilder::new(2, Distance::Cosine));
    named.add_named_vector_params("b", VectorParamsBuilder::new(3, Distance::Euclid));
    let mut sparse = SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params("words", SparseVectorParamsBuilder::default().modifier(Modifier::Idf));
    let create = CreateCollectionBuilder::new("c").vectors_config(named).sparse_vectors_config(sparse);
    client.create_collection(create).await.unwrap();
    let point = |id: u64, a: [f32; 2], b: [f32; 3], words: &[u32]| {
        let vectors = NamedVectors::default()
            .add_vector("a", a.to_vec())
            .add_vector("b", b.to_vec())
            .add_vector("words", Vector::new_sparse(words.to_vec(), vec![1.0; words.len()]));
        PointStruct::new(id, vectors, Payload::new())
    };
    let points = vec![
        point(1, [1.0, 0.0], [9.0, 9.0, 9.0], &[1, 2]),
        point(2, [1.0, 1.0], [0.0, 0.0, 1.0], &[2, 3]),
        point(3, [0.0, 2.0], [5.0, 5.0, 5.0], &[2]),
    ];
    client.upsert_points(UpsertPointsBuilder::new("c", points).wait(true)).await.unwrap();
    let by =
        |name: &str, vector: VectorInput| QueryPointsBuilder::new("c").query(Query::new_nearest(vector)).using(name);

    let found = query(&client, by("a", vec![0.0, 5.0].into())).await;
    assert_eq!(numbers(&found), [3, 2, 1]);
    assert!((found[0].score - 1.0).abs() < 1e-6, "{}", found[0].score);
    let found = query(&client, by("b", vec![0.0, 0.0, 0.0].into()).score_threshold(9.0)).await;
    assert_eq!(numbers(&found), [2, 3]);
    let words = VectorInput::new_sparse(vec![3, 2], vec![1.0, 1.0]);
    let found = query(&client, by("words", words)).await;
    assert_eq!(number(found[0].id.clone()), 2, "the rare word weighs more");

    let (code, message) = refusal(client.query(by("other", vec![0.0].into())).await);
    assert_eq!(code, Code::InvalidArgument);
    assert!(message.contains("Not existing vector name error: other"), "{message}");
    assert_eq!(refusal(client.query(by("", vec![0.0].into())).await).0, Code::InvalidArgument);
    assert_eq!(refusal(client.query(by("words", vec![0.0].into())).await).0, Code::InvalidArgument);
}

#[tokio::test]
async fn what_it_cannot_do_it_says() {
    let (_directory, _server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let base = || QueryPointsBuilder::new("c").query(vec![1.0; 4]);
    let recommend = RecommendInputBuilder::default().add_positive(PointId::from(1)).build();
    let key = qdrant_client::qdrant::ShardKeySelectorBuilder::with_shard_key("a".to_owned());
    let cases = [
        ("recommend", QueryPointsBuilder::new("c").query(Query::new_recommend(recommend)), Code::Unimplemented),
        ("lookup", base().lookup_from(LookupLocationBuilder::new("other")), Code::Unimplemented),
        ("shard key", base().shard_key_selector(key), Code::Unimplemented),
        ("limit", base().limit(0), Code::InvalidArgument),
        ("size", QueryPointsBuilder::new("c").query(vec![1.0; 3]), Code::InvalidArgument),
        ("not a number", QueryPointsBuilder::new("c").query(vec![f32::NAN; 4]), Code::InvalidArgument),
        ("missing point", QueryPointsBuilder::new("c").query(PointId::from(99)), Code::NotFound),
        (
            "fusion of nothing",
            QueryPointsBuilder::new("c").query(Query::new_fusion(Fusion::Rrf)),
            Code::InvalidArgument,
        ),
        ("missing collection", QueryPointsBuilder::new("d").query(vec![1.0; 4]), Code::NotFound),
    ];
    for (case, request, expected) in cases {
        let (code, message) = refusal(client.query(request).await);
        assert_eq!(code, expected, "{case}: {message}");
        if code == Code::Unimplemented {
            assert!(message.starts_with("not implemented by the embedded server"), "{case}: {message}");
        }
    }
    let unimplemented = "not implemented by the embedded server".to_owned();
    assert_eq!(refusal(client.create_full_snapshot().await), (Code::Unimplemented, unimplemented));
}

/// Requests that are odd, or hostile: whatever the answer, the engine does not fail on them.
#[tokio::test]
async fn odd_requests_leave_the_server_well() {
    let (_directory, _server, client) = fresh();
    create(&client, "empty").await;
    create(&client, "c").await;
    fill(&client, "c").await;
    for (field, field_type) in [("n", FieldType::Integer), ("text", FieldType::Text), ("city", FieldType::Keyword)] {
        client.create_field_index(CreateFieldIndexCollectionBuilder::new("c", field, field_type)).await.unwrap();
    }
    let base = |name: &str| QueryPointsBuilder::new(name).query(vec![1.0, 0.0, 0.0, 0.0]);
    let ordered = |key: &str| QueryPointsBuilder::new("c").query(Query::new_order_by(OrderByBuilder::new(key)));
    let mut deep = PrefetchQueryBuilder::default().query(vec![1.0; 4]).build();
    for _ in 0..80 {
        deep = PrefetchQueryBuilder::default().add_prefetch(deep).query(vec![1.0; 4]).build();
    }
    let mut nested = Filter::must([Condition::matches("n", 1)]);
    for _ in 0..20 {
        nested = Filter::must_not([nested.into(), Condition::nested("people", Filter::default())]);
    }
    let filtered = |condition: Condition| base("c").filter(Filter::must([condition]));
    let requests = [
        base("empty"),
        base("empty").limit(u64::MAX).offset(u64::MAX),
        QueryPointsBuilder::new("empty").query(Query::new_sample(Sample::Random)),
        QueryPointsBuilder::new("empty"),
        base("c").score_threshold(f32::NAN),
        base("c").add_prefetch(deep),
        base("c").filter(nested),
        QueryPointsBuilder::new("c").query(vec![f32::MAX; 4]),
        QueryPointsBuilder::new("c").query(vec![0.0; 4]),
        QueryPointsBuilder::new("c").query(Query::new_nearest_with_mmr(
            vec![1.0; 4],
            Mmr { diversity: Some(f32::NAN), candidates_limit: Some(u32::MAX) },
        )),
        QueryPointsBuilder::new("c").query(Query::new_nearest_with_mmr(
            vec![1.0; 4],
            Mmr { diversity: None, candidates_limit: Some(u32::MAX) },
        )),
        QueryPointsBuilder::new("c")
            .add_prefetch(PrefetchQueryBuilder::default())
            .query(Query::new_rrf(qdrant_client::qdrant::Rrf { k: Some(u32::MAX), weights: vec![1.0, 2.0] })),
        ordered("n"),
        ordered("city"),
        ordered("text"),
        ordered("never_there"),
        filtered(Condition::has_vector("never there")),
        filtered(Condition::matches_text("city", "")),
        filtered(Condition::matches_text("text", "\u{0}")),
        filtered(Condition::matches_phrase("text", "quick brown")),
        filtered(Condition::nested("city", Filter::must([Condition::is_null("x")]))),
        filtered(Condition::matches("people[99999999999].name", "Ann".to_owned())),
        filtered(Condition::datetime_range("n", qdrant_client::qdrant::DatetimeRange::default())),
        filtered(Condition::range("city", qdrant_client::qdrant::Range::default())),
    ];
    for (number, request) in requests.into_iter().enumerate() {
        if let Err(qdrant_client::QdrantError::ResponseError { status }) = client.query(request).await {
            assert_eq!(status.code(), Code::InvalidArgument, "{number}: {}", status.message());
        }
    }
    assert_eq!(numbers(&query(&client, base("c").limit(1)).await), [10]);
}

async fn query(client: &Qdrant, request: QueryPointsBuilder) -> Vec<ScoredPoint> {
    client.query(request).await.unwrap().result
}

fn numbers(points: &[ScoredPoint]) -> Vec<u64> {
    points.iter().map(|point| number(point.id.clone())).collect()
}

fn number(id: Option<PointId>) -> u64 {
    match id.unwrap().point_id_options.unwrap() {
        PointIdOptions::Num(number) => number,
        PointIdOptions::Uuid(uuid) => panic!("{uuid}"),
    }
}
