//! What may have another name and be the same.

use crate::{Graph, Kind, Object};

/// Tables and columns of `from` that look like new ones of `to`, as `users` and `accounts`, or `users.name` and
/// `full_name`: a column of the same type, in a table with no other such; a table with the same columns.
#[must_use]
pub fn likely_renames(from: &Graph, to: &Graph) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (kind, is_alike) in [(Kind::Table, same_columns as fn(&Object, &Object) -> bool), (Kind::Column, same_type)] {
        let gone: Vec<_> = from.of_kind(kind).filter(|object| to.get(&object.id).is_none()).collect();
        let new: Vec<_> = to.of_kind(kind).filter(|object| from.get(&object.id).is_none()).collect();
        for old in &gone {
            let like = |other: &&&Object| is_at(old, other) && is_alike(old, other);
            let rivals = gone.iter().filter(|other| is_at(old, other) && is_alike(old, other)).count();
            let candidates: Vec<_> = new.iter().filter(like).collect();
            if let ([one], 1) = (&candidates[..], rivals) {
                let table = old.id.on_table.as_ref().map(|table| format!("{table}.")).unwrap_or_default();
                let schema = if old.id.schema == "public" { String::new() } else { format!("{}.", old.id.schema) };
                found.push((format!("{schema}{table}{}", old.id.name), one.id.name.clone()));
            }
        }
    }
    found
}

/// In the same schema, or the same table.
fn is_at(one: &Object, other: &Object) -> bool {
    (&one.id.schema, &one.id.on_table) == (&other.id.schema, &other.id.on_table)
}

fn same_type(one: &Object, other: &Object) -> bool {
    let data_type = |object: &Object| object.columns.first().map(|column| column.data_type.clone());
    data_type(one) == data_type(other)
}

fn same_columns(one: &Object, other: &Object) -> bool {
    let columns = |object: &Object| -> Vec<_> {
        object.columns.iter().map(|column| (column.name.clone(), column.data_type.clone())).collect()
    };
    !one.columns.is_empty() && columns(one) == columns(other)
}
