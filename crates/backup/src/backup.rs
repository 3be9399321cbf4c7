//! Making a set: locks, then every database in turn, then the manifest; a set with a failing target is no set.

use std::collections::BTreeMap;
use std::time::Instant;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, Installation, SqlError, Version, connect};
use jiff::Timestamp;

use crate::database::{Description, describe};
use crate::dump::{Dump, OPTIONS};
use crate::lock::{Locks, host_name};
use crate::manifest::{ARCHIVE, About, is_plain_name};
use crate::new_set::NewSet;
use crate::store::Store;
use crate::{
    Contents, Encryption, Error, Event, Keys, Manifest, ManifestTarget, PostgresContents, Programs, Repository,
};

/// A database to back up.
#[derive(Debug, Clone)]
pub struct Source {
    /// The target's name: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// The database.
    pub url: DatabaseUrl,
}

/// What is to be made, besides of what.
#[derive(Debug, Clone, Default)]
pub struct BackupOptions {
    /// What is said of the set: names and values.
    pub labels: BTreeMap<String, String>,
}

/// A set that was made.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The set's folder or URL.
    pub path: String,
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
/// behind; what a killed process leaves no listing shows, and [`prune`](crate::prune) removes it.
///
/// # Errors
///
/// When another process backs one of the targets up ([`Error::Locked`]), and whenever one of them cannot be dumped.
pub async fn back_up(
    repository: &Repository,
    sources: &[Source],
    options: &BackupOptions,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Backup, Error> {
    if let Some(source) = sources.iter().find(|source| !is_plain_name(&source.name)) {
        return Err(Error::TargetName(source.name.clone()));
    }
    let store = &repository.store;
    if let Store::Folder(folder) = store {
        folder.create_folders("")?;
    }
    let keys = repository.keys.clone().prepare(store).await?;
    let names: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
    let locks = Locks::take(store, &names, keys.encrypt()).await?;
    let made = make(store, &keys, &locks, sources, options, programs, on_event).await;
    locks.release().await;
    made
}

async fn make(
    store: &Store,
    keys: &Keys,
    locks: &Locks,
    sources: &[Source],
    options: &BackupOptions,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Backup, Error> {
    // All of them before the first dump: a server that is down is found out in a second, not after an hour.
    let mut ready = Vec::new();
    for source in sources {
        ready.push(prepare(source, programs).await?);
    }
    let (created, started) = (Timestamp::now(), Instant::now());
    let mut set = NewSet::reserve(store, keys, locks, created).await?;
    let targets = match dump_all(ready, &mut set, programs, on_event).await {
        Ok(targets) => targets,
        Err(error) => {
            set.discard().await;
            return Err(error);
        }
    };
    let encryption = if keys.encrypt() { Encryption::Age } else { Encryption::None };
    let (id, host, labels, duration_ms) = (set.id.clone(), host_name(), options.labels.clone(), milliseconds(started));
    let path = store.shown(id.as_str());
    let manifest = Manifest::new(About { id, created, duration_ms, host, labels, encryption }, targets);
    set.publish(&manifest, locks).await?;
    Ok(Backup { path, manifest })
}

async fn dump_all(
    ready: Vec<Ready<'_>>,
    set: &mut NewSet,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<ManifestTarget>, Error> {
    let mut targets = Vec::new();
    for ready in ready {
        on_event(Event::Dumping { target: &ready.source.name });
        targets.push(dump(ready, set, programs, on_event).await?);
    }
    Ok(targets)
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

async fn prepare<'a>(source: &'a Source, programs: &Programs) -> Result<Ready<'a>, Error> {
    let client = connect(&source.url).await?;
    let server = Version::of_server(&client).await.map_err(Error::sql("read", source.url.database()))?;
    let installation = Installation::find_client(&programs.places, "pg_dump", server).await?;
    Ok(Ready { source, client, server, installation })
}

async fn dump(
    ready: Ready<'_>,
    set: &mut NewSet,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<ManifestTarget, Error> {
    let Ready { source, client, server, installation } = ready;
    let started = Instant::now();
    let (snapshot, description) =
        snapshot(&client, &source.url).await.map_err(Error::sql("read", source.url.database()))?;
    let file = set.file(&format!("{}.dump", source.name), ARCHIVE)?;
    let dump = Dump {
        target: &source.name,
        url: &source.url,
        programs,
        installation: &installation,
        snapshot: snapshot.as_deref(),
    };
    let file = dump.run(file, on_event).await?;
    let contents = PostgresContents {
        database: source.url.database().into(),
        server_version: server.to_string(),
        pg_dump_version: installation.version.to_string(),
        options: OPTIONS.map(Into::into).into(),
        locale: description.locale,
        extensions: description.extensions,
        version_table: description.version_table,
        revision: description.revision,
        tables: description.tables,
    };
    Ok(ManifestTarget {
        name: source.name.clone(),
        files: vec![file],
        duration_ms: milliseconds(started),
        contents: Contents::Postgres(Box::new(contents)),
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
