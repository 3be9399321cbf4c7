//! `migrate revision --autogenerate` and `schema diff`: what is written, what is refused, and that it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dbops_postgres::DatabaseUrl;

use crate::project::{Project, execute, query};

const USERS: &str = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(20) NOT NULL, age integer);\n";

/// A project whose database is at its only revision, which creates `users`, and whose schema says the same.
fn project() -> (Project, DatabaseUrl) {
    let url = dbops_testbed::create_database("autogenerate");
    let project = Project::empty().env("APP_URL", &url.reveal());
    project.write(
        "dbops.yaml",
        "version: 1\ntargets:\n  app:\n    kind: postgres\n    url: ${APP_URL}\n    versions: versions\n    schema: \
         schema.sql\n",
    );
    project.write("schema.sql", USERS);
    project.ok(&["migrate", "revision", "-m", "create users table", "--autogenerate", "--rev-id", "aaaa1111"]);
    project.ok(&["migrate"]);
    (project, url)
}

fn autogenerate(project: &Project, further: &[&str]) -> String {
    let arguments = [&["migrate", "revision", "-m", "follow the schema", "--autogenerate"], further].concat();
    files(project, &arguments).concat()
}

/// The text of each file that is written, in their order.
fn files(project: &Project, arguments: &[&str]) -> Vec<String> {
    let document = project.json(0, arguments);
    let files = document["files"].as_array().filter(|files| !files.is_empty());
    let files = files.unwrap_or_else(|| panic!("nothing is written: {document}"));
    assert_eq!(document["path"], files[files.len() - 1]["path"]);
    let path = |file: &serde_json::Value| file["path"].as_str().unwrap_or_default().replace("PROJECT/", "");
    files.iter().map(|file| fs::read_to_string(project.path(path(file))).expect("a revision")).collect()
}

/// What was written leads there, and back.
fn runs(project: &Project) {
    let before = project.json(0, &["migrate", "current"])["targets"][0]["current"][0].as_str().map(ToOwned::to_owned);
    project.ok(&["migrate"]);
    assert_eq!(project.ok(&["schema", "drift"]).stdout, "app: equal to schema.sql\n");
    project.ok(&["migrate", "downgrade", before.as_deref().unwrap_or("base"), "--yes"]);
    project.ok(&["migrate"]);
    let nothing = project.json(0, &["migrate", "revision", "-m", "nothing is left", "--autogenerate"]);
    assert!(nothing["revision"].is_null() && nothing["path"].is_null(), "{nothing}");
}

