//! What a user would do next: the built `dbops` migrates, looks at the stack's health, backs it up.

use std::fs::{self, File};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use dbops_postgres::process;
use serde_json::Value;

use super::state::State;
use crate::progress::Progress;
use crate::workspace::{built, root};

/// How long one command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// Exit codes of dbops: done; a check found something.
const DONE: i32 = 0;
const FOUND: i32 = 3;

/// Brings the databases and collections up to date and backs them up once. Gives what `dbops health` warns of.
pub(super) async fn set_up(state: &State, lock: &File, progress: &Progress) -> Result<Vec<String>> {
    let dbops = Dbops { state, lock };
    progress.step("dbops migrate");
    dbops.run(&["migrate"]).await?;
    // What was never backed up is not well.
    dbops.back_up(progress).await?;
    progress.step("dbops health");
    dbops.health().await
}

struct Dbops<'a> {
    state: &'a State,
    /// Held by each dbops as its standard input: should this driver be killed, the next one waits for it.
    lock: &'a File,
}

impl Dbops<'_> {
    /// A warning is for the user to read; something worse ends `dev-up`.
    async fn health(&self) -> Result<Vec<String>> {
        // A machine that has just built all this may be slow to answer.
        let (_, document) = self.outcome(&["health", "--timeout", "30"]).await?;
        let checks = document["checks"].as_array().into_iter().flatten();
        let findings = checks.filter(|check| check["status"] != "ok").map(|check| {
            let text = |key: &str| check[key].as_str().unwrap_or_default();
            let remedy = check["remedy"].as_str().map(|remedy| format!("\n  → {remedy}")).unwrap_or_default();
            format!("{}: {} {}: {}{remedy}", text("status"), text("target"), text("id"), text("summary"))
        });
        let findings: Vec<_> = findings.collect();
        match document["status"].as_str() {
            Some("ok" | "warning") => Ok(findings),
            _ => bail!("dbops health found what has to be put right:\n{}", findings.join("\n")),
        }
    }

    /// Backs up once and verifies it; a stack that has its backup stays as it is.
    async fn back_up(&self, progress: &Progress) -> Result<()> {
        let file = self.state.backup_id();
        let noted = fs::read_to_string(&file).unwrap_or_default();
        let list = self.run(&["backup", "list"]).await?;
        let mut backups = list["backups"].as_array().into_iter().flatten();
        let known = backups.find(|backup| backup["id"] == noted.trim() && backup["complete"] == true);
        if known.is_some_and(|backup| !backup["verified"].is_null()) {
            return Ok(());
        }
        let id = match known {
            Some(_) => noted.trim().to_owned(),
            None => {
                progress.step("dbops backup");
                let set = self.run(&["backup"]).await?;
                let id = set["id"].as_str().context("dbops backup names no set")?;
                fs::write(&file, id).with_context(|| format!("cannot write {}", file.display()))?;
                id.to_owned()
            }
        };
        progress.step("dbops backup verify");
        self.run(&["backup", "verify", &id]).await.map(drop)
    }

    /// Runs a command that is to end well, and gives its document.
    async fn run(&self, arguments: &[&str]) -> Result<Value> {
        match self.outcome(arguments).await? {
            (DONE, document) => Ok(document),
            (_, document) => bail!("dbops {} found something:\n{document:#}", arguments.join(" ")),
        }
    }

    /// Runs a command to its end and gives its exit code, which is [`DONE`] or [`FOUND`], and its document.
    async fn outcome(&self, arguments: &[&str]) -> Result<(i32, Value)> {
        let shown = format!("dbops {}", arguments.join(" "));
        let mut command = process::command(built("dbops", "debug"));
        command.arg("--config").arg(root().join("config/dbops.yaml")).args(arguments).arg("--json");
        command.current_dir(root()).envs(self.state.variables()).env("QDRANT_API_KEY", "");
        command.stdin(self.lock.try_clone()?);
        let mut command = tokio::process::Command::from(command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
        let output = tokio::time::timeout(COMMAND_LIMIT, child.wait_with_output()).await;
        let output =
            output.map_err(|_| anyhow!("{shown} did not end within {} seconds", COMMAND_LIMIT.as_secs()))??;
        let document = serde_json::from_slice(&output.stdout).unwrap_or_default();
        match output.status.code() {
            Some(code @ (DONE | FOUND)) => Ok((code, document)),
            _ => Err(failure(&shown, &document, &output.stderr)),
        }
    }
}

/// The error that dbops ended with: `{"error": {"message", "causes", "hint"}}`.
fn failure(shown: &str, document: &Value, stderr: &[u8]) -> Error {
    let error = &document["error"];
    let Some(message) = error["message"].as_str() else {
        let said = process::last_lines(&String::from_utf8_lossy(stderr), 12);
        return anyhow!("{shown} failed:\n{said}");
    };
    let mut text = format!("{shown}: {message}");
    for cause in error["causes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        text.push_str(&format!("\n  {}", cause.replace('\n', "\n  ")));
    }
    if let Some(hint) = error["hint"].as_str() {
        text.push_str(&format!("\nhint: {hint}"));
    }
    anyhow!(text)
}
