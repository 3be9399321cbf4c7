//! One collection: its directory, its configuration, and the changes made to it.
//!
//! ```text
//! collections/<uuid>/collection.json   name, configuration, payload schema: there from the moment it exists
//!                    journal           changes that the engine may not have on disk yet
//!                    reindexing        there while payload indexes change: the engine's may be of no use
//!                    shard/            the engine's files
//! ```
//!
//! A snapshot of a collection ([`crate::archive`]) is its description and the engine's files.
//!
//! A directory without a `collection.json` is half-created or half-deleted, and is removed on the next start.

mod vectors;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use anyhow::Context;
use qdrant_client::qdrant::{
    CollectionConfig, CollectionInfo, CollectionStatus, OptimizerStatus, PayloadSchemaInfo, PointsUpdateOperation,
    VectorsConfig,
};
use qdrant_edge::{CreateIndex, EdgeShard, FieldIndexOperations, PayloadFieldSchema, UpdateOperation};

use crate::archive;
use crate::convert::vectors::Layout;
use crate::convert::{config, index, payload};
use crate::description::Description;
use crate::error::{Error, Result};
use crate::files;
use crate::journal::Journal;
use crate::update::{self, Change};

pub(crate) const DESCRIPTION_FILE: &str = "collection.json";
const JOURNAL_FILE: &str = "journal";
const REINDEXING_FILE: &str = "reindexing";
const SHARD_DIRECTORY: &str = "shard";
const SEGMENTS_DIRECTORY: &str = "segments";
const INDEXES_DIRECTORY: &str = "payload_index";

/// Once the journal is this long the engine writes everything to disk and the journal starts again.
const CHECKPOINT_BYTES: u64 = 16 * 1024 * 1024;

/// An open collection.
#[derive(Debug)]
pub(crate) struct Collection {
    name: String,
    layout: RwLock<Arc<Layout>>,
    description: RwLock<Description>,
    /// Changes are made one at a time, whole: the engine's flush panics when it meets one under way.
    writer: Mutex<Writer>,
    shard: EdgeShard,
    /// After `shard`, which writes its files a last time when it is dropped.
    home: Home,
}

#[derive(Debug)]
struct Writer {
    journal: Journal,
    operations: u64,
}

/// The directory, removed with the last user of a deleted collection.
#[derive(Debug)]
struct Home {
    directory: PathBuf,
    deleted: AtomicBool,
}

impl Home {
    /// A directory in which nothing is complete yet: dropped, it is removed.
    fn unfinished(directory: PathBuf) -> Self {
        Self { directory, deleted: AtomicBool::new(true) }
    }

    /// What is in it stays from now on.
    fn keep(&self) {
        self.deleted.store(false, Ordering::Release);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.deleted.load(Ordering::Acquire) {
            // What cannot be removed now is removed on the next start.
            fs::remove_dir_all(&self.directory).unwrap_or_default();
        }
    }
}

impl Collection {
    /// Makes a collection in a new directory.
    pub(crate) fn create(directory: PathBuf, name: &str, config: CollectionConfig) -> Result<Self> {
        let engine_config = config::to_engine(&config)?;
        let home = Home::unfinished(directory);
        let shard_directory = home.directory.join(SHARD_DIRECTORY);
        fs::create_dir_all(&shard_directory)?;
        let layout = RwLock::new(Arc::new(config::layout(&engine_config)));
        let shard = EdgeShard::new(&shard_directory, engine_config)?;
        shard.flush();
        let (journal, _) = Journal::open(&home.directory.join(JOURNAL_FILE))?;
        let description = Description { name: name.to_owned(), config, schema: BTreeMap::new(), replaces: None };
        description.write(&home.directory.join(DESCRIPTION_FILE))?;
        files::sync_parent(&home.directory)?;
        home.keep();
        Ok(Self {
            name: name.to_owned(),
            layout,
            description: RwLock::new(description),
            writer: Mutex::new(Writer { journal, operations: 0 }),
            shard,
            home,
        })
    }

