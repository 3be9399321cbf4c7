//! The runs of pg_restore.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use dbops_postgres::{ClientPrograms, DatabaseUrl, Installation, process};

use super::{Owners, RestorePlan};
use crate::child::{Running, bare_command, command, passfile, read_tail};
use crate::temporary::Folder;
use crate::{Archive, Error, Programs};

/// How long reading an archive's table of contents may take.
const LIST_LIMIT: Duration = Duration::from_secs(60);

/// An archive's table of contents, with what each entry depends on.
pub(super) async fn list(
    programs: &Programs,
    installation: &Installation,
    archive: &Archive,
    database: &str,
) -> Result<String, Error> {
    let mut command = bare_command(programs, installation, "pg_restore");
    command.args(["--list", "--verbose", "--"]).arg(archive.path());
    let listed = process::run(command, LIST_LIMIT).await;
    let listed = listed.map_err(|source| failure(archive, database, source))?;
    Ok(String::from_utf8_lossy(&listed).into_owned())
}

/// Restores what the plan chose into the database at `url`.
pub(super) async fn run(
    plan: &RestorePlan,
    installation: &Installation,
    url: &DatabaseUrl,
    programs: &Programs,
    arguments: &[String],
) -> Result<(), Error> {
    let passfile = passfile(url)?;
    let failed = |source| failure(&plan.archive, plan.destination.url.database(), source);
    let folder = Folder::create()?;
    let chosen = folder.path("list");
    let lines: String = plan.entries.iter().map(|entry| format!("{}\n", entry.line())).collect();
    fs::write(&chosen, lines).map_err(Error::io("write", &chosen))?;
    let place = ClientPrograms::Here(installation.clone());
    let mut command = command(programs, &place, "pg_restore", url, passfile.as_ref());
    command.arg("--exit-on-error");
    match &plan.options.owners {
        Owners::Keep => {}
        Owners::Drop => drop(command.arg("--no-owner")),
        Owners::Everything(role) => drop(command.arg("--no-owner").arg(format!("--role={role}"))),
    }
    command.args((!plan.options.with_privileges).then_some("--no-privileges"));
    command.args(arguments).arg("--use-list").arg(&chosen);
    command.arg("--").arg(plan.archive.path());
    let mut running = Running::start(command, Stdio::null()).map_err(failed)?;
    let (_, stderr) = running.pipes();
    let said = read_tail(stderr).await;
    running.wait(&said).await.map_err(failed)
}

fn failure(archive: &Archive, database: &str, source: process::ProcessError) -> Error {
    Error::Restore { archive: archive.origin.clone(), database: database.into(), source }
}
