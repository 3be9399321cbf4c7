//! What changes a database: upgrade, downgrade, stamp.

use std::time::Duration;

use clap::Args;
use dbops_migrate::{Direction, Graph, Rows, RunOptions, Step, plan};
use dbops_qdrant::Extent;
use serde::Serialize;

use super::progress::{carry_out, open, open_session, record_schema};
use super::{dry_run, load, offline};
use crate::commands::qdrant::{self, AppliedTarget};
use crate::commands::{Context, Outcome};
use crate::config::{Config, PostgresTarget, TargetKind};
use crate::failure::{Failure, Result};

/// How long a stamp that nobody gave options waits for another migration.
const STAMP_WAIT: Duration = Duration::from_secs(60);

/// How a run goes about it.
#[derive(Args)]
pub(super) struct RunFlags {
    /// How long to wait for another migration of the same database to end
    #[arg(long, value_name = "SECONDS", default_value = "60", global = true)]
    lock_wait: u32,
    /// How long a statement that takes a strong lock waits for it, where the header does not say; 0 for ever
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time, global = true)]
    lock_timeout: String,
    /// How often to try again what could not have its lock
    #[arg(long, value_name = "N", default_value = "5", global = true)]
    lock_retries: u32,
    /// How long a statement may take, where the header does not say [default: the server's setting]
    #[arg(long, value_name = "TIME", value_parser = time, global = true)]
    statement_timeout: Option<String>,
}

impl RunFlags {
    pub(super) fn lock_wait(&self) -> Duration {
        Duration::from_secs(self.lock_wait.into())
    }

    pub(super) fn options(&self, single_transaction: bool) -> RunOptions {
        RunOptions {
            lock_timeout: self.lock_timeout.clone(),
            statement_timeout: self.statement_timeout.clone(),
            retries: self.lock_retries,
            single_transaction,
        }
    }
}

fn time(text: &str) -> std::result::Result<String, String> {
    let is_time = dbops_migrate::is_duration(text);
    if is_time { Ok(text.to_owned()) } else { Err("write a number with ms, s, min or h; 0 for no limit".into()) }
}

/// Where to go, and how.
#[derive(Args)]
pub(super) struct MoveArgs {
    /// Where to
    #[arg(value_name = "REV", allow_negative_numbers = true)]
    pub(super) revision: String,
    /// All revisions in one transaction: either all are applied or none
    #[arg(long)]
    pub(super) single_transaction: bool,
    /// Run everything in a transaction that is rolled back, and show what each statement locks
    #[arg(long, conflicts_with = "single_transaction")]
    dry_run: bool,
    /// Connect to nothing, and print a script for psql; REV may then be a range START:END
    #[arg(long, conflicts_with = "dry_run")]
    sql: bool,
}

#[derive(Serialize)]
struct RunDocument {
    targets: Vec<RunTarget>,
}

/// What `dbops migrate` by itself did: the same, and what was applied to the Qdrant collections.
#[derive(Serialize)]
struct MigrateDocument {
    targets: Vec<RunTarget>,
    collections: Vec<AppliedTarget>,
}

#[derive(Serialize)]
pub(super) struct RunTarget {
    pub(super) name: String,
    pub(super) steps: Vec<RunStep>,
    pub(super) current: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct RunStep {
    pub(super) revision: String,
    pub(super) direction: &'static str,
    pub(super) duration_ms: u64,
}

/// A target and what its files say, read before any database is touched.
pub(super) struct Prepared<'a> {
    pub(super) name: &'a str,
    pub(super) target: &'a PostgresTarget,
    pub(super) graph: Graph,
}

pub(super) fn prepare<'a>(config: &'a Config, targets: &[String]) -> Result<Vec<Prepared<'a>>> {
    let chosen = config.select_postgres(targets)?;
    chosen.into_iter().map(|(name, target)| Ok(Prepared { name, target, graph: load(name, target)? })).collect()
}

