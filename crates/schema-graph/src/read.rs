//! Reading a database's objects from its catalogs.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use dbops_postgres::SqlError;
use dbops_postgres::tokio_postgres::types::{ToSql, Type};
use dbops_postgres::tokio_postgres::{Client, IsolationLevel, Row, SimpleQueryMessage, Transaction};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::create::{Names, table_definition};
use crate::object::Attribute;
use crate::{Column, Graph, Kind, Object, ObjectId};

/// Where an object is in the catalogs: the catalog, the row, the column.
type Address = (u32, u32, i32);

type Query = (&'static str, fn(&mut Reading, &Row));

/// The queries and what takes their rows. Those that give objects are all in the same form; the others speak of objects
/// that are there by then.
const QUERIES: [Query; 33] = [
    (include_str!("sql/schemas.sql"), Reading::add),
    (include_str!("sql/extensions.sql"), Reading::add),
    (include_str!("sql/collations.sql"), Reading::add),
    (include_str!("sql/types.sql"), Reading::add),
    (include_str!("sql/foreign.sql"), Reading::add),
    (include_str!("sql/text_search.sql"), Reading::add),
    (include_str!("sql/sequences.sql"), Reading::add),
    (include_str!("sql/functions.sql"), Reading::add),
    (include_str!("sql/aggregates.sql"), Reading::add),
    (include_str!("sql/operators.sql"), Reading::add),
    (include_str!("sql/operator_classes.sql"), Reading::add),
    (include_str!("sql/casts.sql"), Reading::add),
    (include_str!("sql/tables.sql"), Reading::add),
    (include_str!("sql/attachments.sql"), Reading::add),
    (include_str!("sql/defaults.sql"), Reading::add),
    (include_str!("sql/constraints.sql"), Reading::add),
    (include_str!("sql/not_null.sql"), Reading::add),
    (include_str!("sql/sequence_owners.sql"), Reading::add),
    (include_str!("sql/indexes.sql"), Reading::add),
    (include_str!("sql/views.sql"), Reading::add),
    (include_str!("sql/statistics.sql"), Reading::add),
    (include_str!("sql/rules.sql"), Reading::add),
    (include_str!("sql/triggers.sql"), Reading::add),
    (include_str!("sql/policies.sql"), Reading::add),
    (include_str!("sql/event_triggers.sql"), Reading::add),
    (include_str!("sql/publications.sql"), Reading::add),
    (include_str!("sql/default_privileges.sql"), Reading::add),
    (SUBSCRIPTIONS, Reading::add),
    (include_str!("sql/columns.sql"), Reading::add_column),
    (include_str!("sql/addresses.sql"), Reading::add_address),
    (include_str!("sql/privileges.sql"), Reading::add_privilege),
    (include_str!("sql/comments.sql"), Reading::add_comment),
    (include_str!("sql/dependencies.sql"), Reading::add_dependency),
];

/// Only superusers, and whom they let, may read a subscription's connection.
const SUBSCRIPTIONS: &str = include_str!("sql/subscriptions.sql");

const OWNERS: Query = (include_str!("sql/owners.sql"), Reading::add_owner);

/// Catalog queries are short, and estimated much too long: compiling them would take longer than running them. Last
/// comes whether subscriptions may be read.
const SETTINGS: &str = "SET LOCAL search_path = pg_catalog; SET LOCAL jit = off; \
                        SELECT has_column_privilege('pg_subscription', 'subconninfo', 'SELECT')";

/// Queries on their way, so that the server never waits for the next while the rows of one are taken in.
const AHEAD: usize = 3;

/// Reads every object of the database that the client is connected to.
///
/// It all happens in one read-only transaction with nothing but `pg_catalog` in the search path: that is what makes
/// PostgreSQL write every other schema's name out, so that definitions from two sessions can be compared.
///
/// # Errors
///
/// When a query fails or the connection is lost.
pub async fn read(client: &mut Client) -> Result<Graph, SqlError> {
    read_as(client, Owners::LeftOut).await
}

/// Whether it is part of a schema who owns what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owners {
    /// Objects belong to whoever creates them.
    #[default]
    LeftOut,
    /// They are read, compared and set.
    Included,
}

