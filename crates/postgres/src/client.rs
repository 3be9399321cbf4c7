//! PostgreSQL's client programs where they are run: on this machine, or in the container of the server.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, ProcessError};
use crate::{DatabaseUrl, Installation, Origin, Places, ProgramError, Version};

const SCRIPT: &str = include_str!("container.sh");
/// How long asking a container for its programs may take.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// Asks when the server was started, in seconds. Two answers that are the same came from the same server: no other one was
/// started in the same microsecond.
pub const SERVER_STARTED: &str = "SELECT extract(epoch FROM pg_catalog.pg_postmaster_start_time())::text";

/// A place from which client programs are run.
#[derive(Debug, Clone)]
pub enum ClientPrograms {
    /// A folder of this machine.
    Here(Installation),
    /// A container, entered with `docker exec`.
    Container(Container),
}

/// A running container that has PostgreSQL's programs.
#[derive(Debug, Clone)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// The version of its programs.
    pub version: Version,
    docker: PathBuf,
}

impl ClientPrograms {
    /// The client program `name` for a server: of its major version, from this machine if it is installed there, else
    /// from `container`, else from the unpacked copy; where none has that version, the next newer.
    ///
    /// # Errors
    ///
    /// When none is new enough; pg_dump refuses a server newer than itself.
    pub async fn find(
        places: &Places,
        container: Option<&str>,
        name: &str,
        server: Version,
    ) -> Result<Self, ProgramError> {
        let here = Installation::find_client(places, name, server).await;
        let Some(container) = container.filter(|_| places.given.is_none()) else { return here.map(Self::Here) };
        let rank = |version: Version, is_last: bool| (version.major, is_last);
        let here_rank = here.as_ref().map(|here| rank(here.version, here.origin == Origin::Unpacked));
        if here_rank.as_ref().is_ok_and(|here| *here == rank(server, false)) {
            return here.map(Self::Here);
        }
        match Container::find(places, container, name).await {
            Ok(found) if found.version.major < server.major => {
                here.map(Self::Here).map_err(|error| error.nor_in(container, &format!("has {}", found.version)))
            }
            Ok(found) if here_rank.is_ok_and(|here| here < rank(found.version, false)) => here.map(Self::Here),
            Ok(found) => Ok(Self::Container(found)),
            Err(reason) => here.map(Self::Here).map_err(|error| error.nor_in(container, &reason)),
        }
    }

    /// Their version.
    #[must_use]
    pub fn version(&self) -> Version {
        match self {
            Self::Here(installation) => installation.version,
            Self::Container(container) => container.version,
        }
    }

    /// The command that runs one of them. In a container it is to be given the password on standard input, as a line,
    /// and is ended when that is closed.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        match self {
            Self::Here(installation) => process::bound_command(installation.program(name)),
            Self::Container(container) => container.command_on(name, 0),
        }
    }

    /// What a program is given on standard input for this database: in a container the password, as a line. It is in no
    /// argument then, in no file, and in no environment outside the container.
    ///
    /// # Errors
    ///
    /// When the password file cannot be read, or the password has more lines than one.
    pub fn first_line(&self, url: &DatabaseUrl) -> io::Result<Option<Vec<u8>>> {
        let Self::Container(_) = self else { return Ok(None) };
        let password = url.resolve_password()?.unwrap_or_default();
        if password.contains(['\n', '\0']) {
            return Err(io::Error::other("the password has a line break in it"));
        }
        Ok(Some(format!("{password}\n").into_bytes()))
    }

    /// What a program is given on standard input that connects to no database.
    #[must_use]
    pub fn no_password(&self) -> Option<Vec<u8>> {
        matches!(self, Self::Container(_)).then(|| b"\n".to_vec())
    }

    /// The way to the database from there, without the password: in its container the server is at hand.
    #[must_use]
    pub fn conninfo(&self, url: &DatabaseUrl) -> String {
        match self {
            Self::Here(_) => url.conninfo(),
            Self::Container(_) => url.conninfo_at_hand(),
        }
    }
}

impl fmt::Display for ClientPrograms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(here) => write!(f, "{} in {} ({})", here.version, here.bin.display(), here.origin),
            Self::Container(container) => write!(f, "{} in the container {}", container.version, container.name),
        }
    }
}

impl Container {
    /// Where a program finds the list that it was handed.
    pub const LIST: &str = "/proc/self/fd/5";
    /// Where a program finds the archive that it was handed.
    pub const ARCHIVE: &str = "/proc/self/fd/7";

    /// As [`ClientPrograms::command`]; where `archive_bytes` is not 0, the password is followed by a list, an empty line,
    /// and an archive of so many bytes, which are files for the program. It is started when all of it is there.
    #[must_use]
    pub fn command_on(&self, name: &str, archive_bytes: u64) -> Command {
        let mut command = self.exec();
        command.args(["sh", "-c", SCRIPT, "sh", &archive_bytes.to_string(), name]);
        command
    }

    /// The command that runs one of them on standard input as it is. It is not ended in the container when dbops is, and
    /// has to be one that ends with its input.
    #[must_use]
    pub fn command_on_input(&self, name: &str) -> Command {
        let mut command = self.exec();
        command.arg(name);
        command
    }

    fn exec(&self) -> Command {
        let mut command = process::command(&self.docker);
        command.args(["exec", "-i", "-e", "LC_ALL=C", &self.name]);
        command
    }

    /// Asks a container for the version of a program; the error is a part of a sentence about the container.
    async fn find(places: &Places, container: &str, program: &str) -> Result<Self, String> {
        // It becomes an argument of docker.
        let is_name = container.starts_with(|c: char| c.is_ascii_alphanumeric())
            && container.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !is_name {
            return Err("has a name that no container can have".into());
        }
        let on_path = places.path.iter().flat_map(std::env::split_paths).map(|folder| folder.join("docker"));
        let docker = on_path.into_iter().find(|path| path.is_file()).ok_or("needs docker, which is not on PATH")?;
        let version = version_of(&docker, container, program).await.map_err(|error| match error {
            ProcessError::Failed { stderr, .. } => format!("cannot be asked: {stderr}"),
            other => format!("cannot be asked: {other}"),
        })?;
        let version = version.ok_or_else(|| format!("has a {program} whose version is not known"))?;
        Ok(Self { name: container.into(), version, docker })
    }
}

async fn version_of(docker: &Path, container: &str, program: &str) -> Result<Option<Version>, ProcessError> {
    let mut command = process::command(docker);
    command.args(["exec", container, program, "--version"]);
    let output = process::run(command, VERSION_LIMIT).await?;
    Ok(Version::from_program(&String::from_utf8_lossy(&output)))
}