/// An id or a number of steps means one database's revisions: with several, the target has to be named.
pub(super) fn want_one_target(prepared: &[Prepared<'_>], request: &str) -> Result<()> {
    if prepared.len() > 1 && !matches!(request, "head" | "heads") {
        let names: Vec<_> = prepared.iter().map(|one| one.name).collect();
        return Err(Failure::usage(format!("`{request}` of which target? There are {}", names.join(", ")))
            .with_hint(format!("add `-t {}`", names[0])));
    }
    Ok(())
}

/// PostgreSQL to its heads, then Qdrant to what is declared. Mistakes in files, servers that are down, and what Qdrant
/// refuses are found before the first change.
pub(super) async fn migrate_all(
    context: &Context,
    config: &Config,
    targets: &[String],
    flags: &RunFlags,
) -> Result<Outcome> {
    let chosen = config.select(targets)?;
    let of_kind = |is_qdrant: bool| -> Vec<String> {
        let matching = chosen.iter().filter(|target| matches!(target.kind, TargetKind::Qdrant(_)) == is_qdrant);
        matching.map(|target| target.name.clone()).collect()
    };
    let (postgres, collections) = (of_kind(false), of_kind(true));
    let prepared = if postgres.is_empty() { Vec::new() } else { prepare(config, &postgres)? };
    // With no target named, one that declares no collections is passed over.
    let names = if targets.is_empty() { targets } else { &collections };
    let planned = if collections.is_empty() {
        Vec::new()
    } else {
        qdrant::plan_all(context, config, names, Extent::Whole).await?
    };

    let done = upgrade_prepared(context, &prepared, "heads", flags, &flags.options(false)).await?;
    let applied = qdrant::apply_planned(context, &planned, Extent::Whole, true).await;
    let applied = applied.map_err(|failure| after(failure, &done))?;
    context.ui.document(&MigrateDocument { targets: done, collections: applied })?;
    Ok(Outcome::Done)
}

fn prepare_move<'a>(config: &'a Config, targets: &[String], args: &MoveArgs) -> Result<Vec<Prepared<'a>>> {
    if args.revision.contains(':') && !args.sql {
        return Err(Failure::usage(format!("`{}` is a range", args.revision))
            .with_hint("add --sql for a script, or name only where to go: where the database is, it knows itself"));
    }
    let prepared = prepare(config, targets)?;
    want_one_target(&prepared, &args.revision)?;
    Ok(prepared)
}

pub(super) async fn upgrade(
    context: &Context,
    config: &Config,
    targets: &[String],
    args: &MoveArgs,
    flags: &RunFlags,
) -> Result<Outcome> {
    let prepared = prepare_move(config, targets, args)?;
    if args.sql {
        return offline::print(context, &prepared, args, Direction::Up, flags);
    }
    if args.dry_run {
        return dry_run::dry_run(context, &prepared, flags, |graph, rows| plan::upgrade(graph, rows, &args.revision))
            .await;
    }
    let options = flags.options(args.single_transaction);
    let targets = upgrade_prepared(context, &prepared, &args.revision, flags, &options).await?;
    report(context, targets)
}

async fn upgrade_prepared(
    context: &Context,
    prepared: &[Prepared<'_>],
    request: &str,
    flags: &RunFlags,
    options: &RunOptions,
) -> Result<Vec<RunTarget>> {
    let mut done = Vec::new();
    for one in prepared {
        let run = async {
            let (session, rows) = open(context, one, flags).await?;
            let steps = plan::upgrade(&one.graph, &rows, request)?;
            carry_out(context, one, session, &steps, options).await
        };
        done.push(run.await.map_err(|failure| after(failure, &done))?);
    }
    Ok(done)
}

/// Says what was done, and stays, before something failed.
fn after(failure: Failure, done: &[RunTarget]) -> Failure {
    let changed = done.iter().filter(|target| !target.steps.is_empty());
    let names: Vec<_> = changed.map(|target| format!("{} ({})", target.name, target.steps.len())).collect();
    if names.is_empty() { failure } else { failure.context(format!("after these were migrated: {}", names.join(", "))) }
}

pub(super) async fn downgrade(
    context: &Context,
    config: &Config,
    targets: &[String],
    args: &MoveArgs,
    flags: &RunFlags,
) -> Result<Outcome> {
    let prepared = prepare_move(config, targets, args)?;
    if args.sql {
        return offline::print(context, &prepared, args, Direction::Down, flags);
    }
    if args.dry_run {
        return dry_run::dry_run(context, &prepared, flags, |graph, rows| plan::downgrade(graph, rows, &args.revision))
            .await;
    }
    let options = flags.options(args.single_transaction);
    let mut done = Vec::new();
    for one in &prepared {
        let run = async {
            let (session, rows) = open(context, one, flags).await?;
            let steps = plan::downgrade(&one.graph, &rows, &args.revision)?;
            confirm(context, one, &steps).await?;
            carry_out(context, one, session, &steps, &options).await
        };
        done.push(run.await.map_err(|failure| after(failure, &done))?);
    }
    report(context, done)
}

async fn confirm(context: &Context, one: &Prepared<'_>, steps: &[Step]) -> Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    for step in steps {
        context.ui.status(format!("{}: will undo {}", one.name, described(&one.graph, step)));
    }
    let question = format!("undo {} of {}, with the data they hold?", count(steps.len()), one.name);
    context.ui.confirm(&question).await
}

