//! Migrations beside their peers: psql with the same statements, and Alembic, which the benchmark installs.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{Throwaway, connect, process};

use super::{HEADINGS, Stage, ratios, row, stage, time};
use crate::progress::{Progress, print, table};
use crate::workspace::{built, root};

const REVISIONS: usize = 1000;

/// A folder with a project for each tool, all with the same revisions.
struct Projects {
    folder: PathBuf,
    python: PathBuf,
    psql: PathBuf,
    server: Throwaway,
}

pub(super) async fn run(runs: usize) -> Result<()> {
    ensure!(runs > 0, "--runs has to be 1 or more");
    let progress = Progress::new();
    let Stage { python, installation, server } = stage(&progress, Vec::new()).await?;
    let maintenance = connect(&server.url("postgres")).await?;
    let folder = root().join("target/bench-migrate");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let projects = Projects { folder, python, psql: installation.program("psql"), server };
    projects.write()?;

    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    progress.step("1,000 revisions");
    let (mut dbops, mut psql, mut alembic) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..=runs {
        for name in ["dbops", "psql", "alembic"] {
            fresh(&maintenance, name).await?;
        }
        let ours = time(projects.dbops(&["migrate", "-q", "upgrade", "heads"]))?;
        let (theirs, others) = (time(projects.psql())?, time(projects.alembic(&["upgrade", "head"]))?);
        // The first round warms the caches.
        if index > 0 {
            dbops.push(ours);
            psql.push(theirs);
            alembic.push(others);
        }
    }
    lines.push(row("dbops migrate upgrade heads, 1,000 revisions", &dbops, " ms"));
    lines.push(row("psql, the same statements and row updates", &psql, " ms"));
    lines.push(row("alembic upgrade head, a transaction each", &alembic, " ms"));
    lines.push(row("dbops / psql (wanted: 1.25 at most)", &ratios(&dbops, &psql), ""));
    lines.push(row("alembic / dbops (wanted: 3 at least)", &ratios(&alembic, &dbops), ""));

    progress.step("where the databases are");
    let (mut dbops, mut alembic) = (Vec::new(), Vec::new());
    for _ in 0..runs * 2 {
        dbops.push(time(projects.dbops(&["migrate", "current"]))?);
        alembic.push(time(projects.alembic(&["current"]))?);
    }
    lines.push(row("dbops migrate current", &dbops, " ms"));
    lines.push(row("alembic current", &alembic, " ms"));
    lines.push(row("alembic / dbops (wanted: 20 at least)", &ratios(&alembic, &dbops), ""));

    for count in [5_000, 10_000, 20_000] {
        progress.step(&format!("a graph of {count} revisions"));
        let graph = projects.write_graph(count)?;
        let mut values = Vec::new();
        for index in 0..=runs {
            // Nothing is connected to: files are loaded, the request is resolved, steps are planned and written out.
            let mut command = process::command(built("dbops", "release"));
            command.args(["migrate", "upgrade", "heads", "--sql"]).current_dir(&graph);
            let value = time(command)?;
            if index > 0 {
                values.push(value);
            }
        }
        let wanted = if count == 10_000 { " (wanted: 200 ms at most)" } else { "" };
        lines.push(row(&format!("load, resolve, plan {count} revisions{wanted}"), &values, " ms"));
    }
    drop(progress);
    print(&table(&lines));
    Ok(())
}

async fn fresh(maintenance: &Client, name: &str) -> Result<()> {
    maintenance.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await?;
    Ok(maintenance.batch_execute(&format!("CREATE DATABASE {name}")).await?)
}

fn id(number: usize) -> String {
    format!("{:012x}", 0xabc_0000_0000_usize + number)
}

impl Projects {
    fn dbops(&self, arguments: &[&str]) -> Command {
        let mut command = process::command(built("dbops", "release"));
        command.args(arguments).current_dir(self.folder.join("dbops"));
        command.env("BENCH_URL", self.server.url("dbops").reveal());
        command
    }

