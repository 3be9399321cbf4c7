//! Columns: how they stand in CREATE TABLE, and how one is made into another.

use std::collections::BTreeMap;

use crate::convert::{conversion, has_cast};

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
        let target = format!("{} ALTER COLUMN {}", alone(alter), self.identifier);
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
        let is_retyped = is_forced || self.is_retyped(to);
        if is_retyped {
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
        // What has a new type forgets how it is stored.
        let (storage, compression) = if is_retyped { (&None, &None) } else { (&self.storage, &self.compression) };
        if *compression != to.compression {
            clauses.push(format!("SET COMPRESSION {}", to.compression.as_deref().unwrap_or("default")));
        }
        if self.options != to.options {
            if let Some(options) = &self.options {
                let names: Vec<_> = options.split(", ").filter_map(|option| option.split('=').next()).collect();
                clauses.push(format!("RESET ({})", names.join(", ")));
            }
            clauses.extend(to.options.as_ref().map(|options| format!("SET ({options})")));
        }
        if self.foreign_options != to.foreign_options {
            clauses.push(format!("OPTIONS ({})", option_changes(&self.foreign_options, &to.foreign_options)));
        }
        let statement = |alter: &str, clause: String| format!("{alter} ALTER COLUMN {} {clause}", to.identifier);
        let mut statements: Vec<_> = clauses.into_iter().map(|clause| statement(alter, clause)).collect();
        // A child may have others than its parent.
        let only = alone(alter);
        if *storage != to.storage {
            let storage = to.storage.as_deref().unwrap_or("DEFAULT");
            statements.push(statement(&only, format!("SET STORAGE {storage}")));
        }
        if self.statistics != to.statistics {
            statements.push(statement(&only, format!("SET STATISTICS {}", to.statistics.unwrap_or(-1))));
        }
        statements
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
        let way = if is_own || !has_cast(&self.data_type, data_type) { "::text" } else { "" };
        format!("{data_type}{collation} USING {}{way}::{data_type}", to.identifier)
    }
}

/// What makes `a '1', b '2'` into other options.
fn option_changes(from: &Option<String>, to: &Option<String>) -> String {
    let (old, new) = (options(from), options(to));
    let gone = old.iter().filter(|(name, _)| !new.contains_key(*name)).map(|(name, _)| format!("DROP {name}"));
    let come = new.iter().filter(|(name, value)| old.get(*name) != Some(*value)).map(|(name, value)| {
        let word = if old.contains_key(name) { "SET" } else { "ADD" };
        format!("{word} {name} {value}")
    });
    gone.chain(come).collect::<Vec<_>>().join(", ")
}

/// The names and values of `a '1', "B c" 'it''s'`, as they are written.
fn options(text: &Option<String>) -> BTreeMap<&str, &str> {
    let mut options = BTreeMap::new();
    let mut rest = text.as_deref().unwrap_or_default();
    while !rest.is_empty() {
        let quoted = rest.starts_with('"');
        let name = if quoted { end_of(rest, '"') } else { rest.find(' ').unwrap_or(rest.len()) };
        let value = rest[name..].trim_start();
        let end = value.find('\'').map_or(value.len(), |start| start + end_of(&value[start..], '\''));
        options.insert(&rest[..name], &value[..end]);
        rest = value[end..].trim_start_matches(", ");
    }
    options
}

/// Where what begins with a quote ends; a doubled one is part of it.
fn end_of(text: &str, quote: char) -> usize {
    let mut is_inside = false;
    let mut characters = text.char_indices().peekable();
    while let Some((index, character)) = characters.next() {
        is_inside ^= character == quote;
        if !is_inside && characters.peek().is_none_or(|(_, next)| *next != quote) {
            return index + character.len_utf8();
        }
    }
    text.len()
}

/// The beginning of an ALTER TABLE that passes nothing on to children.
fn alone(alter: &str) -> String {
    alter.replacen("ALTER TABLE ", "ALTER TABLE ONLY ", 1)
}

#[cfg(test)]
mod tests {
    use super::option_changes;

    #[test]
    fn options_are_added_set_and_dropped() {
        let cases = [
            ("", "a '1'", "ADD a '1'"),
            ("a '1', b '2'", "b '3'", "DROP a, SET b '3'"),
            ("\"B, c\" 'it''s, not'", "\"B, c\" 'it''s'", "SET \"B, c\" 'it''s'"),
            ("a E'\\\\', b '2'", "a E'\\\\'", "DROP b"),
        ];
        for (from, to, expected) in cases {
            let options = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            assert_eq!(option_changes(&options(from), &options(to)), expected, "{from} to {to}");
        }
    }
}
