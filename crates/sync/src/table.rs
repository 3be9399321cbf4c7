//! The table that is read: its columns, and the queries for what of it is wanted.

use std::collections::BTreeMap;
use std::fmt::Write;

use dbops_postgres::tokio_postgres::{Client, Row};
use dbops_postgres::{quote_identifier, quote_literal};
use dbops_qdrant::SourceSpec;
use serde_json::Value;

use crate::Error;

const COLUMNS: &str = include_str!("columns.sql");
const UNIQUE: &str = include_str!("unique.sql");
/// A function takes no more than 100 arguments.
const PAIRS: usize = 40;

/// What the id of a point is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// The number in one column.
    Number,
    /// The UUID in one column.
    Uuid,
    /// Any other column, or several, as text.
    Text,
}

/// How the numbers of a vector come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As pgvector sends them.
    Vector,
    /// As a `real[]`, of two dimensions where there are several.
    Array,
    /// As an array of pgvector's.
    Vectors,
    /// As pgvector sends a `sparsevec`.
    Sparse,
}

/// How rows are compared by a vector, all as it is written in SQL.
pub(crate) struct Comparison {
    pub(crate) column: String,
    /// What is compared, and the type of what with.
    pub(crate) value: String,
    pub(crate) kind: String,
    /// The schema of pgvector's operators.
    pub(crate) schema: String,
}

/// A table and the expressions over it.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// As it is written in SQL.
    pub(crate) name: String,
    pub(crate) key: KeyKind,
    /// The vectors by name, with the form that each comes in.
    pub(crate) vectors: Vec<(String, Form)>,
    /// How many numbers the collection's dense vectors have, where there is a collection.
    pub(crate) sizes: BTreeMap<String, u64>,
    /// The paths in the payload, the shorter ones first.
    pub(crate) paths: Vec<String>,
    /// Whether its pages can be divided among sessions.
    pub(crate) has_pages: bool,
    /// Whether the key is of several columns.
    is_composite: bool,
    key_column: String,
    pub(crate) key_value: String,
    /// What follows the key in a whole row: the payload, and each vector.
    rest: String,
    has_vector: String,
    updated: Option<String>,
    /// pgvector's schema.
    vector_schema: Option<String>,
    /// The column of each vector and its type.
    columns: BTreeMap<String, (String, String)>,
}

struct Column {
    name: String,
    kind: String,
    shown: String,
}

impl Table {
    /// Looks at the table that is declared.
    pub(crate) async fn find(client: &Client, database: &str, source: &SourceSpec) -> Result<Self, Error> {
        let name = format!("{}.{}", quote_identifier(&source.schema), quote_identifier(&source.table));
        let failed = Error::sql(&name);
        let rows = client.query(COLUMNS, &[&source.schema, &source.table]).await.map_err(&failed)?;
        let Some(first) = rows.first() else { return Err(Error::NoTable { table: name, database: database.into() }) };
        let relation: u32 = first.try_get("oid").map_err(&failed)?;
        let relation_kind: String = first.try_get("kind").map_err(&failed)?;
        let vector_schema: Option<String> = first.try_get("vector_schema").map_err(&failed)?;
        let columns = rows.iter().map(column).collect::<Result<Vec<_>, _>>().map_err(&failed)?;
        let table = Columns { table: &name, columns };

        let keys = source.key.iter().map(|key| table.find(key)).collect::<Result<Vec<_>, _>>()?;
        if matches!(relation_kind.as_str(), "r" | "p" | "m") {
            let row = client.query_one(UNIQUE, &[&relation, &source.key]).await.map_err(&failed)?;
            if !row.try_get::<_, bool>(0).map_err(&failed)? {
                return Err(Error::NotUnique { table: name, columns: source.key.join(", ") });
            }
        }
        let (key, key_column, key_value) = key(&keys);
        let mut vectors = Vec::new();
        let mut expressions = Vec::new();
        let mut kinds = BTreeMap::new();
        for (vector, column) in &source.vectors {
            let (form, expression) = vector_of(table.find(column)?, vector_schema.as_deref(), &name)?;
            vectors.push((vector.clone(), form));
            kinds.insert(vector.clone(), (quote_identifier(column), table.find(column)?.kind.clone()));
            expressions.push(expression);
        }
        let columns: Vec<_> = source.vectors.values().map(|column| quote_identifier(column)).collect();
        let mut payload = source.payload.clone();
        payload.sort_by_key(|(path, _)| path.matches('.').count());
        for (_, column) in &payload {
            table.find(column)?;
        }
        let updated = source.updated.as_ref().map(|column| table.find(column)).transpose()?;
        Ok(Self {
            key,
            vectors,
            sizes: BTreeMap::new(),
            is_composite: keys.len() > 1,
            paths: payload.iter().map(|(path, _)| path.clone()).collect(),
            has_pages: relation_kind == "r",
            key_column,
            key_value,
            vector_schema,
            columns: kinds,
            rest: [vec![payload_expression(&payload)], expressions].concat().join(", "),
            has_vector: columns.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" OR "),
            updated: updated.map(|column| quote_identifier(&column.name)),
            name,
        })
    }

    /// Whole rows for which `condition` holds.
    pub(crate) fn rows(&self, condition: &str) -> String {
        format!(
            "SELECT {}, {} FROM {} WHERE ({}) AND ({condition})",
            self.key_value, self.rest, self.name, self.has_vector
        )
    }

    /// Whole rows, in the order of their points' ids where the key is a number or a UUID.
    pub(crate) fn rows_in_order(&self) -> String {
        self.ordered(self.rows("true"))
    }

    /// The keys of all rows, in the same order.
    pub(crate) fn keys_in_order(&self) -> String {
        self.ordered(format!("SELECT {} FROM {} WHERE {}", self.key_value, self.name, self.has_vector))
    }

    /// The number of rows that are points.
    pub(crate) fn count(&self) -> String {
        format!("SELECT pg_catalog.count(*) FROM {} WHERE {}", self.name, self.has_vector)
    }

    /// That a row was changed since a time, or has one of these keys.
    pub(crate) fn changed(&self, since: &str) -> Option<String> {
        let updated = self.updated.as_ref()?;
        Some(format!("{updated} IS NULL OR {updated} >= {}", quote_literal(since)))
    }

    /// That a row has one of these keys, as text.
    pub(crate) fn has_key(&self, keys: &[String]) -> String {
        let keys: Vec<_> = keys.iter().map(|key| quote_literal(key)).collect();
        format!("{} IN ({})", self.key_column, keys.join(", "))
    }

    /// That a row has the key that somebody wrote: that of several columns is a JSON array, spaced as they like, with
    /// numbers in quotes or without.
    pub(crate) fn has_written_key(&self, key: &str) -> String {
        let parts = if self.is_composite { serde_json::from_str::<Vec<Value>>(key).ok() } else { None };
        let Some(parts) = parts else { return self.has_key(&[key.to_owned()]) };
        let texts = parts.iter().map(|part| match part {
            Value::Null => "NULL::pg_catalog.text".to_owned(),
            Value::String(text) => format!("{}::pg_catalog.text", quote_literal(text)),
            other => format!("{}::pg_catalog.text", quote_literal(&other.to_string())),
        });
        format!("{} = {}", self.key_column, key_of_texts(&texts.collect::<Vec<_>>()))
    }

    /// What it takes to compare the rows by one of their vectors.
    pub(crate) fn comparison(&self, vector: &str) -> Option<Comparison> {
        let schema = quote_identifier(self.vector_schema.as_ref()?);
        let (column, kind) = self.columns.get(vector)?;
        let (value, kind) = match kind.as_str() {
            "vector" | "halfvec" => (column.clone(), format!("{schema}.{kind}")),
            _ => (format!("{column}::{schema}.vector"), format!("{schema}.vector")),
        };
        Some(Comparison { column: column.clone(), value, kind, schema })
    }

    /// What tells one way of making points of rows from another.
    pub(crate) fn description(&self) -> String {
        format!("{:?} {} {:?}", self.paths, self.rows("true"), self.vectors)
    }

    fn ordered(&self, query: String) -> String {
        if self.key == KeyKind::Text { query } else { format!("{query} ORDER BY {}", self.key_column) }
    }
}