    /// Opens the collection in `directory` and makes the changes in its journal again; `None` if there was only a
    /// part of one, which is removed.
    pub(crate) fn open(directory: PathBuf) -> anyhow::Result<Option<Self>> {
        let path = directory.join(DESCRIPTION_FILE);
        if !path.exists() {
            fs::remove_dir_all(&directory)
                .with_context(|| format!("cannot remove the unfinished collection in {}", directory.display()))?;
            return Ok(None);
        }
        let description = Description::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = description.name.clone();
        let home = Home { directory, deleted: AtomicBool::new(false) };
        Self::load(home, description).with_context(|| format!("cannot open the collection `{name}`")).map(Some)
    }

    /// Makes a collection of what is in `snapshot`, in a new directory. It exists once [`publish`](Self::publish) says
    /// so; dropped before, nothing of it is left.
    pub(crate) fn recover(directory: PathBuf, name: &str, snapshot: &Path) -> Result<Self> {
        let home = Home::unfinished(directory);
        let description = archive::unpack(snapshot, &home.directory, SHARD_DIRECTORY)?;
        let description = Description { name: name.to_owned(), replaces: None, ..description };
        let cannot = |error| Error::invalid(format!("the snapshot cannot be used: {error:#}"));
        let collection = Self::load(home, description).map_err(cannot)?;
        files::sync_all(&collection.home.directory)?;
        Ok(collection)
    }

    /// Makes a recovered collection exist, in the place of `old`: a start after a kill finds one of the two.
    pub(crate) fn publish(&self, old: Option<&Self>) -> Result<()> {
        let _writer = self.writer.lock().map_err(Error::poisoned)?;
        let replaces = old.and_then(|old| Some(old.home.directory.file_name()?.to_str()?.to_owned()));
        let description = Description { replaces, ..self.description()? };
        description.write(&self.home.directory.join(DESCRIPTION_FILE))?;
        files::sync_parent(&self.home.directory)?;
        *self.description.write().map_err(Error::poisoned)? = description;
        self.home.keep();
        Ok(())
    }

    /// Writes everything that the collection is into `to`. Reading goes on meanwhile; changes wait until it is written,
    /// so that it is as of one moment.
    pub(crate) fn archive(&self, to: fs::File) -> Result<()> {
        let mut writer = self.writer.lock().map_err(Error::poisoned)?;
        if self.home.deleted.load(Ordering::Acquire) {
            return Err(Error::no_collection(&self.name));
        }
        // With an empty journal, the engine's files are all there is.
        self.write_out(&mut writer)?;
        Ok(archive::pack(&self.home.directory, SHARD_DIRECTORY, to)?)
    }

    fn load(home: Home, description: Description) -> anyhow::Result<Self> {
        let directory = &home.directory;
        let shard_directory = directory.join(SHARD_DIRECTORY);
        drop_old_log(&shard_directory.join("wal")).context("cannot shorten the engine's log")?;
        let reindexing = directory.join(REINDEXING_FILE).exists();
        if reindexing {
            drop_indexes(&shard_directory.join(SEGMENTS_DIRECTORY)).context("cannot remove half-made indexes")?;
        }
        let wanted = config::to_engine(&description.config)?;
        // A kill while a vector was added may have left the engine's own settings behind its files.
        let shard = EdgeShard::load(&shard_directory, None)
            .or_else(|_| EdgeShard::load(&shard_directory, Some(wanted.clone())))?;
        vectors::make_missing(&shard, &wanted)?;
        let layout = RwLock::new(Arc::new(config::layout(&shard.config())));
        let (journal, operations) = Journal::open(&directory.join(JOURNAL_FILE)).context("cannot read the journal")?;
        let collection = Self {
            name: description.name.clone(),
            layout,
            description: RwLock::new(description),
            writer: Mutex::new(Writer { journal, operations: operations.len() as u64 }),
            shard,
            home,
        };
        for operation in operations {
            collection.replay(operation).context("cannot make a change from the journal again")?;
        }
        if reindexing {
            for (field, info) in collection.description()?.schema {
                collection.build_index(&field, index::to_engine(&info)?)?;
            }
        }
        collection.checkpoint()?;
        if reindexing {
            collection.end_reindexing()?;
        }
        Ok(collection)
    }

