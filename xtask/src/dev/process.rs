//! A server of the stack that the driver starts and stops itself, and watches: its process, its log, its ports.

use std::fs::{self, File, TryLockError};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use dbops_postgres::{check_port, process};

use super::state::State;
use super::{KILL_LIMIT, port_hint, runs_elsewhere};
use crate::progress::Progress;
use crate::qdrant::{START_LIMIT, hand_over};

const STOP_LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(30);

/// Writes the number of the process that the shell then becomes: there is no moment without it. A terminal that is
/// closed does not end the server.
const RUN: &str = r#"trap '' HUP; echo "$$ $1" >"$0" && shift && exec "$@""#;

pub(super) struct Process {
    /// As it is called in messages.
    pub(super) name: &'static str,
    /// Its own folder in the state.
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    /// The second one, where it has two.
    pub(super) other_port: Option<u16>,
}

/// A server that lives.
struct Running {
    /// Unless it started just now.
    pid: Option<i32>,
    port: Option<u16>,
}

impl Process {
    /// What it keeps, and where it works.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Its process and its port. The server has the file as its standard input, locked: the lock lives as long as it
    /// does, and a number that has become another process' cannot be taken for it.
    fn pid_file(&self) -> PathBuf {
        self.folder.join("pid")
    }

    fn shown_ports(&self) -> String {
        match self.other_port {
            Some(other) => format!("ports {} and {other}", self.port),
            None => format!("port {}", self.port),
        }
    }

    fn running(&self) -> Option<Running> {
        let file = File::open(self.pid_file()).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
        let mut words = text.split_whitespace();
        let pid = words.next().and_then(|word| word.parse().ok());
        Some(Running { pid, port: words.next().and_then(|word| word.parse().ok()) })
    }

    /// Refuses ports that something else has, and a server on other ports, before anything is started.
    pub(super) fn check_ports(&self, state: &State) -> Result<()> {
        match self.running() {
            Some(Running { port: Some(other), .. }) if other != self.port => {
                bail!(runs_elsewhere(self.name, other, state))
            }
            Some(_) => Ok(()),
            None => [self.port].into_iter().chain(self.other_port).try_for_each(|port| {
                check_port(port).map_err(|error| anyhow!("{error}\nhint: {}", port_hint(port, state)))
            }),
        }
    }

    /// Starts the server unless it runs, and waits until `answer` is one.
    pub(super) async fn start(
        &self,
        server: &Command,
        answer: impl AsyncFn() -> Result<String>,
        state: &State,
        progress: &Progress,
    ) -> Result<()> {
        if self.running().is_some() {
            progress.step(&format!("connecting to {} on {}", self.name, self.shown_ports()));
            return self.wait_for(answer).await;
        }
        self.check_ports(state)?;
        progress.step(&format!("starting {} on {}", self.name, self.shown_ports()));
        let data = self.data();
        fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
        let log = File::create(self.log()).with_context(|| format!("cannot write {}", self.log().display()))?;
        let mut shell = process::command("/bin/sh");
        shell.args(["-c", RUN]).arg(self.pid_file()).arg(self.port.to_string());
        hand_over(server, &mut shell);
        shell.stdin(self.locked_pid_file().await?).stdout(log.try_clone()?).stderr(log);
        shell.current_dir(&data).process_group(0);
        shell.spawn().with_context(|| format!("cannot start {}", self.name))?;
        self.wait_for(answer).await
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

    async fn wait_for(&self, answer: impl AsyncFn() -> Result<String>) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        // A server that is gone has said why.
        while Instant::now() < deadline && self.running().is_some() {
            if answer().await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        let log = fs::read(self.log()).unwrap_or_default();
        bail!(
            "{} did not start; its log ends:\n{}\nhint: the log is {}",
            self.name,
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
                bail!(
                    "{} (process {pid}) does not stop\nhint: kill -9 {pid}; what it acknowledged is on disk",
                    self.name
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// A few words on it; `answer` is what it calls itself.
    pub(super) async fn describe(&self, answer: impl AsyncFn() -> Result<String>) -> String {
        // A process that is being killed closes its ports a moment before it lets go of the lock.
        let deadline = Instant::now() + KILL_LIMIT;
        while self.running().is_some() {
            match answer().await {
                Ok(version) => return format!("running, {version}"),
                Err(error) if Instant::now() > deadline => return format!("does not answer ({error:#})"),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        if self.data().exists() { "stopped".into() } else { "not created".into() }
    }
}
