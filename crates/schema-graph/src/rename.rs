//! What has another name and is the same.

use std::fmt;

use dbops_postgres::{quote_identifier, quote_literal};

use crate::alter::type_name;
use crate::hazard::Statement;
use crate::plan::Action;
use crate::{Graph, Kind, Object, ObjectId, Step};

/// Another name for an object, or for a label of an enum. As people write it: `users=accounts`, `users.name=full_name`,
/// `mood.ok=fine`, each with its schema before it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The object by its old name.
    pub object: ObjectId,
    /// The enum's label that it is about.
    pub label: Option<String>,
    /// The new name.
    pub new: String,
}

/// Why `OLD=NEW` says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// It is of another form.
    #[error("there is no `OLD=NEW` in it")]
    Malformed,
    /// Nothing has the old name.
    #[error("there is nothing of the name `{0}` that can have another")]
    Unknown(String),
    /// More than one thing has the old name.
    #[error("`{0}` is more than one: {1}")]
    Ambiguous(String, String),
}

impl Rename {
    /// Reads `OLD=NEW` for a schema that has the old name. Names are written without quotes, whatever is in them.
    ///
    /// # Errors
    ///
    /// When the schema has nothing of that name, or several.
    pub fn parse(text: &str, schema: &Graph) -> Result<Self, RenameError> {
        let pairs = || {
            let splits = text.match_indices('=').map(|(index, _)| (&text[..index], &text[index + 1..]));
            splits.filter(|(old, new)| !old.is_empty() && !new.is_empty())
        };
        let first = pairs().next().ok_or(RenameError::Malformed)?;
        // A label may have the sign in it.
        let (old, new, mut found) = pairs()
            .map(|(old, new)| (old, new, named(schema, old)))
            .find(|(.., found)| !found.is_empty())
            .ok_or_else(|| RenameError::Unknown(first.0.to_owned()))?;
        // A check often has its column's name.
        if found.iter().any(|rename| rename.object.kind == Kind::Column) {
            found.retain(|rename| rename.object.kind == Kind::Column);
        }
        let [rename] = &mut found[..] else {
            let all: Vec<_> = found.iter().map(|rename| rename.object.to_string()).collect();
            return Err(RenameError::Ambiguous(old.to_owned(), all.join(", ")));
        };
        // `users.name=users.full_name` means the same.
        let before = &old[..old.len() - rename.old().len()];
        let new = new.strip_prefix(before).filter(|new| !new.is_empty()).unwrap_or(new);
        Ok(Self { new: new.to_owned(), ..rename.clone() })
    }

    /// The old name alone.
    fn old(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.object.name)
    }

    /// The step for it in a schema that has the old name; nothing where PostgreSQL has no statement.
    #[must_use]
    pub fn step(&self, schema: &Graph) -> Option<Step> {
        let object = schema.get(&self.object)?;
        let sql = match &self.label {
            Some(label) => Some(format!(
                "ALTER TYPE {} RENAME VALUE {} TO {}",
                type_name(object),
                quote_literal(label),
                quote_literal(&self.new)
            )),
            None => statement(object, &quote_identifier(&self.new)),
        };
        Some(step_of(self.renamed(), sql?))
    }

    /// Whether a schema has the old name.
    #[must_use]
    pub fn is_in(&self, schema: &Graph) -> bool {
        let has_label = |object: &Object| self.label.as_ref().is_none_or(|label| object.parts.contains(label));
        schema.get(&self.object).is_some_and(has_label)
    }

    /// Whether a schema has the old name, whatever the table or enum around it is called there.
    #[must_use]
    pub fn is_somewhere_in(&self, schema: &Graph) -> bool {
        let Self { object: id, label, .. } = self;
        schema.of_kind(id.kind).filter(|object| object.id.schema == id.schema).any(|object| match label {
            Some(label) => object.parts.contains(label),
            None => object.id.name == id.name,
        })
    }

    /// The way back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let Self { object, label, new } = self;
        match label {
            Some(label) => Self { label: Some(new.clone()), new: label.clone(), ..self.clone() },
            None => Self { object: self.renamed(), label: None, new: bare(object).to_owned() },
        }
    }

    /// The object by its new name.
    #[must_use]
    pub fn renamed(&self) -> ObjectId {
        if self.label.is_some() {
            return self.object.clone();
        }
        // A function keeps its arguments.
        let arguments = &self.object.name[bare(&self.object).len()..];
        ObjectId { name: format!("{}{arguments}", self.new), ..self.object.clone() }
    }
}

impl fmt::Display for Rename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.object;
        if id.schema != "public" && !id.schema.is_empty() && id.kind != Kind::Schema {
            write!(f, "{}.", id.schema)?;
        }
        id.on_table.iter().try_for_each(|table| write!(f, "{table}."))?;
        write!(f, "{}", id.name)?;
        self.label.iter().try_for_each(|label| write!(f, ".{label}"))?;
        write!(f, "={}", self.new)
    }
}

/// A function's name without its arguments.
fn bare(id: &ObjectId) -> &str {
    match id.kind {
        Kind::Function | Kind::Aggregate => id.name.rsplit_once('(').map_or(&id.name, |(name, _)| name),
        _ => &id.name,
    }
}

