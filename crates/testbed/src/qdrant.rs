//! One Qdrant server: the one named by `DBOPS_TEST_QDRANT_URL`, else the embedded one.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::OnceLock;

use dbops_postgres::process;

/// A running server. The embedded one stops when this program ends, however it ends.
#[derive(Debug)]
pub struct Qdrant {
    /// Its HTTP address.
    pub url: String,
    /// Its gRPC port.
    pub grpc_port: u16,
    _supervisor: Option<Supervisor>,
}

/// The server of this test program. Its collections are shared with other tests: use [`unique`](crate::unique) names.
#[must_use]
pub fn qdrant() -> &'static Qdrant {
    static SERVER: OnceLock<Qdrant> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var("DBOPS_TEST_QDRANT_URL") {
        Ok(url) => {
            let port = std::env::var("DBOPS_TEST_QDRANT_GRPC_PORT").ok().and_then(|port| port.parse().ok());
            Qdrant { url, grpc_port: port.unwrap_or(6334), _supervisor: None }
        }
        Err(_) => start_qdrant(),
    })
}

/// A server of the test's own, empty at first: the embedded one. It stops when it is dropped.
#[must_use]
pub fn start_qdrant() -> Qdrant {
    start_qdrant_with(&std::env::temp_dir().join(crate::unique("dbops-qdrant")), &[])
}

/// The same with its data in this folder, which goes when it stops, and with API keys that it asks for: one, or one
/// and an alternative one.
#[must_use]
pub fn start_qdrant_with(data: &Path, keys: &[&str]) -> Qdrant {
    start(&program(), data, keys)
}

/// The folder with the workspace's programs, all of them built.
///
/// # Panics
///
/// When they do not build.
#[must_use]
pub fn programs() -> PathBuf {
    program().parent().expect("a folder").to_path_buf()
}

fn program() -> PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let given = || std::env::var_os("DBOPS_TEST_QDRANT_PROGRAM").map(PathBuf::from);
    PROGRAM.get_or_init(|| given().unwrap_or_else(build)).clone()
}

/// Builds the embedded server with the cargo that runs the tests; nothing to do when it is there.
///
/// All of the workspace's programs with it, as `cargo xtask dev-up` does: cargo chooses the features of dependencies for
/// what is built together, and in other company Qdrant's engine would be compiled again.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = process::command(cargo);
    command.args(["build", "--quiet", "--workspace", "--exclude", "xtask", "--bins"]);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    // ring's build script would take what cargo says of this program for a change.
    let names = std::env::vars_os().map(|(name, _)| name);
    let is_about_us = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    names.filter(is_about_us).for_each(|name| {
        command.env_remove(name);
    });
    assert!(command.status().expect("cargo").success(), "the programs do not build");
    // Test programs stand in target/PROFILE/deps.
    let program = std::env::current_exe().expect("this program");
    let target = program.parent().and_then(Path::parent).and_then(Path::parent).expect("the target folder");
    target.join("debug/dbops-qdrant-embedded")
}

/// Runs the server in a process group of its own, which Ctrl-C does not reach, and removes its data when it has ended;
/// it ends when standard input does.
const SUPERVISOR: &str = r#"exec 3<&0
"$1" --data "$2" --http-port 0 --grpc-port 0 --parent-stdin <&3
rm -rf "$2""#;

fn start(program: &Path, data: &Path, keys: &[&str]) -> Qdrant {
    let mut command = process::command("/bin/sh");
    command.args(["-c", SUPERVISOR, "sh"]).arg(program).arg(data);
    command.envs(["QDRANT__SERVICE__API_KEY", "QDRANT__SERVICE__ALT_API_KEY"].into_iter().zip(keys));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().expect("the embedded server");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("the server's first line");
    let address = |key: &str| {
        let word = line.split_whitespace().find_map(|word| word.strip_prefix(key));
        word.unwrap_or_else(|| panic!("the embedded server said: {line}")).to_owned()
    };
    let grpc_port = address("grpc=").rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let stdin = child.stdin.take();
    Qdrant { url: format!("http://{}", address("http=")), grpc_port, _supervisor: Some(Supervisor { child, stdin }) }
}

/// Ends the server when it is dropped, or when this program ends.
#[derive(Debug)]
struct Supervisor {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It ends by itself; there is nothing to do about one that does not.
        let _ = self.child.wait();
    }
}
