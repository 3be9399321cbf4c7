//! Running pg_dump and pg_restore: what they inherit, and how they end when nobody waits for them any more.

use std::ffi::OsString;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use dbops_postgres::passfile::TemporaryPassfile;
use dbops_postgres::process::{self, ProcessError};
use dbops_postgres::{ClientPrograms, Container, DatabaseUrl, Installation, Places};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use crate::Error;

/// How long a program has to cancel its statements on the server when it is no longer wanted.
const END_LIMIT: Duration = Duration::from_secs(3);
/// How much of what a program says to standard error is kept: the end.
const STDERR_KEPT: usize = 16 * 1024;

/// Where the client programs are, and what they may see of the environment.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Where to look for them.
    pub places: Places,
    /// The variables that they get, and no others: any variable may hold the URL of a database with its password, and
    /// the environment of a process is there to read for others of its user.
    pub environment: Vec<(String, OsString)>,
}

/// A client program that connects to no server.
pub(crate) fn bare_command(programs: &Programs, installation: &Installation, name: &str) -> Command {
    restricted(process::command(installation.program(name)), programs)
}

/// A program that sees of the environment what it may.
fn restricted(mut command: Command, programs: &Programs) -> Command {
    command.env_clear().env("LC_ALL", "C").envs(programs.environment.iter().map(|(name, value)| (name, value)));
    command
}

/// A client program for one database. The name of the file is all that it gets to know of the password from outside.
pub(crate) fn command(
    programs: &Programs,
    place: &ClientPrograms,
    name: &str,
    url: &DatabaseUrl,
    passfile: Option<&TemporaryPassfile>,
) -> Command {
    let mut command = restricted(place.command(name), programs);
    if let Some(passfile) = passfile {
        command.env("PGPASSFILE", passfile.path());
    }
    command.arg("--no-password").arg(format!("--dbname={}", place.conninfo(url)));
    command
}

/// A client program in a container that is handed an archive of so many bytes.
pub(crate) fn command_on_archive(
    programs: &Programs,
    container: &Container,
    name: &str,
    url: &DatabaseUrl,
    archive_bytes: u64,
) -> Command {
    let mut command = restricted(container.command_on(name, archive_bytes), programs);
    command.arg("--no-password").arg(format!("--dbname={}", url.conninfo_at_hand()));
    command
}

/// A client program in a container that reads its standard input and connects to no server.
pub(crate) fn command_on_input(programs: &Programs, container: &Container, name: &str) -> Command {
    restricted(container.command_on_input(name), programs)
}

/// A client program that is sent where no server is, only to hear what it says to an argument.
pub(crate) fn probe_command(programs: &Programs, place: &ClientPrograms, name: &str, argument: &str) -> Command {
    let mut command = restricted(place.command(name), programs);
    command.args(["--no-password", "--dbname=host=/nonexistent", "--format=custom", argument]);
    command
}

/// The file with the password of `url`, for the time of a run.
pub(crate) fn passfile(url: &DatabaseUrl) -> Result<Option<TemporaryPassfile>, Error> {
    TemporaryPassfile::write(url).map_err(Error::io("write", "the temporary password file".as_ref()))
}

/// A program at work. Dropped, it is asked to end, so that it cancels what it has running on the server, then killed.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
    /// Open for as long as the program is wanted.
    stdin: Option<ChildStdin>,
}

impl Running {
    pub(crate) fn start(mut command: Command, stdout: Stdio) -> Result<Self, ProcessError> {
        use std::os::unix::process::CommandExt;

        let name = process::name_of(&command);
        // Ctrl-C at the terminal is for dbops, which ends its programs in order.
        command.process_group(0).stdout(stdout).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        match command.kill_on_drop(true).spawn() {
            Ok(mut child) => Ok(Self { stdin: child.stdin.take(), child, name }),
            Err(source) => Err(ProcessError::Start { program: name, source }),
        }
    }

    /// As [`start`](Self::start), with what the program reads first; its standard input stays open until it ends.
    pub(crate) async fn start_with(
        mut command: Command,
        stdout: Stdio,
        first_line: Option<Vec<u8>>,
    ) -> Result<Self, ProcessError> {
        let Some(line) = first_line else { return Self::start(command, stdout) };
        command.stdin(Stdio::piped());
        let mut running = Self::start(command, stdout)?;
        if let Some(stdin) = &mut running.stdin {
            // One that has ended already says why at its end.
            drop(stdin.write_all(&line).await);
        }
        Ok(running)
    }

    /// Its standard input, once: closed, it ends what runs in a container.
    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Its output, once.
    pub(crate) fn pipes(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits for its end.
    pub(crate) async fn wait(&mut self, stderr: &[u8]) -> Result<(), ProcessError> {
        let status: ExitStatus = match self.child.wait().await {
            Ok(status) => status,
            Err(source) => return Err(ProcessError::Start { program: self.name.clone(), source }),
        };
        if status.success() { Ok(()) } else { Err(process::failure(&self.name, status, stderr)) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { return };
        if kill_process(pid, Signal::TERM).is_err() {
            return;
        }
        let deadline = Instant::now() + END_LIMIT;
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The end of what a program writes to standard error, read until it closes it.
pub(crate) async fn read_tail(pipe: Option<ChildStderr>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return kept };
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        kept.extend_from_slice(&buffer[..count]);
        let surplus = kept.len().saturating_sub(STDERR_KEPT);
        kept.drain(..surplus);
    }
    kept
}