/// What a schema has by that name, with the new name still empty.
fn named(schema: &Graph, old: &str) -> Vec<Rename> {
    let mut found = Vec::new();
    for object in schema.objects() {
        let id = &object.id;
        let table = id.on_table.as_ref().map(|table| format!("{table}.")).unwrap_or_default();
        let alone = format!("{table}{}", id.name);
        let rest = old.strip_prefix(&format!("{}.", id.schema)).filter(|_| id.kind != Kind::Schema).unwrap_or(old);
        let rename = |label: Option<&String>| Rename { object: id.clone(), label: label.cloned(), new: String::new() };
        if (old == alone || rest == alone) && statement(object, "").is_some() {
            found.push(rename(None));
        }
        if id.kind == Kind::Enum {
            let is_named = |text: &str, label: &str| {
                text.strip_prefix(&id.name).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest == label)
            };
            let labels = object.parts.iter().filter(|label| is_named(old, label) || is_named(rest, label));
            found.extend(labels.map(|label| rename(Some(label))));
        }
    }
    found
}

/// The step that gives an object its new name.
pub(crate) fn step_of(object: ObjectId, sql: String) -> Step {
    let lock = match object.kind {
        Kind::Index => Some("SHARE UPDATE EXCLUSIVE"),
        Kind::Table | Kind::ForeignTable | Kind::MaterializedView => Some("ACCESS EXCLUSIVE"),
        kind if kind.is_part() => Some("ACCESS EXCLUSIVE"),
        _ => None,
    };
    let statements = vec![Statement { sql, lock, is_transactional: true, hazards: Vec::new() }];
    Step { object, action: Action::Alter, statements }
}

/// The statement that gives an object another name, which is quoted already.
pub(crate) fn statement(object: &Object, new: &str) -> Option<String> {
    match (object.id.kind, &object.parts[..]) {
        (Kind::Column, [alter]) => {
            Some(format!("{alter} RENAME COLUMN {} TO {new}", object.columns.first()?.identifier))
        }
        (Kind::Constraint | Kind::DomainConstraint, [_, name, _, target]) => {
            Some(format!("ALTER {target} RENAME CONSTRAINT {name} TO {new}"))
        }
        (
            Kind::Column
            | Kind::Constraint
            | Kind::DomainConstraint
            | Kind::Extension
            | Kind::UserMapping
            | Kind::Operator
            | Kind::Cast
            | Kind::Parent
            | Kind::Default
            | Kind::NotNull
            | Kind::SequenceOwner
            | Kind::PublishedTable
            | Kind::PublishedSchema
            | Kind::DefaultPrivileges,
            _,
        ) => None,
        _ => Some(format!("ALTER {} RENAME TO {new}", object.removal.strip_prefix("DROP ")?)),
    }
}

/// What looks like the same under a new name, and holds rows or values: a table with the same columns, a column of the
/// same type, a label in the same place, an enum with the same labels, each where there is no other such.
#[must_use]
pub fn likely_renames(from: &Graph, to: &Graph) -> Vec<Rename> {
    let kinds = [
        (Kind::Table, same_columns as fn(&Object, &Object) -> bool),
        (Kind::Column, same_type),
        (Kind::Enum, |one, other| one.parts == other.parts),
    ];
    let objects = kinds.into_iter().flat_map(|(kind, is_alike)| pairs(from, to, kind, is_alike));
    objects.chain(labels(from, to)).collect()
}

fn pairs(from: &Graph, to: &Graph, kind: Kind, is_alike: fn(&Object, &Object) -> bool) -> Vec<Rename> {
    let gone: Vec<_> = from.of_kind(kind).filter(|object| to.get(&object.id).is_none()).collect();
    let new: Vec<_> = to.of_kind(kind).filter(|object| from.get(&object.id).is_none()).collect();
    let mut found = Vec::new();
    for old in &gone {
        let like = |other: &&&Object| is_at(old, other) && is_alike(old, other);
        let rivals = gone.iter().filter(|other| is_at(old, other) && is_alike(old, other)).count();
        let candidates: Vec<_> = new.iter().filter(like).collect();
        if let ([one], 1) = (&candidates[..], rivals) {
            found.push(Rename { object: old.id.clone(), label: None, new: one.id.name.clone() });
        }
    }
    found
}

/// One label for another, all others where they were.
fn labels(from: &Graph, to: &Graph) -> Vec<Rename> {
    let mut found = Vec::new();
    for old in from.of_kind(Kind::Enum) {
        let Some(new) = to.get(&old.id).filter(|new| new.parts.len() == old.parts.len()) else { continue };
        let changed: Vec<_> = old.parts.iter().zip(&new.parts).filter(|(one, other)| one != other).collect();
        if changed.iter().all(|(one, other)| !new.parts.contains(one) && !old.parts.contains(other)) {
            let rename = |(one, other): (&String, &String)| Rename {
                object: old.id.clone(),
                label: Some(one.clone()),
                new: other.clone(),
            };
            found.extend(changed.into_iter().map(rename));
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

/// The same types in the same order, most of them under the same names.
fn same_columns(one: &Object, other: &Object) -> bool {
    let pairs = || one.columns.iter().zip(&other.columns);
    let same_names = pairs().filter(|(one, other)| one.name == other.name).count();
    one.columns.len() == other.columns.len()
        && pairs().all(|(one, other)| one.data_type == other.data_type)
        && same_names * 2 > one.columns.len()
}
