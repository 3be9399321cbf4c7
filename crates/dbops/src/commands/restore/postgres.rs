//! `dbops restore ID|FILE POSTGRES_TARGET`: databases.

use std::path::Path;

use clap::Args;
use dbops_backup::{
    Archive, Comparison, Destination, Existing, Owners, Programs, RestoreOptions, RestorePlan, Restored, State,
    TableName, plan_restore, restore as restore_archive,
};
use dbops_postgres::{DatabaseUrl, quote_identifier};
use serde::Serialize;

use super::super::Context;
use super::super::backup::{Reporter, revision, seconds};
use super::{From, RestoreArgs};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, Ui, paint, printable};

/// More sessions than this only wait for each other.
const MOST_JOBS: usize = 8;

/// What is said about databases only.
#[derive(Args)]
pub(super) struct DatabaseArgs {
    /// Of a database: restore only this table, with its rows, indexes and constraints; may be repeated
    #[arg(long = "table", value_name = "[SCHEMA.]NAME")]
    tables: Vec<String>,
    /// Of a database: how many sessions load rows and build indexes at a time [default: as many as there are cores, at
    /// most 8]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    /// Of a database: let everything belong to you, not to those who owned it
    #[arg(long)]
    no_owner: bool,
    /// Of a database: let everything belong to this role
    #[arg(long, value_name = "NAME", conflicts_with = "no_owner")]
    role: Option<String>,
    /// Of a database: leave out what was granted to whom, so that the roles need not be there
    #[arg(long)]
    no_privileges: bool,
    /// Of a database: create the roles that the server does not have, as they were
    #[arg(long)]
    create_roles: bool,
    /// Of a database: end the sessions that are in the way of --swap, --overwrite or --undo-swap
    #[arg(long)]
    pub(super) disconnect: bool,
}

impl DatabaseArgs {
    /// Whether anything is said that makes sense for a database only.
    pub(super) fn is_default(&self) -> bool {
        let Self { tables, jobs, no_owner, role, no_privileges, create_roles, disconnect: _ } = self;
        let is_said = jobs.is_some() || *no_owner || role.is_some() || *no_privileges || *create_roles;
        tables.is_empty() && !is_said
    }

    fn options(&self, existing: Existing) -> Result<RestoreOptions> {
        if !self.tables.is_empty() && existing != Existing::Refuse {
            let failure = Failure::usage("a few tables cannot take the place of a whole database");
            return Err(failure.with_hint("restore them beside it: --into NAME --table …"));
        }
        let tables = self.tables.iter().map(|text| {
            let not_a_name = || Failure::usage(format!("--table takes [SCHEMA.]NAME, and not `{text}`"));
            TableName::parse(text).ok_or_else(not_a_name)
        });
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_JOBS));
        Ok(RestoreOptions {
            existing,
            jobs: self.jobs.unwrap_or(u32::try_from(cores).unwrap_or(1)),
            owners: match (&self.role, self.no_owner) {
                (Some(role), _) => Owners::Everything(role.clone()),
                (None, true) => Owners::Drop,
                (None, false) => Owners::Keep,
            },
            with_privileges: !self.no_privileges,
            create_roles: self.create_roles,
            tables: tables.collect::<Result<_>>()?,
            disconnect: self.disconnect,
            comparison: Comparison::Rows,
        })
    }
}

#[derive(Serialize)]
pub(super) struct RestoredDatabase {
    name: String,
    database: String,
    created: bool,
    /// What the database is called now whose place this one took.
    kept: Option<String>,
    /// The roles that were created for it.
    roles: Vec<String>,
    tables: u64,
    revision: Vec<String>,
    duration_ms: u128,
    /// How the rows differ from those that were dumped; `null` where that is not known.
    differences: Option<Vec<String>>,
}

impl RestoredDatabase {
    pub(super) fn is_same(&self) -> bool {
        self.differences.as_ref().is_none_or(Vec::is_empty)
    }

    /// What is there now and was not before.
    pub(super) fn database(&self) -> &str {
        &self.database
    }
}

