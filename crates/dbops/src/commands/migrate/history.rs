//! `migrate history`: the revisions, the newest first, and which of them are applied.

use clap::Args;
use dbops_migrate::{Graph, LogEntry, Revision, Rows, draw, range, read_log, read_rows};
use serde::Serialize;

use super::graph::labels;
use super::load;
use crate::commands::{Context, Outcome};
use crate::config::{Config, PostgresTarget};
use crate::failure::{Failure, Result};
use crate::times::local_of_text;
use crate::ui::{FAINT, GOOD, STRONG, Ui, paint};

#[derive(Args)]
pub(super) struct HistoryArgs {
    /// Only these: START:END, either may be left out; `current` is where the database is
    #[arg(value_name = "RANGE", allow_hyphen_values = true)]
    range: Option<String>,
    /// Draw how the revisions follow one another
    #[arg(long)]
    graph: bool,
}

#[derive(Serialize)]
struct HistoryDocument {
    targets: Vec<HistoryTarget>,
}

#[derive(Serialize)]
struct HistoryTarget {
    name: String,
    revisions: Vec<HistoryRevision>,
}

#[derive(Debug, Serialize)]
pub(crate) struct HistoryRevision {
    pub(crate) revision: String,
    pub(crate) revises: Vec<String>,
    pub(crate) depends_on: Vec<String>,
    pub(crate) branch_labels: Vec<String>,
    pub(crate) message: String,
    pub(crate) created: String,
    path: String,
    pub(crate) applied: bool,
    /// With `--verbose`.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Vec<HistoryEntry>>,
}

#[derive(Debug, Serialize)]
struct HistoryEntry {
    direction: String,
    started: String,
    duration_ms: u64,
    checksum: Option<String>,
    role: String,
    os_user: String,
    host: String,
    dbops_version: String,
}

pub(super) async fn history(
    context: &Context,
    config: &Config,
    targets: &[String],
    args: &HistoryArgs,
) -> Result<Outcome> {
    // The option is there for every command.
    let is_verbose = context.ui.verbosity > 0;
    let mut documents = Vec::new();
    for (name, target) in config.select_postgres(targets)? {
        let graph = load(name, target)?;
        let with_name = |error: dbops_migrate::Error| Failure::from(error).context(name);
        let current = read_rows(&target.url).await.map_err(with_name)?.unwrap_or_default();
        let (rows, unknown) = Rows::known(&graph, &current);
        if !unknown.is_empty() {
            context.ui.warn(format!("{name}: the database is at revision {}, which no file has", unknown.join(", ")));
        }
        let log =
            if is_verbose { Some(read_log(&target.url).await.map_err(with_name)?.unwrap_or_default()) } else { None };
        let chosen = match &args.range {
            Some(text) => range(&graph, &rows, text)?,
            None => graph.newest_first(),
        };
        let revisions = chosen.into_iter().map(|revision| document(&graph, &rows, revision, log.as_deref()));
        documents.push(HistoryTarget { name: name.to_owned(), revisions: revisions.collect() });
    }
    if args.graph {
        documents.iter().try_for_each(|target| draw_target(&context.ui, target, documents.len() > 1))?;
    } else if is_verbose {
        documents.iter().try_for_each(|target| show_target(context, target))?;
    } else {
        table(&context.ui, &documents)?;
    }
    context.ui.document(&HistoryDocument { targets: documents })?;
    Ok(Outcome::Done)
}

/// All revisions of a target, the newest first, where its database is at the revisions `current`. Only files are read.
pub(crate) fn revisions(name: &str, target: &PostgresTarget, current: &[String]) -> Result<Vec<HistoryRevision>> {
    let graph = load(name, target)?;
    let (rows, _) = Rows::known(&graph, current);
    Ok(graph.newest_first().into_iter().map(|revision| document(&graph, &rows, revision, None)).collect())
}

fn state(applied: bool) -> &'static str {
    if applied { "applied" } else { "pending" }
}

