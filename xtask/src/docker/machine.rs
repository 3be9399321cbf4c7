//! What has to be on the machine, and is installed where Debian has it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use dbops_postgres::process;

use crate::progress::Progress;

/// Each program, and Debian's package with it.
const PROGRAMS: [(&str, &str); 7] = [
    ("docker", "docker.io"),
    ("dockerd", "docker.io"),
    ("docker-compose", "docker-compose"),
    ("mmdebstrap", "mmdebstrap"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("unshare", "util-linux"),
];
pub(super) const INSTALL: &str = "docker.io, docker-compose, mmdebstrap, iproute2 and iptables";

const INSTALL_LIMIT: Duration = Duration::from_secs(300);
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(120);

/// Debian's release with Compose v2; 12 has v1.
const COMPOSE_RELEASE: &str = "trixie";

/// Why the tests cannot be run.
pub(super) struct Unfit(pub(super) String);

/// Sees to it that all programs are there.
pub(super) async fn prepare(progress: &Progress) -> Result<(), Unfit> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return Err(Unfit("this is not root".into()));
    }
    if !Path::new("/etc/debian_version").exists() {
        return Err(Unfit("this is not Debian".into()));
    }
    let missing = || PROGRAMS.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package);
    let mut packages: Vec<_> = missing().collect();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    progress.step(&format!("installing {}", packages.join(", ")));
    let mut install = process::command("apt-get");
    install.args(["install", "--yes", "--no-install-recommends"]).args(&packages);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    let outcome = process::run(install, INSTALL_LIMIT).await;
    match (missing().next(), outcome) {
        (None, _) => Ok(()),
        (Some(package), Ok(_)) => Err(Unfit(format!("{package} is installed, and its program is not there"))),
        (Some(package), Err(error)) => Err(Unfit(format!("{package} cannot be installed: {error}"))),
    }
}

fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    // Root's PATH may be without the `sbin` folders.
    let folders = std::env::split_paths(&folders).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.into_iter().any(|folder| folder.join(program).is_file())
}

/// Compose v2, out of another release's package; the error says why there is none.
pub(super) async fn compose_v2(cache: &Path, progress: &Progress) -> Result<PathBuf> {
    let folder = cache.join("compose-v2");
    let program = folder.join("usr/libexec/docker/cli-plugins/docker-compose");
    if program.is_file() {
        return Ok(program);
    }
    progress.step("downloading Compose v2");
    let apt = cache.join("apt");
    for folder in ["lists/partial", "archives/partial"] {
        fs::create_dir_all(apt.join(folder))?;
    }
    let key = "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg";
    fs::write(apt.join("sources.list"), format!("deb [{key}] {} {COMPOSE_RELEASE} main\n", mirror()))?;
    for arguments in [&["update"][..], &["download", "docker-compose"]] {
        let mut command = process::command("apt-get");
        for (name, path) in [
            ("Dir::Etc::sourcelist", apt.join("sources.list")),
            ("Dir::Etc::sourceparts", "/dev/null".into()),
            ("Dir::State::lists", apt.join("lists")),
            ("Dir::Cache", apt.clone()),
        ] {
            command.arg("-o").arg(format!("{name}={}", path.display()));
        }
        command.args(["-o", "APT::Sandbox::User=root"]).args(arguments).current_dir(&apt);
        process::run(command, DOWNLOAD_LIMIT).await?;
    }
    let package = fs::read_dir(&apt)?.filter_map(Result::ok).map(|entry| entry.path());
    let package = package.into_iter().find(|path| path.extension().is_some_and(|end| end == "deb"));
    let package = package.context("apt-get downloaded no package")?;
    let unfinished = cache.join("compose-v2.unfinished");
    let mut unpack = process::command("dpkg-deb");
    unpack.arg("--extract").arg(package).arg(&unfinished);
    process::run(unpack, DOWNLOAD_LIMIT).await?;
    fs::rename(unfinished, folder)?;
    fs::remove_dir_all(apt)?;
    Ok(program)
}

/// Removes the engine's control groups when it is dropped: all that its namespaces leave after a kill.
pub(super) struct Swept;

impl Drop for Swept {
    fn drop(&mut self) {
        let left = || {
            let mut find = process::command("find");
            find.args(["/sys/fs/cgroup", "-depth", "-type", "d", "-path", "*/dbops-docker-test*"]);
            find.args(["-print", "-exec", "rmdir", "{}", "+"]).output().is_ok_and(|found| !found.stdout.is_empty())
        };
        // Processes that were killed are in them for another moment.
        for _ in 0..40 {
            if !left() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The Debian mirror that this machine uses.
pub(super) fn mirror() -> String {
    let lists = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = lists.chain(["/etc/apt/sources.list".into()]).filter_map(|path| fs::read_to_string(path).ok());
    let words: Vec<_> = texts.flat_map(|text| text.split_whitespace().map(String::from).collect::<Vec<_>>()).collect();
    let is_mirror = |word: &&String| word.starts_with("http") && word.trim_end_matches('/').ends_with("/debian");
    // The comments in Debian's own images name the snapshot that they were made from.
    let found = words.iter().filter(|word| !word.contains("snapshot")).find(is_mirror);
    found.cloned().unwrap_or_else(|| "http://deb.debian.org/debian".into())
}
