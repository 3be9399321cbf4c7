//! `dbops schema show TARGET [TABLE]`.

use clap::Args;
use dbops_postgres::connect;
use dbops_schema_graph::{Column, Graph, Kind, Object, read};
use serde::Serialize;

use crate::commands::{Context, Outcome};
use crate::config::suggest;
use crate::failure::{Failure, Result};
use crate::ui::{FAINT, STRONG, Ui, paint};

#[derive(Args)]
pub(super) struct ShowArgs {
    /// The database
    target: String,
    /// A table or view, with or without its schema; all of them when none is named
    table: Option<String>,
}

#[derive(Serialize)]
struct ShowDocument<'a> {
    target: &'a str,
    tables: Vec<TableDocument<'a>>,
}

#[derive(Serialize)]
struct TableDocument<'a> {
    schema: &'a str,
    name: &'a str,
    /// `table`, `view` or `materialized view`.
    kind: &'static str,
    comment: Option<&'a str>,
    columns: Vec<ColumnDocument<'a>>,
    constraints: Vec<PartDocument<'a>>,
    indexes: Vec<PartDocument<'a>>,
    triggers: Vec<PartDocument<'a>>,
    policies: Vec<PartDocument<'a>>,
    /// The foreign keys of other tables, and its own, that refer to it.
    referred_to_by: Vec<ReferenceDocument<'a>>,
}

#[derive(Serialize)]
struct ColumnDocument<'a> {
    name: &'a str,
    r#type: &'a str,
    not_null: bool,
    default: Option<&'a str>,
    identity: Option<&'a str>,
    generated: Option<&'a str>,
    comment: Option<&'a str>,
}

#[derive(Serialize)]
struct PartDocument<'a> {
    name: &'a str,
    definition: &'a str,
}

#[derive(Serialize)]
struct ReferenceDocument<'a> {
    schema: &'a str,
    table: &'a str,
    name: &'a str,
    definition: &'a str,
}

pub(super) async fn run(context: &Context, args: &ShowArgs) -> Result<Outcome> {
    let config = context.config()?;
    let targets = config.select_postgres(std::slice::from_ref(&args.target))?;
    let Some((name, target)) = targets.first() else { return Ok(Outcome::Done) };
    let graph = read(&mut connect(&target.url).await?).await?;
    let tables = choose(&graph, args)?;
    let tables: Vec<_> = tables.into_iter().map(|table| document(&graph, table)).collect();
    let document = ShowDocument { target: name, tables };
    context.ui.document(&document)?;
    if args.table.is_some() {
        document.tables.iter().try_for_each(|table| describe(&context.ui, table))?;
    } else {
        list(&context.ui, &document.tables)?;
    }
    Ok(Outcome::Done)
}

fn choose<'a>(graph: &'a Graph, args: &ShowArgs) -> Result<Vec<&'a Object>> {
    let is_table = |object: &&Object| matches!(object.id.kind, Kind::Table | Kind::View | Kind::MaterializedView);
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

fn document<'a>(graph: &'a Graph, table: &'a Object) -> TableDocument<'a> {
    let id = &table.id;
    let parts = |kind| -> Vec<_> {
        let own = |part: &&Object| part.id.schema == id.schema && part.id.on_table.as_ref() == Some(&id.name);
        let part = |part: &'a Object| PartDocument { name: &part.id.name, definition: clause(part) };
        graph.of_kind(kind).filter(own).map(part).collect()
    };
    let refers_here = |constraint: &&Object| constraint.refers_to.as_ref() == Some(id);
    let reference = |constraint: &'a Object| ReferenceDocument {
        schema: &constraint.id.schema,
        table: constraint.id.on_table.as_deref().unwrap_or_default(),
        name: &constraint.id.name,
        definition: clause(constraint),
    };
    let column = |column: &'a Column| ColumnDocument {
        name: &column.name,
        r#type: &column.data_type,
        not_null: column.not_null,
        default: column.default.as_deref(),
        identity: column.identity.as_deref(),
        generated: column.generated.as_deref(),
        comment: column.comment.as_deref(),
    };
    TableDocument {
        schema: &id.schema,
        name: &id.name,
        kind: id.kind.name(),
        comment: table.comment(),
        columns: table.columns.iter().map(column).collect(),
        constraints: parts(Kind::Constraint),
        indexes: parts(Kind::Index),
        triggers: parts(Kind::Trigger),
        policies: parts(Kind::Policy),
        referred_to_by: graph.of_kind(Kind::Constraint).filter(refers_here).map(reference).collect(),
    }
}

/// The definition without what its place in the output already says.
fn clause(part: &Object) -> &str {
    match part.id.kind {
        // ALTER TABLE x ADD CONSTRAINT y PRIMARY KEY …
        Kind::Constraint => {
            let after =
                part.definition.split_once(" ADD CONSTRAINT ").map_or(part.definition.as_str(), |(_, rest)| rest);
            let name = dbops_postgres::quote_identifier(&part.id.name);
            let rest = after.strip_prefix(&part.id.name).or_else(|| after.strip_prefix(&name));
            rest.map_or(after, str::trim_start)
        }
        _ => &part.definition,
    }
}

fn list(ui: &Ui, tables: &[TableDocument]) -> Result<()> {
    if tables.is_empty() {
        return ui.data("no tables");
    }
    let row = |table: &TableDocument| {
        let name = format!("{}.{}", table.schema, table.name);
        let key = table.constraints.iter().find_map(|part| part.definition.strip_prefix("PRIMARY KEY "));
        vec![
            name,
            table.kind.to_owned(),
            key.unwrap_or_default().trim_matches(['(', ')']).to_owned(),
            table.columns.len().to_string(),
            table.indexes.len().to_string(),
            table.referred_to_by.len().to_string(),
        ]
    };
    ui.table(&["table", "kind", "key", "columns", "indexes", "referred to by"], tables.iter().map(row).collect())
}

fn describe(ui: &Ui, table: &TableDocument) -> Result<()> {
    ui.data(paint(STRONG, format!("{} {}.{}", table.kind, table.schema, table.name)))?;
    if let Some(comment) = table.comment {
        ui.data(paint(FAINT, comment))?;
    }
    ui.data("")?;
    let columns = table.columns.iter().map(|column| {
        let value = column.default.or(column.identity).or(column.generated);
        let null = if column.not_null { "not null" } else { "" };
        let comment = column.comment.unwrap_or_default();
        [column.name, column.r#type, null, value.unwrap_or_default(), comment].map(ToOwned::to_owned).to_vec()
    });
    ui.table(&["column", "type", "null", "default", "comment"], columns.collect())?;
    let references = table.referred_to_by.iter().map(|key| {
        let place = format!("{}.{} {}", key.schema, key.table, key.name);
        format!("{place}: {}", key.definition)
    });
    let named = |parts: &[PartDocument]| -> Vec<_> {
        parts.iter().map(|part| format!("{}: {}", part.name, part.definition)).collect()
    };
    let plain = |parts: &[PartDocument]| -> Vec<_> { parts.iter().map(|part| part.definition.to_owned()).collect() };
    let sections = [
        ("Constraints", named(&table.constraints)),
        ("Indexes", plain(&table.indexes)),
        ("Triggers", plain(&table.triggers)),
        ("Policies", plain(&table.policies)),
        ("Referred to by", references.collect()),
    ];
    for (heading, lines) in sections.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        ui.data(format!("\n{}", paint(STRONG, heading)))?;
        lines.iter().try_for_each(|line| ui.data(format!("  {line}")))?;
    }
    Ok(())
}
