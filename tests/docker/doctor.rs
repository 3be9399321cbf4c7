//! `dbops doctor` on what a real engine says of containers: what it sees, and that what it then says repairs it.

use std::io::{Read, Write};
use std::process::Stdio;

use dbops_postgres::process;

use crate::project::Project;

use super::engine::{Compose, docker, inspect, until, until_healthy};
use super::seed::folder;

/// The step that is broken, what was seen, and what to do.
fn broken(project: &Project, target: &str) -> [String; 3] {
    let document = project.json(3, &["doctor", target]);
    let steps = document["targets"][0]["steps"].as_array().expect("steps");
    let last = steps.last().expect("a step");
    assert_eq!(last["status"], "broken", "{document:#}");
    ["step", "seen", "remedy"].map(|key| last[key].as_str().expect("a text").to_owned())
}

/// Expects the container to be what is broken.
fn expect(project: &Project, target: &str, seen: &str, remedy: &str) {
    let found = broken(project, target);
    assert!(found[0] == "container" && found[1].contains(seen) && found[2].contains(remedy), "{found:?}");
}

/// Types what doctor says, in a shell.
fn typed(project: &Project, line: &str) -> String {
    let run = project.shell(line);
    assert_eq!(run.code, 0, "{line}: {run}");
    run.stdout
}

