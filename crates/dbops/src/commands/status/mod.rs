//! `dbops status`: what an operator looks at first, on one screen.

mod backups;
mod database;
mod gather;
mod search;
mod show;

pub(crate) use database::DatabaseStatus;
pub(crate) use gather::{Extent, Status, TargetStatus, targets, together};
pub(crate) use show::{age, headline, lines};

use std::time::Duration;

use clap::Args;

use super::{Context, Outcome};
use crate::failure::Result;

/// Show every target on one screen: version, revision, pending, drift, size, last backup, health
///
/// Exit code 0 when nothing needs a look, else 3. Backups that are missing are shown, and no reason for exit code 3.
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops status\n  dbops status bot_db --drift\n  dbops status --json")]
pub(crate) struct StatusArgs {
    /// The targets to show; all when none is named
    #[arg(value_name = "TARGET")]
    named: Vec<String>,
    /// Only this target; may be repeated
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Compare the schemas too, as `dbops schema drift` does: it takes a server of its own and some seconds
    #[arg(long)]
    drift: bool,
    /// How long a target, or the repository, may take to answer
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
}

pub(crate) async fn run(context: &Context, args: StatusArgs) -> Result<Outcome> {
    let config = context.config()?;
    let names = [args.named, args.targets].concat();
    let spinner = context.ui.spinner("asking");
    let extent = gather::Extent { deadline: Duration::from_secs(args.timeout.into()), schemas: args.drift };
    let status = gather::gather(context, &config, &names, extent).await;
    spinner.finish_and_clear();
    let status = status?;
    context.ui.document(&status)?;
    show::show(&context.ui, &status)?;
    Ok(if status.ok { Outcome::Done } else { Outcome::Found })
}
