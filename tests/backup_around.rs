//! Around a backup: hooks, the webhook, progress for scripts, and programs in a container.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread::JoinHandle;

use dbops_postgres::{DatabaseUrl, Origin};
use dbops_testbed::{create_database, installation, unique};
use serde_json::Value;

use crate::backup::{names, sample};
use crate::project::{Project, execute};

fn with_section(url: &DatabaseUrl, section: &str) -> Project {
    let project = Project::empty().env("APP_URL", &url.reveal());
    let head = "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    container: app-db\n\
                backup:\n  repository: backups\n";
    project.write("dbops.yaml", &format!("{head}{section}"));
    project
}

#[test]
fn hooks_run_around_a_backup_with_its_facts() {
    let note = |file: &str| format!("'env | grep ^DBOPS_BACKUP_ | sort > {file}; ls backups | wc -l >> {file}'");
    let section = format!(
        "  hooks:\n    before: ['mkdir -p backups; echo told', {}]\n    after: [{}]\n    failure: [{}]\n",
        note("before"),
        note("after"),
        note("failure")
    );
    let project = with_section(&create_database("hooks"), &section);
    let made = project.json(0, &["backup"]);
    let id = made["id"].as_str().expect("an id");
    let read = |name: &str| fs::read_to_string(project.path(name)).expect(name);
    assert_eq!(read("before"), "DBOPS_BACKUP_EVENT=before\nDBOPS_BACKUP_TARGETS=app\n0\n");
    let after = read("after");
    let facts = [
        "DBOPS_BACKUP_EVENT=after".to_owned(),
        format!("DBOPS_BACKUP_ID={id}"),
        format!("/backups/{id}\n"),
        "DBOPS_BACKUP_TARGETS=app".to_owned(),
        "DBOPS_BACKUP_BYTES=".to_owned(),
        "DBOPS_BACKUP_DURATION_MS=".to_owned(),
    ];
    assert!(facts.iter().all(|fact| after.contains(fact)), "{after}");
    assert!(!project.path("failure").exists());
    assert!(project.ok(&["backup", "-v"]).stderr.contains("hook: told\n"));
}

/// The section, the exit code's message and hint, whether a set is there, and what the hook for failures gets to know.
#[test]
fn a_hook_that_fails_is_told() {
    let failure = "    failure: ['printf %s \"$DBOPS_BACKUP_ERROR\" > failure', 'exit 3']\n";
    let cases = [
        (
            "    before: ['echo no room >&2; exit 7', 'touch second']\n",
            "the hook `echo no room >&2; exit 7` (before) failed",
            "hint: nothing was backed up",
            0,
        ),
        ("    after: ['exit 7']\n", "the hook `exit 7` (after) failed", " is complete; only its hook failed", 1),
        (
            "    time_limit: 1\n    before: ['sleep 600 & echo $! > pid; wait']\n",
            "did not end within 1 seconds",
            "hint: nothing was backed up",
            0,
        ),
    ];
    for (hook, message, hint, sets) in cases {
        let project = with_section(&create_database("hook"), &format!("  hooks:\n{hook}{failure}"));
        let run = project.run(&["backup"]);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains(message) && run.stderr.contains(hint), "{run}");
        assert!(run.stderr.contains("warning: the hook `exit 3` (failure) failed"), "{run}");
        let told = fs::read_to_string(project.path("failure")).expect("the failure was told");
        assert!(told.starts_with("the hook `"), "{told}");
        assert_eq!(names(&project, "20").len(), sets, "{run}");
        assert!(!project.path("second").exists());
        if let Ok(pid) = fs::read_to_string(project.path("pid")) {
            let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
            assert!(state.is_empty() || state.contains(") Z "), "what the hook started is gone too: {state}");
        }
    }
    let project = with_section(&create_database("hook"), "  hooks: {befor: [x]}\n");
    let run = project.run(&["backup"]);
    assert_eq!(run.code, 2, "{run}");
}

