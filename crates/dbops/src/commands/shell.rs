//! `dbops shell`: psql on a target, from this machine or from the server's container.

use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use clap::Args;
use dbops_postgres::passfile::TemporaryPassfile;
use dbops_postgres::{ClientPrograms, DatabaseUrl, SERVER_STARTED, Version, connect, process};

use super::{Context, Outcome, docker};
use crate::config::{Config, PostgresTarget, TargetKind};
use crate::failure::{Failure, Result};

/// What the server shows, unless the URL says otherwise.
const APPLICATION_NAME: (&str, &str) = ("PGAPPNAME", "dbops");

/// How long psql in a container may take to say which server it is at.
const ANSWER: Duration = Duration::from_secs(20);

/// Open psql on a target, through its container when there is no psql of the server's version here
///
/// What stands behind `--` goes to psql, whose exit code is that of dbops. The password is in no argument.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  dbops shell bot_db\n  dbops shell bot_db -- -c \"SELECT count(*) FROM users\"\n  dbops \
                        shell vector_db -- -f report.sql"
)]
pub(crate) struct ShellArgs {
    /// The target; may be left out where there is one
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Arguments for psql
    #[arg(value_name = "ARGS", last = true)]
    arguments: Vec<String>,
}

pub(crate) async fn run(context: &Context, args: &ShellArgs) -> Result<Outcome> {
    if context.ui.json {
        return Err(Failure::usage("a shell prints what psql prints, and no JSON document")
            .with_hint("leave --json out; psql has --csv: `dbops shell TARGET -- --csv -c SQL`"));
    }
    let config = context.config()?;
    let (name, target) = single(&config, args.target.as_deref())?;
    let doctor = format!("`dbops doctor {name}` goes through it step by step");
    let client = connect(&target.url).await.map_err(|error| Failure::from(error).with_hint(doctor))?;
    let version =
        Version::of_server(&client).await.map_err(|error| Failure::from(dbops_postgres::SqlError::from(error)))?;
    let started = client.query_one(SERVER_STARTED, &[]).await.and_then(|row| row.try_get::<_, String>(0));
    let started = started.map_err(|error| Failure::from(dbops_postgres::SqlError::from(error)))?;
    // It would count as a connection of its own for as long as psql runs.
    drop(client);
    let container = target.container.as_deref();
    let place = ClientPrograms::find(&context.environment.places(), container, "psql", version).await?;
    context.ui.detail(format!("{name}: psql {place}"));
    let passfile = TemporaryPassfile::write(&target.url)?;
    let mut command = match &place {
        ClientPrograms::Here(_) => here(context, &place, &target.url, passfile.as_ref()),
        ClientPrograms::Container(found) => {
            is_servers(context, &found.name, &target.url, &started).await?;
            inside(context, &found.name, &target.url, io::stdin().is_terminal() && io::stdout().is_terminal())?
        }
    };
    command.args(&args.arguments);
    let status = attend(command).await?;
    // Up to here psql may have read it again, to connect anew.
    drop(passfile);
    Ok(Outcome::Ended(code(status)))
}

/// The one target, which has to be named where there are several.
fn single<'a>(config: &'a Config, named: Option<&str>) -> Result<(&'a str, &'a PostgresTarget)> {
    let names: Vec<_> = named.map(ToOwned::to_owned).into_iter().collect();
    if let [one] = config.select(&names)?[..]
        && let (TargetKind::Qdrant(qdrant), true) = (&one.kind, named.is_some())
    {
        let url = &qdrant.addresses.first.url;
        return Err(Failure::usage(format!("target `{}` is a Qdrant server, and psql speaks PostgreSQL", one.name))
            .with_hint(format!(
                "`dbops qdrant status` and `dbops qdrant search` look into it, or open {url}/dashboard"
            )));
    }
    let found = config.select_postgres(&names)?;
    if let [one] = found[..] {
        return Ok(one);
    }
    let known: Vec<_> = found.iter().map(|(name, _)| *name).collect();
    Err(Failure::usage(format!("a shell is on one database, and there are {}: {}", known.len(), known.join(", ")))
        .with_hint("name one: `dbops shell TARGET`"))
}

fn here(context: &Context, place: &ClientPrograms, url: &DatabaseUrl, passfile: Option<&TemporaryPassfile>) -> Command {
    let mut command = place.command("psql");
    command.env_clear().envs(context.environment.for_terminal());
    command.env(APPLICATION_NAME.0, APPLICATION_NAME.1).envs(passfile.map(|file| ("PGPASSFILE", file.path())));
    command.arg(format!("--dbname={}", url.conninfo()));
    command
}

/// In the container the server is at hand. The password goes along as a variable whose value is in no argument.
fn inside(context: &Context, container: &str, url: &DatabaseUrl, at_terminal: bool) -> Result<Command> {
    let docker = docker::program(&context.environment).ok_or_else(|| Failure::usage("docker is not on PATH"))?;
    let mut command = process::bound_command(docker);
    command.env_clear().envs(context.environment.for_terminal());
    command.args(["exec", if at_terminal { "-it" } else { "-i" }]);
    if let Some(password) = url.password() {
        command.env("PGPASSWORD", String::from_utf8_lossy(password).into_owned()).args(["-e", "PGPASSWORD"]);
    }
    let application_name = format!("{}={}", APPLICATION_NAME.0, APPLICATION_NAME.1);
    command
        .args(["-e", &application_name, "-e", "TERM", container, "psql"])
        .arg(format!("--dbname={}", url.conninfo_at_hand()));
    Ok(command)
}

/// Refuses a container that the URL does not lead to: what is typed there would be done to another server.
async fn is_servers(context: &Context, container: &str, url: &DatabaseUrl, started: &str) -> Result<()> {
    let mut command = inside(context, container, url, false)?;
    command.args(["-XAt", "-c", SERVER_STARTED]);
    // One that lets nobody in, or has no such database, is another one too.
    let inside = process::run(command, ANSWER).await.unwrap_or_default();
    if inside.trim_ascii() == started.as_bytes() {
        return Ok(());
    }
    Err(Failure::refused(format!("the container {container} is not that of the server at {}", url.server())).with_hint(
        "correct `container` of the target, or install PostgreSQL's client programs here: psql then goes by the URL",
    ))
}

/// Leaves terminal and signals to psql until it ends. Ctrl-C reaches it by the terminal, and is not for dbops.
async fn attend(mut command: Command) -> Result<ExitStatus> {
    let name = process::name_of(&command);
    command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let started = tokio::process::Command::from(command).spawn();
    let mut child = started.map_err(|source| anyhow::Error::new(source).context(format!("cannot start {name}")))?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    loop {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        tokio::select! {
            status = child.wait() => return Ok(status?),
            _ = tokio::signal::ctrl_c() => continue,
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        if let Some(pid) = pid {
            // It may have ended meanwhile.
            let _ = process::terminate(pid);
        }
    }
}

/// As a shell tells it: 128 and the signal's number for what a signal ended.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
