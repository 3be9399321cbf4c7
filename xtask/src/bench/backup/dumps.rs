//! `dbops backup` beside pg_dump.

use std::process::Command;

use anyhow::Result;

use super::{Bench, DATABASE, memory_row, ratios, row, time};

/// Each round: pg_dump, dbops without fingerprints, dbops with them.
pub(super) fn run(bench: &Bench<'_>, compression: &str, lines: &mut Vec<Vec<String>>) -> Result<()> {
    let mut memory = Vec::new();
    let options = ["--compress", compression, "--no-fingerprints"];
    let [bare, without, with] = bench.rounds(|| {
        Ok([
            time(pg_dump(bench, compression))?,
            bench.back_up(&options, &mut memory)?,
            bench.back_up(&options[..2], &mut memory)?,
        ])
    })?;
    lines.push(row(&format!("pg_dump, {compression}"), &bare, " ms"));
    lines.push(row(&format!("dbops backup --no-fingerprints, {compression}"), &without, " ms"));
    lines.push(row(&format!("dbops backup, {compression}"), &with, " ms"));
    lines.push(row("no fingerprints / pg_dump (wanted: 1.05 at most)", &ratios(&without, &bare), ""));
    lines.push(row("dbops / pg_dump (wanted: 1.25 at most)", &ratios(&with, &bare), ""));
    lines.push(memory_row("dbops backup", &memory));
    Ok(())
}

fn pg_dump(bench: &Bench<'_>, compression: &str) -> Command {
    let mut command = bench.program("pg_dump", DATABASE);
    command.args(["--format=custom", &format!("--compress={compression}"), "-f"]).arg(bench.folder.join("bare.dump"));
    command
}
