//! Objects that have another name and are otherwise the same, and hold nothing that could be lost: keys, checks,
//! indexes, triggers, policies, and the sequences of serial columns. They are renamed without anyone being asked.

use std::collections::{BTreeMap, BTreeSet};

use dbops_postgres::{quote_identifier, quote_literal};

use crate::rename::{statement, step_of};
use crate::{Attribute, Graph, Kind, Object, ObjectId, Step};

type Names<'a> = BTreeMap<&'a ObjectId, &'a Object>;

/// The steps that rename, and the first schema as it is then; nothing where no name has changed.
pub(crate) fn rename_same(from: &Graph, to: &Graph) -> Option<(Graph, Vec<Step>)> {
    let taken: BTreeSet<_> = from.objects().filter(|it| it.id.kind.has_common_name()).map(|it| place(&it.id)).collect();
    let mut names = Names::new();
    for kind in [Kind::Constraint, Kind::Index, Kind::Trigger, Kind::Policy, Kind::Sequence] {
        for (old, new) in pairs(from, to, kind) {
            let is_free = !kind.has_common_name() || !taken.contains(&place(&new.id));
            if is_free && has_all_attributes(old, new) {
                names.insert(&old.id, new);
            }
        }
    }
    if names.is_empty() {
        return None;
    }
    let steps = names.iter().filter_map(|(old, new)| step(from.get(old)?, new)).collect();
    let renamed = from.objects().map(|object| renamed(object, from, to, &names)).collect();
    Some((renamed, steps))
}

/// The schema's names that tables, indexes and types share.
fn place(id: &ObjectId) -> (&str, &str) {
    (&id.schema, &id.name)
}

/// What goes and what comes and is the same, in the order of the names.
fn pairs<'a>(from: &'a Graph, to: &'a Graph, kind: Kind) -> Vec<(&'a Object, &'a Object)> {
    let only = |graph: &'a Graph, other: &'a Graph| {
        let mut found: BTreeMap<_, Vec<&Object>> = BTreeMap::new();
        for object in graph.of_kind(kind).filter(|object| other.get(&object.id).is_none()) {
            if let Some(likeness) = likeness(graph, object) {
                found.entry((&object.id.schema, &object.id.on_table, likeness)).or_default().push(object);
            }
        }
        found
    };
    let mut new = only(to, from);
    let both = only(from, to).into_iter().filter_map(|(key, old)| Some(old.into_iter().zip(new.remove(&key)?)));
    both.flatten().collect()
}

/// What has to be the same, apart from the name; nothing for what is left alone.
fn likeness(graph: &Graph, object: &Object) -> Option<String> {
    match (object.id.kind, &object.parts[..]) {
        // A check of a parent is its children's too: PostgreSQL renames them together, and the schemas may not.
        (Kind::Constraint, [letter, ..]) if letter == "c" && is_inheriting(graph, object) => None,
        (Kind::Constraint, [letter, _, clause, _]) if !object.is_inherited => Some(format!("{letter} {clause}")),
        (Kind::Index | Kind::Trigger | Kind::Policy, _) if !object.is_inherited => {
            let (before, after) = object.definition.split_once(&format!(" {} ", identifier(object)))?;
            Some(format!("{before} {after}"))
        }
        (Kind::Sequence, _) => {
            let owner = ObjectId { kind: Kind::SequenceOwner, ..object.id.clone() };
            let columns = &graph.get(&owner)?.depends_on;
            columns.iter().find(|id| id.kind == Kind::Column).map(ToString::to_string)
        }
        _ => None,
    }
}

/// The object's name as PostgreSQL writes it: quoted where it has to be.
fn identifier(object: &Object) -> String {
    let quoted = quote_identifier(&object.id.name);
    if object.removal.contains(&quoted) { quoted } else { object.id.name.clone() }
}

/// Whether the object's table has a parent, or is one.
fn is_inheriting(graph: &Graph, object: &Object) -> bool {
    let is_of = |id: &ObjectId| id.schema == object.id.schema && object.id.on_table.as_ref() == Some(&id.name);
    graph.of_kind(Kind::Parent).any(|link| {
        (link.id.schema == object.id.schema && link.id.on_table == object.id.on_table)
            || link.depends_on.iter().any(is_of)
    })
}

/// What is said of the old one can be said of the new one: otherwise there are no statements for it.
fn has_all_attributes(old: &Object, new: &Object) -> bool {
    old.attributes.iter().all(|attribute| new.attribute(&attribute.name).is_some())
}

fn step(old: &Object, new: &Object) -> Option<Step> {
    Some(step_of(new.id.clone(), statement(old, &identifier(new))?))
}

/// An object as it is when what it needs, or itself, has its new name.
fn renamed(object: &Object, from: &Graph, to: &Graph, names: &Names<'_>) -> Object {
    let now = |id: &ObjectId| {
        let sequence = ObjectId { kind: Kind::Sequence, ..id.clone() };
        match (names.get(id), names.get(&sequence)) {
            (Some(new), _) => new.id.clone(),
            (None, Some(new)) if id.kind == Kind::SequenceOwner => {
                ObjectId { kind: Kind::SequenceOwner, ..new.id.clone() }
            }
            _ => id.clone(),
        }
    };
    let sorted = |ids: &[ObjectId]| {
        let mut ids: Vec<_> = ids.iter().map(now).collect();
        ids.sort();
        ids
    };
    let id = now(&object.id);
    let (depends_on, mentions) = (sorted(&object.depends_on), sorted(&object.mentions));
    let new = to.get(&id).filter(|_| id != object.id || is_same_default(object, from, to, names));
    let Some(new) = new else { return Object { depends_on, mentions, ..object.clone() } };
    let attribute = |old: &Attribute| {
        let new = new.attribute(&old.name).unwrap_or(old);
        Attribute { value: old.value.clone(), ..new.clone() }
    };
    let attributes = object.attributes.iter().map(attribute).collect();
    let mut parts = new.parts.clone();
    if let (Kind::Sequence, [least, most, _], [old_least, old_most, _]) = (id.kind, &mut parts[..], &object.parts[..]) {
        (*least, *most) = (old_least.clone(), old_most.clone());
    }
    Object { attributes, parts, depends_on, mentions, ..new.clone() }
}

/// Whether a column's default is the other schema's when the sequence in it has its new name.
fn is_same_default(object: &Object, from: &Graph, to: &Graph, names: &Names<'_>) -> bool {
    let Some(new) = to.get(&object.id).filter(|_| object.id.kind == Kind::Default) else { return false };
    let mut text = object.definition.clone();
    for (old, new) in names.iter().filter(|(old, _)| object.depends_on.contains(old)) {
        if let (Some([.., old]), [.., new]) = (from.get(old).map(|old| &old.parts[..]), &new.parts[..]) {
            let literal = |target: &str| format!("{}::regclass", quote_literal(target));
            text = text.replace(&literal(old), &literal(new));
        }
    }
    text != object.definition && text == new.definition
}
