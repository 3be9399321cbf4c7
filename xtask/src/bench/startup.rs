//! How long a whole process takes that does next to nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dbops_postgres::{DatabaseUrl, Installation, Throwaway, ThrowawayOptions, connect, process};

use super::{HEADINGS, row, time};
use crate::progress::{Progress, print, table};
use crate::workspace::{build, built, places, root};

pub(super) async fn run(runs: usize) -> Result<()> {
    ensure!(runs > 0, "--runs has to be 1 or more");
    let progress = Progress::new();
    build(&progress, "dbops for release", &["build", "--release", "--package", "dbops"]).await?;
    progress.step("starting PostgreSQL");
    let installation = Installation::find_or_fetch_server(&places(), true).await.map_err(crate::dev::with_hint)?;
    let options = ThrowawayOptions { tcp_password: Some("admin".into()), settings: Vec::new() };
    let server = Throwaway::start(&installation, &options).context("a throwaway server")?;
    let maintenance = connect(&server.url("postgres")).await?;
    for name in ["bot_db", "vector_db"] {
        maintenance.batch_execute(&format!("CREATE DATABASE {name}")).await?;
    }
    let (bot, vector) = (server.url("bot_db"), server.url("vector_db"));

    let dbops = |arguments: &[&str]| {
        let mut command = process::command(built("dbops", "release"));
        command.args(arguments).current_dir(root());
        command.env("DATABASE_URL_SYNC", bot.reveal()).env("VECTOR_DATABASE_URL", vector.reveal());
        command
    };
    process::run(dbops(&["migrate", "upgrade", "heads"]), Duration::from_secs(60)).await?;
    let psql = |url: &DatabaseUrl| {
        let mut command = process::command(installation.program("psql"));
        command.args(["-X", "-A", "-t", "-c", "SELECT version_num FROM alembic_version", "-d", &url.conninfo()]);
        command.env("PGPASSWORD", "admin");
        command
    };

    progress.step("measuring");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for index in 0..=runs {
        let pair = (time(dbops(&["migrate", "current"]))?, time(psql(&bot))?);
        // The first pair warms the caches.
        if index > 0 {
            ours.push(pair.0);
            theirs.push(pair.1);
        }
    }
    drop(progress);
    let ratios: Vec<f64> = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
    print(&table(&[
        HEADINGS.map(str::to_owned).to_vec(),
        row("dbops migrate current (2 databases)", &ours, " ms"),
        row("psql, one query (1 database)", &theirs, " ms"),
        row("ratio, pair by pair", &ratios, ""),
    ]));
    Ok(())
}
