//! A database of one gigabyte, half of it vectors: dumped and restored beside PostgreSQL's own programs with the same
//! options, verified beside sha256sum, and encrypted on its way into a bucket.

mod dumps;
mod encrypted;
mod restores;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use dbops_postgres::{Installation, Throwaway, ThrowawayOptions, connect, process};

use super::{HEADINGS, ratios, row, time, time_and_memory};
use crate::progress::{Progress, print, table};
use crate::workspace::{build, built, places, root};

/// Vectors of 384 dimensions that are all different, as an embedding model's are; texts, JSON, numbers and enums.
const FILL: &str = include_str!("fill.sql");
const DATABASE: &str = "bench";
/// What both programs are told. gzip as it comes takes minutes.
const COMPRESSIONS: [&str; 2] = ["none", "gzip:1"];
const CONFIG: &str = "version: 1\ntargets:\n  bench:\n    kind: postgres\n    url: ${BENCH_URL}\n\
                      backup:\n  repository: backups\n";
const PROGRAMS: [&str; 6] =
    ["build", "--release", "--package=dbops", "--bin=dbops", "--package=dbops-testbed", "--example=s3-server"];

pub(super) async fn run(runs: usize) -> Result<()> {
    ensure!(runs > 0, "--runs has to be 1 or more");
    let progress = Progress::new();
    build(&progress, "dbops and the S3 server for release", &PROGRAMS).await?;
    progress.step("starting PostgreSQL");
    let installation = Installation::find_or_fetch_server(&places(), true).await.map_err(crate::dev::with_hint)?;
    let settings = ["max_wal_size=8GB", "autovacuum=off", "shared_buffers=256MB"].map(String::from).to_vec();
    let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings };
    let server = Throwaway::start(&installation, &options).context("a throwaway server")?;
    progress.step("filling one gigabyte");
    let bytes = fill(&server).await?;
    ensure!(bytes > 1e9, "only {bytes} bytes");
    let folder = Folder::create(root().join("target/bench-backup"))?;
    fs::write(folder.0.join("dbops.yaml"), CONFIG)?;
    let bench = Bench { server: &server, installation: &installation, folder: &folder.0, runs };

    print(&format!("a database of {:.2} GB", bytes / 1e9));
    progress.step("warming the caches");
    bench.back_up(&["--compress", "none"], &mut Vec::new())?;
    drop(progress);
    for compression in COMPRESSIONS {
        part(&format!("dumps, {compression}"), |lines| dumps::run(&bench, compression, lines))?;
        part(&format!("into a bucket, {compression}"), |lines| encrypted::run(&bench, compression, lines))?;
    }
    part("verifications and restores", |lines| restores::run(&bench, lines))
}

/// Measures, and says at once what came out: all of it takes many minutes.
fn part(what: &str, measure: impl FnOnce(&mut Vec<Vec<String>>) -> Result<()>) -> Result<()> {
    let progress = Progress::new();
    progress.step(what);
    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    measure(&mut lines)?;
    drop(progress);
    print(&table(&lines));
    Ok(())
}

/// A folder that is gone at the end, however that comes.
struct Folder(PathBuf);

impl Folder {
    fn create(path: PathBuf) -> io::Result<Self> {
        // What a kill has left.
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run removes what this one cannot.
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Bench<'a> {
    server: &'a Throwaway,
    installation: &'a Installation,
    folder: &'a Path,
    runs: usize,
}

impl Bench<'_> {
    /// So many rounds of one run each, in milliseconds.
    fn rounds<const N: usize>(&self, mut round: impl FnMut() -> Result<[f64; N]>) -> Result<[Vec<f64>; N]> {
        let mut times = [const { Vec::new() }; N];
        for _ in 0..self.runs {
            for (times, time) in times.iter_mut().zip(round()?) {
                times.push(time);
            }
        }
        Ok(times)
    }

    /// One of PostgreSQL's programs on a database of the server.
    fn program(&self, name: &str, database: &str) -> Command {
        let mut command = process::command(self.installation.program(name));
        command.args(["-d", &self.server.url(database).conninfo()]).env("PGPASSWORD", "admin");
        command
    }

    fn sql(&self, statement: &str) -> Result<()> {
        let mut psql = self.program("psql", "postgres");
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        time(psql).map(drop)
    }

    fn dbops(&self, arguments: &[&str]) -> Command {
        let mut command = process::command(built("dbops", "release"));
        command.args(arguments).current_dir(self.folder).env("BENCH_URL", self.server.url(DATABASE).reveal());
        command
    }

    /// A backup into the folder `backups`, which holds nothing else.
    fn back_up(&self, options: &[&str], memory: &mut Vec<f64>) -> Result<f64> {
        let backups = self.folder.join("backups");
        if backups.exists() {
            fs::remove_dir_all(backups)?;
        }
        measure(self.dbops(&[&["backup", "--no-roles"], options].concat()), memory)
    }
}

/// The time of a run in milliseconds; its memory in megabytes is added to the others'.
fn measure(command: Command, memory: &mut Vec<f64>) -> Result<f64> {
    let (time, most) = time_and_memory(command)?;
    memory.push(most);
    Ok(time)
}

/// The line about memory.
fn memory_row(what: &str, memory: &[f64]) -> Vec<String> {
    row(&format!("memory of {what} (wanted: 64 MB at most)"), memory, " MB")
}

async fn fill(server: &Throwaway) -> Result<f64> {
    connect(&server.url("postgres")).await?.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await?;
    let client = connect(&server.url(DATABASE)).await?;
    client.batch_execute(FILL).await?;
    // Otherwise autovacuum would come in the middle of a run.
    client.batch_execute("VACUUM ANALYZE").await?;
    client.batch_execute("CHECKPOINT").await?;
    let row = client.query_one("SELECT pg_database_size(current_database())::float8", &[]).await?;
    Ok(row.try_get(0)?)
}
