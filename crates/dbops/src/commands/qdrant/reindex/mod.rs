//! `qdrant reindex`: collections rebuilt behind their aliases.

mod carry_out;
mod old;

use std::path::PathBuf;
use std::slice::from_ref;

use clap::Args;
use dbops_qdrant::{CollectionSpec, CopyOptions, Live, Rebuild, Stage, rebuild};
use serde::Serialize;

use super::sources::declared;
use super::{Prepared, prepare};
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::{Failure, Result};
use carry_out::carry_out;

#[derive(Args)]
#[command(after_help = "Examples:\n  dbops qdrant reindex\n  dbops qdrant reindex chunks --force --drop-old --yes")]
pub(super) struct ReindexArgs {
    /// Collections, by their names or aliases; all that need it when there are none
    #[arg(value_name = "COLLECTION")]
    collections: Vec<String>,
    /// Rebuild these collections although they are as declared
    #[arg(long, requires = "collections")]
    force: bool,
    /// The most points in a request
    #[arg(long, value_name = "POINTS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// Requests that are under way at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    parallel: u8,
    /// Drop a copy that an earlier run began, and begin anew
    #[arg(long)]
    restart: bool,
    /// Fill the new collection and leave the alias where it is; another run moves it
    #[arg(long)]
    no_swap: bool,
    /// Move the alias although the server still builds the indexes of the new collection
    #[arg(long)]
    no_wait: bool,
    /// Leave behind the data of vectors that are not declared
    #[arg(long)]
    drop_vectors: bool,
    /// Take over a collection whose name the alias is to have: it is copied, deleted, and the alias takes its name
    #[arg(long)]
    cut_over: bool,
    /// Drop what collections were rebuilt from, in this run or before
    #[arg(long)]
    drop_old: bool,
}

impl ReindexArgs {
    /// As `apply --rebuild` goes about it.
    fn plain() -> Self {
        Self {
            collections: Vec::new(),
            force: false,
            batch: 512,
            parallel: 4,
            restart: false,
            no_swap: false,
            no_wait: false,
            drop_vectors: false,
            cut_over: false,
            drop_old: false,
        }
    }

    fn copy_options(&self) -> CopyOptions {
        CopyOptions { batch: self.batch, parallel: self.parallel.into() }
    }
}

/// `{"collections": [{"target", "collection", "from", "to", "points", "copied", "followed", "passes", "duration_ms",
/// "swapped", "dropped": []}]}`: `from` and `to` are collections, `copied` points were written at first, `followed` were
/// written or deleted since because they changed; `to` is null where only old collections were dropped.
#[derive(Serialize)]
struct ReindexDocument {
    collections: Vec<RebuiltDocument>,
}

#[derive(Serialize, Default)]
pub(super) struct RebuiltDocument {
    target: String,
    collection: String,
    from: String,
    to: Option<String>,
    points: u64,
    copied: u64,
    followed: u64,
    passes: u32,
    duration_ms: u128,
    swapped: bool,
    dropped: Vec<String>,
}

/// A declared collection on its way.
struct One<'a> {
    context: &'a Context,
    config: &'a Config,
    args: &'a ReindexArgs,
    target: &'a Prepared<'a>,
    spec: &'a CollectionSpec,
    /// Where locks and records are.
    folder: PathBuf,
}

