//! A cluster's data folder and the server that runs on it: what can be known and done without PostgreSQL's programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::ClusterError;
use crate::process::{self, ProcessError};

/// How long a server may take to end its sessions and write out what it holds.
const STOP_LIMIT: Duration = Duration::from_secs(45);
const STOP_PAUSE: Duration = Duration::from_millis(20);

/// Whether a cluster's server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// There is no data folder yet.
    Absent,
    /// There is data and no server.
    Stopped,
    /// A server runs on the data, or is about to.
    Running,
}

/// The folder of a database cluster, there or not.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
}

/// A server that lives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Postmaster {
    pid: Pid,
    port: Option<u16>,
    pub(crate) is_ready: bool,
}

impl DataFolder {
    /// Names a folder; nothing is touched.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The server's log, beside the folder.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.with_extension("log")
    }

    /// The major version that made the folder, for choosing the programs; `None` when there is no cluster.
    #[must_use]
    pub fn major(&self) -> Option<u32> {
        fs::read_to_string(self.path.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Whether there is a cluster and its server runs.
    #[must_use]
    pub fn state(&self) -> ClusterState {
        match (self.major(), self.postmaster()) {
            (None, _) => ClusterState::Absent,
            (Some(_), None) => ClusterState::Stopped,
            (Some(_), Some(_)) => ClusterState::Running,
        }
    }

    /// The port of the server that runs; a server that has just begun to start has not said it yet.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.postmaster()?.port
    }

    /// Stops the server, ending its sessions; nothing to do when it does not run.
    ///
    /// # Errors
    ///
    /// When it does not stop.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        let Some(server) = self.postmaster() else { return Ok(()) };
        // SIGINT is PostgreSQL's "fast shutdown": https://www.postgresql.org/docs/18/server-shutdown.html
        let sent = rustix::process::kill_process(server.pid, Signal::INT);
        let deadline = Instant::now() + STOP_LIMIT;
        while self.postmaster().is_some_and(|now| now.pid == server.pid) {
            if let Err(error) = sent {
                let source = ProcessError::Start { program: "kill".into(), source: error.into() };
                return Err(self.failed("stop", source));
            }
            if Instant::now() > deadline {
                let source = ProcessError::TimedOut { program: "postgres".into(), limit: STOP_LIMIT };
                return Err(self.failed("stop", source));
            }
            tokio::time::sleep(STOP_PAUSE).await;
        }
        Ok(())
    }

    /// The server that runs on the folder, from `postmaster.pid`. The file outlives a server that was killed, and its
    /// number may then be another program's, or none's.
    pub(crate) fn postmaster(&self) -> Option<Postmaster> {
        let text = fs::read(self.path.join("postmaster.pid")).ok()?;
        let text = String::from_utf8_lossy(&text);
        // Process, data folder, start time, port, socket folder, address, shared memory, status.
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let pid = Pid::from_raw(lines.first()?.parse().ok().filter(|pid| *pid > 0)?)?;
        let port = lines.get(3).and_then(|line| line.parse().ok());
        let is_ready = lines.get(7).is_some_and(|status| *status == "ready");
        self.is_served_by(pid).then_some(Postmaster { pid, port, is_ready })
    }

    fn is_served_by(&self, pid: Pid) -> bool {
        let number = pid.as_raw_nonzero();
        match fs::read_link(format!("/proc/{number}/cwd")) {
            // Every process of a cluster works in the data folder.
            Ok(folder) => {
                let name = fs::read_to_string(format!("/proc/{number}/comm")).unwrap_or_default();
                name.contains("postgres") && self.path.canonicalize().is_ok_and(|path| path == folder)
            }
            // Not Linux, or not ours to look at.
            Err(_) => process::command_line(number.get()).is_some_and(|line| {
                let (program, arguments) = line.split_once(" -D ").unwrap_or_default();
                program.ends_with("postgres") && arguments.starts_with(&*self.path.to_string_lossy())
            }),
        }
    }

    /// Removes a `postmaster.pid` whose number has become another program's: PostgreSQL would refuse to start.
    ///
    /// One whose number is nobody's PostgreSQL clears away itself, with more care. Should processes of the server that
    /// was killed still live, its shared memory, found by the folder's inode, keeps a new one from starting.
    pub(crate) fn remove_foreign_pid_file(&self) {
        let path = self.path.join("postmaster.pid");
        let pid = fs::read_to_string(&path).ok().and_then(|text| text.lines().next()?.trim().parse().ok());
        let is_alive = pid.and_then(Pid::from_raw).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
        if is_alive && self.postmaster().is_none() {
            // If it stays, PostgreSQL names it.
            let _ = fs::remove_file(path);
        }
    }

    pub(crate) fn failed(&self, action: &'static str, source: ProcessError) -> ClusterError {
        let log = fs::read(self.log()).unwrap_or_default();
        let log = process::last_lines(&String::from_utf8_lossy(&log), 8);
        ClusterError::Failed { data: self.path.clone(), action, log, source }
    }
}
