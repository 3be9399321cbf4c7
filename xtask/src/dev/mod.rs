//! The local stack: two PostgreSQL clusters and Qdrant, as the Support Bot expects them, and Adminer to look at them.

pub(crate) mod adminer;
mod database;
mod dbops;
mod docker;
mod process;
mod qdrant;
mod state;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Error, Result, anyhow, bail};
use clap::Args;
use dbops_postgres::ProgramError;

use self::adminer::Adminer;
use self::database::DATABASES;
use self::docker::{Containers, Runtime, SERVICES};
use self::qdrant::Server;
use self::state::State;
use crate::progress::{Progress, print, table};
use crate::workspace::{build_programs, built, root};

/// Above it, a port would be beyond the last one.
const MAX_OFFSET: i64 = (u16::MAX - adminer::PORT) as i64;

/// How long the process of a server that was killed may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// Where the stack lives and listens.
#[derive(Args, Clone)]
pub(crate) struct StackArgs {
    /// The folder of its state [default: .dev in the project]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Added to every port, for a second stack or when a port is in use [default: as the last time, else 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=MAX_OFFSET))]
    port_offset: Option<u16>,
}

/// What `dev-up` and `dev-reset` take besides.
#[derive(Args, Clone)]
pub(crate) struct UpArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// What it runs on; a stack that is there stays where it is
    #[arg(long, value_enum, default_value = "auto")]
    runtime: Runtime,
}

/// An error with what to do about it.
pub(crate) fn hinted(error: impl Into<Error>, hint: &str) -> Error {
    let error: Error = error.into();
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  {}", cause.to_string().replace('\n', "\n  ")));
    }
    anyhow!("{text}\nhint: {hint}")
}

/// The same for programs that are not there.
pub(crate) fn with_hint(error: ProgramError) -> Error {
    let hint = error.hint();
    hinted(error, &hint)
}

fn port_hint(port: u16, state: &State) -> String {
    let other = (i64::from(state.port_offset) + 1000) % MAX_OFFSET;
    format!(
        "stop what listens on port {port} (`ss -ltnp sport = :{port}` names it), or use other ports: \
         `cargo xtask dev-up --port-offset {other}`"
    )
}

fn runs_elsewhere(service: &str, port: u16, state: &State) -> String {
    format!(
        "{service} of this stack already runs, on port {port}, and not with --port-offset {}\nhint: leave \
         --port-offset out, or `cargo xtask dev-down` first; the data stays",
        state.port_offset
    )
}

pub(crate) async fn up(args: &UpArgs) -> Result<()> {
    let state = State::find(&args.stack)?;
    let lock = state.lock().await?;
    start(&state, lock, args.runtime).await
}

async fn start(state: &State, lock: File, runtime: Runtime) -> Result<()> {
    let progress = Progress::new();
    match choose(state, runtime, &progress).await? {
        Some(containers) => {
            build_programs(&progress).await?;
            state.remember_ports()?;
            state.remember_docker()?;
            containers.start(&progress).await?;
        }
        None => start_locally(state, &progress).await?,
    }
    let warnings = dbops::set_up(state, &lock, &progress).await?;
    drop(progress);

    print(&format!("{}\n", overview(state).await?));
    print(&closing(state));
    for warning in warnings {
        crate::progress::error_line(&warning);
    }
    Ok(())
}

async fn start_locally(state: &State, progress: &Progress) -> Result<()> {
    let (server, adminer) = (Server::new(state), Adminer::new(state));
    let adminer_command = adminer.command(progress).await?;
    DATABASES.iter().try_for_each(|database| database.check_port(state))?;
    server.process.check_ports(state)?;
    if adminer_command.is_some() {
        adminer.process.check_ports(state)?;
    }
    build_programs(progress).await?;

    state.remember_ports()?;
    for database in &DATABASES {
        database.start(state, progress).await?;
    }
    server.start(state, progress).await?;
    match adminer_command {
        Some(command) => adminer.start(&command, state, progress).await,
        None => Ok(()),
    }
}

/// The containers, or `None` for programs of this machine. Says which it is where that was not asked for.
async fn choose(state: &State, wanted: Runtime, progress: &Progress) -> Result<Option<Containers>> {
    let runtime = match (wanted, state.is_in_docker()) {
        (Runtime::Docker, Some(false)) | (Runtime::Local, Some(true)) => {
            let other = if wanted == Runtime::Docker { "programs of this machine" } else { "containers" };
            bail!(
                "this stack is {other}\nhint: leave --runtime out, or `cargo xtask dev-down --volumes` first: it \
                   deletes the data"
            )
        }
        (Runtime::Auto, Some(true)) => Runtime::Docker,
        (Runtime::Auto, Some(false)) => Runtime::Local,
        _ => wanted,
    };
    if runtime == Runtime::Local {
        return Ok(None);
    }
    let found = match Containers::find(state).await {
        Ok(containers) => containers.pull(progress).await.map(|()| containers),
        Err(reason) => Err(reason),
    };
    match found {
        Ok(containers) => {
            progress.step("with Docker: an engine answers, and has the images");
            Ok(Some(containers))
        }
        Err(reason) if runtime == Runtime::Auto => {
            progress.step(&format!("without Docker: {reason}"));
            Ok(None)
        }
        Err(reason) => bail!("the stack cannot run in Docker: {reason}\nhint: `--runtime local` needs no Docker"),
    }
}

