//! Alembic itself beside dbops: projects are imported, and both do the same on a database.

use std::fs;
use std::path::PathBuf;

use dbops_postgres::{DatabaseUrl, process};
use dbops_testbed::create_database;
use serde_json::json;

use crate::migrate::version_rows;
use crate::project::{Project, Run, execute, query};
use crate::python::python;

/// Runs the driver beside this file; gives its exit code and what it says.
fn drive(url: &DatabaseUrl, arguments: &[&str]) -> (i32, String) {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/alembic/project.py");
    let output = process::command(python())
        .arg(script)
        .args(arguments)
        .env("PROJECT_URL", address(url))
        .output()
        .expect("python");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// An address that SQLAlchemy takes too.
pub(crate) fn address(url: &DatabaseUrl) -> String {
    let (host, port) = url.servers().remove(0);
    let revealed = url.reveal();
    let user =
        revealed.split_once("://").and_then(|(_, rest)| rest.split_once('@')).map_or("postgres", |(user, _)| user);
    format!("postgresql://{user}@{host}:{port}/{}", url.database())
}

fn import(project: &Project) -> Run {
    let python = python();
    project.run(&["migrate", "import", "--alembic", "alembic.ini", "--python", python.to_str().expect("UTF-8")])
}

fn tables(url: &DatabaseUrl) -> Vec<String> {
    query(
        url,
        "SELECT attrelid::regclass, attname, pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef \
         ON adrelid = attrelid AND adnum = attnum JOIN pg_class c ON c.oid = attrelid \
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND relname <> 'alembic_version' \
         ORDER BY attrelid::regclass::text, attname",
    )
}

fn rows(url: &DatabaseUrl) -> Vec<String> {
    let is_there = !query(url, "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL").is_empty();
    if is_there { version_rows(url) } else { Vec::new() }
}

#[test]
fn the_same_requests_lead_to_the_same_databases() {
    let mut compared = 0;
    for seed in 1..=3 {
        let (one, two) = (create_database("alembic"), create_database("alembic"));
        let project = Project::with_database(&two);
        let folder = project.path("").to_str().expect("UTF-8").to_owned();
        assert_eq!(drive(&one, &["make", &folder, &seed.to_string()]).0, 0);
        let imported = import(&project);
        assert_eq!(imported.code, 0, "{imported}");
        let requests = fs::read_to_string(project.path("requests")).expect("requests");
        for (index, request) in requests.lines().enumerate() {
            let words: Vec<_> = request.split(' ').collect();
            let (code, said) = drive(&one, &[&["run", folder.as_str()], &words[..]].concat());
            // Both go on from one another's rows.
            let by_alembic = index % 3 == 2;
            let (other, heard) = if by_alembic {
                drive(&two, &[&["run", folder.as_str()], &words[..]].concat())
            } else {
                let run = project.run(&[&["migrate", "--yes"], &words[..]].concat());
                (run.code, run.to_string())
            };
            if code == 3 {
                break;
            }
            assert_eq!(code == 0, other == 0, "seed {seed}: {request}\nalembic: {said}\nother: {heard}");
            assert_eq!(rows(&two), rows(&one), "seed {seed}: {request}\n{heard}");
            assert_eq!(tables(&two), tables(&one), "seed {seed}: {request}\n{heard}");
            compared += 1;
        }
    }
    assert!(compared > 12, "{compared}");
}

/// A revision file of a hand-written project.
fn revision(project: &Project, path: &str, id: &str, rest: &str, upgrade: &str, downgrade: &str) {
    let text = format!(
        "\"\"\"do {id}\n\nCreate Date: 2025-03-01 10:00:00\n\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n\
         revision = '{id}'\n{rest}\n\ndef upgrade():\n{upgrade}\n\ndef downgrade():\n{downgrade}\n"
    );
    project.write(path, &text);
}

#[test]
fn a_project_with_everything_is_imported() {
    let url = create_database("alembic");
    let project = Project::with_database(&url);
    project.write(
        "alembic.ini",
        &format!(
            "[alembic]\nscript_location = %(here)s/db\nversion_locations = %(here)s/db/core:%(here)s/db/more\n\
             path_separator = :\nsqlalchemy.url = {}\n",
            address(&url).replace("postgresql:", "postgresql+psycopg:").replace('%', "%%")
        ),
    );
    project.write("db/script.py.mako", "");
    project.write(
        "db/env.py",
        "from alembic import context\nfrom sqlalchemy import create_engine\nprint('noise')\n\
         url = context.config.get_main_option('sqlalchemy.url')\n\
         if context.is_offline_mode():\n    context.configure(url=url)\n    with context.begin_transaction():\n        context.run_migrations()\n\
         else:\n    with create_engine(url).connect() as connection:\n        context.configure(connection=connection, transaction_per_migration=True)\n\
         \x20       with context.begin_transaction():\n            context.run_migrations()\n",
    );
    let pass = "    pass";
    revision(
        &project,
        "db/core/a.py",
        "aaaa1",
        "down_revision = None\nbranch_labels = ('core',)",
        "    op.execute(\"CREATE TABLE a (id int, note text DEFAULT 'tab\\there; 100%' )\")\n    op.execute('SELECT 1 -- the end')\n\
         \x20   op.execute(sa.text('CREATE TABLE b (id int)'))",
        "    op.drop_table('b')\n    op.drop_table('a')",
    );
    revision(&project, "db/core/b.py", "bbbb1", "down_revision: str = 'aaaa1'", pass, pass);
    revision(
        &project,
        "db/core/c.py",
        "cccc1",
        "down_revision = 'aaaa1'",
        "    with op.get_context().autocommit_block():\n        op.create_index('a_id', 'a', ['id'], postgresql_concurrently=True)",
        "    raise NotImplementedError('no way')",
    );
    revision(&project, "db/core/d.py", "dddd1", "down_revision = ('bbbb1', 'cccc1')", pass, pass);
    revision(
        &project,
        "db/more/e.py",
        "eeee1",
        "down_revision = None\ndepends_on = ['core']",
        "    op.execute('''CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $x$\nBEGIN RETURN '; $$'; END $x$''')",
        "    op.execute('DROP FUNCTION f')",
    );
    revision(
        &project,
        "db/more/g.py",
        "gggg1",
        "down_revision = 'eeee1'",
        "    for row in op.get_bind().execute(sa.text('SELECT id FROM a')):\n        op.execute(f'DELETE FROM b WHERE id = {row.id}')",
        pass,
    );
    let run = import(&project);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("warning: app: db/more/g.py cannot be rendered: g.py:11: TypeError: "), "{run}");
    assert!(run.stderr.contains("app: imported 6 revisions") && !run.stdout.contains("noise"), "{run}");
    assert!(import(&project).stderr.contains("nothing to do, 6 revisions are imported"));

    // Alembic goes first, dbops goes on.
    let folder = project.path("").to_str().expect("UTF-8").to_owned();
    let alembic = process::command(python())
        .args(["-m", "alembic", "upgrade", "bbbb1"])
        .current_dir(&folder)
        .output()
        .expect("alembic");
    assert!(alembic.status.success(), "{}", String::from_utf8_lossy(&alembic.stderr));
    project.ok(&["migrate", "upgrade", "eeee1"]);
    project.ok(&["migrate", "upgrade", "dddd1"]);
    assert_eq!(rows(&url), ["dddd1", "eeee1"]);
    execute(&url, "INSERT INTO a (id) VALUES (1)");
    assert_eq!(query(&url, "SELECT note, f() FROM a"), ["tab\there; 100%|; $$"]);

    let refused = project.run(&["migrate"]);
    assert!(refused.code == 4 && refused.stderr.contains("revision gggg1 cannot be run"), "{refused}");
    assert!(refused.stderr.contains("delete the line `-- stub:`"), "{refused}");
    let refused = project.run(&["migrate", "downgrade", "aaaa1", "--yes"]);
    assert!(refused.code == 4 && refused.stderr.contains("revision cccc1 cannot be undone"), "{refused}");
    project.ok(&["migrate", "stamp", "gggg1"]);
    assert_eq!(rows(&url), ["dddd1", "gggg1"]);

    let shown = project.json(0, &["migrate", "show", "cccc1"]);
    assert_eq!(shown["targets"][0]["revisions"][0]["transaction"], json!(false));
    let path = shown["targets"][0]["revisions"][0]["path"].as_str().expect("a path").replace("PROJECT/", "");
    project.write(&path, "-- revision: cccc1\n-- revises: aaaa1\n-- +up\nSELECT 'mine';\n");
    let run = import(&project);
    assert!(run.code == 4 && run.stderr.contains("revision cccc1 is there already and differs"), "{run}");
}