/// What `stamp` is asked for.
pub(super) struct Stamp {
    pub(super) revisions: Vec<String>,
    pub(super) purge: bool,
}

pub(super) async fn stamp(
    context: &Context,
    config: &Config,
    targets: &[String],
    request: &Stamp,
    flags: &RunFlags,
) -> Result<Outcome> {
    let prepared = prepare(config, targets)?;
    for revision in &request.revisions {
        want_one_target(&prepared, revision)?;
    }
    let mut done = Vec::new();
    for one in &prepared {
        done.push(stamp_one(context, one, request, flags.lock_wait()).await?);
    }
    report(context, done)
}

async fn stamp_one(context: &Context, one: &Prepared<'_>, request: &Stamp, lock_wait: Duration) -> Result<RunTarget> {
    let session = open_session(context, one, lock_wait).await?;
    let ids = session.rows().await?;
    let edits = if request.purge {
        plan::stamp_purged(&one.graph, &ids, &request.revisions)?
    } else {
        plan::stamp(&one.graph, &Rows::new(&one.graph, &ids)?, &request.revisions)?
    };
    session.stamp(&one.graph, &edits).await?;
    // Where the database is, is what the caller says, and so is what it is like.
    record_schema(&context.ui, one, &session, &[]).await;
    let current = session.rows().await?;
    for id in not_recorded(&one.graph, &current, &request.revisions)? {
        context.ui.warn(format!(
            "{}: {id} is not recorded: as in Alembic, the rows went to the one revision that moved; stamp {id} by \
             itself",
            one.name
        ));
    }
    let shown = if current.is_empty() { "base".into() } else { current.join(", ") };
    context.ui.status(format!("{}: stamped, now at {shown}; no revision was run", one.name));
    Ok(RunTarget { name: one.name.to_owned(), steps: Vec::new(), current })
}

/// Records that a database is at its heads; gives them.
pub(in crate::commands) async fn stamp_heads(context: &Context, config: &Config, target: &str) -> Result<Vec<String>> {
    let request = Stamp { revisions: vec!["heads".into()], purge: false };
    let mut current = Vec::new();
    for one in &prepare(config, &[target.to_owned()])? {
        current.extend(stamp_one(context, one, &request, STAMP_WAIT).await?.current);
    }
    Ok(current)
}

/// The revisions that were named and that the rows do not imply.
fn not_recorded(graph: &Graph, ids: &[String], named: &[String]) -> Result<Vec<String>> {
    let (rows, _) = Rows::known(graph, ids);
    let mut missing = Vec::new();
    for text in named {
        let found = graph.find(None, text)?.into_iter().map(|revision| revision.id.clone());
        missing.extend(found.filter(|id| !rows.is_applied(graph, id)));
    }
    Ok(missing)
}

/// Prints what was done to these targets.
pub(super) fn report(context: &Context, targets: Vec<RunTarget>) -> Result<Outcome> {
    context.ui.document(&RunDocument { targets })?;
    Ok(Outcome::Done)
}

fn described(graph: &Graph, step: &Step) -> String {
    let message = graph.get(&step.revision).map(|revision| revision.message.as_str()).unwrap_or_default();
    format!("{} {message}", step.revision)
}

fn count(revisions: usize) -> String {
    if revisions == 1 { "this revision".into() } else { format!("these {revisions} revisions") }
}