impl One<'_> {
    fn job(&self, live: &Live) -> Result<Option<Rebuild>> {
        Ok(rebuild(self.spec, &self.target.declared, live, self.args.force)?)
    }

    fn failed(&self, failure: Failure) -> Failure {
        failure.context(format!("{}: {}", self.target.name, self.spec.name))
    }

    /// Refuses what would lose something, unless it was said that it may. Nothing is asked twice.
    async fn check(&self, job: &Rebuild, live: &Live, asks: bool) -> Result<()> {
        if job.stage != Stage::Fill {
            return Ok(());
        }
        let args = self.args;
        if job.is_cut_over && !args.cut_over {
            let reason = format!("it has the name that {} is to have as an alias", job.declared);
            let advice = "stop what writes to it and run `dbops qdrant reindex --cut-over` (docs/qdrant.md)";
            return Err(job.refused(&reason, advice).into());
        }
        if !job.dropped_vectors.is_empty() && !args.drop_vectors {
            let reason =
                format!("the data of its vectors would be lost that are not declared: {}", shown(&job.dropped_vectors));
            let advice = "declare them, or leave them behind with `dbops qdrant reindex --drop-vectors`";
            return Err(job.refused(&reason, advice).into());
        }
        if self.spec.source.is_none() {
            let lengths = job.check_copy(live)?.vectors;
            if asks && !lengths.is_empty() {
                let question = format!(
                    "copy {} of {} with the length 1? They were compared by cosine, and the server kept no lengths",
                    shown(&lengths),
                    job.from
                );
                self.context.ui.confirm(&question).await?;
            }
        }
        if asks && job.is_cut_over {
            let question = format!("delete the collection {} once {} holds its points?", job.from, job.declared);
            self.context.ui.confirm(&question).await?;
        }
        Ok(())
    }
}

fn shown(vectors: &[String]) -> String {
    let name = |name: &String| if name.is_empty() { "the one without a name".to_owned() } else { name.clone() };
    vectors.iter().map(name).collect::<Vec<_>>().join(", ")
}

pub(super) async fn reindex(
    context: &Context,
    config: &Config,
    names: &[String],
    args: &ReindexArgs,
) -> Result<Outcome> {
    let collections = run(context, config, names, args, true).await?;
    if collections.is_empty() {
        context.ui.status("nothing to do");
    }
    context.ui.document(&ReindexDocument { collections })?;
    Ok(Outcome::Done)
}

/// All that need it, as a part of `apply`, which has asked.
pub(super) async fn all(context: &Context, config: &Config, names: &[String]) -> Result<Vec<RebuiltDocument>> {
    run(context, config, names, &ReindexArgs::plain(), false).await
}

/// Whether all that need it can be rebuilt, before anything is changed.
pub(super) async fn check_all(context: &Context, config: &Config, names: &[String]) -> Result<()> {
    let args = ReindexArgs::plain();
    let prepared = prepare(context, config, names)?;
    check(&chosen(context, config, &prepared, &args)?, true).await
}

async fn run(
    context: &Context,
    config: &Config,
    names: &[String],
    args: &ReindexArgs,
    asks: bool,
) -> Result<Vec<RebuiltDocument>> {
    let prepared = prepare(context, config, names)?;
    let chosen = chosen(context, config, &prepared, args)?;
    check(&chosen, asks).await?;
    let mut done = Vec::new();
    for one in &chosen {
        done.extend(carry_out(one).await.map_err(|failure| one.failed(failure))?);
    }
    Ok(done)
}

fn chosen<'a>(
    context: &'a Context,
    config: &'a Config,
    prepared: &'a [Prepared<'a>],
    args: &'a ReindexArgs,
) -> Result<Vec<One<'a>>> {
    let folder = context.environment.places().cache.join("rebuilds");
    let one = |(target, spec)| One { context, config, args, target, spec, folder: folder.clone() };
    if args.collections.is_empty() {
        let all = prepared.iter().flat_map(|target| target.declared.iter().map(move |spec| (target, spec)));
        return Ok(all.map(one).collect());
    }
    args.collections.iter().map(|name| declared(prepared, name).map(one)).collect()
}

async fn check(chosen: &[One<'_>], asks: bool) -> Result<()> {
    for one in chosen {
        let live = one.target.server.live(from_ref(one.spec)).await?;
        let job = one.job(&live).map_err(|failure| one.failed(failure))?;
        if let Some(job) = job {
            one.check(&job, &live, asks).await.map_err(|failure| one.failed(failure))?;
        }
    }
    Ok(())
}
