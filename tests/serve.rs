//! `dbops serve`: what it answers to whom, while targets are well and while they are not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use dbops_postgres::process;
use dbops_testbed::{create_database, start_qdrant};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::project::{PATIENCE, Project};

const TOKEN: &str = "correct-horse-battery";

/// A running `dbops serve`; it is killed when the test is over.
struct Server {
    child: Child,
    address: SocketAddr,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    fn start(project: &Project, arguments: &[&str]) -> Self {
        let listen = ["serve", "--json", "--listen", "127.0.0.1:0", "--interval", "1"];
        let mut child = project.command(&[&listen, arguments].concat()).spawn().expect("it starts");
        let mut document = String::new();
        for line in BufReader::new(child.stdout.take().expect("a pipe")).lines() {
            let line = line.expect("a line");
            document.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let document: Value = serde_json::from_str(&document).expect("a document");
        let address = document["listening"].as_str().and_then(|text| text.parse().ok()).expect("an address");
        Self { child, address }
    }

    /// Sends these bytes and reads what comes until the server closes.
    fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn ask(&self, line: &str, headers: &str) -> Answer {
        self.raw(&format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", self.address))
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "")
    }

    /// Asks until the answer is as it should become.
    fn until(&self, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path);
            if is_so(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path}: {} {}", answer.status, answer.body);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn until_ready(&self) {
        self.until("/readyz", |answer| answer.status == 200);
    }

    /// Has it end in order, and tells how it did.
    fn end(mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it runs");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value of a sample.
fn sample(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

/// Every line is a comment or a sample, a metric stands together, and no sample comes twice.
fn check_format(metrics: &str) {
    let (mut seen, mut types, mut current) = (Vec::new(), Vec::new(), "");
    for line in metrics.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a kind");
            assert!(kind == "gauge" && !types.contains(&name), "{line}");
            types.push(name);
            current = name;
        } else if !line.starts_with("# HELP ") {
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            assert_eq!(sample.split('{').next(), Some(current), "{line}");
            assert!(value.parse::<f64>().is_ok() && !seen.contains(&sample), "{line}");
            seen.push(sample);
        }
    }
}

#[test]
fn answers_probes_metrics_and_people_and_only_reads() {
    let url = create_database("serve");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int PRIMARY KEY);", "DROP TABLE a;");
    project.ok(&["migrate"]);
    project.revision("bbbb2222", "aaaa1111", "CREATE TABLE b (id int PRIMARY KEY);", "DROP TABLE b;");
    project.ok(&["backup"]);
    let server = Server::start(&project, &[]);
    server.until_ready();

    assert_eq!(server.get("/healthz").body, "ok\n");
    let metrics = server.get("/metrics");
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.head);
    check_format(&metrics.body);
    let expected = [
        ("dbops_target_up{target=\"app\"}", 1.0),
        ("dbops_migrations_pending{target=\"app\"}", 1.0),
        ("dbops_backup_sets", 1.0),
        ("dbops_health_status{target=\"app\",check=\"reachable\"}", 0.0),
    ];
    for (name, value) in expected {
        assert_eq!(sample(&metrics.body, name), Some(value), "{name}: {}", metrics.body);
    }
    assert!(sample(&metrics.body, "dbops_database_size_bytes{target=\"app\"}") > Some(1e6));

    let document: Value = serde_json::from_str(&server.get("/status.json").body).expect("JSON");
    let printed = project.json(3, &["status"]);
    assert_eq!(document["targets"][0]["database"]["migrations"], printed["targets"][0]["database"]["migrations"]);

    let page = server.get("/");
    let revisions = ["<code>bbbb2222</code> add bbbb2222</span><span class=\"warning\">pending", "applied"];
    for words in [&revisions[..], &["1 pending", "1 set,", "<svg class=\"chart\"", "src=\"/schema/app.svg\""]].concat()
    {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for header in ["content-security-policy: default-src 'none'", "nosniff", "cache-control: no-store"] {
        assert!(page.head.contains(header), "{header}: {}", page.head);
    }
    assert!(!page.body.contains("<style") && !page.body.contains("style=\"") && !page.body.contains(" onclick"));
    assert!(server.get("/schema/app.svg").body.contains(">a</text>"));
    let picture = server.get("/schema/app");
    assert!(picture.body.starts_with("<!DOCTYPE html>") && picture.head.contains("script-src 'sha256-"));

    let head = server.ask("HEAD /", "");
    assert!((head.status, head.body.as_str()) == (200, "") && head.head.contains("content-length: "), "{}", head.head);
    let cases = [
        ("POST /", 405),
        ("DELETE /metrics", 405),
        ("GET /../../../etc/passwd", 404),
        ("GET /schema/..%2f..%2fetc%2fpasswd", 404),
        ("GET /schema/nobody", 404),
        ("GET /style.css", 200),
        ("GET /script.js", 200),
        ("GET /icon.svg", 200),
    ];
    for (line, status) in cases {
        assert_eq!(server.ask(line, "").status, status, "{line}");
    }
    assert_eq!(server.end(), Some(0));
}