fn at(port: &str, password: &str) -> Project {
    folder().env("DATABASE_URL_SYNC", &format!("postgresql://postgres:{password}@localhost:{port}/bot_db"))
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn what_doctor_says_of_a_container_repairs_it() {
    let compose = Compose::new();
    let here = folder();
    expect(&here, "bot_db", "there is no container postgres-db", "`docker compose up -d`");
    compose.ok(&["up", "-d", "db", "qdrant"]);
    until_healthy(&["postgres-db", "qdrant-db"]);
    here.ok(&["migrate", "-t", "bot_db"]);
    here.ok(&["doctor", "bot_db", "qdrant"]);

    for (target, container) in [("bot_db", "postgres-db"), ("qdrant", "qdrant-db")] {
        // Its port goes on accepting connections: the kernel does that for it.
        for (command, seen, remedy) in [
            ("pause", "is paused".to_owned(), format!("docker unpause {container}")),
            ("stop", format!("{container} is not running: exited"), format!("docker start {container}")),
        ] {
            docker(&[command, container]);
            expect(&here, target, &seen, &remedy);
            typed(&here, &remedy);
            until_healthy(&[container]);
            here.ok(&["doctor", target]);
        }
    }
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn doctor_finds_a_port_that_is_mapped_elsewhere_or_nowhere() {
    let compose = Compose::new().env("DB_PORT", "15434");
    compose.ok(&["up", "-d", "db"]);
    until_healthy(&["postgres-db"]);
    let here = folder();
    expect(
        &here,
        "bot_db",
        "port 5432 of postgres-db is mapped to 15434, and the URL says 5434",
        "`docker port postgres-db`",
    );
    let mapped = typed(&here, "docker port postgres-db");
    let port = mapped.trim().rsplit(':').next().expect("a port");
    let here = at(port, "admin");
    here.ok(&["migrate", "-t", "bot_db"]);
    here.ok(&["doctor", "bot_db"]);
    compose.ok(&["down"]);

    let _removed = Container::start(&["postgres:18-alpine"]);
    expect(&folder(), "bot_db", "port 5432 of postgres-db is not mapped", "ports: [\"5434:5432\"]");
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn doctor_says_whose_password_is_another_without_showing_it() {
    let mut compose = Compose::new().env("DB_PASSWORD", "f1rst-s3cret");
    compose.ok(&["up", "-d", "db"]);
    until_healthy(&["postgres-db"]);
    // The volume keeps the password that it was created with.
    compose.set("DB_PASSWORD", "s3cond-s3cret");
    compose.ok(&["up", "-d", "db"]);
    until_healthy(&["postgres-db"]);

    let here = at("5434", "s3cond-s3cret");
    let remedy = r"docker exec -it postgres-db psql -U postgres -c '\password postgres'";
    for (project, why) in [
        (&at("5434", "th1rd-s3cret"), "it differs from POSTGRES_PASSWORD of the container"),
        (&here, "the database has an older one"),
    ] {
        let found = broken(project, "bot_db");
        assert!(found[0] == "authentication" && found[2].contains(why) && found[2].contains(remedy), "{found:?}");
        let all = format!("{}{found:?}", project.run(&["doctor", "bot_db"]));
        assert!(!all.contains("s3cret"), "{all}");
    }
    let nobody = folder().env("DATABASE_URL_SYNC", "postgresql://nob\"ody:s3cond-s3cret@localhost:5434/bot_db");
    assert!(broken(&nobody, "bot_db")[2].contains("there is no user \"nob\"ody\" in postgres-db"));

    at_terminal(remedy, &["new password", "again"], "s3cond-s3cret\n");
    here.ok(&["migrate", "-t", "bot_db"]);
    here.ok(&["doctor", "bot_db"]);
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn an_unhealthy_container_is_broken_where_nothing_answers() {
    let unhealthy = ["--publish", "127.0.0.1:5434:5432", "--health-cmd", "false", "--health-interval", "1s"];
    let unhealthy = [&unhealthy[..], &["--health-retries", "1", "--env", "POSTGRES_DB=bot_db"]].concat();
    let is_unhealthy = || inspect("postgres-db", "{{.State.Health.Status}}") == "unhealthy";
    let here = folder();
    {
        // The port is the engine's proxy: it accepts, and closes.
        let _removed =
            Container::start(&[&unhealthy[..], &["--entrypoint", "sleep", "postgres:18-alpine", "1000"]].concat());
        until("the container is unhealthy", is_unhealthy);
        expect(&here, "bot_db", "postgres-db is running, and unhealthy", "`docker logs postgres-db`");
        typed(&here, "docker logs postgres-db");
    }
    let _removed = Container::start(&[&unhealthy[..], &["postgres:18-alpine"]].concat());
    until("the container is unhealthy", is_unhealthy);
    until("PostgreSQL answers", || here.run(&["migrate", "-t", "bot_db"]).code == 0);
    let run = here.ok(&["doctor", "bot_db"]);
    assert!(run.stdout.contains("unhealthy; something answers at the address all the same"), "{run}");
}

/// A container of the name in the configuration that no compose file describes, gone after the test.
struct Container;

impl Container {
    fn start(arguments: &[&str]) -> Self {
        let named = ["run", "--detach", "--name", "postgres-db", "--env", "POSTGRES_PASSWORD=admin"];
        docker(&[&named[..], arguments].concat());
        Self
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // A test that failed has said why.
        let _ = process::command("docker").args(["rm", "--force", "--volumes", "postgres-db"]).output();
    }
}

/// Types an answer to each prompt, which throws away what was typed before it came.
fn at_terminal(line: &str, prompts: &[&str], answer: &str) {
    let mut command = process::command("script");
    command.args(["-qec", line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = command.spawn().expect("script");
    let (mut keys, mut screen) =
        (terminal.stdin.take().expect("standard input"), terminal.stdout.take().expect("standard output"));
    let mut shown = Vec::new();
    for prompt in prompts {
        while !String::from_utf8_lossy(&shown).contains(prompt) {
            let mut byte = [0];
            let count = screen.read(&mut byte).expect("the screen");
            assert_ne!(count, 0, "it ended before {prompt}: {}", String::from_utf8_lossy(&shown));
            shown.extend(byte);
        }
        shown.clear();
        keys.write_all(answer.as_bytes()).expect("the keys");
    }
    screen.read_to_end(&mut shown).expect("the screen");
    let status = terminal.wait().expect("the end");
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&shown));
}