/// What the columns are, for the messages about them.
struct Columns<'a> {
    table: &'a str,
    columns: Vec<Column>,
}

impl Columns<'_> {
    fn find(&self, name: &str) -> Result<&Column, Error> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| Error::NoColumn {
            table: self.table.into(),
            column: name.into(),
            columns: self.columns.iter().map(|column| column.name.clone()).collect(),
        })
    }
}

fn column(row: &Row) -> Result<Column, dbops_postgres::tokio_postgres::Error> {
    Ok(Column { name: row.try_get("name")?, kind: row.try_get("type")?, shown: row.try_get("shown")? })
}

/// The kind of the key; what rows are ordered and chosen by; what is read of it.
fn key(columns: &[&Column]) -> (KeyKind, String, String) {
    if let [column] = columns {
        let name = quote_identifier(&column.name);
        return match column.kind.as_str() {
            "int2" | "int4" | "int8" => (KeyKind::Number, name.clone(), format!("{name}::pg_catalog.int8")),
            "uuid" => (KeyKind::Uuid, name.clone(), name),
            _ => (KeyKind::Text, format!("{name}::pg_catalog.text"), format!("{name}::pg_catalog.text")),
        };
    }
    let texts: Vec<_> =
        columns.iter().map(|column| format!("{}::pg_catalog.text", quote_identifier(&column.name))).collect();
    let whole = key_of_texts(&texts);
    (KeyKind::Text, whole.clone(), whole)
}

/// The key of several columns.
fn key_of_texts(texts: &[String]) -> String {
    format!("pg_catalog.jsonb_build_array({})::pg_catalog.text", texts.join(", "))
}

fn vector_of(column: &Column, vector_schema: Option<&str>, table: &str) -> Result<(Form, String), Error> {
    let name = quote_identifier(&column.name);
    match (column.kind.as_str(), vector_schema) {
        ("vector", Some(_)) => Ok((Form::Vector, name)),
        ("halfvec", Some(schema)) => Ok((Form::Vector, format!("{name}::{}.vector", quote_identifier(schema)))),
        ("_vector" | "_halfvec", Some(schema)) => {
            Ok((Form::Vectors, format!("{name}::{}.vector[]", quote_identifier(schema))))
        }
        ("sparsevec", Some(_)) => Ok((Form::Sparse, name)),
        ("_float4" | "_float8", _) => Ok((Form::Array, format!("{name}::pg_catalog.float4[]"))),
        _ => Err(Error::NoVector { table: table.into(), column: column.name.clone(), kind: column.shown.clone() }),
    }
}

/// One object with a value for each path. jsonb has one way of writing the same thing.
fn payload_expression(payload: &[(String, String)]) -> String {
    let mut text = String::from("('{}'::pg_catalog.jsonb");
    for pairs in payload.chunks(PAIRS) {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(path, column)| format!("{}, {}", quote_literal(path), quote_identifier(column)))
            .collect();
        let _ = write!(text, " || pg_catalog.jsonb_build_object({})", pairs.join(", "));
    }
    text + ")::pg_catalog.text"
}
