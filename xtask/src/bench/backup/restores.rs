//! `dbops backup verify` beside sha256sum, and `dbops restore` beside pg_restore.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use dbops_postgres::process;

use super::{Bench, measure, memory_row, ratios, row, time};

const ARCHIVE: &str = "bench.dump";
/// Where each round restores.
const COPY: &str = "copy";
/// What dbops takes, with two sessions, where 16 GB of memory are free.
const SAME_SETTINGS: &str = "-c maintenance_work_mem=2097152kB -c synchronous_commit=off";

pub(super) fn run(bench: &Bench<'_>, lines: &mut Vec<Vec<String>>) -> Result<()> {
    // One set with fingerprints, and one without, for pg_restore compares nothing.
    let options = ["--compress", "gzip:1", "--no-fingerprints"];
    bench.back_up(&options[..2], &mut Vec::new())?;
    time(bench.dbops(&[&["backup", "--no-roles"], &options[..]].concat()))?;
    let backups = bench.folder.join("backups");
    let ids = fs::read_dir(&backups)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut ids: Vec<_> = ids.filter(|name| backups.join(name).join(ARCHIVE).exists()).collect();
    ids.sort();
    let [with, without] = &ids[..] else { bail!("there are to be two sets: {ids:?}") };
    verifications(bench, without, lines)?;
    restores(bench, [with, without], lines)
}

/// Each round: sha256sum, cat, dbops.
fn verifications(bench: &Bench<'_>, id: &str, lines: &mut Vec<Vec<String>>) -> Result<()> {
    let archive = bench.folder.join("backups").join(id).join(ARCHIVE);
    let reader = |program: &str| {
        let mut command = process::command(program);
        command.arg(&archive);
        time(command)
    };
    let mut memory = Vec::new();
    let [sha256sum, cat, dbops] = bench.rounds(|| {
        let dbops = bench.dbops(&["backup", "verify", id]);
        Ok([reader("sha256sum")?, reader("cat")?, measure(dbops, &mut memory)?])
    })?;
    lines.push(row("sha256sum", &sha256sum, " ms"));
    lines.push(row("cat", &cat, " ms"));
    lines.push(row("dbops backup verify", &dbops, " ms"));
    lines.push(row("dbops backup verify / sha256sum", &ratios(&dbops, &sha256sum), ""));
    lines.push(memory_row("dbops backup verify", &memory));
    Ok(())
}

/// Each round: pg_restore as dbops calls it, pg_restore as it is, dbops without comparing rows, dbops.
fn restores(bench: &Bench<'_>, [with, without]: [&str; 2], lines: &mut Vec<Vec<String>>) -> Result<()> {
    let archive = bench.folder.join("backups").join(without).join(ARCHIVE);
    let mut memory = Vec::new();
    let [same, defaults, plain, compared] = bench.rounds(|| {
        let mut same = pg_restore(bench, &archive);
        same.args(["--jobs=2", "--exit-on-error"]).env("PGOPTIONS", SAME_SETTINGS);
        Ok([
            bare(bench, same)?,
            bare(bench, pg_restore(bench, &archive))?,
            restore(bench, without, &mut memory)?,
            restore(bench, with, &mut memory)?,
        ])
    })?;
    lines.push(row("pg_restore --jobs=2, same settings", &same, " ms"));
    lines.push(row("pg_restore", &defaults, " ms"));
    lines.push(row("dbops restore of a set without fingerprints", &plain, " ms"));
    lines.push(row("dbops restore, rows compared", &compared, " ms"));
    lines.push(row("no fingerprints / pg_restore --jobs=2 (wanted: 1.05 at most)", &ratios(&plain, &same), ""));
    lines.push(row("rows compared / pg_restore --jobs=2", &ratios(&compared, &same), ""));
    lines.push(row("rows compared / pg_restore (wanted: less than 1)", &ratios(&compared, &defaults), ""));
    lines.push(memory_row("dbops restore", &memory));
    Ok(())
}

fn pg_restore(bench: &Bench<'_>, archive: &Path) -> Command {
    let mut command = bench.program("pg_restore", COPY);
    command.arg(archive);
    command
}

fn bare(bench: &Bench<'_>, command: Command) -> Result<f64> {
    bench.sql(&format!("CREATE DATABASE {COPY} TEMPLATE template0"))?;
    let measured = time(command);
    drop_copy(bench)?;
    measured
}

fn restore(bench: &Bench<'_>, id: &str, memory: &mut Vec<f64>) -> Result<f64> {
    let measured = measure(bench.dbops(&["restore", id, "--into", COPY, "--jobs", "2"]), memory);
    drop_copy(bench)?;
    measured
}

/// What was written is not to be written in the time of the next one.
fn drop_copy(bench: &Bench<'_>) -> Result<()> {
    bench.sql(&format!("DROP DATABASE {COPY}"))?;
    bench.sql("CHECKPOINT")
}
