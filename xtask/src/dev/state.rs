//! Where the stack keeps its state, and what of it follows from the folder and the ports.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use dbops_postgres::{DataFolder, ServerUser, create_open_folder, process, unfinished_folder};

use super::StackArgs;
use super::database::DATABASES;
use crate::workspace::root;

/// For a project folder that the servers' account cannot get into: below it, the project's own path again.
const ELSEWHERE: &str = "/var/lib/dbops-dev";

/// The file whose lock keeps two drivers apart; a folder that has it is a stack's.
const LOCK: &str = "lock";

/// What the name of a folder that is being deleted ends with.
const DELETED: &str = ".deleted";

/// How long the programs that a killed driver had started may take to end.
const ORPHANS_LIMIT: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct State {
    /// Logs, process ids, the lock, Qdrant's data, backups.
    folder: PathBuf,
    /// The clusters' data: below `folder` if their account can get there.
    clusters: PathBuf,
    pub(super) port_offset: u16,
}

impl State {
    /// Looks where the stack is; nothing is touched.
    pub(super) fn find(args: &StackArgs) -> Result<Self> {
        let folder = match &args.state {
            Some(folder) => std::path::absolute(folder)?,
            None => root().join(".dev"),
        };
        let folder = folder.canonicalize().unwrap_or(folder);
        let is_empty = fs::read_dir(&folder).map_or(true, |mut entries| entries.next().is_none());
        if !is_empty && !folder.join(LOCK).exists() {
            bail!(
                "{} holds other files and no stack\nhint: name an empty or new folder with --state",
                folder.display()
            );
        }
        let clusters = clusters_folder(&folder)?;
        let remembered = fs::read_to_string(folder.join("port-offset")).ok().and_then(|text| text.trim().parse().ok());
        let port_offset = args.port_offset.or(remembered).unwrap_or(0);
        Ok(Self { folder, clusters, port_offset })
    }

    pub(super) fn exists(&self) -> bool {
        self.folder.join(LOCK).exists()
    }

