//! `qdrant sync`: the points of collections made what the rows of their tables are.

use clap::Args;
use dbops_sync::{SyncOptions, Synced, Way, sync as synchronise};
use serde::Serialize;

use super::failures::{FailedDocument, Failures};
use super::prepare;
use super::sources::{Reading, Sourced, choose, sourced};
use crate::commands::backup::seconds;
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::Result;
use crate::ui::{STRONG, paint};

#[derive(Args)]
pub(super) struct SyncArgs {
    /// Collections, by their names or aliases; all that have a table when there are none
    #[arg(value_name = "COLLECTION")]
    collections: Vec<String>,
    /// Compare every row with its point, and not only the rows that changed since the last time
    #[arg(long)]
    full: bool,
    /// Say what would be written and deleted, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete the points without a row even where they are more than half of all
    #[arg(long)]
    allow_deletes: bool,
}

/// `{"dry_run", "collections": [{"target", "collection", "from", "way", "rows", "inserted", "updated", "deleted",
/// "duration_ms"}], "failed": [{"target", "collection", "error"}]}`; `way` is load, compare or changes.
#[derive(Serialize)]
struct SyncDocument {
    dry_run: bool,
    collections: Vec<SyncedDocument>,
    failed: Vec<FailedDocument>,
}

#[derive(Serialize)]
pub(super) struct SyncedDocument {
    target: String,
    collection: String,
    from: String,
    way: &'static str,
    rows: u64,
    inserted: u64,
    updated: u64,
    deleted: u64,
    duration_ms: u128,
}

pub(super) async fn sync(context: &Context, config: &Config, names: &[String], args: &SyncArgs) -> Result<Outcome> {
    let prepared = prepare(context, config, names)?;
    let SyncArgs { full, dry_run, allow_deletes, .. } = *args;
    let options = SyncOptions { full, dry_run, allow_deletes, deep: None };
    let chosen = choose(&prepared, &args.collections)?;
    let (mut collections, mut failures) = (Vec::new(), Failures::of(&chosen));
    for one in chosen {
        let synced = async { sync_one(context, &sourced(config, one.0, one.1).await?, &options).await };
        match synced.await {
            Ok(synced) => collections.push(synced),
            Err(failure) => failures.add(context, one, failure)?,
        }
    }
    let (failed, outcome) = failures.end(Outcome::Done);
    context.ui.document(&SyncDocument { dry_run: args.dry_run, collections, failed })?;
    Ok(outcome)
}

pub(super) async fn sync_one(context: &Context, one: &Sourced<'_>, options: &SyncOptions) -> Result<SyncedDocument> {
    let (server, name) = (&one.target.server, &one.collection);
    let mut reading = Reading::new(&context.ui, format!("synchronising {name}"));
    let on_event = &mut |event| reading.show(event);
    let synced = synchronise(one.database, server, name, one.source, options, on_event).await;
    reading.end();
    let synced = synced.map_err(|error| one.failed(error))?;
    let took = reading.started.elapsed();
    let Synced { way, rows, inserted, updated, deleted } = synced;
    let what = match (inserted + updated + deleted, options.dry_run) {
        (0, _) => "nothing to do".to_owned(),
        (_, false) => format!("{inserted} inserted, {updated} updated, {deleted} deleted"),
        (_, true) => format!("{inserted} would be inserted, {updated} updated, {deleted} deleted"),
    };
    context.ui.data(format!(
        "{}: {}: {rows} rows, {what} in {}",
        one.target.name,
        paint(STRONG, name),
        seconds(took)
    ))?;
    Ok(SyncedDocument {
        target: one.target.name.into(),
        collection: name.clone(),
        from: one.from(),
        way: match way {
            Way::Load => "load",
            Way::Compare => "compare",
            Way::Changes => "changes",
        },
        rows,
        inserted,
        updated,
        deleted,
        duration_ms: took.as_millis(),
    })
}
