//! `migrate rehearse`: the pending revisions on a restored backup, and what they would do to production.

mod rehearsal;
mod show;

use std::path::PathBuf;

use clap::Args;
use dbops_backup::{Comparison, SetId, create_roles};
use dbops_migrate::{Event, read_rows};
use dbops_postgres::{DatabaseUrl, SqlError, connect};
use dbops_schema_graph::Graph as Schema;

use super::run::{Prepared, RunFlags, prepare};
use crate::commands::restore::{find_backup, restore_copy};
use crate::commands::scratch::Scratch;
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::declared;
use crate::failure::Result;
use rehearsal::{Rehearsal, Stage};

#[derive(Args)]
pub(super) struct RehearseArgs {
    /// The backup to start from: a set's id, the beginning of it, or `latest`
    #[arg(long, value_name = "ID", default_value = "latest")]
    from: String,
    /// The file with the key of an encrypted backup
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
}

/// A rehearsal with where it began.
struct Report<'a> {
    target: &'a Prepared<'a>,
    set: SetId,
    /// The rows of the live version table; nothing when it cannot be reached.
    live: Option<Vec<String>>,
    /// The server that it ran on.
    server: String,
    /// The size of the restored database in bytes.
    bytes: u64,
    rehearsal: Rehearsal,
}

pub(super) async fn rehearse(
    context: &Context,
    config: &Config,
    targets: &[String],
    args: &RehearseArgs,
    flags: &RunFlags,
) -> Result<Outcome> {
    let prepared = prepare(config, targets)?;
    let mut reports = Vec::new();
    for one in &prepared {
        let report = rehearse_one(context, config, one, args, flags).await;
        reports.push(report.map_err(|failure| failure.context(one.name))?);
    }
    show::show(&context.ui, &reports)?;
    let is_fine = reports.iter().all(|report| report.rehearsal.findings.is_empty());
    Ok(if is_fine { Outcome::Done } else { Outcome::Found })
}

async fn rehearse_one<'a>(
    context: &Context,
    config: &Config,
    one: &'a Prepared<'a>,
    args: &RehearseArgs,
    flags: &RunFlags,
) -> Result<Report<'a>> {
    let files = match &one.target.schema {
        Some(schema) => Some(declared::read(schema, &context.environment).await?),
        None => None,
    };
    let scratch = Scratch::new(context, None);
    let url = scratch.server().await?.with_database("rehearsal");
    let (repository, set) = find_backup(context, config, one.name, &args.from, args.identity.as_deref()).await?;
    restore_copy(context, (&repository, &set), one.name, &url, Comparison::Revision).await?;
    let declared: Option<Schema> = match &files {
        Some(files) => Some(scratch.load(files).await?),
        None => None,
    };
    let live = match live(&one.target.url).await {
        Ok((rows, roles)) => {
            create_roles(&url, roles.iter().map(String::as_str), None).await?;
            Some(rows)
        }
        Err(failure) => {
            context.ui.warn(format!("{}: the live database cannot be asked: {:#}", one.name, failure.error));
            None
        }
    };
    let bytes = database_bytes(&url).await?;
    let options = flags.options(false);
    let may_invent_roles = live.is_none();
    let stage =
        Stage { url: &url, graph: &one.graph, options: &options, declared: declared.as_ref(), may_invent_roles };
    let spinner = context.ui.spinner(format!("{}: rehearsing", one.name));
    let rehearsal = stage
        .rehearse(&mut |event| {
            if let Event::Started { revision, direction } = event {
                spinner.set_message(format!("{}: {} {revision}", one.name, direction.as_str()));
            }
        })
        .await;
    spinner.finish_and_clear();
    let server = scratch.version().await?.to_string();
    Ok(Report { target: one, set: set.id, live, server, bytes, rehearsal: rehearsal? })
}

/// The rows of the version table of the live database, and the roles of its server that are not PostgreSQL's own.
async fn live(url: &DatabaseUrl) -> Result<(Vec<String>, Vec<String>)> {
    let rows = read_rows(url).await?.unwrap_or_default();
    let sql = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1";
    let roles = connect(url).await?.query(sql, &[]).await.map_err(SqlError::from)?;
    Ok((rows, roles.iter().map(|row| row.get(0)).collect()))
}

async fn database_bytes(url: &DatabaseUrl) -> Result<u64> {
    let client = connect(url).await?;
    let sql = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";
    let row = client.query_one(sql, &[]).await.map_err(SqlError::from)?;
    Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
}
