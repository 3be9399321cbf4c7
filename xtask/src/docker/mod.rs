//! `cargo xtask docker-test`: the compose files, the images and dbops on a Docker engine of their own.
//!
//! The engine lives in namespaces of its own (`engine.sh`): the seed's ports and container names are free there, an
//! engine that runs on this machine is not touched, and all of it is gone with its first process. Images that no
//! registry is asked for stand in for the official ones (`xtask/stand-in`); they are kept in the cache folder.

mod images;
mod machine;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dbops_postgres::process;
use serde_json::Value;

use self::machine::{INSTALL, Unfit};
use crate::progress::{Progress, error_line};
use crate::workspace::{build, build_programs, built, cargo, places, root};

const ENGINE: &str = include_str!("engine.sh");

#[derive(Args)]
pub(crate) struct DockerTestArgs {
    /// Where they cannot be run, say why and succeed
    #[arg(long)]
    if_possible: bool,
    /// Only the tests whose names contain this
    filter: Option<String>,
}

pub(crate) async fn run(args: &DockerTestArgs) -> Result<()> {
    let progress = Progress::new();
    if let Err(Unfit(reason)) = machine::prepare(&progress).await {
        if args.if_possible {
            drop(progress);
            error_line(&format!("docker tests: not run: {reason}"));
            return Ok(());
        }
        bail!("the docker tests cannot be run here: {reason}\nhint: they need root on Debian, and {INSTALL}");
    }
    build_programs(&progress).await?;
    build(&progress, "the tests", &["test", "--workspace", "--no-run"]).await?;
    let program = test_program()?;

    let cache = places().cache.join("docker");
    std::fs::create_dir_all(&cache).with_context(|| format!("cannot write {}", cache.display()))?;
    let lock = std::fs::File::create(cache.join("lock"))?;
    if lock.try_lock().is_err() {
        progress.step("waiting for another docker-test");
        lock.lock()?;
    }
    let debian = images::debian(&cache, &progress).await?;
    let compose = machine::compose_v2(&cache, &progress).await;
    images::contexts(&cache, &progress).await?;
    progress.step("starting an engine, and building the images in it");
    drop(progress);
    if let Err(reason) = &compose {
        error_line(&format!("docker tests with Compose v2: not run: {reason}"));
    }
    let command = inside(&cache, &debian, &program, compose.ok().as_deref(), args.filter.as_deref());
    let mut tests = tokio::process::Command::from(command);
    let _swept = machine::Swept;
    let status = tests.kill_on_drop(true).status().await.context("cannot start unshare")?;
    if !status.success() {
        bail!("the docker tests failed ({status})\nhint: the engine's log is {}", cache.join("dockerd.log").display());
    }
    Ok(())
}

/// The tests, in the engine's namespaces.
///
/// The kernel ends `unshare` with this process, the namespaces' first process with `unshare`, and with that one all that
/// are in there: containers, engine and tests, the mounts and the network.
fn inside(
    cache: &Path,
    debian: &Path,
    program: &Path,
    compose: Option<&Path>,
    filter: Option<&str>,
) -> std::process::Command {
    let mut command = process::command("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "--pid", "--ipc"]);
    command.args(["--fork", "--kill-child", "--mount-proc", "sh", "-c", ENGINE, "sh"]);
    command.arg(cache).arg(debian).arg(program);
    // One after the other: they share the names and the ports.
    command.args(["--ignored", "--test-threads=1"]).arg(filter.map_or("docker::".into(), |it| format!("docker::{it}")));
    match compose {
        Some(compose) => command.env("DBOPS_TEST_COMPOSE_V2", compose),
        None => command.args(["--skip", "compose_v2"]),
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"DOCKER_")) {
        command.env_remove(name);
    }
    command.env("DBOPS_DEV_PROGRAMS", built("dbops", "debug").parent().unwrap_or(cache)).current_dir(root());
    command
}

/// The end-to-end tests as a program, as cargo names it.
fn test_program() -> Result<PathBuf> {
    let output = cargo(&["test", "--workspace", "--no-run", "--quiet", "--message-format=json"]).output()?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs =
        messages.filter(|message| message["target"]["name"] == "cli" && message["profile"]["test"] == true);
    let program = programs.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    program.context("cargo names no test program `cli`")
}
