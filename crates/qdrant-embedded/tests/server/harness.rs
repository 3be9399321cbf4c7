//! The real server as a process, and what the tests put into it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};

use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointStruct, UpsertPointsBuilder, Value, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use serde_json::json;
use tonic::Code;

/// A running server. It ends with this value: at the latest when its standard input closes.
pub(crate) struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    pub(crate) http: String,
    pub(crate) grpc: String,
}

/// The server's program, with nothing of the test's environment that it looks at.
#[expect(clippy::disallowed_methods, reason = "the tests start the program under test")]
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbops-qdrant-embedded"));
    command.env_remove("QDRANT__SERVICE__API_KEY");
    command
}

impl Server {
    /// Starts a server on `data` and any free ports.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(program(), data)
    }

    pub(crate) fn start_with(mut command: Command, data: &Path) -> Self {
        let mut child = command
            .args(["--parent-stdin", "--http-port", "0", "--grpc-port", "0", "--data"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses = line.strip_prefix("ready http=").and_then(|rest| rest.trim_end().split_once(" grpc="));
        let (http, grpc) = addresses.unwrap_or_else(|| panic!("instead of the ready line: {line:?}"));
        Self { child, stdin: Some(stdin), http: http.to_owned(), grpc: grpc.to_owned() }
    }

    /// A client of this server.
    pub(crate) fn client(&self) -> Qdrant {
        Qdrant::from_url(&format!("http://{}", self.grpc)).skip_compatibility_check().build().unwrap()
    }

    /// kill -9.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Closes its standard input and waits for its end.
    pub(crate) fn close_stdin(mut self) -> ExitStatus {
        drop(self.stdin.take());
        self.child.wait().unwrap()
    }

    /// SIGTERM, and waits for its end.
    #[expect(clippy::disallowed_methods, reason = "the standard library sends no SIGTERM")]
    pub(crate) fn terminate(mut self) -> ExitStatus {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap()
    }

    /// The head and body of the answer to `GET path`.
    pub(crate) fn http_get(&self, path: &str) -> (String, String) {
        let (head, body) = self.http(&format!("GET {path}"), "", b"");
        (head, String::from_utf8(body).unwrap())
    }

    /// The first line and the body of the answer to a request, which has these further headers.
    pub(crate) fn http(&self, request: &str, headers: &str, body: &[u8]) -> (String, Vec<u8>) {
        let mut stream = std::net::TcpStream::connect(&self.http).unwrap();
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        // A server that refuses may not read to the end.
        stream.write_all(&[head.as_bytes(), body].concat()).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).lines().next().unwrap().to_owned();
        (head, answer.split_off(end + 4))
    }
}

impl Drop for Server {
    /// Its directory goes next: the server must be gone by then. It may well be already.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a server that does not start says.
pub(crate) fn refused(arguments: &[&str], data: &Path) -> Output {
    program().args(arguments).arg("--data").arg(data).stdin(Stdio::null()).output().unwrap()
}

/// A server with a directory of its own.
pub(crate) fn fresh() -> (tempfile::TempDir, Server, Qdrant) {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let client = server.client();
    (directory, server, client)
}

/// Makes a collection of vectors of four dimensions, compared by their dot product.
pub(crate) async fn create(client: &Qdrant, name: &str) {
    let vectors = VectorParamsBuilder::new(4, Distance::Dot);
    client.create_collection(CreateCollectionBuilder::new(name).vectors_config(vectors)).await.unwrap();
}

/// Puts the ten cities into `collection`: point n has the vector (n, 1, 0, 0).
pub(crate) async fn fill(client: &Qdrant, collection: &str) {
    client.upsert_points(UpsertPointsBuilder::new(collection, cities()).wait(true)).await.unwrap();
}

pub(crate) fn payload(json: serde_json::Value) -> Payload {
    fn value(json: serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value { kind: Some(qdrant_client::qdrant::value::Kind::NullValue(0)) },
            Json::Bool(value) => value.into(),
            Json::Number(number) => match number.as_i64() {
                Some(value) => value.into(),
                None => number.as_f64().unwrap().into(),
            },
            Json::String(value) => value.into(),
            Json::Array(values) => values.into_iter().map(value).collect::<Vec<_>>().into(),
            Json::Object(object) => {
                let fields = object.into_iter().map(|(key, json)| (key, value(json))).collect();
                let fields = qdrant_client::qdrant::Struct { fields };
                Value { kind: Some(qdrant_client::qdrant::value::Kind::StructValue(fields)) }
            }
        }
    }
    let serde_json::Value::Object(object) = json else { panic!("a payload is an object") };
    let fields: std::collections::HashMap<String, Value> =
        object.into_iter().map(|(key, json)| (key, value(json))).collect();
    fields.into()
}

pub(crate) fn cities() -> Vec<PointStruct> {
    let at = |lon: f64, lat: f64| json!({ "lon": lon, "lat": lat });
    let rows = [
        json!({ "city": "Berlin", "n": 1, "price": 1.5, "open": true, "text": "the quick brown fox",
            "at": at(13.4, 52.5), "when": "2024-01-01T00:00:00Z", "tags": ["a", "b"] }),
        json!({ "city": "Paris", "n": 2, "price": 2.5, "open": false, "text": "lazy dogs sleep",
            "at": at(2.35, 48.85), "when": "2024-02-01T00:00:00Z", "tags": ["a"] }),
        json!({ "city": "London", "n": 3, "price": 3.5, "open": true, "text": "brown bears",
            "at": at(-0.13, 51.5), "when": "2024-03-01T00:00:00Z", "tags": [] }),
        json!({ "city": "Berlin", "n": 4, "nothing": null,
            "people": [{ "name": "Ann", "age": 30 }, { "name": "Bob", "age": 60 }] }),
        json!({ "city": "Madrid", "n": 5,
            "people": [{ "name": "Ann", "age": 60 }, { "name": "Bob", "age": 30 }] }),
        json!({ "n": 6, "id": "550e8400-e29b-41d4-a716-446655440000" }),
        json!({ "n": 7 }),
        json!({ "n": 8 }),
        json!({ "n": 9 }),
        json!({ "n": 10, "metadata": { "source": "web", "page": 7 } }),
    ];
    (1u64..).zip(rows).map(|(id, row)| PointStruct::new(id, vec![id as f32, 1.0, 0.0, 0.0], payload(row))).collect()
}

/// The code and text of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, QdrantError>) -> (Code, String) {
    match result {
        Err(QdrantError::ResponseError { status }) => (status.code(), status.message().to_owned()),
        other => panic!("instead of a refusal: {other:?}"),
    }
}
