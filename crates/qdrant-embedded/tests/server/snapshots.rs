//! Snapshots: made over both interfaces, sent and received over HTTP, and what a kill leaves of them.

use std::path::Path;

use qdrant_client::Qdrant;
use qdrant_client::qdrant::{
    CountPointsBuilder, CreateAliasBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder,
    DeletePointsBuilder, DeleteSnapshotRequestBuilder, Distance, FieldType, NamedVectors, PointId, PointStruct,
    ScrollPointsBuilder, SparseVectorParamsBuilder, SparseVectorsConfigBuilder, UpsertPointsBuilder, Vector,
    VectorParamsBuilder, VectorsConfigBuilder,
};
use serde_json::{Value, json};

use crate::harness::{Server, create, fill, fresh, payload, program, refusal};

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
}

/// Sends a snapshot's file as a form, and gives the code and the error, if it is one.
fn upload(server: &Server, collection: &str, options: &str, file: &[u8]) -> (String, String) {
    let head = b"--XX\r\nContent-Disposition: form-data; name=\"snapshot\"; filename=\"s\"\r\n\r\n";
    let body = [head.as_slice(), file, b"\r\n--XX--\r\n"].concat();
    let request = format!("POST /collections/{collection}/snapshots/upload{options}");
    let (head, body) = server.http(&request, "Content-Type: multipart/form-data; boundary=XX\r\n", &body);
    let error = json_of(&body).pointer("/status/error").and_then(Value::as_str).unwrap_or_default().to_owned();
    (head.trim_start_matches("HTTP/1.1 ").to_owned(), error)
}

/// Makes a snapshot over gRPC, and gives its name, its checksum and its file.
async fn snapshot(server: &Server, client: &Qdrant, collection: &str) -> (String, String, Vec<u8>) {
    let made = client.create_snapshot(collection).await.unwrap().snapshot_description.unwrap();
    let (head, file) = server.http(&format!("GET /collections/{collection}/snapshots/{}", made.name), "", b"");
    assert_eq!((head.as_str(), file.len() as i64), ("HTTP/1.1 200 OK", made.size));
    (made.name, made.checksum.unwrap(), file)
}

async fn points(client: &Qdrant, collection: &str) -> Vec<qdrant_client::qdrant::RetrievedPoint> {
    let all = ScrollPointsBuilder::new(collection).limit(1000).with_payload(true).with_vectors(true);
    client.scroll(all).await.unwrap().result
}

#[tokio::test]
async fn what_a_snapshot_holds_comes_back() {
    let (directory, server, client) = fresh();
    let mut named = VectorsConfigBuilder::default();
    named.add_named_vector_params("a", VectorParamsBuilder::new(2, Distance::Cosine));
    let mut sparse = SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params("words", SparseVectorParamsBuilder::default());
    let config = CreateCollectionBuilder::new("c").vectors_config(named).sparse_vectors_config(sparse);
    client.create_collection(config).await.unwrap();
    client.create_field_index(CreateFieldIndexCollectionBuilder::new("c", "n", FieldType::Integer)).await.unwrap();
    client.create_alias(CreateAliasBuilder::new("c", "alias")).await.unwrap();
    let point = |id: u64| {
        let words = Vector::new_sparse(vec![id as u32, 1000], vec![1.0, 0.5]);
        let vectors = NamedVectors::default().add_vector("a", vec![id as f32, 1.0]).add_vector("words", words);
        PointStruct::new(id, vectors, payload(json!({ "n": id })))
    };
    let upsert = |ids: std::ops::Range<u64>| UpsertPointsBuilder::new("c", ids.map(point).collect::<Vec<_>>());
    client.upsert_points(upsert(0..50).wait(true)).await.unwrap();
    let before = points(&client, "c").await;
    // By its alias, too.
    let (name, checksum, file) = snapshot(&server, &client, "alias").await;
    client.upsert_points(upsert(50..60).wait(true)).await.unwrap();

    let (head, listed) = server.http_get("/collections/c/snapshots");
    let listed = json_of(listed.as_bytes());
    assert_eq!(head, "HTTP/1.1 200 OK");
    assert_eq!(listed["result"][0]["name"], name.as_str());
    assert_eq!(listed["result"][0]["checksum"], checksum.as_str());
    assert_eq!(listed["result"][0]["size"], file.len());
    assert!(listed["result"][0]["creation_time"].as_str().is_some_and(|time| time.len() == 19), "{listed}");

    // Into a new collection, and in the place of the one that is there.
    for collection in ["new", "c"] {
        let options = format!("?priority=snapshot&wait=true&checksum={checksum}");
        assert_eq!(upload(&server, collection, &options, &file), ("200 OK".to_owned(), String::new()));
        assert_eq!(points(&client, collection).await, before, "{collection}");
        let info = client.collection_info(collection).await.unwrap().result.unwrap();
        assert_eq!(info.payload_schema["n"].points, Some(50), "{collection}");
    }
    assert_eq!(client.list_aliases().await.unwrap().aliases.len(), 1, "aliases stay, and are in no snapshot");
    // It takes changes, and has them after a kill.
    client.upsert_points(upsert(40..55).wait(true)).await.unwrap();
    server.kill();
    let server = Server::start(directory.path());
    let client = server.client();
    assert_eq!(points(&client, "c").await.len(), 55);
    assert_eq!(points(&client, "new").await, before);

    // From the server's own disk.
    let location = find(directory.path(), &name);
    let body = json!({ "location": format!("file://{location}"), "checksum": checksum, "priority": "snapshot" });
    let json_type = "Content-Type: application/json\r\n";
    let request = "PUT /collections/c/snapshots/recover?wait=true";
    let (head, body) = server.http(request, json_type, body.to_string().as_bytes());
    assert_eq!((head.as_str(), &json_of(&body)["result"]), ("HTTP/1.1 200 OK", &json!(true)));
    assert_eq!(points(&client, "c").await, before);

    client.delete_snapshot(DeleteSnapshotRequestBuilder::new("c", name.as_str())).await.unwrap();
    assert!(client.list_snapshots("c").await.unwrap().snapshot_descriptions.is_empty());
    let (head, _) = server.http_get(&format!("/collections/c/snapshots/{name}"));
    assert_eq!(head, "HTTP/1.1 404 Not Found");
}

