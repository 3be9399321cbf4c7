//! The one place that spawns processes.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Why a program did not do what it was started for. Holds no arguments and no environment: they may be secret.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program's file name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It ended with a failure.
    #[error("{program} failed ({status}){}", detail(.stderr))]
    Failed {
        /// The program's file name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// It was stopped because it took too long.
    #[error("{program} did not end within {} seconds", limit.as_secs())]
    TimedOut {
        /// The program's file name.
        program: String,
        /// How long it had.
        limit: Duration,
    },
    /// It was stopped because it wrote too much.
    #[error("{program} wrote more than {} MiB", most >> 20)]
    TooLong {
        /// The program's file name.
        program: String,
        /// How many bytes it might have written.
        most: u64,
    },
}

fn detail(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(":\n{stderr}") }
}

/// A command whose output does not depend on the user's locale and libpq settings, with no standard input.
///
/// To run it asynchronously: `tokio::process::Command::from(command)`.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("LC_ALL", "C");
    // What libpq would take from the environment is given as arguments, and nothing else is to count.
    for name in [
        "PGDATABASE",
        "PGHOST",
        "PGHOSTADDR",
        "PGOPTIONS",
        "PGPASSFILE",
        "PGPASSWORD",
        "PGPORT",
        "PGSERVICE",
        "PGSSLMODE",
        "PGSSLROOTCERT",
        "PGUSER",
        "PGDATA",
        "PGCLIENTENCODING",
    ] {
        command.env_remove(name);
    }
    command
}

/// As [`command`], for a program that is asked to end (SIGTERM) when the thread that starts it does, kill -9 included.
///
/// Where util-linux's `setpriv` is not at hand it is a plain command: the program learns of the end by its pipes only.
pub fn bound_command(program: impl AsRef<OsStr>) -> Command {
    let Some(setpriv) = setpriv() else { return command(program) };
    let mut command = command(setpriv);
    command.args(BINDING).arg(program);
    command
}

/// What `setpriv` is told before the program.
const BINDING: [&str; 3] = ["--pdeathsig", "TERM", "--"];

/// The program, where it is there and knows what it is to do.
fn setpriv() -> Option<&'static Path> {
    static FOUND: LazyLock<Option<&Path>> = LazyLock::new(|| {
        let can_bind = |path: &&Path| {
            let mut trial = command(path);
            trial.args(BINDING).arg("/bin/true").stdout(Stdio::null()).stderr(Stdio::null());
            path.is_file() && trial.status().is_ok_and(|status| status.success())
        };
        ["/usr/bin/setpriv", "/bin/setpriv"].map(Path::new).into_iter().find(can_bind)
    });
    *FOUND
}

/// Runs a command to its end and gives its standard output; it is killed when `limit` passes or the future is dropped.
///
/// # Errors
///
/// When it cannot be started, fails, or takes longer than `limit`.
pub async fn run(command: Command, limit: Duration) -> Result<Vec<u8>, ProcessError> {
    run_capped(command, limit, u64::MAX).await
}

/// As [`run`], for a program that is not to be trusted with memory: it is killed when it writes more than `most` bytes.
///
/// # Errors
///
/// As [`run`], and when it writes too much.
pub async fn run_capped(command: Command, limit: Duration, most: u64) -> Result<Vec<u8>, ProcessError> {
    let program = name_of(&command);
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let start_error = |source| ProcessError::Start { program: program.clone(), source };
    let mut child = command.spawn().map_err(start_error)?;
    let streams = (child.stdout.take(), child.stderr.take());
    let end = async {
        // Whichever is too long ends the reading; the other may never end.
        let (stdout, stderr) = tokio::try_join!(read(streams.0, most), read(streams.1, most))?;
        Ok((child.wait().await?, stdout, stderr))
    };
    let ended = tokio::time::timeout(limit, end).await;
    let ended = ended.map_err(|_| ProcessError::TimedOut { program: program.clone(), limit })?;
    let (status, stdout, stderr) = ended.map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::FileTooLarge => ProcessError::TooLong { program: program.clone(), most },
        _ => start_error(error),
    })?;
    if status.success() { Ok(stdout) } else { Err(failure(&program, status, &stderr)) }
}

/// All of a stream, unless it is longer than `most` bytes.
async fn read(stream: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(stream) = stream else { return Ok(bytes) };
    stream.take(most.saturating_add(1)).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// As [`run`], for a command that may start others: all that it started is killed with it.
///
/// # Errors
///
/// When it cannot be started, fails, or takes longer than `limit`.
pub async fn run_group(mut command: Command, limit: Duration) -> Result<Vec<u8>, ProcessError> {
    use std::os::unix::process::CommandExt;

    let program = name_of(&command);
    command.process_group(0);
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let start_error = |source| ProcessError::Start { program: program.clone(), source };
    let child = command.spawn().map_err(start_error)?;
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
    let output = tokio::time::timeout(limit, child.wait_with_output())
        .await
        .map_err(|_| ProcessError::TimedOut { program: program.clone(), limit })?
        .map_err(start_error)?;
    group.0 = None;
    if output.status.success() { Ok(output.stdout) } else { Err(failure(&program, output.status, &output.stderr)) }
}

/// A process group that is killed when it is dropped; what has ended by itself is let go.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // There may be nobody left in it.
            let _ = rustix::process::kill_process_group(leader, Signal::KILL);
        }
    }
}

/// The error for a program that ended badly, with the last lines that it wrote.
#[must_use]
pub fn failure(program: &str, status: ExitStatus, stderr: &[u8]) -> ProcessError {
    ProcessError::Failed { program: program.into(), status, stderr: last_lines(&String::from_utf8_lossy(stderr), 12) }
}

/// The program's file name, for messages.
#[must_use]
pub fn name_of(command: &Command) -> String {
    let is_bound = setpriv().is_some_and(|setpriv| setpriv == command.get_program());
    let bound = command.get_args().nth(BINDING.len()).filter(|_| is_bound);
    let program = Path::new(bound.unwrap_or(command.get_program()));
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// The last lines of a text, trimmed.
#[must_use]
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The program and arguments of a process, joined by spaces, as `ps` shows them; `None` when there is no such process.
#[must_use]
pub fn command_line(pid: i32) -> Option<String> {
    let mut ps = command("ps");
    // In the C locale some write question marks for what is not ASCII.
    ps.args(["-ww", "-o", "args=", "-p", &pid.to_string()]).env("LC_ALL", "C.UTF-8");
    let output = ps.output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// Asks a process to end (SIGTERM).
///
/// # Errors
///
/// When there is none of that number, or it is not ours.
pub fn terminate(pid: i32) -> io::Result<()> {
    let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, Signal::TERM)?)
}