#[test]
fn what_is_declared_is_written_up_and_down_and_runs() {
    let (project, url) = project();
    execute(&url, "INSERT INTO users VALUES (1, 'Ada', 36)");
    project.write(
        "schema.sql",
        "CREATE TYPE plan AS ENUM ('free', 'paid');\n\
         CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, age integer, plan plan NOT NULL DEFAULT 'free', \
         CONSTRAINT grown CHECK (age > 3), CONSTRAINT names UNIQUE (name));\n\
         CREATE TABLE posts (id bigint PRIMARY KEY, author bigint REFERENCES users);\n\
         CREATE INDEX users_age ON users (age);\nCREATE VIEW adults AS SELECT * FROM users WHERE age > 17;\n\
         CREATE FUNCTION own() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM adults';\n\
         ALTER TABLE users ENABLE ROW LEVEL SECURITY;\nCREATE POLICY p ON users TO nobody_here_yet USING (true);\n",
    );
    execute(&url, "DO $$ BEGIN CREATE ROLE nobody_here_yet; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    let files = files(&project, &["migrate", "revision", "-m", "follow the schema", "--autogenerate"]);
    let parts: [&[&str]; 4] = [
        &[
            "-- message: follow the schema (1 of 4: definitions)\n",
            "ADD CONSTRAINT grown CHECK ((age > 3)) NOT VALID;",
            "-- rewrites the table\nALTER TABLE public.users ALTER COLUMN id TYPE bigint;",
            "-- loses data: the table's rows\nDROP TABLE public.posts;",
        ],
        &[
            "(2 of 4: indexes)\n",
            "-- transaction: off\n",
            "CREATE UNIQUE INDEX CONCURRENTLY names ON public.users (name);",
            "CREATE INDEX CONCURRENTLY users_age ON public.users",
            "DROP INDEX public.names;",
        ],
        &["(3 of 4: constraints)\n", "ADD CONSTRAINT names UNIQUE USING INDEX names;"],
        &["(4 of 4: validation)\n", "VALIDATE CONSTRAINT grown;", "-- +down\n-- nothing to undo\n"],
    ];
    assert_eq!(files.len(), parts.len(), "{files:#?}");
    for (text, parts) in files.iter().zip(parts) {
        assert_eq!(text.contains("-- transaction: off"), text.contains("CONCURRENTLY"), "{text}");
        for part in parts {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
    }
    runs(&project);
    assert_eq!(query(&url, "SELECT concat(id, name, age, plan) FROM users"), ["1Ada36free"]);
}

#[test]
fn what_would_lose_data_is_refused_until_it_is_asked_for_or_called_a_rename() {
    let (project, url) = project();
    execute(&url, "INSERT INTO users VALUES (1, 'Ada', 36)");
    project.write("schema.sql", &USERS.replace("name varchar", "full_name varchar"));
    let request = ["migrate", "revision", "-m", "give the name its full name", "--autogenerate"];
    let refused = project.run(&request);
    assert_eq!(refused.code, 4, "{refused}");
    for part in ["column public.users.name: loses data", "--rename users.name=full_name", "--allow-data-loss"] {
        assert!(refused.stderr.contains(part), "no `{part}`: {refused}");
    }
    assert_eq!(fs::read_dir(project.path("versions")).expect("revisions").count(), 1);

    let wrong = project.run(&[&request[..], &["--rename", "users.nome=full_name"]].concat());
    assert!(wrong.code == 2 && wrong.stderr.contains("there is nothing of the name `users.nome`"), "{wrong}");

    let text = autogenerate(&project, &["--rename", "users.name=full_name"]);
    assert!(text.contains("RENAME COLUMN") && !text.contains("DROP COLUMN"), "{text}");
    runs(&project);
    assert_eq!(query(&url, "SELECT full_name FROM users"), ["Ada"]);

    // On the way back rows would have no name, which the column refuses.
    execute(&url, "DELETE FROM users");
    project.write("schema.sql", "CREATE TABLE accounts (id integer PRIMARY KEY);");
    let text = autogenerate(&project, &["--allow-data-loss", "--rename", "users=accounts", "--simple"]);
    assert!(text.contains("-- loses data: the column's values\nALTER TABLE public.accounts DROP COLUMN"), "{text}");
    runs(&project);
}

#[test]
fn a_label_that_is_used_at_once_is_committed_first() {
    let (project, _) = project();
    let with = |labels: &str, default: &str| {
        format!("{USERS}CREATE TYPE mood AS ENUM ({labels});\nCREATE TABLE t (m mood DEFAULT '{default}');\n")
    };
    project.write("schema.sql", &with("'ok'", "ok"));
    assert!(!autogenerate(&project, &[]).contains("-- transaction: off"));
    project.ok(&["migrate"]);
    project.write("schema.sql", &with("'bad', 'ok'", "bad"));
    let files = files(&project, &["migrate", "revision", "-m", "worse", "--autogenerate", "--rev-id", "bbbb2222"]);
    let [labels, rest] = &files[..] else { panic!("{files:#?}") };
    assert!(labels.contains("worse (1 of 2: labels)\n") && labels.contains("ADD VALUE 'bad' BEFORE 'ok'"), "{labels}");
    assert!(rest.starts_with("-- revision: bbbb2222\n") && rest.contains("SET DEFAULT 'bad'"), "{rest}");
    assert!(!files.concat().contains("-- transaction: off"), "{files:#?}");
    runs(&project);
}

#[test]
fn a_live_database_can_be_where_it_starts() {
    let (project, url) = project();
    execute(&url, "ALTER TABLE users ADD note text; CREATE INDEX found ON users (age)");
    project.write("schema.sql", &format!("{USERS}ALTER TABLE users ADD note text;\n"));
    let text = autogenerate(&project, &["--against", "live"]);
    assert!(text.contains("DROP INDEX CONCURRENTLY public.found") && !text.contains("note"), "{text}");
    project.ok(&["migrate"]);
    assert_eq!(project.ok(&["schema", "diff", "--from", "app", "--to", "declared:app"]).stdout, "");
    // What it undoes was in no revision: they do not lead there from an empty database.
    let drift = project.run(&["schema", "drift"]);
    assert!(drift.code == 1 && drift.stderr.contains("replaying the revisions on an empty database"), "{drift}");
}

#[test]
fn a_diff_of_files_databases_and_targets() {
    let (project, url) = project();
    // Passwords stay out of argument lists.
    let (host, port) = url.servers().remove(0);
    let named = |database: &str| format!("postgresql://{}@{host}:{port}/{database}", url.user());
    let password =
        String::from_utf8_lossy(url.password().unwrap_or_default()).replace('\\', "\\\\").replace(':', "\\:");
    project.write("passfile", &format!("*:*:*:*:{password}\n"));
    fs::set_permissions(project.path("passfile"), fs::Permissions::from_mode(0o600)).expect("permissions");
    let passfile = project.path("passfile").display().to_string();
    let project = project.env("PGPASSFILE", &passfile);
    project.write("new.sql", &format!("{USERS}CREATE INDEX users_age ON users (age);\n"));
    let equal = project.ok(&["schema", "diff", "--from", "app", "--to", "schema.sql"]);
    assert_eq!(equal.stdout, "", "{equal}");
    let diff = project.ok(&["schema", "diff", "--from", &named(url.database()), "--to", "new.sql", "--simple"]);
    let expected = "-- reads the whole table\nCREATE INDEX users_age ON public.users USING btree (age);\n\n";
    assert_eq!(diff.stdout, expected, "{diff}");
    let server = named("postgres");
    let document = project
        .json(0, &["schema", "diff", "--from", "new.sql", "--to", "schema.sql", "--dev-url", &server, "--simple"]);
    assert_eq!(
        document["statements"],
        serde_json::json!([{"sql": "DROP INDEX public.users_age", "kind": "index", "object":
            "index users_age on public.users", "transactional": true, "lock": "ACCESS EXCLUSIVE", "hazards": []}])
    );
    assert_eq!(query(&url, "SELECT count(*) FROM pg_database WHERE datname ~ '^dbops_scratch'"), ["0"]);
    project.write("dumped.sql", &project.ok(&["schema", "dump", "app"]).stdout);
    assert_eq!(project.ok(&["schema", "diff", "--from", "app", "--to", "dumped.sql"]).stdout, "");
    let wrong = project.run(&["schema", "diff", "--from", "nothing", "--to", "app"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("neither a URL nor a .sql file"), "{wrong}");
}
