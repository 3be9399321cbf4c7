//! Making a collection what its table is.

use std::collections::{BTreeMap, HashSet};

use dbops_postgres::DatabaseUrl;
use dbops_qdrant::{Distance, Server, SourceSpec};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::both::{Side, Walk};
use crate::deep::Deep;
use crate::guard::{Ids, compare_ids, refuse_many_deletes};
use crate::load::load;
use crate::row::Row;
use crate::session::{Session, keys, rows};
use crate::write::{Batches, batches, write};
use crate::{Error, Event};

/// Under which name it is noted in the collection how far it was synchronised.
const NOTE: &str = "dbops_sync";
/// How many ids or keys go into one request.
const CHUNK: usize = 512;

/// How to synchronise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// Compare every row, and not only those that changed since the last time.
    pub full: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// Delete points without a row even where they are more than half of all.
    pub allow_deletes: bool,
    /// With `full`: compare vectors and payloads too, as [`verify`](crate::verify) does.
    pub deep: Option<BTreeMap<String, Distance>>,
}

/// How it was gone about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// There were no points: every row was written.
    Load,
    /// Every row was compared with its point.
    Compare,
    /// Rows that changed since the last time were compared, and the ids of all.
    Changes,
}

/// What was done, or would have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synced {
    /// How.
    pub way: Way,
    /// How many rows there are that are points.
    pub rows: u64,
    /// Points that were not there.
    pub inserted: u64,
    /// Points that were different.
    pub updated: u64,
    /// Points that had no row.
    pub deleted: u64,
}

/// How far a collection was synchronised.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// What made points of rows.
    source: String,
    /// The moment up to which changes were seen.
    until: String,
}

/// Makes the points of a collection what the rows of its table are. It can be interrupted at any moment and run again.
///
/// An empty collection is filled by several sessions that see one moment. Otherwise the ids of both sides are compared
/// first, before anything is changed; then the rows that changed since the last time where a column tells, else all of
/// them. A row whose vectors are all NULL is no point.
///
/// # Errors
///
/// When either side cannot be read or written, a row cannot be a point, or more than half of the points would be deleted
/// ([`Error::ManyDeletes`]).
pub async fn sync(
    database: &DatabaseUrl,
    server: &Server,
    collection: &str,
    source: &SourceSpec,
    options: &SyncOptions,
    on_event: &mut dyn FnMut(Event),
) -> Result<Synced, Error> {
    let session = Session::begin_beside(database, source, server, collection).await?;
    session.lock(collection).await?;
    let until = session.horizon().await?;
    let points = server.count(collection).await?;
    let run = Run { session: &session, server, collection, options, database, source };
    let digest = Sha256::digest(session.table.description().as_bytes());
    let description: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let synced = if points == 0 {
        run.load(on_event).await?
    } else {
        let ids = compare_ids(&session, server, collection).await?;
        if !options.allow_deletes {
            refuse_many_deletes(collection, &session.table.name, ids.extra.len() as u64, points)?;
        }
        let since = if options.full { None } else { run.noted(&description).await? };
        match since.and_then(|since| session.table.changed(&since)).zip(ids.missing_keys.as_ref()) {
            Some((changed, missing)) => run.changes(&ids, &changed, missing, on_event).await?,
            None => run.compare(&ids, on_event).await?,
        }
    };
    if !options.dry_run {
        let note = serde_json::to_string(&Note { source: description, until }).unwrap_or_default();
        server.set_note(collection, NOTE, &note).await?;
    }
    Ok(synced)
}

struct Run<'a> {
    session: &'a Session,
    server: &'a Server,
    collection: &'a str,
    options: &'a SyncOptions,
    database: &'a DatabaseUrl,
    source: &'a SourceSpec,
}

