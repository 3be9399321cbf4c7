//! The one place that reads environment variables, and the `.env` file that stands in for unset ones.
//!
//! [`VARIABLES`] are those that dbops itself knows.
//!
//! The configuration file names further ones, as in `${DATABASE_URL_SYNC:-default}`. Where one of these is not set, its
//! value is looked for in the file that the variable with `_FILE` after its name names: as containers are handed secrets,
//! and as the official images take theirs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Display, Path, PathBuf};

use dbops_postgres::Places;

use crate::failure::{Failure, Result};

/// The variables that dbops reads, for the manual and the reference.
pub(crate) const VARIABLES: [(&str, &str); 21] = [
    ("DBOPS_CONFIG", "the configuration file, where `--config` names none"),
    ("DBOPS_PG_BIN", "a folder with PostgreSQL's programs, used before any other"),
    ("DBOPS_CACHE_DIR", "where a downloaded copy of PostgreSQL is unpacked, else `~/.cache/dbops`"),
    ("DBOPS_BACKUP_PASSPHRASE", "the passphrase of backups, where `backup.encryption` names no file with it"),
    ("DBOPS_SERVE_TOKEN", "the token that readers of `dbops serve` need, where `--token-file` names none"),
    ("PGPASSFILE", "libpq's password file, else `~/.pgpass`"),
    ("USER", "the account, where a URL names none"),
    ("LOGNAME", "the same, where `USER` is not set"),
    ("HOME", "the folder of `~/.pgpass`, `~/.aws` and `~/.cache`"),
    ("XDG_CACHE_HOME", "the folder to cache in instead of `~/.cache`"),
    ("PATH", "where programs are looked for"),
    ("TZ", "the time zone of what people read, and of the days, weeks and months of `backup.retention`"),
    ("NO_COLOR", "no colours, whatever it is set to"),
    ("AWS_PROFILE", "the section of AWS' files that keys are taken from, for a repository at `s3://`"),
    ("AWS_CONFIG_FILE", "AWS' file of settings, else `~/.aws/config`"),
    ("AWS_SHARED_CREDENTIALS_FILE", "AWS' file of keys, else `~/.aws/credentials`"),
    ("AWS_*", "keys and settings for a repository at `s3://`, such as `AWS_ACCESS_KEY_ID`; before those of the files"),
    ("GOOGLE_*", "the same for one at `gs://`"),
    ("AZURE_*", "the same for one at `az://`"),
    ("VIRTUAL_ENV", "the Python of an Alembic project that is imported"),
    ("*_FILE", "a file with the value of a variable that the configuration names, or of a secret, and that is not set"),
];

/// What PostgreSQL's client programs may need of the environment. They get nothing else: any other variable may hold a
/// URL with a password.
pub(crate) const FOR_PROGRAMS: [&str; 16] = [
    // For `docker exec`: which engine, and how to reach it.
    "DOCKER_CERT_PATH",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS",
    "DOCKER_TLS_VERIFY",
    "DYLD_LIBRARY_PATH",
    "HOME",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "PATH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
];

/// What a program at the terminal may need beside it: how to talk, and what its user likes to work with.
pub(crate) const FOR_TERMINAL: [&str; 20] = [
    "COLORTERM",
    "COLUMNS",
    "EDITOR",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LESS",
    "LINES",
    "PAGER",
    "PSQLRC",
    "PSQL_EDITOR",
    "PSQL_HISTORY",
    "PSQL_PAGER",
    "PSQL_WATCH_PAGER",
    "TERM",
    "TERMINFO",
    "VISUAL",
];

/// Why a variable's value cannot be had from a file. What is in the file is not told.
#[derive(Debug)]
pub(crate) struct UnreadableFile {
    /// The variable that names the file.
    pub(crate) variable: String,
    /// What goes after its name.
    pub(crate) reason: String,
}

/// The environment as it was when dbops started.
#[derive(Clone)]
pub(crate) struct Environment {
    variables: HashMap<String, OsString>,
    pub(crate) working_directory: PathBuf,
}

