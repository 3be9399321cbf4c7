//! The JSON schema of declared collections and their reader say the same of a file. Python's jsonschema reads the schema.

use std::io::Write;
use std::process::Stdio;

use dbops_postgres::process;
use dbops_qdrant::parameter::{Kind, PARAMETERS, Parameter, Scope};
use dbops_qdrant::{IndexType, read_file};
use serde_json::Value;

use crate::project::Project;
use crate::python::python_with;

const VALIDATOR: &str = "
import json, sys, jsonschema, yaml
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
print(json.dumps([validator.is_valid(yaml.safe_load(text)) for text in json.load(sys.stdin)]))
";

/// Which of these files the schema takes that this command prints.
pub(crate) fn valid(project: &Project, command: &[&str], files: &[String]) -> Vec<bool> {
    let schema = project.ok(command).stdout;
    project.write("schema.json", &schema);
    assert_eq!(project.json(0, command), serde_json::from_str::<Value>(&schema).unwrap());
    let mut python = process::command(python_with("jsonschema-4", &["jsonschema==4.*", "pyyaml==6.*"]))
        .args(["-c", VALIDATOR])
        .arg(project.path("schema.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python");
    let input = serde_json::to_vec(files).expect("JSON");
    python.stdin.take().expect("piped").write_all(&input).expect("python reads");
    let output = python.wait_with_output().expect("python");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A file with the collection `a`, of which this is written.
fn file(collection: &str) -> String {
    format!("version: 1\ncollections:\n  a: {collection}\n")
}

/// A file in which a parameter stands, beside whatever it needs.
fn with(scope: Scope, path: &str, value: &str) -> String {
    let needed = if path == "quantization.product.always_ram" { "compression: x4, " } else { "" };
    let mut keys = path.rsplit('.');
    let last = format!("{needed}{}: {value}", keys.next().unwrap_or_default());
    let own = keys.fold(last, |text, key| format!("{key}: {{{text}}}"));
    let vector = "size: 4, distance: Dot";
    file(&match scope {
        Scope::Collection => format!("{{vectors: {{{vector}}}, {own}}}"),
        // The later one of two equal keys counts in YAML's readers for Python, and ours refuses them.
        Scope::Vector if path == "size" => format!("{{vectors: {{v: {{distance: Dot, {own}}}}}}}"),
        Scope::Vector if path == "distance" => format!("{{vectors: {{v: {{size: 4, {own}}}}}}}"),
        Scope::Vector => format!("{{vectors: {{v: {{{vector}, {own}}}}}}}"),
        Scope::SparseVector => format!("{{sparse_vectors: {{v: {{{own}}}}}}}"),
        Scope::PayloadIndex(index_type) => {
            format!("{{vectors: {{{vector}}}, payload_indexes: {{k: {{type: {index_type}, {own}}}}}}}")
        }
    })
}

/// What may stand there, and what may not.
fn samples(parameter: &Parameter) -> (Vec<String>, Vec<String>) {
    let wrong =
        |more: &[&str]| [&["[1]", "null", "{x: 1}", "nonsense"], more].concat().iter().map(|it| (*it).into()).collect();
    match parameter.kind {
        Kind::Bool => (vec!["true".into(), "false".into()], wrong(&["1", "'true'"])),
        Kind::Integer { least, most } => {
            let mut wrong: Vec<String> = wrong(&["-1", "1.5", "true", "'7'"]);
            wrong.extend(least.checked_sub(1).map(|below| below.to_string()));
            wrong.extend(most.checked_add(1).map(|above| above.to_string()));
            (vec![least.to_string(), most.to_string()], wrong)
        }
        Kind::Float { least, most } => {
            let mut wrong: Vec<String> = wrong(&["true", "'1'"]);
            wrong.extend([(least - 0.5).to_string(), (most + 0.5).to_string()]);
            (vec![least.to_string(), most.to_string(), format!("{}", least + 0.25)], wrong)
        }
        Kind::Word(_) | Kind::Name(_) => {
            (parameter.kind.words().into_iter().map(ToOwned::to_owned).collect(), wrong(&["1", "true", "''"]))
        }
        Kind::Set(words) => {
            let (one, another) = if words.is_empty() { ("one", "another") } else { (words[0], words[1]) };
            let mut wrong: Vec<String> = wrong(&["['']", "7"]);
            wrong.push(format!("[{one}, {one}]"));
            wrong.extend((!words.is_empty()).then(|| "[nonsense]".to_owned()));
            (vec!["[]".into(), format!("[{one}, {another}]")], wrong)
        }
        Kind::PerVector(limit) => {
            let mut wrong: Vec<String> = wrong(&["{x: {other: 1}}", "{x: {}}", "{x: null}", "7"]);
            wrong.extend([format!("{{x: {{{limit}: 0}}}}"), format!("{{x: {{{limit}: 1, other: 2}}}}")]);
            (vec!["{}".into(), format!("{{x: {{{limit}: 1}}, '': {{{limit}: 7}}}}")], wrong)
        }
        Kind::Text => {
            (vec!["'a[]'".into(), "a".into()], ["[1]", "null", "{x: 1}", "''", "1", "true"].map(Into::into).into())
        }
        Kind::Choice(_) => (
            vec!["none".into(), "{scalar: {}}".into(), "{scalar: null}".into(), "{product: {compression: x8}}".into()],
            wrong(&["scalar", "{}", "{product: {}}", "{scalar: {}, binary: {}}", "1"]),
        ),
    }
}

#[test]
fn the_schema_and_the_reader_agree() {
    let vector = "vectors: {size: 4, distance: Dot}";
    let from = |source: &str| format!("{{{vector}, from: {{{source}}}}}");
    // A file, and whether it is right.
    let mut cases: Vec<(String, bool)> = [
        ("version: 1\ncollections: {}\n", true),
        ("version: 1\ncollections:\n", true),
        ("version: 2\ncollections: {}\n", false),
        ("version: 1\n", false),
        ("collections: {}\n", false),
        ("version: 1\ncollections: []\n", false),
        ("version: 1\ncollections: {}\nmore: 1\n", false),
    ]
    .map(|(text, is_right)| (text.to_owned(), is_right))
    .into();
    let collections = [
        (format!("{{{vector}}}"), true),
        ("null".into(), false),
        ("{}".into(), false),
        ("{vectors: null}".into(), false),
        ("{vectors: {}}".into(), false),
        ("{vectors: {size: 4}}".into(), false),
        ("{vectors: {distance: Dot}}".into(), false),
        ("{vectors: {v: {size: 4, distance: Dot}, w: {size: 1, distance: Cosine}}}".into(), true),
        ("{vectors: {size: {size: 4, distance: Dot}}}".into(), true),
        ("{vectors: {v: null}}".into(), false),
        ("{vectors: {'': {size: 4, distance: Dot}}}".into(), false),
        ("{vectors: {size: 4, distance: Dot, v: {size: 4, distance: Dot}}}".into(), false),
        ("{vectors: {size: 4, distance: Dot, hnsw: null}}".into(), true),
        ("{vectors: {size: 4, distance: Dot, multivector: null}}".into(), false),
        ("{vectors: {size: 4, distance: Dot, multivector: {}}}".into(), false),
        ("{sparse_vectors: {w: null}}".into(), true),
        ("{sparse_vectors: {w: {}}}".into(), true),
        ("{sparse_vectors: {}}".into(), false),
        ("{sparse_vectors: null}".into(), false),
        (format!("{{{vector}, sparse_vectors: null, payload_indexes: null, hnsw: null}}"), true),
        (format!("{{{vector}, alias: other}}"), true),
        (format!("{{{vector}, alias: a/b}}"), false),
        (format!("{{{vector}, alias: ''}}"), false),
        (format!("{{{vector}, alias: 5}}"), false),
        (format!("{{{vector}, alias: null}}"), false),
        (format!("{{{vector}, hnsw: {{n: 1}}}}"), false),
        (format!("{{{vector}, hnsw: 1}}"), false),
        (format!("{{{vector}, vektors: {{}}}}"), false),
        (format!("{{{vector}, payload_indexes: {{k: {{}}}}}}"), false),
        (format!("{{{vector}, payload_indexes: {{k: null}}}}"), false),
        (format!("{{{vector}, payload_indexes: {{k: {{type: word}}}}}}"), false),
        (format!("{{{vector}, payload_indexes: {{' ': {{type: uuid}}}}}}"), false),
        (format!("{{{vector}, payload_indexes: {{k: {{type: integer, lookup: false, range: false}}}}}}"), false),
        (format!("{{{vector}, payload_indexes: {{k: {{type: integer, lookup: false, range: true}}}}}}"), true),
        (format!("{{{vector}, payload_indexes: {{k: {{type: uuid, lookup: true}}}}}}"), false),
        (from("target: t, table: t, key: id, vector: v"), true),
        (from("target: t, schema: s, table: t, key: [a, b], vector: v, payload: {a: b, c.d: e}, updated: u"), true),
        (from("target: t, table: t, key: id, vector: v, payload: null"), true),
        (from("target: t, key: id, vector: v"), false),
        (from("target: t, table: t, vector: v"), false),
        (from("target: t, table: t, key: [], vector: v"), false),
        (from("target: t, table: 5, key: id, vector: v"), false),
        (from("target: t, table: t, key: id, vector: ''"), false),
        (from("target: t, table: t, key: {a: b}, vector: v"), false),
        (from("target: t, table: t, key: id, vektor: v"), false),
        (from("target: t, table: t, key: id, vector: v, payload: {a..b: c}"), false),
        (from("target: t, table: t, key: id, vector: v, payload: {_dbops.x: c}"), false),
        (from("target: t, table: t, key: id, vector: v, payload: {_dbops2: c}"), true),
        (format!("{{{vector}, from: null}}"), false),
        (format!("{{{vector}, from: t}}"), false),
    ];
    cases.extend(collections.into_iter().map(|(text, is_right)| (file(&text), is_right)));
    let (bad, long) = (format!("version: 1\ncollections: {{a/b: {{{vector}}}}}\n"), "x".repeat(256));
    cases.extend([(bad, false), (format!("version: 1\ncollections: {{{long}: {{{vector}}}}}\n"), false)]);
    for index_type in IndexType::ALL {
        cases.push((file(&format!("{{{vector}, payload_indexes: {{k: {{type: {index_type}}}}}}}")), true));
    }
    for parameter in PARAMETERS {
        for scope in parameter.scopes {
            let (right, wrong) = samples(parameter);
            cases.extend(right.iter().map(|value| (with(*scope, parameter.path, value), true)));
            cases.extend(wrong.iter().map(|value| (with(*scope, parameter.path, value), false)));
        }
    }

    let project = Project::empty();
    let files: Vec<_> = cases.iter().map(|(text, _)| text.clone()).collect();
    let found = valid(&project, &["config", "schema", "--collections"], &files);
    assert_eq!(found.len(), cases.len());
    for ((text, is_right), schema) in cases.iter().zip(found) {
        project.write("collections.yaml", text);
        let read = read_file(&project.path("collections.yaml"));
        assert_eq!((read.is_ok(), schema), (*is_right, *is_right), "{text}{read:?}");
    }
}
