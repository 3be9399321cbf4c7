//! The local stack: two PostgreSQL clusters and Qdrant, as the Support Bot expects them.

mod database;
mod dbops;
mod qdrant;
mod state;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Error, Result, anyhow};
use clap::Args;
use dbops_postgres::ProgramError;

use self::database::DATABASES;
use self::qdrant::Server;
use self::state::State;
use crate::progress::{Progress, print, table};
use crate::workspace::{build_programs, built, root};

/// Above it, a port would be beyond the last one.
const MAX_OFFSET: i64 = (u16::MAX - qdrant::GRPC_PORT) as i64;

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

pub(crate) async fn up(args: &StackArgs) -> Result<()> {
    let state = State::find(args)?;
    let lock = state.lock().await?;
    start(&state, lock).await
}

async fn start(state: &State, lock: File) -> Result<()> {
    let progress = Progress::new();
    let server = Server::new(state);
    DATABASES.iter().try_for_each(|database| database.check_port(state))?;
    server.check_ports(state)?;
    build_programs(&progress).await?;

    state.remember_ports()?;
    for database in &DATABASES {
        database.start(state, &progress).await?;
    }
    server.start(state, &progress).await?;
    let warnings = dbops::set_up(state, &lock, &progress).await?;
    drop(progress);

    print(&format!("{}\n", overview(state).await?));
    print(&closing(state));
    for warning in warnings {
        crate::progress::error_line(&warning);
    }
    Ok(())
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
    Server::new(state).stop().await?;
    for database in &DATABASES {
        database.stop(state).await?;
    }
    if volumes {
        progress.step("deleting the data");
        state.delete()?;
    }
    Ok(())
}

pub(crate) async fn reset(args: &StackArgs) -> Result<()> {
    let state = State::find(args)?;
    let lock = state.lock().await?;
    stop(&state, true).await?;
    start(&state, lock).await
}

pub(crate) async fn status(args: &StackArgs) -> Result<()> {
    print(&overview(&State::find(args)?).await?);
    Ok(())
}

/// What runs where, as a table.
async fn overview(state: &State) -> Result<String> {
    let mut rows = vec![["SERVICE", "STATE", "CONNECTION"].map(str::to_owned).to_vec()];
    for database in &DATABASES {
        rows.push(vec![database.name.into(), database.describe(state).await?, database.url(state)]);
    }
    let server = Server::new(state);
    let connection = format!("{}  (gRPC: port {})", server.url(), server.grpc_port());
    rows.push(vec!["qdrant".into(), server.describe().await, connection]);
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
