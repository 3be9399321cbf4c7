//! The program that serves Qdrant: the one that `QDRANT_BIN` names or PATH has, else the embedded one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dbops_postgres::process;
use serde_json::Value;

use crate::http::page_at;
use crate::workspace::{built, env_path};

/// The package and the program.
pub(crate) const EMBEDDED: &str = "dbops-qdrant-embedded";

pub(crate) const START_LIMIT: Duration = Duration::from_secs(45);

/// Which program serves.
pub(crate) enum Program {
    /// Qdrant itself.
    Qdrant(PathBuf),
    /// `crates/qdrant-embedded`.
    Embedded,
}

impl Program {
    pub(crate) fn find() -> Self {
        let on_path = || {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path).map(|folder| folder.join("qdrant")).find(|file| file.is_file())
        };
        env_path("QDRANT_BIN").or_else(on_path).map_or(Self::Embedded, Self::Qdrant)
    }

    /// The command that serves this data on these ports.
    pub(crate) fn command(&self, data: &Path, http_port: u16, grpc_port: u16) -> Command {
        let mut command = match self {
            Self::Embedded => process::command(built(EMBEDDED, "debug")),
            Self::Qdrant(path) => process::command(path),
        };
        // An API key that is meant for another server must not lock this one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"QDRANT__")) {
            command.env_remove(name);
        }
        match self {
            Self::Embedded => {
                command.arg("--data").arg(data).arg("--http-port").arg(http_port.to_string());
                command.arg("--grpc-port").arg(grpc_port.to_string());
            }
            Self::Qdrant(_) => {
                command
                    .env("QDRANT__STORAGE__STORAGE_PATH", data.join("storage"))
                    .env("QDRANT__STORAGE__SNAPSHOTS_PATH", data.join("snapshots"))
                    .env("QDRANT__SERVICE__HOST", "127.0.0.1")
                    .env("QDRANT__SERVICE__HTTP_PORT", http_port.to_string())
                    .env("QDRANT__SERVICE__GRPC_PORT", grpc_port.to_string())
                    .env("QDRANT__TELEMETRY_DISABLED", "true");
            }
        }
        command
    }
}

/// Passes a command to a shell script as its last arguments, environment included.
pub(crate) fn hand_over(server: &Command, shell: &mut Command) {
    shell.arg(server.get_program()).args(server.get_args());
    for (name, value) in server.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
}

/// What the server at a port calls itself, over plain HTTP.
pub(crate) async fn version_at(port: u16) -> Result<String> {
    let body = page_at(port).await?;
    let start = body.find('{').context("no JSON")?;
    let end = body.rfind('}').context("no JSON")?;
    let body: Value = serde_json::from_str(&body[start..=end])?;
    let title = body["title"].as_str().unwrap_or_default();
    if !title.contains("qdrant") {
        bail!("something else listens on port {port}");
    }
    Ok(format!("Qdrant {}", body["version"].as_str().unwrap_or("of unknown version")))
}
