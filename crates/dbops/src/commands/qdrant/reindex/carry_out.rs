//! One collection rebuilt, from wherever an earlier run broke off.

use std::slice::from_ref;
use std::time::Instant;

use dbops_qdrant::{
    CollectionState, Copied, Copier, Copying, Live, Rebuild, RebuildNote, RebuildStage, Server, SourceSpec, Stage,
    rebuild,
};
use dbops_sync::{SyncOptions, Synced, sync};
use indicatif::ProgressBar;

use super::old::drop_old;
use super::{One, RebuiltDocument};
use crate::commands::backup::seconds;
use crate::commands::qdrant::sources::{Reading, sourced};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, Ui, paint};

/// How often a table is synchronised before the swap, however much is written to it.
const PASSES: u32 = 5;

/// Rebuilds the collection if it has to be, and drops what it was before if that is asked for.
pub(super) async fn carry_out(one: &One<'_>) -> Result<Option<RebuiltDocument>> {
    let (server, ui) = (&one.target.server, &one.context.ui);
    let begun = Instant::now();
    let mut live = server.live(from_ref(one.spec)).await?;
    if one.job(&live)?.is_none() && !one.args.drop_old {
        return Ok(None);
    }
    let _lock = server.lock_rebuild(&one.folder, &one.spec.name)?;
    // Whoever had the lock may just have done it.
    live = server.live(from_ref(one.spec)).await?;
    let mut done = None;
    if let Some(mut job) = one.job(&live)? {
        if one.args.restart && server.drop_unfinished(&job, &live, &one.folder).await? {
            ui.status(format!("{}: dropped {}, to begin anew", one.target.name, job.spec.name));
            live = server.live(from_ref(one.spec)).await?;
            match one.job(&live)? {
                Some(anew) => job = anew,
                None => return Ok(None),
            }
        }
        done = Some(work(one, &job, &live).await?);
        live = server.live(from_ref(one.spec)).await?;
    }
    let mut dropped = Vec::new();
    let is_swapped = done.as_ref().is_none_or(|done| done.swapped);
    // What was not followed up yet is in the old collection only.
    if one.args.drop_old && is_swapped && rebuild(one.spec, &one.target.declared, &live, false)?.is_none() {
        dropped = drop_old(one, &live).await?;
    }
    if done.is_none() && dropped.is_empty() {
        return Ok(None);
    }
    let done = done.unwrap_or_else(|| RebuiltDocument { from: one.spec.name.clone(), ..RebuiltDocument::default() });
    Ok(Some(RebuiltDocument {
        target: one.target.name.into(),
        collection: one.spec.name.clone(),
        duration_ms: begun.elapsed().as_millis(),
        dropped,
        ..done
    }))
}

/// What fills the new collection, and follows what changes.
struct Filling<'a> {
    one: &'a One<'a>,
    job: &'a Rebuild,
    note: &'a RebuildNote,
    bar: Option<ProgressBar>,
}

async fn work(one: &One<'_>, job: &Rebuild, live: &Live) -> Result<RebuiltDocument> {
    let (server, ui) = (&one.target.server, &one.context.ui);
    let begun = Instant::now();
    let to = &job.spec.name;
    let name = format!("{}: {}", one.target.name, paint(STRONG, &job.from));
    let note = match job.stage {
        Stage::Fill => {
            one.check(job, live, false).await?;
            server.begin_rebuild(job, live).await?
        }
        Stage::Tail | Stage::Name => {
            live.note(to).cloned().ok_or_else(|| Failure::from(dbops_qdrant::Error::Changed))?
        }
    };
    let mut filling = Filling { one, job, note: &note, bar: None };
    let (mut copied, mut followed) = (Copied::default(), Copied::default());
    if job.stage == Stage::Fill {
        copied = filling.fill().await?;
        if !one.args.no_wait {
            settle(ui, server, to).await?;
        }
        followed = filling.follow().await?;
        if one.args.no_swap {
            ui.data(format!("{name}: {} points are in {to}; run it again to move the alias", followed.points))?;
            return Ok(document(job, copied, followed, false));
        }
        filling.check_loss().await?;
        server.note_rebuild(&note, RebuildStage::Swapping).await?;
    }
    if job.stage != Stage::Tail {
        server.swap(job).await?;
    }
    if !job.is_cut_over {
        followed = filling.follow_last_writes(followed).await?;
    }
    server.note_rebuild(&note, RebuildStage::Done).await?;
    Server::forget_copy(&note, &one.folder);
    let copied_points = copied.written + followed.written;
    ui.data(format!(
        "{name}: rebuilt into {to}: {} points, {copied_points} written, in {}; {} leads there",
        followed.points,
        seconds(begun.elapsed()),
        job.aliases.join(", ")
    ))?;
    Ok(document(job, copied, followed, true))
}

