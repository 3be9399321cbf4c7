//! What a picture shows of schemas, whatever its format: tables in groups, and lines between them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::key::column_lists;
use super::text::short_type;
use crate::{Graph, Kind, Object, ObjectId};

/// Tables and what leads from one to another, in the order of their names.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    /// The names of the groups.
    pub(super) groups: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) links: Vec<Link>,
}

/// A table, a foreign table or a view.
#[derive(Debug)]
pub(super) struct Table {
    /// Its place among the groups.
    pub(super) group: usize,
    pub(super) name: String,
    /// What it is, when it is more than a table.
    pub(super) note: Option<String>,
    pub(super) is_view: bool,
    pub(super) comment: Option<String>,
    pub(super) rows: Vec<Row>,
}

/// A column.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) not_null: bool,
    pub(super) is_primary: bool,
    pub(super) is_foreign: bool,
    pub(super) comment: Option<String>,
}

/// A line from one table to another.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) kind: LinkKind,
    pub(super) from: End,
    pub(super) to: End,
    /// At most one row has each value.
    pub(super) is_unique: bool,
    /// It may be NULL.
    pub(super) is_optional: bool,
    /// The columns of a foreign key, or what else the line says.
    pub(super) label: String,
}

/// Why there is a line. The order is that of drawing: foreign keys come last, above the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LinkKind {
    /// A view's query looks there.
    Reads,
    /// A child by inheritance.
    Inherits,
    ForeignKey,
}

/// Where a line ends: at a column, or at the table's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) table: usize,
    pub(super) row: Option<usize>,
}

impl Drawing {
    /// Draws schemas, each with the name of the database that it is of; the names are told apart by it when there are
    /// several.
    pub(super) fn new(schemas: &[(&str, &Graph)]) -> Self {
        let mut drawing = Self::default();
        for (name, graph) in schemas {
            drawing.add(graph, if schemas.len() > 1 { Some(name) } else { None });
        }
        drawing.links.sort_by_key(|link| (link.kind, link.to, link.from));
        drawing
    }

    /// A table's name with its group's.
    pub(super) fn full_name(&self, table: &Table) -> String {
        format!("{}.{}", self.groups[table.group], table.name)
    }

    fn add(&mut self, graph: &Graph, database: Option<&str>) {
        let shown = [Kind::Table, Kind::ForeignTable, Kind::View, Kind::MaterializedView];
        let families = Families::new(graph);
        let mut objects: Vec<_> = shown.into_iter().flat_map(|kind| graph.of_kind(kind)).collect();
        objects.retain(|object| !families.partition_of.contains_key(&name_of(&object.id)));
        objects.sort_by_key(|object| (&object.id.schema, &object.id.name));
        let mut at = HashMap::new();
        let first_group = self.groups.len();
        for object in &objects {
            let group = database.map_or(object.id.schema.clone(), |name| format!("{name}.{}", object.id.schema));
            if self.groups[first_group..].last() != Some(&group) {
                self.groups.push(group);
            }
            at.insert(name_of(&object.id), self.tables.len());
            let partitions = families.sizes.get(&name_of(&object.id)).copied().unwrap_or_default();
            self.tables.push(table(object, self.groups.len() - 1, partitions));
        }
        let places = Places { at, families };
        for object in objects {
            self.add_keys(graph, object, &places);
            self.add_sources(object, &places);
        }
    }

    fn add_keys(&mut self, graph: &Graph, object: &Object, places: &Places) {
        let Some(table) = places.find(name_of(&object.id)) else { return };
        let constraints: Vec<_> = graph.parts_of(&object.id, Kind::Constraint).collect();
        let kind = |constraint: &Object, kind: &str| constraint.parts.first().is_some_and(|it| it == kind);
        for key in constraints.iter().filter(|it| kind(it, "p")) {
            for row in self.rows(table, column_lists(&key.parts[2]).first()) {
                self.tables[table].rows[row].is_primary = true;
            }
        }
        let unique = uniques(graph, object);
        for key in constraints.iter().filter(|it| kind(it, "f")) {
            let Some(to) = key.refers_to.as_ref().and_then(|id| places.find(name_of(id))) else { continue };
            let lists = column_lists(&key.parts[2]);
            let (from_rows, to_rows) = (self.rows(table, lists.first()), self.rows(to, lists.get(1)));
            let columns: BTreeSet<_> = lists.first().into_iter().flatten().collect();
            for row in &from_rows {
                self.tables[table].rows[*row].is_foreign = true;
            }
            self.links.push(Link {
                kind: LinkKind::ForeignKey,
                from: End { table, row: from_rows.first().copied() },
                to: End { table: to, row: to_rows.first().copied() },
                is_unique: unique.iter().any(|key| key.iter().all(|column| columns.contains(column))),
                is_optional: from_rows.iter().any(|row| !self.tables[table].rows[*row].not_null),
                label: lists.first().map(|columns| columns.join(", ")).unwrap_or_default(),
            });
        }
    }