#[test]
fn a_project_is_read_without_python() {
    let url = create_database("alembic");
    let imported = Project::with_database(&url);
    let folder = imported.path("").to_str().expect("UTF-8").to_owned();
    assert_eq!(drive(&url, &["make", &folder, "7"]).0, 0);
    assert_eq!(import(&imported).code, 0);
    assert_eq!(drive(&url, &["run", &folder, "upgrade", "heads"]).0, 0);
    let config = fs::read_to_string(imported.path("dbops.yaml")).expect("the configuration");
    let ids = |text: &str| -> std::collections::BTreeSet<String> {
        let document: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let target = &document["targets"][0];
        let list = target.get("revisions").or(target.get("heads")).and_then(|it| it.as_array()).expect("a list");
        list.iter()
            .map(|it| format!("{} {} {} {}", it["revision"], it["revises"], it["depends_on"], it["message"]))
            .collect()
    };
    for versions in ["alembic.ini", "migrations/versions"] {
        let read = |words: &[&str]| imported.ok(&[words, &["--json"]].concat()).stdout;
        imported.write("dbops.yaml", &config);
        let expected = [read(&["migrate", "heads"]), read(&["migrate", "history"])];
        imported.write("dbops.yaml", &config.replace("versions: versions", &format!("versions: {versions}")));
        for (words, expected) in [["migrate", "heads"], ["migrate", "history"]].iter().zip(&expected) {
            assert_eq!(ids(&read(words)), ids(expected), "{words:?}");
        }
        assert!(imported.ok(&["migrate", "current"]).stdout.contains("up to date"));
        execute(&url, "DELETE FROM alembic_version");
        let run = imported.run(&["migrate", "upgrade", "heads"]);
        assert!(run.code == 4 && run.stderr.contains("it is Alembic's; `dbops migrate import`"), "{run}");
        assert_eq!(imported.run(&["migrate", "check"]).code, 3);
        let run = imported.run(&["migrate", "revision", "-m", "add roles to users"]);
        assert!(run.code == 4 && run.stderr.contains("belongs to Alembic, which writes Python"), "{run}");
        assert_eq!(drive(&url, &["run", &folder, "stamp", "heads"]).0, 0);
    }
}

#[test]
fn a_project_that_alembic_cannot_read_is_named() {
    let project = Project::with_database(&create_database("alembic"));
    project.write("alembic.ini", "[alembic]\nscript_location = %(here)s/db\n");
    project.write("db/env.py", "raise ValueError('no URL is set')\n");
    project.write("db/versions/a.py", "revision = 'a'\ndown_revision = None\ndef upgrade(): pass\n");
    let run = import(&project);
    assert!(run.code == 1 && run.stderr.contains("env.py:1: ValueError: no URL is set"), "{run}");
    project.write("db/env.py", "raise ValueError('cannot use postgresql://me:s3cret@host/db')\n");
    let run = import(&project);
    assert!(run.code == 1 && run.stderr.contains("***@host") && !run.stderr.contains("s3cret"), "{run}");
    let run = project.run(&["migrate", "import", "--alembic", "nowhere.ini"]);
    assert!(run.code == 2 && run.stderr.contains("hint: name the project's alembic.ini"), "{run}");
}