    /// The name it was created with.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its vectors.
    pub(crate) fn layout(&self) -> Result<Arc<Layout>> {
        Ok(self.layout.read().map_err(Error::poisoned)?.clone())
    }

    /// The engine's part of it, to read from.
    pub(crate) fn shard(&self) -> &EdgeShard {
        &self.shard
    }

    /// Makes changes, one after the other, up to the first that fails. Returns the numbers of the operations.
    ///
    /// The changes survive the end of the process; with `durable` they are on the disk before this returns.
    pub(crate) fn update(&self, changes: impl IntoIterator<Item = Result<Change>>, durable: bool) -> Result<Vec<u64>> {
        let mut writer = self.writer.lock().map_err(Error::poisoned)?;
        let layout = self.layout()?;
        let mut numbers = Vec::new();
        for change in changes {
            let operation = change?.resolved(|filter| self.matching(filter))?;
            let change = update::to_engine(operation.clone(), &layout)?;
            writer.journal.append(&PointsUpdateOperation { operation: Some(operation) }, durable)?;
            self.shard.update(change)?;
            writer.operations += 1;
            numbers.push(writer.operations);
        }
        if writer.journal.length() > CHECKPOINT_BYTES {
            self.write_out(&mut writer)?;
        }
        Ok(numbers)
    }

    /// Builds or replaces the index of a payload field.
    pub(crate) fn create_index(&self, field: &str, info: PayloadSchemaInfo) -> Result<u64> {
        let schema = index::to_engine(&info)?;
        let mut writer = self.writer.lock().map_err(Error::poisoned)?;
        let mut description = self.description()?;
        description.schema.insert(canonical(field)?, info);
        self.begin_reindexing()?;
        self.build_index(field, schema)?;
        self.write_out(&mut writer)?;
        self.describe(description)?;
        self.end_reindexing()?;
        writer.operations += 1;
        Ok(writer.operations)
    }

    /// Removes the index of a payload field, if there is one.
    pub(crate) fn delete_index(&self, field: &str) -> Result<u64> {
        let mut writer = self.writer.lock().map_err(Error::poisoned)?;
        let mut description = self.description()?;
        description.schema.remove(&canonical(field)?);
        self.begin_reindexing()?;
        self.remove_index(field)?;
        self.write_out(&mut writer)?;
        self.describe(description)?;
        self.end_reindexing()?;
        writer.operations += 1;
        Ok(writer.operations)
    }

    /// Changes the configuration by `change`.
    pub(crate) fn reconfigure(&self, change: impl FnOnce(CollectionConfig) -> Result<CollectionConfig>) -> Result<()> {
        // The writer's lock keeps index changes, which also rewrite the description, out.
        let _writer = self.writer.lock().map_err(Error::poisoned)?;
        let mut description = self.description()?;
        description.config = change(description.config)?;
        self.describe(description)
    }

    /// The vectors that it was created with.
    pub(crate) fn vectors_config(&self) -> Result<Option<VectorsConfig>> {
        Ok(self.description()?.config.params.and_then(|params| params.vectors_config))
    }

    /// What Qdrant tells about a collection.
    pub(crate) fn info(&self) -> Result<CollectionInfo> {
        let description = self.description()?;
        let shard = self.shard.info();
        let indexed: BTreeMap<String, usize> =
            shard.payload_schema.iter().map(|(field, index)| (field.to_string(), index.points)).collect();
        let payload_schema = description
            .schema
            .into_iter()
            .map(|(field, info)| {
                let points = indexed.get(&field).map_or(0, |points| *points as u64);
                (field, PayloadSchemaInfo { points: Some(points), ..info })
            })
            .collect();
        Ok(CollectionInfo {
            status: CollectionStatus::Green as i32,
            optimizer_status: Some(OptimizerStatus { ok: true, error: String::new() }),
            segments_count: shard.segments_count as u64,
            config: Some(description.config),
            payload_schema,
            points_count: Some(shard.points_count as u64),
            indexed_vectors_count: Some(shard.indexed_vectors_count as u64),
            ..CollectionInfo::default()
        })
    }

