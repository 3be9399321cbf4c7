//! What can go wrong between a table and a collection, with what to do about it.

use dbops_postgres::tokio_postgres::Error as DriverError;
use dbops_postgres::{ConnectError, SqlError};

/// Why a table and a collection could not be compared or brought together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The table cannot be read.
    #[error("cannot read {table}")]
    Sql {
        /// The table.
        table: String,
        /// What the server said.
        source: Box<SqlError>,
    },
    /// There is no such table.
    #[error("there is no table {table} in the database {database}")]
    NoTable {
        /// The table.
        table: String,
        /// The database.
        database: String,
    },
    /// The table has no such column.
    #[error("{table} has no column `{column}`")]
    NoColumn {
        /// The table.
        table: String,
        /// What was declared.
        column: String,
        /// What there is.
        columns: Vec<String>,
    },
    /// The column holds no vectors.
    #[error("the column `{column}` of {table} is of type {kind}, which is no vector")]
    NoVector {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
    /// The table cannot be searched.
    #[error("the database {0} has no pgvector to search with")]
    NoPgvector(String),
    /// Nothing says that the key tells rows apart.
    #[error("{table} has no unique index on {columns}")]
    NotUnique {
        /// The table.
        table: String,
        /// The columns of the key.
        columns: String,
    },
    /// Two rows would be one point.
    #[error("two rows of {table} have the key {key}")]
    Twice {
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
    /// A row that cannot be a point.
    #[error("the row {key} of {table} {reason}")]
    Row {
        /// The table.
        table: String,
        /// The row's key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process synchronises the same collection.
    #[error("{0} is being synchronised by another process")]
    Locked(String),
    /// The collection is not on the server.
    #[error("there is no collection {0} on the server")]
    NoCollection(String),
    /// More points would go than is likely to be meant.
    #[error("{extra} of the {points} points of {collection} have no row in {table}, and would be deleted")]
    ManyDeletes {
        /// The collection.
        collection: String,
        /// The table.
        table: String,
        /// How many have none.
        extra: u64,
        /// How many there are.
        points: u64,
    },
    /// Qdrant refuses.
    #[error(transparent)]
    Qdrant(#[from] dbops_qdrant::Error),
}

impl Error {
    /// For what the server of the table says.
    pub(crate) fn sql(table: &str) -> impl Fn(DriverError) -> Self + use<> {
        let table = table.to_owned();
        move |error| Self::Sql { table: table.clone(), source: Box::new(SqlError::from(error)) }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Connect(error) => error.hint(),
            Self::Qdrant(error) => return error.hint(),
            Self::Sql { source, .. } => match source.sqlstate.as_deref() {
                Some("42501") => "let the user read it: GRANT SELECT ON … TO …".into(),
                _ => return source.server_hint.clone(),
            },
            Self::NoTable { .. } => {
                "correct `from` in the file of the collections: `schema` is public unless it says".into()
            }
            Self::NoColumn { columns, .. } => format!("it has {}", columns.join(", ")),
            Self::NoVector { .. } => "name a column of type vector, halfvec, sparsevec, real[] or double precision[], or an array of the first two".into(),
            Self::NoPgvector(_) => "create the extension: CREATE EXTENSION vector".into(),
            Self::NotUnique { .. } => "name the columns of the primary key, or create a unique index on these".into(),
            Self::Twice { .. } => "name columns that tell its rows apart".into(),
            Self::Row { .. } => "correct the row, or leave it out by way of a view".into(),
            Self::Locked(_) => "wait until it has ended, then try again".into(),
            Self::NoCollection(_) => "create it with `dbops qdrant apply`".into(),
            Self::ManyDeletes { .. } => {
                "nothing was changed; look at both sides with `dbops qdrant verify`, and if they are to \
                                         go, pass --allow-deletes"
                    .into()
            }
        })
    }
}
