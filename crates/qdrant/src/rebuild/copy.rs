//! Points copied from one collection to another, page by page in the order of their ids. Each look at the source is held
//! against the record of the one before: what is new or different is written, what is gone is deleted, and every copy is
//! read again and compared before it counts.

use std::collections::HashMap;
use std::iter::Peekable;
use std::path::Path;

use futures_util::{Stream, TryStreamExt, stream};
use prost::Message;
use qdrant_client::qdrant::vector_output::Vector as OutputVector;
use qdrant_client::qdrant::vectors::VectorsOptions;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions as PayloadOptions;
use qdrant_client::qdrant::{
    NamedVectors, PointId, PointStruct, RetrievedPoint, ScrollPoints, UpsertPoints, Vector, Vectors,
    WithPayloadSelector, WithVectorsSelector, vector, with_vectors_selector,
};

use super::Rebuild;
use super::record::{Entries, Entry, Hash, Record, UNKNOWN};
use super::same::differing;
use crate::sample::{digest, named};
use crate::{CollectionSpec, Error, Id, RebuildNote, Server};

/// How many bytes of points are read at once, about.
const PAGE_BYTES: usize = 2 << 20;
/// How many deletions go into one request.
const DELETED: usize = 1024;
/// How often the source is looked at before the swap, however much is written to it.
const PASSES: u32 = 10;
/// How often it is afterwards.
const TAIL_PASSES: u32 = 3;
/// How many points are looked at in the end.
const SAMPLE: u64 = 100;

/// How points are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyOptions {
    /// The most points in a request; large points go in smaller ones.
    pub batch: u32,
    /// How many requests are under way at a time.
    pub parallel: usize,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copying {
    /// The source is read from its beginning; it holds about so many points.
    Pass {
        /// 1 for the first.
        number: u32,
        /// How many there are.
        points: u64,
    },
    /// So many more points were read, and copied where they had to be.
    Points(u64),
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Points that the source holds.
    pub points: u64,
    /// Points that were written.
    pub written: u64,
    /// Points that were deleted.
    pub deleted: u64,
    /// How often the source was read.
    pub passes: u32,
}

/// One copy between two collections.
pub struct Copier<'a> {
    server: &'a Server,
    from: &'a str,
    spec: &'a CollectionSpec,
    options: CopyOptions,
    record: Record,
    /// The copy is in use: what was written there since is newer.
    is_in_use: bool,
}

/// A page of the source, held against the record.
#[derive(Default)]
struct Work {
    read: u64,
    same: Vec<Entry>,
    write: Vec<(Id, RetrievedPoint, Hash, Option<Entry>)>,
    delete: Vec<Entry>,
}

/// Where a look at the source is.
struct Walk {
    /// The next page; `None` when there is none.
    next: Option<Option<Id>>,
    limit: u32,
    old: Peekable<Entries>,
}

impl Server {
    /// What copies the points for a rebuild, and follows them. The record of it is in `folder`.
    ///
    /// # Errors
    ///
    /// When there can be no such folder.
    pub fn copier<'a>(
        &'a self,
        rebuild: &'a Rebuild,
        note: &RebuildNote,
        folder: &Path,
        options: CopyOptions,
    ) -> Result<Copier<'a>, Error> {
        let record = Record::open(folder, &note.run)?;
        let Rebuild { from, spec, .. } = rebuild;
        Ok(Copier { server: self, from, spec, options, record, is_in_use: false })
    }

    /// Forgets what was copied, once all is done.
    pub fn forget_copy(note: &RebuildNote, folder: &Path) {
        if let Ok(record) = Record::open(folder, &note.run) {
            record.remove();
        }
    }

    /// Points with all that they hold, from an id on, and the first of the next page.
    async fn whole_page(
        &self,
        collection: &str,
        from: Option<Id>,
        limit: u32,
    ) -> Result<(Vec<RetrievedPoint>, Option<Id>), Error> {
        let doing = format!("read points of {collection}");
        let vectors = with_vectors_selector::SelectorOptions::Enable(true);
        let request = ScrollPoints {
            collection_name: collection.into(),
            offset: from.map(PointId::from),
            limit: Some(limit),
            with_payload: Some(WithPayloadSelector { selector_options: Some(PayloadOptions::Enable(true)) }),
            with_vectors: Some(WithVectorsSelector { selector_options: Some(vectors) }),
            ..Default::default()
        };
        let answer = self.insist(async || self.work(&doing, self.points_api().scroll(request.clone())).await).await?;
        Ok((answer.result, Id::of(answer.next_page_offset)))
    }

    async fn upsert(&self, collection: &str, points: Vec<PointStruct>) -> Result<(), Error> {
        let doing = format!("write points to {collection}");
        let request =
            UpsertPoints { collection_name: collection.into(), wait: Some(true), points, ..Default::default() };
        self.insist(async || self.work(&doing, self.points_api().upsert(request.clone())).await).await?;
        Ok(())
    }
}