fn document(job: &Rebuild, copied: Copied, followed: Copied, swapped: bool) -> RebuiltDocument {
    RebuiltDocument {
        from: job.from.clone(),
        to: Some(job.spec.name.clone()),
        points: followed.points,
        copied: copied.written,
        followed: copied.deleted + followed.written + followed.deleted,
        passes: copied.passes + followed.passes,
        swapped,
        ..RebuiltDocument::default()
    }
}

fn copied(Synced { rows, inserted, updated, deleted, .. }: Synced) -> Copied {
    Copied { points: rows, written: inserted + updated, deleted, passes: 1 }
}

async fn settle(ui: &Ui, server: &Server, to: &str) -> Result<()> {
    let spinner = ui.spinner(format!("waiting until {to} is indexed"));
    let state = server.settled(to).await;
    spinner.finish_and_clear();
    if state? == CollectionState::Grey {
        ui.warn(format!("{to} is grey: its optimizations wait for the next write"));
    }
    Ok(())
}

impl<'a> Filling<'a> {
    fn copier(&self) -> Result<Copier<'a>> {
        let Self { one, job, note, .. } = *self;
        Ok(one.target.server.copier(job, note, &one.folder, one.args.copy_options())?)
    }

    async fn fill(&mut self) -> Result<Copied> {
        if let Some(source) = &self.one.spec.source {
            return Ok(copied(self.synchronise(source).await?));
        }
        let copier = self.copier()?;
        let copied = copier.copy(&mut |event| self.show(event)).await;
        self.end();
        Ok(copied?)
    }

    async fn follow(&mut self) -> Result<Copied> {
        if let Some(source) = &self.one.spec.source {
            let mut all = Copied::default();
            for _ in 0..PASSES {
                let done = copied(self.synchronise(source).await?);
                all = all.and(done);
                if done.written + done.deleted == 0 {
                    break;
                }
            }
            return Ok(all);
        }
        let copier = self.copier()?;
        let followed = copier.follow(&mut |event| self.show(event)).await;
        self.end();
        Ok(followed?)
    }

    /// What was written while the alias moved.
    async fn follow_last_writes(&mut self, followed: Copied) -> Result<Copied> {
        if let Some(source) = &self.one.spec.source {
            return Ok(followed.and(copied(self.synchronise(source).await?)));
        }
        let copier = self.copier()?;
        let last = copier.follow_last_writes(&mut |event| self.show(event)).await;
        self.end();
        let Some(last) = last? else {
            self.one.context.ui.warn(format!(
                "what was written to {} while the alias moved is not known here: the rebuild began on another machine",
                self.job.from
            ));
            return Ok(followed);
        };
        Ok(followed.and(last))
    }

    async fn synchronise(&self, source: &SourceSpec) -> Result<Synced> {
        let one = self.one;
        let sourced = sourced(one.config, one.target, one.spec).await?;
        let to = &self.job.spec.name;
        let mut reading = Reading::new(&one.context.ui, format!("filling {to}"));
        // All points there are made of rows.
        let options = SyncOptions { allow_deletes: true, ..SyncOptions::default() };
        let on_event = &mut |event| reading.show(event);
        let synced = sync(sourced.database, &one.target.server, to, source, &options, on_event).await;
        reading.end();
        Ok(synced?)
    }

    /// A table may hold less than the collection that is to go: then it is asked.
    async fn check_loss(&self) -> Result<()> {
        let (server, Rebuild { from, spec, .. }) = (&self.one.target.server, self.job);
        if self.one.spec.source.is_none() {
            return Ok(());
        }
        let (before, after) = (server.count(from).await?, server.count(&spec.name).await?);
        if after * 2 >= before {
            return Ok(());
        }
        let question =
            format!("move the alias from {from}, which holds {before} points, to {}, with {after}?", spec.name);
        self.one.context.ui.confirm(&question).await
    }

    fn show(&mut self, event: Copying) {
        match event {
            Copying::Pass { number, points } => {
                self.end();
                let what = if number == 1 { "copying" } else { "following" };
                self.bar = Some(self.one.context.ui.points(format!("{what} {}", self.job.from), points));
            }
            Copying::Points(count) => {
                if let Some(bar) = &self.bar {
                    bar.inc(count);
                }
            }
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