    /// What a view reads, and what a child inherits from.
    fn add_sources(&mut self, object: &Object, places: &Places) {
        let own = name_of(&object.id);
        let Some(table) = places.find(own) else { return };
        let is_view = matches!(object.id.kind, Kind::View | Kind::MaterializedView);
        let (kind, label) = if is_view { (LinkKind::Reads, "reads") } else { (LinkKind::Inherits, "inherits") };
        let sources: BTreeSet<_> = if is_view {
            object.depends_on.iter().filter_map(|id| places.find(relation_of(id)?)).collect()
        } else {
            let parents = places.families.parents.get(&own).into_iter().flatten();
            parents.filter_map(|parent| places.find(*parent)).collect()
        };
        for source in sources.into_iter().filter(|source| *source != table) {
            self.links.push(Link {
                kind,
                from: End { table, row: None },
                to: End { table: source, row: None },
                is_unique: false,
                is_optional: false,
                label: label.to_owned(),
            });
        }
    }

    fn rows(&self, table: usize, columns: Option<&Vec<String>>) -> Vec<usize> {
        let rows = &self.tables[table].rows;
        let row = |name: &String| rows.iter().position(|row| row.name == *name);
        columns.into_iter().flatten().filter_map(row).collect()
    }
}

/// A relation's schema and name.
type Name<'a> = (&'a str, &'a str);

fn name_of(id: &ObjectId) -> Name<'_> {
    (&id.schema, &id.name)
}

/// The relation that an object is, or is a column of.
fn relation_of(id: &ObjectId) -> Option<Name<'_>> {
    match id.kind {
        Kind::Column => Some((&id.schema, id.on_table.as_deref()?)),
        Kind::Table | Kind::ForeignTable | Kind::View | Kind::MaterializedView => Some(name_of(id)),
        _ => None,
    }
}

/// Where the tables of one schema are in the drawing; partitions are where their parents are.
struct Places<'a> {
    at: HashMap<Name<'a>, usize>,
    families: Families<'a>,
}

impl<'a> Places<'a> {
    fn find(&self, name: Name<'a>) -> Option<usize> {
        self.at.get(&self.families.root(name)).copied()
    }
}

/// Partitions with their parents, and children by inheritance with theirs.
struct Families<'a> {
    partition_of: BTreeMap<Name<'a>, Name<'a>>,
    parents: BTreeMap<Name<'a>, Vec<Name<'a>>>,
    /// How many partitions a table has, those of its partitions included.
    sizes: HashMap<Name<'a>, usize>,
}

impl<'a> Families<'a> {
    fn new(graph: &'a Graph) -> Self {
        let (mut partition_of, mut parents) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for link in graph.of_kind(Kind::Parent) {
            let Some(child) = link.id.on_table.as_deref().map(|name| (link.id.schema.as_str(), name)) else { continue };
            let others = link.depends_on.iter().filter(|id| matches!(id.kind, Kind::Table | Kind::ForeignTable));
            let Some(parent) = others.map(name_of).find(|name| *name != child) else { continue };
            if link.definition.contains(" ATTACH PARTITION ") {
                partition_of.insert(child, parent);
            } else {
                parents.entry(child).or_default().push(parent);
            }
        }
        let mut families = Self { partition_of, parents, sizes: HashMap::new() };
        let roots: Vec<_> = families.partition_of.keys().map(|name| families.root(*name)).collect();
        for root in roots {
            *families.sizes.entry(root).or_default() += 1;
        }
        families
    }

    fn root(&self, name: Name<'a>) -> Name<'a> {
        std::iter::successors(Some(name), |name| self.partition_of.get(name).copied()).last().unwrap_or(name)
    }
}

fn table(object: &Object, group: usize, partitions: usize) -> Table {
    let kind = (object.id.kind != Kind::Table).then(|| object.id.kind.name().to_owned());
    let parts = match partitions {
        0 => None,
        1 => Some("1 partition".to_owned()),
        many => Some(format!("{many} partitions")),
    };
    let row = |column: &crate::Column| Row {
        name: column.name.clone(),
        data_type: short_type(&column.data_type),
        not_null: column.not_null,
        is_primary: false,
        is_foreign: false,
        comment: column.comment.clone(),
    };
    Table {
        group,
        name: object.id.name.clone(),
        note: kind.or(parts),
        is_view: matches!(object.id.kind, Kind::View | Kind::MaterializedView),
        comment: object.comment().map(ToOwned::to_owned),
        rows: object.columns.iter().map(row).collect(),
    }
}

/// The columns of which no two rows have the same values: those of keys and of unique indexes over all rows.
fn uniques(graph: &Graph, table: &Object) -> Vec<Vec<String>> {
    let is_key = |it: &&Object| it.parts.first().is_some_and(|kind| kind == "p" || kind == "u");
    let keys = graph.parts_of(&table.id, Kind::Constraint).filter(is_key).map(|key| &key.parts[2]);
    let is_unique =
        |it: &&Object| it.definition.starts_with("CREATE UNIQUE INDEX ") && !it.definition.contains(" WHERE ");
    let indexes = graph.parts_of(&table.id, Kind::Index).filter(is_unique).map(|index| &index.definition);
    keys.chain(indexes).filter_map(|clause| column_lists(clause).into_iter().next()).collect()
}