fn find(directory: &Path, name: &str) -> String {
    let folders = std::fs::read_dir(directory.join("snapshots")).unwrap();
    let mut paths = folders.map(|folder| folder.unwrap().path().join(name));
    paths.find(|path| path.exists()).unwrap().to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_rest_of_a_file_is_sent() {
    let (_directory, server, client) = fresh();
    create(&client, "c").await;
    let (name, _, file) = snapshot(&server, &client, "c").await;
    let path = format!("GET /collections/c/snapshots/{name}");
    let half = file.len() / 2;
    for (range, code, expected) in [
        (format!("bytes={half}-"), "206 Partial Content", &file[half..]),
        ("bytes=0-".to_owned(), "206 Partial Content", &file[..]),
        (format!("bytes={}-", file.len()), "416 Range Not Satisfiable", &[]),
        ("bytes=1-2".to_owned(), "200 OK", &file[..]),
    ] {
        let (head, body) = server.http(&path, &format!("Range: {range}\r\n"), b"");
        assert_eq!(head, format!("HTTP/1.1 {code}"), "{range}");
        assert!(body == expected, "{range}: {} bytes", body.len());
    }
}

/// A file that is sent, and why it is refused. Nothing that is there changes by it.
#[tokio::test]
async fn what_is_not_a_whole_snapshot_is_refused() {
    let (directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let (_, checksum, file) = snapshot(&server, &client, "c").await;
    let mut flipped = file.clone();
    flipped[file.len() / 2] ^= 1;
    let sum = format!("?checksum={checksum}");
    let end_of = |name: &str| {
        let at = file.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
        at.next_multiple_of(512)
    };
    let other = |from: &str, to: &str| {
        let at = file.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut file = file.clone();
        file[at..at + to.len()].copy_from_slice(to.as_bytes());
        file
    };
    let cases: [(&str, &str, Vec<u8>, &str); 10] = [
        ("c", &sum, flipped, "Snapshot checksum mismatch: expected"),
        ("c", &sum, file[..file.len() - 1].to_vec(), "Snapshot checksum mismatch: expected"),
        ("c", "", Vec::new(), "the snapshot is empty"),
        ("c", "", b"not a tar at all".repeat(64), "the snapshot is damaged"),
        ("c", "", file[..file.len() / 2].to_vec(), "the snapshot is damaged"),
        ("c", "", file[..end_of("shard/segments/") - 512].to_vec(), "the snapshot is damaged"),
        (
            "c",
            "",
            other("\"server\":\"1.18.2\"", "\"server\":\"1.17.0\""),
            "the snapshot is of version 1.17.0 in format 1",
        ),
        ("c", "?priority=highest", file.clone(), "the priority highest is unknown"),
        ("c", "?wait=false", file.clone(), "not implemented by the embedded server: wait=false"),
        ("a%3Ab", "", file.clone(), "collection name cannot contain \":\" char"),
    ];
    for (collection, options, sent, expected) in cases {
        let (code, error) = upload(&server, collection, options, &sent);
        let is_unsupported = error.starts_with("not implemented");
        assert_eq!(code, if is_unsupported { "501 Not Implemented" } else { "400 Bad Request" }, "{expected}: {error}");
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!error.contains(directory.path().to_str().unwrap()), "{error}");
    }
    assert_eq!(points(&client, "c").await.len(), 10);
    assert_eq!(client.list_collections().await.unwrap().collections.len(), 1);
    // Other vectors, and a name that is an alias.
    let five = VectorParamsBuilder::new(5, Distance::Dot);
    client.create_collection(CreateCollectionBuilder::new("five").vectors_config(five)).await.unwrap();
    client.create_alias(CreateAliasBuilder::new("c", "alias")).await.unwrap();
    let (_, error) = upload(&server, "five", "", &file);
    assert!(error.contains("the vectors of `five` differ"), "{error}");
    let (_, error) = upload(&server, "alias", "", &file);
    assert!(error.contains("Alias with the same name already exists"), "{error}");
    assert_eq!(entries(&directory.path().join("collections")), 2);
    assert_eq!(entries(&directory.path().join("snapshots")), 1, "what was received is gone");
}

fn entries(directory: &Path) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

#[tokio::test]
async fn a_snapshot_is_of_one_moment() {
    let (_directory, server, client) = fresh();
    create(&client, "c").await;
    let write = |round: u64| {
        // Each batch changes the same hundred points, all or none.
        let points = (0..100).map(|id| PointStruct::new(id, vec![round as f32, 0.0, 0.0, 0.0], payload(json!({}))));
        client.upsert_points(UpsertPointsBuilder::new("c", points.collect::<Vec<_>>()))
    };
    write(0).await.unwrap();
    let (mut round, mut files) = (0, Vec::new());
    while files.len() < 3 {
        let mut made = std::pin::pin!(snapshot(&server, &client, "c"));
        loop {
            round += 1;
            tokio::select! {
                file = &mut made => {
                    files.push(file.2);
                    break;
                }
                written = write(round) => { written.unwrap(); }
            }
        }
    }
    for file in files {
        assert_eq!(upload(&server, "copy", "", &file).0, "200 OK");
        let found = points(&client, "copy").await;
        assert!(found.len() == 100 && found.iter().all(|point| point.vectors == found[0].vectors));
    }
}

/// What kills leave at the moments that matter: they are made here as the server makes them.
#[tokio::test]
async fn what_a_kill_leaves_is_tidied_up() {
    let (directory, server, client) = fresh();
    create(&client, "c").await;
    fill(&client, "c").await;
    let (name, _, file) = snapshot(&server, &client, "c").await;
    let old = std::fs::read_dir(directory.path().join("collections")).unwrap().next().unwrap().unwrap().path();
    let kept = directory.path().join("kept");
    server.kill();
    copy(&old, &kept);

    let server = Server::start(directory.path());
    server
        .client()
        .delete_points(DeletePointsBuilder::new("c").points(vec![PointId::from(1), PointId::from(2)]).wait(true))
        .await
        .unwrap();
    assert_eq!(upload(&server, "c", "", &file).0, "200 OK");
    server.kill();
    // The recovered collection exists, and the old one is not removed yet.
    copy(&kept, &old);
    std::fs::write(directory.path().join("snapshots/.writing-1"), "half a snapshot").unwrap();
    let checksum = format!("{}.checksum", find(directory.path(), &name));
    std::fs::write(checksum.replace(".snapshot", "-2.snapshot"), "of a snapshot that never was").unwrap();

    let server = Server::start(directory.path());
    let client = server.client();
    assert_eq!(points(&client, "c").await.len(), 10);
    assert_eq!(entries(&directory.path().join("collections")), 1);
    assert_eq!(entries(&directory.path().join("snapshots")), 1);
    assert_eq!(client.list_snapshots("c").await.unwrap().snapshot_descriptions.len(), 1);
    assert!(Path::new(&checksum).exists() && !Path::new(&checksum.replace(".snapshot", "-2.snapshot")).exists());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Kills at any moment while snapshots are made and recovered: what is listed is whole, what is there is complete.
#[tokio::test]
async fn a_kill_at_any_moment_leaves_whole_snapshots_and_collections() {
    let (directory, mut server, client) = fresh();
    create(&client, "c").await;
    let text = "x".repeat(2000);
    let points_of = |first: u64| {
        (first..first + 500)
            .map(|id| PointStruct::new(id, vec![1.0; 4], payload(json!({ "text": text }))))
            .collect::<Vec<_>>()
    };
    client.upsert_points(UpsertPointsBuilder::new("c", points_of(0)).wait(true)).await.unwrap();
    let (_, _, file) = snapshot(&server, &client, "c").await;
    client.upsert_points(UpsertPointsBuilder::new("c", points_of(500)).wait(true)).await.unwrap();
    for (round, wait) in [0, 5, 15, 30, 60, 100].into_iter().enumerate() {
        let making = tokio::spawn({
            let client = server.client();
            async move { client.create_snapshot("c").await.is_ok() }
        });
        let address = server.http.clone();
        let body =
            [b"--XX\r\nContent-Disposition: form-data; name=\"snapshot\"\r\n\r\n", file.as_slice(), b"\r\n--XX--"];
        let body = body.concat();
        let sending = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let head = format!(
                "POST /collections/c/snapshots/upload HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; \
                 boundary=XX\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(&[head.as_bytes(), &body].concat()).ok();
            stream.read(&mut [0; 64]).ok()
        });
        tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
        server.kill();
        drop((making.await, sending.join()));
        server = Server::start(directory.path());
        let client = server.client();
        let count = client.count(CountPointsBuilder::new("c").exact(true)).await.unwrap().result.unwrap().count;
        assert!([500, 1000].contains(&count), "{count} points in round {round}");
        assert_eq!(entries(&directory.path().join("collections")), 1);
        for listed in client.list_snapshots("c").await.unwrap().snapshot_descriptions {
            let (_, file) = server.http(&format!("GET /collections/c/snapshots/{}", listed.name), "", b"");
            let options = format!("?checksum={}", listed.checksum.unwrap());
            assert_eq!(upload(&server, "copy", &options, &file).0, "200 OK", "round {round}");
            client.delete_snapshot(DeleteSnapshotRequestBuilder::new("c", listed.name)).await.unwrap();
        }
        client.delete_collection("copy").await.unwrap();
    }
}

#[tokio::test]
async fn odd_names_are_names() {
    let (_directory, server, client) = fresh();
    let long = "x".repeat(255);
    for (name, in_url) in [("ü & ö+ 100%#", "%C3%BC%20%26%20%C3%B6%2B%20100%25%23"), ("...", "..."), (&long, &long)] {
        create(&client, name).await;
        fill(&client, name).await;
        let (head, made) = server.http(&format!("POST /collections/{in_url}/snapshots"), "", b"");
        let made = json_of(&made);
        assert_eq!(head, "HTTP/1.1 200 OK", "{made}");
        let listed = client.list_snapshots(name).await.unwrap().snapshot_descriptions;
        assert_eq!(made["result"]["name"], listed[0].name.as_str());
    }
    let (code, _) = refusal(client.create_snapshot("none").await);
    assert_eq!(code, tonic::Code::NotFound);
}

#[test]
fn the_key_is_asked_for_over_http_too() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("QDRANT__SERVICE__API_KEY", "secret");
    let server = Server::start_with(command, directory.path());
    let unauthorized = "401 Unauthorized";
    for (path, headers, code) in [
        ("/collections/c/snapshots", "", unauthorized),
        ("/collections/c/snapshots", "api-key: wrong\r\n", unauthorized),
        ("/collections/c/snapshots", "api-key: secret\r\n", "404 Not Found"),
        ("/collections/c/snapshots", "Authorization: Bearer secret\r\n", "404 Not Found"),
        ("/collections", "", unauthorized),
        ("/collections", "api-key: secret\r\n", "200 OK"),
        ("/telemetry", "", unauthorized),
        ("/telemetry", "api-key: secret\r\n", "501 Not Implemented"),
        ("/readyz", "", "200 OK"),
    ] {
        let (head, _) = server.http(&format!("GET {path}"), headers, b"");
        assert_eq!(head, format!("HTTP/1.1 {code}"), "{path} {headers}");
    }
}