/// The containers of a stack that has some.
async fn containers(state: &State) -> Result<Option<Containers>> {
    if state.is_in_docker() != Some(true) {
        return Ok(None);
    }
    let found = Containers::find(state).await;
    found.map(Some).map_err(|reason| anyhow!("the stack is containers, and {reason}\nhint: start Docker"))
}

pub(crate) async fn down(args: &StackArgs, volumes: bool) -> Result<()> {
    let state = State::find(args)?;
    if state.exists() {
        let _lock = state.lock().await?;
        stop(&state, volumes).await?;
    }
    print(if volumes { "stopped, and the data is deleted" } else { "stopped; the data stays" });
    Ok(())
}

async fn stop(state: &State, volumes: bool) -> Result<()> {
    let progress = Progress::new();
    progress.step("stopping");
    if let Some(containers) = containers(state).await? {
        containers.stop(volumes).await?;
    }
    Adminer::new(state).process.stop().await?;
    Server::new(state).process.stop().await?;
    for database in &DATABASES {
        database.stop(state).await?;
    }
    if volumes {
        progress.step("deleting the data");
        state.delete()?;
    }
    Ok(())
}

pub(crate) async fn reset(args: &UpArgs) -> Result<()> {
    let state = State::find(&args.stack)?;
    let lock = state.lock().await?;
    stop(&state, true).await?;
    start(&state, lock, args.runtime).await
}

pub(crate) async fn status(args: &StackArgs) -> Result<()> {
    print(&overview(&State::find(args)?).await?);
    Ok(())
}

/// What runs where, as a table.
async fn overview(state: &State) -> Result<String> {
    let mut rows = vec![["SERVICE", "STATE", "CONNECTION"].map(str::to_owned).to_vec()];
    let server = Server::new(state);
    let connection = format!("{}  (gRPC: port {})", server.url(), server.grpc_port());
    if let Some(containers) = containers(state).await? {
        let connections = DATABASES.iter().map(|database| (database.name, database.url(state)));
        let connections = connections.chain([("qdrant", connection)]);
        for ((name, connection), (_, container)) in connections.zip(SERVICES) {
            rows.push(vec![name.into(), containers.describe(container).await, connection]);
        }
        return Ok(table(&rows));
    }
    for database in &DATABASES {
        rows.push(vec![database.name.into(), database.describe(state).await?, database.url(state)]);
    }
    rows.push(vec!["qdrant".into(), server.describe().await, connection]);
    let adminer = Adminer::new(state);
    if adminer.is_there() {
        rows.push(vec!["adminer".into(), adminer.describe().await, adminer.url(state)]);
    }
    Ok(table(&rows))
}

fn closing(state: &State) -> String {
    let mut lines = Vec::new();
    if state.port_offset != 0 || state.unusual_folder().is_some() {
        lines.push("This is not the usual stack. For dbops to find it:".to_owned());
        lines.extend(state.variables().iter().map(|(name, value)| format!("  export {name}={}", quoted(value))));
    }
    if let Some(folder) = state.clusters_elsewhere() {
        lines.push(format!("data:   {}, where PostgreSQL's account can get", folder.display()));
    }
    let program = built("dbops", "debug");
    let (shown, folder) = match program.strip_prefix(root()) {
        Ok(inside) => (inside, format!("$PWD/{}", inside.parent().unwrap_or(inside).display())),
        Err(_) => (program.as_path(), program.parent().unwrap_or(&program).display().to_string()),
    };
    lines.push(format!("dbops:  {}  (export PATH=\"{folder}:$PATH\")", shown.display()));
    let folder = state.unusual_folder().map(|folder| format!(" --state {}", quoted(folder.as_os_str())));
    lines.push(format!("stop:   cargo xtask dev-down{}  (--volumes deletes the data too)", folder.unwrap_or_default()));
    lines.join("\n")
}

/// As a shell reads it.
fn quoted(value: &std::ffi::OsStr) -> String {
    let value = value.to_string_lossy();
    let is_plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "/:@.,_-".contains(c));
    if is_plain { value.into_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}
