//! A backup in a throwaway server, to be tried out.

use std::path::Path;

use dbops_backup::{Archive, Destination, Event, RoleUse, SetId, plan_restore, restore};
use dbops_postgres::{DatabaseUrl, SqlError, connect, quote_identifier};

use super::find_set;
use crate::commands::Context;
use crate::commands::backup::{Reporter, programs};
use crate::config::Config;
use crate::failure::Result;

/// A backup to be tried on a server of dbops' own.
pub(crate) struct Source<'a> {
    /// A set's id, the beginning of it, or `latest`.
    pub(crate) id: &'a str,
    /// The file with the key, before that of the configuration.
    pub(crate) identity: Option<&'a Path>,
}

/// Restores a target into a new database of a throwaway server, which gets the roles that were granted something; the
/// id of the set.
pub(crate) async fn restore_copy(
    context: &Context,
    config: &Config,
    target: &str,
    source: &Source<'_>,
    url: &DatabaseUrl,
) -> Result<SetId> {
    let repository = crate::commands::repository::open(context, config, source.identity).await?;
    let set = find_set(context, &repository, source.id, &[target.to_owned()]).await?;
    let mut reporter = Reporter::new(&context.ui);
    let outcome: Result<()> = async {
        let mut event = |event: Event<'_>| reporter.event(event);
        let archive = Archive::in_set(&repository, &set, target, &mut event).await?;
        let destination = Destination::find(url).await?;
        if let Some(expected) = &archive.expected {
            create_roles(&url.with_database("postgres"), &expected.facts.roles).await?;
        }
        let programs = programs(context);
        let plan = plan_restore(archive, destination, &programs).await?;
        restore(&plan, &programs, &mut event).await?;
        Ok(())
    }
    .await;
    reporter.finish();
    outcome?;
    Ok(set.id)
}

/// Creates those roles that a throwaway server does not have; nobody can log in as one of them.
async fn create_roles(server: &DatabaseUrl, roles: &[RoleUse]) -> Result<()> {
    let client = connect(server).await?;
    for role in roles {
        let there = client.query_opt("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", &[&role.name]).await;
        if there.map_err(SqlError::from)?.is_none() {
            let statement = format!("CREATE ROLE {}", quote_identifier(&role.name));
            client.batch_execute(&statement).await.map_err(SqlError::from)?;
        }
    }
    Ok(())
}