#[test]
fn what_is_no_request_is_refused_and_hurts_nobody() {
    let project = Project::with_database(&create_database("serve"));
    let server = Server::start(&project, &[]);
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(100_000));
    let cases = [
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 421),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421),
        ("GET /metrics HTTP/1.1\r\nHost: localhost.evil.example\r\nConnection: close\r\n\r\n", 421),
        ("hello\r\n\r\n", 400),
        ("\x16\x03\x01\x02\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (&long, 431),
    ];
    for (request, status) in cases {
        let answer = server.raw(request);
        let is_long = request.len() > 1000 && answer.status == 414;
        assert!(answer.status == status || is_long, "{:.60}: {}", request, answer.head);
    }
    assert_eq!(server.get("/healthz").status, 200);
}

/// More than it takes at once, each with half a request: they are sent away, and the next one has its turn.
#[test]
fn those_who_never_finish_their_request_keep_nobody_out_for_long() {
    let project = Project::with_database(&create_database("serve"));
    let server = Server::start(&project, &[]);
    let slow: Vec<_> = (0..80)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).expect("it listens");
            stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").expect("it takes some");
            stream
        })
        .collect();
    assert_eq!(server.get("/healthz").status, 200);
    drop(slow);
    assert_eq!(server.end(), Some(0));
}

#[test]
fn beyond_this_machine_it_wants_a_token() {
    let project = Project::with_database(&create_database("serve"));
    let run = project.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("--token-file") && run.stderr.contains("DBOPS_SERVE_TOKEN"), "{run}");
    project.write("short", "hunter2\n");
    assert_eq!(project.run(&["serve", "--token-file", "short"]).code, 2);
    assert_eq!(project.run(&["serve", "--token-file", "none"]).code, 2);

    project.write("token", &format!("{TOKEN}\n"));
    let server = Server::start(&project, &["--token-file", "token"]);
    server.until_ready();
    assert_eq!(server.get("/healthz").status, 200);
    for path in ["/", "/metrics", "/status.json", "/schema/app", "/schema/app.svg", "/nothing"] {
        let answer = server.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.body.contains("app"), "{}", answer.body);
        let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
        assert_ne!(server.ask(&format!("GET {path}"), &bearer).status, 401, "{path}");
        assert_eq!(server.ask(&format!("GET {path}"), "Authorization: Bearer wrong-horse-battery\r\n").status, 401);
    }

    let form = |token: &str| {
        let body = format!("token={token}");
        let head =
            format!("POST /login HTTP/1.1\r\nHost: box.example\r\nConnection: close\r\nContent-Length: {}", body.len());
        server.raw(&format!("{head}\r\n\r\n{body}"))
    };
    let wrong = form("wrong-horse-battery");
    assert!(wrong.status == 403 && !wrong.head.contains("set-cookie"), "{}", wrong.head);
    for right in [form(TOKEN), server.get(&format!("/?token={TOKEN}"))] {
        assert!(right.status == 303 && right.head.contains("location: /\r\n"), "{}", right.head);
        let cookie = right.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
        assert!(cookie.contains("httponly") && !right.head.contains(TOKEN), "{cookie}");
        let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().expect("a pair"));
        assert!(server.ask("GET /", &cookie).body.contains("Targets"));
    }
    assert_eq!(form(&"a".repeat(10_000)).status, 413);
}

