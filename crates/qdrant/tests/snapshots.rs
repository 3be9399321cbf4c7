//! Snapshots of a real server: made, carried over connections that break, and recovered.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use dbops_qdrant::{Error, Server, ServerOptions, Snapshot, Transferred};
use dbops_testbed::unique;
use qdrant_client::Payload;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance, FieldType, NamedVectors, PointStruct,
    SparseVectorParamsBuilder, SparseVectorsConfigBuilder, UpsertPointsBuilder, Vector, VectorParamsBuilder,
    VectorsConfigBuilder,
};

fn server_at(url: &str) -> Server {
    let options = ServerOptions {
        url: url.into(),
        grpc_port: dbops_testbed::qdrant().grpc_port,
        api_key: None,
        timeout: Duration::from_secs(10),
    };
    Server::new(&options).expect("right options")
}

fn server() -> Server {
    server_at(&dbops_testbed::qdrant().url)
}

/// A collection with a dense and a sparse vector, an index and a hundred points and more.
async fn filled(name: &str) -> String {
    let name = unique(name);
    let url = format!("http://127.0.0.1:{}", dbops_testbed::qdrant().grpc_port);
    let client = qdrant_client::Qdrant::from_url(&url).skip_compatibility_check().build().expect("a client");
    let mut dense = VectorsConfigBuilder::default();
    dense.add_named_vector_params("a", VectorParamsBuilder::new(3, Distance::Cosine));
    let mut sparse = SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params("words", SparseVectorParamsBuilder::default());
    let config = CreateCollectionBuilder::new(&name).vectors_config(dense).sparse_vectors_config(sparse);
    client.create_collection(config).await.expect("a collection");
    let index = CreateFieldIndexCollectionBuilder::new(&name, "n", FieldType::Integer).wait(true);
    client.create_field_index(index).await.expect("an index");
    let points = (0..120u64).map(|id| {
        let words = Vector::new_sparse(vec![1, id as u32 + 2], vec![0.5, 1.0]);
        let vectors = NamedVectors::default().add_vector("a", vec![id as f32, 1.0, 0.5]).add_vector("words", words);
        let mut payload = Payload::new();
        payload.insert("n", id as i64);
        payload.insert("text", "ünïcode and \u{0}");
        PointStruct::new(id, vectors, payload)
    });
    client.upsert_points(UpsertPointsBuilder::new(&name, points.collect::<Vec<_>>()).wait(true)).await.expect("points");
    name
}

async fn download(server: &Server, snapshot: &Snapshot) -> Result<(Vec<u8>, Transferred), Error> {
    let mut bytes = Vec::new();
    let arrived = server
        .download_snapshot(snapshot, async |chunk: &[u8]| {
            bytes.extend_from_slice(chunk);
            Ok::<_, Error>(())
        })
        .await?;
    Ok((bytes, arrived))
}