impl Environment {
    /// Reads the process' variables, then `.env` in the working directory for those that are not set.
    pub(crate) fn read() -> Result<Self> {
        // The configuration's paths are free of links too: one can be the beginning of the other.
        let working_directory = std::env::current_dir()?.canonicalize()?;
        let mut variables = HashMap::new();
        for (name, value) in read_dotenv(&working_directory.join(".env"))? {
            variables.insert(name, value.into());
        }
        let set = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        variables.extend(set);
        Ok(Self { variables, working_directory })
    }

    /// A variable's value, when it is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&OsString> {
        self.variables.get(name).filter(|value| !value.is_empty())
    }

    /// The same as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.to_str())
    }

    /// The same, or what stands in the file that `NAME_FILE` names, without the end of its last line.
    ///
    /// An empty file is an error, as are two values: neither tells which password is meant.
    pub(crate) fn text_or_file(&self, name: &str) -> std::result::Result<Option<Cow<'_, str>>, UnreadableFile> {
        let variable = format!("{name}_FILE");
        let (text, path) = (self.text(name), self.path(&variable));
        let Some(path) = path else { return Ok(text.map(Cow::Borrowed)) };
        let failure = |reason: String| UnreadableFile { variable: variable.clone(), reason };
        if text.is_some() {
            return Err(failure(format!("and {name} are both set")));
        }
        let read = std::fs::read_to_string(self.working_directory.join(&path));
        let text = read.map_err(|error| failure(format!("names {}: {error}", path.display())))?;
        let value = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if value.is_empty() {
            return Err(failure(format!("names {}, which is empty", path.display())));
        }
        Ok(Some(Cow::Owned(value.to_owned())))
    }

    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// A path as people want to read it: from the working directory, when it is in there.
    pub(crate) fn shown<'a>(&self, path: &'a Path) -> Display<'a> {
        path.strip_prefix(&self.working_directory).unwrap_or(path).display()
    }

    /// Where PostgreSQL's programs may be.
    pub(crate) fn places(&self) -> Places {
        Places::from_variables(|name| self.get(name).cloned())
    }

    /// The variables that client programs are started with.
    pub(crate) fn for_programs(&self) -> Vec<(String, OsString)> {
        self.those(&FOR_PROGRAMS)
    }

    /// The variables for one that the user works with.
    pub(crate) fn for_terminal(&self) -> Vec<(String, OsString)> {
        [self.those(&FOR_PROGRAMS), self.those(&FOR_TERMINAL)].concat()
    }

    fn those(&self, names: &[&str]) -> Vec<(String, OsString)> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.get(name)?.clone()))).collect()
    }

    /// Every variable, for programs that are the user's own, and to look for those of a service.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &OsString)> {
        self.variables.iter()
    }

    /// libpq's password file.
    pub(crate) fn passfile(&self) -> Option<PathBuf> {
        self.path("PGPASSFILE").or_else(|| Some(self.path("HOME")?.join(".pgpass")))
    }

    /// The account that libpq would use when a URL names none.
    pub(crate) fn user(&self) -> &str {
        self.text("USER").or(self.text("LOGNAME")).unwrap_or("postgres")
    }
}

/// The name of this machine.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn read_dotenv(path: &Path) -> Result<Vec<(String, String)>> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    // A message never shows the line: it may hold a password.
    let unreadable = |error| {
        let place = match &error {
            dotenvy::Error::LineParse(line, _) => line_number(path, line),
            _ => None,
        };
        let place = place.map(|line| format!("{}:{line}", path.display())).unwrap_or(path.display().to_string());
        Failure::usage(format!("{place}: cannot be read"))
            .with_hint("write one NAME=value on each line, the value quoted if it has spaces")
    };
    dotenvy::from_path_iter(path).map_err(unreadable)?.map(|pair| pair.map_err(unreadable)).collect()
}

fn line_number(path: &Path, wanted: &str) -> Option<usize> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().position(|line| line.trim() == wanted.trim()).map(|index| index + 1)
}
