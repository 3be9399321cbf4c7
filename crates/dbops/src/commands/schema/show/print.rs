//! Tables for people.

use indicatif::{HumanBytes, HumanCount};

use super::document::{PartDocument, TableDocument};
use crate::failure::Result;
use crate::ui::{FAINT, STRONG, Ui, paint, printable, printable_lines};

pub(super) fn list(ui: &Ui, tables: &[TableDocument]) -> Result<()> {
    if tables.is_empty() {
        return ui.data("no tables");
    }
    let row = |table: &TableDocument| {
        let key = table.constraints.iter().find_map(|part| part.definition.strip_prefix("PRIMARY KEY "));
        vec![
            printable(&format!("{}.{}", table.schema, table.name)),
            table.kind.to_owned(),
            rows(table),
            table.size.as_ref().map(|size| HumanBytes(size.total_bytes).to_string()).unwrap_or_default(),
            table.columns.len().to_string(),
            printable(key.unwrap_or_default().trim_matches(['(', ')'])),
        ]
    };
    ui.table(&["table", "kind", "rows", "size", "columns", "key"], tables.iter().map(row).collect())
}

/// PostgreSQL's estimate; `?` before the first ANALYZE.
fn rows(table: &TableDocument) -> String {
    match (table.estimated_rows, &table.size) {
        (Some(rows), _) => HumanCount(rows).to_string(),
        (None, Some(_)) => "?".into(),
        (None, None) => String::new(),
    }
}

pub(super) fn describe(ui: &Ui, table: &TableDocument) -> Result<()> {
    ui.data(paint(STRONG, printable(&format!("{} {}.{}", table.kind, table.schema, table.name))))?;
    if let Some(comment) = table.comment {
        comment.lines().try_for_each(|line| ui.paragraph(0, paint(FAINT, printable_lines(line))))?;
    }
    if let Some(line) = size(table) {
        ui.data(line)?;
    }
    ui.data("")?;
    let columns = table.columns.iter().map(|column| {
        let value = column.default.or(column.identity).or(column.generated);
        let null = if column.not_null { "not null" } else { "" };
        [column.name, column.r#type, null, value.unwrap_or_default()].map(printable).to_vec()
    });
    ui.table(&["column", "type", "null", "default"], columns.collect())?;
    let comments = table.columns.iter().filter_map(|column| {
        let (name, comment) = (printable(column.name), printable_lines(column.comment?));
        Some(format!("{name}: {comment}"))
    });
    let references = table.referred_to_by.iter().map(|key| {
        let place = printable(&format!("{}.{} {}", key.schema, key.table, key.name));
        format!("{place}: {}", printable_lines(key.definition))
    });
    let named = |parts: &[PartDocument]| parts.iter().map(line).collect();
    let plain = |parts: &[PartDocument]| parts.iter().map(|part| printable_lines(part.definition)).collect();
    let sections: [(_, Vec<String>); 6] = [
        ("Comments", comments.collect()),
        ("Constraints", named(&table.constraints)),
        ("Indexes", named(&table.indexes)),
        ("Triggers", plain(&table.triggers)),
        ("Policies", plain(&table.policies)),
        ("Referred to by", references.collect()),
    ];
    for (heading, lines) in sections.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        ui.data(format!("\n{}", paint(STRONG, heading)))?;
        lines.iter().try_for_each(|line| ui.paragraph(4, format!("  {line}")))?;
    }
    Ok(())
}

/// The name and the definition, and how big its index is.
fn line(part: &PartDocument) -> String {
    let size = part.bytes.map(|bytes| format!(" {}", paint(FAINT, format!("({})", HumanBytes(bytes)))));
    format!("{}: {}{}", printable(part.name), printable_lines(&in_short(part.definition)), size.unwrap_or_default())
}

/// `CREATE UNIQUE INDEX name ON schema.table USING btree (id)` without the names, which the output has elsewhere.
fn in_short(definition: &str) -> String {
    let Some(index) = definition.strip_prefix("CREATE ") else { return definition.to_owned() };
    let unique = if index.starts_with("UNIQUE ") { "unique " } else { "" };
    let is_outside = |at: &usize| index[..*at].matches('"').count() % 2 == 0;
    let using = index.match_indices(" USING ").map(|(at, _)| at).find(is_outside);
    using.map_or(definition.to_owned(), |at| format!("{unique}{}", &index[at + " USING ".len()..]))
}

fn size(table: &TableDocument) -> Option<String> {
    let size = table.size.as_ref()?;
    let rows = match table.estimated_rows {
        Some(rows) => format!("about {} rows", HumanCount(rows)),
        None => "never analyzed".into(),
    };
    Some(format!(
        "{rows}, {}: {} rows, {} indexes, {} TOAST",
        HumanBytes(size.total_bytes),
        HumanBytes(size.table_bytes),
        HumanBytes(size.index_bytes),
        HumanBytes(size.toast_bytes)
    ))
}
