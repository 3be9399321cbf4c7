//! A project folder with a configuration, and the built binary run in it with an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fmt, fs};

use dbops_postgres::{DatabaseUrl, process};
use serde_json::Value;
use tempfile::TempDir;

/// When something is given up on that should have happened, on however busy a machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Whether every case is to be tried instead of a sample.
pub(crate) fn is_exhaustive() -> bool {
    std::env::var_os("DBOPS_TEST_EXHAUSTIVE").is_some()
}

/// A folder that is gone after the test.
pub(crate) struct Project {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// How a run of `dbops` ended; shown, it reads as what a user would have seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit code {}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), environment: Vec::new() }
    }

    /// One PostgreSQL target `app` on `url`, with no revisions yet; its backups go to `backups`. Health does not look at
    /// the test server's careless settings and this machine's disk.
    pub(crate) fn with_database(url: &DatabaseUrl) -> Self {
        let project = Self::empty().env("APP_URL", &url.reveal());
        project.write(
            "dbops.yaml",
            "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n\
             health:\n  skip: [settings, disk_space]\nbackup:\n  repository: backups\n",
        );
        fs::create_dir(project.path("versions")).expect("a folder");
        project
    }

    /// Sets a variable for every run.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and the folders that lead to it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Writes a revision of `app` that follows `parent` (empty for the first).
    pub(crate) fn revision(&self, id: &str, parent: &str, up: &str, down: &str) {
        let text = format!(
            "-- revision: {id}\n-- revises: {parent}\n-- branch_labels:\n-- depends_on:\n-- message: add {id}\n\
             -- created: 2026-11-22T21:05:01Z\n\n-- +up\n{up}\n\n-- +down\n{down}\n"
        );
        self.write(&format!("versions/20261122T210501Z_{id}_add_{id}.sql"), &text);
    }

    /// The command, ready to be started; nothing of the caller's environment is passed on but what it needs to run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = process::command(env!("CARGO_BIN_EXE_dbops"));
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        for name in ["PATH", "DBOPS_PG_BIN", "DBOPS_CACHE_DIR", "LLVM_PROFILE_FILE"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.env("DBOPS_CACHE_DIR", dbops_testbed::places().cache).env("HOME", self.folder.path());
        command.env("TZ", "UTC");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `dbops` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.finish(self.command(arguments))
    }

    /// Runs a command that was made ready here.
    pub(crate) fn finish(&self, mut command: Command) -> Run {
        let output = command.output().expect("it starts");
        let folder = self.folder.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "PROJECT");
        Run { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Runs a command line as a user's shell would, with both streams as one, which is given as stdout.
    pub(crate) fn shell(&self, line: &str) -> Run {
        self.finish(self.shell_command(line))
    }

    /// The same, ready to be started.
    pub(crate) fn shell_command(&self, line: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_dbops"));
        let folder = program.parent().expect("a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.command(&[]);
        let environment: Vec<_> = command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))).collect();
        command = process::command("/bin/sh");
        command.args(["-c", &format!("exec 2>&1\n{line}")]).current_dir(self.folder.path()).env_clear();
        command.envs(environment).env("PATH", format!("{folder}:{path}"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs `dbops` and expects exit code 0.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "dbops {}: {run}", arguments.join(" "));
        run
    }

    /// Runs `dbops --json` and expects an exit code and one document.
    pub(crate) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(run.code, code, "dbops {}: {run}", arguments.join(" "));
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
    }
}

/// One of PostgreSQL's programs on a database, the password out of sight of other processes.
pub(crate) fn client(program: &str, url: &DatabaseUrl) -> Command {
    let mut command = process::command(dbops_testbed::installation().program(program));
    let password = String::from_utf8_lossy(url.password().unwrap_or_default()).into_owned();
    command.args(["-d", &url.conninfo()]).env("PGPASSWORD", password);
    command
}

/// A transaction that keeps what its statements took, locks above all, until it is dropped.
pub(crate) struct Held {
    session: (tokio::runtime::Runtime, dbops_postgres::tokio_postgres::Client),
}

impl Held {
    pub(crate) fn new(url: &DatabaseUrl, sql: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(async {
            let client = dbops_postgres::connect(url).await.expect("the test server");
            client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            client
        });
        Self { session: (runtime, client) }
    }

    /// Runs these statements in it, and commits.
    pub(crate) fn commit(self, sql: &str) {
        let (runtime, client) = self.session;
        let done = runtime.block_on(client.batch_execute(&format!("{sql}; COMMIT")));
        done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// Waits until so many sessions of the database wait for a lock.
pub(crate) fn until_waiting(url: &DatabaseUrl, is_so: impl Fn(usize) -> bool) {
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + PATIENCE;
    while !is_so(query(url, sql).len()) {
        assert!(Instant::now() < deadline, "nobody ever came to wait for a lock, or stopped to");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs statements as the superuser of the test server.
pub(crate) fn execute(url: &DatabaseUrl, sql: &str) {
    query(url, sql);
}

/// Runs statements and gives the rows of all of them, the columns joined by `|`, as psql -At would.
pub(crate) fn query(url: &DatabaseUrl, sql: &str) -> Vec<String> {
    use dbops_postgres::tokio_postgres::SimpleQueryMessage;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = dbops_postgres::connect(url).await.expect("the test server");
        let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let columns = (0..row.len()).map(|index| row.get(index).unwrap_or_default().to_owned());
                Some(columns.collect::<Vec<_>>().join("|"))
            }
            _ => None,
        });
        rows.collect()
    })
}
