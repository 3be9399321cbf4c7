//! The Support Bot's revisions against its declared schemas, and `dbops schema drift`.

use std::fs;
use std::path::{Path, PathBuf};

use dbops_postgres::{DatabaseUrl, process, quote_identifier};

use crate::project::{Project, execute};

/// The Support Bot's PostgreSQL targets.
const TARGETS: [&str; 2] = ["bot_db", "vector_db"];

fn config(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config").join(target)
}

/// The up and down sections of a target's revisions, in the order of the files.
fn revisions(target: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(config(target).join("versions")).expect("revisions");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    let sections = |path: PathBuf| {
        let text = fs::read_to_string(path).expect("a revision");
        let (_, rest) = text.split_once("\n-- +up\n").expect("an up section");
        let (up, down) = rest.split_once("\n-- +down\n").expect("a down section");
        (up.to_owned(), down.to_owned())
    };
    paths.into_iter().map(sections).collect()
}

/// What pg_dump says of a database's schema.
fn dump(url: &DatabaseUrl) -> String {
    let mut command = process::command(dbops_testbed::installation().program("pg_dump"));
    command.args(["--schema-only", "--dbname"]).arg(url.conninfo());
    command.env("PGPASSWORD", String::from_utf8_lossy(url.password().unwrap_or_default()).as_ref());
    let output = command.output().expect("pg_dump");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // \restrict and \unrestrict carry a random key.
    text.lines().filter(|line| !line.contains("restrict ")).collect::<Vec<_>>().join("\n")
}

/// A project with one target `app` on `url` that declares `schema`.
fn project(url: &DatabaseUrl, schema: &Path) -> Project {
    let project = Project::empty().env("APP_URL", &url.reveal());
    project.write(
        "dbops.yaml",
        &format!(
            "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${{APP_URL}}\n    schema: {}\n",
            schema.display()
        ),
    );
    project
}

#[test]
fn the_bots_revisions_lead_to_the_declared_schema_and_back_to_nothing() {
    for target in TARGETS {
        let (replayed, declared) = (dbops_testbed::create_database(target), dbops_testbed::create_database(target));
        let empty = dump(&replayed);
        let revisions = revisions(target);
        for (up, _) in &revisions {
            execute(&replayed, up);
        }
        let schema = config(target).join("schema.sql");
        let run = project(&replayed, &schema).ok(&["schema", "drift"]);
        assert_eq!(run.stdout, "app: equal to schema.sql\n", "{target}");

        execute(&declared, &fs::read_to_string(schema).expect("a schema"));
        assert_eq!(dump(&replayed), dump(&declared), "{target}");

        for (_, down) in revisions.iter().rev() {
            execute(&replayed, down);
        }
        assert_eq!(dump(&replayed), empty, "{target}");
    }
}

#[test]
fn drift_names_what_is_missing_added_and_changed() {
    let url = dbops_testbed::create_database("drift");
    let role = dbops_testbed::unique("Drift Role");
    // A folder, in the order of the names; a role that only the live server has.
    let project = project(&url, Path::new("schema"));
    project.write("schema/20.sql", "CREATE INDEX users_name_idx ON users (name);\n");
    project.write(
        "schema/10.sql",
        &format!(
            "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\nALTER TABLE users ENABLE ROW LEVEL \
             SECURITY;\nCREATE POLICY own ON users TO {};\n",
            quote_identifier(&role)
        ),
    );
    execute(&url, &format!("CREATE ROLE {}", quote_identifier(&role)));
    let missing = project.json(3, &["schema", "drift"]);
    assert_eq!(missing["targets"][0]["equal"], false);
    let changes: Vec<_> = missing["targets"][0]["differences"].as_array().expect("an array").iter().collect();
    assert!(changes.iter().all(|change| change["change"] == "missing" && change["after"].is_null()), "{missing}");

    execute(
        &url,
        &format!(
            "CREATE TABLE users (name text NOT NULL, id integer PRIMARY KEY); ALTER TABLE users ENABLE ROW LEVEL \
             SECURITY; CREATE POLICY own ON users TO {}; CREATE INDEX users_name_idx ON users (name)",
            quote_identifier(&role)
        ),
    );
    let equal = project.json(0, &["schema", "drift", "-t", "app"]);
    assert_eq!(
        (&equal["targets"][0]["equal"], &equal["targets"][0]["ways_out"]),
        (&true.into(), &serde_json::json!([]))
    );

    execute(&url, "ALTER TABLE users ADD age integer; DROP INDEX users_name_idx; CREATE VIEW names AS SELECT 1 AS one");
    let run = project.run(&["schema", "drift"]);
    assert_eq!(run.code, 3, "{run}");
    let expected = "app: the database differs from schema\n  changed  table public.users\n      + age integer\n  \
                    missing  index users_name_idx on public.users\n  added    view public.names\n\n  \
                    to bring the database straight to schema, run this in it:\n\n      DROP VIEW public.names;\n";
    assert!(run.stdout.starts_with(expected), "{run}");
    execute(&url, &format!("DROP TABLE users; DROP ROLE {}", quote_identifier(&role)));
}

/// A declared schema, and what is said of it.
#[test]
fn a_declared_schema_that_cannot_be_loaded_is_shown_by_file_and_line() {
    let url = dbops_testbed::create_database("unloadable");
    let cases = [
        ("CREATE TABLE a (\n    id integer,\n    x nonsense\n);", 2, "a.sql:3: the declared schema cannot be loaded"),
        ("-- fine\nSELECT 1;\n\nCREATE TABEL a ();\n", 2, "a.sql:4: the declared schema cannot be loaded"),
    ];
    let project = project(&url, Path::new("a.sql"));
    for (sql, code, message) in cases {
        project.write("a.sql", sql);
        let run = project.run(&["schema", "drift"]);
        assert_eq!(run.code, code, "{run}");
        assert!(run.stderr.contains(message), "{run}");
    }
    fs::remove_file(project.path("a.sql")).expect("removed");
    let run = project.run(&["schema", "drift"]);
    assert_eq!((run.code, run.stderr.contains("cannot read the declared schema PROJECT/a.sql")), (2, true), "{run}");
}

/// In the terminal's language it is a colour, which is not dbops' to take out.
#[test]
fn a_script_has_every_byte_of_a_literal() {
    let project = Project::empty();
    project.write("dbops.yaml", "version: 1\ntargets: {a: {kind: postgres, url: 'postgresql://h/d'}}\n");
    project.write("one.sql", "CREATE TABLE t ();\n");
    project.write("two.sql", "CREATE TABLE t (); COMMENT ON TABLE t IS '\u{1b}[31mred';\n");
    let diff = project.ok(&["schema", "diff", "--from", "one.sql", "--to", "two.sql"]);
    assert_eq!(diff.stdout, "COMMENT ON TABLE public.t IS '\u{1b}[31mred';\n\n");
}
