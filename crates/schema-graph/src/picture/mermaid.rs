//! Mermaid's entity relationship diagrams: <https://mermaid.js.org/syntax/entityRelationshipDiagram.html>.
//!
//! Its lexer has no way to escape anything, so what a name cannot have is replaced.

use std::collections::HashSet;

use super::drawing::{Drawing, Link, LinkKind, Row};

pub(super) fn write(drawing: &Drawing) -> String {
    let names = entities(drawing);
    let mut out = String::from("erDiagram\n");
    for (table, name) in drawing.tables.iter().zip(&names) {
        out.push_str(&format!("    \"{name}\" {{\n"));
        table.rows.iter().for_each(|row| out.push_str(&attribute(row)));
        out.push_str("    }\n");
    }
    for link in &drawing.links {
        let (to, from) = (&names[link.to.table], &names[link.from.table]);
        out.push_str(&format!("    \"{to}\" {} \"{from}\" : \"{}\"\n", relation(link), quoted(&link.label)));
    }
    out
}

/// What is left of the tables' names, each different: with its schema, where there are several.
fn entities(drawing: &Drawing) -> Vec<String> {
    let mut used = HashSet::new();
    let name = |table| {
        let full = drawing.full_name(table);
        let name = quoted(if drawing.groups.len() > 1 { &full } else { &table.name });
        let numbered = (2..).map(|number| format!("{name} ({number})"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        candidates.find(|candidate| used.insert(candidate.clone())).unwrap_or(name)
    };
    drawing.tables.iter().map(name).collect()
}

fn relation(link: &Link) -> &'static str {
    match (link.kind, link.is_optional, link.is_unique) {
        (LinkKind::Reads | LinkKind::Inherits, ..) => "}o..o{",
        (LinkKind::ForeignKey, true, true) => "|o--o|",
        (LinkKind::ForeignKey, true, false) => "|o--o{",
        (LinkKind::ForeignKey, false, true) => "||--o|",
        (LinkKind::ForeignKey, false, false) => "||--o{",
    }
}

fn attribute(row: &Row) -> String {
    let name = word(&row.name);
    let keys = match (row.is_primary, row.is_foreign) {
        (true, true) => " PK, FK",
        (true, false) => " PK",
        (false, true) => " FK",
        (false, false) => "",
    };
    let real = if name == row.name { String::new() } else { format!(" \"{}\"", quoted(&row.name)) };
    format!("        {} {name}{keys}{real}\n", word(&row.data_type))
}

/// Text between quotes. `#…;` would be an entity, `%%` a comment, and two tildes a generic type.
fn quoted(text: &str) -> String {
    let safe = |c: char| match c {
        '"' => '\'',
        '~' => '-',
        '%' | '\\' | '#' | ';' | '<' | '>' => '_',
        c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => ' ',
        c => c,
    };
    let safe: String = text.chars().map(safe).collect();
    // The lexer takes `direction TB` for a command, wherever it stands.
    let is_command = safe.to_ascii_lowercase().contains("direction");
    let safe = if is_command { safe.replace(char::is_whitespace, "_") } else { safe };
    if safe.trim().is_empty() { "_".to_owned() } else { safe }
}

/// A type's or a column's name, for which there are no quotes.
fn word(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "-_[]().,".contains(c) || ('\u{c0}'..).contains(&c);
    let is_safe = |c: char| is_safe(c) && !c.is_whitespace() && c != '\u{ffff}';
    let mut word: String = text.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_' || ('\u{c0}'..).contains(&c);
    // `pk` and the like would be the mark of a key.
    let beginning = word.get(..2).unwrap_or_default().to_ascii_lowercase();
    let goes_on = word.as_bytes().get(2).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let is_mark = ["pk", "fk", "uk"].contains(&beginning.as_str()) && !goes_on;
    if !word.starts_with(is_start) || is_mark {
        word.insert(0, '_');
    }
    word
}
