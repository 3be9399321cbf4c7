//! Backing up a database of one gigabyte, half of it vectors, beside bare pg_dump with the same options.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use dbops_postgres::{Installation, Throwaway, ThrowawayOptions, connect, process};

use super::{HEADINGS, ratios, row, time, time_and_memory};
use crate::progress::{Progress, print, table};
use crate::workspace::{build, built, places, root};

/// Vectors of 384 dimensions that are all different, as an embedding model's are; texts, JSON, numbers and enums.
const FILL: &str = include_str!("backup.sql");
const DATABASE: &str = "bench";

/// What both programs are told: (compression, what the result is called).
const COMPRESSIONS: [(&str, &str); 2] = [("gzip", "gzip"), ("none", "not compressed")];

pub(super) async fn run(runs: usize) -> Result<()> {
    ensure!(runs > 0, "--runs has to be 1 or more");
    let progress = Progress::new();
    build(&progress, "dbops for release", &["build", "--release", "--package", "dbops"]).await?;
    progress.step("starting PostgreSQL");
    let installation = Installation::find_or_fetch_server(&places(), true).await.map_err(crate::dev::with_hint)?;
    let settings = ["max_wal_size=8GB", "autovacuum=off", "shared_buffers=256MB"].map(String::from).to_vec();
    let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings };
    let server = Throwaway::start(&installation, &options).context("a throwaway server")?;
    progress.step("filling one gigabyte");
    let bytes = fill(&server).await?;
    let folder = root().join("target/bench-backup");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("dbops.yaml"), CONFIG)?;
    let bench = Bench { server: &server, pg_dump: installation.program("pg_dump"), folder: &folder };

    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    let mut memory = Vec::new();
    for (compression, name) in COMPRESSIONS {
        progress.step(&format!("dumps, {name}"));
        bench.dumps(runs, compression, name, &mut lines, &mut memory)?;
    }
    lines.push(row("memory of dbops (wanted: 64 MB at most)", &memory, " MB"));
    drop(progress);
    fs::remove_dir_all(&folder)?;
    print(&format!("a database of {:.2} GB", bytes / 1e9));
    print(&table(&lines));
    Ok(())
}

const CONFIG: &str = "version: 1\ntargets:\n  bench:\n    kind: postgres\n    url: ${BENCH_URL}\n\
                      backup:\n  repository: backups\n";

struct Bench<'a> {
    server: &'a Throwaway,
    pg_dump: PathBuf,
    folder: &'a Path,
}

impl Bench<'_> {
    /// Each round: pg_dump, dbops without fingerprints, dbops with them. The first warms the caches.
    fn dumps(
        &self,
        runs: usize,
        compression: &str,
        name: &str,
        lines: &mut Vec<Vec<String>>,
        memory: &mut Vec<f64>,
    ) -> Result<()> {
        let (mut bare, mut plain, mut with) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..=runs {
            let theirs = time(self.pg_dump(compression))?;
            let (without_fingerprints, _) = self.back_up(compression, &["--no-fingerprints"])?;
            let (with_fingerprints, size) = self.back_up(compression, &[])?;
            if index > 0 {
                bare.push(theirs);
                plain.push(without_fingerprints);
                with.push(with_fingerprints);
                memory.push(size);
            }
        }
        lines.push(row(&format!("pg_dump, {name}"), &bare, " ms"));
        lines.push(row(&format!("dbops backup --no-fingerprints, {name}"), &plain, " ms"));
        lines.push(row(&format!("dbops backup, {name}"), &with, " ms"));
        lines.push(row("no fingerprints / pg_dump (wanted: 1.05 at most)", &ratios(&plain, &bare), ""));
        lines.push(row("dbops / pg_dump (wanted: 1.25 at most)", &ratios(&with, &bare), ""));
        Ok(())
    }

    fn pg_dump(&self, compression: &str) -> Command {
        let mut command = process::command(&self.pg_dump);
        command.args(["--format=custom", &format!("--compress={compression}"), "-f"]);
        command.arg(self.folder.join("bare.dump")).args(["-d", &self.server.url(DATABASE).conninfo()]);
        command.env("PGPASSWORD", "admin");
        command
    }

    fn back_up(&self, compression: &str, options: &[&str]) -> Result<(f64, f64)> {
        let mut command = process::command(built("dbops", "release"));
        command.args(["backup", "--no-roles", "--compress", compression]).args(options).current_dir(self.folder);
        command.env("BENCH_URL", self.server.url(DATABASE).reveal());
        let measured = time_and_memory(command)?;
        fs::remove_dir_all(self.folder.join("backups"))?;
        Ok(measured)
    }
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