/// A snapshot of a filled collection, in a file.
async fn in_file(server: &Server, name: &str) -> (tempfile::TempDir, PathBuf, Transferred) {
    let snapshot = server.create_snapshot(name).await.expect("a snapshot");
    let (bytes, arrived) = download(server, &snapshot).await.expect("it arrives");
    assert_eq!(arrived.bytes, bytes.len() as u64);
    assert!(server.delete_snapshot(name, &snapshot.name).await.expect("it is there"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.snapshot");
    std::fs::write(&path, bytes).expect("a file");
    (folder, path, arrived)
}

#[tokio::test]
async fn a_collection_comes_back_as_it_was() {
    let server = server();
    let name = filled("round").await;
    let facts = server.facts(&name).await.expect("it answers").expect("it is there");
    assert_eq!((facts.points, facts.sample.len()), ((120, 120), 100));
    assert_eq!(facts.vectors["a"], "3 Cosine");
    assert_eq!((facts.vectors["words"].as_str(), facts.payload_indexes["n"].as_str()), ("sparse", "integer"));

    let (_folder, path, arrived) = in_file(&server, &name).await;
    assert!(server.snapshots(&name).await.expect("it answers").is_empty());
    assert!(!server.delete_snapshot(&name, "none.snapshot").await.expect("there is none"));

    let copy = unique("copy");
    server.upload_snapshot(&copy, &path, &arrived, |_| ()).await.expect("it is recovered");
    let found = server.facts_again(&copy, &facts).await.expect("it answers").expect("it is there");
    assert_eq!(facts.differences(&found), Vec::<String>::new());
    // Over itself, too.
    server.upload_snapshot(&copy, &path, &arrived, |_| ()).await.expect("it is recovered again");
    assert!(server.delete_collection(&copy).await.expect("it is there"));
    assert_eq!(server.facts(&copy).await.expect("it answers"), None);
}

#[tokio::test]
async fn damaged_files_are_refused_and_change_nothing() {
    let server = server();
    let name = filled("damaged").await;
    let facts = server.facts(&name).await.expect("it answers").expect("it is there");
    let (_folder, path, arrived) = in_file(&server, &name).await;
    let whole = std::fs::read(&path).expect("a file");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(&path, flipped).expect("a file");
    for collection in [name.clone(), unique("none")] {
        let error = server.upload_snapshot(&collection, &path, &arrived, |_| ()).await.expect_err("it is damaged");
        assert!(
            matches!(error, Error::Http { status: 400, .. }) && error.to_string().to_lowercase().contains("checksum"),
            "{error}"
        );
    }
    // The file is shorter than what is announced: the request cannot be finished.
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("a file");
    let error = server.upload_snapshot(&name, &path, &arrived, |_| ()).await.expect_err("it is cut off");
    assert!(error.hint().is_some(), "{error:?}");
    let found = server.facts_again(&name, &facts).await.expect("it answers").expect("it is there");
    assert_eq!(facts.differences(&found), Vec::<String>::new());
}

/// In front of the server's HTTP: cuts each of the first `cuts` connections after `after` bytes in one direction.
struct Cutting {
    url: String,
    connections: Arc<AtomicUsize>,
}

fn cutting(cuts: usize, after: usize, is_answer: bool) -> Cutting {
    let upstream = dbops_testbed::qdrant().url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let is_cut = counted.fetch_add(1, Ordering::SeqCst) < cuts;
            let Ok(server) = TcpStream::connect(&upstream) else { return };
            for (from, to, is_limited) in [(&client, &server, !is_answer), (&server, &client, is_answer)] {
                let (mut from, mut to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                std::thread::spawn(move || {
                    let mut left = if is_cut && is_limited { after } else { usize::MAX };
                    let mut buffer = [0; 16 * 1024];
                    while left > 0 {
                        let wanted = left.min(buffer.len());
                        let Ok(count @ 1..) = from.read(&mut buffer[..wanted]) else { break };
                        left -= count;
                        if to.write_all(&buffer[..count]).is_err() {
                            break;
                        }
                    }
                    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
                });
            }
        }
    });
    Cutting { url, connections }
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke() {
    let server = server();
    let name = filled("cut").await;
    let snapshot = server.create_snapshot(&name).await.expect("a snapshot");
    let (whole, _) = download(&server, &snapshot).await.expect("it arrives");
    let proxy = cutting(3, whole.len() / 5, true);
    let (bytes, arrived) = download(&server_at(&proxy.url), &snapshot).await.expect("it arrives in pieces");
    assert!(bytes == whole && arrived.bytes == snapshot.bytes);
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 4);

    // Nothing ever arrives.
    let proxy = cutting(usize::MAX, 0, true);
    let error = download(&server_at(&proxy.url), &snapshot).await.expect_err("it is cut each time");
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    // What arrives is not what the server described.
    let other = Snapshot { checksum: Some("00".repeat(32)), ..snapshot.clone() };
    let error = download(&server, &other).await.expect_err("another checksum").to_string();
    assert!(error.contains("what arrived has the SHA-256"), "{error}");
    let longer = Snapshot { bytes: snapshot.bytes + 1, ..snapshot.clone() };
    assert!(download(&server, &longer).await.is_err());
    server.delete_snapshot(&name, &snapshot.name).await.expect("it is there");
    let error = download(&server, &snapshot).await.expect_err("it is gone");
    assert!(matches!(error, Error::Http { status: 404, .. }), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("same node")), "{error:?}");
}

