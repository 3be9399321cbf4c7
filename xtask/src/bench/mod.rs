//! Benchmarks: each beside a peer in the same run, with medians and their ratio. These machines are noisy: read the
//! ratios.

mod backup;
mod migrate;
mod qdrant;
mod schema;
mod startup;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use dbops_postgres::{Installation, Throwaway, ThrowawayOptions, process};

use crate::progress::Progress;
use crate::workspace::{build, places, root};

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// `dbops migrate current` on the Support Bot's two databases, beside psql with one query
    Startup {
        /// Paired runs
        #[arg(long, default_value = "40")]
        runs: usize,
    },
    /// 1,000 revisions beside psql and Alembic, `current` beside Alembic's, and a graph of 10,000 revisions
    Migrate {
        /// Paired runs
        #[arg(long, default_value = "5")]
        runs: usize,
    },
    /// Backup, verification and restore of a database of one gigabyte with vectors, beside pg_dump, sha256sum and
    /// pg_restore, and into a bucket
    Backup {
        /// Paired runs
        #[arg(long, default_value = "3")]
        runs: usize,
    },
    /// `dbops qdrant sync` beside a loop in Python with the public clients, `verify` of many points, `plan` of many
    /// collections; the first run builds Qdrant's engine for release, which takes long
    Qdrant {
        /// Paired runs
        #[arg(long, default_value = "3")]
        runs: usize,
        /// Rows to synchronise
        #[arg(long, default_value = "200000")]
        rows: u64,
        /// Points to compare
        #[arg(long, default_value = "1000000")]
        points: u64,
    },
    /// Two schemas of 2,000 tables read and compared, beside Alembic's autogenerate, and up to 10,000
    Schema {
        /// Paired runs
        #[arg(long, default_value = "5")]
        runs: usize,
    },
}

const LIMIT: Duration = Duration::from_secs(600);

pub(crate) async fn run(bench: Bench) -> Result<()> {
    match bench {
        Bench::Startup { runs } => startup::run(runs).await,
        Bench::Migrate { runs } => migrate::run(runs).await,
        Bench::Backup { runs } => backup::run(runs).await,
        Bench::Qdrant { runs, rows, points } => qdrant::run(&qdrant::Sizes { runs, rows, points }).await,
        Bench::Schema { runs } => schema::run(runs).await,
    }
}

const HEADINGS: [&str; 4] = ["WHOLE PROCESS", "MEDIAN", "MIN", "MAX"];

/// A line of the table of results.
fn row(name: &str, values: &[f64], unit: &str) -> Vec<String> {
    let (low, middle, high) = spread(values);
    let shown = |value: f64| if unit.is_empty() { format!("{value:.2}") } else { format!("{value:.1}{unit}") };
    vec![name.to_owned(), shown(middle), shown(low), shown(high)]
}

/// The wall time of a whole process, in milliseconds.
fn time(mut command: Command) -> Result<f64> {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let output = command.output()?;
    let elapsed = start.elapsed();
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(elapsed.as_secs_f64() * 1000.0)
}

/// The wall time of a whole process in milliseconds, and its largest resident memory in megabytes.
fn time_and_memory(mut command: Command) -> Result<(f64, f64)> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut largest = 0.0_f64;
    let outcome = loop {
        if let Some(outcome) = child.try_wait()? {
            break outcome;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
        largest = largest.max(kilobytes.unwrap_or_default() / 1024.0);
        std::thread::sleep(Duration::from_millis(2));
    };
    let elapsed = start.elapsed();
    ensure!(outcome.success(), "dbops failed");
    Ok((elapsed.as_secs_f64() * 1000.0, largest))
}

/// Minimum, median and maximum.
fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1])
}

fn ratios(one: &[f64], other: &[f64]) -> Vec<f64> {
    one.iter().zip(other).map(|(one, other)| one / other).collect()
}

/// What a benchmark beside Alembic needs, with dbops built for release.
struct Stage {
    python: PathBuf,
    installation: Installation,
    server: Throwaway,
}

async fn stage(progress: &Progress, settings: Vec<String>) -> Result<Stage> {
    build(progress, "dbops for release", &["build", "--release", "--package", "dbops"]).await?;
    progress.step("installing Alembic");
    let packages = ["alembic==1.20.*", "sqlalchemy==2.*", "psycopg[binary]==3.*"];
    let python = python("bench-alembic", &packages).await?;
    progress.step("starting PostgreSQL");
    let installation = Installation::find_or_fetch_server(&places(), true).await.map_err(crate::dev::with_hint)?;
    let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings };
    let server = Throwaway::start(&installation, &options).context("a throwaway server")?;
    Ok(Stage { python, installation, server })
}

/// A Python with these packages, made once in a folder of `target/`.
async fn python(folder: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = root().join("target").join(folder);
    let (python, done) = (folder.join("bin/python"), folder.join("complete"));
    if !done.exists() {
        let mut venv = process::command("python3");
        venv.args(["-m", "venv", "--clear"]).arg(&folder);
        process::run(venv, LIMIT).await?;
        let mut pip = process::command(&python);
        pip.args(["-m", "pip", "install", "--quiet"]).args(packages);
        process::run(pip, LIMIT).await.with_context(|| format!("pip cannot install {}", packages.join(" ")))?;
        fs::write(done, "")?;
    }
    Ok(python)
}
