//! Making a set: locks, then every database in turn, then the manifest; a set with a failing target is no set.

use std::path::PathBuf;
use std::time::Instant;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, Installation, SqlError, Version, connect};
use jiff::Timestamp;

use crate::database::{Description, describe};
use crate::dump::{Dump, OPTIONS};
use crate::lock::{BackupLocks, host_name};
use crate::partial::{PartialSet, create_repository, remove_stale};
use crate::{Error, Event, Manifest, ManifestTarget, Programs, Repository, SetId};

/// A database to back up.
#[derive(Debug, Clone)]
pub struct Source {
    /// The target's name: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// The database.
    pub url: DatabaseUrl,
}

/// A set that was made.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The set's folder.
    pub path: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

/// A source that answers, and the programs for it.
struct Ready<'a> {
    source: &'a Source,
    client: Client,
    server: Version,
    installation: Installation,
}

/// Backs the databases up into one new set of the repository, which is created if need be.
///
/// Each database is consistent in itself, as of the moment its dump begins. Dropped or failing, this leaves nothing
/// behind; a killed process leaves a partial folder, which no listing shows and the next backup removes.
///
/// # Errors
///
/// When another process backs one of the targets up ([`Error::Locked`]), and whenever one of them cannot be dumped.
pub async fn back_up(
    repository: &Repository,
    sources: &[Source],
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Backup, Error> {
    let folder = repository.folder();
    create_repository(folder)?;
    let names: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
    let locks = BackupLocks::take(folder, &names, || remove_stale(folder))?;
    // All of them before the first dump: a server that is down is found out in a second, not after an hour.
    let mut ready = Vec::new();
    for source in sources {
        ready.push(prepare(source, programs).await?);
    }

    let created = Timestamp::now();
    let id = SetId::new(created);
    let partial = PartialSet::create(folder, &id)?;
    let mut targets = Vec::new();
    for ready in ready {
        on_event(Event::Dumping { target: &ready.source.name });
        targets.push(dump(ready, &partial, programs, on_event).await?);
    }
    let manifest = Manifest::new(id, created, host_name(), targets);
    let path = partial.publish(&manifest)?;
    drop(locks);
    Ok(Backup { path, manifest })
}

async fn prepare<'a>(source: &'a Source, programs: &Programs) -> Result<Ready<'a>, Error> {
    let client = connect(&source.url).await?;
    let server = Version::of_server(&client).await.map_err(Error::sql("read", source.url.database()))?;
    let installation = Installation::find_client(&programs.places, "pg_dump", server).await?;
    Ok(Ready { source, client, server, installation })
}

async fn dump(
    ready: Ready<'_>,
    partial: &PartialSet,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<ManifestTarget, Error> {
    let Ready { source, client, server, installation } = ready;
    let started = Instant::now();
    let (snapshot, description) =
        snapshot(&client, &source.url).await.map_err(Error::sql("read", source.url.database()))?;
    let file_name = format!("{}.dump", source.name);
    let (file, path) = partial.file(&file_name)?;
    let dump = Dump {
        target: &source.name,
        url: &source.url,
        programs,
        installation: &installation,
        snapshot: snapshot.as_deref(),
    };
    let (bytes, sha256) = dump.run(file, &path, on_event).await?;
    Ok(ManifestTarget {
        name: source.name.clone(),
        database: source.url.database().into(),
        file: file_name,
        bytes,
        sha256,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        server_version: server.to_string(),
        pg_dump_version: installation.version.to_string(),
        options: OPTIONS.map(Into::into).into(),
        locale: description.locale,
        extensions: description.extensions,
        version_table: description.version_table,
        revision: description.revision,
        tables: description.tables,
    })
}

/// Begins a transaction whose snapshot pg_dump will share, so that the manifest tells of the very state in the archive.
///
/// The transaction stays open until the client is dropped. With several servers in the URL pg_dump may reach another
/// one, where the snapshot means nothing: it takes its own then.
async fn snapshot(client: &Client, url: &DatabaseUrl) -> Result<(Option<String>, Description), SqlError> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET idle_in_transaction_session_timeout = 0";
    client.batch_execute(begin).await?;
    let row = client.query_one("SELECT pg_catalog.pg_export_snapshot()", &[]).await?;
    let snapshot: String = row.try_get(0)?;
    let description = describe(client).await?;
    Ok(((url.servers().len() == 1).then_some(snapshot), description))
}
