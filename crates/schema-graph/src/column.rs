//! Columns: how they stand in CREATE TABLE, and how one is made into another.

use crate::convert::conversion;

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its name as it stands in SQL: quoted if need be.
    pub identifier: String,
    /// Its type with its modifiers: `character varying(20)`.
    pub data_type: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// The expression of its DEFAULT.
    pub default: Option<String>,
    /// The clause of an identity column: `GENERATED ALWAYS AS IDENTITY`.
    pub identity: Option<String>,
    /// What makes another identity column into this one.
    pub(crate) identity_change: Option<String>,
    /// The clause of a generated column: `GENERATED ALWAYS AS ((a + b)) STORED`.
    pub generated: Option<String>,
    /// A collation other than its type's.
    pub collation: Option<String>,
    /// STORAGE when it is not its type's.
    pub storage: Option<String>,
    /// COMPRESSION when it is not the server's default.
    pub compression: Option<String>,
    /// The statistics target, where it has one of its own.
    pub statistics: Option<i32>,
    /// `n_distinct=5`.
    pub options: Option<String>,
    /// A foreign table's column's.
    pub foreign_options: Option<String>,
    /// Its type, or that of its elements, is defined by users and converted by way of text.
    pub(crate) is_own_type: bool,
    /// What COMMENT ON says about it.
    pub comment: Option<String>,
}

impl Column {
    /// The column as it stands in CREATE TABLE, but for its default and NOT NULL.
    #[must_use]
    pub fn clause(&self) -> String {
        let mut clause = format!("{} {}", self.identifier, self.data_type);
        let mut add = |keyword: &str, text: &Option<String>| {
            if let Some(text) = text {
                clause.push_str(&format!(" {keyword}{text}"));
            }
        };
        add("STORAGE ", &self.storage);
        add("COMPRESSION ", &self.compression);
        add("OPTIONS ", &self.foreign_options.as_ref().map(|options| format!("({options})")));
        add("COLLATE ", &self.collation);
        add("", &self.generated);
        add("", &self.identity);
        clause
    }

    /// What a new column needs beside its clause.
    pub(crate) fn settings(&self, alter: &str) -> Vec<String> {
        let mut statements = Vec::new();
        let target = format!("{alter} ALTER COLUMN {}", self.identifier);
        if let Some(statistics) = self.statistics {
            statements.push(format!("{target} SET STATISTICS {statistics}"));
        }
        if let Some(options) = &self.options {
            statements.push(format!("{target} SET ({options})"));
        }
        statements
    }

    /// Whether only a new column can be like that one.
    pub(crate) fn needs_replacement(&self, to: &Self) -> bool {
        match (&self.generated, &to.generated) {
            (None, None) => false,
            (None, Some(_)) => true,
            (Some(from), None) => from.ends_with("VIRTUAL"),
            (Some(from), Some(to)) => from.ends_with("VIRTUAL") != to.ends_with("VIRTUAL"),
        }
    }

    /// Whether its type becomes another, under which what is built on it does not live on.
    pub(crate) fn is_retyped(&self, to: &Self) -> bool {
        (&self.data_type, &self.collation) != (&to.data_type, &to.collation)
    }

    /// The clauses of ALTER COLUMN that make it into that one. `is_forced` has the type set again, for it is not what
    /// it was under the same name.
    pub(crate) fn alteration(&self, to: &Self, alter: &str, is_forced: bool) -> Vec<String> {
        let mut clauses = Vec::new();
        if self.generated.is_some() && to.generated.is_none() {
            clauses.push("DROP EXPRESSION".into());
        }
        if self.identity.is_some() && to.identity.is_none() {
            clauses.push("DROP IDENTITY".into());
        }
        if is_forced || self.is_retyped(to) {
            clauses.push(format!("TYPE {}", self.new_type(to, alter.starts_with("ALTER FOREIGN"))));
        }
        if let (Some(from), Some(to)) = (&self.generated, &to.generated)
            && from != to
        {
            let expression = to.trim_start_matches("GENERATED ALWAYS AS ");
            let expression = expression.trim_end_matches(" STORED").trim_end_matches(" VIRTUAL");
            clauses.push(format!("SET EXPRESSION AS {expression}"));
        }
        match (&self.identity, &to.identity) {
            (None, Some(identity)) => clauses.push(format!("ADD {identity}")),
            (Some(_), Some(_)) if self.identity_change != to.identity_change => {
                clauses.extend(to.identity_change.clone());
            }
            _ => {}
        }
        if self.storage != to.storage {
            clauses.push(format!("SET STORAGE {}", to.storage.as_deref().unwrap_or("DEFAULT")));
        }
        if self.compression != to.compression {
            clauses.push(format!("SET COMPRESSION {}", to.compression.as_deref().unwrap_or("default")));
        }
        if self.statistics != to.statistics {
            clauses.push(format!("SET STATISTICS {}", to.statistics.unwrap_or(-1)));
        }
        if self.options != to.options {
            if let Some(options) = &self.options {
                let names: Vec<_> = options.split(", ").filter_map(|option| option.split('=').next()).collect();
                clauses.push(format!("RESET ({})", names.join(", ")));
            }
            clauses.extend(to.options.as_ref().map(|options| format!("SET ({options})")));
        }
        clauses.into_iter().map(|clause| format!("{alter} ALTER COLUMN {} {clause}", to.identifier)).collect()
    }

    fn new_type(&self, to: &Self, is_foreign: bool) -> String {
        let collation = to.collation.as_ref().map(|name| format!(" COLLATE {name}")).unwrap_or_default();
        let data_type = &to.data_type;
        if is_foreign || to.generated.is_some() {
            return format!("{data_type}{collation}");
        }
        let is_own = self.is_own_type || to.is_own_type;
        if !is_own && conversion(&self.data_type, data_type).is_assignment() {
            return format!("{data_type}{collation}");
        }
        let way = if is_own { "::text" } else { "" };
        format!("{data_type}{collation} USING {}{way}::{data_type}", to.identifier)
    }
}
