//! `migrate check`: whether files and databases agree, for a pipeline to stop on.

use dbops_migrate::{Rows, file_drift, plan, read_log, read_rows, read_unfinished};
use futures_util::future::join_all;
use serde::Serialize;

use super::load;
use crate::commands::{Context, Outcome};
use crate::config::{Config, PostgresTarget};
use crate::failure::{Failure, Result};

#[derive(Serialize)]
struct CheckDocument {
    targets: Vec<Agreement>,
}

/// How a database stands to its revision files; ids throughout.
#[derive(Debug, Serialize)]
pub(crate) struct Agreement {
    pub(crate) name: String,
    /// Whether they agree.
    pub(crate) ok: bool,
    /// The rows of the version table.
    pub(crate) current: Vec<String>,
    /// Not applied.
    pub(crate) pending: Vec<String>,
    /// In the version table, and no file has them.
    pub(crate) unknown: Vec<String>,
    pub(crate) heads: Vec<String>,
    /// A revision without a transaction that was not completed.
    pub(crate) unfinished: Option<String>,
    /// Their files changed after they were applied.
    pub(crate) changed: Vec<String>,
    /// Applied, and their files are gone.
    pub(crate) deleted: Vec<String>,
    /// Below an applied revision, and never run.
    pub(crate) merged_below: Vec<String>,
}

pub(super) async fn check(context: &Context, config: &Config, targets: &[String]) -> Result<Outcome> {
    let chosen = config.select_postgres(targets)?;
    let checked = join_all(chosen.into_iter().map(|(name, target)| agreement(name, target))).await;
    let targets = checked.into_iter().collect::<Result<Vec<_>>>()?;
    for target in &targets {
        let findings = findings(target);
        if findings.is_empty() {
            context.ui.data(format!("{}: ok", target.name))?;
        }
        for (finding, remedy) in findings {
            context.ui.data(format!("{}: {finding}", target.name))?;
            context.ui.data(format!("  {remedy}"))?;
        }
    }
    let is_ok = targets.iter().all(|target| target.ok);
    context.ui.document(&CheckDocument { targets })?;
    Ok(if is_ok { Outcome::Done } else { Outcome::Found })
}

/// Compares the files with the version table and the log.
pub(crate) async fn agreement(name: &str, target: &PostgresTarget) -> Result<Agreement> {
    let graph = load(name, target)?;
    let with_name = |error: dbops_migrate::Error| Failure::from(error).context(name);
    let ids = read_rows(&target.url).await.map_err(with_name)?.unwrap_or_default();
    let log = read_log(&target.url).await.map_err(with_name)?.unwrap_or_default();
    let unfinished = read_unfinished(&target.url).await.map_err(with_name)?;
    let (rows, unknown) = Rows::known(&graph, &ids);
    let drift = file_drift(&graph, &rows, &log);
    let mut found = Agreement {
        name: name.to_owned(),
        ok: false,
        current: ids,
        pending: plan::pending(&graph, &rows),
        unknown,
        heads: graph.heads().iter().map(|head| head.id.clone()).collect(),
        unfinished: unfinished.map(|it| it.revision),
        changed: drift.changed,
        deleted: drift.deleted,
        merged_below: drift.merged_below,
    };
    // What the version table names and no file has is said once.
    found.deleted.retain(|id| !found.unknown.contains(id));
    found.ok = findings(&found).is_empty();
    Ok(found)
}

/// What is wrong, and what to do about it.
fn findings(target: &Agreement) -> Vec<(String, String)> {
    let of_target = format!("-t {}", target.name);
    let mut found = Vec::new();
    if let Some(revision) = &target.unfinished {
        found.push((
            format!("revision {revision} was begun and not completed"),
            format!("`dbops migrate resume {of_target}` goes on with it"),
        ));
    }
    let mut report = |ids: &[String], what: &str, remedy: String| {
        if !ids.is_empty() {
            found.push((format!("{what}: {}", ids.join(", ")), remedy));
        }
    };
    report(
        &target.unknown,
        "in the version table, and no file has it",
        "get the files that belong to this database".into(),
    );
    let several = if target.heads.len() > 1 { &target.heads[..] } else { &[] };
    report(several, "several heads", format!("`dbops migrate merge -m MESSAGE {of_target}` joins them"));
    report(&target.pending, "pending", format!("`dbops migrate {of_target}` applies them"));
    let accept = format!("`dbops migrate accept REV {of_target}` takes it as it is");
    report(&target.changed, "changed after it was applied", format!("bring the file back as it was; {accept}"));
    report(&target.deleted, "applied, and its file is gone", "bring the file back".into());
    let below = format!("undo down to below it and upgrade again, or run its SQL by hand; {accept}");
    report(&target.merged_below, "below an applied revision, and never run here", below);
    found
}
