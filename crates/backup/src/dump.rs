//! One run of pg_dump: its output written, counted and hashed in one pass.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use dbops_postgres::{DatabaseUrl, Installation};
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;

use crate::child::{Running, command, passfile, read_tail};
use crate::hash::{CHUNK, Tally};
use crate::{Error, Event, Programs};

/// What pg_dump is told beyond the connection. Compression is its default, since not every build has zstd.
pub(crate) const OPTIONS: [&str; 1] = ["--format=custom"];

/// What to dump.
pub(crate) struct Dump<'a> {
    pub(crate) target: &'a str,
    pub(crate) url: &'a DatabaseUrl,
    pub(crate) programs: &'a Programs,
    pub(crate) installation: &'a Installation,
    /// The snapshot to dump, exported by a session that keeps it open.
    pub(crate) snapshot: Option<&'a str>,
}

impl Dump<'_> {
    /// Runs pg_dump into `file`, which is on the disk when this returns; gives its size and SHA-256.
    pub(crate) async fn run(
        &self,
        file: File,
        path: &Path,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<(u64, String), Error> {
        let passfile = passfile(self.url)?;
        let mut command = command(self.programs, self.installation, "pg_dump", self.url, passfile.as_ref());
        command.args(OPTIONS).args(self.snapshot.map(|id| format!("--snapshot={id}")));
        let failed = |source| Error::Dump { target: self.target.into(), source };
        let mut running = Running::start(command, Stdio::piped()).map_err(failed)?;
        let (stdout, stderr) = running.pipes();
        let (written, said) = tokio::join!(pump(stdout, file, path, on_event), read_tail(stderr));
        let tally = written?;
        running.wait(&said).await.map_err(failed)?;
        Ok(tally)
    }
}

async fn pump(
    stdout: Option<ChildStdout>,
    mut file: File,
    path: &Path,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(u64, String), Error> {
    let mut tally = Tally::new();
    let mut buffer = vec![0; CHUNK];
    if let Some(mut stdout) = stdout {
        loop {
            let count = stdout.read(&mut buffer).await.map_err(Error::io("read what pg_dump writes to", path))?;
            if count == 0 {
                break;
            }
            file.write_all(&buffer[..count]).map_err(Error::io("write", path))?;
            tally.add(&buffer[..count]);
            on_event(Event::Bytes(count as u64));
        }
    }
    // Syncing gigabytes takes a while, in which an interruption must be heard.
    let synced = tokio::task::spawn_blocking(move || file.sync_all()).await.unwrap_or_else(|error| Err(error.into()));
    synced.map_err(Error::io("write", path))?;
    Ok(tally.finish())
}
