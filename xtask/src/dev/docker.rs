//! The stack as containers: `docker/compose.yaml` on the stack's ports.

use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use dbops_postgres::process;

use super::state::State;
use crate::progress::Progress;
use crate::workspace::root;

/// What the stack runs on.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runtime {
    /// Docker, if an engine answers and has the images or can pull them; else local
    Auto,
    /// Containers
    Docker,
    /// Programs of this machine
    Local,
}

/// The services, each with its container.
pub(super) const SERVICES: [(&str, &str); 3] =
    [("db", "postgres-db"), ("vector_db", "vector-db"), ("qdrant", "qdrant-db")];

const ANSWER_LIMIT: Duration = Duration::from_secs(10);
const PULL_LIMIT: Duration = Duration::from_secs(600);
const START_LIMIT: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(200);

/// Compose v1 or v2, with the variables of this stack.
pub(super) struct Containers {
    compose: &'static [&'static str],
    variables: Vec<(&'static str, OsString)>,
    prefix: String,
}

impl Containers {
    /// The engine; the error says why there is none, as a part of a sentence.
    pub(super) async fn find(state: &State) -> Result<Self, String> {
        let answers = |words: &[&str]| process::run(command(words), ANSWER_LIMIT);
        answers(&["docker", "version", "--format", "{{.Server.Version}}"])
            .await
            .map_err(|_| "no Docker engine answers".to_owned())?;
        let both: [&'static [&'static str]; 2] = [&["docker", "compose"], &["docker-compose"]];
        for compose in both {
            if answers(&[compose, &["version"]].concat()).await.is_ok() {
                return Ok(Self { compose, variables: variables(state), prefix: state.container_prefix() });
            }
        }
        Err("Docker has no Compose".into())
    }

    /// Sees to it that the images are there; the error is a part of a sentence.
    pub(super) async fn pull(&self, progress: &Progress) -> Result<(), String> {
        let config = self.run(&["config"], ANSWER_LIMIT).await.map_err(|error| format!("{error:#}"))?;
        for image in images(&config) {
            let is_there = process::run(command(&["docker", "image", "inspect", &image]), ANSWER_LIMIT).await.is_ok();
            if !is_there {
                progress.step(&format!("pulling {image}"));
                let pulled = process::run(command(&["docker", "pull", "--quiet", &image]), PULL_LIMIT).await;
                pulled.map_err(|_| format!("the image {image} is not there and cannot be pulled"))?;
            }
        }
        Ok(())
    }

    /// Starts what does not run, and waits until everything answers.
    pub(super) async fn start(&self, progress: &Progress) -> Result<()> {
        progress.step("starting the containers");
        let services = SERVICES.map(|(service, _)| service);
        self.run(&[&["up", "-d"][..], &services].concat(), START_LIMIT).await?;
        let deadline = Instant::now() + START_LIMIT;
        for (_, container) in SERVICES {
            let container = format!("{}{container}", self.prefix);
            while self.inspect(&container, "{{.State.Health.Status}}").await.as_deref() != Some("healthy") {
                if Instant::now() > deadline {
                    bail!("{container} does not become healthy\nhint: `docker logs {container}` says why");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    pub(super) async fn stop(&self, volumes: bool) -> Result<()> {
        let arguments: &[&str] = if volumes { &["down", "--volumes"] } else { &["stop"] };
        self.run(arguments, START_LIMIT).await.map(drop)
    }

    /// One word on a container, or more.
    pub(super) async fn describe(&self, container: &str) -> String {
        let container = format!("{}{container}", self.prefix);
        let found = self.inspect(&container, "{{.State.Status}}, {{.Config.Image}} in {{.Name}}").await;
        found.map_or("not created".into(), |text| text.replace(" in /", " in "))
    }

    async fn inspect(&self, container: &str, template: &str) -> Option<String> {
        let output = process::run(command(&["docker", "inspect", "--format", template, container]), ANSWER_LIMIT).await;
        Some(String::from_utf8_lossy(&output.ok()?).trim().to_owned())
    }

    async fn run(&self, arguments: &[&str], limit: Duration) -> Result<String> {
        let words = [self.compose, arguments].concat();
        let mut command = command(&words);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = process::run(command, limit).await.map_err(|error| anyhow!("{error}"));
        Ok(String::from_utf8_lossy(&output.with_context(|| words.join(" "))?).into_owned())
    }
}

fn command(words: &[&str]) -> Command {
    let (program, arguments) = words.split_first().unwrap_or((&"docker", &[]));
    let mut command = process::command(program);
    command.args(arguments).current_dir(root());
    command
}

/// What compose.yaml reads: the ports, and for another stack than the usual one the names.
fn variables(state: &State) -> Vec<(&'static str, OsString)> {
    let port = |usual: u16| OsString::from(state.port(usual).to_string());
    let mut variables = vec![
        ("DB_PORT", port(5434)),
        ("VECTOR_DB_PORT", port(5433)),
        ("QDRANT_PORT", port(6333)),
        ("QDRANT_GRPC_PORT", port(6334)),
    ];
    let prefix = state.container_prefix();
    if !prefix.is_empty() {
        variables.push(("COMPOSE_PROJECT_NAME", prefix.trim_end_matches('-').into()));
        variables.push(("STACK_PREFIX", prefix.into()));
    }
    variables
}

/// The images of the services in what `compose config` prints.
fn images(config: &str) -> Vec<String> {
    let mut service = "";
    let mut images = Vec::new();
    for line in config.lines() {
        let indent = line.len() - line.trim_start().len();
        if indent == 2 {
            service = line.trim().trim_end_matches(':');
        }
        let image = line.strip_prefix("    image: ").filter(|_| SERVICES.iter().any(|(known, _)| *known == service));
        images.extend(image.map(String::from));
    }
    images
}