/// Reads every object as [`read`] does, with its owner or without.
///
/// # Errors
///
/// When a query fails or the connection is lost.
pub async fn read_as(client: &mut Client, owners: Owners) -> Result<Graph, SqlError> {
    let transaction =
        client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
    let answers = transaction.simple_query(SETTINGS).await?;
    let may = answers.iter().any(|answer| matches!(answer, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")));
    let queries = QUERIES.into_iter().filter(|(sql, _)| may || *sql != SUBSCRIPTIONS);
    let queries = queries.chain((owners == Owners::Included).then_some(OWNERS));
    let mut reading = Reading::default();
    read_all(&transaction, queries, &mut reading).await?;
    transaction.commit().await?;
    Ok(reading.finish())
}

async fn read_all(
    transaction: &Transaction<'_>,
    queries: impl Iterator<Item = Query>,
    reading: &mut Reading,
) -> Result<(), SqlError> {
    let send = async |(sql, take): Query| {
        let rows = transaction.query_typed_raw(sql, std::iter::empty::<(&(dyn ToSql + Sync), Type)>()).await?;
        Ok::<_, SqlError>((rows, take))
    };
    let mut answers = pin!(stream::iter(queries).map(send).buffered(AHEAD));
    while let Some((rows, take)) = answers.try_next().await? {
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await? {
            take(reading, &row);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Reading {
    objects: Vec<Object>,
    at: HashMap<Address, usize>,
    /// What stands for another object.
    aliases: HashMap<Address, Address>,
    /// Parts of partitions that stand for their parents'.
    children: HashSet<Address>,
    /// Dependencies that the catalogs do not list, or not in this form.
    further: Vec<(usize, Address)>,
    /// Who needs whom.
    edges: Vec<(usize, usize)>,
}

impl Reading {
    fn add(&mut self, row: &Row) {
        let columns = row.columns();
        let has = |name: &str| columns.iter().any(|column| column.name() == name);
        let Some(kind) = Kind::from_name(row.get("kind")) else { return };
        let id = ObjectId { kind, schema: row.get("schema"), on_table: row.get("on_table"), name: row.get("name") };
        let definition: String = row.get::<_, Option<String>>("definition").unwrap_or_default();
        let mut object = Object {
            shape: row.get::<_, Option<String>>("shape").unwrap_or_else(|| definition.clone()),
            definition,
            removal: row.get("removal"),
            attributes: attributes(row.get("attributes")),
            parts: row
                .get::<_, Option<Vec<Option<String>>>>("parts")
                .unwrap_or_default()
                .into_iter()
                .map(Option::unwrap_or_default)
                .collect(),
            columns: Vec::new(),
            refers_to: None,
            is_inherited: false,
            depends_on: Vec::new(),
            mentions: Vec::new(),
            id,
        };
        let index = self.objects.len();
        let address = (row.get("class"), row.get("object"), row.get("sub"));
        if has("is_inherited") {
            object.is_inherited = row.get("is_inherited");
            let parent: Option<u32> = row.get("of_parent");
            self.further.extend(parent.map(|parent| (index, (address.0, parent, 0))));
        }
        if has("refers_to_table") {
            let table = row.get::<_, Option<String>>("refers_to_schema").zip(row.get("refers_to_table"));
            object.refers_to = table.map(|(schema, name)| ObjectId { kind: Kind::Table, schema, on_table: None, name });
            let subs: Option<Vec<i32>> = row.get("column_subs");
            if let Some((table, subs)) = row.get::<_, Option<u32>>("column_object").zip(subs) {
                self.further.extend(subs.into_iter().map(|sub| (index, (PG_CLASS, table, sub))));
            }
        } else if has("column_sub") {
            self.further.push((index, (PG_CLASS, row.get("column_object"), row.get("column_sub"))));
            self.further.push((index, (PG_CLASS, address.1, 0)));
        } else if has("parent") {
            self.further.push((index, (PG_CLASS, row.get("parent"), 0)));
            self.further.push((index, (PG_CLASS, address.1, 0)));
        }
        self.push(address, object);
    }

    fn add_column(&mut self, row: &Row) {
        let column = Column {
            name: row.get("name"),
            identifier: row.get("identifier"),
            data_type: row.get("data_type"),
            not_null: row.get("not_null"),
            default: row.get("default_value"),
            identity: row.get("identity"),
            identity_change: row.get("identity_change"),
            generated: row.get("generated"),
            collation: row.get("collation"),
            storage: row.get("storage"),
            compression: row.get("compression"),
            statistics: row.get("statistics"),
            options: row.get("options"),
            foreign_options: row.get("foreign_options"),
            is_own_type: row.get("is_own_type"),
            comment: row.get("comment"),
        };
        let address = (PG_CLASS, row.get("object"), row.get("sub"));
        // An extension's table is none of ours.
        let Some(relation) = self.at.get(&(address.0, address.1, 0)) else { return };
        let relation = &mut self.objects[*relation];
        relation.columns.push(column.clone());
        if !matches!(relation.id.kind, Kind::Table | Kind::ForeignTable) {
            return;
        }
        let owner = relation.id.clone();
        let alter = relation.removal.replacen("DROP", "ALTER", 1);
        let object = Object {
            id: ObjectId {
                kind: Kind::Column,
                schema: owner.schema.clone(),
                on_table: Some(owner.name.clone()),
                name: column.name.clone(),
            },
            definition: format!("{alter} ADD COLUMN {}", column.clause()),
            shape: String::new(),
            removal: format!("{alter} DROP COLUMN {}", column.identifier),
            attributes: Vec::new(),
            parts: [Some(alter), row.get("identity_sequence")].into_iter().flatten().collect(),
            columns: vec![column],
            refers_to: None,
            is_inherited: row.get("is_inherited"),
            depends_on: vec![owner],
            mentions: Vec::new(),
        };
        self.push(address, object);
    }

    fn push(&mut self, address: Address, object: Object) {
        let index = self.objects.len();
        self.at.insert(address, index);
        self.objects.push(object);
    }

    fn add_address(&mut self, row: &Row) {
        let address = (row.get(0), row.get(1), 0);
        self.aliases.insert(address, (row.get(2), row.get(3), row.get(4)));
        if row.get("is_child") {
            self.children.insert(address);
        }
    }

    fn add_privilege(&mut self, row: &Row) {
        self.add_attribute(row, row.get("name"));
        let address = (row.get("class"), row.get("object"), row.get("sub"));
        // GRANT takes no grant option away.
        let added = self.resolve(address).and_then(|index| self.objects[index].attributes.last_mut());
        if let Some(attribute) = added {
            attribute.is_reset_first = attribute.value == "false";
        }
    }

    fn add_comment(&mut self, row: &Row) {
        let sub: i32 = row.get("sub");
        let address = (row.get("class"), row.get("object"), sub);
        // A view's column is no object of its own.
        let is_own = sub == 0 || self.at.contains_key(&address);
        self.add_attribute(row, if is_own { "comment".into() } else { format!("comment {sub}") });
    }

    fn add_owner(&mut self, row: &Row) {
        // What is part of another object is not owned apart from it.
        if self.at.contains_key(&(row.get("class"), row.get("object"), row.get("sub"))) {
            self.add_attribute(row, "owner".into());
        }
    }

    fn add_attribute(&mut self, row: &Row, name: String) {
        let address = (row.get("class"), row.get("object"), row.get("sub"));
        let Some(index) = self.resolve(address) else { return };
        self.objects[index].attributes.push(Attribute {
            name,
            value: row.get("value"),
            set: row.get("set"),
            reset: row.get("reset"),
            is_inline: false,
            is_reset_first: false,
        });
    }

    fn add_dependency(&mut self, row: &Row) {
        if self.children.contains(&(row.get(0), row.get(1), 0)) {
            return;
        }
        let object = self.resolve((row.get(0), row.get(1), row.get(2)));
        let needs = self.resolve((row.get(3), row.get(4), row.get(5)));
        self.edges.extend(object.zip(needs));
    }

    fn connect(&mut self) {
        let mut edges = std::mem::take(&mut self.edges);
        edges.extend(self.further.iter().filter_map(|(index, address)| Some((*index, self.resolve(*address)?))));
        edges.sort_unstable();
        edges.dedup();
        for (object, needs) in edges {
            let (kind, needs) = (self.objects[object].id.kind, &self.objects[needs].id);
            // Partitions and children say so by an object of their own.
            let is_parent = matches!(kind, Kind::Table | Kind::ForeignTable)
                && matches!(needs.kind, Kind::Table | Kind::ForeignTable);
            if *needs != self.objects[object].id && !is_parent {
                let needs = needs.clone();
                self.objects[object].depends_on.push(needs);
            }
        }
    }

    /// The object at an address, or the one that it is part of.
    fn resolve(&self, address: Address) -> Option<usize> {
        let mut address = address;
        for _ in 0..8 {
            if let Some(index) = self.at.get(&address) {
                return Some(*index);
            }
            let (class, object, sub) = address;
            address = match self.aliases.get(&(class, object, 0)) {
                Some(other) => *other,
                None if sub != 0 => (class, object, 0),
                None => return None,
            };
        }
        None
    }

    fn finish(mut self) -> Graph {
        self.connect();
        let mut graph: Graph = self.objects.into_iter().collect();
        crate::implied::add(&mut graph);
        for object in graph.objects_mut() {
            object.depends_on.sort();
            object.depends_on.dedup();
            object.attributes.sort_by(|one, other| one.name.cmp(&other.name));
        }
        let tables = [Kind::Table, Kind::ForeignTable].into_iter().flat_map(|kind| graph.of_kind(kind));
        let define = |table: &Object| {
            (table.id.clone(), table_definition(&graph, table, &|id| id.kind != Kind::Constraint, Names::Needed))
        };
        let definitions: Vec<_> = tables.map(define).collect();
        for (id, definition) in definitions {
            graph.define(&id, definition);
        }
        graph
    }
}

/// The row of pg_class in itself: the same in every PostgreSQL.
const PG_CLASS: u32 = 1259;

fn attributes(flat: Option<Vec<Option<String>>>) -> Vec<Attribute> {
    let flat = flat.unwrap_or_default();
    let attribute = |items: &[Option<String>]| {
        let [name, value, set, reset, how] = items else { return None };
        let how = how.as_deref().unwrap_or_default();
        Some(Attribute {
            name: name.clone()?,
            value: value.clone().unwrap_or_default(),
            set: set.clone(),
            reset: reset.clone(),
            is_inline: how.contains("inline"),
            is_reset_first: how.contains("reset first"),
        })
    };
    flat.chunks(5).filter_map(attribute).collect()
}
