//! Compose and docker as the tests call them.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use dbops_postgres::process;

use crate::project::PATIENCE;

/// The project's root folder.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the root folder")
}

/// A compose project that is gone after the test, volumes included.
pub(super) struct Compose {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Compose {
    /// Compose v1, as the seed types it: in the root folder, without arguments.
    pub(super) fn new() -> Self {
        Self::of("docker-compose".into())
    }

    fn of(program: PathBuf) -> Self {
        Self { program, arguments: Vec::new(), environment: Vec::new() }
    }

    pub(super) fn v2() -> Self {
        let program = std::env::var_os("DBOPS_TEST_COMPOSE_V2").expect("docker-test names Compose v2");
        Self::of(program.into())
    }

    /// The same program on other files.
    pub(super) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.into()));
        self
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Another value from now on.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = process::command(&self.program);
        command.args(&self.arguments).args(arguments).current_dir(root());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.output().expect("Compose")
    }

    /// Expects it to end well, and gives what it said on standard output.
    pub(super) fn ok(&self, arguments: &[&str]) -> String {
        succeeded(&format!("compose {}", arguments.join(" ")), &self.run(arguments))
    }

    /// The container of a service, which may have ended.
    pub(super) fn container(&self, service: &str) -> String {
        let found = self.ok(&["ps", "--all", "--quiet", service]);
        found.lines().next().unwrap_or_else(|| panic!("{service} has no container")).to_owned()
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        // A test that failed has said why.
        self.run(&["--profile", "dev", "--profile", "app", "down", "--volumes", "--remove-orphans", "--timeout", "2"]);
    }
}

/// Runs docker, expects it to end well, and gives its standard output.
pub(super) fn docker(arguments: &[&str]) -> String {
    let output = process::command("docker").args(arguments).current_dir(root()).output().expect("docker");
    succeeded(&format!("docker {}", arguments.join(" ")), &output)
}

fn succeeded(shown: &str, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}: {}\n{text}{errors}", output.status);
    text
}

/// What a container says of itself, in a Go template.
pub(super) fn inspect(container: &str, template: &str) -> String {
    docker(&["inspect", "--format", template, container]).trim().to_owned()
}

/// Everything that a container has said, on both streams.
pub(super) fn logs(container: &str) -> String {
    let output = process::command("docker").args(["logs", container]).output().expect("docker");
    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
}

/// Runs SQL in a database's container, as the superuser, and gives the rows as psql -At does.
pub(super) fn sql(container: &str, database: &str, text: &str) -> String {
    let psql = ["exec", container, "psql", "-XAt", "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-c"];
    docker(&[&psql[..], &[text]].concat()).trim().to_owned()
}

pub(super) fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(super) fn until_healthy(containers: &[&str]) {
    for container in containers {
        until(&format!("{container} is healthy"), || inspect(container, "{{.State.Health.Status}}") == "healthy");
    }
}
