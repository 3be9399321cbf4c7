//! A database cluster on this machine that stays: created once, started and stopped by name of its folder.

use std::fs::{self, File, Permissions};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::folder::create_open_folder;
use crate::process::{self, ProcessError};
use crate::{ClusterState, DataFolder, Installation, ServerUser, Version};

const INIT_LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to start, crash recovery included.
const START_LIMIT: Duration = Duration::from_secs(60);
const START_PAUSE: Duration = Duration::from_millis(20);
/// How long the processes of a killed server may take to notice that it is gone.
const ORPHANS_LIMIT: Duration = Duration::from_secs(10);

/// Why a local cluster could not be created, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The port is in use.
    #[error("port {port} is taken")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The server already runs, elsewhere than it should.
    #[error("the server on {} already runs, on port {port}", .data.display())]
    OtherPort {
        /// The data folder.
        data: PathBuf,
        /// Where it listens.
        port: u16,
    },
    /// The folder was made by another major version.
    #[error("{} was made by PostgreSQL {found}, and these programs are {programs}", .data.display())]
    OtherVersion {
        /// The data folder.
        data: PathBuf,
        /// As its `PG_VERSION` says.
        found: String,
        /// The installation's.
        programs: Version,
    },
    /// The folder has contents that are not a cluster.
    #[error("{} is not empty and not a database cluster", .0.display())]
    NotACluster(PathBuf),
    /// The account that servers run under cannot use a folder.
    #[error("the account `{user}`, which PostgreSQL runs under, cannot get into {}", .folder.display())]
    Unreachable {
        /// The folder.
        folder: PathBuf,
        /// The account.
        user: String,
    },
    /// A server did not start or stop, or initdb failed.
    #[error("PostgreSQL in {} did not {action}{}", .data.display(), log_text(.log))]
    Failed {
        /// The data folder.
        data: PathBuf,
        /// `start`, `stop` or `initialize`.
        action: &'static str,
        /// The end of the server's log.
        log: String,
        /// What the program said.
        source: ProcessError,
    },
    /// A file could not be read or written.
    #[error("{}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no account to run a server under.
    #[error("no account for the server")]
    User(#[source] io::Error),
}

fn log_text(log: &str) -> String {
    if log.is_empty() { String::new() } else { format!("; its log ends:\n{log}") }
}

impl ClusterError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::PortTaken { port } => {
                format!("stop what listens on port {port} (`ss -ltnp sport = :{port}` names it)")
            }
            Self::OtherPort { port, .. } => format!("stop it first, or use port {port}"),
            Self::OtherVersion { found, .. } => format!("set DBOPS_PG_BIN to the bin folder of PostgreSQL {found}"),
            Self::NotACluster(path) => format!("move {} away; nothing in it was touched", path.display()),
            Self::Unreachable { folder, .. } => format!(
                "let others enter the folders that lead to {} (`chmod o+x`), or choose another place",
                folder.display()
            ),
            Self::Failed { log, .. } if !log.is_empty() => "the end of the server's log says why".into(),
            Self::Failed { data, .. } => format!("read the server's log beside {}", data.display()),
            Self::Io { path, .. } => format!("check the owner and permissions of {}", path.display()),
            Self::User(_) => "run as an ordinary user, or create the account `postgres`".into(),
        }
    }
}

/// Where a server listens.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The TCP port on localhost.
    pub port: u16,
    /// A folder for the Unix socket; its path may have about 90 bytes.
    pub socket_folder: Option<PathBuf>,
}

/// A cluster: the programs that run it and the folder it is in.
#[derive(Debug, Clone)]
pub struct Cluster {
    installation: Installation,
    user: Option<ServerUser>,
    folder: DataFolder,
}

impl Cluster {
    /// Names a cluster; nothing is touched.
    ///
    /// # Errors
    ///
    /// When this process is root and there is no account to run a server under.
    pub fn new(installation: Installation, folder: DataFolder) -> Result<Self, ClusterError> {
        let user = ServerUser::for_data(folder.path()).map_err(ClusterError::User)?;
        Ok(Self { installation, user, folder })
    }

    /// The version of its programs.
    #[must_use]
    pub fn version(&self) -> Version {
        self.installation.version
    }

