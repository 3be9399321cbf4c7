//! What PostgreSQL can change in place, kind by kind.

use crate::{Attribute, Graph, Kind, Object};

/// How an object that both sides have gets from one to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Alter(Vec<String>),
    /// It is dropped and created again.
    Replace,
}

/// The change of one object; what is built on it is not looked at.
pub(crate) fn change(from: &Object, to: &Object, graph: &Graph) -> Change {
    let mut statements = Vec::new();
    match own_rule(from, to, graph) {
        Change::Replace => return Change::Replace,
        Change::Alter(own) => statements = own,
        Change::None => {}
    }
    if !attributes(from, to, &mut statements) {
        return Change::Replace;
    }
    if statements.is_empty() { Change::None } else { Change::Alter(statements) }
}

fn own_rule(from: &Object, to: &Object, graph: &Graph) -> Change {
    let is_same = from.shape == to.shape;
    match to.id.kind {
        Kind::Column => column(from, to),
        Kind::Enum if !is_same => enumeration(from, to),
        Kind::CompositeType if !is_same => composite(from, to, graph),
        Kind::View if !is_same && to.parts.starts_with(&from.parts) => {
            Change::Alter(vec![to.definition.replacen("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)])
        }
        Kind::Function if !is_same && can_replace_function(from, to) => Change::Alter(vec![to.definition.clone()]),
        Kind::Default if !is_same => Change::Alter(vec![to.definition.clone()]),
        Kind::NotNull => not_null(from, to),
        Kind::Sequence => sequence(from, to),
        _ if is_same => Change::None,
        _ => Change::Replace,
    }
}

/// Brings attributes from one side's values to the other's; false when only a new object can have them.
fn attributes(from: &Object, to: &Object, statements: &mut Vec<String>) -> bool {
    let is_table_option = |name: &str| to.id.kind == Kind::ForeignTable && name.starts_with("option ");
    // Taken away first: a privilege revoked after another was granted to the same role would take both.
    for old in &from.attributes {
        let new = to.attribute(&old.name);
        if new.is_some_and(|new| new.value == old.value || !(new.is_reset_first)) {
            continue;
        }
        match &old.reset {
            // They went with the sequence.
            Some(reset) if reset.contains(" ON SEQUENCE ") && to.columns.iter().any(|it| it.identity.is_none()) => {}
            Some(reset) => statements.push(reset.clone()),
            None if new.is_some() => {}
            None => return false,
        }
    }
    for new in &to.attributes {
        let old = from.attribute(&new.name);
        if old.is_some_and(|old| old.value == new.value) {
            continue;
        }
        let Some(set) = &new.set else {
            if to.id.kind == Kind::NotNull && new.name == "name" {
                continue;
            }
            return false;
        };
        if statements.iter().any(|statement| statement.starts_with(set)) || is_older(old, new) {
            continue;
        }
        let is_added = old.is_none() && is_table_option(&new.name);
        statements.push(if is_added { set.replacen("(SET ", "(ADD ", 1) } else { set.clone() });
    }
    true
}

/// Whether it is an extension's version that comes before the other: there is no way back.
fn is_older(old: Option<&Attribute>, new: &Attribute) -> bool {
    let numbers = |attribute: &Attribute| -> Vec<u32> {
        attribute.value.split('.').map(|number| number.parse().unwrap_or_default()).collect()
    };
    new.name == "version" && old.is_some_and(|old| numbers(new) < numbers(old))
}

fn column(from: &Object, to: &Object) -> Change {
    let ([old], [new]) = (&from.columns[..], &to.columns[..]) else { return Change::Replace };
    if old.needs_replacement(new) {
        return Change::Replace;
    }
    let statements = old.alteration(new, &to.parts[0], false);
    if statements.is_empty() { Change::None } else { Change::Alter(statements) }
}

/// Labels can be added anywhere; only a new type is without one, or has them in another order.
fn enumeration(from: &Object, to: &Object) -> Change {
    let mut old = from.parts.iter().peekable();
    let mut statements = Vec::new();
    let name = type_name(to);
    for label in &to.parts {
        if old.peek() == Some(&label) {
            old.next();
            continue;
        }
        let quoted = dbops_postgres::quote_literal(label);
        let place =
            old.peek().map(|next| format!(" BEFORE {}", dbops_postgres::quote_literal(next))).unwrap_or_default();
        statements.push(format!("ALTER TYPE {name} ADD VALUE {quoted}{place}"));
    }
    if old.next().is_some() { Change::Replace } else { Change::Alter(statements) }
}

/// Fields can be dropped, and added at the end. PostgreSQL does not change their types while a column has the type.
fn composite(from: &Object, to: &Object, graph: &Graph) -> Change {
    let fields = |object: &Object| -> Vec<(String, String)> {
        object.parts.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
    };
    let (old, new) = (fields(from), fields(to));
    let name = type_name(to);
    let kept: Vec<_> = old.iter().filter(|(name, _)| new.iter().any(|(other, _)| other == name)).collect();
    let is_prefix = kept.len() <= new.len() && kept.iter().zip(&new).all(|((one, _), (other, _))| one == other);
    let retyped: Vec<_> = kept.iter().zip(&new).filter(|((_, one), (_, other))| one != other).collect();
    let is_used =
        || graph.objects().any(|object| object.id.kind == Kind::Column && object.depends_on.contains(&from.id));
    if !is_prefix || (!retyped.is_empty() && is_used()) {
        return Change::Replace;
    }
    let gone = old.iter().filter(|(name, _)| !new.iter().any(|(other, _)| other == name));
    let mut statements: Vec<_> = gone.map(|(field, _)| format!("ALTER TYPE {name} DROP ATTRIBUTE {field}")).collect();
    statements.extend(
        retyped.iter().map(|(_, (field, clause))| format!("ALTER TYPE {name} ALTER ATTRIBUTE {field} TYPE {clause}")),
    );
    let added = new.iter().skip(kept.len());
    statements.extend(added.map(|(field, clause)| format!("ALTER TYPE {name} ADD ATTRIBUTE {field} {clause}")));
    Change::Alter(statements)
}

/// A type's name with its schema, as it stands in SQL.
pub(crate) fn type_name(object: &Object) -> &str {
    object
        .removal
        .strip_prefix("DROP TYPE ")
        .or_else(|| object.removal.strip_prefix("DROP DOMAIN "))
        .unwrap_or_default()
}

/// CREATE OR REPLACE keeps what a function returns and what its arguments are called, and takes no default away.
///
/// <https://www.postgresql.org/docs/18/sql-createfunction.html>
fn can_replace_function(from: &Object, to: &Object) -> bool {
    let ([old, old_defaults, ..], [new, new_defaults, ..]) = (&from.parts[..], &to.parts[..]) else { return false };
    let count = |text: &String| text.parse::<u32>().unwrap_or_default();
    old == new && count(old_defaults) <= count(new_defaults)
}

/// A sequence that stands outside of its new bounds is brought to the nearer one.
fn sequence(from: &Object, to: &Object) -> Change {
    let ([old_least, old_most, _], [least, most, target]) = (&from.parts[..], &to.parts[..]) else {
        return Change::None;
    };
    let number = |text: &String| text.parse::<i64>().unwrap_or_default();
    let mut statements = Vec::new();
    let mut bring = |bound: &String, sign: char| {
        statements.push(format!(
            "SELECT pg_catalog.setval({}, {bound}, false) FROM {target} WHERE last_value {sign} {bound}",
            dbops_postgres::quote_literal(target)
        ));
    };
    if number(least) > number(old_least) {
        bring(least, '<');
    }
    if number(most) < number(old_most) {
        bring(most, '>');
    }
    if (number(least) > number(old_most) || number(most) < number(old_least))
        && let Some(set) = to.attribute("options").and_then(|options| options.set.as_ref())
    {
        // Wherever it stands, it is outside.
        return Change::Alter(vec![format!("{set} RESTART")]);
    }
    if statements.is_empty() { Change::None } else { Change::Alter(statements) }
}

fn not_null(from: &Object, to: &Object) -> Change {
    let ([_, old, _, target], [_, new, ..]) = (&from.parts[..], &to.parts[..]) else { return Change::None };
    if old == new {
        return Change::None;
    }
    Change::Alter(vec![format!("ALTER {target} RENAME CONSTRAINT {old} TO {new}")])
}
