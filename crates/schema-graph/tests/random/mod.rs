//! Schemas at random: every kind of object, and a decision by chance wherever there is one to make.

mod choices;
mod constraints;
mod others;
mod programs;
mod tables;
mod types;

pub(crate) use choices::Choices;

/// A schema being written.
struct Writer<'a> {
    choices: &'a Choices,
    statements: Vec<String>,
    has_app: bool,
    extensions: Vec<&'static str>,
    collations: Vec<String>,
    /// Types of its own, each with a value.
    types: Vec<(String, &'static str)>,
    sequences: Vec<String>,
    tables: Vec<tables::Table>,
    /// Functions that much is built on.
    twice: String,
    stamp: String,
    label: Option<String>,
}

/// The statements of the schema that these choices lead to.
pub(crate) fn schema(choices: &Choices) -> Vec<String> {
    let mut writer = Writer {
        choices,
        statements: Vec::new(),
        has_app: false,
        extensions: Vec::new(),
        collations: Vec::new(),
        types: Vec::new(),
        sequences: Vec::new(),
        tables: Vec::new(),
        twice: String::new(),
        stamp: String::new(),
        label: None,
    };
    writer.write_schemas();
    writer.write_enums();
    writer.write_functions();
    writer.write_domains();
    writer.write_composites();
    writer.write_sequences();
    writer.write_tables();
    writer.write_foreign_keys();
    writer.write_indexes();
    writer.write_views();
    writer.write_programs();
    writer.write_triggers();
    writer.write_policies();
    writer.write_others();
    writer.statements
}

impl Writer<'_> {
    fn add(&mut self, statement: impl Into<String>) {
        self.statements.push(statement.into());
    }

    /// The schema that something is in.
    fn schema_of(&self, site: &str) -> &'static str {
        if self.has_app && self.choices.is(&format!("{site} in app"), 30) { "app" } else { "public" }
    }

    /// A name with the schema that the object is in.
    fn named(&self, name: &str) -> String {
        let schema = self.schema_of(name);
        let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
        if is_plain { format!("{schema}.{name}") } else { format!("{schema}.\"{}\"", name.replace('"', "\"\"")) }
    }
}
