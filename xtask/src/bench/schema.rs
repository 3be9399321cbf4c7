//! Reading and comparing large schemas, beside Alembic's autogenerate on the same tables.
//!
//! Alembic reads one database and compares it with models that are in memory; it looks at tables, columns, indexes and
//! foreign keys. `dbops schema diff` reads two databases, every kind of object in them. Two ratios are shown: of the
//! whole commands, as a user waits for them, and of reading one database and comparing it with what is in memory.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};
use dbops_postgres::{Throwaway, connect, process};

use super::{HEADINGS, Stage, ratios, row, stage, time_and_memory};
use crate::progress::{Progress, print, table};
use crate::workspace::{build, built, root};

/// The sizes, in tables; the second is the one that is compared with Alembic.
const SIZES: [usize; 4] = [1_000, 2_000, 5_000, 10_000];

pub(super) async fn run(runs: usize) -> Result<()> {
    ensure!(runs > 0, "--runs has to be 1 or more");
    let progress = Progress::new();
    let Stage { python, server, .. } = stage(&progress, vec!["max_locks_per_transaction=2000".into()]).await?;
    let example = ["build", "--release", "--package", "dbops-schema-graph", "--example", "read_and_plan"];
    build(&progress, "the library's example for release", &example).await?;
    let folder = root().join("target/bench-schema");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("compare.py"), include_str!("compare.py"))?;
    fs::write(
        folder.join("dbops.yaml"),
        "version: 1\ntargets:\n  one:\n    kind: postgres\n    url: ${ONE}\n  other:\n    kind: postgres\n    \
         url: ${OTHER}\n",
    )?;

    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    for tables in SIZES {
        progress.step(&format!("{tables} tables"));
        for name in ["one", "other"] {
            fill(&server, &format!("{name}_{tables}"), tables).await?;
        }
        let bench = Bench { server: &server, python: &python, folder: &folder, tables };
        bench.run(runs, &mut lines)?;
    }
    drop(progress);
    print(&table(&lines));
    Ok(())
}

struct Bench<'a> {
    server: &'a Throwaway,
    python: &'a Path,
    folder: &'a Path,
    tables: usize,
}

impl Bench<'_> {
    fn run(&self, runs: usize, lines: &mut Vec<Vec<String>>) -> Result<()> {
        let is_compared = self.tables == SIZES[1];
        let [mut dbops, mut memory, mut one, mut theirs, mut theirs_one] = [(); 5].map(|()| Vec::new());
        for index in 0..=runs {
            let (whole, size) = time_and_memory(self.dbops())?;
            // The first round warms the caches.
            if index == 0 {
                continue;
            }
            dbops.push(whole);
            memory.push(size);
            one.push(whole_and_part(self.library())?.1);
            if is_compared {
                let (whole, part) = whole_and_part(self.alembic())?;
                theirs.push(whole);
                theirs_one.push(part);
            }
        }
        let wanted = if is_compared { [" (wanted: 1500 at most)", " (wanted: 300 at most)"] } else { [""; 2] };
        let name = format!("dbops schema diff: two databases of {} tables read, planned{}", self.tables, wanted[0]);
        lines.push(row(&name, &dbops, " ms"));
        lines.push(row(&format!("its memory{}", wanted[1]), &memory, " MB"));
        lines.push(row("part: one database read, planned to a schema in memory", &one, " ms"));
        if is_compared {
            lines.push(row("Alembic's autogenerate: one database read, compared with models", &theirs, " ms"));
            lines.push(row("part: without Python's start and the models", &theirs_one, " ms"));
            lines.push(row("alembic / dbops, whole commands (wanted: 10 at least)", &ratios(&theirs, &dbops), ""));
            lines.push(row("alembic / dbops, the parts: one database each", &ratios(&theirs_one, &one), ""));
        }
        Ok(())
    }

    fn dbops(&self) -> Command {
        let url = |name| format!("{name}_{}", self.tables);
        let mut command = process::command(built("dbops", "release"));
        command.args(["schema", "diff", "--from", "one", "--to", "other"]).current_dir(self.folder);
        command.env("ONE", self.server.url(&url("one")).reveal()).env("OTHER", self.server.url(&url("other")).reveal());
        command
    }

    fn library(&self) -> Command {
        let mut command = process::command(built("examples/read_and_plan", "release"));
        command.env("BENCH_URL", self.server.url(&format!("one_{}", self.tables)).reveal());
        command
    }

    fn alembic(&self) -> Command {
        let url =
            self.server.url(&format!("one_{}", self.tables)).reveal().replace("postgresql:", "postgresql+psycopg:");
        let mut command = process::command(self.python);
        command.arg(self.folder.join("compare.py")).arg(self.tables.to_string()).env("BENCH_URL", url);
        command
    }
}

/// For each four tables: forty columns, twelve indexes, three foreign keys, a view and a function.
async fn fill(server: &Throwaway, name: &str, tables: usize) -> Result<()> {
    connect(&server.url("postgres")).await?.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    let client = connect(&server.url(name)).await?;
    let columns: Vec<_> = (0..8).map(|column| format!("c{column} text")).collect();
    for number in 0..tables {
        let link = if number % 4 == 0 { String::new() } else { format!(" REFERENCES t{}", number - 1) };
        let mut sql =
            format!("CREATE TABLE t{number} (id bigint PRIMARY KEY, link bigint{link}, {});", columns.join(", "));
        for column in 0..3 {
            sql.push_str(&format!("CREATE INDEX t{number}_c{column} ON t{number} (c{column});"));
        }
        if number % 4 == 3 {
            let first = number - 3;
            sql.push_str(&format!(
                "CREATE VIEW v{number} AS SELECT a.id, b.c1, b.c2 FROM t{first} a JOIN t{number} b USING (id);
                 CREATE FUNCTION f{number}(bigint) RETURNS text LANGUAGE sql AS 'SELECT c1 FROM v{number} WHERE id = $1';"
            ));
        }
        client.batch_execute(&sql).await?;
    }
    // Otherwise autovacuum would come in the middle of a run.
    Ok(client.batch_execute("VACUUM ANALYZE").await?)
}

/// The wall time of a whole process in milliseconds, and of the part of it that it prints.
fn whole_and_part(mut command: Command) -> Result<(f64, f64)> {
    let start = Instant::now();
    let output = command.stderr(Stdio::inherit()).output()?;
    let elapsed = start.elapsed();
    ensure!(output.status.success(), "a program of the benchmark failed");
    Ok((elapsed.as_secs_f64() * 1000.0, String::from_utf8(output.stdout)?.trim().parse()?))
}