    fn psql(&self) -> Command {
        let mut command = process::command(&self.psql);
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.server.url("psql").conninfo(), "-f"]);
        command.arg(self.folder.join("script.sql")).env("PGPASSWORD", "admin");
        command
    }

    fn alembic(&self, arguments: &[&str]) -> Command {
        let mut command = process::command(&self.python);
        let url = self.server.url("alembic").reveal().replace("postgresql:", "postgresql+psycopg:");
        command.args(["-m", "alembic"]).args(arguments).current_dir(self.folder.join("alembic")).env("BENCH_URL", url);
        command
    }

    fn write(&self) -> Result<()> {
        let (dbops, alembic) = (self.folder.join("dbops/versions"), self.folder.join("alembic/db/versions"));
        fs::create_dir_all(&dbops)?;
        fs::create_dir_all(&alembic)?;
        write_config(&self.folder.join("dbops"), "${BENCH_URL}")?;
        fs::write(self.folder.join("alembic/alembic.ini"), "[alembic]\nscript_location = %(here)s/db\n")?;
        fs::write(self.folder.join("alembic/db/script.py.mako"), "")?;
        fs::write(self.folder.join("alembic/db/env.py"), include_str!("env.py"))?;
        let mut script = String::from("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);\n");
        for number in 0..REVISIONS {
            let (own, before) = (id(number), number.checked_sub(1).map(id));
            // The same statement, as people write it for each tool.
            let (sql, operation) = if number % 2 == 0 {
                (
                    format!("CREATE TABLE t{number} (id integer PRIMARY KEY)"),
                    format!(
                        "create_table('t{number}', \
                         sa.Column('id', sa.Integer, primary_key=True, autoincrement=False))"
                    ),
                )
            } else {
                let table = number - 1;
                (
                    format!("ALTER TABLE t{table} ADD COLUMN c{number} integer"),
                    format!("add_column('t{table}', sa.Column('c{number}', sa.Integer))"),
                )
            };
            write_revision(&dbops, number, before.as_deref().unwrap_or_default(), &sql)?;
            let down = before.as_ref().map_or("None".into(), |id| format!("'{id}'"));
            let python = format!(
                "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = '{own}'\ndown_revision = {down}\n\n\n\
                 def upgrade():\n    op.{operation}\n"
            );
            fs::write(alembic.join(format!("{number:05}_{own}.py")), python)?;
            let edit = match before {
                Some(before) => {
                    format!("UPDATE alembic_version SET version_num = '{own}' WHERE version_num = '{before}'")
                }
                None => format!("INSERT INTO alembic_version VALUES ('{own}')"),
            };
            writeln!(script, "BEGIN;\n{sql};\n{edit};\nCOMMIT;")?;
        }
        Ok(fs::write(self.folder.join("script.sql"), script)?)
    }

    /// Diamonds in a row: of twenty revisions, one is a branch point and one a merge.
    fn write_graph(&self, count: usize) -> Result<PathBuf> {
        let folder = self.folder.join(format!("graph-{count}"));
        let versions = folder.join("versions");
        fs::create_dir_all(&versions)?;
        write_config(&folder, "postgresql://nobody@localhost:1/nothing")?;
        for number in 0..count {
            let first = number - number % 20;
            let parents = match number % 20 {
                0 if number == 0 => String::new(),
                10 => id(first),
                19 => format!("{}, {}", id(first + 9), id(first + 18)),
                _ => id(number - 1),
            };
            write_revision(&versions, number, &parents, &format!("ALTER TABLE users ADD COLUMN c{number} text"))?;
        }
        Ok(folder)
    }
}

fn write_config(folder: &Path, url: &str) -> Result<()> {
    let text = format!("version: 1\ntargets:\n  app:\n    kind: postgres\n    url: {url}\n    versions: versions\n");
    Ok(fs::write(folder.join("dbops.yaml"), text)?)
}

fn write_revision(folder: &Path, number: usize, parents: &str, sql: &str) -> Result<()> {
    let id = id(number);
    let text = format!(
        "-- revision: {id}\n-- revises: {parents}\n-- branch_labels:\n-- depends_on:\n-- message: change number {number}\n\
         -- created: 2026-01-01T00:00:00Z\n\n-- +up\n{sql};\n\n-- +down\n-- nothing to undo\n"
    );
    Ok(fs::write(folder.join(format!("{number:05}_{id}.sql")), text)?)
}
