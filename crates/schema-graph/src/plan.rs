//! The statements that make one schema into another.

use std::collections::{BTreeSet, HashMap};

use crate::alter::{Change, change, type_name};
use crate::create::{default_letter, settings, table_definition, undo_default, value_clauses};
use crate::draft::{Draft, Fate};
use crate::hazard::{Statement, statement};
use crate::order::Order;
use crate::same::rename_same;
use crate::{Attribute, Graph, Kind, Object, ObjectId};

/// What a step does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It comes, or comes back in another form.
    Create,
    /// It stays.
    Alter,
    /// It goes, or makes room for its new form.
    Drop,
}

/// The statements for one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The object.
    pub object: ObjectId,
    /// What happens to it.
    pub action: Action,
    /// In their order, without semicolons.
    pub statements: Vec<Statement>,
}

/// The steps that make the schema `from` into the schema `to`, in an order that works; the same input gives the same
/// steps. Nothing where the two are equal but for the order of columns.
#[must_use]
pub fn plan(from: &Graph, to: &Graph) -> Vec<Step> {
    let Some((from, mut steps)) = rename_same(from, to) else { return changes(from, to) };
    steps.extend(changes(&from, to));
    steps
}

fn changes(from: &Graph, to: &Graph) -> Vec<Step> {
    let draft = Draft::new(from, to);
    let order = Order::new(&draft);
    let mut steps = Vec::new();
    for ((number, makes), parts) in &order.nodes {
        let (action, statements) = if *makes { make(&draft, *number, parts) } else { drop(&draft, *number) };
        if !statements.is_empty() {
            let objects = (draft.old[*number], draft.new[*number]);
            let is_new = |owner: &ObjectId| from.get(owner).is_none() && to.get(owner).is_some();
            let on_new = draft.ids[*number].kind.is_part() && draft.ids[*number].owners().any(|owner| is_new(&owner));
            let describe = |sql: String| statement(as_written(&sql), action, objects, on_new);
            let statements = statements.into_iter().map(describe).collect();
            steps.push(Step { object: draft.ids[*number].clone(), action, statements });
        }
    }
    steps
}

/// The steps that make a new database into this schema.
#[must_use]
pub fn dump(schema: &Graph) -> Vec<Step> {
    let usage = Attribute {
        name: "grant USAGE to PUBLIC".into(),
        value: "false".into(),
        set: Some("GRANT USAGE ON SCHEMA public TO PUBLIC".into()),
        reset: Some("REVOKE USAGE ON SCHEMA public FROM PUBLIC".into()),
        is_inline: false,
        is_reset_first: false,
    };
    // Every new database has this schema, for everyone to use.
    let public = Object {
        id: ObjectId { kind: Kind::Schema, schema: "public".into(), on_table: None, name: "public".into() },
        definition: "CREATE SCHEMA public".into(),
        shape: String::new(),
        removal: "DROP SCHEMA public".into(),
        attributes: vec![usage],
        parts: Vec::new(),
        columns: Vec::new(),
        refers_to: None,
        is_inherited: false,
        depends_on: Vec::new(),
        mentions: Vec::new(),
    };
    plan(&[public].into_iter().collect(), schema)
}

/// PostgreSQL writes `(ARRAY['a'::character varying, …])::text[]`, which it would read as an array of texts. A cast of the
/// array to its own type keeps it what it is.
///
/// <https://www.postgresql.org/docs/18/sql-expressions.html#SQL-SYNTAX-ARRAY-CONSTRUCTORS>
fn as_written(sql: &str) -> String {
    const OPEN: &str = "(ARRAY[";
    let (mut written, mut rest) = (String::new(), sql);
    while let Some(start) = rest.find(OPEN) {
        let end = array_end(&rest[start + OPEN.len()..]).map(|length| start + OPEN.len() + length);
        let Some(end) =
            end.filter(|end| rest[*end..].starts_with("])::") && rest[..*end].ends_with("::character varying"))
        else {
            written.push_str(&rest[..start + OPEN.len()]);
            rest = &rest[start + OPEN.len()..];
            continue;
        };
        written.push_str(&rest[..=end]);
        written.push_str("::character varying[]");
        rest = &rest[end + 1..];
    }
    written + rest
}

/// Where the bracket is that ends an array, outside of quotes.
fn array_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices()
        .find(|(_, character)| {
            quoted ^= *character == '\'';
            !quoted && *character == ']'
        })
        .map(|(index, _)| index)
}

fn drop(draft: &Draft<'_>, number: usize) -> (Action, Vec<String>) {
    let Some(object) = draft.old[number].filter(|object| !object.is_inherited) else {
        return (Action::Drop, Vec::new());
    };
    let statements = match draft.fates[number] {
        Fate::Exchange => {
            let name = type_name(object);
            let room = room_for(object);
            vec![object.removal.replacen(name, &room.0, 1)]
        }
        _ if object.id.kind == Kind::DefaultPrivileges => {
            object.attributes.iter().filter_map(|attribute| attribute.reset.clone()).collect()
        }
        _ if object.id.kind == Kind::Column && is_kept_by_child(draft, number) => {
            vec![object.removal.replacen("ALTER TABLE ", "ALTER TABLE ONLY ", 1)]
        }
        _ => vec![object.removal.clone()],
    };
    (Action::Drop, statements)
}

