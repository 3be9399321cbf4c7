//! `dbops schema diff`: the SQL that makes one schema into another.

use clap::Args;
use dbops_schema_graph::{Action, Kind, Statement, Step, online, plan};
use futures_util::future::join;
use serde::Serialize;

use super::source::{Source, database_url};
use crate::commands::renames::rename_given;
use crate::commands::scratch::Scratch;
use crate::commands::{Context, Outcome};
use crate::failure::Result;

#[derive(Args)]
pub(super) struct DiffArgs {
    /// The schema to start from: a postgresql:// URL, a .sql file or a folder of them, a target's name, or
    /// `declared:NAME` and `revisions:NAME` for what its files say
    #[arg(long, value_name = "SOURCE")]
    from: String,
    /// The schema to arrive at
    #[arg(long, value_name = "SOURCE")]
    to: String,
    /// A server on which databases may be created to load files into; by default one is started for it
    #[arg(long, value_name = "URL")]
    dev_url: Option<String>,
    /// What has a new name and keeps what it holds: a table `users=accounts`, a column `users.name=full_name`, a label
    /// of an enum `mood.ok=fine`; repeatable
    #[arg(long = "rename", value_name = "OLD=NEW")]
    renames: Vec<String>,
    /// The plain forms, which hold their locks while they look at every row
    #[arg(long)]
    simple: bool,
    /// Also compare who owns what
    #[arg(long)]
    owners: bool,
}

#[derive(Serialize)]
struct DiffDocument<'a> {
    statements: Vec<StatementDocument<'a>>,
}

#[derive(Serialize)]
pub(super) struct StatementDocument<'a> {
    sql: &'a str,
    kind: &'static str,
    object: String,
    transactional: bool,
    /// The strongest lock on a table that is there before.
    lock: Option<&'static str>,
    hazards: Vec<HazardDocument>,
}

#[derive(Serialize)]
struct HazardDocument {
    /// `loses_data`, `rewrites`, `scans`, `may_fail` or `one_way`.
    kind: &'static str,
    what: String,
}

pub(super) async fn run(context: &Context, args: &DiffArgs) -> Result<Outcome> {
    let sources = [Source::parse(context, &args.from)?, Source::parse(context, &args.to)?];
    let dev_url = args.dev_url.as_deref().map(|url| database_url(context, url)).transpose()?;
    let scratch = Scratch::new(context, dev_url).with_owners(args.owners);
    let steps = steps(context, &scratch, &sources, args).await;
    scratch.finish().await?;
    report(context, &steps?)
}

async fn steps(
    context: &Context,
    scratch: &Scratch<'_>,
    [from, to]: &[Source; 2],
    args: &DiffArgs,
) -> Result<Vec<Step>> {
    let (from, to) = join(from.read(context, scratch), to.read(context, scratch)).await;
    let (mut from, to) = (from?, to?);
    let mut steps = Vec::new();
    if !args.renames.is_empty() {
        let renamed = rename_given(scratch, &from, &args.renames).await?;
        (from, steps) = (renamed.schema, renamed.there);
    }
    let others = plan(&from, &to);
    steps.extend(if args.simple { others } else { online(others, &to) });
    Ok(steps)
}

/// Prints the plan.
pub(super) fn report(context: &Context, steps: &[Step]) -> Result<Outcome> {
    context.ui.document(&DiffDocument { statements: documents(steps) })?;
    paragraphs(steps).try_for_each(|paragraph| context.ui.script(&paragraph))?;
    Ok(Outcome::Done)
}

/// The statements of a script, each with the empty line behind it.
fn paragraphs(steps: &[Step]) -> impl Iterator<Item = String> + '_ {
    // A body may speak of what comes later.
    let first = makes_functions(steps).then(|| "SET check_function_bodies = off;\n".to_owned());
    let statements = steps.iter().flat_map(|step| &step.statements);
    first.into_iter().chain(statements.map(|statement| format!("{}{};\n", remarks(statement), statement.sql)))
}

/// What `schema dump` prints.
pub(in crate::commands) fn script(steps: &[Step]) -> String {
    paragraphs(steps).map(|paragraph| format!("{paragraph}\n")).collect()
}

/// The statements as JSON has them.
pub(super) fn documents(steps: &[Step]) -> Vec<StatementDocument<'_>> {
    let statements = steps.iter().flat_map(|step| {
        step.statements.iter().map(|statement| StatementDocument {
            sql: &statement.sql,
            kind: step.object.kind.name(),
            object: step.object.to_string(),
            transactional: statement.is_transactional,
            lock: statement.lock,
            hazards: statement
                .hazards
                .iter()
                .map(|it| HazardDocument { kind: it.name(), what: it.to_string() })
                .collect(),
        })
    });
    statements.collect()
}

/// Whether bodies of functions have to go unchecked, for they may speak of what comes later.
pub(in crate::commands) fn makes_functions(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.object.kind == Kind::Function && step.action != Action::Drop)
}

/// What is to be known of a statement, as comments before it.
pub(in crate::commands) fn remarks(statement: &Statement) -> String {
    let hazards = statement.hazards.iter().map(|hazard| format!("-- {hazard}\n"));
    hazards.collect()
}
