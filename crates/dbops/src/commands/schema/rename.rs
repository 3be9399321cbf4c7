//! What has another name now.

use dbops_postgres::quote_identifier;
use dbops_schema_graph::{Graph, Kind, Object};

use crate::failure::{Failure, Result};

/// The statements that give a table or a column its new name, and back.
pub(in crate::commands) struct Rename {
    pub(in crate::commands) there: String,
    pub(in crate::commands) back: String,
}

impl Rename {
    /// `OLD=NEW`: a table, a column `table.column`, each with its schema before it or not.
    pub(in crate::commands) fn parse(text: &str, schema: &Graph) -> Result<Self> {
        let wrong = |why: String| {
            Failure::usage(format!("--rename {text}: {why}"))
                .with_hint("write `users=accounts` for a table, `users.name=full_name` for a column")
        };
        let Some((old, new)) = text.split_once('=').filter(|(old, new)| !old.is_empty() && !new.is_empty()) else {
            return Err(wrong("there is no `OLD=NEW` in it".into()));
        };
        let names = |object: &Object| {
            let id = &object.id;
            let alone = id.on_table.as_ref().map_or(id.name.clone(), |table| format!("{table}.{}", id.name));
            [format!("{}.{alone}", id.schema), alone]
        };
        let can = |kind| matches!(kind, Kind::Table | Kind::Column | Kind::View | Kind::MaterializedView | Kind::Enum);
        let found: Vec<_> =
            schema.objects().filter(|it| can(it.id.kind) && names(it).iter().any(|name| name == old)).collect();
        let [object] = found[..] else {
            let many = found.iter().map(|object| object.id.to_string()).collect::<Vec<_>>().join(", ");
            return Err(wrong(match found.len() {
                0 => format!("there is no table or column `{old}`"),
                _ => format!("`{old}` is more than one: {many}"),
            }));
        };
        let id = &object.id;
        let (schema, new_name) = (quote_identifier(&id.schema), quote_identifier(new));
        let old_name = quote_identifier(&id.name);
        let (there, back) = match (&id.on_table, id.kind) {
            (Some(table), _) => {
                let table = format!("ALTER TABLE {schema}.{} RENAME COLUMN", quote_identifier(table));
                (format!("{table} {old_name} TO {new_name}"), format!("{table} {new_name} TO {old_name}"))
            }
            (None, kind) => {
                let word = match kind {
                    Kind::View => "VIEW",
                    Kind::MaterializedView => "MATERIALIZED VIEW",
                    Kind::Enum => "TYPE",
                    _ => "TABLE",
                };
                (
                    format!("ALTER {word} {schema}.{old_name} RENAME TO {new_name}"),
                    format!("ALTER {word} {schema}.{new_name} RENAME TO {old_name}"),
                )
            }
        };
        Ok(Self { there, back })
    }
}
