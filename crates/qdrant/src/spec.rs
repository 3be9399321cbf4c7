//! A collection as it is declared. What is left out is the server's to choose, and is not compared.

use std::collections::BTreeMap;
use std::fmt;

use crate::SourceSpec;
use crate::parameter::{Fields, Parameter, Scope, Value, parameters};

/// A declared collection.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CollectionSpec {
    /// Its own name.
    pub name: String,
    /// The name that applications use.
    pub alias: Option<String>,
    /// The dense vectors by name. A collection with one vector without a name has it under the empty name, as in
    /// Qdrant itself.
    pub vectors: BTreeMap<String, Settings>,
    /// The sparse vectors by name.
    pub sparse_vectors: BTreeMap<String, Settings>,
    /// The parameters of the collection itself.
    pub settings: Settings,
    /// The payload indexes by path.
    pub payload_indexes: BTreeMap<String, IndexSpec>,
    /// The table that its points come from.
    pub source: Option<SourceSpec>,
}

/// An index over a payload key.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexSpec {
    /// What it holds.
    pub index_type: IndexType,
    /// Its parameters.
    pub settings: Settings,
}

/// The values of parameters by their paths, as far as they are given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings(BTreeMap<&'static str, Value>);

impl Settings {
    /// The value of the parameter at `path`, such as `hnsw.m`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Value> {
        self.0.get(path).cloned()
    }

    /// Gives a parameter a value.
    pub fn set(&mut self, parameter: &'static Parameter, value: Value) {
        self.0.insert(parameter.path, parameter.rounded(value));
    }

    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These, and of the others what `there` has. Quantization is one method with all that belongs to it.
    #[must_use]
    pub(crate) fn over(&self, scope: Scope, there: &Self) -> Self {
        let has_method = self.get("quantization").is_some();
        let is_other = |path: &str| has_method && path.starts_with("quantization");
        let mut all = Self::default();
        for (parameter, value) in there.of(scope).filter(|(parameter, _)| !is_other(parameter.path)) {
            all.set(parameter, value);
        }
        self.of(scope).for_each(|(parameter, value)| all.set(parameter, value));
        all
    }

    /// The parameters of `scope` that are given, in the order of the table.
    pub fn of(&self, scope: Scope) -> impl Iterator<Item = (&'static Parameter, Value)> + '_ {
        parameters(scope).filter_map(|parameter| Some((parameter, self.get(parameter.path)?)))
    }

    /// All that the server's messages say.
    pub(crate) fn read(scope: Scope, fields: &mut Fields) -> Self {
        let found = parameters(scope).filter_map(|parameter| Some((parameter.path, parameter.get(fields)?)));
        Self(found.collect())
    }

    /// Sets those that `is_wanted` chooses.
    pub(crate) fn write(&self, scope: Scope, fields: &mut Fields, is_wanted: impl Fn(&Parameter) -> bool) {
        self.of(scope).filter(|(parameter, _)| is_wanted(parameter)).for_each(|(parameter, value)| {
            parameter.put(fields, value);
        });
    }

    /// Those that `is_wanted` chooses, as a request holds them.
    pub(crate) fn fields(&self, scope: Scope, is_wanted: impl Fn(&Parameter) -> bool) -> Fields {
        let mut fields = Fields::default();
        self.write(scope, &mut fields, is_wanted);
        fields
    }
}

impl fmt::Display for IndexSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.index_type)?;
        let settings = self.settings.of(Scope::PayloadIndex(self.index_type));
        let settings: Vec<_> = settings.map(|(parameter, value)| format!("{}: {value}", parameter.path)).collect();
        if settings.is_empty() { Ok(()) } else { write!(f, " {{{}}}", settings.join(", ")) }
    }
}

/// What a payload index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