/// Plans the restore of these targets: refuses all that can be refused before the first database is touched, cheap
/// reasons first, then every byte.
pub(super) async fn plan(
    ui: &Ui,
    config: &Config,
    from: &From,
    names: &[String],
    args: &RestoreArgs,
    programs: &Programs,
) -> Result<Vec<(String, RestorePlan)>> {
    let mut plans = Vec::new();
    if names.is_empty() {
        return Ok(plans);
    }
    let options = args.database.options(args.existing())?;
    let mut destinations = Vec::new();
    for (name, postgres) in config.select_postgres(names)? {
        let url = args.into.as_ref().map_or(postgres.url.clone(), |into| postgres.url.with_database(into));
        let mut destination = Destination::find(&url, options.existing).await?;
        destination.container.clone_from(&postgres.container);
        tell_left_over(ui, &destination, &url);
        destinations.push((name.to_owned(), destination));
    }
    for (target, destination) in destinations {
        let archive = match from {
            From::File(path) => open(path)?,
            From::Set(found) => {
                let (repository, set) = found.as_ref();
                let mut reporter = Reporter::new(ui);
                Archive::in_set(repository, set, &target, &mut |event| reporter.event(event)).await?
            }
        };
        plans.push((target, plan_restore(archive, destination, options.clone(), programs).await?));
    }
    Ok(plans)
}

fn tell_left_over(ui: &Ui, destination: &Destination, url: &DatabaseUrl) {
    for name in &destination.left_over {
        let statement = format!("DROP DATABASE {}", quote_identifier(name));
        ui.warn(format!("a killed restore left the database {} at {}: {statement}", printable(name), url.server()));
    }
}

fn open(path: &Path) -> Result<Archive> {
    if !path.exists() {
        return Err(Failure::usage(format!("there is no file {}", path.display())));
    }
    Ok(Archive::open(path)?)
}

/// Restores one database.
pub(super) async fn restore(
    context: &Context,
    target: String,
    plan: RestorePlan,
    programs: &Programs,
) -> Result<RestoredDatabase> {
    let ui = &context.ui;
    for what in &plan.left_out {
        ui.warn(format!("{target}: left out, for it needs a table that is not restored: {what}"));
    }
    let mut reporter = Reporter::new(ui);
    let restored = restore_archive(&plan, programs, &mut |event| reporter.event(event)).await;
    reporter.finish();
    let restored = restored.map_err(|error| with_roles(error.into(), &plan.missing_roles))?;
    show(context, &plan, &restored)?;
    let Restored { database, state, kept, tables, revision, differences, duration, .. } = restored;
    Ok(RestoredDatabase {
        name: target,
        database,
        created: state == State::Missing,
        kept,
        roles: plan.missing_roles,
        tables,
        revision,
        duration_ms: duration.as_millis(),
        differences,
    })
}

/// Roles are the whole server's, and stay when the database does not come.
fn with_roles(failure: Failure, roles: &[String]) -> Failure {
    if roles.is_empty() {
        return failure;
    }
    failure.context(format!("roles that may have been created for it, and stay: {}", roles.join(", ")))
}

fn show(context: &Context, plan: &RestorePlan, restored: &Restored) -> Result<()> {
    let ui = &context.ui;
    let name = printable(&restored.database);
    let how = match (restored.state, &restored.kept) {
        (State::Missing, _) => "a new database".to_owned(),
        (State::Empty, _) => "was empty".to_owned(),
        (State::Live, Some(kept)) => format!("in place of the one that is {} now", printable(kept)),
        (State::Live, None) => "in place of the one that was there".to_owned(),
    };
    if !plan.missing_roles.is_empty() {
        ui.data(format!("created the roles {}", plan.missing_roles.join(", ")))?;
    }
    ui.data(format!(
        "{} ({how}): {} tables at revision {} in {}, from {}",
        paint(STRONG, &name),
        restored.tables,
        revision(&restored.revision),
        seconds(restored.duration),
        context.environment.shown(plan.archive.origin.as_ref())
    ))?;
    for setting in &restored.refused_settings {
        ui.warn(format!("{name}: not set: {setting}"));
    }
    match &restored.differences {
        None => ui.detail(format!("{name}: the backup has no fingerprints of its rows to compare them with")),
        Some(found) if found.is_empty() => ui.detail(format!("{name}: its rows are those that were dumped")),
        Some(found) => found.iter().for_each(|line| ui.warn(format!("{name}: {line}"))),
    }
    Ok(())
}