    /// Keeps a second driver from starting and stopping the same servers, and makes the folder if need be. The lock
    /// ends with this process, however it ends, and with those that were given the file.
    pub(super) async fn lock(&self) -> Result<File> {
        let path = self.folder.join(LOCK);
        let open = || {
            create_open_folder(&self.folder)?;
            File::options().read(true).write(true).create(true).truncate(false).open(&path)
        };
        let mut file = open().map_err(|error| {
            anyhow!(
                "cannot write {}: {error}\nhint: run as the owner of {}, or name another folder with --state",
                path.display(),
                self.folder.display()
            )
        })?;
        let deadline = Instant::now() + ORPHANS_LIMIT;
        while let Err(error) = file.try_lock() {
            if let TryLockError::Error(error) = error {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let is_alive = holder.trim().parse().is_ok_and(|pid| process::command_line(pid).is_some());
            if is_alive || Instant::now() > deadline {
                bail!(
                    "another `cargo xtask dev-…` (process {}) is at work on {}\nhint: wait for it to end",
                    holder.trim(),
                    self.folder.display()
                );
            }
            tokio::time::sleep(PAUSE).await;
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(file)
    }

    /// Later commands find the stack on these ports without being told.
    pub(super) fn remember_ports(&self) -> Result<()> {
        let (path, text) = (self.folder.join("port-offset"), format!("{}\n", self.port_offset));
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return Ok(());
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Whether the stack is containers, as it was started; `None` when it never was.
    pub(super) fn is_in_docker(&self) -> Option<bool> {
        let is_known = self.folder.join("port-offset").exists();
        is_known.then(|| self.docker_mark().exists())
    }

    /// Later commands find the stack where it runs.
    pub(super) fn remember_docker(&self) -> Result<()> {
        fs::write(self.docker_mark(), "").with_context(|| format!("cannot write {}", self.docker_mark().display()))
    }

    fn docker_mark(&self) -> PathBuf {
        self.folder.join("docker")
    }

    /// What goes before the names of containers; nothing for the usual stack.
    pub(super) fn container_prefix(&self) -> String {
        match self.port_offset {
            0 if self.unusual_folder().is_none() => String::new(),
            offset => format!("dev{offset}-"),
        }
    }

    pub(super) fn port(&self, usual: u16) -> u16 {
        usual + self.port_offset
    }

    pub(super) fn cluster(&self, name: &str) -> DataFolder {
        DataFolder::new(&self.clusters.join(name).join("data"))
    }

    /// The folder, if it is not the usual one.
    pub(super) fn unusual_folder(&self) -> Option<&Path> {
        (self.folder != root().join(".dev")).then_some(&self.folder)
    }

    /// Where the clusters are, if not with everything else.
    pub(super) fn clusters_elsewhere(&self) -> Option<&Path> {
        (self.clusters != self.folder).then_some(&self.clusters)
    }

    /// Qdrant's folder.
    pub(super) fn qdrant(&self) -> PathBuf {
        self.folder.join("qdrant")
    }

    /// Adminer's folder.
    pub(super) fn adminer(&self) -> PathBuf {
        self.folder.join("adminer")
    }

    /// The file with the id of the backup that was made when the stack was new.
    pub(super) fn backup_id(&self) -> PathBuf {
        self.folder.join("backup-id")
    }

    /// What dbops' configuration reads from the environment: this stack's addresses.
    pub(super) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables: Vec<_> =
            DATABASES.iter().map(|database| (database.variable, database.url(self).into())).collect();
        let server = super::Server::new(self);
        variables.push(("QDRANT_URL", server.url().into()));
        variables.push(("QDRANT_GRPC_PORT", server.grpc_port().to_string().into()));
        if self.is_in_docker() == Some(true) && !self.container_prefix().is_empty() {
            variables.push(("STACK_PREFIX", self.container_prefix().into()));
        }
        if let Some(folder) = self.unusual_folder() {
            variables.push(("DBOPS_BACKUP_REPOSITORY", folder.join("backups").into()));
        }
        variables
    }

    /// Deletes everything but the lock, which is held. A kill in between leaves no database half deleted: each loses its
    /// name first.
    pub(super) fn delete(&self) -> Result<()> {
        for file in [self.backup_id(), self.folder.join("port-offset"), self.docker_mark()] {
            if file.exists() {
                fs::remove_file(&file).with_context(|| format!("cannot delete {}", file.display()))?;
            }
        }
        let deleted = |folder: &Path| {
            let mut path = folder.as_os_str().to_owned();
            path.push(DELETED);
            PathBuf::from(path)
        };
        for folder in self.data().iter().filter(|folder| folder.exists()) {
            remove(&deleted(folder))?;
            fs::rename(folder, deleted(folder)).with_context(|| format!("cannot delete {}", folder.display()))?;
        }
        for folder in self.data() {
            remove(&deleted(&folder))?;
            remove(&unfinished_folder(&folder))?;
        }
        if self.clusters != self.folder {
            // As far up as nothing else is kept there.
            let own = self.clusters.ancestors().take_while(|folder| *folder != Path::new(ELSEWHERE));
            own.map_while(|folder| fs::remove_dir(folder).ok()).for_each(drop);
        }
        Ok(())
    }

    fn data(&self) -> Vec<PathBuf> {
        let mut folders: Vec<_> = DATABASES.iter().map(|database| self.clusters.join(database.name)).collect();
        folders.extend([self.qdrant(), self.adminer(), self.folder.join("backups")]);
        folders
    }
}

/// Where clusters are already, else where they can be.
fn clusters_folder(folder: &Path) -> Result<PathBuf> {
    let elsewhere = Path::new(ELSEWHERE).join(folder.strip_prefix("/").unwrap_or(folder));
    let has_clusters = |folder: &Path| DATABASES.iter().any(|database| folder.join(database.name).is_dir());
    if has_clusters(folder) {
        return Ok(folder.to_path_buf());
    }
    let user = ServerUser::for_servers().context("no account for PostgreSQL")?;
    let existing = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
    let is_reachable = user.is_none_or(|user| user.can_reach(existing));
    Ok(if is_reachable && !has_clusters(&elsewhere) { folder.to_path_buf() } else { elsewhere })
}

/// Removes a folder, if it is there. The initdb of a killed driver may write to it for another moment.
fn remove(folder: &Path) -> Result<()> {
    let mut attempts = 0;
    loop {
        match fs::remove_dir_all(folder) {
            Err(error) if folder.exists() && attempts == 20 => {
                return Err(error).with_context(|| format!("cannot delete {}", folder.display()));
            }
            Err(_) if folder.exists() => attempts += 1,
            _ => return Ok(()),
        }
        std::thread::sleep(PAUSE);
    }
}
