//! The rows nearest to a vector, by pgvector, and how well the indexes of both sides find them.

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, connect};
use dbops_qdrant::{Distance, Id, PointVector, SourceSpec, Vectors};
use futures_util::StreamExt;

use crate::Error;
use crate::row::Key;
use crate::session::{BEGIN, Session, keys, rows};
use crate::table::Comparison;

/// Without indexes every row is compared.
const NO_INDEX: &str = "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; \
                        SET LOCAL enable_bitmapscan = off";

/// A row that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The id of its point.
    pub id: Id,
    /// Its key.
    pub key: String,
}

/// A table that is searched by one of its vectors.
pub struct Searched {
    session: Session,
    /// Of a session that uses no index.
    exact: Client,
    comparison: Comparison,
    /// Which of pgvector's operators compares.
    operator: &'static str,
    vector: String,
}

impl Searched {
    /// Opens the table of a collection for searches by the vector of this name.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or has no pgvector, or the table is not as declared.
    pub async fn open(url: &DatabaseUrl, source: &SourceSpec, vector: &str, distance: Distance) -> Result<Self, Error> {
        let session = Session::begin(url, source).await?;
        let name = session.table.name.clone();
        let comparison = session.table.comparison(vector);
        let comparison = comparison.ok_or_else(|| Error::NoPgvector(url.database().into()))?;
        let operator = match distance {
            Distance::Cosine => "<=>",
            Distance::Dot => "<#>",
            Distance::Euclid => "<->",
            Distance::Manhattan => "<+>",
        };
        let exact = connect(url).await?;
        let begin = format!("{BEGIN}; {NO_INDEX}");
        exact.batch_execute(&begin).await.map_err(Error::sql(&name))?;
        Ok(Self { session, exact, comparison, operator, vector: vector.into() })
    }

    /// The nearest rows, the nearest first; with `exact` every row is compared.
    ///
    /// # Errors
    ///
    /// When the vector has another dimension than the column.
    pub async fn nearest(&self, vector: &[f32], limit: u64, exact: bool) -> Result<Vec<Hit>, Error> {
        let client = if exact { &self.exact } else { &self.session.client };
        let query = self.query(vector, limit);
        let mut keys = keys(client, &self.session.table, &query).await?;
        let mut hits = Vec::new();
        while let Some(key) = keys.next().await {
            let key: Key = key?;
            hits.push(Hit { id: key.id, key: key.text() });
        }
        Ok(hits)
    }

    /// The index that a search takes; `None` when it compares every row.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn index(&self, vector: &[f32], limit: u64) -> Result<Option<String>, Error> {
        let failed = Error::sql(&self.session.table.name);
        let query = format!("EXPLAIN (FORMAT JSON) {}", self.query(vector, limit));
        let row = self.session.client.query_one(&query, &[]).await.map_err(&failed)?;
        let plan: serde_json::Value = row.try_get(0).map_err(&failed)?;
        Ok(index_of(&plan))
    }

    /// The vector of the row with this key; a key of several columns is a JSON array.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn vector_of(&self, key: &str) -> Result<Option<Vec<f32>>, Error> {
        let table = &self.session.table;
        let query = table.rows(&table.has_written_key(key));
        let found = rows(&self.session.client, table, &query).await?.next().await.transpose()?;
        let vectors: Option<Vectors> = found.map(|row| row.vectors(table)).transpose()?;
        Ok(vectors.and_then(|mut vectors| vectors.remove(&self.vector)).and_then(PointVector::dense))
    }

    /// The ids and vectors of some rows, chosen at random.
    ///
    /// # Errors
    ///
    /// When the table cannot be read.
    pub async fn sample(&self, count: u64) -> Result<Vec<(Id, Vec<f32>)>, Error> {
        let table = &self.session.table;
        let condition = format!("{} IS NOT NULL", self.comparison.column);
        let query = format!("{} ORDER BY pg_catalog.random() LIMIT {count}", table.rows(&condition));
        let mut stream = rows(&self.session.client, table, &query).await?;
        let mut sample = Vec::new();
        while let Some(row) = stream.next().await {
            let row = row?;
            if let Some(vector) = row.vectors(table)?.remove(&self.vector).and_then(PointVector::dense) {
                sample.push((row.key.id, vector));
            }
        }
        Ok(sample)
    }

    fn query(&self, vector: &[f32], limit: u64) -> String {
        let numbers: Vec<_> = vector.iter().map(f32::to_string).collect();
        let Comparison { column, value, kind, schema } = &self.comparison;
        let table = &self.session.table;
        format!(
            "SELECT {} FROM {} WHERE {column} IS NOT NULL ORDER BY {value} OPERATOR({schema}.{}) '[{}]'::{kind} LIMIT {limit}",
            table.key_value,
            table.name,
            self.operator,
            numbers.join(",")
        )
    }
}

/// The first index in a plan.
fn index_of(plan: &serde_json::Value) -> Option<String> {
    match plan {
        serde_json::Value::Object(node) => {
            let name = node.get("Index Name").and_then(|name| name.as_str()).map(ToOwned::to_owned);
            name.or_else(|| node.values().find_map(index_of))
        }
        serde_json::Value::Array(nodes) => nodes.iter().find_map(index_of),
        _ => None,
    }
}
