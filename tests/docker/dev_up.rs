//! `cargo xtask dev-up` where an engine answers.

use std::path::Path;

use dbops_postgres::process;
use tempfile::TempDir;

use super::engine::{docker, inspect, root, sql};

const CONTAINERS: [&str; 3] = ["dev700-postgres-db", "dev700-vector-db", "dev700-qdrant-db"];

/// The driver on a stack of its own: its exit code, and both streams.
fn xtask(state: &TempDir, arguments: &[&str]) -> (Option<i32>, String) {
    let driver = Path::new(env!("CARGO_BIN_EXE_dbops")).with_file_name("xtask");
    let mut command = process::command(driver);
    command.args(arguments).arg("--state").arg(state.path()).current_dir(root());
    let output = command.output().expect("the driver");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.code(), text)
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn dev_up_takes_docker_and_stays_with_it() {
    let state = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let (code, text) = xtask(&state, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {text}");
        text
    };
    let text = run(&["dev-up", "--port-offset", "700"]);
    assert!(text.contains("with Docker: an engine answers, and has the images"), "{text}");
    assert!(text.contains("running, postgres:18-alpine in dev700-postgres-db"), "{text}");
    assert!(text.contains("localhost:6134") && text.contains("export STACK_PREFIX=dev700-"), "{text}");
    assert_eq!(sql(CONTAINERS[0], "bot_db", "SELECT to_regclass('users') IS NULL"), "f");
    let ids = || CONTAINERS.map(|container| inspect(container, "{{.Id}}"));
    let before = ids();
    run(&["dev-up"]);
    assert_eq!(ids(), before);

    let (code, text) = xtask(&state, &["dev-up", "--runtime", "local"]);
    assert!(code == Some(1) && text.contains("this stack is containers") && text.contains("hint: "), "{text}");

    assert!(run(&["dev-down"]).contains("the data stays"));
    assert_eq!(run(&["dev-status"]).matches("exited, ").count(), 3);
    run(&["dev-up"]);
    assert_eq!(ids(), before);
    assert!(run(&["dev-down", "--volumes"]).contains("the data is deleted"));
    assert!(!docker(&["ps", "--all"]).contains("dev700-") && !docker(&["volume", "ls"]).contains("dev700-"));
}

#[test]
#[ignore = "cargo xtask docker-test runs it"]
fn dev_up_says_what_docker_does_not_have() {
    let state = tempfile::tempdir().expect("a folder");
    let driver = Path::new(env!("CARGO_BIN_EXE_dbops")).with_file_name("xtask");
    let mut command = process::command(driver);
    command.args(["dev-up", "--runtime", "docker", "--port-offset", "700", "--state"]).arg(state.path());
    let output = command.env("DB_IMAGE", "no-such/image").current_dir(root()).output().expect("the driver");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("the image no-such/image is not there and cannot be pulled"), "{text}");
    assert!(text.contains("hint: `--runtime local` needs no Docker"), "{text}");
}
