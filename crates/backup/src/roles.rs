//! The server's roles as a script, by pg_dumpall.

use std::process::Stdio;

use crate::child::{Running, command, passfile, read_tail};
use crate::dump::{Run, pump};
use crate::manifest::ManifestFile;
use crate::new_set::FileWriter;
use crate::{Error, Event};

/// The role of the file in the set.
pub(crate) const ROLES: &str = "roles";

/// Writes the roles, their memberships, and the tablespaces. Hashes of passwords are for superusers to read.
pub(crate) async fn dump_roles(
    run: &Run<'_>,
    with_passwords: bool,
    mut file: FileWriter,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<ManifestFile, Error> {
    let passfile = passfile(run.url)?;
    let mut command = command(run.programs, run.place, "pg_dumpall", run.url, passfile.as_ref());
    // pg_dumpall would go by way of the database `postgres`, where this user may not be let in.
    command.arg("--globals-only").arg(format!("--database={}", run.url.database()));
    command.args((!with_passwords).then_some("--no-role-passwords"));
    let failed = |source| Error::Roles { target: run.target.into(), source };
    let first_line = run.first_line()?;
    let mut running = Running::start_with(command, Stdio::piped(), first_line).await.map_err(failed)?;
    let (stdout, stderr) = running.pipes();
    let mut on_bytes = |count| on_event(Event::Bytes(count));
    let (written, said) = tokio::join!(pump(stdout, &mut file, &mut on_bytes), read_tail(stderr));
    written?;
    running.wait(&said).await.map_err(failed)?;
    file.finish().await
}
