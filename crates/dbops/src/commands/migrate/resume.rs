//! `migrate resume`: completes a revision without a transaction that failed or was broken off. `migrate accept`: takes
//! changed files as they are.

use clap::Args;
use dbops_migrate::{Again, Rows, file_drift, read_log};

use super::progress::{Progress, open, open_session, record_schema, run_target};
use super::run::{RunFlags, prepare, report};
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::{Failure, Result};

#[derive(Args)]
pub(super) struct ResumeArgs {
    /// Run the statement again that was broken off, when the database does not tell whether it took effect
    #[arg(long)]
    rerun: bool,
    /// Go on after that statement
    #[arg(long, conflicts_with = "rerun")]
    skip: bool,
}

pub(super) async fn resume(
    context: &Context,
    config: &Config,
    targets: &[String],
    args: &ResumeArgs,
    flags: &RunFlags,
) -> Result<Outcome> {
    let prepared = prepare(config, targets)?;
    let again = if args.rerun {
        Some(Again::Rerun)
    } else if args.skip {
        Some(Again::Skip)
    } else {
        None
    };
    let mut done = Vec::new();
    for one in &prepared {
        let mut session = open_session(context, one, flags.lock_wait()).await?;
        let mut progress = Progress::new(&context.ui, one);
        let options = flags.options(false);
        let outcome = session.resume(&one.graph, again, &options, &mut |event| progress.show(event)).await;
        progress.end();
        record_schema(&context.ui, one, &session, &[]).await;
        let finished = outcome.map_err(|error| Failure::from(error).context(one.name))?;
        if finished.is_none() {
            context.ui.status(format!("{}: nothing to resume", one.name));
        }
        done.push(run_target(one, &session, finished.into_iter().collect()).await?);
    }
    report(context, done)
}

/// Takes changed files, and those that came in below, as they are.
pub(super) async fn accept(
    context: &Context,
    config: &Config,
    targets: &[String],
    revisions: &[String],
    flags: &RunFlags,
) -> Result<Outcome> {
    let prepared = prepare(config, targets)?;
    let mut done = Vec::new();
    for one in &prepared {
        let (session, rows): (_, Rows) = open(context, one, flags).await?;
        let log = read_log(&one.target.url).await?.unwrap_or_default();
        let drift = file_drift(&one.graph, &rows, &log);
        let mut differing = drift.changed;
        differing.extend(drift.merged_below);
        let is_wanted =
            |id: &String| revisions.is_empty() || revisions.iter().any(|wanted| id.starts_with(wanted.as_str()));
        let accepted: Vec<_> = differing.into_iter().filter(is_wanted).collect();
        if let Some(other) = revisions.iter().find(|wanted| !accepted.iter().any(|id| id.starts_with(wanted.as_str())))
        {
            return Err(Failure::usage(format!("{}: no file that differs belongs to `{other}`", one.name))
                .with_hint("`dbops migrate check` lists them"));
        }
        session.accept(&one.graph, &accepted).await?;
        let what =
            if accepted.is_empty() { "nothing to accept".into() } else { format!("accepted {}", accepted.join(", ")) };
        context.ui.status(format!("{}: {what}", one.name));
        done.push(run_target(one, &session, Vec::new()).await?);
    }
    report(context, done)
}