fn table(ui: &Ui, targets: &[HistoryTarget]) -> Result<()> {
    let rows = targets.iter().flat_map(|target| {
        target.revisions.iter().map(|revision| {
            let state = state(revision.applied).into();
            vec![target.name.clone(), revision.revision.clone(), state, revision.message.clone()]
        })
    });
    ui.table(&["target", "revision", "state", "message"], rows.collect())
}

fn draw_target(ui: &Ui, target: &HistoryTarget, with_name: bool) -> Result<()> {
    if with_name {
        ui.data(format!("{}:", paint(STRONG, &target.name)))?;
    }
    let edges: Vec<(&str, Vec<&str>)> = target
        .revisions
        .iter()
        .map(|revision| (revision.revision.as_str(), revision.revises.iter().map(String::as_str).collect()))
        .collect();
    for line in draw(&edges) {
        let Some(index) = line.revision else {
            ui.data(line.lanes)?;
            continue;
        };
        let revision = &target.revisions[index];
        let mut notes = labels(&revision.branch_labels);
        if !revision.depends_on.is_empty() {
            notes.push_str(&format!(" [needs {}]", revision.depends_on.join(", ")));
        }
        let id = paint(if revision.applied { GOOD } else { STRONG }, &revision.revision);
        let state = if revision.applied { String::new() } else { paint(FAINT, " (pending)") };
        ui.data(format!("{} {id}{notes} {}{state}", line.lanes, revision.message).trim_end())?;
    }
    Ok(())
}

fn show_target(context: &Context, target: &HistoryTarget) -> Result<()> {
    let ui = &context.ui;
    for revision in &target.revisions {
        let title = paint(STRONG, format!("{}: {}", target.name, revision.revision));
        ui.data(format!("{title}{} {}", labels(&revision.branch_labels), revision.message))?;
        let or_base = if revision.revises.is_empty() { "(base)".into() } else { revision.revises.join(", ") };
        ui.data(format!("  revises:    {or_base}"))?;
        if !revision.depends_on.is_empty() {
            ui.data(format!("  depends on: {}", revision.depends_on.join(", ")))?;
        }
        if !revision.created.is_empty() {
            ui.data(format!("  created:    {}", local_of_text(&revision.created)))?;
        }
        ui.data(format!("  file:       {}", context.environment.shown(revision.path.as_ref())))?;
        ui.data(format!("  state:      {}", state(revision.applied)))?;
        for entry in revision.log.iter().flatten() {
            let (who, milliseconds) = (format!("{}@{}", entry.os_user, entry.host), entry.duration_ms);
            let started = local_of_text(&entry.started);
            ui.data(format!("  log:        {:7} {started} {milliseconds} ms, {who}", entry.direction))?;
            // As much of it as tells two files apart.
            let checksum = entry.checksum.as_ref().and_then(|it| it.get(..12));
            let checksum = checksum.map(|it| format!(", checksum {it}")).unwrap_or_default();
            ui.data(format!("              as {}, dbops {}{checksum}", entry.role, entry.dbops_version))?;
        }
    }
    Ok(())
}

fn document(graph: &Graph, rows: &Rows, revision: &Revision, log: Option<&[LogEntry]>) -> HistoryRevision {
    let own = |log: &[LogEntry]| log.iter().filter(|entry| entry.revision == revision.id).map(entry).collect();
    HistoryRevision {
        revision: revision.id.clone(),
        revises: revision.revises.clone(),
        depends_on: revision.depends_on.clone(),
        branch_labels: revision.branch_labels.clone(),
        message: revision.message.clone(),
        created: revision.created.clone(),
        path: revision.path.display().to_string(),
        applied: rows.is_applied(graph, &revision.id),
        log: log.map(own),
    }
}

fn entry(entry: &LogEntry) -> HistoryEntry {
    HistoryEntry {
        direction: entry.direction.clone(),
        started: entry.started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        duration_ms: u64::try_from(entry.duration.as_millis()).unwrap_or(u64::MAX),
        checksum: entry.checksum.clone(),
        role: entry.role.clone(),
        os_user: entry.author.os_user.clone(),
        host: entry.author.host.clone(),
        dbops_version: entry.author.dbops_version.clone(),
    }
}