    /// Creates the cluster with one superuser who needs the password everywhere. Half a cluster is never left behind
    /// under its name; what a killed process left under another name is removed.
    ///
    /// # Errors
    ///
    /// When initdb fails or the folder holds something else.
    pub async fn initialize(&self, superuser: &str, password: &str) -> Result<(), ClusterError> {
        let data = self.folder.path();
        if fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(ClusterError::NotACluster(data.into()));
        }
        let parent = data.parent().unwrap_or(Path::new("."));
        create_open_folder(parent).map_err(at(parent))?;
        self.check_reach(parent)?;
        let prefix = format!("{}.new", data.file_name().unwrap_or_default().to_string_lossy());
        remove_leftovers(parent, &prefix);
        // Each attempt has a folder of its own: the initdb of a killed one may still be writing.
        let work = tempfile::Builder::new().prefix(&prefix).tempdir_in(parent).map_err(at(parent))?;
        let (partial, secret) = (work.path().join("data"), work.path().join("password"));
        fs::set_permissions(work.path(), Permissions::from_mode(0o700)).map_err(at(work.path()))?;
        fs::write(&secret, format!("{password}\n")).map_err(at(&secret))?;
        for path in [work.path(), &secret] {
            self.give(path)?;
        }
        let mut initdb = self.command("initdb");
        initdb
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"])
            .arg(format!("--username={superuser}"))
            .arg("--pwfile")
            .arg(&secret)
            .arg("--pgdata")
            .arg(&partial);
        process::run(initdb, INIT_LIMIT).await.map_err(|source| self.folder.failed("initialize", source))?;
        fs::rename(&partial, data).map_err(at(data))?;
        // By now an earlier initdb has ended, too.
        remove_leftovers(parent, &prefix);
        Ok(())
    }

    /// Starts the server and waits until it takes connections; one that runs already is only waited for.
    ///
    /// # Errors
    ///
    /// When the port is taken, the data is another version's, or the server does not come up.
    pub async fn start(&self, listen: &Listen) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_LIMIT;
        if self.folder.state() == ClusterState::Running {
            return self.wait_until_ready(None, listen, deadline).await;
        }
        let found = self.folder.major();
        if found != Some(self.installation.version.major) {
            return Err(ClusterError::OtherVersion {
                data: self.folder.path().into(),
                found: found.map(|major| major.to_string()).unwrap_or_default(),
                programs: self.installation.version,
            });
        }
        self.check_reach(self.folder.path())?;
        check_port(listen.port)?;
        if let Some(folder) = &listen.socket_folder {
            create_open_folder(folder).map_err(at(folder))?;
            self.give(folder)?;
        }
        let orphans_deadline = Instant::now() + ORPHANS_LIMIT;
        loop {
            self.folder.remove_foreign_pid_file();
            let server = self.spawn(listen)?;
            match self.wait_until_ready(Some(server), listen, deadline).await {
                Err(ClusterError::Failed { log, .. })
                    if log.contains("pre-existing shared memory block") && Instant::now() < orphans_deadline =>
                {
                    tokio::time::sleep(START_PAUSE * 10).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Starts the server without pg_ctl, which would pass the folder's name through a shell. It is no part of this
    /// process' terminal and pipes, and outlives it.
    fn spawn(&self, listen: &Listen) -> Result<Child, ClusterError> {
        let path = self.folder.log();
        let log = File::options().create(true).append(true).open(&path).map_err(at(&path))?;
        // Doubled quotation marks keep the name of the folder in one piece: the setting is a list.
        let socket = listen.socket_folder.as_deref().map(|folder| folder.display().to_string().replace('"', "\"\""));
        let socket = socket.map(|folder| format!("\"{folder}\"")).unwrap_or_default();
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.folder.path());
        for setting in [
            "listen_addresses=localhost".to_owned(),
            format!("port={}", listen.port),
            format!("unix_socket_directories={socket}"),
        ] {
            server.args(["-c", &setting]);
        }
        server.stdout(log.try_clone().map_err(at(&path))?).stderr(log).process_group(0);
        let start_error = |source| ProcessError::Start { program: "postgres".into(), source };
        server.spawn().map_err(|error| self.folder.failed("start", start_error(error)))
    }

    async fn wait_until_ready(
        &self,
        mut server: Option<Child>,
        listen: &Listen,
        deadline: Instant,
    ) -> Result<(), ClusterError> {
        loop {
            let ended = match &mut server {
                Some(child) => child.try_wait().ok().flatten(),
                None => None,
            };
            match (self.folder.postmaster(), ended) {
                (Some(running), _) if running.is_ready => return self.check_runs_on(listen.port),
                // Also when the one that was started here ended: another was first.
                (Some(_), _) => {}
                (None, Some(status)) => {
                    return Err(self.folder.failed("start", process::failure("postgres", status, b"")));
                }
                (None, None) if server.is_none() => {
                    let source =
                        ProcessError::Start { program: "postgres".into(), source: io::Error::other("it ended") };
                    return Err(self.folder.failed("start", source));
                }
                (None, None) => {}
            }
            if Instant::now() > deadline {
                let source = ProcessError::TimedOut { program: "the start of postgres".into(), limit: START_LIMIT };
                return Err(self.folder.failed("start", source));
            }
            tokio::time::sleep(START_PAUSE).await;
        }
    }

    fn check_runs_on(&self, port: u16) -> Result<(), ClusterError> {
        match self.folder.port() {
            Some(other) if other != port => {
                Err(ClusterError::OtherPort { data: self.folder.path().into(), port: other })
            }
            _ => Ok(()),
        }
    }

    /// The server's account has to get at the programs and the data.
    fn check_reach(&self, folder: &Path) -> Result<(), ClusterError> {
        match &self.user {
            Some(user) => user.check_reach(&self.installation.bin).and_then(|()| user.check_reach(folder)),
            None => Ok(()),
        }
    }

    fn give(&self, path: &Path) -> Result<(), ClusterError> {
        match &self.user {
            Some(user) => user.own(path).map_err(at(path)),
            None => Ok(()),
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = process::command(self.installation.program(program));
        command.current_dir("/");
        if let Some(user) = &self.user {
            user.run(&mut command);
        }
        command
    }
}

/// Whether a server can listen on a port of localhost, by both kinds of address.
///
/// # Errors
///
/// [`ClusterError::PortTaken`].
pub fn check_port(port: u16) -> Result<(), ClusterError> {
    let is_taken = |address: IpAddr| match TcpListener::bind((address, port)) {
        Ok(_) => false,
        // A machine without IPv6 has no such address.
        Err(error) => address.is_ipv4() || error.kind() == io::ErrorKind::AddrInUse,
    };
    if is_taken(Ipv4Addr::LOCALHOST.into()) || is_taken(Ipv6Addr::LOCALHOST.into()) {
        return Err(ClusterError::PortTaken { port });
    }
    Ok(())
}

/// Removes the folders of earlier attempts. One that is still written to stays for the next time.
fn remove_leftovers(parent: &Path, prefix: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.to_path_buf();
    move |source| ClusterError::Io { path, source }
}
