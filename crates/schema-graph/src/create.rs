//! The statements that create an object as it is.

use crate::{Attribute, Column, Graph, Kind, Object, ObjectId};

/// What an object's attributes need beside its definition.
pub(crate) fn settings(object: &Object) -> impl Iterator<Item = String> + '_ {
    object.attributes.iter().filter(|attribute| !attribute.is_inline).filter_map(|it| it.set.clone())
}

/// Which NOT NULL constraints are called by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Those whose name is not the one that they would get.
    Needed,
    /// Every one: the usual name is taken for now.
    All,
}

/// CREATE TABLE, a line for each column, with those of its parts that `is_included`.
pub(crate) fn table_definition(
    graph: &Graph,
    table: &Object,
    is_included: &dyn Fn(&ObjectId) -> bool,
    names: Names,
) -> String {
    let [head, tail] = &table.parts[..] else { return table.definition.clone() };
    let id = |kind, column: &Column| ObjectId {
        kind,
        schema: table.id.schema.clone(),
        on_table: Some(table.id.name.clone()),
        name: column.name.clone(),
    };
    let is_child = graph.parts_of(&table.id, Kind::Parent).next().is_some();
    let is_partition = head.contains(" PARTITION OF ");
    let is_typed = head.contains(" OF ") && !is_partition;
    let mut lines = Vec::new();
    for column in &table.columns {
        let own = id(Kind::Column, column);
        let is_inherited = is_child && graph.get(&own).is_some_and(|own| own.is_inherited);
        if !is_included(&own) {
            continue;
        }
        let extra = value_clauses(graph, &own, is_included, names);
        if is_inherited && !is_partition && !is_typed {
            // Its parent has it. What the child has of its own is a line of its own; a default is set afterwards.
            if let Some(not_null) = graph.get(&id(Kind::NotNull, column)).filter(|it| is_included(&it.id))
                && let [_, name, clause, _] = &not_null.parts[..]
                && !not_null.is_inherited
            {
                lines.push(format!("    CONSTRAINT {name} {clause}"));
            }
            continue;
        }
        if is_inherited || is_typed {
            if !extra.is_empty() {
                lines.push(format!("    {}{extra}", column.identifier));
            }
        } else {
            lines.push(format!("    {}{extra}", column.clause()));
        }
    }
    for constraint in graph.parts_of(&table.id, Kind::Constraint).filter(|part| is_included(&part.id)) {
        if let [_, name, clause, _] = &constraint.parts[..]
            && !constraint.is_inherited
        {
            lines.push(format!("    CONSTRAINT {name} {clause}"));
        }
    }
    let separator = if tail.is_empty() { "" } else { " " };
    match (lines.is_empty(), is_partition || is_typed) {
        (true, true) => format!("{head}{separator}{tail}"),
        (true, false) => format!("{head} (){separator}{tail}"),
        _ => format!("{head} (\n{}\n){separator}{tail}", lines.join(",\n")),
    }
}

/// A column's default and NOT NULL, those that are included.
pub(crate) fn value_clauses(
    graph: &Graph,
    column: &ObjectId,
    is_included: &dyn Fn(&ObjectId) -> bool,
    names: Names,
) -> String {
    let mut clauses = String::new();
    let part = |kind| graph.get(&ObjectId { kind, ..column.clone() }).filter(|part| is_included(&part.id));
    if let Some(default) = part(Kind::Default).filter(|default| !default.is_inherited) {
        clauses.push_str(&format!(" DEFAULT {}", default.parts.first().map(String::as_str).unwrap_or_default()));
    }
    if let Some(not_null) = part(Kind::NotNull).filter(|not_null| !not_null.is_inherited) {
        clauses.push_str(&not_null_clause(not_null, names));
    }
    clauses
}

/// NOT NULL as it stands behind a column.
fn not_null_clause(not_null: &Object, names: Names) -> String {
    let [_, name, clause, _] = &not_null.parts[..] else { return " NOT NULL".into() };
    let inherit = if clause.ends_with(" NO INHERIT") { " NO INHERIT" } else { "" };
    if names == Names::Needed && *name == usual_name(&not_null.id) {
        return format!(" NOT NULL{inherit}");
    }
    format!(" CONSTRAINT {name} NOT NULL{inherit}")
}

/// Whether a partition's constraint is valid where its parent's is not.
pub(crate) fn is_validated_alone(to: &Graph, new: &Object) -> bool {
    let is_open = |id: &ObjectId| {
        id.kind == Kind::Constraint && to.get(id).is_some_and(|parent| parent.attribute("not valid").is_some())
    };
    new.id.kind == Kind::Constraint
        && new.is_inherited
        && new.attribute("not valid").is_none()
        && new.depends_on.iter().any(is_open)
}

/// The name that PostgreSQL gives to a column's NOT NULL constraint by itself.
fn usual_name(id: &ObjectId) -> String {
    format!("{}_{}_not_null", id.on_table.as_deref().unwrap_or_default(), id.name)
}

/// What a new object has from default privileges and is not to have, and the statement that takes it away: it is put
/// together from that which sets the same thing as a default.
pub(crate) fn undo_default(object: &Object, default: &Attribute) -> Option<String> {
    if object.attribute(&default.name).is_some_and(|own| own.value == default.value) {
        return None;
    }
    let target = privilege_target(object)?;
    let reset = default.reset.as_ref()?;
    let (verb, rest) = reset
        .split_once(" GRANT ")
        .map(|(_, rest)| ("GRANT", rest))
        .or_else(|| reset.split_once(" REVOKE ").map(|(_, rest)| ("REVOKE", rest)))?;
    let (privilege, rest) = rest.split_once(" ON ")?;
    let (_, to) = rest.split_once(' ')?;
    Some(format!("{verb} {privilege} ON {target} {to}"))
}

fn privilege_target(object: &Object) -> Option<String> {
    if let (Kind::Column, [_, sequence]) = (object.id.kind, &object.parts[..]) {
        return Some(format!("SEQUENCE {sequence}"));
    }
    let (word, name) = object.removal.strip_prefix("DROP ").and_then(|rest| match object.id.kind {
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => {
            rest.rsplit_once("TABLE ").or_else(|| rest.rsplit_once("VIEW ")).map(|(_, name)| ("TABLE", name))
        }
        Kind::Aggregate => rest.split_once(' ').map(|(_, name)| ("FUNCTION", name)),
        _ => rest.split_once(' '),
    })?;
    Some(format!("{word} {}", name.replace("(*)", "()")))
}

/// The letter by which `pg_default_acl` knows a kind.
pub(crate) fn default_letter(object: &Object) -> Option<&'static str> {
    match object.id.kind {
        Kind::Column if object.parts.len() > 1 => Some("S"),
        Kind::Table | Kind::ForeignTable | Kind::View | Kind::MaterializedView => Some("r"),
        Kind::Sequence => Some("S"),
        Kind::Function | Kind::Aggregate => Some("f"),
        Kind::Schema => Some("n"),
        kind if kind.is_type() => Some("T"),
        _ => None,
    }
}
