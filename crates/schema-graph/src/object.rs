//! The objects of a schema.

use std::cmp::Ordering;
use std::fmt;

use crate::Column;

/// What an object is. The order is that of lists: what is built on comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it; `Kind::name` has the words")]
pub enum Kind {
    Schema,
    Extension,
    Collation,
    Enum,
    BaseType,
    Domain,
    CompositeType,
    RangeType,
    ForeignDataWrapper,
    Server,
    UserMapping,
    TextSearchDictionary,
    TextSearchConfiguration,
    Sequence,
    Function,
    Aggregate,
    Operator,
    OperatorFamily,
    OperatorClass,
    Cast,
    DomainConstraint,
    Table,
    ForeignTable,
    /// What a table is a partition, or a child by inheritance, of.
    Parent,
    Column,
    Default,
    NotNull,
    /// The column that a sequence belongs to.
    SequenceOwner,
    /// A key, a CHECK or an EXCLUDE of a table.
    Constraint,
    Index,
    View,
    MaterializedView,
    Statistics,
    Rule,
    Trigger,
    Policy,
    EventTrigger,
    Publication,
    PublishedTable,
    PublishedSchema,
    Subscription,
    DefaultPrivileges,
}

impl Kind {
    const NAMES: [(Self, &'static str); 42] = [
        (Self::Schema, "schema"),
        (Self::Extension, "extension"),
        (Self::Collation, "collation"),
        (Self::Enum, "enum"),
        (Self::BaseType, "base type"),
        (Self::Domain, "domain"),
        (Self::CompositeType, "composite type"),
        (Self::RangeType, "range type"),
        (Self::ForeignDataWrapper, "foreign data wrapper"),
        (Self::Server, "server"),
        (Self::UserMapping, "user mapping"),
        (Self::TextSearchDictionary, "text search dictionary"),
        (Self::TextSearchConfiguration, "text search configuration"),
        (Self::Sequence, "sequence"),
        (Self::Function, "function"),
        (Self::Aggregate, "aggregate"),
        (Self::Operator, "operator"),
        (Self::OperatorFamily, "operator family"),
        (Self::OperatorClass, "operator class"),
        (Self::Cast, "cast"),
        (Self::DomainConstraint, "domain constraint"),
        (Self::Table, "table"),
        (Self::ForeignTable, "foreign table"),
        (Self::Parent, "parent"),
        (Self::Column, "column"),
        (Self::Default, "default"),
        (Self::NotNull, "not null"),
        (Self::SequenceOwner, "sequence owner"),
        (Self::Constraint, "constraint"),
        (Self::Index, "index"),
        (Self::View, "view"),
        (Self::MaterializedView, "materialized view"),
        (Self::Statistics, "statistics"),
        (Self::Rule, "rule"),
        (Self::Trigger, "trigger"),
        (Self::Policy, "policy"),
        (Self::EventTrigger, "event trigger"),
        (Self::Publication, "publication"),
        (Self::PublishedTable, "published table"),
        (Self::PublishedSchema, "published schema"),
        (Self::Subscription, "subscription"),
        (Self::DefaultPrivileges, "default privileges"),
    ];

    /// The words for it in messages, in JSON and in the catalog queries.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("object", |(_, name)| name)
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, other)| *other == name).map(|(kind, _)| *kind)
    }

    /// Whether it is a type that columns can have.
    #[must_use]
    pub fn is_type(self) -> bool {
        matches!(self, Self::Enum | Self::BaseType | Self::Domain | Self::CompositeType | Self::RangeType)
    }

    /// Whether it is part of a table, and goes with it.
    #[must_use]
    pub fn is_part(self) -> bool {
        matches!(
            self,
            Self::Parent
                | Self::Column
                | Self::Default
                | Self::NotNull
                | Self::Constraint
                | Self::Index
                | Self::Statistics
                | Self::Rule
                | Self::Trigger
                | Self::Policy
                | Self::PublishedTable
        )
    }

    /// Whether it shares its schema's names with tables and types.
    pub(crate) fn has_common_name(self) -> bool {
        self.is_type()
            || matches!(
                self,
                Self::Sequence
                    | Self::Table
                    | Self::ForeignTable
                    | Self::Constraint
                    | Self::Index
                    | Self::View
                    | Self::MaterializedView
            )
    }
}

/// What tells an object from all others of its database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// What it is.
    pub kind: Kind,
    /// The schema that it is in, empty where it is in none. A schema is in itself.
    pub schema: String,
    /// The table (or domain, or server) that it is part of.
    pub on_table: Option<String>,
    /// Its name; a function's with the types of its arguments.
    pub name: String,
}

impl ObjectId {
    /// The relation that a part belongs to, as a table, as a foreign table or as a view.
    pub(crate) fn owners(&self) -> impl Iterator<Item = Self> + use<> {
        let kinds = [Kind::Table, Kind::ForeignTable, Kind::View, Kind::MaterializedView];
        let relation = self.on_table.clone().filter(|_| self.kind.is_part()).map(|name| (self.schema.clone(), name));
        relation.into_iter().flat_map(move |(schema, name)| {
            kinds.map(|kind| Self { kind, schema: schema.clone(), on_table: None, name: name.clone() })
        })
    }

