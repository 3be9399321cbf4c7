//! `dbops schema graph`: pictures of the Support Bot's databases, in every format, from wherever a schema can be.

use std::fs;
use std::path::Path;

use crate::project::{Project, execute};

/// A format, how it begins and ends, and something of the Support Bot's that is in it.
const FORMATS: [(&str, &str, &str, [&str; 2]); 4] = [
    (
        "mermaid",
        "erDiagram\n",
        "\n",
        [
            "\"bot_db.public.users\" ||--o{ \"bot_db.public.sessions\" : \"user_id\"\n",
            "\"vector_db.public.documents\" ||--o{ \"vector_db.public.chunks\" : \"document_id\"\n",
        ],
    ),
    ("dot", "digraph schema {\n", "}\n", ["label=<bot_db.public>", "<b>chunks</b>"]),
    (
        "svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"",
        "</svg>\n",
        ["<title>sessions (user_id) refers to users</title>", "data-name=\"vector_db.public.chunks\""],
    ),
    (
        "html",
        "<!DOCTYPE html>\n",
        "</html>\n",
        ["<title>bot_db, vector_db</title>", "data-name=\"vector_db.public.chunks\""],
    ),
];

/// The Support Bot's two databases as they are declared, as targets; a third target is no PostgreSQL.
fn project() -> Project {
    let mut project = Project::empty();
    let mut config = String::from("version: 1\ntargets:\n");
    for name in ["bot_db", "vector_db"] {
        let url = dbops_testbed::create_database(name);
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name).join("schema.sql");
        execute(&url, &fs::read_to_string(&schema).expect("a schema"));
        project = project.env(&format!("{name}_URL"), &url.reveal());
        project.write(&format!("{name}.sql"), &fs::read_to_string(schema).expect("a schema"));
        config.push_str(&format!("  {name}:\n    kind: postgres\n    url: ${{{name}_URL}}\n"));
    }
    config.push_str("  qdrant:\n    kind: qdrant\n    url: http://localhost:1\n");
    project.write("dbops.yaml", &config);
    project
}

#[test]
fn the_bots_databases_are_drawn_in_every_format() {
    let project = project();
    for (format, beginning, end, parts) in FORMATS {
        let run = project.ok(&["schema", "graph", "--format", format]);
        assert!(run.stdout.starts_with(beginning) && run.stdout.ends_with(end), "{run}");
        for part in parts {
            assert!(run.stdout.contains(part), "{part}: {run}");
        }
    }
    let drawn = |sources: &[&str]| project.ok(&[&["schema", "graph", "--format", "svg"], sources].concat()).stdout;
    assert_eq!(drawn(&["bot_db.sql", "vector_db.sql"]), drawn(&["bot_db", "vector_db"]));
}

#[test]
fn a_picture_is_written_to_a_file_whole_or_not_at_all() {
    let project = project();
    project.write("bot.mmd", "an older one");
    let run = project.ok(&["schema", "graph", "bot_db", "-f", "mermaid", "-o", "bot.mmd"]);
    assert_eq!(run.stdout, "");
    let text = fs::read_to_string(project.path("bot.mmd")).expect("a file");
    assert!(text.starts_with("erDiagram\n    \"api_keys\" {\n") && text.ends_with("\n"), "{text}");
    let document = project.json(0, &["schema", "graph", "bot_db", "-f", "mermaid"]);
    assert_eq!(document["picture"], text);
    assert_eq!((&document["sources"][0], &document["output"]), (&"bot_db".into(), &serde_json::Value::Null));

    let run = project.run(&["schema", "graph", "bot_db", "-f", "svg", "-o", "nowhere/bot.svg"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run}");
    assert!(run.stderr.starts_with("error: cannot write nowhere/bot.svg\n"), "{run}");
    // What is no file is not replaced by one.
    let line =
        "mkfifo pipe; cat pipe & dbops schema graph bot_db -f svg -o pipe; wait; test -p pipe && echo still a pipe";
    let run = project.shell(line);
    assert!(run.stdout.starts_with("<svg ") && run.stdout.ends_with("</svg>\nstill a pipe\n"), "{run}");
    let left = fs::read_dir(project.path("."))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert!(!left.into_iter().any(|name| name.starts_with(".new-")));
}

/// Arguments, the exit code, and what is said.
#[test]
fn what_cannot_be_drawn_is_refused() {
    let project = Project::empty();
    let qdrant = "  qdrant:\n    kind: qdrant\n    url: http://localhost:1\n";
    let postgres = "  bot_db:\n    kind: postgres\n    url: postgresql://localhost:1/bot_db\n";
    project.write("dbops.yaml", &format!("version: 1\ntargets:\n{postgres}{qdrant}"));
    let cases: [(&[&str], i32, &str); 4] = [
        (&["-f", "png"], 2, "[possible values: mermaid, dot, svg, html]"),
        (&[], 2, "--format <FORMAT>"),
        (&["qdrant", "-f", "svg"], 2, "target `qdrant` is not a PostgreSQL database"),
        (&["bot_bd", "-f", "svg"], 2, "hint: did you mean `bot_db`?"),
    ];
    for (arguments, code, message) in cases {
        let run = project.run(&[&["schema", "graph"], arguments].concat());
        assert_eq!((run.code, run.stderr.contains(message), run.stdout.as_str()), (code, true, ""), "{run}");
    }
    project.write("dbops.yaml", &format!("version: 1\ntargets:\n{qdrant}"));
    let run = project.run(&["schema", "graph", "-f", "svg"]);
    assert_eq!((run.code, run.stderr.contains("there is no PostgreSQL target to draw")), (2, true), "{run}");
}