/// Whether a child table has the column from its parent and keeps it.
fn is_kept_by_child(draft: &Draft<'_>, number: usize) -> bool {
    draft.old_users[number].iter().any(|user| {
        draft.ids[*user].kind == Kind::Column
            && draft.old[*user].is_some_and(|column| column.is_inherited)
            && draft.new[*user].is_some()
    })
}

/// The name under which a type waits for its columns to leave it: in full, and alone.
fn room_for(object: &Object) -> (String, String) {
    let alone = dbops_postgres::quote_identifier(&format!("{:.57}__old", object.id.name));
    (format!("{}.{alone}", dbops_postgres::quote_identifier(&object.id.schema)), alone)
}

fn make(draft: &Draft<'_>, number: usize, parts: &[usize]) -> (Action, Vec<String>) {
    let Some(new) = draft.new[number] else { return (Action::Alter, Vec::new()) };
    match &draft.fates[number] {
        Fate::Alter(statements) => (Action::Alter, statements.clone()),
        Fate::Retype => (Action::Alter, retype(draft, number, new)),
        Fate::Exchange => {
            let word = if new.id.kind == Kind::Domain { "DOMAIN" } else { "TYPE" };
            let mut statements = vec![format!("ALTER {word} {} RENAME TO {}", type_name(new), room_for(new).1)];
            statements.extend(create(draft, new, parts));
            (Action::Create, statements)
        }
        _ => (Action::Create, create(draft, new, parts)),
    }
}

fn retype(draft: &Draft<'_>, number: usize, new: &Object) -> Vec<String> {
    let Some(old) = draft.old[number] else { return Vec::new() };
    if new.is_inherited {
        return Vec::new();
    }
    let mut statements = old.columns[0].alteration(&new.columns[0], &new.parts[0], true);
    if let Change::Alter(others) = change(old, new, draft.from) {
        statements.extend(others.into_iter().filter(|statement| !statement.starts_with(&new.parts[0])));
    }
    statements
}

fn create(draft: &Draft<'_>, new: &Object, parts: &[usize]) -> Vec<String> {
    let taken: BTreeSet<&ObjectId> = parts.iter().map(|number| draft.ids[*number]).collect();
    let mut statements = Vec::new();
    match new.id.kind {
        Kind::Table | Kind::ForeignTable => {
            statements.push(table_definition(draft.to, new, &|id| taken.contains(id)));
        }
        _ if new.is_inherited || new.definition.is_empty() => {}
        Kind::Column => {
            let values = value_clauses(draft.to, &new.id, &|id| taken.contains(id));
            statements.push(format!("{}{values}", new.definition));
        }
        _ => statements.push(new.definition.clone()),
    }
    statements.extend(own_names(draft.to, new));
    statements.extend(privileges_by_default(draft.from, new));
    for object in std::iter::once(new).chain(taken.iter().filter_map(|id| draft.to.get(id))) {
        if let ([column], [alter]) = (&object.columns[..], &object.parts[..])
            && object.id.kind == Kind::Column
        {
            statements.extend(column.settings(alter));
        }
        statements.extend(settings(object));
    }
    statements
}

/// A new partition's NOT NULL has its parent's name. It can have one of its own while it is nobody's partition.
fn own_names(to: &Graph, table: &Object) -> Vec<String> {
    let mut renames = Vec::new();
    for not_null in to.parts_of(&table.id, Kind::NotNull).filter(|part| part.is_inherited) {
        let parent = not_null.depends_on.iter().filter(|id| id.kind == Kind::NotNull).find_map(|id| to.get(id));
        if let (Some(parent), [_, name, _, target]) = (parent, &not_null.parts[..])
            && parent.parts[1] != *name
        {
            renames.push(format!("ALTER {target} RENAME CONSTRAINT {} TO {name}", parent.parts[1]));
        }
    }
    let link = to.parts_of(&table.id, Kind::Parent).find(|link| link.definition.contains(" ATTACH PARTITION "));
    match link {
        Some(link) if !renames.is_empty() => {
            let detach = std::iter::once(link.removal.clone());
            detach.chain(renames).chain([link.definition.clone()]).collect()
        }
        _ => Vec::new(),
    }
}

/// Takes away what the database's default privileges give to a new object of this role, and it is not to have.
fn privileges_by_default(from: &Graph, new: &Object) -> Vec<String> {
    let Some(letter) = default_letter(new.id.kind) else { return Vec::new() };
    let defaults = from.of_kind(Kind::DefaultPrivileges).filter(|default| {
        let [of_kind, is_own] = &default.parts[..] else { return false };
        of_kind == letter && is_own == "true" && (default.id.schema.is_empty() || default.id.schema == new.id.schema)
    });
    let mut found: HashMap<&str, &Attribute> = HashMap::new();
    defaults.flat_map(|default| &default.attributes).for_each(|attribute| {
        found.insert(&attribute.name, attribute);
    });
    let mut statements: Vec<_> = found.into_values().filter_map(|attribute| undo_default(new, attribute)).collect();
    statements.sort();
    statements
}
