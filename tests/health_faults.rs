//! `dbops health` where servers answer wrongly or break off in the middle, and `--watch`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use dbops_testbed::{create_database, qdrant, superuser_url};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::project::Project;

fn check<'a>(document: &'a Value, target: &str, id: &str) -> &'a Value {
    let checks = document["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["id"] == id && check["target"] == target);
    found.unwrap_or_else(|| panic!("{target} {id}: {document:#}"))
}

/// Answers every request over HTTP with 500; gives its port.
fn broken_http() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 4096];
            if stream.read(&mut asked).is_ok_and(|count| count > 0) {
                drop(stream.write_all(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"));
            }
        }
    });
    port
}

/// Passes on what the server says until so many bytes of it have come, and then nothing more, keeping both sides open.
fn half_open(server: String, bytes: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut upstream = TcpStream::connect(&server).expect("the test server");
            let (mut from, mut to) = (client.try_clone().expect("a socket"), upstream.try_clone().expect("a socket"));
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || {
                drop(std::io::copy(&mut (&mut upstream).take(bytes as u64), &mut client));
                thread::park();
                drop((upstream, client));
            });
        }
    });
    port
}

#[test]
fn all_else_is_told_when_a_server_answers_wrongly_or_breaks_off() {
    let (good, qdrant) = (superuser_url(), qdrant());
    let http = broken_http();
    // It accepts, by way of the backlog, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let quiet = listener.local_addr().expect("an address").port();
    let project = Project::empty().env("GOOD_URL", &good.reveal());
    // The greeting of a session is some 500 bytes: it breaks off in the answer to one of the checks.
    let cut = half_open(good.server(), 3000);
    let half = good.reveal().replace(&good.server(), &format!("127.0.0.1:{cut}"));
    let project = project.env("HALF_URL", &half);
    project.write(
        "dbops.yaml",
        &format!(
            "version: 1\ntargets:\n  good: {{kind: postgres, url: '${{GOOD_URL}}'}}\n  half: {{kind: postgres, url: \
             '${{HALF_URL}}'}}\n  broken: {{kind: qdrant, url: 'http://127.0.0.1:{http}', grpc_port: {http}}}\n  part: \
             {{kind: qdrant, url: 'http://127.0.0.1:{http}', grpc_port: {}}}\n  silent: {{kind: qdrant, url: \
             'http://127.0.0.1:{quiet}', grpc_port: {}}}\n",
            qdrant.grpc_port, qdrant.grpc_port
        ),
    );
    let document = project.json(3, &["health", "--timeout", "5"]);
    for id in ["reachable", "authentication", "version", "connections", "sequences"] {
        assert_eq!(check(&document, "good", id)["status"], "ok", "{id}: {document:#}");
    }
    assert_eq!(check(&document, "broken", "reachable")["status"], "critical", "{document:#}");
    for id in ["reachable", "authentication", "collections"] {
        assert_eq!(check(&document, "part", id)["status"], "ok", "{id}: {document:#}");
    }
    assert_ne!(check(&document, "silent", "http")["status"], "ok", "{document:#}");
    let http = check(&document, "part", "http");
    assert!(
        http["status"] == "warning" && http["summary"].as_str().is_some_and(|text| text.contains("500")),
        "{http:#}"
    );
    assert_eq!(check(&document, "half", "reachable")["status"], "ok", "{document:#}");
    let checks = document["checks"].as_array().expect("checks").iter().filter(|check| check["target"] == "half");
    let late: Vec<_> = checks.filter(|check| check["summary"] == "no answer within 5 s").collect();
    assert!(!late.is_empty() && late.iter().all(|check| check["status"] == "unknown"), "{document:#}");
}

#[test]
fn a_watch_tells_what_becomes_different_until_it_is_interrupted() {
    let url = create_database("watched");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int);", "DROP TABLE a;");
    let options = ["--check", "migrations", "--check", "reachable", "--textfile", "health.prom"];
    let mut watching =
        project.command(&[&["health", "--watch", "1"], &options[..]].concat()).spawn().expect("it starts");
    let mut lines = BufReader::new(watching.stdout.take().expect("its output")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    let pending = next();
    assert!(pending.contains("Z warning app migrations: the database has never been migrated"), "{pending}");
    project.ok(&["migrate"]);
    let well = next();
    assert!(well.contains("Z ok app migrations: "), "{well}");
    let metrics = std::fs::read_to_string(project.path("health.prom")).expect("the metrics");
    assert!(metrics.contains("check=\"migrations\"") && metrics.ends_with('\n'), "{metrics}");
    kill_process(Pid::from_child(&watching), Signal::INT).expect("it runs");
    assert_eq!(watching.wait().expect("it ends").code(), Some(130));
}
