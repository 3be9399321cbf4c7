//! The parameters of collections, vectors and payload indexes: one table, which the file's reader, its JSON schema,
//! the live state, the plan and the requests all walk.

mod slot;
mod table;

use std::collections::BTreeMap;
use std::fmt;

use crate::IndexType;
pub(crate) use slot::{Fields, Quantization};
pub use table::PARAMETERS;

/// What has parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "Qdrant's own names")]
pub enum Scope {
    Collection,
    Vector,
    SparseVector,
    PayloadIndex(IndexType),
}

/// A row of the table.
pub struct Parameter {
    /// Where it stands in the file, below what it belongs to: `hnsw.m`.
    pub path: &'static str,
    /// What has it.
    pub scopes: &'static [Scope],
    /// What may be written there.
    pub kind: Kind,
    /// Whether the server changes it on a collection that is there. Else the points have to be written anew.
    pub in_place: bool,
    /// Whether it has to be written where the map stands that it belongs to.
    pub is_required: bool,
    /// What the server does where its description says nothing.
    pub absent: Option<&'static Value>,
    /// What it is, in some words.
    pub about: &'static str,
    /// Where it stands in the server's messages, to be read as well as to be set.
    slot: fn(&mut Fields) -> slot::Slot<'_>,
}

/// What may be written for a parameter, bounds included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number.
    #[expect(missing_docs, reason = "the fields say what they are")]
    Integer { least: u64, most: u64 },
    /// Any number.
    #[expect(missing_docs, reason = "the fields say what they are")]
    Float { least: f64, most: f64 },
    /// One of these, each with its number on the wire.
    Word(&'static [(&'static str, i32)]),
    /// One of these, which are on the wire as they are written.
    Name(&'static [&'static str]),
    /// `none`, or a map with one of the other words, under which that one's own parameters stand.
    Choice(&'static [&'static str]),
    /// A list of these words, or of any where none are named. It may be empty, and its order means nothing.
    Set(&'static [&'static str]),
    /// A map of names of vectors to maps with this one key, and under it a whole number from 1 on.
    PerVector(&'static str),
    /// Any text.
    Text,
}

/// A parameter's value. A word is one of those of its kind, or [`UNKNOWN`].
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say what they are")]
pub enum Value {
    Bool(bool),
    Integer(u64),
    Float(f64),
    Word(&'static str),
    /// Sorted, each once.
    Set(Vec<String>),
    PerVector(BTreeMap<String, u64>),
    Text(String),
}

/// A word on the server that this version of dbops does not know.
pub const UNKNOWN: &str = "unknown";

/// The word for a choice that is not made.
pub const NONE: &str = "none";

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Word(word) => f.write_str(word),
            Self::Set(words) => write!(f, "[{}]", words.join(", ")),
            Self::PerVector(limits) => {
                let limits: Vec<_> = limits.iter().map(|(name, limit)| format!("{name}: {limit}")).collect();
                write!(f, "{{{}}}", limits.join(", "))
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}

impl Kind {
    /// The words that it is chosen from.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        match self {
            Self::Word(words) => words.iter().map(|(word, _)| *word).collect(),
            Self::Name(words) | Self::Choice(words) | Self::Set(words) => words.to_vec(),
            Self::Bool | Self::Integer { .. } | Self::Float { .. } | Self::PerVector(_) | Self::Text => Vec::new(),
        }
    }
}

impl Parameter {
    /// Its value in the server's messages; `None` where they say nothing.
    pub(crate) fn get(&self, fields: &mut Fields) -> Option<Value> {
        (self.slot)(fields).get(&self.kind).or_else(|| self.absent.cloned())
    }

    pub(crate) fn put(&self, fields: &mut Fields, value: Value) {
        (self.slot)(fields).put(&self.kind, value);
    }

    /// The value as it comes back from a server: some numbers are shorter there than in the file, and lists are sorted.
    pub(crate) fn rounded(&self, value: Value) -> Value {
        match value {
            Value::Float(_) => {
                // The one message with such numbers that is not always there.
                let quantization = Some(Quantization::Scalar(Default::default()));
                let mut fields = Fields { quantization, ..Fields::default() };
                self.put(&mut fields, value.clone());
                self.get(&mut fields).unwrap_or(value)
            }
            Value::Set(words) => Value::Set(sorted(words)),
            _ => value,
        }
    }
}

/// Words of which the order means nothing.
fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words.dedup();
    words
}

/// The parameters of `scope`, in the order of the table: a choice stands before what belongs to it.
pub fn parameters(scope: Scope) -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS.iter().filter(move |parameter| parameter.scopes.contains(&scope))
}

/// The parameter of `scope` at `path`.
pub(crate) fn parameter(scope: Scope, path: &str) -> Option<&'static Parameter> {
    parameters(scope).find(|parameter| parameter.path == path)
}

/// What may stand directly below `prefix` in the file; at the top of `scope` when that is empty.
pub(crate) fn keys(scope: Scope, prefix: &str) -> Vec<&'static str> {
    let mut keys: Vec<_> = parameters(scope)
        .filter_map(|parameter| match prefix {
            "" => Some(parameter.path),
            prefix => parameter.path.strip_prefix(prefix)?.strip_prefix('.'),
        })
        .filter_map(|rest| rest.split('.').next())
        .collect();
    let mut seen = std::collections::HashSet::new();
    keys.retain(|key| seen.insert(*key));
    keys
}

/// `prefix.key`.
pub(crate) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}
