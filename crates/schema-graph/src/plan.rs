//! The statements that make one schema into another.

use std::collections::{BTreeSet, HashMap};

use crate::alter::{Change, change, type_name};
use crate::create::{default_letter, is_validated_alone, settings, table_definition, undo_default, value_clauses};
use crate::draft::{Draft, Fate};
use crate::hazard::{Statement, statement};
use crate::moving::{make_room, move_rows, room_for};
use crate::order::{Order, is_partitioned};
use crate::same::rename_same;
use crate::{Attribute, Column, Graph, Kind, Object, ObjectId};

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
            let on_new = draft.ids[*number].kind.is_part()
                && (draft.ids[*number].owners().any(|owner| is_new(&owner)) || draft.is_exchanged_part(*number));
            let describe = |sql: String| statement(as_written(&sql), action, objects, on_new);
            let statements = match (moved(&draft, *number), makes) {
                (Some((old, new)), false) => move_rows(&draft, old, new),
                _ => statements.into_iter().map(describe).collect(),
            };
            steps.push(Step { object: draft.ids[*number].clone(), action, statements });
        }
    }
    let last = toast_options(&mut steps);
    steps.extend(last);
    steps
}

/// A table without a column for its TOAST table forgets what it is told of it: it is told last.
fn toast_options(steps: &mut [Step]) -> Vec<Step> {
    let mut last = Vec::new();
    for step in steps.iter_mut().filter(|step| step.object.kind == Kind::Table && step.action == Action::Alter) {
        let is_for_toast = |statement: &Statement| statement.sql.contains(" SET (toast.");
        let statements: Vec<_> = step.statements.extract_if(.., |statement| is_for_toast(statement)).collect();
        if !statements.is_empty() {
            last.push(Step { object: step.object.clone(), action: step.action, statements });
        }
    }
    last
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

/// Its parent may have taken it along before the two went apart.
fn if_exists(removal: &str) -> String {
    let words = ["DROP CONSTRAINT ", "DROP COLUMN ", "DROP INDEX "];
    let word = words.iter().find(|word| removal.contains(*word));
    word.map_or(removal.to_owned(), |word| removal.replacen(word, &format!("{word}IF EXISTS "), 1))
}

/// A table whose rows move, and the one that gets them.
fn moved<'a>(draft: &Draft<'a>, number: usize) -> Option<(&'a Object, &'a Object)> {
    let is_moved = draft.ids[number].kind == Kind::Table && draft.fates[number] == Fate::Exchange;
    draft.old[number].zip(draft.new[number]).filter(|_| is_moved)
}

fn drop(draft: &Draft<'_>, number: usize) -> (Action, Vec<String>) {
    let Some(object) = draft.old[number] else { return (Action::Drop, Vec::new()) };
    if object.is_inherited {
        let statements = if draft.stays_behind(number) { vec![if_exists(&object.removal)] } else { Vec::new() };
        return (Action::Drop, statements);
    }
    let statements = match draft.fates[number] {
        Fate::Exchange => {
            let name = type_name(object);
            let room = room_for(&object.id.schema, &object.id.name);
            vec![object.removal.replacen(name, &room.0, 1)]
        }
        _ if object.id.kind == Kind::DefaultPrivileges => {
            object.attributes.iter().filter_map(|attribute| attribute.reset.clone()).collect()
        }
        _ if object.id.kind == Kind::Column && is_kept_by_child(draft, number) && !is_partitioned(draft, number) => {
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

fn make(draft: &Draft<'_>, number: usize, parts: &[usize]) -> (Action, Vec<String>) {
    let Some(new) = draft.new[number] else { return (Action::Alter, Vec::new()) };
    match &draft.fates[number] {
        Fate::Alter(statements) => {
            let has_sequence =
                |object: Option<&Object>| object.is_some_and(|object| default_letter(object) == Some("S"));
            let mut statements = statements.clone();
            if new.id.kind == Kind::Column && has_sequence(Some(new)) && !has_sequence(draft.old[number]) {
                statements.extend(privileges_by_default(draft.from, new));
            }
            (Action::Alter, statements)
        }
        Fate::Retype => (Action::Alter, retype(draft, number, new)),
        Fate::Exchange if new.id.kind == Kind::Table => {
            let mut statements = draft.old[number].map(|old| make_room(draft, old)).unwrap_or_default();
            statements.extend(create(draft, new, parts));
            (Action::Create, statements)
        }
        Fate::Exchange => {
            let word = if new.id.kind == Kind::Domain { "DOMAIN" } else { "TYPE" };
            let multirange =
                draft.old[number].filter(|old| old.id.kind == Kind::RangeType).and_then(|it| it.parts.first());
            let mut statements =
                vec![format!("ALTER {word} {} RENAME TO {}", type_name(new), room_for(&new.id.schema, &new.id.name).1)];
            statements.extend(multirange.map(|name| {
                let alone = room_for(&new.id.schema, &format!("{}_multi", new.id.name)).1;
                format!("ALTER TYPE {name} RENAME TO {alone}")
            }));
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
    let joins = draft.numbers.get(&new.id).is_some_and(|number| draft.joins(*number));
    let mut statements = Vec::new();
    match new.id.kind {
        Kind::Table | Kind::ForeignTable => {
            let names = draft.names_for(parts);
            statements.push(table_definition(draft.to, new, &|id| taken.contains(id), names));
        }
        _ if (new.is_inherited && !joins) || new.definition.is_empty() => {}
        Kind::Column => {
            let names = draft.names_for(parts);
            let values = value_clauses(draft.to, &new.id, &|id| taken.contains(id), names);
            // A partition's identity comes with its parent.
            let plain = new.columns.first().filter(|column| joins && column.identity.is_some()).map(|column| {
                format!("{} ADD COLUMN {}", new.parts[0], Column { identity: None, ..column.clone() }.clause())
            });
            statements.push(format!("{}{values}", plain.as_ref().unwrap_or(&new.definition)));
        }
        _ => statements.push(new.definition.clone()),
    }
    statements.extend(own_names(draft.to, new));
    statements.extend(validated_alone(draft, new));
    for object in std::iter::once(new).chain(taken.iter().filter_map(|id| draft.to.get(id))) {
        if let ([column], [alter, ..]) = (&object.columns[..], &object.parts[..])
            && object.id.kind == Kind::Column
        {
            statements.extend(column.settings(alter));
        }
        statements.extend(privileges_by_default(draft.from, object));
        statements.extend(settings(object));
    }
    statements
}

/// A partition's constraint may be valid where its parent's is not.
fn validated_alone(draft: &Draft<'_>, new: &Object) -> Option<String> {
    let [_, name, _, target] = &new.parts[..] else { return None };
    is_validated_alone(draft.to, new).then(|| format!("ALTER {target} VALIDATE CONSTRAINT {name}"))
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
    let Some(letter) = default_letter(new) else { return Vec::new() };
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
