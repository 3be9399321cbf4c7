//! The declared schema: a folder in any order, a program that prints it, and the example for SQLAlchemy.

use std::fs;
use std::path::Path;

use dbops_postgres::process;

use crate::project::{Project, query};
use crate::python::python;

/// A project whose target `app` declares `schema`, in YAML.
fn project(schema: &str) -> Project {
    let url = dbops_testbed::create_database("declared");
    let project = Project::empty().env("APP_URL", &url.reveal());
    project.write(
        "dbops.yaml",
        &format!("version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${{APP_URL}}\n    schema: {schema}\n"),
    );
    project
}

#[test]
fn a_folder_is_read_in_any_order_that_works() {
    let project = project("schema");
    let files = [
        ("a_grants.sql", "CREATE ROLE declared_reader; GRANT SELECT ON adults TO declared_reader;"),
        (
            "b_views.sql",
            "CREATE VIEW grown AS SELECT * FROM adults; CREATE VIEW adults AS SELECT *, f(age) FROM users;",
        ),
        (
            "c_posts.sql",
            "\\restrict key\nBEGIN; SET search_path = app;\n\
             CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES public.users, mood mood);\n\
             CREATE TYPE mood AS ENUM ('ok');\nCOMMIT;\n\\unrestrict key\n",
        ),
        ("d/deep.sql", "CREATE SCHEMA app; ALTER TABLE users ADD FOREIGN KEY (best) REFERENCES app.posts;"),
        ("e_users.sql", "CREATE TABLE users (id int PRIMARY KEY, \"Odd Name\" text, age int, best int DEFAULT g());"),
        ("f.sql", "CREATE FUNCTION f(int) RETURNS int RETURN g() + $1; CREATE FUNCTION g() RETURNS int RETURN 1;"),
        (".hidden.sql", "nonsense"),
    ];
    for (name, text) in files {
        project.write(&format!("schema/{name}"), text);
    }
    let in_order = "CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('ok');\n\
        CREATE FUNCTION g() RETURNS int RETURN 1; CREATE FUNCTION f(int) RETURNS int RETURN g() + $1;\n\
        CREATE TABLE users (id int PRIMARY KEY, \"Odd Name\" text, age int, best int DEFAULT g());\n\
        CREATE TABLE app.posts (id int PRIMARY KEY, author int REFERENCES users, mood app.mood);\n\
        ALTER TABLE users ADD FOREIGN KEY (best) REFERENCES app.posts;\n\
        CREATE VIEW adults AS SELECT *, f(age) FROM users; CREATE VIEW grown AS SELECT * FROM adults;\n\
        GRANT SELECT ON adults TO declared_reader;";
    project.write("in_order.sql", in_order);
    let diff = project.ok(&["schema", "diff", "--from", "declared:app", "--to", "in_order.sql"]);
    assert_eq!(diff.stdout, "");
}

#[test]
fn what_waits_in_vain_is_shown_where_it_stands() {
    // The files, and the place and words of the error.
    let cases: [(&[(&str, &str)], &str); 3] = [
        (
            &[
                ("a.sql", "CREATE VIEW top AS SELECT * FROM base;"),
                ("b.sql", "\nCREATE VIEW base AS\nSELECT * FROM usres;"),
            ],
            "schema/b.sql:3: the declared schema cannot be loaded\n  relation \"usres\" does not exist",
        ),
        (
            &[("a.sql", "CREATE VIEW a AS SELECT * FROM b;"), ("b.sql", "CREATE VIEW b AS SELECT * FROM a;")],
            "schema/a.sql:1: the declared schema cannot be loaded\n  relation \"b\" does not exist",
        ),
        (
            &[("a.sql", "CREATE TABLE t (id int);"), ("b.sql", "SELECT 1;\nCREATE TABLE t (id int);")],
            "schema/b.sql:2: the declared schema cannot be loaded\n  relation \"t\" already exists",
        ),
    ];
    for (files, message) in cases {
        let project = project("schema");
        files.iter().for_each(|(name, text)| project.write(&format!("schema/{name}"), text));
        let run = project.run(&["schema", "dump", "declared:app"]);
        assert!(run.code == 2 && run.stderr.contains(message), "{message}: {run}");
    }
}

#[test]
fn a_program_prints_the_schema() {
    // `schema:`, the exit code, and what is said.
    let cases = [
        ("{command: [./print.sh, \"${WORD:-users}\"]}", 0, "CREATE TABLE public.users (\n    id integer\n);"),
        ("{command: [sh, -c, \"echo its models are broken >&2; exit 3\"]}", 1, "its models are broken"),
        ("{command: [sh, -c, yes]}", 1, "sh wrote more than 64 MiB"),
        ("{command: [nowhere-to-be-found]}", 2, "cannot start nowhere-to-be-found"),
        ("{command: [sh, -c, \"echo 'SELECT 1;'; echo nonsense\"]}", 2, "output of sh:2: the declared schema cannot"),
        ("{command: []}", 2, "PROJECT/dbops.yaml:6: `command` names no program"),
        ("{comand: [sh]}", 2, "hint: did you mean `command`?"),
        ("[a.sql]", 2, "expected a path, or `command` with a list"),
    ];
    for (schema, code, message) in cases {
        let project = project(schema);
        project.write("print.sh", "#!/bin/sh\necho \"CREATE TABLE $1 (id int);\"\n");
        assert!(process::command("chmod").arg("+x").arg(project.path("print.sh")).status().expect("chmod").success());
        let run = project.run(&["schema", "dump", "declared:app"]);
        assert_eq!(run.code, code, "{schema}: {run}");
        assert!(run.to_string().contains(message), "{schema}: no `{message}`: {run}");
    }
}

/// The example's own steps, with SQLAlchemy itself.
#[test]
fn sqlalchemy_models_stay_the_source_of_truth() {
    let url = dbops_testbed::create_database("sqlalchemy");
    let bin = python().parent().expect("a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let project = Project::empty().env("APP_URL", &url.reveal()).env("PATH", &path);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/sqlalchemy");
    for name in ["dbops.yaml", "models.py", "print_ddl.py"] {
        project.write(name, &fs::read_to_string(example.join(name)).expect(name));
    }
    project.ok(&["migrate", "revision", "--autogenerate", "-m", "create users and posts"]);
    project.ok(&["migrate"]);
    assert_eq!(project.ok(&["schema", "drift"]).stdout, "app: equal to the output of python3\n");

    let models = fs::read_to_string(project.path("models.py")).expect("models");
    let changed = models.replace("    title: Mapped[str]\n", "    title: Mapped[str]\n    body: Mapped[str | None]\n");
    assert_ne!(models, changed);
    project.write("models.py", &changed);
    let drift = project.json(3, &["schema", "drift"]);
    assert_eq!(drift["targets"][0]["verdict"], "declared", "{drift}");
    project.ok(&["migrate", "revision", "--autogenerate", "-m", "add body to posts"]);
    project.ok(&["migrate"]);
    assert_eq!(project.json(0, &["schema", "drift"])["targets"][0]["equal"], true);
    let columns = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
                   WHERE attrelid = 'posts'::regclass AND attnum > 0";
    assert_eq!(query(&url, columns), ["id author_id title created_at body"]);
}
