//! kill -9: what was acknowledged is there again, and what was half-done is not.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateAliasBuilder, CreateFieldIndexCollectionBuilder, DeletePointsBuilder,
    FieldType, Filter, OrderByBuilder, PointStruct, PointsIdsList, Range, ScrollPointsBuilder, SetPayloadPointsBuilder,
    UpsertPointsBuilder, Value,
};
use serde_json::json;

use crate::harness::{Server, create, fill, fresh, payload};

#[tokio::test]
async fn everything_survives_a_kill() {
    let (directory, server, client) = fresh();
    create(&client, "c").await;
    let index = |field: &str, field_type| CreateFieldIndexCollectionBuilder::new("c", field, field_type).wait(true);
    client.create_field_index(index("city", FieldType::Keyword)).await.unwrap();
    client.create_alias(CreateAliasBuilder::new("c", "alias")).await.unwrap();
    fill(&client, "c").await;
    // By filter, and then so that the same filter would match other points.
    let berlin = || Filter::must([Condition::matches("city", "Berlin".to_owned())]);
    client.delete_points(DeletePointsBuilder::new("c").points(berlin()).wait(true)).await.unwrap();
    let to_berlin = SetPayloadPointsBuilder::new("c", payload(json!({ "city": "Berlin", "moved": true })))
        .points_selector(PointsIdsList { ids: vec![7.into()] });
    client.set_payload(to_berlin.wait(true)).await.unwrap();
    client.create_field_index(index("n", FieldType::Integer)).await.unwrap();
    client.delete_points(DeletePointsBuilder::new("c").points(PointsIdsList { ids: vec![10.into()] })).await.unwrap();
    let before = everything(&client).await;
    assert_eq!(before.len(), 7);

    let mut server = server;
    for round in 0..3 {
        server.kill();
        server = Server::start(directory.path());
        let client = server.client();
        assert_eq!(everything(&client).await, before, "round {round}");
        assert_eq!(
            client.count(CountPointsBuilder::new("alias").filter(berlin())).await.unwrap().result.unwrap().count,
            1
        );
        let schema = client.collection_info("c").await.unwrap().result.unwrap().payload_schema;
        assert_eq!((schema["city"].points, schema["n"].points), (Some(4), Some(7)), "round {round}");
        let ordered = ScrollPointsBuilder::new("c").order_by(OrderByBuilder::new("n")).limit(1);
        assert_eq!(client.scroll(ordered).await.unwrap().result[0].payload["n"].as_integer(), Some(2));
    }

    // A change after the restart counts, though the engine numbers it anew.
    let client = server.client();
    fill(&client, "c").await;
    assert_eq!(everything(&client).await.len(), 10);
    server.kill();
    let server = Server::start(directory.path());
    assert_eq!(everything(&server.client()).await.len(), 10);
}

#[tokio::test]
async fn a_kill_amid_writes_loses_nothing_acknowledged() {
    let (directory, mut server, client) = fresh();
    create(&client, "c").await;
    let mut acknowledged: HashMap<u64, i64> = HashMap::new();
    for round in 1..=3i64 {
        let client = server.client();
        let (acknowledge, mut acknowledgements) = tokio::sync::mpsc::unbounded_channel();
        let writer = tokio::spawn(async move {
            let mut done = Vec::new();
            for first in (0u64..).step_by(5) {
                let points = (first..first + 5).map(|id| point(id % 400, round)).collect::<Vec<_>>();
                let ids: Vec<u64> = (first..first + 5).map(|id| id % 400).collect();
                let upsert = UpsertPointsBuilder::new("c", points).wait(round % 2 == 0);
                if client.upsert_points(upsert).await.is_err() {
                    return (done, ids);
                }
                done.extend(ids);
                let _ = acknowledge.send(());
            }
            unreachable!("the numbers do not end")
        });
        // Amid the writes, some time after the first one.
        acknowledgements.recv().await.expect("a write");
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.kill();
        let (done, torn) = writer.await.unwrap();
        assert!(!done.is_empty());
        acknowledged.extend(done.iter().map(|id| (*id, round)));
        server = Server::start(directory.path());

        let found = everything(&server.client()).await;
        for (id, expected) in &acknowledged {
            let seen = found[&id.to_string()].round;
            // The write under way at the kill is there or not, but never a part of it.
            assert!(seen == *expected || (seen == round && torn.contains(id)), "{id}: {seen}, expected {expected}");
        }
        for (id, point) in &found {
            assert_eq!(point.vector[0], point.round as f32, "{id}: vector and payload are of different writes");
        }
        let written = torn.iter().filter(|id| found.get(&id.to_string()).is_some_and(|point| point.round == round));
        let written = written.count();
        let second_time_round = done.len() >= 400;
        assert!(second_time_round || [0, torn.len()].contains(&written), "{written} points of a write");
    }
}

