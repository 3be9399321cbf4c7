//! The PostgreSQL table that a collection's points come from, as it is declared.

use std::collections::BTreeMap;

/// The key of a payload under which a point keeps the mark of the row that it was made of.
pub const MARK: &str = "_dbops";

/// A table or view, and what of it becomes what of a point.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSpec {
    /// The PostgreSQL target that has it.
    pub target: String,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub table: String,
    /// The columns that tell its rows apart, of which the point's id is made.
    pub key: Vec<String>,
    /// The column of each vector; the vector without a name has the empty one.
    pub vectors: BTreeMap<String, String>,
    /// What the payload holds: a path such as `metadata.source`, and the column.
    pub payload: Vec<(String, String)>,
    /// The column with the time of a row's last change, if it has one.
    pub updated: Option<String>,
}
