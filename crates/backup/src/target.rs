//! One database on its way into a set: reached, and dumped with all that the manifest says of it.

use std::time::Instant;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{ClientPrograms, ConnectError, DatabaseUrl, Version, connect};

use crate::backup::milliseconds;
use crate::compression::{self, Chosen};
use crate::dump::{Dumped, Run, dump};
use crate::facts::sequences;
use crate::fingerprint::{ALGORITHM, large_objects};
use crate::manifest::Fingerprints;
use crate::new_set::NewSet;
use crate::roles::{ROLES, dump_roles};
use crate::snapshot::{self, Snapshot};
use crate::{Contents, DumpOptions, Error, Event, Format, ManifestTarget, PostgresContents, Programs, Source};

/// The first version with hashes of rows.
const FINGERPRINTS_SINCE: u32 = 14;

/// A source that answers, and the programs for it.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    source: &'a Source,
    /// The one server that answered.
    url: DatabaseUrl,
    client: Client,
    place: ClientPrograms,
    chosen: Chosen,
    options: DumpOptions,
}

/// Connects, and finds out whether the dump can be made as it is wanted.
pub(crate) async fn prepare<'a>(
    source: &'a Source,
    options: &DumpOptions,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Ready<'a>, Error> {
    let (client, url) = connect_to_one(&source.url).await?;
    let server = Version::of_server(&client).await.map_err(Error::sql("read", url.database()))?;
    // What a folder is written to is on this machine.
    let container = source.container.as_deref().filter(|_| options.format != Format::Directory);
    let place = ClientPrograms::find(&programs.places, container, "pg_dump", server).await?;
    let chosen = compression::choose(&place, programs, options).await?;
    let reason = chosen.instead.map(|reason| format!(": {reason}")).unwrap_or_default();
    let what = format!("pg_dump {place}, compression {}{reason}", chosen.compression);
    on_event(Event::Using { target: &source.name, what: &what });
    let mut options = options.clone();
    options.with_fingerprints &= server.major >= FINGERPRINTS_SINCE && !options.schema_only;
    Ok(Ready { source, url, client, place, chosen, options })
}

/// Of several servers the first that lets us in: the snapshot of one means nothing to another.
async fn connect_to_one(url: &DatabaseUrl) -> Result<(Client, DatabaseUrl), ConnectError> {
    let mut failed = None;
    for server in url.each_server() {
        match connect(&server).await {
            Ok(client) => return Ok((client, server)),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok((connect(url).await?, url.clone())),
    }
}

/// Dumps it into the set.
pub(crate) async fn back_up_one(
    ready: Ready<'_>,
    set: &mut NewSet,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<ManifestTarget, Error> {
    let Ready { source, url, client, place, chosen, options } = ready;
    let started = Instant::now();
    let snapshot = snapshot::take(&client).await.map_err(Error::sql("read", url.database()))?;
    let bytes = snapshot.tables.iter().map(|table| table.bytes).sum();
    on_event(Event::Dumping { target: &source.name, tables: snapshot.tables.len(), bytes });
    let run = Run { target: &source.name, url: &url, programs, place: &place };
    let Dumped { mut files, arguments, followed } =
        dump(&run, (&client, &snapshot), &options, &chosen, set, on_event).await?;
    if options.with_roles {
        let file = set.file(&format!("{}.roles.sql", source.name), ROLES)?;
        files.push(dump_roles(&run, snapshot.is_superuser, file, on_event).await?);
    }
    let fingerprints = match options.with_fingerprints {
        true => Some(Fingerprints {
            algorithm: ALGORITHM.into(),
            tables: followed.fingerprints,
            large_objects: if options.dumps_large_objects() {
                Some(large_objects(&client).await.map_err(Error::sql("read", url.database()))?)
            } else {
                None
            },
        }),
        false => None,
    };
    let sequences = sequences(&client).await.map_err(Error::sql("read", url.database()))?;
    let Snapshot { facts, is_superuser, .. } = snapshot;
    let contents = PostgresContents {
        database: url.database().into(),
        pg_dump_version: place.version().to_string(),
        format: options.format,
        compression: chosen.compression,
        options: arguments,
        is_whole: options.dumps_all_rows(),
        has_role_passwords: options.with_roles && is_superuser,
        facts,
        sequences,
        table_bytes: followed.bytes,
        fingerprints,
    };
    let target = ManifestTarget {
        name: source.name.clone(),
        files,
        duration_ms: milliseconds(started),
        contents: Contents::Postgres(Box::new(contents)),
    };
    on_event(Event::Dumped {
        target: &source.name,
        bytes: target.bytes(),
        table_bytes: followed.bytes,
        duration_ms: target.duration_ms,
    });
    Ok(target)
}
