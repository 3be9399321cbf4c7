//! Where pg_restore is run for an archive and a server: on this machine, or in the server's container.

use std::process::Stdio;

use dbops_postgres::{ClientPrograms, Installation, SERVER_STARTED, SqlError, Version, connect};
use tokio::io::AsyncReadExt;

use super::Destination;
use crate::child::{Running, command, read_tail};
use crate::{Archive, Error, Programs};

/// The programs for an archive. A container counts when it can be handed the archive, and only if it is the one that the
/// URL leads to: what is restored there would be in another server.
pub(super) async fn find(
    programs: &Programs,
    archive: &Archive,
    destination: &Destination,
    needed: Version,
) -> Result<ClientPrograms, Error> {
    let container = destination.container.as_deref();
    let found = ClientPrograms::find(&programs.places, container, "pg_restore", needed).await?;
    let ClientPrograms::Container(inside) = &found else { return Ok(found) };
    let reason = if !archive.is_custom() {
        "cannot be handed a folder or a tar file".to_owned()
    } else if started_inside(programs, &found, destination).await? == started(destination).await? {
        return Ok(found);
    } else {
        format!("is not that of the server at {}", destination.url.server())
    };
    let here = Installation::find_client(&programs.places, "pg_restore", needed).await;
    Ok(ClientPrograms::Here(here.map_err(|error| error.nor_in(&inside.name, &reason))?))
}

async fn started(destination: &Destination) -> Result<String, Error> {
    let client = connect(&destination.maintenance).await?;
    let asked = async { client.query_one(SERVER_STARTED, &[]).await?.try_get(0) };
    asked.await.map_err(SqlError::from).map_err(Error::sql("read", destination.maintenance.database()))
}

/// Nothing where it cannot be asked, as when it has no such database or lets nobody in: it is another one then.
async fn started_inside(
    programs: &Programs,
    place: &ClientPrograms,
    destination: &Destination,
) -> Result<String, Error> {
    let url = &destination.maintenance;
    let mut command = command(programs, place, "psql", url, None);
    command.args(["-XAt", "-c", SERVER_STARTED]);
    let line = place.first_line(url).map_err(Error::io("read", "the password file".as_ref()))?;
    let failed = |source| Error::Restore { archive: "a container".into(), database: url.database().into(), source };
    let mut running = Running::start_with(command, Stdio::piped(), line).await.map_err(failed)?;
    let (stdout, stderr) = running.pipes();
    let mut answer = String::new();
    let read = async {
        match stdout {
            Some(mut stdout) => stdout.read_to_string(&mut answer).await.map(drop),
            None => Ok(()),
        }
    };
    let (read, said) = tokio::join!(read, read_tail(stderr));
    let is_answer = running.wait(&said).await.is_ok() && read.is_ok();
    Ok(if is_answer { answer.trim().to_owned() } else { String::new() })
}
