//! What is shown of a table, as JSON has it.

use dbops_schema_graph::{Column, Graph, Kind, Object, Sizes};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct ShowDocument<'a> {
    pub(super) target: &'a str,
    pub(super) tables: Vec<TableDocument<'a>>,
}

#[derive(Serialize)]
pub(super) struct TableDocument<'a> {
    pub(super) schema: &'a str,
    pub(super) name: &'a str,
    /// `table`, `foreign table`, `view` or `materialized view`.
    pub(super) kind: &'static str,
    pub(super) comment: Option<&'a str>,
    /// Absent when it is not known, or is none of what has rows of its own.
    pub(super) estimated_rows: Option<u64>,
    pub(super) size: Option<SizeDocument>,
    pub(super) columns: Vec<ColumnDocument<'a>>,
    pub(super) constraints: Vec<PartDocument<'a>>,
    pub(super) indexes: Vec<PartDocument<'a>>,
    pub(super) triggers: Vec<PartDocument<'a>>,
    pub(super) policies: Vec<PartDocument<'a>>,
    /// The foreign keys of other tables, and its own, that refer to it.
    pub(super) referred_to_by: Vec<ReferenceDocument<'a>>,
}

#[derive(Serialize)]
pub(super) struct SizeDocument {
    pub(super) total_bytes: u64,
    pub(super) table_bytes: u64,
    pub(super) index_bytes: u64,
    pub(super) toast_bytes: u64,
}

#[derive(Serialize)]
pub(super) struct ColumnDocument<'a> {
    pub(super) name: &'a str,
    pub(super) r#type: &'a str,
    pub(super) not_null: bool,
    pub(super) default: Option<&'a str>,
    pub(super) identity: Option<&'a str>,
    pub(super) generated: Option<&'a str>,
    pub(super) comment: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct PartDocument<'a> {
    pub(super) name: &'a str,
    pub(super) definition: &'a str,
    /// How big an index is, also that of a constraint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bytes: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct ReferenceDocument<'a> {
    pub(super) schema: &'a str,
    pub(super) table: &'a str,
    pub(super) name: &'a str,
    pub(super) definition: &'a str,
}

pub(super) fn document<'a>(graph: &'a Graph, sizes: &Sizes, table: &'a Object) -> TableDocument<'a> {
    let id = &table.id;
    let parts = |kind| -> Vec<_> {
        let part = |part: &'a Object| PartDocument {
            name: &part.id.name,
            definition: clause(part),
            bytes: sizes.of(part).map(|size| size.total),
        };
        graph.parts_of(id, kind).map(part).collect()
    };
    let refers_here = |constraint: &&Object| constraint.refers_to.as_ref() == Some(id);
    let reference = |constraint: &'a Object| ReferenceDocument {
        schema: &constraint.id.schema,
        table: constraint.id.on_table.as_deref().unwrap_or_default(),
        name: &constraint.id.name,
        definition: clause(constraint),
    };
    let size = sizes.of(table);
    TableDocument {
        schema: &id.schema,
        name: &id.name,
        kind: id.kind.name(),
        comment: table.comment(),
        estimated_rows: size.and_then(|size| size.rows),
        size: size.map(|size| SizeDocument {
            total_bytes: size.total,
            table_bytes: size.table(),
            index_bytes: size.indexes,
            toast_bytes: size.toast,
        }),
        columns: table.columns.iter().map(column).collect(),
        constraints: parts(Kind::Constraint),
        indexes: parts(Kind::Index),
        triggers: parts(Kind::Trigger),
        policies: parts(Kind::Policy),
        referred_to_by: graph.of_kind(Kind::Constraint).filter(refers_here).map(reference).collect(),
    }
}

fn column(column: &Column) -> ColumnDocument<'_> {
    ColumnDocument {
        name: &column.name,
        r#type: &column.data_type,
        not_null: column.not_null,
        default: column.default.as_deref(),
        identity: column.identity.as_deref(),
        generated: column.generated.as_deref(),
        comment: column.comment.as_deref(),
    }
}

/// The definition without what its place in the output already says.
fn clause(part: &Object) -> &str {
    if part.id.kind != Kind::Constraint {
        return &part.definition;
    }
    // ALTER TABLE x ADD CONSTRAINT y PRIMARY KEY …
    let after = part.definition.split_once(" ADD CONSTRAINT ").map_or(part.definition.as_str(), |(_, rest)| rest);
    let name = dbops_postgres::quote_identifier(&part.id.name);
    let rest = after.strip_prefix(&part.id.name).or_else(|| after.strip_prefix(&name));
    rest.map_or(after, str::trim_start)
}
