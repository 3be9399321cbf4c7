//! After a restore of either side: whether collections still hold what the rows of their tables do.

use super::prepare;
use super::sources::{Sourced, choose};
use super::verify::verify_one;
use crate::commands::Context;
use crate::config::Config;

/// Compares the collections of these targets, and those whose tables they have, and warns of what differs. The restore is
/// done, and is no failure whatever comes out here.
pub(crate) async fn warn_of_differences(context: &Context, config: &Config, restored: &[String]) {
    let prepared = match prepare(context, config, &[]) {
        Ok(prepared) => prepared,
        Err(failure) => return context.ui.warn(format!("collections were not compared: {:#}", failure.error)),
    };
    // Where there is no collection with a table there is nothing to compare.
    let Ok(all) = choose(config, &prepared, &[]).await else { return };
    let is_concerned =
        |one: &&Sourced<'_>| restored.iter().any(|name| *name == one.source.target || *name == one.target.name);
    for one in all.iter().filter(is_concerned) {
        let name = format!("{}: {}", one.target.name, one.spec.name);
        match verify_one(context, one, false).await {
            Ok(found) if found.is_same() => context.ui.detail(format!("{name}: the same as {}", one.from())),
            Ok(found) => context.ui.warn(format!(
                "{name} is not what {} is: {} rows without a point, {} points without a row, {} that differ; see `dbops qdrant \
                 verify`, and `dbops qdrant sync` makes it so",
                one.from(),
                found.missing.count,
                found.extra.count,
                found.different.count
            )),
            Err(failure) => context.ui.warn(format!("{name} was not compared with {}: {:#}", one.from(), failure.error)),
        }
    }
}
