//! A backup in a throwaway server, to be tried out.

use std::path::Path;

use dbops_backup::{Archive, Destination, Event, Repository, Set, plan_restore, restore};
use dbops_postgres::{DatabaseUrl, SqlError, connect, quote_identifier};

use super::find_set;
use crate::commands::Context;
use crate::commands::backup::{Reporter, programs};
use crate::config::Config;
use crate::failure::Result;

/// The newest whole set with this target, or the one that is named.
pub(crate) async fn find_backup(
    context: &Context,
    config: &Config,
    target: &str,
    id: &str,
    identity: Option<&Path>,
) -> Result<(Repository, Set)> {
    let repository = crate::commands::repository::open(context, config, identity).await?;
    let set = find_set(context, &repository, id, &[target.to_owned()]).await?;
    Ok((repository, set))
}

/// Restores a target into a new database of a throwaway server, which gets the roles that the backup needs.
pub(crate) async fn restore_copy(
    context: &Context,
    (repository, set): (&Repository, &Set),
    target: &str,
    url: &DatabaseUrl,
) -> Result<()> {
    let mut reporter = Reporter::new(&context.ui);
    let outcome: Result<()> = async {
        let mut event = |event: Event<'_>| reporter.event(event);
        let archive = Archive::in_set(repository, set, target, &mut event).await?;
        let destination = Destination::find(url).await?;
        if let Some(expected) = &archive.expected {
            let roles = expected.facts.roles.iter().map(|role| role.name.as_str());
            create_roles(&url.with_database("postgres"), roles).await?;
        }
        let programs = programs(context);
        let plan = plan_restore(archive, destination, &programs).await?;
        restore(&plan, &programs, &mut event).await?;
        Ok(())
    }
    .await;
    reporter.finish();
    outcome
}

/// Creates those roles that a throwaway server does not have; nobody can log in as one of them.
pub(crate) async fn create_roles(server: &DatabaseUrl, roles: impl Iterator<Item = &str>) -> Result<()> {
    let client = connect(server).await?;
    for role in roles {
        let there = client.query_opt("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", &[&role]).await;
        if there.map_err(SqlError::from)?.is_none() {
            let statement = format!("CREATE ROLE {}", quote_identifier(role));
            client.batch_execute(&statement).await.map_err(SqlError::from)?;
        }
    }
    Ok(())
}
