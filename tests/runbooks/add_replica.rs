//! `add-replica.sh`: a standby of the Support Bot's PostgreSQL that streams, and one that does not.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Instant;

use dbops_postgres::{DataFolder, DatabaseUrl, ServerUser};
use dbops_testbed::installation;
use tempfile::TempDir;

use super::{done, runbook, stopped};
use crate::project::{PATIENCE, execute, query};
use crate::stack::Stack;

/// Where a replica is to be; it is stopped in the end.
struct Place {
    folder: TempDir,
    port: u16,
    account: Option<ServerUser>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let account = ServerUser::for_servers().expect("an account");
        if let Some(account) = &account {
            account.own(folder.path()).expect("an owner");
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        Self { folder, port, account }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("replica")
    }

    /// The command line for a replica of this primary.
    fn line(&self, primary: &DatabaseUrl, password: &str, wait: u32) -> String {
        let (host, port) = primary.servers().remove(0);
        let account = self.account.as_ref().map_or("postgres", ServerUser::name);
        format!(
            "DATA='{}' PORT={} PG_BIN='{}' ACCOUNT={account} PRIMARY_HOST={host} PRIMARY_PORT={port} \
             PASSWORD_FILE={password} WAIT={wait} add-replica.sh bot_db replica1",
            self.data().display(),
            self.port,
            installation().bin.display()
        )
    }

    fn stop(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(DataFolder::new(&self.data()).stop()).expect("it stops");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A database of the replica.
fn replica(primary: &DatabaseUrl, port: u16) -> DatabaseUrl {
    let (_, from) = primary.servers().remove(0);
    let text = primary.reveal().replace(&format!(":{from}/"), &format!(":{port}/"));
    DatabaseUrl::parse(&text, "postgres").expect("a URL")
}

/// Waits until it answers so.
fn until(url: &DatabaseUrl, sql: &str, answer: &str) {
    let deadline = Instant::now() + PATIENCE;
    while query(url, sql) != [answer] {
        assert!(Instant::now() < deadline, "{sql} never became {answer}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn a_replica_streams_and_one_that_does_not_is_told() {
    let stack = Stack::filled();
    let (project, place) = (&stack.project, Place::new());
    let primary = stack.url("vector_db");
    project.write("right.password", "it: replicates\\all\n");
    project.write("wrong.password", "something else\n");
    let (line, wrong) = (place.line(&primary, "right.password", 60), place.line(&primary, "wrong.password", 60));

    // A role that is there keeps its password.
    execute(&primary, "CREATE ROLE replicator LOGIN");
    stopped(project, &line, 4, &["replicator is there and may not replicate"]);
    execute(&primary, "DROP ROLE replicator");
    execute(&primary, "CREATE ROLE replicator LOGIN REPLICATION PASSWORD 'it: replicates\\all'");
    let said = ["stopped at: copy the primary", "password authentication failed", "needs a line in pg_hba.conf"];
    stopped(project, &wrong, 1, &said);
    assert!(!place.data().join("PG_VERSION").exists());
    stopped(project, &place.line(&primary, "no.password", 60), 2, &["PASSWORD_FILE is no.password, which is no file"]);

    // An earlier run has made the role, and was killed before it had a password.
    execute(&primary, "ALTER ROLE replicator PASSWORD NULL");
    let run = done(project, &line);
    assert!(run.stdout.contains("replica1 streams from bot_db"), "{run}");
    let copy = replica(&primary, place.port);
    assert_eq!(query(&copy, "SELECT pg_is_in_recovery()"), ["t"]);
    stack.write_chunks();
    until(&copy, "SELECT count(*) FROM chunks WHERE chunk_index = 10", "10");
    let secret =
        query(&copy, "SELECT position('replicates' IN setting) FROM pg_settings WHERE name = 'primary_conninfo'");
    assert_eq!(secret, ["0"], "the password is in the password file alone");
    done(project, &line);

    // The folder of one replica is not that of another.
    let said = ["holds the replica of the slot replica1, and not replica2", "nothing in it was touched"];
    stopped(project, &line.replace("replica1", "replica2"), 4, &said);
    assert_eq!(runbook(project, &line.replace("replica1", "replica-1")).code, 2);

    // It is down, and comes up again.
    place.stop();
    done(project, &line);
    until(&copy, "SELECT count(*) FROM chunks WHERE chunk_index = 10", "10");

    // It is down for so long that the primary was told to give it up.
    place.stop();
    execute(&primary, "SELECT pg_drop_replication_slot('replica1')");
    let short = place.line(&primary, "right.password", 2);
    let said = ["stopped at: wait until it streams", "replication slot \"replica1\" does not exist", "run this again"];
    stopped(project, &short, 1, &said);
    place.stop();
    std::fs::rename(place.data(), place.folder.path().join("given up")).expect("a folder");
    done(project, &line);

    // What is no replica is not touched.
    execute(&copy, "SELECT pg_promote()");
    stopped(project, &line, 4, &["holds a database that is no replica", "Choose another folder"]);
}
