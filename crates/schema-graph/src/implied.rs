//! Dependencies that no catalog lists.

use std::collections::HashMap;

use crate::{Graph, Kind, ObjectId};

/// Adds what PostgreSQL does not record: keys need their columns' NOT NULL, inherited columns their parents' columns,
/// and functions with a body in quotes what it speaks of.
pub(crate) fn add(graph: &mut Graph) {
    let mut found: Vec<(usize, ObjectId)> = Vec::new();
    let mut parents: HashMap<(&str, &str), Vec<&ObjectId>> = HashMap::new();
    for link in graph.of_kind(Kind::Parent) {
        let Some(child) = &link.id.on_table else { continue };
        let is_table = |id: &&ObjectId| matches!(id.kind, Kind::Table | Kind::ForeignTable);
        let parent =
            link.depends_on.iter().filter(is_table).find(|id| (&id.schema, &id.name) != (&link.id.schema, child));
        parents.entry((&link.id.schema, child)).or_default().extend(parent);
    }
    for (index, object) in graph.objects().enumerate() {
        if object.id.kind == Kind::Constraint && object.parts.first().is_some_and(|kind| kind == "p") {
            let columns = object.depends_on.iter().filter(|id| id.kind == Kind::Column);
            found.extend(columns.map(|id| (index, ObjectId { kind: Kind::NotNull, ..id.clone() })));
        }
        if object.is_inherited {
            let Some(table) = &object.id.on_table else { continue };
            for parent in parents.get(&(object.id.schema.as_str(), table.as_str())).into_iter().flatten() {
                let id = ObjectId {
                    schema: parent.schema.clone(),
                    on_table: Some(parent.name.clone()),
                    ..object.id.clone()
                };
                found.push((index, id));
            }
        }
    }
    found.retain(|(_, id)| graph.get(id).is_some());
    let mentions = of_bodies(graph);
    let objects = graph.objects_mut();
    for (index, id) in found {
        if objects[index].id != id {
            objects[index].depends_on.push(id);
        }
    }
    for (index, id) in mentions {
        objects[index].mentions.push(id);
    }
}

/// PostgreSQL does not look into bodies in quotes before they run. A function can run while its dependents are created,
/// so what it speaks of is better there before it.
fn of_bodies(graph: &Graph) -> Vec<(usize, ObjectId)> {
    let mut names: HashMap<&str, Vec<&ObjectId>> = HashMap::new();
    let named = [Kind::Table, Kind::View, Kind::MaterializedView, Kind::Function, Kind::Sequence, Kind::ForeignTable];
    for object in graph.objects().filter(|object| named.contains(&object.id.kind)) {
        let name = object.id.name.split('(').next().unwrap_or_default();
        names.entry(name).or_default().push(&object.id);
    }
    let mut found = Vec::new();
    for (index, function) in graph.objects().enumerate().filter(|(_, object)| object.id.kind == Kind::Function) {
        let body = function.parts.get(2).map(String::as_str).unwrap_or_default();
        let words = body.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        for word in words {
            let others = names.get(word).into_iter().flatten().filter(|id| ***id != function.id);
            found.extend(others.map(|id| (index, (*id).clone())));
        }
    }
    found
}
