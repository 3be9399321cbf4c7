//! `/metrics`: the findings as `dbops health --format prometheus` has them, and the sizes of things.

use std::fmt::Write as _;
use std::time::Duration;

use super::view::Gathered;
use crate::commands::health::{escaped, prometheus};
use crate::commands::status::TargetStatus;

/// The text format of Prometheus.
pub(super) fn metrics(gathered: &Gathered) -> String {
    let mut text = prometheus(&gathered.findings);
    let status = &gathered.status;
    let mut of_targets = |name: &str, help: &str, sample: &dyn Fn(&TargetStatus) -> Option<i64>| {
        gauge(&mut text, name, help, status.targets.iter().filter_map(|it| Some((target(it), sample(it)?))));
    };
    of_targets("dbops_target_up", "Whether the target can be reached", &|it| Some(it.unreachable.is_none().into()));
    of_targets("dbops_target_ok", "Whether nothing about the target needs a look", &|it| Some(it.ok.into()));
    of_targets("dbops_database_size_bytes", "The size of the database", &|it| Some(it.database.as_ref()?.bytes));
    of_targets("dbops_database_connections", "Connections of clients to the server", &|it| {
        Some(it.database.as_ref()?.connections)
    });
    of_targets("dbops_database_max_connections", "How many connections the server allows", &|it| {
        Some(it.database.as_ref()?.max_connections)
    });
    of_targets("dbops_migrations_pending", "Revisions that are not applied", &|it| {
        i64::try_from(it.database.as_ref()?.migrations.as_ref()?.pending.len()).ok()
    });
    of_targets(
        "dbops_backup_last_timestamp_seconds",
        "When the newest backup that holds the target was begun",
        &|it| Some(it.last_backup.as_ref()?.created.as_second()),
    );
    of_targets("dbops_backup_last_size_bytes", "The size of that backup set", &|it| {
        i64::try_from(it.last_backup.as_ref()?.bytes).ok()
    });
    let collections = status.targets.iter().flat_map(|it| {
        let collections = it.search.iter().flat_map(|search| &search.collections);
        collections.map(move |collection| {
            (format!("{},collection=\"{}\"", target(it), escaped(&collection.name)), collection.points)
        })
    });
    gauge(&mut text, "dbops_collection_points", "About how many points the collection holds", collections);
    if status.backups_error.is_none() {
        let sets = gathered.sets.len();
        gauge(&mut text, "dbops_backup_sets", "How many sets the repository holds", [(String::new(), sets)]);
    }
    let seconds = [(String::new(), Duration::as_secs_f64(&gathered.took))];
    gauge(&mut text, "dbops_round_duration_seconds", "How long it took to ask the targets", seconds);
    let checked = [(String::new(), status.checked.as_second())];
    gauge(&mut text, "dbops_round_timestamp_seconds", "When the targets had answered", checked);
    let version = [(format!("version=\"{}\"", env!("CARGO_PKG_VERSION")), 1)];
    gauge(&mut text, "dbops_build_info", "The version of dbops", version);
    text
}

fn target(target: &TargetStatus) -> String {
    format!("target=\"{}\"", escaped(&target.name))
}

/// A metric with its samples, each with its labels.
fn gauge<T: std::fmt::Display>(
    text: &mut String,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (String, T)>,
) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    for (labels, value) in samples {
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