    /// Writes everything to disk and empties the journal.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        let mut writer = self.writer.lock().map_err(Error::poisoned)?;
        self.write_out(&mut writer)
    }

    /// Deletes the collection: durably now, and its files with the last user of this value.
    pub(crate) fn delete(&self) -> Result<()> {
        let _writer = self.writer.lock().map_err(Error::poisoned)?;
        let path = self.home.directory.join(DESCRIPTION_FILE);
        fs::remove_file(&path)?;
        self.home.deleted.store(true, Ordering::Release);
        Ok(files::sync_parent(&path)?)
    }

    fn write_out(&self, writer: &mut Writer) -> Result<()> {
        self.shard.flush();
        Ok(writer.journal.clear()?)
    }

    fn replay(&self, operation: PointsUpdateOperation) -> Result<()> {
        let operation = update::accepted(operation)?.resolved(|filter| self.matching(filter))?;
        let mut change = update::to_engine(operation, &*self.layout()?)?;
        if let Some(ids) = update::must_exist(&change) {
            let present = self.present(&ids)?;
            change.retain_point_ids(|id| present.contains(id));
        }
        match self.shard.update(change).map_err(Error::from) {
            Err(Error::Internal(message)) => Err(Error::Internal(message)),
            // The engine refused it the first time, too, and so did this server.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// From here on a start makes all indexes anew from the description: the engine removes the files of an index
    /// before it forgets the index, and cannot open a segment in between.
    fn begin_reindexing(&self) -> Result<()> {
        Ok(files::write_atomically(&self.home.directory.join(REINDEXING_FILE), b"")?)
    }

    fn end_reindexing(&self) -> Result<()> {
        let path = self.home.directory.join(REINDEXING_FILE);
        fs::remove_file(&path)?;
        Ok(files::sync_parent(&path)?)
    }

    fn build_index(&self, field: &str, schema: PayloadFieldSchema) -> Result<()> {
        let create = FieldIndexOperations::CreateIndex(CreateIndex {
            field_name: payload::path(field)?,
            field_schema: Some(schema),
        });
        Ok(self.shard.update(UpdateOperation::FieldIndexOperation(create))?)
    }

    fn remove_index(&self, field: &str) -> Result<()> {
        let delete = FieldIndexOperations::DeleteIndex(payload::path(field)?);
        Ok(self.shard.update(UpdateOperation::FieldIndexOperation(delete))?)
    }

    fn description(&self) -> Result<Description> {
        Ok(self.description.read().map_err(Error::poisoned)?.clone())
    }

    /// Replaces the description. The caller holds the writer's lock.
    fn describe(&self, description: Description) -> Result<()> {
        if self.home.deleted.load(Ordering::Acquire) {
            // Deleted in the meantime: the file must not come back.
            return Err(Error::no_collection(&self.name));
        }
        description.write(&self.home.directory.join(DESCRIPTION_FILE))?;
        *self.description.write().map_err(Error::poisoned)? = description;
        Ok(())
    }
}

/// One spelling for each path, the engine's.
fn canonical(field: &str) -> Result<String> {
    Ok(payload::path(field)?.to_string())
}

/// Removes the closed files of the engine's log but the last, which says where numbering goes on.
///
/// The engine never shortens its log, and never reads it: only the numbers matter, for it skips a change whose number
/// is not above that of the point.
fn drop_old_log(directory: &Path) -> std::io::Result<()> {
    let mut closed = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("closed-")).and_then(|n| n.parse::<u64>().ok());
        closed.extend(number.map(|number| (number, entry.path())));
    }
    closed.sort();
    closed.pop();
    // The oldest first: what is left stays contiguous if this is interrupted.
    closed.into_iter().try_for_each(|(_, path)| fs::remove_file(path))
}

/// Removes all payload indexes of the segments in `directory`. The engine takes a segment without for one that never
/// had any.
fn drop_indexes(directory: &Path) -> std::io::Result<()> {
    for segment in fs::read_dir(directory)? {
        let indexes = segment?.path().join(INDEXES_DIRECTORY);
        if indexes.exists() {
            fs::remove_dir_all(indexes)?;
        }
    }
    Ok(())
}
