//! A stack of its own for a test: a state folder, free ports, and the built driver.

pub(crate) mod visitor;

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use dbops_postgres::{DatabaseUrl, connect, process};
use tempfile::TempDir;

/// No mistake may take longer to be told.
const LIMIT: Duration = Duration::from_secs(60);

/// When something is given up on that should have happened, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A `dbops` that is stopped at the command that `FOLDER/at` names, while the real one carries it out.
const STOPPING: &str = r#"#!/bin/sh
case " $* " in
*" $(cat 'FOLDER/at') "*)
    exec 3<&0
    'PROGRAMS/dbops' "$@" <&3 3<&- &
    echo $$ >'FOLDER/said' && mv 'FOLDER/said' 'FOLDER/stopped'
    kill -STOP $$
    wait ;;
*) exec 'PROGRAMS/dbops' "$@" ;;
esac
"#;

/// The usual ports: bot_db, vector_db, Qdrant's HTTP and gRPC.
pub(crate) const PORTS: [u16; 4] = [5434, 5433, 6333, 6334];

/// The usual port of Adminer, which not every machine has.
pub(crate) const ADMINER_PORT: u16 = 8080;

/// What `dev-up` says it does, in its order.
const STEPS: [&str; 14] = [
    "creating bot_db",
    "connecting to bot_db",
    "starting bot_db",
    "creating vector_db",
    "connecting to vector_db",
    "starting vector_db",
    "connecting to Qdrant",
    "starting Qdrant",
    "connecting to Adminer",
    "starting Adminer",
    "dbops migrate",
    "dbops backup",
    "dbops backup verify",
    "dbops health",
];

/// How a run of the driver ended; shown, it reads as what a user would have seen.
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

/// Stopped and deleted when it is dropped.
pub(crate) struct Stack {
    parent: TempDir,
    /// The state folder.
    pub(crate) state: PathBuf,
    offset: u16,
    environment: Vec<(String, String)>,
}

impl Stack {
    /// One whose state folder, which is not there yet, has this name.
    pub(crate) fn new(name: &str) -> Self {
        let open = Permissions::from_mode(0o755);
        let parent = tempfile::Builder::new().prefix("dbops-dev-").permissions(open).tempdir_in("/tmp");
        let parent = parent.expect("a folder");
        let state = parent.path().join(name);
        Self { parent, state, offset: free_offset(), environment: Vec::new() }
    }

    /// Lets nobody else into the folder that leads to the state.
    pub(crate) fn private(self) -> Self {
        fs::set_permissions(self.parent.path(), Permissions::from_mode(0o700)).expect("permissions");
        self
    }

    /// A folder beside the state.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        let folder = self.parent.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// Sets a variable for every run.
    pub(crate) fn env(&mut self, name: &str, value: impl AsRef<Path>) {
        self.environment.push((name.into(), value.as_ref().display().to_string()));
    }

    pub(crate) fn port(&self, usual: u16) -> u16 {
        usual + self.offset
    }

    /// The driver, in a process group of its own as a shell would start it, with the umask of someone careful.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = process::command("/bin/sh");
        command.args(["-c", r#"umask 077; exec "$@""#, "sh", env!("CARGO_BIN_EXE_xtask")]);
        command.args(arguments).arg("--state").arg(&self.state);
        if matches!(arguments, ["dev-up" | "dev-reset", ..]) {
            // On a machine with Docker, too.
            command.args(["--runtime", "local"]);
        }
        if arguments == ["dev-up"] {
            command.arg("--port-offset").arg(self.offset.to_string());
        }
        command.env("DBOPS_DEV_PROGRAMS", dbops_testbed::programs());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }

    /// Runs the driver to its end, which comes when nothing holds its output any more.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the driver starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Run { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run}");
        run
    }

    /// Runs the driver and expects it to end with an error that says each of these things, hint included.
    pub(crate) fn fails(&self, arguments: &[&str], says: &[&str]) -> Run {
        let start = Instant::now();
        let run = self.run(arguments);
        assert!(start.elapsed() < LIMIT, "{arguments:?} took {:?}: {run}", start.elapsed());
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{arguments:?}: {run}");
        for part in [&["error: ", "\nhint: "], says].concat() {
            assert!(run.stderr.contains(part), "no `{part}`: {run}");
        }
        run
    }

