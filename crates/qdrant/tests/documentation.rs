//! `docs/qdrant.md` says what the table says, and its examples can be read.

use std::path::PathBuf;

use dbops_qdrant::parameter::{Kind, PARAMETERS, Parameter, Scope};
use dbops_qdrant::{IndexType, read_file};

fn documentation() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/qdrant.md");
    std::fs::read_to_string(path).expect("docs/qdrant.md")
}

fn may_be(kind: &Kind) -> String {
    let words = kind.words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match kind {
        Kind::Bool => "`true`, `false`".into(),
        Kind::Integer { least, most: u64::MAX } => format!("{least} or more"),
        Kind::Integer { least, most } => format!("{least} to {most}"),
        Kind::Float { least, most } => format!("{least} to {most}, also with a point"),
        Kind::Word(_) | Kind::Name(_) => words,
        Kind::Set([]) => "a list of words".into(),
        Kind::Set(_) => format!("a list of {words}"),
        Kind::PerVector(limit) => format!("a map: `{{NAME: {{{limit}: 1 or more}}}}`"),
        Kind::Text => "a path".into(),
        Kind::Choice(_) => format!("{words}: see below"),
    }
}

fn types(parameter: &Parameter) -> String {
    let types = parameter.scopes.iter().filter_map(|scope| match scope {
        Scope::PayloadIndex(index_type) => Some(index_type.name()),
        _ => None,
    });
    let types = types.collect::<Vec<_>>();
    if types.len() == IndexType::ALL.len() { "all".into() } else { types.join(", ") }
}

/// A table for each heading of the page.
fn tables() -> [(&'static str, String); 4] {
    let change = |parameter: &Parameter| if parameter.in_place { "in place" } else { "rebuild" };
    let of = |scope: Scope| PARAMETERS.iter().filter(move |parameter| parameter.scopes.contains(&scope));
    let table = |rows: Vec<&Parameter>| {
        let rows = rows.into_iter().map(|parameter| {
            let (path, may_be) = (parameter.path, may_be(&parameter.kind));
            format!("| `{path}` | {may_be} | {} | {} |\n", change(parameter), parameter.about)
        });
        format!("| key | may be | changes | what it is |\n| --- | --- | --- | --- |\n{}", rows.collect::<String>())
    };
    let indexes = PARAMETERS.iter().filter(|parameter| !types(parameter).is_empty()).map(|parameter| {
        let (path, may_be) = (parameter.path, may_be(&parameter.kind));
        format!("| `{path}` | {} | {may_be} | {} |\n", types(parameter), parameter.about)
    });
    let indexes =
        format!("| key | types | may be | what it is |\n| --- | --- | --- | --- |\n{}", indexes.collect::<String>());
    [
        ("## Vectors", table(of(Scope::Vector).collect())),
        ("## Sparse vectors", table(of(Scope::SparseVector).collect())),
        ("## Payload indexes", indexes),
        ("## The collection itself", table(of(Scope::Collection).collect())),
    ]
}

#[test]
fn the_tables_are_those_of_the_program() {
    let page = documentation();
    for (heading, table) in tables() {
        let section = page.split(&format!("{heading}\n")).nth(1).unwrap_or_default();
        let section = section.split("\n## ").next().unwrap_or_default();
        assert!(section.contains(&table), "below `{heading}` belongs\n\n{table}");
    }
}

#[test]
fn the_examples_can_be_read() {
    let page = documentation();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("collections.yaml");
    let examples: Vec<_> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 4, "{examples:?}");
    for example in examples {
        // A part of a file is what stands in a collection.
        let text = if example.contains("version: 1") {
            example.to_owned()
        } else {
            let below: String = example.lines().map(|line| format!("    {line}\n")).collect();
            let vectors = if example.starts_with("vectors:") || example.contains("\nvectors:") {
                ""
            } else {
                "    vectors: {size: 4, distance: Dot}\n"
            };
            format!("version: 1\ncollections:\n  example:\n{vectors}{below}")
        };
        std::fs::write(&path, &text).expect("a file");
        read_file(&path).unwrap_or_else(|error| panic!("{text}{error}"));
    }
}
