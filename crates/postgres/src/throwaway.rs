//! A cluster for one purpose: up in a second, and gone afterwards, also when this process is killed.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::process::last_lines;
use crate::{ClusterError, DatabaseUrl, Installation, ServerUser, process};

/// Creates the cluster, starts it, says so, and waits for the end of its standard input, which comes when the parent
/// drops its side or dies, however it dies. Then it stops the server and removes the folder.
const SUPERVISOR: &str = include_str!("throwaway.sh");
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// How a throwaway cluster differs from the plainest one.
#[derive(Debug, Clone, Default)]
pub struct ThrowawayOptions {
    /// Listen on a free TCP port of 127.0.0.1 too, with password authentication there.
    pub tcp_password: Option<String>,
    /// Further settings, `name=value`.
    pub settings: Vec<String>,
}

/// A running server with the superuser `postgres` and no data of anyone's. Dropped, it stops and its files are gone.
#[derive(Debug)]
pub struct Throwaway {
    supervisor: Child,
    folder: PathBuf,
    tcp: Option<(u16, String)>,
}

impl Throwaway {
    /// Creates and starts a cluster in a new folder under the system's temporary folder. Takes about a second.
    ///
    /// Its files are not synced to disk and a crash of the machine loses them.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or the server does not start.
    pub fn start(installation: &Installation, options: &ThrowawayOptions) -> Result<Self, ClusterError> {
        let user = ServerUser::for_servers().map_err(ClusterError::User)?;
        if let Some(user) = &user {
            user.check_reach(&installation.bin)?;
        }
        let parent = temporary_folder(user.as_ref());
        let io_error = |source| ClusterError::Io { path: parent.clone(), source };
        let folder = tempfile::Builder::new().prefix("dbops-pg-").tempdir_in(&parent).map_err(io_error)?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).map_err(io_error)?;
        if let Some(password) = &options.tcp_password {
            fs::write(folder.path().join("password"), format!("{password}\n")).map_err(io_error)?;
        }
        if let Some(user) = &user {
            user.own(folder.path()).map_err(io_error)?;
            if options.tcp_password.is_some() {
                user.own(&folder.path().join("password")).map_err(io_error)?;
            }
        }
        let tcp = match &options.tcp_password {
            Some(password) => Some((free_port().map_err(io_error)?, password.clone())),
            None => None,
        };

        let mut command = process::command("/bin/sh");
        command
            .args(["-c", SUPERVISOR, "dbops-throwaway"])
            .arg(&installation.bin)
            .arg(folder.path())
            .arg(tcp.as_ref().map_or_else(|| "0".into(), |(port, _)| port.to_string()))
            .args(&options.settings)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C at the terminal goes to the parent, whose end then reaches the supervisor.
            .process_group(0);
        if let Some(user) = &user {
            user.run(&mut command);
        }
        let supervisor = command.spawn().map_err(io_error)?;
        // From here on the supervisor removes the folder.
        let mut throwaway = Self { supervisor, folder: folder.keep(), tcp };
        throwaway.wait_until_ready()?;
        Ok(throwaway)
    }

    fn wait_until_ready(&mut self) -> Result<(), ClusterError> {
        let mut answer = String::new();
        if let Some(stdout) = self.supervisor.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut answer);
            read.map_err(|source| ClusterError::Io { path: self.folder.clone(), source })?;
        }
        if answer.trim() == "ready" {
            return Ok(());
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(ClusterError::Failed {
            data: self.folder.clone(),
            action: "start",
            log: last_lines(&log, 8),
            source: process::ProcessError::Start { program: "postgres".into(), source: io::Error::other("no answer") },
        })
    }

    /// The superuser's way in to one of its databases: by TCP when that was asked for, else through the Unix socket.
    #[must_use]
    pub fn url(&self, database: &str) -> DatabaseUrl {
        let text = match &self.tcp {
            Some((port, _)) => format!("postgresql://127.0.0.1:{port}/postgres?sslmode=disable"),
            None => format!("postgresql:///postgres?host={}", self.folder.display()),
        };
        let mut url = DatabaseUrl::parse(&text, "postgres").unwrap_or_else(|error| unreachable!("{error}"));
        if let Some((_, password)) = &self.tcp {
            url.config.password(password);
        }
        url.with_database(database)
    }

    /// The process that removes the cluster when this one ends; for tests of just that.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let deadline = Instant::now() + STOP_LIMIT;
        while Instant::now() < deadline {
            if !matches!(self.supervisor.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The system's temporary folder; `/tmp` where that does not do.
fn temporary_folder(user: Option<&ServerUser>) -> PathBuf {
    let folder = std::env::temp_dir();
    // A Unix socket's path has little room; long temporary folders (macOS) do not fit.
    let fits = folder.as_os_str().len() < 60;
    // The name is written into settings, URLs and a script.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let is_plain = folder.is_absolute() && folder.as_os_str().as_encoded_bytes().iter().all(plain);
    // The supervisor removes what is in it.
    let is_usable = user.is_none_or(|user| user.can_reach(&folder) && user.can_write(&folder));
    if fits && is_plain && is_usable { folder } else { "/tmp".into() }
}

/// A port that nothing listened on a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
