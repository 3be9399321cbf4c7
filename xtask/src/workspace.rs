//! The workspace on disk, its environment, and the programs that cargo builds from it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use dbops_postgres::{Places, process};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::progress::Progress;
use crate::qdrant::{EMBEDDED, Program};

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// A path from the environment, when it is set and not empty.
pub(crate) fn env_path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where PostgreSQL's programs may be: as dbops looks for them.
pub(crate) fn places() -> Places {
    Places::from_variables(|name| std::env::var_os(name))
}

/// The cargo that runs this program, in the root folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = process::command(cargo);
    command.args(arguments).current_dir(root());
    // What `cargo run` says of this program: build scripts of others (ring's) would take it for a change.
    let names = std::env::vars_os().map(|(name, _)| name);
    let is_about_us = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    names.filter(is_about_us).for_each(|name| {
        command.env_remove(name);
    });
    command
}

/// A program that was built with the `dev` profile (`debug`), or `release`: beside this one, wherever cargo puts things.
pub(crate) fn built(program: &str, profile: &str) -> PathBuf {
    let given = env_path(PROGRAMS).filter(|_| profile == "debug");
    let own = std::env::current_exe().unwrap_or_else(|_| root().join("target/debug/xtask"));
    given.or_else(|| Some(own.parent()?.parent()?.join(profile))).unwrap_or_default().join(program)
}

/// A folder with the programs, which are then not built: for tests of this one.
const PROGRAMS: &str = "DBOPS_DEV_PROGRAMS";

/// Builds what the stack runs. All of the workspace's programs at once, because cargo chooses the features of
/// dependencies for what is built together: in any other company Qdrant's engine would be compiled again.
pub(crate) async fn build_programs(progress: &Progress) -> Result<()> {
    if env_path(PROGRAMS).is_some() {
        return Ok(());
    }
    // But not this one, which is running.
    let mut arguments = vec!["build", "--workspace", "--exclude", "xtask", "--bins"];
    let mut what = "dbops and the embedded Qdrant engine (minutes, the first time)";
    if !matches!(Program::find(), Program::Embedded) {
        arguments.extend(["--exclude", EMBEDDED]);
        what = "dbops";
    }
    build(progress, what, &arguments).await
}

/// Runs cargo, which names the crate that it compiles in the progress line; its output is shown when it fails.
pub(crate) async fn build(progress: &Progress, what: &str, arguments: &[&str]) -> Result<()> {
    progress.step(&format!("building {what}"));
    let mut command = tokio::process::Command::from(cargo(arguments));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().context("cannot start cargo")?;
    let mut output = String::new();
    let mut crates = 0;
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(name) = line.trim_start().strip_prefix("Compiling ") {
                crates += 1;
                progress.detail(format!("building {what}: {crates} crates, now {name}"));
            } else if line.trim_start().starts_with("Blocking waiting") {
                progress.step("waiting for another cargo that builds in this folder");
            } else {
                output.push_str(&line);
                output.push('\n');
            }
        }
    }
    if !child.wait().await?.success() {
        let said = process::last_lines(&output, 40);
        bail!("cannot build {what}:\n{said}\nhint: `cargo {}` says it all", arguments.join(" "));
    }
    Ok(())
}

/// Runs a command with the terminal as its own and expects success.
pub(crate) async fn run_visibly(command: Command) -> Result<()> {
    let program = process::name_of(&command);
    let shown: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let shown = format!("{program} {}", shown.join(" "));
    let status =
        tokio::process::Command::from(command).kill_on_drop(true).status().await.with_context(|| shown.clone())?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}