#[tokio::test]
async fn an_upload_that_breaks_is_sent_again_and_changes_nothing_before() {
    let server = server();
    let name = filled("sent").await;
    let (_folder, path, arrived) = in_file(&server, &name).await;
    let half = usize::try_from(arrived.bytes / 2).expect("a size");
    let copy = unique("sent_copy");
    let proxy = cutting(usize::MAX, half, false);
    let error = server_at(&proxy.url).upload_snapshot(&copy, &path, &arrived, |_| ()).await.expect_err("it is cut");
    assert!(matches!(error, Error::Lost { .. } | Error::Unreachable { .. }), "{error:?}");
    assert_eq!(server.facts(&copy).await.expect("it answers"), None, "nothing half-made is there");
    let proxy = cutting(2, half, false);
    let told = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&told);
    let on_bytes = move |bytes| _ = counter.fetch_add(bytes, Ordering::Relaxed);
    server_at(&proxy.url).upload_snapshot(&copy, &path, &arrived, on_bytes).await.expect("the third time");
    assert_eq!(told.load(Ordering::Relaxed), arrived.bytes, "what is sent again is not told again");
    assert_eq!(server.facts(&copy).await.expect("it answers").expect("it is there").points, (120, 120));
}

/// Characters that mean something in a URL, and names that mean other folders there.
#[tokio::test]
async fn odd_names_reach_their_collection() {
    let server = server();
    for odd in ["ü & ö+100%#", "a b", "...", "%2E%2E"] {
        let name = filled(odd).await;
        let (_folder, path, arrived) = in_file(&server, &name).await;
        server.upload_snapshot(&name, &path, &arrived, |_| ()).await.expect(odd);
    }
    let (_folder, path, arrived) = in_file(&server, &filled("plain").await).await;
    for odd in [".", ".."] {
        let error = server.upload_snapshot(odd, &path, &arrived, |_| ()).await.expect_err(odd).to_string();
        assert!(error.ends_with(&format!("a collection called `{odd}` cannot be named in a URL")), "{error}");
    }
}

/// Answers each request the same.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            drop((client.read(&mut [0; 4096]), client.write_all(answer.as_bytes())));
        }
    });
    url
}

/// What may stand between dbops and the server says, and what the user reads.
#[tokio::test]
async fn refusals_are_told_apart() {
    let cases = [
        ("HTTP/1.1 401 X\r\nContent-Length: 4\r\n\r\nkey?", "does not let dbops in: key?", "set `api_key`"),
        ("HTTP/1.1 302 X\r\nLocation: http://other/\r\nContent-Length: 0\r\n\r\n", "answers 302: Found", "in `url`"),
        (
            "HTTP/1.1 500 X\r\nContent-Length: 54\r\n\r\n{\"status\":{\"error\":\"No space left on device (os 28)\"}}",
            "answers 500: No space left on device (os 28)",
            "free some space on the server's disk",
        ),
        ("HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n", "answers 413: Payload Too Large", "let the proxy"),
        ("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", "answers 503: Service Unavailable", "see the server's log"),
        ("nonsense\r\n\r\n", "the connection to Qdrant at 127.0.0.1:", ""),
    ];
    for (answer, message, hint) in cases {
        let snapshot = Snapshot { collection: "c".into(), name: "s".into(), created: None, bytes: 10, checksum: None };
        let error = download(&server_at(&answering(answer)), &snapshot).await.expect_err(answer);
        assert!(error.to_string().contains(message), "{answer}: {error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{answer}: {:?}", error.hint());
    }
}
