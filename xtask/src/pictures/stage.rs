//! Where the pictures are taken: servers as the local stack has them, a copy of the project's configuration, and a
//! terminal. All of it is gone when this process is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use dbops_postgres::{DatabaseUrl, Installation, Throwaway, ThrowawayOptions, connect, process};

use super::screen::{COLUMNS, ROWS};
use crate::test::TestServer;
use crate::workspace::{built, places, root};

/// Rows for the page of `dbops serve`: a part of it for each backup.
const DOCUMENTS: &str = include_str!("documents.sql");
const CONVERSATIONS: &str = include_str!("conversations.sql");
const PARTS: u32 = 4;

/// The revision that the tour begins, with something in it.
const PENDING: &str = "ALTER TABLE users ADD COLUMN language text;";

/// How long one command may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What runs a command at a terminal of its own: util-linux's script, which most systems have.
const TERMINAL: &str = "script";

pub(super) struct Stage {
    bot_db: Throwaway,
    vector_db: Throwaway,
    qdrant: TestServer,
    folder: PathBuf,
}

impl Stage {
    /// Starts the servers, and does what `dev-up` does before it hands over.
    pub(super) async fn set_up() -> Result<Self> {
        let installation = Installation::find_or_fetch_server(&places(), true).await.map_err(crate::dev::with_hint)?;
        let start = || {
            // A throwaway server is careless otherwise, which `dbops health` tells.
            let settings = ["fsync=on", "full_page_writes=on"].map(String::from).to_vec();
            let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings };
            Throwaway::start(&installation, &options).context("a throwaway server")
        };
        let folder = root().join("target/pictures");
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder)?;
        let stage = Self { bot_db: start()?, vector_db: start()?, qdrant: TestServer::start().await?, folder };
        for (server, name) in [(&stage.bot_db, "bot_db"), (&stage.vector_db, "vector_db")] {
            execute(&server.url("postgres"), &format!("CREATE DATABASE {name}")).await?;
        }
        let mut copying = process::command("cp");
        copying.arg("-r").arg(root().join("config")).arg(&stage.folder);
        process::run(copying, LIMIT).await?;
        for arguments in [&["migrate"][..], &["backup"], &["backup", "verify"]] {
            stage.run(arguments).await?;
        }
        Ok(stage)
    }

    /// A program in the project's folder, with no more of this process' environment than it needs.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = process::command(program.as_ref());
        let local = |server: &Throwaway, name| server.url(name).reveal().replace("127.0.0.1", "localhost");
        let programs = built("dbops", "debug");
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", programs.parent().unwrap_or(&self.folder).display());
        command.current_dir(&self.folder).env_clear().env("PATH", path).env("HOME", &self.folder);
        command.env("DBOPS_CACHE_DIR", places().cache).env("TZ", "UTC").env("TERM", "xterm-256color");
        command.env("DATABASE_URL_SYNC", local(&self.bot_db, "bot_db"));
        command.env("VECTOR_DATABASE_URL", local(&self.vector_db, "vector_db"));
        command.env("QDRANT_URL", self.qdrant.url.replace("127.0.0.1", "localhost"));
        command.env("QDRANT_GRPC_PORT", self.qdrant.grpc_port.to_string());
        command
    }

    /// Runs dbops and expects that all is well.
    async fn run(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.command(built("dbops", "debug"));
        command.args(arguments);
        process::run(command, LIMIT).await.with_context(|| format!("dbops {}", arguments.join(" ")))?;
        Ok(())
    }

    /// Runs a line of the shell as at a terminal, and gives what that was sent, with the ports of the usual stack.
    pub(super) async fn at_a_terminal(&self, line: &str) -> Result<String> {
        let mut command = self.command(TERMINAL);
        let line = format!("stty cols {COLUMNS} rows {ROWS}; {line}");
        command.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]).stdin(Stdio::null());
        let output = tokio::process::Command::from(command).kill_on_drop(true).output();
        let output = tokio::time::timeout(LIMIT, output).await.with_context(|| line.clone())?;
        let output = output.context("cannot start script\nhint: it is part of util-linux (Debian: bsdutils)")?;
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            bail!("`{line}` did not end well ({}):\n{shown}", output.status);
        }
        Ok(self.with_usual_ports(shown))
    }

    fn with_usual_ports(&self, text: String) -> String {
        let server = |server: &Throwaway| server.url("postgres").server();
        let qdrant = self.qdrant.url.trim_start_matches("http://").to_owned();
        let servers = [(server(&self.bot_db), 5434), (server(&self.vector_db), 5433), (qdrant, 6333)];
        servers.iter().fold(text, |text, (own, usual)| {
            text.replace(&own.replace("127.0.0.1", "localhost"), &format!("localhost:{usual}"))
        })
    }

    /// Rows, points and backups, for a page with something on it, and a revision that is still to be applied.
    pub(super) async fn fill(&self) -> Result<()> {
        for part in 1..=PARTS {
            let in_part = |sql: &str| sql.replace(":part", &part.to_string());
            execute(&self.vector_db.url("vector_db"), &in_part(DOCUMENTS)).await?;
            execute(&self.bot_db.url("bot_db"), &in_part(CONVERSATIONS)).await?;
            self.run(&["qdrant", "sync"]).await?;
            self.run(&["backup"]).await?;
        }
        self.run(&["backup", "verify"]).await?;
        for entry in fs::read_dir(self.folder.join("config/bot_db/versions"))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("_add_language_to_users.sql") {
                let text = fs::read_to_string(&path)?.replace("-- +up\n", &format!("-- +up\n{PENDING}\n"));
                fs::write(&path, text)?;
            }
        }
        Ok(())
    }

    /// A folder for what is needed meanwhile.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The next run removes it otherwise.
        drop(fs::remove_dir_all(&self.folder));
    }
}

async fn execute(url: &DatabaseUrl, sql: &str) -> Result<()> {
    let client = connect(url).await.context("a throwaway server")?;
    client.batch_execute(sql).await.context("filling the databases")?;
    Ok(())
}
