//! The file as it is written: declarations as people would lay them out.

use std::collections::BTreeMap;

use crate::parameter::{Kind, NONE, Parameter, Scope, Value, keys};
use crate::{CollectionSpec, IndexSpec, Settings};

/// The text of a file that declares these collections, without the tables that their points come from.
#[must_use]
pub fn file_text(specs: &[CollectionSpec]) -> String {
    if specs.is_empty() {
        return "version: 1\n\ncollections: {}\n".to_owned();
    }
    let mut text = "version: 1\n\ncollections:\n".to_owned();
    for spec in specs {
        text.push_str(&format!("\n  {}:\n", word(&spec.name)));
        for (key, node) in collection_nodes(spec) {
            lay_out(&mut text, 4, key, &node);
        }
    }
    text
}

/// What stands in the file, before it is laid out.
enum Node {
    Leaf(String),
    Map(Vec<(String, Node)>),
    /// A map of which each entry has a line of its own.
    Lines(Vec<(String, Node)>),
}

fn collection_nodes(spec: &CollectionSpec) -> Vec<(&str, Node)> {
    let named = |scope: Scope, vectors: &BTreeMap<String, Settings>| {
        Node::Lines(
            vectors.iter().map(|(name, settings)| (name.clone(), Node::Map(entries(scope, settings)))).collect(),
        )
    };
    let mut all = Vec::new();
    if let Some(alias) = &spec.alias {
        all.push(("alias", Node::Leaf(word(alias))));
    }
    match spec.vectors.get("") {
        Some(unnamed) => all.push(("vectors", Node::Map(entries(Scope::Vector, unnamed)))),
        None if spec.vectors.is_empty() => {}
        None => all.push(("vectors", named(Scope::Vector, &spec.vectors))),
    }
    if !spec.sparse_vectors.is_empty() {
        all.push(("sparse_vectors", named(Scope::SparseVector, &spec.sparse_vectors)));
    }
    let own = entries(Scope::Collection, &spec.settings);
    let known = keys(Scope::Collection, "");
    all.extend(own.into_iter().filter_map(|(key, node)| Some((*known.iter().find(|known| **known == key)?, node))));
    if !spec.payload_indexes.is_empty() {
        let index = |(path, index): (&String, &IndexSpec)| {
            let mut all = vec![("type".to_owned(), Node::Leaf(index.index_type.to_string()))];
            all.extend(entries(Scope::PayloadIndex(index.index_type), &index.settings));
            (path.clone(), Node::Map(all))
        };
        all.push(("payload_indexes", Node::Lines(spec.payload_indexes.iter().map(index).collect())));
    }
    all
}

fn entries(scope: Scope, settings: &Settings) -> Vec<(String, Node)> {
    let mut entries = Vec::new();
    for (parameter, value) in settings.of(scope) {
        insert(&mut entries, parameter, &value);
    }
    entries
}

/// Puts a value where its path leads. What is chosen is a key of the choice, with its own parameters below it.
fn insert(entries: &mut Vec<(String, Node)>, parameter: &Parameter, value: &Value) {
    let chosen = matches!(parameter.kind, Kind::Choice(_)).then(|| value.to_string()).filter(|it| it != NONE);
    let path = match &chosen {
        Some(method) => format!("{}.{method}", parameter.path),
        None => parameter.path.to_owned(),
    };
    let leaf = if chosen.is_some() { Node::Map(Vec::new()) } else { leaf(&parameter.kind, value) };
    let mut keys: Vec<_> = path.split('.').collect();
    let last = keys.pop().unwrap_or_default();
    let mut entries = entries;
    for key in keys {
        let at = entries.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
            entries.push((key.to_owned(), Node::Map(Vec::new())));
            entries.len() - 1
        });
        let Node::Map(below) = &mut entries[at].1 else { return };
        entries = below;
    }
    entries.push((last.to_owned(), leaf));
}

fn leaf(kind: &Kind, value: &Value) -> Node {
    Node::Leaf(match (kind, value) {
        (_, Value::Set(words)) => format!("[{}]", words.iter().map(|it| word(it)).collect::<Vec<_>>().join(", ")),
        (Kind::PerVector(limit), Value::PerVector(limits)) => {
            let limits: Vec<_> =
                limits.iter().map(|(name, number)| format!("{}: {{ {limit}: {number} }}", word(name))).collect();
            format!("{{ {} }}", limits.join(", "))
        }
        (_, Value::Text(text)) => word(text),
        (_, value) => value.to_string(),
    })
}

/// Columns that a line may have.
const WIDTH: usize = 100;

fn lay_out(text: &mut String, indent: usize, key: &str, node: &Node) {
    let start = format!("{}{}:", " ".repeat(indent), word(key));
    let line = format!("{start} {}", flow(node));
    match node {
        Node::Map(entries) if !entries.is_empty() && line.chars().count() > WIDTH => {
            text.push_str(&format!("{start}\n"));
            entries.iter().for_each(|(key, node)| lay_out(text, indent + 2, key, node));
        }
        Node::Lines(entries) => {
            text.push_str(&format!("{start}\n"));
            entries.iter().for_each(|(key, node)| lay_out(text, indent + 2, key, node));
        }
        _ => text.push_str(&format!("{line}\n")),
    }
}

fn flow(node: &Node) -> String {
    match node {
        Node::Leaf(text) => text.clone(),
        Node::Map(entries) | Node::Lines(entries) if entries.is_empty() => "{}".to_owned(),
        Node::Map(entries) | Node::Lines(entries) => {
            let entries: Vec<_> = entries.iter().map(|(key, node)| format!("{}: {}", word(key), flow(node))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A name as YAML has it: in quotes, unless it can be nothing but a text.
fn word(text: &str) -> String {
    const OTHERWISE: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !OTHERWISE.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { yaml_quoted(text) }
}

/// A text in YAML's double quotes, whatever is in it.
#[must_use]
pub fn yaml_quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // What ends a line in YAML, or cannot stand in it.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::parse_file;
    use super::{file_text, word};
    use crate::parameter::{Scope, Value, parameter};
    use crate::{CollectionSpec, IndexSpec, IndexType, Settings};

    #[test]
    fn names_are_texts_whatever_they_look_like() {
        let plain = ["chunks", "metadata.source", "v1-2"];
        let odd =
            ["a[].b", "1", "1e3", "true", "No", "~", " a", "a: b", "größer", "a\"b\\c", "tab\there", "-", "a\u{2028}b"];
        let mut vector = Settings::default();
        for (path, value) in [("size", Value::Integer(4)), ("distance", Value::Word("Dot"))] {
            vector.set(parameter(Scope::Vector, path).expect("it is in the table"), value);
        }
        let index = IndexSpec { index_type: IndexType::Keyword, settings: Settings::default() };
        let spec = CollectionSpec {
            name: "12".into(),
            vectors: [(String::new(), vector)].into(),
            payload_indexes: plain.into_iter().chain(odd).map(|path| (path.to_owned(), index.clone())).collect(),
            ..CollectionSpec::default()
        };
        let text = file_text(std::slice::from_ref(&spec));
        assert_eq!(parse_file(Path::new("collections.yaml"), &text).expect(&text), [spec]);
        for text in odd {
            assert!(word(text).starts_with('"'), "{text}");
        }
        for text in plain {
            assert_eq!(word(text), text);
        }
    }

    #[test]
    fn no_collections_are_a_file_too() {
        assert_eq!(parse_file(Path::new("collections.yaml"), &file_text(&[])), Ok(Vec::new()));
    }
}
