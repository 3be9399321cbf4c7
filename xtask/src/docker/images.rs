//! What the stand-in images are made of: a Debian, the unpacked PostgreSQL, and the programs that were built.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use dbops_postgres::{Installation, Origin, process};

use super::machine::mirror;
use crate::progress::Progress;
use crate::qdrant::EMBEDDED;
use crate::workspace::{built, places, root};

const DEBIAN_LIMIT: Duration = Duration::from_secs(600);
const COPY_LIMIT: Duration = Duration::from_secs(120);

/// The root file system of this machine's Debian release, whose C library what is built here needs.
pub(super) async fn debian(cache: &Path, progress: &Progress) -> Result<PathBuf> {
    let release = fs::read_to_string("/etc/os-release")?;
    let release = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let release = release.context("/etc/os-release names no release")?;
    let archive = cache.join(format!("debian-{release}.tar"));
    if archive.is_file() {
        return Ok(archive);
    }
    progress.step(&format!("downloading Debian {release}"));
    let unfinished = cache.join("unfinished.tar");
    let mut command = process::command("mmdebstrap");
    command.args(["--variant=minbase", "--include=ca-certificates", release]).arg(&unfinished).arg(mirror());
    process::run_group(command, DEBIAN_LIMIT).await.context("mmdebstrap")?;
    fs::rename(unfinished, &archive)?;
    Ok(archive)
}

/// The folders that the images are built from. The engine sees by their content what has to be built anew.
pub(super) async fn contexts(cache: &Path, progress: &Progress) -> Result<()> {
    progress.step("collecting what the images are made of");
    let folder = cache.join("contexts");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    copy(&root().join("xtask/stand-in"), &folder).await?;
    let mut places = places();
    places.given = None;
    let postgres = match Installation::find_or_fetch_server(&places, true).await.map_err(crate::dev::with_hint)? {
        found if found.origin == Origin::Unpacked => found,
        _ => Installation::fetch_server(&places).await.map_err(crate::dev::with_hint)?,
    };
    // Its libraries are beside it in the folder that it was unpacked into.
    let unpacked = postgres.bin.ancestors().nth(3).context("PostgreSQL is unpacked in an unknown way")?;
    copy(unpacked, &folder.join("postgres/postgresql")).await?;
    for (program, image) in [("dbops", "rust"), (EMBEDDED, "qdrant")] {
        let mut strip = process::command("strip");
        strip.arg("-o").arg(folder.join(image).join(program)).arg(built(program, "debug"));
        process::run(strip, COPY_LIMIT).await?;
    }
    Ok(())
}

async fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut command = process::command("cp");
    command.arg("-a").arg(from).arg(to);
    process::run(command, COPY_LIMIT).await?;
    Ok(())
}