    /// The column that a default or a NOT NULL belongs to.
    pub(crate) fn column(&self) -> Option<Self> {
        matches!(self.kind, Kind::Default | Kind::NotNull).then(|| Self { kind: Kind::Column, ..self.clone() })
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, schema, on_table, name } = self;
        let word = kind.name();
        match (kind, on_table) {
            (Kind::Schema | Kind::Extension, _) => write!(f, "{word} {name}"),
            (Kind::Column | Kind::NotNull | Kind::Default, Some(table)) => write!(f, "{word} {schema}.{table}.{name}"),
            (Kind::Parent, Some(table)) => write!(f, "{word} {name} of {schema}.{table}"),
            (Kind::PublishedTable, Some(table)) => write!(f, "{word} {schema}.{table} in {name}"),
            (_, Some(table)) if schema.is_empty() => write!(f, "{word} {name} on {table}"),
            (_, Some(table)) => write!(f, "{word} {name} on {schema}.{table}"),
            (_, None) if schema.is_empty() => write!(f, "{word} {name}"),
            (_, None) => write!(f, "{word} {schema}.{name}"),
        }
    }
}

/// Something about an object that a statement of its own can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// What it is: `comment`, `option fillfactor`, `grant SELECT to reader`.
    pub name: String,
    /// What it is set to.
    pub value: String,
    /// The statement that sets it; nothing sets what only a new object can have.
    pub set: Option<String>,
    /// The statement that brings back what it is by itself.
    pub reset: Option<String>,
    /// The object's definition sets it already.
    pub is_inline: bool,
    /// It has to be taken back before it is set to another value.
    pub is_reset_first: bool,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its identity.
    pub id: ObjectId,
    /// The statement that creates it, every name in it with its schema, without a final semicolon. A table's has its
    /// columns with their defaults and NOT NULL, which are also objects of their own.
    pub definition: String,
    /// What makes it another object: where this differs, altering attributes does not help.
    pub(crate) shape: String,
    /// The statement that drops it.
    pub(crate) removal: String,
    /// What can be altered, by name.
    pub attributes: Vec<Attribute>,
    /// What else the kind's own rules look at; see the catalog queries.
    pub(crate) parts: Vec<String>,
    /// The columns of a table or view, in order; of a column, itself.
    pub columns: Vec<Column>,
    /// The table that a foreign key refers to.
    pub refers_to: Option<ObjectId>,
    /// It is what it is because of its table's parent.
    pub(crate) is_inherited: bool,
    /// What has to be there for it, sorted.
    pub depends_on: Vec<ObjectId>,
    /// What its body in quotes speaks of, and should be there before it runs.
    pub(crate) mentions: Vec<ObjectId>,
}

impl Object {
    /// What COMMENT ON says about it.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.attribute("comment").map(|attribute| attribute.value.as_str())
    }

    /// An extension's installed version.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.attribute("version").map(|attribute| attribute.value.as_str())
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// An identity, and the objects of two schemas that have it.
pub(crate) type Pair<'a> = (&'a ObjectId, Option<&'a Object>, Option<&'a Object>);

/// The objects of a database by their identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// Sorted by their identities.
    objects: Vec<Object>,
}

impl Graph {
    /// Every object, by kind and then by name.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }

    /// The objects of one kind, by name.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let first = self.objects.partition_point(|object| object.id.kind < kind);
        self.objects[first..].iter().take_while(move |object| object.id.kind == kind)
    }

    /// The parts of that kind that a table has, by name.
    pub fn parts_of(&self, table: &ObjectId, kind: Kind) -> impl Iterator<Item = &Object> {
        let (schema, table) = (table.schema.clone(), Some(table.name.clone()));
        let first = self
            .objects
            .partition_point(|Object { id, .. }| (id.kind, &id.schema, &id.on_table) < (kind, &schema, &table));
        let is_part = move |id: &ObjectId| (id.kind, &id.schema, &id.on_table) == (kind, &schema, &table);
        self.objects[first..].iter().take_while(move |object| is_part(&object.id))
    }

    /// Every identity of this schema and another with the objects that have it, in order.
    pub(crate) fn beside<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = Pair<'a>> {
        let (mut these, mut others) = (self.objects.iter().peekable(), other.objects.iter().peekable());
        std::iter::from_fn(move || {
            let order = match (these.peek(), others.peek()) {
                (Some(this), Some(other)) => this.id.cmp(&other.id),
                (Some(_), None) => Ordering::Less,
                (None, _) => Ordering::Greater,
            };
            let this = if order.is_le() { these.next() } else { None };
            let other = if order.is_ge() { others.next() } else { None };
            Some((&this.or(other)?.id, this, other))
        })
    }

    /// The objects, to be changed in anything but their identities.
    pub(crate) fn objects_mut(&mut self) -> &mut [Object] {
        &mut self.objects
    }

    /// Gives an object its definition, when all that stands in it is known.
    pub(crate) fn define(&mut self, id: &ObjectId, definition: String) {
        if let Ok(place) = self.place(id) {
            self.objects[place].definition = definition;
        }
    }

    /// The object of that identity.
    #[must_use]
    pub fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.place(id).ok().map(|place| &self.objects[place])
    }

    fn place(&self, id: &ObjectId) -> Result<usize, usize> {
        self.objects.binary_search_by(|object| object.id.cmp(id))
    }
}

impl FromIterator<Object> for Graph {
    /// Of several objects with one identity, the last.
    fn from_iter<T: IntoIterator<Item = Object>>(objects: T) -> Self {
        let objects: Vec<_> = objects.into_iter().collect();
        let mut places: Vec<usize> = (0..objects.len()).rev().collect();
        // They are large: each is moved once.
        places.sort_by(|one, other| objects[*one].id.cmp(&objects[*other].id));
        places.dedup_by(|next, kept| objects[*next].id == objects[*kept].id);
        let mut objects: Vec<_> = objects.into_iter().map(Some).collect();
        Self { objects: places.into_iter().filter_map(|place| objects[place].take()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn kinds_have_names_of_their_own() {
        for (kind, name) in Kind::NAMES {
            assert_eq!((Kind::from_name(name), kind.name()), (Some(kind), name));
        }
        assert!(Kind::NAMES.is_sorted());
    }
}
