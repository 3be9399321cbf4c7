//! `qdrant recall`: how many of the nearest rows the indexes of Qdrant and pgvector find, and how fast.

use std::time::Instant;

use clap::Args;
use dbops_qdrant::{Id, Search};
use dbops_sync::Searched;
use serde::Serialize;

use super::failures::{FailedDocument, Failures};
use super::prepare;
use super::search::{open, vector_named};
use super::sources::{Sourced, choose, sourced};
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::ui::{BAD, STRONG, paint};

#[derive(Args)]
pub(super) struct RecallArgs {
    /// Collections, by their names or aliases; all that have a table when there are none
    #[arg(value_name = "COLLECTION")]
    collections: Vec<String>,
    /// How many of the nearest are looked for
    #[arg(short, long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1000))]
    k: u64,
    /// How many rows, chosen at random, are searched by
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    sample: u64,
    /// End with exit code 3 when either finds less than this part, from 0 to 1
    #[arg(long, value_name = "PART", value_parser = part)]
    min: Option<f64>,
    /// Of several vectors, which
    #[arg(long, value_name = "NAME")]
    using: Option<String>,
}

fn part(text: &str) -> std::result::Result<f64, String> {
    let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "write a number from 0 to 1, such as 0.95".into())
}

/// `{"collections": [{"target", "collection", "k", "queries", "qdrant": {"recall", "p50_ms", "p95_ms", "p99_ms"},
/// "pgvector": {…, "index"}}], "failed": [{"target", "collection", "error"}]}`.
#[derive(Serialize)]
struct RecallDocument {
    collections: Vec<CollectionDocument>,
    failed: Vec<FailedDocument>,
}

#[derive(Serialize)]
struct CollectionDocument {
    target: String,
    collection: String,
    k: u64,
    queries: usize,
    qdrant: SideDocument,
    pgvector: SideDocument,
}

#[derive(Serialize)]
struct SideDocument {
    /// From 0 to 1.
    recall: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    /// Of pgvector; `null` where it compares every row.
    index: Option<String>,
}

/// What was found in how many milliseconds.
#[derive(Default)]
struct Side {
    found: usize,
    times: Vec<f64>,
}

pub(super) async fn recall(context: &Context, config: &Config, names: &[String], args: &RecallArgs) -> Result<Outcome> {
    let prepared = prepare(context, config, names)?;
    let chosen = choose(&prepared, &args.collections)?;
    let (mut collections, mut lines, mut failures) = (Vec::new(), Vec::new(), Failures::of(&chosen));
    for one in chosen {
        let measured = async { measure(context, &sourced(config, one.0, one.1).await?, args).await };
        let measured = match measured.await {
            Ok(measured) => measured,
            Err(failure) => {
                failures.add(context, one, failure)?;
                continue;
            }
        };
        let index = measured.pgvector.index.clone().unwrap_or_else(|| "no index".into());
        for (side, found) in [("qdrant", &measured.qdrant), ("pgvector", &measured.pgvector)] {
            let is_low = args.min.is_some_and(|min| found.recall < min);
            let recall = format!("{:.3}", found.recall);
            lines.push(vec![
                one.1.name.clone(),
                if side == "qdrant" { side.into() } else { format!("{side}, {index}") },
                if is_low { paint(BAD, recall) } else { recall },
                format!("{:.1}", found.p50_ms),
                format!("{:.1}", found.p95_ms),
                format!("{:.1}", found.p99_ms),
            ]);
        }
        collections.push(measured);
    }
    let is_low =
        |one: &CollectionDocument| args.min.is_some_and(|min| one.qdrant.recall < min || one.pgvector.recall < min);
    let is_found = collections.iter().any(is_low);
    let recall = format!("recall@{}", args.k);
    if let Some(first) = collections.first() {
        context.ui.table(&["collection", "searched by", &recall, "p50 ms", "p95 ms", "p99 ms"], lines)?;
        context.ui.data(format!("{} queries each, beside a search of all rows", paint(STRONG, first.queries)))?;
    }
    let (failed, outcome) = failures.end(if is_found { Outcome::Found } else { Outcome::Done });
    context.ui.document(&RecallDocument { collections, failed })?;
    Ok(outcome)
}

async fn measure(context: &Context, one: &Sourced<'_>, args: &RecallArgs) -> Result<CollectionDocument> {
    let (using, vector) = vector_named(one.spec, args.using.as_deref()).map_err(|failure| one.failed(failure))?;
    let table = open(one, using, vector).await?;
    let sample = table.sample(args.sample).await.map_err(|error| one.failed(error))?;
    let Some((_, first)) = sample.first() else {
        return Err(one.failed(Failure::usage(format!("{}: there are no rows to search by", one.from()))));
    };
    // The row itself is always found, and does not count.
    let limit = args.k + 1;
    let index = table.index(first, limit).await.map_err(|error| one.failed(error))?;
    let bar = context.ui.rows(format!("searching {}", one.spec.name), sample.len() as u64);
    let (mut qdrant, mut pgvector, mut wanted) = (Side::default(), Side::default(), 0);
    for (own, vector) in &sample {
        let exact = rows(&table, vector, limit, true, one).await?;
        let exact = others(exact, *own, args.k);
        wanted += exact.len();
        let begun = Instant::now();
        let search = Search { vector, using, limit, exact: false };
        let points = one.target.server.nearest(&one.collection, search).await.map_err(|error| one.failed(error))?;
        qdrant.add(begun, &exact, &others(points.into_iter().map(|(id, _)| id), *own, args.k));
        let begun = Instant::now();
        let found = rows(&table, vector, limit, false, one).await?;
        pgvector.add(begun, &exact, &others(found, *own, args.k));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(CollectionDocument {
        target: one.target.name.into(),
        collection: one.collection.clone(),
        k: args.k,
        queries: sample.len(),
        qdrant: qdrant.document(wanted, None),
        pgvector: pgvector.document(wanted, index),
    })
}

async fn rows(
    table: &Searched,
    vector: &[f32],
    limit: u64,
    exact: bool,
    one: &Sourced<'_>,
) -> Result<impl Iterator<Item = Id> + use<>> {
    let found = table.nearest(vector, limit, exact).await.map_err(|error| one.failed(error))?;
    Ok(found.into_iter().map(|hit| hit.id))
}

fn others(found: impl IntoIterator<Item = Id>, own: Id, count: u64) -> Vec<Id> {
    found.into_iter().filter(|id| *id != own).take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
}

impl Side {
    fn add(&mut self, begun: Instant, exact: &[Id], found: &[Id]) {
        self.times.push(begun.elapsed().as_secs_f64() * 1000.0);
        self.found += exact.iter().filter(|id| found.contains(id)).count();
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
    fn document(mut self, wanted: usize, index: Option<String>) -> SideDocument {
        self.times.sort_by(f64::total_cmp);
        let recall = if wanted == 0 { 1.0 } else { self.found as f64 / wanted as f64 };
        let at = |percent| percentile(&self.times, percent);
        SideDocument { recall, p50_ms: at(50), p95_ms: at(95), p99_ms: at(99), index }
    }
}

/// The smallest of the sorted values that so many percent of them do not exceed.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!([50, 95, 99, 100].map(|percent| percentile(&sorted, percent)), [100.0, 190.0, 198.0, 200.0]);
        assert_eq!((percentile(&[7.0], 50), percentile(&[], 99)), (7.0, 0.0));
    }
}
