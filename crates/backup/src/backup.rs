//! Making a set: locks, then every database in turn, then the manifest; a set with a failing target is no set.

use std::collections::BTreeMap;
use std::time::Instant;

use dbops_postgres::DatabaseUrl;
use jiff::Timestamp;

use crate::lock::{Locks, host_name};
use crate::manifest::{About, is_plain_name};
use crate::new_set::NewSet;
use crate::qdrant::{ReadyQdrant, back_up_qdrant, prepare_qdrant};
use crate::store::Store;
use crate::target::{Ready, back_up_one, prepare};
use crate::{
    DumpOptions, Encryption, Error, Event, Keys, Manifest, ManifestTarget, Programs, QdrantSource, Repository,
};

/// A database to back up.
#[derive(Debug, Clone)]
pub struct Source {
    /// The target's name: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// The database.
    pub url: DatabaseUrl,
    /// The container that its server runs in, whose programs will do where there are no others.
    pub container: Option<String>,
}

/// What to back up into one set.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Databases.
    pub databases: Vec<Source>,
    /// Qdrant servers, each with all its collections.
    pub qdrant: Vec<QdrantSource>,
}

impl Sources {
    /// The names of all targets.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let databases = self.databases.iter().map(|source| source.name.as_str());
        databases.chain(self.qdrant.iter().map(|source| source.name.as_str())).collect()
    }
}

/// What is to be made, besides of what.
#[derive(Debug, Clone, Default)]
pub struct BackupOptions {
    /// What is said of the set: names and values.
    pub labels: BTreeMap<String, String>,
    /// How databases are dumped.
    pub dump: DumpOptions,
}

/// A set that was made.
#[derive(Debug, Clone)]
pub struct Backup {
    /// The set's folder or URL.
    pub path: String,
    /// What it holds.
    pub manifest: Manifest,
}

/// Backs databases and Qdrant collections up into one new set of the repository, which is created if need be.
///
/// Each database is consistent in itself, as of the moment its dump begins. Dropped or failing, this leaves nothing
/// behind; what a killed process leaves no listing shows, and [`prune`](crate::prune) removes it.
///
/// # Errors
///
/// When another process backs one of the targets up ([`Error::Locked`]), and whenever one of them cannot be dumped.
pub async fn back_up(
    repository: &Repository,
    sources: &Sources,
    options: &BackupOptions,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Backup, Error> {
    let names = sources.names();
    if let Some(name) = names.iter().find(|name| !is_plain_name(name)) {
        return Err(Error::TargetName((*name).into()));
    }
    let store = &repository.store;
    if let Store::Folder(folder) = store {
        folder.create_folders("")?;
    }
    let keys = repository.keys.clone().prepare(store).await?;
    let locks = Locks::take(store, &names, keys.encrypt()).await?;
    let made = make(store, &keys, &locks, sources, options, programs, on_event).await;
    locks.release().await;
    made
}

async fn make(
    store: &Store,
    keys: &Keys,
    locks: &Locks,
    sources: &Sources,
    options: &BackupOptions,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Backup, Error> {
    // All of them before the first dump: a server that is down is found out in a second, not after an hour.
    let mut ready = Vec::new();
    for source in &sources.databases {
        ready.push(prepare(source, &options.dump, programs, on_event).await?);
    }
    let mut ready_qdrant = Vec::new();
    for source in &sources.qdrant {
        ready_qdrant.push(prepare_qdrant(source).await?);
    }
    let (created, started) = (Timestamp::now(), Instant::now());
    let mut set = NewSet::reserve(store, keys, locks, created).await?;
    let targets = match take_all(ready, ready_qdrant, store, &mut set, programs, on_event).await {
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

async fn take_all(
    ready: Vec<Ready<'_>>,
    ready_qdrant: Vec<ReadyQdrant<'_>>,
    store: &Store,
    set: &mut NewSet,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<ManifestTarget>, Error> {
    let mut targets = Vec::new();
    for ready in ready {
        targets.push(back_up_one(ready, set, programs, on_event).await?);
    }
    for ready in ready_qdrant {
        targets.push(back_up_qdrant(ready, store, set, on_event).await?);
    }
    Ok(targets)
}

pub(crate) fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
