//! What tells two schemas apart.

use crate::{Graph, Kind, Object, ObjectId};

/// One object that the two schemas do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference<'a> {
    /// Only in the second.
    Added(&'a Object),
    /// Only in the first.
    Removed(&'a Object),
    /// In both, defined in another way.
    Changed {
        /// As the first has it.
        from: &'a Object,
        /// As the second has it.
        to: &'a Object,
    },
}

impl<'a> Difference<'a> {
    /// The object's identity.
    #[must_use]
    pub fn id(&self) -> &'a ObjectId {
        match self {
            Self::Added(object) | Self::Removed(object) | Self::Changed { to: object, .. } => &object.id,
        }
    }
}

/// The objects that `from` and `to` do not agree on, by kind and then by name. A table stands for its columns.
///
/// The order of a table's columns counts for nothing: PostgreSQL adds new ones at the end, wherever the declaration
/// has them, and no statement could bring the two together. Neither do an extension's version and privileges.
#[must_use]
pub fn compare<'a>(from: &'a Graph, to: &'a Graph) -> Vec<Difference<'a>> {
    let shown = |object: &&Object| {
        let is_of_table = matches!(
            object.id.kind,
            Kind::Column | Kind::Default | Kind::NotNull | Kind::Parent | Kind::DefaultPrivileges
        );
        !is_of_table && !object.is_inherited
    };
    let differences = from.beside(to).filter_map(|(_, old, new)| match (old.filter(shown), new.filter(shown)) {
        (Some(old), Some(new)) if sorted(describe(from, old)) == sorted(describe(to, new)) => None,
        (Some(from), Some(to)) => Some(Difference::Changed { from, to }),
        (Some(from), None) => Some(Difference::Removed(from)),
        (None, to) => to.map(Difference::Added),
    });
    differences.collect()
}

/// The statements that make an object what it is, line by line; a table's columns are included, privileges are not.
#[must_use]
pub fn describe(graph: &Graph, object: &Object) -> Vec<String> {
    let mut lines: Vec<String> = object.definition.lines().map(ToOwned::to_owned).collect();
    let mut add = |object: &Object| {
        let is_privilege = |name: &str| name.starts_with("grant ") || name.starts_with("revoke ");
        let others = object.attributes.iter().filter(|it| !it.is_inline && !is_privilege(&it.name));
        lines.extend(others.filter_map(|attribute| attribute.set.clone()));
    };
    add(object);
    if matches!(object.id.kind, Kind::Table | Kind::ForeignTable) {
        for column in &object.columns {
            let id = ObjectId {
                kind: Kind::Column,
                schema: object.id.schema.clone(),
                on_table: Some(object.id.name.clone()),
                name: column.name.clone(),
            };
            graph.get(&id).into_iter().for_each(&mut add);
        }
    }
    lines
}

/// Between tables of the same columns in another order, what stands in them.
fn sorted(lines: Vec<String>) -> Vec<String> {
    let mut lines: Vec<_> = lines.into_iter().map(|line| line.trim_end_matches(',').to_owned()).collect();
    lines.sort_unstable();
    lines
}
