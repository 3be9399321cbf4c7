//! `migrate upgrade --dry-run`: what each statement would lock, by running it and rolling back.

use dbops_migrate::{DryRun, DryRunStatement as Statement, Error, Graph, GraphError, Rows, Step, TakenLock};
use indicatif::HumanBytes;
use serde::Serialize;

use super::progress::open;
use super::run::{Prepared, RunFlags};
use crate::commands::{Context, Outcome};
use crate::failure::{Failure, Result};
use crate::ui::{FAINT, STRONG, paint};

#[derive(Serialize)]
struct DryRunDocument {
    dry_run: bool,
    targets: Vec<DryRunTarget>,
}

#[derive(Serialize)]
struct DryRunTarget {
    name: String,
    steps: Vec<DryRunStep>,
}

#[derive(Serialize)]
struct DryRunStep {
    revision: String,
    direction: &'static str,
    statements: Vec<DryRunStatement>,
}

#[derive(Serialize)]
struct DryRunStatement {
    line: usize,
    sql: String,
    duration_ms: u64,
    locks: Vec<DryRunLock>,
    not_run: Option<&'static str>,
}

#[derive(Serialize)]
struct DryRunLock {
    table: String,
    mode: String,
    bytes: u64,
    rows: Option<u64>,
}

pub(super) async fn dry_run(
    context: &Context,
    prepared: &[Prepared<'_>],
    flags: &RunFlags,
    plan: impl Fn(&Graph, &Rows) -> std::result::Result<Vec<Step>, GraphError>,
) -> Result<Outcome> {
    let mut targets = Vec::new();
    for one in prepared {
        let with_name = |error: Error| Failure::from(error).context(one.name);
        let (mut session, rows) = open(context, one, flags).await?;
        let steps = plan(&one.graph, &rows)?;
        let spinner = context.ui.spinner(format!("{}: trying", one.name));
        let tried = session.dry_run(&one.graph, &steps, &flags.options(true)).await;
        spinner.finish_and_clear();
        let tried = tried.map_err(with_name)?;
        if tried.is_empty() {
            context.ui.status(format!("{}: nothing to do", one.name));
        }
        for step in &tried {
            show(context, one, step)?;
        }
        if !tried.is_empty() {
            context.ui.status(format!("{}: rolled back; nothing was changed", one.name));
        }
        targets.push(DryRunTarget { name: one.name.to_owned(), steps: tried.into_iter().map(document).collect() });
    }
    context.ui.document(&DryRunDocument { dry_run: true, targets })?;
    Ok(Outcome::Done)
}

fn show(context: &Context, one: &Prepared<'_>, step: &DryRun) -> Result<()> {
    let revision = one.graph.get(&step.revision);
    let message = revision.map(|it| it.message.as_str()).unwrap_or_default();
    let note = match revision {
        Some(it) if !it.settings.transaction => ", without a transaction",
        _ => "",
    };
    let title = format!("{}: {} {} {message}", one.name, step.direction.as_str(), step.revision);
    context.ui.data(format!("{}{note}", paint(STRONG, title)))?;
    for statement in &step.statements {
        show_statement(context, statement)?;
    }
    Ok(())
}

fn show_statement(context: &Context, statement: &Statement) -> Result<()> {
    let ui = &context.ui;
    let time = paint(FAINT, format!("{} ms", statement.duration.as_millis()));
    let time = if statement.not_run.is_some() { String::new() } else { time };
    ui.data(format!("  line {}: {} {time}", statement.line, beginning(&statement.sql)))?;
    if let Some(reason) = statement.not_run {
        ui.data(format!("    not run: {reason}"))?;
    }
    for TakenLock { table, mode, bytes, rows } in &statement.locks {
        let rows = rows.map(|rows| format!(", {rows} rows")).unwrap_or_default();
        ui.data(format!("    {mode} on {table} ({}{rows})", HumanBytes(*bytes)))?;
    }
    Ok(())
}

/// The beginning of a statement on one line.
fn beginning(sql: &str) -> String {
    const WIDTH: usize = 56;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDTH { line } else { line.chars().take(WIDTH - 1).chain(['…']).collect() }
}

fn document(step: DryRun) -> DryRunStep {
    let lock = |lock: TakenLock| DryRunLock { table: lock.table, mode: lock.mode, bytes: lock.bytes, rows: lock.rows };
    let statement = |it: Statement| DryRunStatement {
        line: it.line,
        sql: it.sql,
        duration_ms: u64::try_from(it.duration.as_millis()).unwrap_or(u64::MAX),
        locks: it.locks.into_iter().map(lock).collect(),
        not_run: it.not_run,
    };
    DryRunStep {
        revision: step.revision,
        direction: step.direction.as_str(),
        statements: step.statements.into_iter().map(statement).collect(),
    }
}
