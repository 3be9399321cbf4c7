//! Collections of a real Qdrant server, taken and restored. Other tests use the server too: only what these made counts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dbops_backup::{
    Error, Existing, LeftOver, QdrantCollection, QdrantContents, QdrantError, collections, left_over_scratch,
    plan_qdrant_restore, remove_left_over, restore_collection, take, try_snapshot,
};
use dbops_qdrant::{AliasMove, Server, ServerOptions};
use dbops_testbed::unique;
use qdrant_client::qdrant::{
    CreateAliasBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, DeletePointsBuilder, Distance,
    FieldType, PointStruct, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use tokio::sync::Notify;

struct Bench {
    server: Server,
    client: Qdrant,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let qdrant = dbops_testbed::qdrant();
        let options = ServerOptions {
            url: qdrant.url.clone(),
            grpc_port: qdrant.grpc_port,
            api_key: None,
            timeout: Duration::from_secs(10),
        };
        let url = format!("http://127.0.0.1:{}", qdrant.grpc_port);
        Self {
            server: Server::new(&options).expect("right options"),
            client: Qdrant::from_url(&url).skip_compatibility_check().build().expect("a client"),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A collection with an index, ten points, and an alias if one is wanted.
    async fn collection(&self, alias: Option<&str>) -> String {
        let name = unique("backed_up");
        let vectors = VectorParamsBuilder::new(2, Distance::Dot);
        let config = CreateCollectionBuilder::new(&name).vectors_config(vectors);
        self.client.create_collection(config).await.expect("a collection");
        let index = CreateFieldIndexCollectionBuilder::new(&name, "n", FieldType::Integer).wait(true);
        self.client.create_field_index(index).await.expect("an index");
        self.fill(&name, 0..10).await;
        if let Some(alias) = alias {
            self.client.create_alias(CreateAliasBuilder::new(&name, alias)).await.expect("an alias");
        }
        name
    }

    async fn fill(&self, name: &str, ids: std::ops::Range<u64>) {
        let points = ids.map(|id| {
            let mut payload = Payload::new();
            payload.insert("n", id as i64);
            PointStruct::new(id, vec![id as f32, 1.0], payload)
        });
        let upsert = UpsertPointsBuilder::new(name, points.collect::<Vec<_>>()).wait(true);
        self.client.upsert_points(upsert).await.expect("points");
    }

    async fn empty(&self, name: &str) {
        let ids: Vec<qdrant_client::qdrant::PointId> = (0..20).map(Into::into).collect();
        self.client.delete_points(DeletePointsBuilder::new(name).points(ids).wait(true)).await.expect("none left");
    }

    /// Takes a collection into a file; the note of what is on the server is empty at the end.
    async fn take(&self, name: &str) -> (QdrantContents, PathBuf) {
        let aliases = collections(&self.server).await.expect("it answers").remove(name).expect("it is there");
        let mut bytes = Vec::new();
        let (mut left_over, mut notes) = (LeftOver::default(), Vec::new());
        let taken = take(
            &self.server,
            name,
            &aliases,
            &mut left_over,
            async |note: &LeftOver| {
                notes.push(note.is_empty());
                Ok(())
            },
            async |chunk: &[u8]| {
                bytes.extend_from_slice(chunk);
                Ok(())
            },
        );
        let taken = taken.await.expect("it is taken").expect("it is there");
        assert_eq!(notes, [false, true]);
        assert!(self.server.snapshots(name).await.expect("it answers").is_empty());
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        (self.contents(taken).await, path)
    }

    async fn contents(&self, collection: QdrantCollection) -> QdrantContents {
        let server_version = self.server.version().await.expect("it answers");
        QdrantContents { server_version, collections: vec![collection] }
    }

    async fn restore(
        &self,
        (contents, file): &(QdrantContents, PathBuf),
        into: Option<&str>,
        existing: Existing,
    ) -> Result<String, QdrantError> {
        let plan = plan_qdrant_restore(&self.server, contents, &[], into, existing).await?;
        let restored = restore_collection(&self.server, &plan.steps[0], file, |_| ()).await?;
        Ok(restored.name)
    }

    async fn points(&self, name: &str) -> Option<u64> {
        self.server.facts(name).await.expect("it answers").map(|facts| facts.points.0)
    }

    async fn leads_to(&self, alias: &str) -> Option<String> {
        self.server.collections_and_aliases().await.expect("it answers").1.remove(alias)
    }
}

#[tokio::test]
async fn a_collection_is_restored_where_there_is_none_or_an_empty_one() {
    let bench = Bench::new();
    let alias = unique("alias");
    let name = bench.collection(Some(&alias)).await;
    let set = bench.take(&name).await;
    assert_eq!(set.0.collections[0].aliases, std::slice::from_ref(&alias));

    let copy = unique("copy");
    assert_eq!(bench.restore(&set, Some(&copy), Existing::Refuse).await.expect("under another name"), copy);
    assert_eq!((bench.points(&copy).await, bench.leads_to(&alias).await), (Some(10), Some(name.clone())));

    bench.empty(&name).await;
    bench.restore(&set, None, Existing::Refuse).await.expect("into the empty one");
    assert_eq!((bench.points(&name).await, bench.leads_to(&alias).await), (Some(10), Some(name.clone())));

    bench.server.delete_collection(&name).await.expect("it is there");
    bench.restore(&set, None, Existing::Refuse).await.expect("where there is none");
    assert_eq!((bench.points(&name).await, bench.leads_to(&alias).await), (Some(10), Some(name)));
}

#[tokio::test]
async fn what_holds_points_is_refused_swapped_or_overwritten() {
    let bench = Bench::new();
    let alias = unique("alias");
    let name = bench.collection(Some(&alias)).await;
    let set = bench.take(&name).await;
    bench.fill(&name, 10..15).await;

    let error = bench.restore(&set, None, Existing::Refuse).await.expect_err("it holds points");
    assert!(matches!(error, QdrantError::NotEmpty { points: 15, has_alias: true, .. }), "{error:?}");
    assert!(error.is_refusal() && error.hint().is_some_and(|hint| hint.contains("--swap")));
    assert_eq!(bench.points(&name).await, Some(15));

    let beside = bench.restore(&set, None, Existing::Swap).await.expect("beside it");
    assert!(beside.starts_with(&format!("{name}_2")), "{beside}");
    assert_eq!((bench.points(&name).await, bench.points(&beside).await), (Some(15), Some(10)));
    assert_eq!(bench.leads_to(&alias).await, Some(beside));

    // The alias leads elsewhere by now.
    let error = bench.restore(&set, None, Existing::Overwrite).await.expect_err("the alias leads elsewhere");
    assert!(matches!(error, QdrantError::AliasElsewhere { .. }), "{error:?}");
    let back = AliasMove { alias: alias.clone(), is_there: true, to: name.clone() };
    bench.server.move_aliases(&[back]).await.expect("moved back");
    assert_eq!(bench.restore(&set, None, Existing::Overwrite).await.expect("over it"), name);
    assert_eq!(bench.points(&name).await, Some(10));
}

#[tokio::test]
async fn what_cannot_be_swapped_or_named_is_refused_before_anything_is_done() {
    let bench = Bench::new();
    let name = bench.collection(None).await;
    let set = bench.take(&name).await;
    let error = bench.restore(&set, None, Existing::Swap).await.expect_err("no alias");
    assert!(matches!(error, QdrantError::NoAlias(_)), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("cannot rename")), "{error:?}");

    let alias = unique("alias");
    bench.client.create_alias(CreateAliasBuilder::new(&name, &alias)).await.expect("an alias");
    let error = bench.restore(&set, Some(&alias), Existing::Overwrite).await.expect_err("it is an alias");
    assert!(matches!(error, QdrantError::NameIsAlias { .. }), "{error:?}");

    let wanted = ["other".to_owned()];
    let unknown = plan_qdrant_restore(&bench.server, &set.0, &wanted, None, Existing::Refuse).await;
    assert!(unknown.is_err_and(|error| error.is_usage()));
    let mut two = set.0.clone();
    two.collections.push(two.collections[0].clone());
    let one_name = plan_qdrant_restore(&bench.server, &two, &[], Some("x"), Existing::Refuse).await;
    assert!(one_name.is_err_and(|error| error.is_usage()));

    for (made_by, is_read) in [("1.0.0", false), ("99.0.0", false), ("0.18.0", false), ("dev", true)] {
        let contents = QdrantContents { server_version: made_by.into(), ..set.0.clone() };
        let copy = unique("version");
        let planned = plan_qdrant_restore(&bench.server, &contents, &[], Some(&copy), Existing::Refuse).await;
        assert_eq!(planned.is_ok(), is_read, "{made_by}: {planned:?}");
    }
    assert_eq!(bench.points(&name).await, Some(10));
}

/// The manifest says something else than what comes out, or the file is not what the manifest says.
#[tokio::test]
async fn a_restore_that_fails_leaves_nothing_behind() {
    let bench = Bench::new();
    let alias = unique("alias");
    let name = bench.collection(Some(&alias)).await;
    let (contents, file) = bench.take(&name).await;
    let before = bench.server.facts(&name).await.expect("it answers").expect("it is there");
    type Change = fn(&mut QdrantCollection, &Path);
    let cases: [(&str, Change); 4] = [
        ("it holds 10 points instead of 11", |held, _| held.facts.points = (11, 11)),
        ("points looked at differ: 3", |held, _| {
            held.facts.sample.insert("3".into(), "00".into());
        }),
        ("payload index \"other\" is none instead of text", |held, _| {
            held.facts.payload_indexes.insert("other".into(), "text".into());
        }),
        ("checksum", |_, file| {
            let mut bytes = std::fs::read(file).expect("a file");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(file, bytes).expect("a file");
        }),
    ];
    for (message, change) in cases {
        let mut contents = contents.clone();
        change(&mut contents.collections[0], &file);
        let differences = try_snapshot(&bench.server, &contents.collections[0], &file, |_| ()).await;
        let told = differences.map_or_else(|error| error.to_string(), |found| found.join("; "));
        assert!(told.contains(message), "{told}");
        let set = (contents, file.clone());
        let copy = unique("failed");
        for (into, existing) in [(Some(copy.as_str()), Existing::Refuse), (None, Existing::Swap)] {
            let error = bench.restore(&set, into, existing).await.expect_err(message);
            assert!(error.to_string().contains(message), "{error}");
        }
        let (names, _) = bench.server.collections_and_aliases().await.expect("it answers");
        assert!(!names.iter().any(|left| *left == copy || left.starts_with(&format!("{name}_2"))), "{names:?}");
        assert_eq!(bench.leads_to(&alias).await.as_ref(), Some(&name));
    }
    let after = bench.server.facts_again(&name, &before).await.expect("it answers").expect("it is there");
    assert_eq!(before.differences(&after), Vec::<String>::new());
}

#[tokio::test]
async fn a_sound_snapshot_is_proved_and_leaves_no_scratch() {
    let bench = Bench::new();
    let (contents, file) = bench.take(&bench.collection(None).await).await;
    let found = try_snapshot(&bench.server, &contents.collections[0], &file, |_| ()).await.expect("it is recovered");
    assert_eq!(found, Vec::<String>::new());
    // Other tests' scratch collections come and go.
    let killed = format!("dbops_verify_{}", unique("killed"));
    let vectors = VectorParamsBuilder::new(2, Distance::Dot);
    let config = CreateCollectionBuilder::new(&killed).vectors_config(vectors);
    bench.client.create_collection(config).await.expect("a collection");
    assert!(left_over_scratch(&bench.server).await.expect("it answers").contains(&killed));
    bench.server.delete_collection(&killed).await.expect("it is there");
}

/// The set cannot be written, or the note: in each case the server is left as it was. A kill is told by the note.
#[tokio::test]
async fn snapshots_are_deleted_on_the_server_in_every_case() {
    let bench = Bench::new();
    let name = bench.collection(None).await;
    let full = || Error::from(QdrantError::NoAlias("the disk is full".into()));
    for fails_at in ["write", "note"] {
        let mut left_over = LeftOver::default();
        let failed = take(
            &bench.server,
            &name,
            &[],
            &mut left_over,
            async |_: &LeftOver| if fails_at == "note" { Err(full()) } else { Ok(()) },
            async |_: &[u8]| Err(full()),
        );
        let error = failed.await.expect_err(fails_at);
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert!(bench.server.snapshots(&name).await.expect("it answers").is_empty(), "{fails_at}");
    }

    // Killed while it downloads: the note was kept before.
    let mut kept = Vec::new();
    {
        let downloading = Notify::new();
        let mut left_over = LeftOver::default();
        let killed = take(
            &bench.server,
            &name,
            &[],
            &mut left_over,
            async |note: &LeftOver| {
                kept = note.to_bytes();
                Ok(())
            },
            async |_: &[u8]| {
                downloading.notify_one();
                std::future::pending().await
            },
        );
        tokio::select! {
            _ = killed => panic!("it never ends"),
            () = downloading.notified() => {}
        }
    }
    let others = bench.server.create_snapshot(&name).await.expect("somebody else's");
    let mut note = LeftOver::parse(&kept);
    assert!(!note.is_empty() && !String::from_utf8_lossy(&kept).contains(&name));
    assert_eq!(remove_left_over(&bench.server, &mut note).await.expect("it answers").len(), 1);
    assert!(note.is_empty());
    let left = bench.server.snapshots(&name).await.expect("it answers");
    assert_eq!(left.iter().map(|one| &one.name).collect::<Vec<_>>(), [&others.name]);
    assert!(LeftOver::parse(b"nonsense").is_empty());
}

#[tokio::test]
async fn what_was_dropped_meanwhile_is_not_taken() {
    let bench = Bench::new();
    let mut left_over = LeftOver::default();
    let none = unique("none");
    let taken =
        take(&bench.server, &none, &[], &mut left_over, async |_: &LeftOver| Ok(()), async |_: &[u8]| Ok(())).await;
    assert_eq!(taken.expect("no error"), None);
}