#[tokio::test]
async fn many_bytes_are_written_out_on_the_way() {
    let (directory, server, client) = fresh();
    create(&client, "c").await;
    let text = "x".repeat(200_000);
    for first in (0..120u64).step_by(20) {
        let points = (first..first + 20)
            .map(|id| PointStruct::new(id, vec![1.0; 4], payload(json!({ "n": id, "text": text }))))
            .collect::<Vec<_>>();
        client.upsert_points(UpsertPointsBuilder::new("c", points).wait(true)).await.unwrap();
    }
    let journal = only_collection(directory.path()).join("journal");
    assert!(std::fs::metadata(&journal).unwrap().len() < 16 * 1024 * 1024, "the journal starts again");
    server.kill();
    let server = Server::start(directory.path());
    let client = server.client();
    let late = Filter::must([Condition::range("n", Range { gte: Some(100.0), ..Default::default() })]);
    assert_eq!(client.count(CountPointsBuilder::new("c").filter(late)).await.unwrap().result.unwrap().count, 20);
    assert_eq!(client.count(CountPointsBuilder::new("c")).await.unwrap().result.unwrap().count, 120);
    assert_eq!(std::fs::metadata(&journal).unwrap().len(), 0, "a start writes everything out");
    // What was made again is in the log again: the next start shortens it.
    server.kill();
    let server = Server::start(directory.path());
    assert_eq!(server.client().count(CountPointsBuilder::new("c")).await.unwrap().result.unwrap().count, 120);
    let closed = std::fs::read_dir(only_collection(directory.path()).join("shard/wal")).unwrap();
    let closed = closed.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with("closed-"));
    assert!(closed.count() <= 1, "the engine's log is shortened");
}

#[tokio::test]
async fn a_kill_amid_a_change_of_the_indexes_costs_only_time() {
    let (directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    for (field, field_type) in [("city", FieldType::Keyword), ("n", FieldType::Integer)] {
        client.create_field_index(CreateFieldIndexCollectionBuilder::new("c", field, field_type)).await.unwrap();
    }
    server.kill();

    // What a kill leaves while the engine removes the files of an index.
    let home = only_collection(directory.path());
    std::fs::write(home.join("reindexing"), "").unwrap();
    let segment = std::fs::read_dir(home.join("shard/segments")).unwrap().next().unwrap().unwrap().path();
    for index in std::fs::read_dir(segment.join("payload_index")).unwrap() {
        let index = index.unwrap().path();
        if index.is_dir() {
            std::fs::remove_dir_all(index).unwrap();
        }
    }
    let server = Server::start(directory.path());
    let client = server.client();
    assert!(!home.join("reindexing").exists());
    let schema = client.collection_info("c").await.unwrap().result.unwrap().payload_schema;
    assert_eq!((schema["city"].points, schema["n"].points), (Some(5), Some(10)));
    let ordered = ScrollPointsBuilder::new("c").order_by(OrderByBuilder::new("n")).limit(1);
    assert_eq!(client.scroll(ordered).await.unwrap().result[0].payload["n"].as_integer(), Some(1));
}

#[tokio::test]
async fn half_made_and_half_deleted_collections_are_removed() {
    let (directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    client.create_alias(CreateAliasBuilder::new("c", "alias")).await.unwrap();
    server.kill();

    // A kill between the engine's files and the description, and one after the description went.
    let half_made = directory.path().join("collections/00000000-0000-0000-0000-000000000000");
    std::fs::create_dir_all(half_made.join("shard/wal")).unwrap();
    let server = Server::start(directory.path());
    assert!(!half_made.exists());
    assert_eq!(everything(&server.client()).await.len(), 10);
    server.kill();

    let home = only_collection(directory.path());
    std::fs::remove_file(home.join("collection.json")).unwrap();
    let server = Server::start(directory.path());
    let client = server.client();
    assert!(!home.exists());
    assert!(client.list_collections().await.unwrap().collections.is_empty());
    assert!(client.list_aliases().await.unwrap().aliases.is_empty());
    create(&client, "alias").await;
}

#[tokio::test]
async fn deleted_collections_leave_no_files() {
    let (directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    client.delete_collection("c").await.unwrap();
    assert_eq!(std::fs::read_dir(directory.path().join("collections")).unwrap().count(), 0);
    server.kill();
    let server = Server::start(directory.path());
    assert!(server.client().list_collections().await.unwrap().collections.is_empty());
}

#[derive(Debug, PartialEq)]
struct Found {
    payload: HashMap<String, Value>,
    vector: Vec<f32>,
    round: i64,
}

fn point(id: u64, round: i64) -> PointStruct {
    PointStruct::new(id, vec![round as f32, 0.0, 0.0, 0.0], payload(json!({ "round": round })))
}

/// All points of the collection `c` by id.
async fn everything(client: &Qdrant) -> HashMap<String, Found> {
    let request = ScrollPointsBuilder::new("c").limit(10_000).with_payload(true).with_vectors(true);
    let points = client.scroll(request).await.unwrap().result;
    let found = points.into_iter().map(|point| {
        let vector = match point.vectors.unwrap().get_vector().unwrap() {
            qdrant_client::qdrant::vector_output::Vector::Dense(dense) => dense.data,
            other => panic!("{other:?}"),
        };
        let round = point.payload.get("round").and_then(|value| value.as_integer()).unwrap_or_default();
        let id = match point.id.unwrap().point_id_options.unwrap() {
            qdrant_client::qdrant::point_id::PointIdOptions::Num(number) => number.to_string(),
            qdrant_client::qdrant::point_id::PointIdOptions::Uuid(uuid) => uuid,
        };
        (id, Found { payload: point.payload, vector, round })
    });
    found.collect()
}

fn only_collection(data: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(data.join("collections")).unwrap();
    let only = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    only
}