/// One is down, one is silent, the repository is no folder: what there is to say of the others is said.
#[test]
fn what_is_down_is_told_beside_the_rest() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    // It accepts, by way of the backlog, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = listener.local_addr().expect("an address").port();
    let qdrant = start_qdrant();
    let url = create_database("serve");
    let project = Project::empty().env("GOOD_URL", &url.reveal());
    let config = format!(
        "version: 1\ntargets:\n  down:\n    kind: postgres\n    url: postgresql://u:s3cret@127.0.0.1:{closed}/d\n  hangs:\n    \
         kind: postgres\n    url: postgresql://u:s3cret@127.0.0.1:{silent}/d\n  good:\n    kind: postgres\n    url: \
         ${{GOOD_URL}}\n    versions: versions\n  search:\n    kind: qdrant\n    url: {}\n    grpc_port: {}\n  mute:\n    \
         kind: qdrant\n    url: http://127.0.0.1:{silent}\n    grpc_port: {silent}\nbackup:\n  repository: backups\n",
        qdrant.url, qdrant.grpc_port
    );
    project.write("dbops.yaml", &config);
    project.write("backups", "no folder");
    let revision = "-- revision: aaaa1111\n-- revises:\n-- message: <b>bold</b> & \"quoted\"\n\n-- +up\nSELECT 1;\n";
    project.write("versions/20261122T210501Z_aaaa1111_bold.sql", revision);
    let server = Server::start(&project, &["--timeout", "6"]);
    server.until_ready();

    let metrics = server.get("/metrics").body;
    check_format(&metrics);
    for (name, up) in [("down", 0.0), ("hangs", 0.0), ("good", 1.0), ("search", 1.0), ("mute", 0.0)] {
        assert_eq!(sample(&metrics, &format!("dbops_target_up{{target=\"{name}\"}}")), Some(up), "{name}: {metrics}");
    }
    assert_eq!(sample(&metrics, "dbops_health_status{target=\"good\",check=\"version\"}"), Some(0.0), "{metrics}");
    assert_eq!(sample(&metrics, "dbops_backup_sets"), None);
    let page = server.get("/").body;
    for words in [
        "unreachable:",
        "dbops doctor down",
        "&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;",
        "backups not known:",
        "/schema/good.svg",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("s3cret") && !metrics.contains("s3cret") && !page.contains("<b>bold"), "{page}");

    // The configuration breaks, and is mended.
    project.write("dbops.yaml", "version: 1\ntargets: 7\n");
    let broken = server.until("/readyz", |answer| answer.status == 503);
    assert!(broken.body.contains("dbops.yaml"), "{}", broken.body);
    assert_eq!((server.get("/metrics").status, server.get("/healthz").status), (503, 200));
    assert!(server.get("/").body.contains("Not up to date"));
    project.write("dbops.yaml", &config);
    server.until_ready();
}

#[test]
fn a_port_that_is_taken_is_told() {
    let project = Project::with_database(&create_database("serve"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let document = project.json(1, &["serve", "--listen", &address]);
    assert!(document["error"]["message"].as_str().is_some_and(|text| text.contains(&address)), "{document}");
    assert_eq!(document["error"]["kind"], json!("failed"));
}

/// In a browser the times are those of its zone, and the page's policy lets its own script and style work, and the
/// picture's page its one script.
#[test]
#[ignore = "needs a browser: `cargo xtask test` runs it where there is one"]
fn a_browser_shows_the_page() {
    let browser = std::env::var_os("DBOPS_TEST_BROWSER").expect("DBOPS_TEST_BROWSER names a Chromium");
    let url = create_database("serve");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", "CREATE TABLE a (id int PRIMARY KEY);", "DROP TABLE a;");
    project.ok(&["migrate"]);
    let server = Server::start(&project, &[]);
    server.until_ready();
    let dom = |path: &str| {
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = process::command(&browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--virtual-time-budget=2000", "--dump-dom"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(format!("http://{}{path}", server.address)).env("TZ", "Asia/Tokyo");
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let page = dom("/");
    let (_, time) = page.split_once("<time datetime=").expect("a time");
    let shown = time.split('>').nth(1).unwrap_or_default();
    assert!(!shown.contains("UTC") && shown.contains(':'), "{shown}");
    assert!(page.contains("aaaa1111") && page.contains("<svg class=\"lanes\""), "{page}");
    // The script fits the drawing to the window.
    let view =
        |html: &str| html.split_once("viewBox=\"").and_then(|(_, rest)| Some(rest.split_once('"')?.0.to_owned()));
    let (sent, drawn) = (view(&server.get("/schema/app").body), view(&dom("/schema/app")));
    assert!(sent.is_some() && drawn.is_some() && sent != drawn, "{sent:?} {drawn:?}");
}
