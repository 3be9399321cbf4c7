//! What goes wrong in the middle of a dump: nothing that is not whole is listed, and what went wrong is said.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dbops_postgres::DatabaseUrl;
use dbops_testbed::create_database;

use crate::backup::{list, names, sample};
use crate::project::{Held, Project, execute, until_waiting};

/// The server goes away after so many bytes that it sent to any one session: pg_dump's, or ours.
fn cut_off(url: &DatabaseUrl, after: usize) -> DatabaseUrl {
    let (host, port) = url.servers().remove(0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let own = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let passed = Arc::new(AtomicUsize::new(0));
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect((host.as_str(), port)) else { return };
            let (from_client, to_server) =
                (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
            std::thread::spawn(move || pass(from_client, to_server, usize::MAX, &Arc::new(AtomicUsize::new(0))));
            let passed = Arc::clone(&passed);
            std::thread::spawn(move || pass(server, client, after, &passed));
        }
    });
    let text = url.reveal();
    let (account, rest) = text.rsplit_once('@').expect("an account");
    let database = rest.split_once('/').expect("a database").1;
    DatabaseUrl::parse(&format!("{account}@127.0.0.1:{own}/{database}"), "me").expect("a URL")
}

fn pass(mut from: TcpStream, mut to: TcpStream, limit: usize, passed: &Arc<AtomicUsize>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if passed.fetch_add(count, Ordering::Relaxed) + count > limit || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}

#[test]
fn a_server_that_goes_away_leaves_no_set() {
    let url = sample("away");
    for after in [20_000, 60_000, 120_000, 200_000] {
        let project = Project::with_database(&cut_off(&url, after));
        let run = project.run(&["backup"]);
        assert_eq!(run.code, 1, "after {after} bytes: {run}");
        assert!(run.stderr.starts_with("error: "), "after {after} bytes: {run}");
        assert!(list(&project).is_empty() && names(&project, "20").is_empty(), "after {after} bytes: {run}");
    }
}

#[test]
fn a_table_that_is_dropped_in_between_is_an_error_and_no_set() {
    let url = create_database("dropped");
    execute(&url, "CREATE TABLE t (id int); CREATE TABLE u (id int)");
    let project = Project::with_database(&url);
    let lock = Held::new(&url, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let dbops = project.command(&["backup"]).spawn().expect("it starts");
    until_waiting(&url, |sessions| sessions == 1);
    lock.commit("DROP TABLE t");
    let output = dbops.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot dump target `app`") && said.contains("nothing of this backup is left"), "{said}");
    assert!(names(&project, "20").is_empty());
}

#[test]
fn rows_are_counted_in_the_snapshot_that_is_dumped() {
    let url = create_database("moment");
    execute(&url, "CREATE TABLE t (id int); CREATE TABLE u (id int); INSERT INTO u VALUES (1)");
    let project = Project::with_database(&url);
    let lock = Held::new(&url, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let dbops = project.command(&["backup"]).spawn().expect("it starts");
    until_waiting(&url, |sessions| sessions == 1);
    execute(&url, "INSERT INTO u VALUES (2), (3)");
    lock.commit("");
    assert!(dbops.wait_with_output().expect("it ends").status.success());
    assert_eq!(project.json(0, &["backup", "show", "latest"])["targets"][0]["rows"], 1);
}

/// A limit on the size of files stands for a disk that is full: the write fails in the same place.
#[test]
fn a_full_disk_leaves_no_set() {
    let project = Project::with_database(&sample("full"));
    let program = env!("CARGO_BIN_EXE_dbops");
    for blocks in [1, 40] {
        let run = project.shell(&format!("ulimit -f {blocks}; '{program}' backup"));
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stdout.contains("error: cannot write PROJECT/backups/20"), "{run}");
        assert!(run.stdout.contains("hint: raise the limit on the size of files"), "{run}");
        assert!(names(&project, "20").is_empty(), "{run}");
    }
    project.ok(&["backup"]);
}
