//! `dbops schema drift`: databases against their declared schemas.

use std::path::Path;

use clap::Args;
use dbops_postgres::{SqlError, Version, connect};
use dbops_schema_graph::{Difference, Graph, compare, describe, read};
use serde::Serialize;

use crate::commands::scratch::Scratch;
use crate::commands::{Context, Outcome};
use crate::config::PostgresTarget;
use crate::declared::{self, SchemaFile};
use crate::failure::{Failure, Result};
use crate::ui::{BAD, GOOD, Ui, WARN, paint};

#[derive(Args)]
pub(super) struct DriftArgs {
    /// A database, repeatable; every one with a declared schema when none is named
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
}

#[derive(Serialize)]
struct DriftDocument<'a> {
    targets: Vec<TargetDocument<'a>>,
}

#[derive(Serialize)]
struct TargetDocument<'a> {
    name: &'a str,
    equal: bool,
    differences: &'a [DifferenceDocument],
}

#[derive(Serialize)]
struct DifferenceDocument {
    /// `missing`: declared and not there; `undeclared`: there and not declared; `changed`.
    change: &'static str,
    kind: &'static str,
    object: String,
    declared: Option<String>,
    live: Option<String>,
}

/// A target as it is, and the files that say how it should be.
struct Live<'a> {
    name: &'a str,
    schema: &'a Path,
    files: Vec<SchemaFile>,
    graph: Graph,
    version: Version,
}

pub(super) async fn run(context: &Context, args: &DriftArgs) -> Result<Outcome> {
    let config = context.config()?;
    let mut targets = Vec::new();
    for (name, target) in config.select_postgres(&args.targets)? {
        match &target.schema {
            Some(schema) => targets.push((name, target, schema.as_path())),
            None if args.targets.is_empty() => context.ui.detail(format!("{name} declares no schema")),
            None => return Err(nothing_declared(&format!("target `{name}` declares no schema"))),
        }
    }
    if targets.is_empty() {
        return Err(nothing_declared("no target declares a schema"));
    }
    let mut live = Vec::new();
    for (name, target, schema) in targets {
        live.push(read_live(name, target, schema).await.map_err(|failure| failure.context(name))?);
    }
    let declared = read_declared(context, &live).await?;
    report(&context.ui, &live, &declared)
}

fn nothing_declared(message: &str) -> Failure {
    Failure::usage(message).with_hint("name the file of its DDL: `schema: schema.sql`")
}

async fn read_live<'a>(name: &'a str, target: &PostgresTarget, schema: &'a Path) -> Result<Live<'a>> {
    let files = declared::read(schema)?;
    let mut client = connect(&target.url).await?;
    let graph = read(&mut client).await?;
    let version = Version::of_server(&client).await.map_err(SqlError::from)?;
    Ok(Live { name, schema, files, graph, version })
}

/// Loads every declared schema into a database of a throwaway server and reads it back, so that both sides are in
/// PostgreSQL's own words.
async fn read_declared(context: &Context, live: &[Live<'_>]) -> Result<Vec<Graph>> {
    let mut scratch = Scratch::new(context, None);
    warn_of_other_major(&context.ui, scratch.version().await?, live);
    let mut graphs = Vec::new();
    for target in live {
        graphs.push(scratch.load(&target.files).await?);
    }
    Ok(graphs)
}

/// PostgreSQL prints a view's query in the way of its major version.
fn warn_of_other_major(ui: &Ui, scratch: Version, live: &[Live]) {
    for target in live.iter().filter(|target| target.version.major != scratch.major) {
        ui.warn(format!(
            "{} runs PostgreSQL {} and the declared schema was loaded into {scratch}: views may seem to differ",
            target.name, target.version
        ));
    }
}

fn report(ui: &Ui, live: &[Live], declared: &[Graph]) -> Result<Outcome> {
    let pairs = live.iter().zip(declared);
    let documents = pairs.map(|(target, declared)| {
        let differences = compare(declared, &target.graph);
        (target, differences.iter().map(|difference| document(declared, &target.graph, difference)).collect())
    });
    let differences: Vec<(_, Vec<_>)> = documents.collect();
    let targets = differences.iter().map(|(target, differences)| TargetDocument {
        name: target.name,
        equal: differences.is_empty(),
        differences,
    });
    ui.document(&DriftDocument { targets: targets.collect() })?;
    for (target, differences) in &differences {
        let file = target.schema.file_name().unwrap_or(target.schema.as_os_str()).to_string_lossy();
        if differences.is_empty() {
            ui.data(format!("{}: {} {file}", target.name, paint(GOOD, "equal to")))?;
            continue;
        }
        ui.data(format!("{}: {} {file}", target.name, paint(BAD, "differs from")))?;
        differences.iter().try_for_each(|difference| show(ui, difference))?;
    }
    let is_equal = differences.iter().all(|(_, differences)| differences.is_empty());
    Ok(if is_equal { Outcome::Done } else { Outcome::Found })
}

fn document(declared: &Graph, live: &Graph, difference: &Difference<'_>) -> DifferenceDocument {
    let id = difference.id();
    let text = |graph, object| Some(describe(graph, object).join("\n"));
    let (change, declared, live) = match difference {
        Difference::Added(object) => ("undeclared", None, text(live, object)),
        Difference::Removed(object) => ("missing", text(declared, object), None),
        Difference::Changed { from, to } => ("changed", text(declared, from), text(live, to)),
    };
    DifferenceDocument { change, kind: id.kind.name(), object: id.to_string(), declared, live }
}

fn show(ui: &Ui, difference: &DifferenceDocument) -> Result<()> {
    ui.data(format!("  {} {}", paint(WARN, format!("{:<10}", difference.change)), difference.object))?;
    let (Some(declared), Some(live)) = (&difference.declared, &difference.live) else { return Ok(()) };
    let lines = |text: &str| -> Vec<String> {
        // The comma belongs to the list, not to the column.
        text.lines().map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
    };
    let (declared, live) = (lines(declared), lines(live));
    let gone = declared.iter().filter(|line| !live.contains(line)).map(|line| format!("      - {line}"));
    let new = live.iter().filter(|line| !declared.contains(line)).map(|line| format!("      + {line}"));
    gone.chain(new).try_for_each(|line| ui.data(line))
}
