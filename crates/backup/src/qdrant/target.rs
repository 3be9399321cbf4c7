//! A Qdrant server as a target of a set: all its collections in, and out again.

use std::time::Instant;

use dbops_qdrant::{Server, ServerOptions, Snapshot};

use super::{
    LeftOver, QdrantContents, QdrantError, QdrantStep, RestoredCollection, check_version, collections, refuse_cluster,
    remove_left_over, restore_collection, take, try_snapshot,
};
use crate::backup::milliseconds;
use crate::hash::sha256;
use crate::manifest::{COLLECTION, Contents, ManifestFile, ManifestTarget};
use crate::new_set::NewSet;
use crate::stage::fetch;
use crate::store::Store;
use crate::{Error, Event, Problem, Repository, Set};

/// A note that is larger is none.
const NOTE_LIMIT: u64 = 16 * 1024 * 1024;

/// A Qdrant server to back up.
#[derive(Debug, Clone)]
pub struct QdrantSource {
    /// The target's name: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// The server.
    pub server: ServerOptions,
    /// Further addresses of it, for when the first does not answer.
    pub others: Vec<ServerOptions>,
}

/// A server that answers.
pub(crate) struct ReadyQdrant<'a> {
    source: &'a QdrantSource,
    server: Server,
    version: String,
}

/// Finds out whether the server answers, and whether it has all that is to be backed up.
pub(crate) async fn prepare_qdrant(source: &QdrantSource) -> Result<ReadyQdrant<'_>, Error> {
    let server = Server::first_of(&source.server, &source.others)?.by_one_node().await?;
    refuse_cluster(&server).await?;
    let version = server.version().await?;
    Ok(ReadyQdrant { source, server, version })
}

/// Takes all collections of a server into the set.
pub(crate) async fn back_up_qdrant(
    ready: ReadyQdrant<'_>,
    store: &Store,
    set: &mut NewSet,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<ManifestTarget, Error> {
    let ReadyQdrant { source, server, version } = ready;
    let started = Instant::now();
    on_event(Event::Dumping { target: &source.name, tables: 0, bytes: 0 });
    let note = format!("locks/{}.snapshots", &sha256(source.name.as_bytes())[..16]);
    let mut left_over = LeftOver::parse(&store.read(&note, NOTE_LIMIT).await?.unwrap_or_default());
    for Snapshot { name, collection, .. } in remove_left_over(&server, &mut left_over).await? {
        on_event(Event::RemovedSnapshot { snapshot: &name, collection: &collection });
    }
    let (mut files, mut taken) = (Vec::new(), Vec::new());
    for (name, aliases) in collections(&server).await? {
        let number = taken.len() + 1;
        // Only with its first piece: one that was dropped meanwhile has no file.
        let mut file = None;
        let keep = async |left_over: &LeftOver| store.put(&note, left_over.to_bytes()).await;
        let write = async |chunk: &[u8]| {
            if file.is_none() {
                let file_name = format!("{}.{number}.snapshot", source.name);
                file = Some(set.file(&file_name, &format!("{COLLECTION}/{number}"))?);
            }
            if let Some(file) = &mut file {
                file.write(chunk).await?;
            }
            on_event(Event::Bytes(chunk.len() as u64));
            Ok(())
        };
        let collection = take(&server, &name, &aliases, &mut left_over, keep, write).await?;
        if let (Some(collection), Some(file)) = (collection, file) {
            files.push(file.finish().await?);
            taken.push(collection);
        }
    }
    store.delete(&note).await?;
    let target = ManifestTarget {
        name: source.name.clone(),
        files,
        duration_ms: milliseconds(started),
        contents: Contents::Qdrant(Box::new(QdrantContents { server_version: version, collections: taken })),
    };
    let (bytes, duration_ms) = (target.bytes(), target.duration_ms);
    on_event(Event::Dumped { target: &source.name, bytes, table_bytes: 0, duration_ms });
    Ok(target)
}

/// What a set holds of a Qdrant server; `None` when the target is no such server.
///
/// # Errors
///
/// When the set does not hold the target.
pub fn qdrant_contents<'a>(set: &'a Set, target: &str) -> Result<Option<&'a QdrantContents>, Error> {
    match &set.target(target)?.contents {
        Contents::Qdrant(contents) => Ok(Some(contents)),
        Contents::Postgres(_) => Ok(None),
    }
}

/// The file of a collection.
fn file_of<'a>(set: &'a Set, target: &str, collection: &str) -> Result<&'a ManifestFile, Error> {
    let held = set.target(target)?;
    let position = match &held.contents {
        Contents::Qdrant(contents) => contents.collections.iter().position(|held| held.name == collection),
        Contents::Postgres(_) => None,
    };
    let file = position.and_then(|position| held.file(&format!("{COLLECTION}/{}", position + 1)));
    let missing = || QdrantError::NotInSet { wanted: collection.into(), held: Vec::new() };
    file.ok_or_else(|| missing().into())
}

/// Carries out one step of a plan, once every byte of the collection's file was found to be as the manifest says.
///
/// # Errors
///
/// When the file is damaged, and when the server fails or refuses.
pub async fn restore_from_set(
    repository: &Repository,
    set: &Set,
    target: &str,
    server: &Server,
    step: &QdrantStep,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<RestoredCollection, Error> {
    let file = file_of(set, target, &step.from.name)?;
    on_event(Event::Checking { file: &file.name });
    let staged = fetch(repository, set, file, on_event).await?;
    on_event(Event::Restoring { database: &step.into });
    Ok(restore_collection(server, step, staged.path(), |_| ()).await?)
}

/// Recovers every collection of a target into a scratch collection of `server`, one after the other, and gives what is
/// not as it was backed up.
///
/// # Errors
///
/// When the server fails, or reads no snapshots of the version that made these.
pub async fn prove_qdrant(
    repository: &Repository,
    set: &Set,
    target: &str,
    server: &Server,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<Problem>, Error> {
    let Some(contents) = qdrant_contents(set, target)? else { return Ok(Vec::new()) };
    check_version(server, contents).await?;
    let mut problems = Vec::new();
    for collection in &contents.collections {
        let file = file_of(set, target, &collection.name)?;
        on_event(Event::Checking { file: &file.name });
        let staged = fetch(repository, set, file, on_event).await?;
        on_event(Event::Restoring { database: &collection.name });
        for difference in try_snapshot(server, collection, staged.path(), |_| ()).await? {
            let reason = format!("(collection {}) {difference}", collection.name);
            problems.push(Problem { file: file.name.clone(), reason });
        }
    }
    Ok(problems)
}
