//! The stack's Qdrant.

use std::fs::{self, File, TryLockError};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use dbops_postgres::{check_port, process};

use super::state::State;
use super::{KILL_LIMIT, port_hint, runs_elsewhere};
use crate::progress::Progress;
use crate::qdrant::{Program, START_LIMIT, hand_over, version_at};

const HTTP_PORT: u16 = 6333;
/// The highest of the stack's ports.
pub(super) const GRPC_PORT: u16 = 6334;
const STOP_LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(30);

/// Writes the number of the process that the shell then becomes: there is no moment without it. A terminal that is
/// closed does not end the server.
const RUN: &str = r#"trap '' HUP; echo "$$ $1" >"$0" && shift && exec "$@""#;

pub(super) struct Server {
    folder: PathBuf,
    http_port: u16,
    grpc_port: u16,
}

/// A server that lives.
struct Running {
    /// Unless it started just now.
    pid: Option<i32>,
    http_port: Option<u16>,
}

impl Server {
    pub(super) fn new(state: &State) -> Self {
        Self { folder: state.qdrant(), http_port: state.port(HTTP_PORT), grpc_port: state.port(GRPC_PORT) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://localhost:{}", self.http_port)
    }

    pub(super) fn grpc_port(&self) -> u16 {
        self.grpc_port
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Its process and its port. The server has the file as its standard input, locked: the lock lives as long as it
    /// does, and a number that has become another process' cannot be taken for it.
    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    fn running(&self) -> Option<Running> {
        let file = File::open(self.pid_file()).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
        let mut words = text.split_whitespace();
        let pid = words.next().and_then(|word| word.parse().ok());
        Some(Running { pid, http_port: words.next().and_then(|word| word.parse().ok()) })
    }

    /// Refuses ports that something else has, and a server on other ports, before anything is started.
    pub(super) fn check_ports(&self, state: &State) -> Result<()> {
        match self.running() {
            Some(Running { http_port: Some(other), .. }) if other != self.http_port => {
                bail!(runs_elsewhere("Qdrant", other, state))
            }
            Some(_) => Ok(()),
            None => [self.http_port, self.grpc_port].into_iter().try_for_each(|port| {
                check_port(port).map_err(|error| anyhow!("{error}\nhint: {}", port_hint(port, state)))
            }),
        }
    }

    pub(super) async fn start(&self, state: &State, progress: &Progress) -> Result<()> {
        if self.running().is_some() {
            progress.step(&format!("connecting to Qdrant on ports {} and {}", self.http_port, self.grpc_port));
            return self.wait_until_ready().await;
        }
        self.check_ports(state)?;
        progress.step(&format!("starting Qdrant on ports {} and {}", self.http_port, self.grpc_port));
        let data = self.folder.join("data");
        fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
        let log = File::create(self.log()).with_context(|| format!("cannot write {}", self.log().display()))?;
        let server = Program::find().command(&data, self.http_port, self.grpc_port);
        let mut shell = process::command("/bin/sh");
        shell.args(["-c", RUN]).arg(self.pid_file()).arg(self.http_port.to_string());
        hand_over(&server, &mut shell);
        shell.stdin(self.locked_pid_file().await?).stdout(log.try_clone()?).stderr(log);
        shell.current_dir(&data).process_group(0);
        shell.spawn().context("cannot start Qdrant")?;
        self.wait_until_ready().await
    }

    async fn locked_pid_file(&self) -> Result<File> {
        let path = self.pid_file();
        let open = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = open.with_context(|| format!("cannot write {}", path.display()))?;
        for _ in 0..50 {
            if file.try_lock().is_ok() {
                return Ok(file);
            }
            // A `dev-status` is looking.
            tokio::time::sleep(PAUSE).await;
        }
        bail!("cannot lock {}", path.display())
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        // A server that is gone has said why.
        while Instant::now() < deadline && self.running().is_some() {
            if version_at(self.http_port).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        let log = fs::read(self.log()).unwrap_or_default();
        bail!(
            "Qdrant did not start; its log ends:\n{}\nhint: the log is {}",
            process::last_lines(&String::from_utf8_lossy(&log), 8),
            self.log().display()
        )
    }

    pub(super) async fn stop(&self) -> Result<()> {
        let deadline = Instant::now() + STOP_LIMIT;
        let mut asked = None;
        while let Some(Running { pid, .. }) = self.running() {
            if let Some(pid) = pid.filter(|_| asked.is_none()) {
                // One that ended meanwhile is what is wanted.
                let _ = process::terminate(pid);
                asked = Some(pid);
            }
            if Instant::now() > deadline {
                let pid = asked.map(|pid| pid.to_string()).unwrap_or_default();
                bail!("Qdrant (process {pid}) does not stop\nhint: kill -9 {pid}; what it acknowledged is on disk");
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    pub(super) async fn describe(&self) -> String {
        // A process that is being killed closes its ports a moment before it lets go of the lock.
        let deadline = Instant::now() + KILL_LIMIT;
        while self.running().is_some() {
            match version_at(self.http_port).await {
                Ok(version) => return format!("running, {version}"),
                Err(error) if Instant::now() > deadline => return format!("does not answer ({error:#})"),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        if self.folder.join("data").exists() { "stopped".into() } else { "not created".into() }
    }
}
