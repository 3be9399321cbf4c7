//! The stack's Adminer, a look into the databases with a browser, where this machine has it and PHP.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dbops_postgres::process;

use super::database::{BOT_DB, USER};
use super::process::Process;
use super::state::State;
use crate::http::page_at;
use crate::progress::Progress;
use crate::workspace::env_path;

/// The highest of the stack's ports, as in `docker/compose.yaml`.
pub(super) const PORT: u16 = 8080;

/// The variable that names Adminer's file.
const FILE: &str = "ADMINER_FILE";
/// Where Debian's package has it.
const USUAL_FILE: &str = "/usr/share/adminer/adminer.php";

const PHP_LIMIT: Duration = Duration::from_secs(10);

/// Adminer's file, on a machine whose PHP can serve it; the error says what is missing, as a part of a sentence.
pub(crate) async fn find() -> Result<PathBuf, String> {
    let file = env_path(FILE).unwrap_or_else(|| USUAL_FILE.into());
    let file = std::path::absolute(&file).unwrap_or(file);
    if !file.is_file() {
        return Err(format!("there is no {}", file.display()));
    }
    let mut php = process::command("php");
    php.arg("-m");
    let modules = process::run(php, PHP_LIMIT).await.map_err(|error| error.to_string())?;
    let modules = String::from_utf8_lossy(&modules);
    let can_connect = modules.lines().any(|module| matches!(module.trim(), "pgsql" | "pdo_pgsql"));
    can_connect.then_some(file).ok_or_else(|| "PHP has no extension for PostgreSQL".into())
}

pub(super) struct Adminer {
    pub(super) process: Process,
}

impl Adminer {
    pub(super) fn new(state: &State) -> Self {
        let process = Process { name: "Adminer", folder: state.adminer(), port: state.port(PORT), other_port: None };
        Self { process }
    }

    /// Whether the stack ever had it: it is no part of one on a machine without.
    pub(super) fn is_there(&self) -> bool {
        self.process.folder.exists()
    }

    /// The page that asks for bot_db's password.
    pub(super) fn url(&self, state: &State) -> String {
        let query = format!("pgsql=localhost:{}&username={}&db={}", BOT_DB.port(state), USER, BOT_DB.name);
        format!("http://localhost:{}/?{query}", self.process.port)
    }

    /// The command that serves it, or none where it cannot be had. One that was asked for by name has to be there.
    pub(super) async fn command(&self, progress: &Progress) -> Result<Option<Command>> {
        let file = match find().await {
            Ok(file) => file,
            Err(missing) if env_path(FILE).is_some() => {
                bail!(
                    "Adminer cannot be started: {missing}\nhint: put that right, or unset {FILE} to do without Adminer"
                )
            }
            Err(missing) => {
                progress.step(&format!("without Adminer: {missing}"));
                return Ok(None);
            }
        };
        let data = self.process.data();
        let mut command = process::command("php");
        // Its sessions, and its count of failed logins, are this stack's: in TMPDIR, where PHP has no other place.
        command.env("TMPDIR", &data);
        for setting in ["sys_temp_dir=", "upload_tmp_dir=", "session.save_path="] {
            command.args(["-d", setting]);
        }
        // Distributions leave the removal of old sessions to a job for the usual folder.
        command.args(["-d", "session.gc_probability=1", "-d", "session.gc_divisor=1"]);
        // Adminer answers every request; the folder tells in the list of processes whose it is.
        command.arg("-S").arg(format!("127.0.0.1:{}", self.process.port)).arg("-t").arg(data).arg(file);
        Ok(Some(command))
    }

    pub(super) async fn start(&self, command: &Command, state: &State, progress: &Progress) -> Result<()> {
        self.process.start(command, async || self.version().await, state, progress).await
    }

    pub(super) async fn describe(&self) -> String {
        self.process.describe(async || self.version().await).await
    }

    async fn version(&self) -> Result<String> {
        let page = page_at(self.process.port).await?;
        if !page.contains("Adminer</title>") {
            bail!("what answers on port {} is not Adminer", self.process.port);
        }
        // In the addresses of its style sheet and script.
        let (_, rest) = page.split_once("version=").context("Adminer without a version")?;
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        Ok(format!("Adminer {}", &rest[..end]))
    }
}