/// Answers one request with a status, and gives what was sent.
fn listen(status: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a request");
        let (mut text, mut buffer) = (String::new(), [0; 4096]);
        while !text.contains("\r\n\r\n") || !text.trim_end().ends_with('}') {
            let count = stream.read(&mut buffer).expect("a request");
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").expect("an answer");
        text
    });
    (port, thread)
}

#[test]
fn a_failure_is_posted_and_no_secret_is_shown() {
    let missing = create_database("webhook").with_database("no such");
    for (status, warning) in [("204 No Content", None), ("500 Oops", Some("was not told: HTTP status server error"))] {
        let (port, request) = listen(status);
        let project = with_section(&missing, "  webhook: ${HOOK_URL}\n")
            .env("HOOK_URL", &format!("http://127.0.0.1:{port}/T0/s3cr3t-token?key=s3cr3t"));
        let run = project.run(&["backup", "-v"]);
        assert_eq!(run.code, 1, "{run}");
        let request = request.join().expect("a request");
        assert!(request.starts_with("POST /T0/s3cr3t-token?key=s3cr3t HTTP/1.1\r\n"), "{request}");
        let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
        assert_eq!((&body["event"], &body["targets"][0]), (&"backup_failed".into(), &"app".into()));
        assert!(body["error"].as_str().is_some_and(|error| error.contains("no such")), "{body}");
        let password = String::from_utf8_lossy(missing.password().expect("a password")).into_owned();
        assert!(!body.to_string().contains(&password) && !run.to_string().contains("s3cr3t-"), "{run}");
        assert_eq!(run.stderr.contains("warning: the webhook at 127.0.0.1"), warning.is_some(), "{run}");
        assert!(warning.is_none_or(|warning| run.stderr.contains(warning)), "{run}");
    }
    let project = with_section(&missing, "  webhook: ftp://s3cr3t-token\n");
    let run = project.run(&["backup"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("the webhook is not a web address") && !run.stderr.contains("s3cr3t"), "{run}");
}

#[test]
fn progress_is_one_json_object_a_line_on_stderr() {
    let project = with_section(&sample("progress"), "");
    let run = project.ok(&["backup", "--json", "--progress", "-v"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("one document");
    assert!(document["id"].is_string());
    let events: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    assert_eq!((of("dumping").len(), of("table").len(), of("dumped").len()), (1, 4, 1), "{run}");
    assert_eq!((&of("dumping")[0]["target"], &of("dumping")[0]["tables"]), (&"app".into(), &4.into()));
    let numbers: Vec<_> = of("table").iter().map(|event| event["number"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4)]);
    assert!(of("table").iter().any(|event| event["table"] == "täble it's" && event["schema"] == "odd \"schema"));
    assert_eq!(of("dumped")[0]["bytes"], document["targets"][0]["bytes"]);
    assert!(of("dumped")[0]["table_bytes"].as_u64().is_some_and(|bytes| bytes > 0));
    assert!(of("message").iter().any(|event| event["text"].as_str().is_some_and(|text| text.contains("pg_dump "))));
    // Without it, standard error is for people.
    assert!(project.ok(&["backup", "--json"]).stderr.lines().all(|line| !line.starts_with('{')));
}

/// A row takes so long to check that the server is seen at it.
#[test]
fn a_restore_tells_of_its_tables_rows_and_indexes() {
    let url = sample("filling");
    execute(
        &url,
        "CREATE FUNCTION is_slow(n int) RETURNS bool LANGUAGE sql VOLATILE AS 'SELECT pg_sleep(0.7) IS NOT NULL';
         CREATE TABLE slow (n int, CONSTRAINT slow CHECK (is_slow(n)) NOT VALID);
         CREATE TABLE fast AS SELECT 1 AS n; INSERT INTO slow VALUES (1), (2), (3)",
    );
    let project = with_section(&url, "");
    project.ok(&["backup"]);
    // Of several sessions the lines may be mixed, and one that cannot be understood is passed over.
    let restore = ["restore", "latest", "app", "--jobs", "1", "--json", "--progress", "--into"];
    let run = project.ok(&[&restore[..], &[&unique("filled")]].concat());
    let events: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    let filling = of("filling");
    assert_eq!((&filling[0]["tables"], &filling[0]["builds"]), (&6.into(), &6.into()), "{run}");
    let numbers = |kind| of(kind).iter().map(|event| event["number"].as_u64()).collect::<Vec<_>>();
    let to_six = (1..=6).map(Some).collect::<Vec<_>>();
    assert_eq!((numbers("loading"), numbers("building")), (to_six.clone(), to_six), "{run}");
    assert!(of("loading").iter().any(|event| event["table"] == "odd \"schema.täble it's"), "{run}");
    assert!(of("building").iter().any(|event| event["kind"] == "FK CONSTRAINT"), "{run}");
    let rows = filling[0]["rows"].as_u64().expect("a number");
    let loaded: Vec<_> = of("loaded").iter().filter_map(|event| event["rows"].as_u64()).collect();
    assert!(!loaded.is_empty() && loaded.is_sorted() && loaded.iter().all(|count| *count <= rows), "{run}");
}

#[test]
fn the_last_line_tells_size_ratio_and_duration() {
    let project = with_section(&sample("ratio"), "");
    let run = project.ok(&["backup"]);
    let line = run.stdout.trim_end();
    assert!(line.contains(" of ") && line.contains(":1) in ") && line.contains(" s, backups/"), "{run}");
}

/// There is no Docker here: a script of that name runs the programs of this machine as if they were in a container. It
/// shows how the programs are called; what Docker makes of it, it does not show.
fn stand_in(project: &Project, url: &DatabaseUrl) -> String {
    let (host, port) = url.servers().remove(0);
    let bin = installation().bin.display().to_string();
    let script = format!(
        "#!/bin/sh\n\
         export PATH='{bin}':/usr/bin:/bin\n\
         printf '%s\\n' \"$@\" > arguments; env > environment\n\
         [ \"$1\" = exec ] || exit 125\nshift\n\
         while [ \"$1\" != app-db ]; do case \"$1\" in -e) export \"$2\"; shift;; esac; shift; done; shift\n\
         export PGHOST='{host}' PGPORT='{port}'\nexec \"$@\"\n"
    );
    project.write("docker/docker", &script);
    fs::set_permissions(project.path("docker/docker"), fs::Permissions::from_mode(0o755)).expect("permissions");
    project.path("docker").display().to_string()
}

#[test]
fn the_programs_of_the_container_are_used_where_there_are_no_others() {
    let url = create_database("container");
    execute(&url, "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)");
    let project = with_section(&url, "");
    let docker = stand_in(&project, &url);
    // An empty folder, so that there is no unpacked copy.
    let cache = project.path("cache").display().to_string();
    let project = project.env("PATH", &docker).env("DBOPS_CACHE_DIR", &cache).env("DBOPS_PG_BIN", "");
    let run = project.run(&["backup", "-v"]);
    assert_eq!(run.code, 0, "{run}");
    if installation().origin == Origin::System {
        // Its programs, of the server's version, come before the container's.
        assert!(run.stderr.contains("(installed on the system), compression "), "{run}");
        return;
    }
    assert!(run.stderr.contains("in the container app-db, compression "), "{run}");
    let password = String::from_utf8_lossy(url.password().expect("a password")).into_owned();
    for file in ["arguments", "environment"] {
        let text = fs::read_to_string(project.path(file)).expect(file);
        assert!(!text.contains(&password), "{file}: {text}");
    }
    let shown = project.json(0, &["backup", "show", "latest"]);
    assert_eq!(shown["targets"][0]["rows"], 2);

    project.write("docker/docker", "#!/bin/sh\necho 'Error: No such container: app-db' >&2\nexit 1\n");
    let run = project.run(&["backup"]);
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("and the container app-db cannot be asked: Error: No such container"), "{run}");
    assert!(run.stderr.contains("hint: install PostgreSQL's client programs"), "{run}");
}
