//! `dbops schema show TARGET [TABLE]`.

mod document;
mod print;

use clap::Args;
use dbops_postgres::connect;
use dbops_schema_graph::{Graph, Kind, Object, read, sizes};

use document::{ShowDocument, document};

use crate::commands::{Context, Outcome};
use crate::config::suggest;
use crate::failure::{Failure, Result};

#[derive(Args)]
pub(super) struct ShowArgs {
    /// The database
    target: String,
    /// A table or view, with or without its schema; all of them when none is named
    table: Option<String>,
}

pub(super) async fn run(context: &Context, args: &ShowArgs) -> Result<Outcome> {
    let config = context.config()?;
    let targets = config.select_postgres(std::slice::from_ref(&args.target))?;
    let Some((name, target)) = targets.first() else { return Ok(Outcome::Done) };
    let mut client = connect(&target.url).await?;
    let graph = read(&mut client).await?;
    let tables = choose(&graph, args)?;
    // One of several chosen ones has the others' name.
    let only = args.table.as_ref().and_then(|_| tables.first()).map(|table| table.id.name.as_str());
    let sizes = sizes(&client, only).await?;
    let tables: Vec<_> = tables.into_iter().map(|table| document(&graph, &sizes, table)).collect();
    let document = ShowDocument { target: name, tables };
    context.ui.document(&document)?;
    if args.table.is_some() {
        document.tables.iter().try_for_each(|table| print::describe(&context.ui, table))?;
    } else {
        print::list(&context.ui, &document.tables)?;
    }
    Ok(Outcome::Done)
}

fn choose<'a>(graph: &'a Graph, args: &ShowArgs) -> Result<Vec<&'a Object>> {
    let kinds = [Kind::Table, Kind::ForeignTable, Kind::View, Kind::MaterializedView];
    let is_table = |object: &&Object| kinds.contains(&object.id.kind);
    let all: Vec<_> = graph.objects().filter(is_table).collect();
    let Some(wanted) = &args.table else { return Ok(all) };
    let full_name = |object: &Object| format!("{}.{}", object.id.schema, object.id.name);
    let is_wanted = |object: &&&Object| object.id.name == *wanted || full_name(object) == *wanted;
    let chosen: Vec<_> = all.iter().filter(is_wanted).copied().collect();
    if chosen.is_empty() {
        let known: Vec<_> = all.iter().map(|object| object.id.name.as_str()).collect();
        let failure = Failure::usage(format!("there is no table or view `{wanted}` in {}", args.target));
        return Err(failure.with_hint(suggest(wanted, &known)));
    }
    Ok(chosen)
}
