//! `qdrant verify`: whether collections hold what the rows of their tables do.

use std::collections::BTreeMap;

use clap::Args;
use dbops_qdrant::Distance;
use dbops_sync::{Found, SyncOptions, Verified, verify as compare};
use serde::Serialize;

use super::failures::{FailedDocument, Failures};
use super::prepare;
use super::sources::{Reading, Sourced, choose, sourced};
use super::sync::sync_one;
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::Result;
use crate::ui::{BAD, GOOD, STRONG, paint, printable};

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Collections, by their names or aliases; all that have a table when there are none
    #[arg(value_name = "COLLECTION")]
    collections: Vec<String>,
    /// Compare vectors and payloads, and not only the marks of what the points were made of
    #[arg(long)]
    deep: bool,
    /// Synchronise what differs, and compare again
    #[arg(long)]
    repair: bool,
    /// With --repair: delete the points without a row even where they are more than half of all
    #[arg(long, requires = "repair")]
    allow_deletes: bool,
}

/// `{"collections": [{"target", "collection", "from", "same", "rows", "points", "missing": {"count", "sample"}, "extra",
/// "different"}], "failed": [{"target", "collection", "error"}]}`; the samples are keys of rows, of `extra` ids of points.
#[derive(Serialize)]
struct VerifyDocument {
    collections: Vec<VerifiedDocument>,
    failed: Vec<FailedDocument>,
}

#[derive(Serialize)]
struct VerifiedDocument {
    target: String,
    collection: String,
    from: String,
    same: bool,
    rows: u64,
    points: u64,
    missing: FoundDocument,
    extra: FoundDocument,
    different: FoundDocument,
}

#[derive(Serialize)]
struct FoundDocument {
    count: u64,
    sample: Vec<String>,
}

impl From<Found> for FoundDocument {
    fn from(Found { count, sample }: Found) -> Self {
        Self { count, sample }
    }
}

pub(super) async fn verify(context: &Context, config: &Config, names: &[String], args: &VerifyArgs) -> Result<Outcome> {
    let prepared = prepare(context, config, names)?;
    let chosen = choose(&prepared, &args.collections)?;
    let (mut collections, mut failures) = (Vec::new(), Failures::of(&chosen));
    for one in chosen {
        let verified = async { verify_and_repair(context, &sourced(config, one.0, one.1).await?, args).await };
        match verified.await {
            Ok(verified) => collections.push(verified),
            Err(failure) => failures.add(context, one, failure)?,
        }
    }
    let is_same = collections.iter().all(|one| one.same);
    let (failed, outcome) = failures.end(if is_same { Outcome::Done } else { Outcome::Found });
    context.ui.document(&VerifyDocument { collections, failed })?;
    Ok(outcome)
}

async fn verify_and_repair(context: &Context, one: &Sourced<'_>, args: &VerifyArgs) -> Result<VerifiedDocument> {
    let mut verified = verify_one(context, one, args.deep).await?;
    tell(context, one, &verified)?;
    if args.repair && !verified.is_same() {
        let deep = args.deep.then(|| distances(one));
        let options = SyncOptions { full: true, dry_run: false, allow_deletes: args.allow_deletes, deep };
        sync_one(context, one, &options).await?;
        verified = verify_one(context, one, args.deep).await?;
        tell(context, one, &verified)?;
    }
    Ok(document(one, verified))
}

pub(super) async fn verify_one(context: &Context, one: &Sourced<'_>, deep: bool) -> Result<Verified> {
    let (server, name) = (&one.target.server, &one.collection);
    let deep = deep.then(|| distances(one));
    let mut reading = Reading::new(&context.ui, format!("comparing {name}"));
    let on_event = &mut |event| reading.show(event);
    let verified = compare(one.database, server, name, one.source, deep.as_ref(), on_event).await;
    reading.end();
    verified.map_err(|error| one.failed(error))
}

fn distances(one: &Sourced<'_>) -> BTreeMap<String, Distance> {
    one.spec.vectors.iter().filter_map(|(name, vector)| Some((name.clone(), Distance::of(vector)?))).collect()
}

pub(super) fn tell(context: &Context, one: &Sourced<'_>, verified: &Verified) -> Result<()> {
    let ui = &context.ui;
    let Verified { rows, points, missing, extra, different } = verified;
    let name = format!("{}: {}", one.target.name, paint(STRONG, &one.collection));
    if verified.is_same() {
        return ui.data(format!("{name}: {}, {rows} rows of {}", paint(GOOD, "the same"), one.from()));
    }
    ui.data(format!("{name}: {}: {rows} rows of {}, {points} points", paint(BAD, "not the same"), one.from()))?;
    let kinds = [("rows without a point", missing), ("points without a row", extra), ("points that differ", different)];
    for (kind, found) in kinds.into_iter().filter(|(_, found)| found.count > 0) {
        let more = if found.count > found.sample.len() as u64 { ", …" } else { "" };
        ui.data(format!("  {} {kind}: {}{more}", found.count, printable(&found.sample.join(", "))))?;
    }
    Ok(())
}

fn document(one: &Sourced<'_>, verified: Verified) -> VerifiedDocument {
    VerifiedDocument {
        target: one.target.name.into(),
        collection: one.collection.clone(),
        from: one.from(),
        same: verified.is_same(),
        rows: verified.rows,
        points: verified.points,
        missing: verified.missing.into(),
        extra: verified.extra.into(),
        different: verified.different.into(),
    }
}
