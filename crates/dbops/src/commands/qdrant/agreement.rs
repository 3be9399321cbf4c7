//! After a restore of either side: whether collections still hold what the rows of their tables do.

use super::prepare;
use super::sources::{choose, shown, sourced};
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
    let Ok(all) = choose(&prepared, &[]) else { return };
    for (target, spec) in all {
        let Some(source) = &spec.source else { continue };
        if !restored.iter().any(|name| *name == source.target || *name == target.name) {
            continue;
        }
        let name = format!("{}: {}", target.name, spec.name);
        let verified = async { verify_one(context, &sourced(config, target, spec).await?, false).await };
        let from = shown(source);
        match verified.await {
            Ok(found) if found.is_same() => context.ui.detail(format!("{name}: the same as {from}")),
            Ok(found) => context.ui.warn(format!(
                "{name} is not what {from} is: {} rows without a point, {} points without a row, {} that differ; see `dbops qdrant \
                 verify`, and `dbops qdrant sync` makes it so",
                found.missing.count,
                found.extra.count,
                found.different.count
            )),
            Err(failure) => context.ui.warn(format!("{name} was not compared with {from}: {:#}", failure.error)),
        }
    }
}
