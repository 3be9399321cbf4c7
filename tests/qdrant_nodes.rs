//! A server with several addresses: another one is taken when the first does not answer, or goes away in the middle.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

use crate::project::Project;
use crate::qdrant_sync::Bot;

/// A way to the gRPC port of the test server, which closes for good after so many bytes from clients.
struct Way {
    port: u16,
    passed: Arc<AtomicUsize>,
}

impl Way {
    fn open(closes_after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let passed = Arc::new(AtomicUsize::new(0));
        let (counter, open) = (Arc::clone(&passed), Arc::new(Mutex::new(Vec::new())));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if counter.load(Ordering::SeqCst) >= closes_after {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", dbops_testbed::qdrant().grpc_port)).expect("the server");
                let ends = [&client, &server].map(|end| end.try_clone().expect("a socket"));
                open.lock().expect("a lock").extend(ends);
                let (back, forth) = (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                thread::spawn(move || std::io::copy(&mut &back, &mut &forth));
                let (counter, open) = (Arc::clone(&counter), Arc::clone(&open));
                thread::spawn(move || {
                    // Nobody reads what is said after the end.
                    drop(pass(&client, &server, &counter, closes_after));
                    let is_closed = counter.load(Ordering::SeqCst) >= closes_after;
                    for end in open.lock().expect("a lock").drain(..).filter(|_| is_closed).chain([client, server]) {
                        drop(end.shutdown(Shutdown::Both));
                    }
                });
            }
        });
        Self { port, passed }
    }

    fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

/// Passes on what the client says, until the way closes.
fn pass(mut from: &TcpStream, mut to: &TcpStream, counter: &AtomicUsize, limit: usize) -> std::io::Result<()> {
    let mut chunk = [0; 4096];
    loop {
        let length = from.read(&mut chunk)?;
        if length == 0 || counter.fetch_add(length, Ordering::SeqCst) + length >= limit {
            return Ok(());
        }
        to.write_all(&chunk[..length])?;
    }
}

/// A port that nobody listens on.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

/// The entry of a list of addresses.
fn by(grpc_port: u16) -> String {
    format!("{{url: \"{}\", grpc_port: {grpc_port}}}", dbops_testbed::qdrant().url)
}

fn target(addresses: &[u16]) -> String {
    let addresses: Vec<_> = addresses.iter().map(|port| by(*port)).collect();
    format!("  search:\n    kind: qdrant\n    url: [{}]\n", addresses.join(", "))
}

fn project(target: &str) -> Project {
    let project = Project::empty();
    project.write("dbops.yaml", &format!("version: 1\ntargets:\n{target}"));
    project
}

#[test]
fn the_first_address_that_answers_is_taken() {
    let there = dbops_testbed::qdrant().grpc_port;
    let (gone, gone_too) = (closed_port(), closed_port());
    for addresses in [&[gone, there][..], &[there, gone], &[gone, gone_too, there]] {
        let status = project(&target(addresses)).json(0, &["qdrant", "status"]);
        assert!(status["targets"][0]["version"].is_string(), "{addresses:?}: {status}");
    }
    let run = project(&target(&[gone, gone_too])).run(&["qdrant", "status"]);
    assert_eq!(run.code, 1, "{run}");
    for port in [gone, gone_too] {
        assert!(run.stderr.contains(&format!("127.0.0.1:{port}: ")), "{run}");
    }
    assert!(run.stderr.contains("hint: start the nodes"), "{run}");
}

#[test]
fn addresses_may_come_from_one_variable() {
    let qdrant = dbops_testbed::qdrant();
    let project =
        project(&format!("  search:\n    kind: qdrant\n    url: ${{NODES}}\n    grpc_port: {}\n", qdrant.grpc_port))
            // Of this machine's other addresses none is listened on.
            .env("NODES", &format!("http://127.0.0.9:6333, {}/", qdrant.url));
    project.ok(&["qdrant", "status"]);
    let shown = project.json(0, &["config", "show"]);
    assert_eq!(shown["targets"][0]["url"], format!("http://127.0.0.9:6333, {}", qdrant.url));
}

#[test]
fn lists_that_cannot_be_meant_are_refused() {
    let cases = [
        ("[]", "there is no address in this list"),
        ("[http://a:1, http://a:1/]", "the address http://a:1 is there twice"),
        ("[http://a:1, SECRET]", "this is not the address of a Qdrant server"),
        ("[{url: http://a:1, port: 3}]", "unknown field `port`"),
        ("[{grpc_port: 3}]", "missing field `url`"),
        ("[{url: http://a:1, grpc_port: SECRET}]", "this is not a port number"),
    ];
    for (list, message) in cases {
        for key in ["url", "url: http://b:1\n    nodes"] {
            let run = project(&format!("  search:\n    kind: qdrant\n    {key}: {list}\n")).run(&["config", "check"]);
            assert!(run.code == 2 && run.stderr.contains(message), "{run}");
            assert!(!run.stderr.contains("SECRET"), "{run}");
        }
    }
    let run = project("  app:\n    kind: postgres\n    url: [postgresql://h/d]\n").run(&["config", "check"]);
    assert!(run.code == 2 && run.stderr.contains("a PostgreSQL target has one `url`"), "{run}");
}

/// The first node goes away at several moments of a run: before the first point, among them, and near the end.
#[test]
fn no_point_is_lost_or_doubled_when_a_node_goes_away() {
    for closes_after in [1, 2_000, 20_000, 60_000, 100_000] {
        let bot = Bot::notes();
        let (first, second) = (Way::open(closes_after), Way::open(usize::MAX));
        bot.project.write(
            "dbops.yaml",
            &format!(
                "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${{APP_URL}}\n{}    collections: \
                 collections.yaml\n",
                target(&[first.port, second.port])
            ),
        );
        assert_eq!(bot.sync(&[]).1[0], 1000, "{closes_after}");
        let passed = (first.passed(), second.passed());
        assert!(passed.0 >= closes_after && passed.1 > 0, "{closes_after}: the other node was taken: {passed:?}");
        assert_eq!(bot.verify(&["--deep"]), [0; 3], "{closes_after}");
        let status = bot.project.json(0, &["qdrant", "status"]);
        let collections = status["targets"][0]["collections"].as_array().expect("a list");
        let found = collections.iter().find(|one| one["name"] == bot.collection.as_str()).expect("it is there");
        assert_eq!(found["points"], 1000, "{closes_after}");
    }
}

#[test]
fn health_tells_which_node_does_not_answer() {
    let there = dbops_testbed::qdrant().grpc_port;
    let finding = |code: i32, addresses: &[u16]| -> Value {
        let health = project(&target(addresses)).json(code, &["health", "--check", "nodes"]);
        health["checks"][0].clone()
    };
    assert_eq!(finding(0, &[there])["summary"], "one address is named");
    let way = Way::open(usize::MAX);
    let both = finding(0, &[there, way.port]);
    assert_eq!((&both["status"], &both["value"], &both["unit"]), (&json!("ok"), &json!(2.0), &json!("nodes")));
    let gone = closed_port();
    let one = finding(3, &[gone, there]);
    let summary = one["summary"].as_str().expect("a text");
    assert!(one["status"] == "warning" && summary.contains(&format!("127.0.0.1:{gone}")), "{one}");
}
