//! One run of pg_dump: what it writes goes into the set, and what it says tells how far it is.

use std::cell::RefCell;
use std::process::Stdio;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{ClientPrograms, DatabaseUrl};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc::unbounded_channel;

use crate::child::{Running, command, passfile};
use crate::compression::Chosen;
use crate::directory::Staging;
use crate::follow::{Followed, by_told_name, follow};
use crate::hash::CHUNK;
use crate::manifest::{ARCHIVE, ManifestFile};
use crate::narration::listen;
use crate::new_set::{FileWriter, NewSet};
use crate::snapshot::Snapshot;
use crate::{DumpOptions, Error, Event, Format, Programs};

/// The role of a script for psql in the set.
pub(crate) const SCRIPT: &str = "script";

/// What pg_dump says when it has come to the rows of a table.
const DUMPING: &str = "dumping contents of table";

/// A database, and the programs for it.
pub(crate) struct Run<'a> {
    pub(crate) target: &'a str,
    pub(crate) url: &'a DatabaseUrl,
    pub(crate) programs: &'a Programs,
    pub(crate) place: &'a ClientPrograms,
}

/// What a run left.
pub(crate) struct Dumped {
    pub(crate) files: Vec<ManifestFile>,
    /// What pg_dump was told beyond the connection.
    pub(crate) arguments: Vec<String>,
    pub(crate) followed: Followed,
}

impl Run<'_> {
    pub(crate) fn first_line(&self) -> Result<Option<Vec<u8>>, Error> {
        self.place.first_line(self.url).map_err(Error::io("read", "the password file".as_ref()))
    }
}

/// Where pg_dump writes to.
enum Output {
    Stream(Box<FileWriter>),
    Folder(Staging),
}

impl Output {
    fn new(run: &Run<'_>, options: &DumpOptions, chosen: &Chosen, set: &mut NewSet) -> Result<Self, Error> {
        Ok(match options.format {
            Format::Custom => Self::Stream(Box::new(set.file(&format!("{}.dump", run.target), ARCHIVE)?)),
            Format::Plain => {
                let name = format!("{}.sql{}", run.target, chosen.compression.suffix());
                Self::Stream(Box::new(set.file(&name, SCRIPT)?))
            }
            Format::Directory => Self::Folder(Staging::create()?),
        })
    }
}

/// Runs pg_dump on a snapshot, which `client` holds, and looks at the tables meanwhile.
pub(crate) async fn dump(
    run: &Run<'_>,
    (client, snapshot): (&Client, &Snapshot),
    options: &DumpOptions,
    chosen: &Chosen,
    set: &mut NewSet,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Dumped, Error> {
    let mut output = Output::new(run, options, chosen, set)?;
    let passfile = passfile(run.url)?;
    let mut command = command(run.programs, run.place, "pg_dump", run.url, passfile.as_ref());
    let arguments = options.arguments(&chosen.argument);
    command.arg("--verbose").args(&arguments).arg(format!("--snapshot={}", snapshot.id));
    if let Output::Folder(staging) = &output {
        command.arg("--file").arg(staging.path());
    }
    let failed = |source| Error::Dump { target: run.target.into(), source };
    let mut running = Running::start_with(command, Stdio::piped(), run.first_line()?).await.map_err(failed)?;
    let (stdout, stderr) = running.pipes();

    // Three listeners on one task: never two at a time.
    let on_event = &RefCell::new(on_event);
    let names = by_told_name(&snapshot.tables);
    let (sender, dumped) = unbounded_channel();
    let on_table = move |_: usize, name: &str| {
        let Some(index) = names.get(name) else { return };
        let table = &snapshot.tables[*index];
        (on_event.borrow_mut())(Event::Table { schema: &table.schema, name: &table.name, bytes: table.bytes });
        // Whoever does not listen any more has failed, and ends this too.
        let _ = sender.send(*index);
    };
    let mut on_bytes = |count| (on_event.borrow_mut())(Event::Bytes(count));
    let work = async {
        let pumped = async {
            match &mut output {
                Output::Stream(file) => pump(stdout, file, &mut on_bytes).await,
                Output::Folder(_) => Ok(()),
            }
        };
        let (written, said) = tokio::join!(pumped, listen(stderr, "pg_dump", &[DUMPING], on_table));
        written?;
        running.wait(&said).await.map_err(failed)
    };
    let unreadable = || Error::sql("read", run.url.database());
    let follow = async {
        let followed = follow(client, &snapshot.tables, dumped, options.with_fingerprints).await;
        followed.map_err(unreadable())
    };
    let ((), mut followed) = tokio::try_join!(work, follow)?;
    if options.dumps_all_rows() {
        // Only now: where a table was dropped before pg_dump came to it, it is pg_dump that says so.
        let rest = followed.add_rest(client, &snapshot.tables, options.with_fingerprints).await;
        rest.map_err(unreadable())?;
    }
    followed.fingerprints.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    let files = match output {
        Output::Stream(file) => vec![file.finish().await?],
        Output::Folder(staging) => staging.store(run.target, set, &mut on_bytes).await?,
    };
    Ok(Dumped { files, arguments, followed })
}

/// Writes what a program writes to its standard output, or a file holds.
pub(crate) async fn pump(
    from: Option<impl AsyncRead + Unpin>,
    file: &mut FileWriter,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    let Some(mut from) = from else { return Ok(()) };
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = from.read(&mut buffer).await;
        let count = read.map_err(Error::io("read what is to be written to", file.shown.as_ref()))?;
        if count == 0 {
            return Ok(());
        }
        file.write(&buffer[..count]).await?;
        on_bytes(count as u64);
    }
}
