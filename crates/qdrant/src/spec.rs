//! A collection as it is declared. What is left out is the server's to choose, and is not compared.

use std::collections::BTreeMap;
use std::fmt;

/// A declared collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionSpec {
    /// Its own name.
    pub name: String,
    /// The name that applications use.
    pub alias: Option<String>,
    /// The dense vectors by name. A collection with one vector without a name has it under the empty name, as in
    /// Qdrant itself.
    pub vectors: BTreeMap<String, VectorSpec>,
    /// Whether payloads stay on disk.
    pub on_disk_payload: Option<bool>,
    /// The graph index over the vectors.
    pub hnsw: HnswSpec,
    /// The payload indexes: path to type.
    pub payload_indexes: BTreeMap<String, IndexType>,
}

/// One dense vector of every point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorSpec {
    /// Its dimensions.
    pub size: u64,
    /// How two are compared.
    pub distance: Distance,
    /// Whether the vectors stay on disk.
    pub on_disk: Option<bool>,
}

/// The parameters of the graph index that a declaration may set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HnswSpec {
    /// Links per point.
    pub m: Option<u64>,
    /// Candidates that are looked at while the graph is built.
    pub ef_construct: Option<u64>,
}

/// How two vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Qdrant's own names")]
pub enum Distance {
    Cosine,
    Dot,
    Euclid,
    Manhattan,
}

impl Distance {
    /// All of them, as they are offered to the user.
    pub const ALL: [Self; 4] = [Self::Cosine, Self::Dot, Self::Euclid, Self::Manhattan];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "Cosine",
            Self::Dot => "Dot",
            Self::Euclid => "Euclid",
            Self::Manhattan => "Manhattan",
        }
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a payload index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Qdrant's own names")]
pub enum IndexType {
    Keyword,
    Integer,
    Float,
    Bool,
    Datetime,
    Uuid,
    Text,
    Geo,
}

impl IndexType {
    /// All of them, as they are offered to the user.
    pub const ALL: [Self; 8] =
        [Self::Keyword, Self::Integer, Self::Float, Self::Bool, Self::Datetime, Self::Uuid, Self::Text, Self::Geo];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Datetime => "datetime",
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Geo => "geo",
        }
    }
}

impl fmt::Display for IndexType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