impl Run<'_> {
    /// Up to when changes were seen the last time, if points were made in the same way.
    async fn noted(&self, description: &str) -> Result<Option<String>, Error> {
        let note = self.server.note(self.collection, NOTE).await?;
        let note: Option<Note> = note.and_then(|text| serde_json::from_str(&text).ok());
        Ok(note.filter(|note| note.source == description).map(|note| note.until))
    }

    async fn load(&self, on_event: &mut dyn FnMut(Event)) -> Result<Synced, Error> {
        let rows = self.session.count().await?;
        on_event(Event::Reading { way: Way::Load, rows: Some(rows) });
        if !self.options.dry_run {
            load(self.session, self.server, self.collection, on_event).await?;
        }
        Ok(Synced { way: Way::Load, rows, inserted: rows, updated: 0, deleted: 0 })
    }

    /// Compares every row with its point.
    async fn compare(&self, ids: &Ids, on_event: &mut dyn FnMut(Event)) -> Result<Synced, Error> {
        on_event(Event::Reading { way: Way::Compare, rows: Some(ids.rows) });
        let table = &self.session.table;
        let mut synced = self.done(Way::Compare, ids);
        (synced.rows, synced.inserted) = (0, 0);
        let distances = self.options.deep.as_ref();
        let mut deep = distances.map(|distances| Deep::new(self.server, self.collection, table, distances));
        let (mut batches, receiver) = batches(table);
        let read = async {
            let rows = rows(&self.session.client, table, &table.rows_in_order()).await?;
            let mut walk = Walk::begin(rows, table, self.server, self.collection, true).await?;
            while let Some(side) = walk.next().await? {
                let (row, mark) = match side {
                    Side::Both(row, mark) => (row, Some(mark)),
                    Side::Row(row) => (row, None),
                    // As many as were found before: what came since is the next run's.
                    Side::Point(_) => continue,
                };
                synced.rows += 1;
                on_event(Event::Rows(1));
                let is_same = self.settle(&row, mark.as_ref(), &mut synced, &mut batches).await?;
                if let (true, Some(deep)) = (is_same, &mut deep) {
                    self.rewrite(deep.push(row).await?, &mut synced, &mut batches).await?;
                }
            }
            if let Some(mut deep) = deep {
                self.rewrite(deep.finish().await?, &mut synced, &mut batches).await?;
            }
            batches.finish().await;
            Ok(())
        };
        tokio::try_join!(read, write(self.server, self.collection, receiver))?;
        self.delete(ids).await?;
        Ok(synced)
    }

    /// Compares the rows that changed, and writes those that are missing.
    async fn changes(
        &self,
        ids: &Ids,
        changed: &str,
        missing: &[String],
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Synced, Error> {
        on_event(Event::Reading { way: Way::Changes, rows: None });
        let table = &self.session.table;
        let mut synced = self.done(Way::Changes, ids);
        synced.inserted = 0;
        let (mut batches, receiver) = batches(table);
        let read = async {
            let mut stream = rows(&self.session.client, table, &table.rows(changed)).await?.chunks(CHUNK);
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.into_iter().collect::<Result<Vec<_>, _>>()?;
                let marks: Vec<_> = chunk.iter().map(|row| row.key.id).collect();
                let marks = self.server.marks(self.collection, &marks).await?;
                for row in &chunk {
                    // The missing ones are written below.
                    if let Some(mark) = marks.get(&row.key.id) {
                        self.settle(row, Some(mark), &mut synced, &mut batches).await?;
                    }
                }
                on_event(Event::Rows(chunk.len() as u64));
            }
            for keys in missing.chunks(CHUNK) {
                let mut rows = rows(&self.session.client, table, &table.rows(&table.has_key(keys))).await?;
                while let Some(row) = rows.next().await {
                    self.settle(&row?, None, &mut synced, &mut batches).await?;
                    on_event(Event::Rows(1));
                }
            }
            batches.finish().await;
            Ok(())
        };
        tokio::try_join!(read, write(self.server, self.collection, receiver))?;
        self.delete(ids).await?;
        Ok(synced)
    }

    fn done(&self, way: Way, ids: &Ids) -> Synced {
        Synced { way, rows: ids.rows, inserted: ids.missing, updated: 0, deleted: ids.extra.len() as u64 }
    }

    /// Writes a row whose point is not there or different, and tells whether it is the same.
    async fn settle(
        &self,
        row: &Row,
        mark: Option<&Option<String>>,
        synced: &mut Synced,
        batches: &mut Batches<'_>,
    ) -> Result<bool, Error> {
        let of_row = row.mark(&self.session.table);
        match mark {
            Some(mark) if mark.as_ref() == Some(&of_row) => return Ok(true),
            Some(_) => synced.updated += 1,
            None => synced.inserted += 1,
        }
        if !self.options.dry_run {
            batches.push(row, of_row).await?;
        }
        Ok(false)
    }

    /// Writes rows whose points have their marks and hold something else.
    async fn rewrite(&self, rows: Vec<Row>, synced: &mut Synced, batches: &mut Batches<'_>) -> Result<(), Error> {
        for row in rows {
            self.settle(&row, Some(&None), synced, batches).await?;
        }
        Ok(())
    }

    async fn delete(&self, ids: &Ids) -> Result<(), Error> {
        if self.options.dry_run || ids.extra.is_empty() {
            return Ok(());
        }
        // A row that came meanwhile may have its point already: whoever wrote both is not to lose it.
        let now = Session::begin(self.database, self.source).await?;
        let mut extra: HashSet<_> = ids.extra.iter().copied().collect();
        let mut keys = keys(&now.client, &now.table, &now.table.keys_in_order()).await?;
        while let Some(key) = keys.next().await {
            extra.remove(&key?.id);
        }
        let extra: Vec<_> = extra.into_iter().collect();
        for chunk in extra.chunks(CHUNK) {
            self.server.remove(self.collection, chunk).await?;
        }
        Ok(())
    }
}
