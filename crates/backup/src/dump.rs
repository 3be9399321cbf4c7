//! One run of pg_dump: its output written, counted and hashed in one pass.

use std::process::Stdio;

use dbops_postgres::{DatabaseUrl, Installation};
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;

use crate::child::{Running, command, passfile, read_tail};
use crate::hash::CHUNK;
use crate::manifest::ManifestFile;
use crate::new_set::FileWriter;
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
    /// Runs pg_dump into `file`, which is stored when this returns; gives what the manifest says of it.
    pub(crate) async fn run(
        &self,
        mut file: FileWriter,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<ManifestFile, Error> {
        let passfile = passfile(self.url)?;
        let mut command = command(self.programs, self.installation, "pg_dump", self.url, passfile.as_ref());
        command.args(OPTIONS).args(self.snapshot.map(|id| format!("--snapshot={id}")));
        let failed = |source| Error::Dump { target: self.target.into(), source };
        let mut running = Running::start(command, Stdio::piped()).map_err(failed)?;
        let (stdout, stderr) = running.pipes();
        let (written, said) = tokio::join!(pump(stdout, &mut file, on_event), read_tail(stderr));
        written?;
        running.wait(&said).await.map_err(failed)?;
        file.finish().await
    }
}

async fn pump(
    stdout: Option<ChildStdout>,
    file: &mut FileWriter,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), Error> {
    let Some(mut stdout) = stdout else { return Ok(()) };
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = stdout.read(&mut buffer).await;
        let count = read.map_err(Error::io("read what pg_dump writes to", file.shown.as_ref()))?;
        if count == 0 {
            return Ok(());
        }
        file.write(&buffer[..count]).await?;
        on_event(Event::Bytes(count as u64));
    }
}
