//! What Docker says about the target's container. Without docker there is nothing to ask, and nothing wrong with that.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dbops_postgres::process;
use serde::Deserialize;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::listener::says_something;
use super::walk::{Broken, Walk};
use crate::commands::{Context, docker};

/// A container that runs.
pub(super) struct Container {
    pub(super) name: String,
    docker: PathBuf,
    environment: Vec<(String, OsString)>,
    seen: Inspected,
}

/// What is read of `docker inspect`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Inspected {
    state: State,
    network_settings: Network,
    config: Settings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    status: String,
    exit_code: i64,
    health: Option<Health>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Network {
    ports: std::collections::BTreeMap<String, Option<Vec<Binding>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Binding {
    host_port: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Settings {
    env: Option<Vec<String>>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings { env: *** }")
    }
}

/// What is wrong, with what to do about it.
type Trouble = (String, String);

impl Container {
    /// Looks at the container, when there is docker and the target names one. A container that is not as it should be is
    /// a broken step only where nothing answers at the address: the server may run elsewhere.
    pub(super) async fn look(
        walk: &mut Walk<'_>,
        context: &Context,
        name: Option<&str>,
        servers: &[(String, u16)],
        own_port: u16,
    ) -> Result<Option<Self>, Broken> {
        let Some(name) = name else { return Ok(None) };
        let Some(docker) = docker::program(&context.environment) else {
            walk.skipped("container", format!("{name}: docker is not on PATH"));
            return Ok(None);
        };
        let environment = context.environment.for_programs();
        let asked = inspect(walk, &docker, &environment, name).await;
        let (seen, trouble) = match asked {
            Err(reason) if is_none(&reason) => {
                let remedy = "create it: `docker compose up -d`; `docker ps -a` lists those that there are".to_owned();
                (None, Some((format!("there is no container {name}"), remedy)))
            }
            Err(reason) => {
                walk.skipped("container", format!("{name}: docker cannot be asked: {reason}"));
                return Ok(None);
            }
            Ok(seen) => {
                let trouble = trouble(&seen, name, servers, own_port);
                (Some(seen), trouble)
            }
        };
        if let Some((seen, remedy)) = trouble {
            if answers(walk, servers).await {
                walk.skipped("container", format!("{seen}; something answers at the address all the same"));
                return Ok(None);
            }
            return Err(walk.broken("container", seen, remedy));
        }
        let Some(seen) = seen else { return Ok(None) };
        walk.passed("container", format!("{name} is {}", seen.state.words()));
        Ok(Some(Self { name: name.to_owned(), docker, environment, seen }))
    }

    /// A variable that the container was created with. Never print it.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let variables = self.seen.config.env.iter().flatten();
        variables.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Whether the server in the container has this role: asked from inside, where the image's pg_hba.conf asks for no
    /// password. Nothing when that is not so.
    pub(super) async fn has_role(&self, walk: &Walk<'_>, role: &str) -> Option<bool> {
        let superuser = self.variable("POSTGRES_USER").unwrap_or("postgres");
        let mut command = process::command(&self.docker);
        command.envs(self.environment.iter().cloned());
        let literal = dbops_postgres::quote_literal(role);
        let sql = format!("SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = {literal}");
        command.args(["exec", &self.name, "psql", "-XAt", "-w", "-U", superuser, "-d", "postgres", "-c", &sql]);
        let output = process::run(command, walk.deadline).await.ok()?;
        Some(String::from_utf8_lossy(&output).trim() == "1")
    }
}

/// Whether docker says that there is no such container. Its versions differ in capitals.
fn is_none(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    reason.contains("no such object") || reason.contains("no such container")
}

impl State {
    fn words(&self) -> String {
        match &self.health {
            Some(health) => format!("{}, {}", self.status, health.status),
            None => self.status.clone(),
        }
    }
}

async fn inspect(
    walk: &Walk<'_>,
    docker: &Path,
    environment: &[(String, OsString)],
    name: &str,
) -> Result<Inspected, String> {
    let mut command = process::command(docker);
    command.envs(environment.iter().cloned()).args(["inspect", "--type", "container", "--", name]);
    let output = process::run(command, walk.deadline).await.map_err(|error| match error {
        process::ProcessError::Failed { stderr, .. } => stderr,
        other => other.to_string(),
    })?;
    read(&output)
}

fn read(output: &[u8]) -> Result<Inspected, String> {
    // serde's message may show a value, and values may be passwords.
    let all: Vec<Inspected> = serde_json::from_slice(output).map_err(|_| "its answer is not understood".to_owned())?;
    all.into_iter().next().ok_or_else(|| "it answers nothing".to_owned())
}

fn trouble(seen: &Inspected, name: &str, servers: &[(String, u16)], own_port: u16) -> Option<Trouble> {
    match seen.state.status.as_str() {
        "running" => {}
        "restarting" => {
            return Some((format!("{name} starts again and again"), format!("see why it ends: `docker logs {name}`")));
        }
        "paused" => return Some((format!("{name} is paused"), format!("docker unpause {name}"))),
        other => {
            let code = match seen.state.exit_code {
                0 => String::new(),
                code => format!(" with exit code {code}; `docker logs {name}` says why"),
            };
            return Some((format!("{name} is not running: {other}{code}"), format!("docker start {name}")));
        }
    }
    if let Some(health) = seen.state.health.as_ref().filter(|health| health.status != "healthy") {
        let remedy = match health.status.as_str() {
            "starting" => "wait until it has started, then try again".to_owned(),
            _ => format!("see what is wrong: `docker logs {name}`"),
        };
        return Some((format!("{name} is running, and {}", health.status), remedy));
    }
    // Another machine's port says nothing about this one's.
    let is_here = |host: &str| ["localhost", "127.0.0.1", "::1"].contains(&host);
    let (_, port) = servers.iter().find(|(host, _)| is_here(host))?;
    let mapped = seen.network_settings.ports.get(&format!("{own_port}/tcp"));
    let mapped: Vec<_> = mapped.into_iter().flatten().flatten().map(|binding| binding.host_port.clone()).collect();
    if mapped.is_empty() {
        let remedy = format!("add `ports: [\"{port}:{own_port}\"]` to its service, then `docker compose up -d`");
        return Some((format!("port {own_port} of {name} is not mapped to this machine"), remedy));
    }
    if mapped.contains(&port.to_string()) {
        return None;
    }
    let seen = format!("port {own_port} of {name} is mapped to {}, and the URL says {port}", mapped.join(", "));
    Some((seen, format!("correct the port in the URL; `docker port {name}` shows it")))
}

/// Whether one of the servers says something.
async fn answers(walk: &Walk<'_>, servers: &[(String, u16)]) -> bool {
    for (host, port) in servers {
        let is_file = || std::path::Path::new(host).join(format!(".s.PGSQL.{port}")).exists();
        if host.starts_with('/') && is_file() {
            return true;
        }
        let Ok(Ok(addresses)) = timeout(walk.deadline, lookup_host((host.as_str(), *port))).await else { continue };
        for address in addresses {
            if says_something(address).await {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{read, trouble};

    /// As Docker 26 prints it, with less of what is not read.
    fn inspected(status: &str, health: &str, ports: &str) -> String {
        format!(
            r#"[{{"Id": "f00d", "Created": "2026-11-22T21:05:01.123Z", "Path": "docker-entrypoint.sh", "State":
            {{"Status": "{status}", "Running": true, "Paused": false, "Restarting": false, "OOMKilled": false, "Dead":
            false, "Pid": 4711, "ExitCode": 0, "Error": "", "StartedAt": "2026-11-22T21:05:02.456Z" {health}}}, "Name":
            "/postgres-db", "Config": {{"Hostname": "f00d", "Env": ["POSTGRES_USER=postgres", "POSTGRES_PASSWORD=s3cret=x",
            "PGDATA=/var/lib/postgresql/18/docker"], "Cmd": ["postgres"]}}, "NetworkSettings": {{"Bridge": "", "Ports":
            {ports}}}}}]"#
        )
    }

    #[test]
    fn each_state_of_a_container_has_its_verdict() {
        let mapped =
            r#"{"5432/tcp": [{"HostIp": "0.0.0.0", "HostPort": "5434"}, {"HostIp": "::", "HostPort": "5434"}]}"#;
        let health = |word: &str| format!(r#", "Health": {{"Status": "{word}", "FailingStreak": 0, "Log": []}}"#);
        let cases = [
            ("running", String::new(), mapped, "", ""),
            ("running", health("healthy"), mapped, "", ""),
            ("running", health("starting"), mapped, "db is running, and starting", "wait"),
            ("running", health("unhealthy"), mapped, "db is running, and unhealthy", "docker logs db"),
            ("exited", String::new(), "{}", "db is not running: exited", "docker start db"),
            ("created", String::new(), "{}", "db is not running: created", "docker start db"),
            ("paused", String::new(), mapped, "db is paused", "docker unpause db"),
            ("restarting", String::new(), "{}", "db starts again and again", "docker logs db"),
            ("running", String::new(), r#"{"5432/tcp": null}"#, "port 5432 of db is not mapped", "5434:5432"),
            (
                "running",
                String::new(),
                r#"{"5432/tcp": [{"HostIp": "", "HostPort": "5433"}]}"#,
                "port 5432 of db is mapped to 5433, and the URL says 5434",
                "docker port db",
            ),
        ];
        for (status, health, ports, seen, remedy) in cases {
            let text = inspected(status, &health, ports);
            let found = trouble(&read(text.as_bytes()).expect("JSON"), "db", &[("localhost".into(), 5434)], 5432);
            let (told, way) = found.unwrap_or_default();
            assert!(told.starts_with(seen) && told.is_empty() == seen.is_empty(), "{status}: {told}");
            assert!(way.contains(remedy), "{status}: {way}");
        }
        let other = inspected("running", "", r#"{"5432/tcp": null}"#);
        let seen = read(other.as_bytes()).expect("JSON");
        assert_eq!(trouble(&seen, "db", &[("db.example.com".into(), 5432)], 5432), None);
        assert!(!format!("{seen:?}").contains("s3cret"));
    }
}