    /// Starts `dev-up`, sends it a signal a moment after it has announced a step, or one behind it where a fast machine
    /// had finished that step before it was interrupted the last time, and expects an exit code.
    pub(crate) fn interrupt(&self, signal: &str, step: &str, later: Duration, code: i32) {
        let mut child = self.command(&["dev-up"]).spawn().expect("the driver starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let mut said: Vec<_> = lines.by_ref().take_while(|line| place(line) < place(step)).collect();
        std::thread::sleep(later);
        if child.try_wait().expect("wait").is_some() {
            panic!("dev-up ended before or soon after `{step}`: {:#?}", [said, lines.collect()].concat());
        }
        kill(signal, &child.id().to_string());
        said.extend(lines);
        assert_eq!(child.wait().expect("wait").code().unwrap_or(-1), code, "{signal} at `{step}`: {said:#?}");
    }

    /// Kills `dev-up` with -9 while the `dbops` that it has started is at this command.
    pub(crate) fn kill_at(&self, command: &str) {
        let folder = self.beside("stopping");
        let program = |name: &str| folder.join(name);
        let text = STOPPING.replace("FOLDER", &folder.display().to_string());
        fs::write(program("dbops"), text.replace("PROGRAMS", &dbops_testbed::programs().display().to_string()))
            .expect("a script");
        fs::set_permissions(program("dbops"), Permissions::from_mode(0o755)).expect("permissions");
        let embedded = "dbops-qdrant-embedded";
        symlink(dbops_testbed::programs().join(embedded), program(embedded)).expect("a link");
        fs::write(program("at"), command).expect("a file");
        let mut driver = self.command(&["dev-up"]).env("DBOPS_DEV_PROGRAMS", &folder).spawn().expect("the driver");
        until(&format!("dev-up comes to `dbops {command}`"), || {
            assert!(driver.try_wait().expect("wait").is_none(), "dev-up ended before `dbops {command}`");
            program("stopped").exists()
        });
        kill("-9", &driver.id().to_string());
        assert_eq!(driver.wait().expect("wait").code(), None);
        // It was its parent's to end.
        kill("-9", fs::read_to_string(program("stopped")).expect("a number").trim());
        fs::remove_dir_all(folder).expect("the folder");
    }

    /// The process numbers of the two PostgreSQL servers and Qdrant.
    pub(crate) fn pids(&self) -> Vec<String> {
        let first = |path: &str| {
            let text = fs::read_to_string(self.state.join(path)).expect(path);
            text.split_whitespace().next().expect(path).to_owned()
        };
        ["bot_db/data/postmaster.pid", "vector_db/data/postmaster.pid", "qdrant/pid"].map(first).to_vec()
    }

    /// The command lines of the processes that have to do with this stack.
    pub(crate) fn processes(&self) -> Vec<String> {
        let output = process::command("ps").args(["-ww", "-A", "-o", "args="]).output().expect("ps");
        let own = self.parent.path().display().to_string();
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        lines.lines().filter(|line| line.contains(&own)).map(str::to_owned).collect()
    }

    /// The names in the state folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.state).expect("the state folder").flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs statements on bot_db and gives the first column of the last one's rows, joined by commas.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let url = format!("postgresql://postgres:admin@localhost:{}/bot_db", self.port(5434));
        let url = DatabaseUrl::parse(&url, "postgres").expect("a URL");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let client = connect(&url).await.expect("bot_db");
            let messages = client.simple_query(sql).await.expect(sql);
            let values = messages.iter().filter_map(|message| match message {
                dbops_postgres::tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            values.collect::<Vec<_>>().join(",")
        })
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = self.command(&["dev-down", "--volumes"]).output();
    }
}

/// Where a line is in the order of the steps; nowhere if it announces none.
fn place(line: &str) -> Option<usize> {
    STEPS.iter().rposition(|step| line.starts_with(step))
}

pub(crate) fn kill(signal: &str, pid: &str) {
    assert!(process::command("kill").args([signal, pid]).status().expect("kill").success(), "kill {signal} {pid}");
}

/// Whether a process is there, and not only its exit code.
pub(crate) fn lives(pid: &str) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}

pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not so: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Something else that listens.
pub(crate) fn occupy(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).expect("a free port")
}

/// An offset that gives free ports below those that connections get. No two offsets of different processes share one.
fn free_offset() -> u16 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let number = std::process::id() + 100 * COUNTER.fetch_add(1, Ordering::Relaxed);
        let offset = 4000 + u16::try_from(number % 2500 * 8).expect("small");
        if PORTS.iter().chain([&ADMINER_PORT]).all(|port| is_free(port + offset)) {
            return offset;
        }
    }
}
