//! The program: its ready line, its ports and directory, its keys and its end.

use std::net::TcpListener;

use qdrant_client::Qdrant;
use qdrant_client::qdrant::ListCollectionsRequest;
use qdrant_client::qdrant::collections_client::CollectionsClient;
use tonic::Code;

use crate::harness::{Server, create, fresh, program, refusal, refused};

#[tokio::test]
async fn it_says_who_it_is() {
    let (_directory, server, client) = fresh();
    let health = client.health_check().await.unwrap();
    assert_eq!(health.title, "qdrant - vector search engine");
    assert_eq!(health.version, "1.18.2");

    for (path, status, body) in [
        ("/", "200 OK", r#"{"title":"qdrant - vector search engine","version":"1.18.2"}"#),
        ("/healthz", "200 OK", "healthz check passed"),
        ("/readyz", "200 OK", "all shards are ready"),
        ("/livez", "200 OK", "livez check passed"),
        (
            "/telemetry",
            "501 Not Implemented",
            r#"{"result":null,"status":{"error":"not implemented by the embedded server: this part of the REST interface"},"time":0.0}"#,
        ),
    ] {
        let (head, answer) = server.http_get(path);
        assert_eq!((head.as_str(), answer.as_str()), (format!("HTTP/1.1 {status}").as_str(), body), "{path}");
    }
}

#[test]
fn one_server_to_a_directory() {
    let (directory, server, _client) = fresh();
    let second = refused(&["--http-port", "0", "--grpc-port", "0"], directory.path());
    let message = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(second.stdout.is_empty());
    assert!(message.contains("is in use by another dbops-qdrant-embedded (process "), "{message}");
    assert!(message.contains(directory.path().to_str().unwrap()), "{message}");

    server.kill();
    drop(Server::start(directory.path()));
}

#[test]
fn a_taken_port_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (option, free, protocol) in [("--grpc-port", "--http-port", "gRPC"), ("--http-port", "--grpc-port", "HTTP")] {
        let output = refused(&[option, &port, free, "0"], directory.path());
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        let expected = format!("error: port {port} on 127.0.0.1 ({protocol}) is taken by another program");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains(option), "{message}");
    }
}

#[tokio::test]
async fn it_ends_when_told_to() {
    let (directory, server, client) = fresh();
    create(&client, "kept").await;
    // The client's connection is open all the while.
    assert!(tokio::task::spawn_blocking(|| server.close_stdin()).await.unwrap().success());

    let server = Server::start(directory.path());
    let client = server.client();
    assert!(client.collection_exists("kept").await.unwrap());
    assert!(tokio::task::spawn_blocking(|| server.terminate()).await.unwrap().success());
}

#[tokio::test]
async fn a_key_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("QDRANT__SERVICE__API_KEY", "secret");
    let server = Server::start_with(command, directory.path());
    let url = format!("http://{}", server.grpc);

    for (key, expected) in [
        (None, Some("Must provide an API key or an Authorization bearer token")),
        (Some("wrong"), Some("Invalid API key or JWT")),
        (Some("secret"), None),
    ] {
        let builder = Qdrant::from_url(&url).skip_compatibility_check();
        let builder = match key {
            Some(key) => builder.api_key(key),
            None => builder,
        };
        let answer = builder.build().unwrap().list_collections().await;
        match expected {
            Some(message) => assert_eq!(refusal(answer), (Code::Unauthenticated, message.to_owned())),
            None => assert!(answer.unwrap().collections.is_empty()),
        }
    }
    let channel = tonic::transport::Endpoint::new(url).unwrap().connect().await.unwrap();
    let mut request = tonic::Request::new(ListCollectionsRequest {});
    request.metadata_mut().insert("authorization", "Bearer secret".parse().unwrap());
    CollectionsClient::new(channel).list(request).await.unwrap();

    for path in ["/", "/healthz", "/readyz", "/livez"] {
        assert_eq!(server.http_get(path).0, "HTTP/1.1 200 OK", "{path}");
    }
}

#[test]
fn the_key_may_be_in_another_variable_and_an_empty_one_is_none() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (key, refused) in [("secret", true), ("", false)] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = program();
        command.env("MY_KEY", key).args(["--api-key-env", "MY_KEY"]);
        let server = Server::start_with(command, directory.path());
        let answer = runtime.block_on(async { server.client().list_collections().await });
        assert_eq!(answer.is_err(), refused, "{key:?}: {answer:?}");
    }
}
