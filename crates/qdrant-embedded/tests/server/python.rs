//! Qdrant's own Python client, and LangChain's store on it, against the server.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Server, program};

/// A client for servers of 1.18, the release that this server calls itself.
const PACKAGES: [&str; 2] = ["qdrant-client==1.18.*", "langchain-qdrant==1.1.*"];

#[test]
fn what_programs_do_every_day() {
    let python = python();
    let directory = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("QDRANT__SERVICE__API_KEY", "secret");
    let server = Server::start_with(command, directory.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/everyday/main.py");
    let snapshots = directory.path().join("snapshots");
    let port = |address: &str| address.rsplit_once(':').unwrap().1.to_owned();
    for mode in ["rest", "grpc"] {
        // The client warns that the key goes unencrypted.
        let mut arguments = vec!["-W".to_owned(), "ignore".to_owned(), script.display().to_string()];
        arguments.extend([port(&server.http), port(&server.grpc), mode.to_owned(), "secret".to_owned()]);
        arguments.push(snapshots.display().to_string());
        run(&python, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// A Python with the client, made once in a folder below `target/`.
fn python() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_BIN_EXE_dbops-qdrant-embedded")).ancestors().nth(2).unwrap().to_path_buf();
    let folder = target.join("qdrant-client-1.18");
    // Another test program may be at it.
    let lock = File::create(target.join("qdrant-client-1.18.lock")).unwrap();
    lock.lock().unwrap();
    let (python, done) = (folder.join("bin/python"), folder.join("complete"));
    if !done.exists() {
        run("python3".as_ref(), &["-m", "venv", "--clear", folder.to_str().unwrap()]);
        let [client, langchain] = PACKAGES;
        run(&python, &["-m", "pip", "install", "--quiet", client, langchain]);
        File::create(done).unwrap();
    }
    python
}

#[expect(clippy::disallowed_methods, reason = "the tests start the client")]
fn run(program: &Path, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        // Where a proxy is named, it is not for the server under test.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .env("LANGSMITH_TRACING", "false")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}{error}", String::from_utf8_lossy(&output.stdout));
}