impl Copied {
    /// Both, the later one's number of points.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            points: later.points,
            written: self.written + later.written,
            deleted: self.deleted + later.deleted,
            passes: self.passes + later.passes,
        }
    }
}

impl Copier<'_> {
    /// Copies all points of the old collection into the new one, from where an earlier run broke off.
    ///
    /// # Errors
    ///
    /// When a server or a file cannot be read or written, or a copy is not what it was copied from.
    pub async fn copy(&self, on_event: &mut dyn FnMut(Copying)) -> Result<Copied, Error> {
        self.record_ids().await?;
        self.pass(1, on_event).await
    }

    /// Copies what changed in the meantime, until nothing does, or no less than before, and compares a sample and the
    /// number of points.
    ///
    /// # Errors
    ///
    /// As [`Copier::copy`].
    pub async fn follow(&self, on_event: &mut dyn FnMut(Copying)) -> Result<Copied, Error> {
        let (mut all, mut last) = (Copied::default(), u64::MAX);
        for number in 2..=PASSES {
            let done = self.pass(number, on_event).await?;
            let changed = done.written + done.deleted;
            all = all.and(done);
            if changed == 0 || changed > last / 2 {
                break;
            }
            last = changed;
        }
        self.verify(all.points).await?;
        Ok(all)
    }

    /// After the swap: copies what was written to the old collection until then. What was written to the new one since
    /// stays.
    ///
    /// # Errors
    ///
    /// As [`Copier::copy`].
    pub async fn follow_last_writes(self, on_event: &mut dyn FnMut(Copying)) -> Result<Option<Copied>, Error> {
        if !self.record.exists() {
            return Ok(None);
        }
        let copier = Self { is_in_use: true, ..self };
        let mut all = Copied::default();
        for number in 1..=TAIL_PASSES {
            let done = copier.pass(number, on_event).await?;
            all = all.and(done);
            if done.written + done.deleted == 0 {
                break;
            }
        }
        Ok(Some(all))
    }

    /// Makes the record one of exactly the points that are in the copy. A run that was killed wrote and deleted some that
    /// it did not come to record, and the record may be on another machine, or lost: of these points nothing else is known.
    async fn record_ids(&self) -> Result<(), Error> {
        let mut old = self.record.entries()?;
        let mut writer = self.record.begin()?;
        let mut next = Some(None);
        while let Some(from) = next {
            let page = self.server.page(&self.spec.name, from, 4096, false).await?;
            let entry = |(id, _): &(Id, _)| {
                while old.next_if(|entry| entry.id < *id).is_some() {}
                let known = old.next_if(|entry| entry.id == *id);
                known.unwrap_or(Entry { id: *id, source: UNKNOWN, target: UNKNOWN })
            };
            writer.push(&page.points.iter().map(entry).collect::<Vec<_>>())?;
            next = page.next.map(Some);
        }
        self.record.commit(writer)
    }

    /// Reads all of the source, and makes the copy the same.
    async fn pass(&self, number: u32, on_event: &mut dyn FnMut(Copying)) -> Result<Copied, Error> {
        on_event(Copying::Pass { number, points: self.server.count(self.from).await? });
        let mut writer = self.record.begin()?;
        let mut copied = Copied { passes: 1, ..Copied::default() };
        let work = self.walk(self.record.entries()?).map_ok(|work| self.carry_out(work));
        let mut done = std::pin::pin!(work.try_buffered(self.options.parallel));
        while let Some((entries, page)) = done.try_next().await? {
            writer.push(&entries)?;
            copied = Copied { points: copied.points + page.points, passes: 1, ..copied.and(page) };
            on_event(Copying::Points(page.points));
        }
        self.record.commit(writer)?;
        Ok(copied)
    }

    fn walk(&self, old: Peekable<Entries>) -> impl Stream<Item = Result<Work, Error>> {
        let walk = Walk { next: Some(None), limit: self.options.batch.min(64), old };
        stream::try_unfold(walk, async |mut walk| Ok(self.next_work(&mut walk).await?.map(|work| (work, walk))))
    }

    async fn next_work(&self, walk: &mut Walk) -> Result<Option<Work>, Error> {
        let mut work = Work::default();
        let Some(from) = walk.next else {
            work.delete = walk.old.by_ref().take(DELETED).collect();
            return Ok((!work.delete.is_empty()).then_some(work));
        };
        let (points, next) = self.server.whole_page(self.from, from, walk.limit).await?;
        walk.next = next.map(Some);
        let largest = points.iter().map(Message::encoded_len).max().unwrap_or(1).max(1);
        walk.limit = u32::try_from(PAGE_BYTES / largest).unwrap_or(u32::MAX).clamp(1, self.options.batch);
        for point in points {
            let (Some(id), Some(digest)) = (Id::of(point.id.clone()), digest(&point)) else { continue };
            let mut hash = UNKNOWN;
            hash.copy_from_slice(&digest[..16]);
            while let Some(gone) = walk.old.next_if(|entry| entry.id < id) {
                work.delete.push(gone);
            }
            work.read += 1;
            match walk.old.next_if(|entry| entry.id == id) {
                Some(entry) if entry.source == hash => work.same.push(entry),
                known => work.write.push((id, point, hash, known)),
            }
        }
        Ok(Some(work))
    }

    /// Does what a page asks for, and gives what is known of its points then.
    async fn carry_out(&self, mut work: Work) -> Result<(Vec<Entry>, Copied), Error> {
        let to = &self.spec.name;
        let mut entries = std::mem::take(&mut work.same);
        if self.is_in_use {
            entries.extend(self.leave_newer(&mut work).await?);
        }
        let ids: Vec<_> = work.write.iter().map(|(id, ..)| *id).collect();
        if !ids.is_empty() {
            let points = work.write.iter().map(|(_, point, ..)| self.copy_of(point.clone())).collect();
            self.server.upsert(to, points).await?;
        }
        for gone in work.delete.chunks(DELETED) {
            self.server.remove(to, &gone.iter().map(|entry| entry.id).collect::<Vec<_>>()).await?;
        }
        let mut copies = self.copies(&ids).await?;
        for (id, point, source, _) in &work.write {
            let copy = copies.remove(id);
            let target = copy.as_ref().map_or(UNKNOWN, hash_of);
            let differing = match &copy {
                // The application may have written or deleted it in this moment.
                _ if self.is_in_use => None,
                None => Some("it is not there".into()),
                Some(copy) => differing(self.spec, point, copy),
            };
            if let Some(what) = differing {
                let reason = format!("{what}, of the point {id}");
                return Err(Error::Differs { copy: to.clone(), of: self.from.into(), reason });
            }
            entries.push(Entry { id: *id, source: *source, target });
        }
        entries.sort_by_key(|entry| entry.id);
        let (written, deleted) = (work.write.len() as u64, work.delete.len() as u64);
        Ok((entries, Copied { points: work.read, written, deleted, passes: 0 }))
    }

    /// Takes out of the work what was written to the copy since the swap, and gives what is to be known of it.
    async fn leave_newer(&self, work: &mut Work) -> Result<Vec<Entry>, Error> {
        let changed = work.write.iter().map(|(id, ..)| *id);
        let ids: Vec<_> = changed.chain(work.delete.iter().map(|entry| entry.id)).collect();
        let copies = self.copies(&ids).await?;
        let is_untouched = |id: &Id, known: Option<&Entry>| match (copies.get(id), known) {
            (Some(copy), Some(known)) => hash_of(copy) == known.target,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        work.delete.retain(|entry| is_untouched(&entry.id, Some(entry)));
        let (write, newer) = std::mem::take(&mut work.write)
            .into_iter()
            .partition(|(id, _, _, known): &(_, _, _, Option<Entry>)| is_untouched(id, known.as_ref()));
        work.write = write;
        let known = |(id, _, source, known): (Id, RetrievedPoint, Hash, Option<Entry>)| Entry {
            id,
            source,
            target: known.map_or(UNKNOWN, |known| known.target),
        };
        Ok(newer.into_iter().map(known).collect())
    }

    async fn copies(&self, ids: &[Id]) -> Result<HashMap<Id, RetrievedPoint>, Error> {
        let found = self.server.get(&self.spec.name, ids, PayloadOptions::Enable(true), true).await?;
        Ok(found.into_iter().filter_map(|point| Some((Id::of(point.id.clone())?, point))).collect())
    }

    /// A point as it is written: with those of its vectors that the new collection has, and nothing else taken apart.
    fn copy_of(&self, point: RetrievedPoint) -> PointStruct {
        let mut found = named(point.vectors);
        found.retain(|name, _| self.spec.vectors.contains_key(name) || self.spec.sparse_vectors.contains_key(name));
        let unnamed = if found.len() == 1 { found.remove("") } else { None };
        let options = match unnamed {
            Some(unnamed) => VectorsOptions::Vector(as_written(unnamed)),
            None => VectorsOptions::Vectors(NamedVectors {
                vectors: found.into_iter().map(|(name, vector)| (name, as_written(vector))).collect(),
            }),
        };
        PointStruct { id: point.id, payload: point.payload, vectors: Some(Vectors { vectors_options: Some(options) }) }
    }

    /// Whether the copy holds as many points as were copied, and some of them what they did when they were.
    async fn verify(&self, points: u64) -> Result<(), Error> {
        let to = &self.spec.name;
        let found = self.server.count(to).await?;
        if found != points {
            return Err(Error::Count { copy: to.clone(), of: self.from.into(), found, copied: points });
        }
        let differs = |reason| Error::Differs { copy: to.clone(), of: self.from.into(), reason };
        let mut sample = self.server.sample(to, SAMPLE).await?;
        for entry in self.record.entries()? {
            let hex: String = entry.target.iter().map(|byte| format!("{byte:02x}")).collect();
            if let Some(found) = sample.remove(&entry.id.to_string())
                && !found.starts_with(&hex)
            {
                return Err(differs(format!("the point {} is not as it was written", entry.id)));
            }
        }
        match sample.keys().next() {
            Some(id) => Err(differs(format!("the point {id} was not copied"))),
            None => Ok(()),
        }
    }
}

fn hash_of(point: &RetrievedPoint) -> Hash {
    let mut hash = UNKNOWN;
    if let Some(digest) = digest(point) {
        hash.copy_from_slice(&digest[..16]);
    }
    hash
}

fn as_written(vector: OutputVector) -> Vector {
    let vector = match vector {
        OutputVector::Dense(dense) => vector::Vector::Dense(dense),
        OutputVector::Sparse(sparse) => vector::Vector::Sparse(sparse),
        OutputVector::MultiDense(many) => vector::Vector::MultiDense(many),
    };
    Vector { vector: Some(vector), ..Vector::default() }
}
