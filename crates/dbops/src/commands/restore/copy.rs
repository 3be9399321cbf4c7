//! A backup in a throwaway server, to be tried out.

use std::path::Path;

use dbops_backup::{
    Archive, Comparison, Destination, Event, Existing, Repository, RestoreOptions, Restored, Set, create_roles,
    plan_restore, restore,
};
use dbops_postgres::DatabaseUrl;

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
    comparison: Comparison,
) -> Result<Restored> {
    let mut reporter = Reporter::new(&context.ui);
    let outcome: Result<Restored> = async {
        let mut event = |event: Event<'_>| reporter.event(event);
        let archive = Archive::in_set(repository, set, target, &mut event).await?;
        let destination = Destination::find(url, Existing::Refuse).await?;
        if let Some(expected) = &archive.expected {
            let roles = expected.facts.roles.iter().map(|role| role.name.as_str());
            create_roles(&url.with_database("postgres"), roles, None).await?;
        }
        let programs = programs(context);
        let options = RestoreOptions { create_roles: true, comparison, ..RestoreOptions::default() };
        let plan = plan_restore(archive, destination, options, &programs).await?;
        Ok(restore(&plan, &programs, &mut event).await?)
    }
    .await;
    reporter.finish();
    let restored = outcome?;
    for setting in &restored.refused_settings {
        context.ui.warn(format!("{target}: not set: {setting}"));
    }
    Ok(restored)
}
