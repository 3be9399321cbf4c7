//! `dbops backup verify --restore`, and the comparison after `dbops restore`: a backup is what comes out of it.

use std::fs;

use dbops_postgres::DatabaseUrl;
use dbops_testbed::{create_database, qdrant, unique};
use serde_json::{Value, json};

use crate::backup::{back_up, list, sample, write_manifest};
use crate::project::{Project, execute, query};

const VERIFY: [&str; 3] = ["backup", "verify", "--restore"];

fn verified(project: &Project, code: i32) -> Value {
    project.json(code, &VERIFY)["backups"][0].clone()
}

/// Changes what the manifest says of a table.
fn rewrite(project: &Project, id: &str, table: &str, key: &str, value: &Value) {
    let path = project.path(format!("backups/{id}/manifest.json"));
    let text = fs::read_to_string(&path).expect("a manifest");
    let mut manifest: Value = serde_json::from_str(&text).expect("JSON");
    let tables = manifest["targets"][0]["contents"]["fingerprints"]["tables"].as_array_mut().expect("tables");
    let found = tables.iter_mut().find(|it| it["name"] == table).expect("the table");
    found[key] = value.clone();
    write_manifest(&path, manifest);
}

#[test]
fn a_set_is_restored_where_nobody_is_and_compared() {
    let url = sample("trial");
    let before =
        query(&url, "SELECT oid, datname FROM pg_database WHERE datname IN ('dbops_verify', current_database())");
    let project = Project::with_database(&url);
    let id = back_up(&project);
    assert_eq!(list(&project)[0]["restored"], Value::Null);
    let found = verified(&project, 0);
    assert_eq!(found, json!({"id": id, "ok": true, "problems": [], "not_tried": []}));
    assert!(list(&project)[0]["restored"].is_string(), "{:?}", list(&project));
    let run = project.ok(&["backup", "list"]);
    assert!(run.stdout.contains("restored "), "{run}");
    let run = project.ok(&VERIFY);
    assert!(run.stdout.contains("restored, as it was backed up"), "{run}");
    // Reading the bytes again does not forget that it restores.
    project.ok(&["backup", "verify"]);
    assert!(list(&project)[0]["restored"].is_string(), "{:?}", list(&project));
    let after =
        query(&url, "SELECT oid, datname FROM pg_database WHERE datname IN ('dbops_verify', current_database())");
    assert_eq!(after, before);
}

#[test]
fn rows_that_are_not_those_that_were_dumped_are_found_and_named() {
    let cases = [
        ("players", "rows", json!(51), "table \"public\".\"players\" has 50 rows, and 51 were dumped"),
        ("players", "fingerprint", json!("00"), "table \"public\".\"players\" has other rows than were dumped"),
        ("teams", "name", json!("no more"), "table \"public\".\"no more\" is not there"),
    ];
    for (table, key, value, reason) in cases {
        let project = Project::with_database(&sample("trial"));
        let id = back_up(&project);
        rewrite(&project, &id, table, key, &value);
        let found = verified(&project, 3);
        assert_eq!(found["ok"], json!(false));
        let problem = &found["problems"][0];
        assert_eq!(problem["file"], "app.dump", "{found}");
        let said = problem["reason"].as_str().expect("a reason");
        assert!(said.starts_with(&format!("(target app) {reason}")), "{said}");
        let run = project.ok(&["backup", "list"]);
        assert!(run.stdout.contains("DOES NOT RESTORE"), "{run}");

        // The same after a restore: the database is there, and it is said.
        let into = unique("trial");
        let run = project.run(&["restore", "latest", "app", "--into", &into]);
        assert!(run.code == 3 && run.stderr.contains(reason), "{run}");
    }
}

#[test]
fn a_schema_that_does_not_come_back_is_found_in_every_format() {
    // Every row that is loaded makes a table, which the dump did not hold.
    const MAKING: &str = "
        CREATE FUNCTION made() RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN CREATE TABLE IF NOT EXISTS public.made_by_loading (id int); RETURN true; END $$;
        CREATE DOMAIN maker AS int CHECK (public.made());
        CREATE TABLE t (id maker, role varchar(9) CHECK (role IN ('a', 'b')));
        INSERT INTO t VALUES (1, 'a');
        CREATE VIEW v AS SELECT role FROM t WHERE role IN ('a', 'b');
        DROP TABLE made_by_loading";
    for format in ["custom", "directory", "plain"] {
        let url = create_database("trial");
        execute(&url, MAKING);
        let project = Project::with_database(&url);
        project.ok(&["backup", "--format", format, "--no-roles"]);
        let found = verified(&project, 3);
        let reason =
            "(target app) the schema has `CREATE TABLE public.made_by_loading ( id integer )`, which was not dumped";
        let problems = found["problems"].as_array().expect("problems");
        assert_eq!(problems.len(), 1, "{format}: {found}");
        assert_eq!(problems[0]["reason"], reason, "{format}: {found}");

        // Without that, the server's own rewording of the checks is no difference.
        execute(&url, "TRUNCATE t");
        project.ok(&["backup", "--format", format, "--no-roles"]);
        let run = project.ok(&VERIFY);
        assert!(run.stdout.contains("restored, as it was backed up"), "{format}: {run}");
    }
}

#[test]
fn a_database_in_another_encoding_restores_and_its_schema_is_not_compared() {
    let url = create_database("trial");
    let latin = unique("latin");
    execute(&url, &format!("CREATE DATABASE {latin} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"));
    let url = url.with_database(&latin);
    execute(&url, "CREATE TABLE \"t\u{e4}ble\" AS SELECT '\u{fc}' AS x");
    let project = Project::with_database(&url);
    project.ok(&["backup", "--no-roles"]);
    let run = project.ok(&VERIFY);
    assert!(run.stderr.contains("its schema is not compared: it is of another major version"), "{run}");
}

#[test]
fn what_is_not_tried_is_said() {
    let project = Project::with_database(&sample("trial"));
    project.ok(&["backup", "--no-fingerprints"]);
    let run = project.ok(&VERIFY);
    assert!(run.stderr.contains("app: it restores; its rows are not compared"), "{run}");
}

#[test]
fn roles_settings_and_a_collection_go_through_it() {
    let url: DatabaseUrl = create_database("trial");
    let role = unique("role \"of\" nobody");
    let quoted = dbops_postgres::quote_identifier(&role);
    execute(&url, &format!("CREATE ROLE {quoted}; CREATE TABLE t (id int); GRANT SELECT ON t TO {quoted}"));
    let server = qdrant();
    let project = Project::with_database(&url).env("QDRANT", &server.url);
    let collection = unique("trial");
    let configuration = fs::read_to_string(project.path("dbops.yaml")).expect("the configuration");
    let target = format!(
        "targets:\n  search:\n    kind: qdrant\n    url: ${{QDRANT}}\n    grpc_port: {}\n    collections: collections.yaml\n",
        server.grpc_port
    );
    project.write("dbops.yaml", &configuration.replace("targets:\n", &target));
    project.write(
        "collections.yaml",
        &format!("version: 1\ncollections:\n  {collection}:\n    vectors: {{size: 4, distance: Cosine}}\n"),
    );
    project.ok(&["qdrant", "apply", "--yes"]);
    project.ok(&["backup"]);
    let found = verified(&project, 0);
    assert_eq!((&found["ok"], &found["not_tried"]), (&json!(true), &json!([])), "{found}");
    execute(&url, &format!("DROP OWNED BY {quoted}; DROP ROLE {quoted}"));
}

#[test]
fn a_part_is_never_taken_for_the_whole() {
    let project = Project::with_database(&sample("part"));
    let whole = back_up(&project);
    let part = project.json(0, &["backup", "--table", "teams", "--table", "players"])["id"].clone();
    let part = part.as_str().expect("an id");
    let run = project.ok(&["backup", "list"]);
    assert!(run.stdout.contains("app (part)"), "{run}");

    // Neither takes the other's place.
    let run = project.ok(&["backup", "prune", "--keep-last", "1", "--yes"]);
    assert!(run.stdout.contains(&whole) && !run.stdout.contains("remove"), "{run}");
    let run = project.ok(&["restore", "latest", "app", "--into", &unique("part")]);
    assert!(run.stderr.contains(&format!("{part} holds only a part and was passed over")), "{run}");
    assert!(run.stdout.contains(&whole), "{run}");

    // By its id it is restored, without a version table.
    project.ok(&["backup", "--schema-only"]);
    let into = unique("part");
    let run = project.ok(&["restore", "latest", "app", "--into", &into]);
    assert!(run.stderr.contains("holds only a part"), "{run}");
    let schema = project.json(0, &["backup", "list"])["backups"][0]["id"].as_str().expect("an id").to_owned();
    let run = project.ok(&["restore", &schema, "app", "--into", &unique("part")]);
    assert!(run.stderr.contains("holds only a part: single tables, or not all rows"), "{run}");
}

#[test]
fn without_the_rows_of_one_table_all_schemas_are_still_the_archives() {
    let url = create_database("part");
    execute(
        &url,
        "CREATE SCHEMA apart; CREATE TABLE apart.kept AS SELECT 1 AS id; CREATE TABLE apart.log AS SELECT 2 AS id",
    );
    let project = Project::with_database(&url);
    project.ok(&["backup", "--exclude-table-data", "apart.log"]);
    let found = verified(&project, 0);
    assert_eq!(found["problems"], json!([]), "{found}");
}

#[test]
fn no_backup_becomes_readable_by_mistake() {
    let project = Project::with_database(&create_database("secrecy"));
    let text = fs::read_to_string(project.path("dbops.yaml")).expect("the configuration");
    for nobody in ["{}", "{recipients: []}", "{recipients: ['${NOBODY:-}']}", "{passphrase_file: '${NOBODY:-}'}"] {
        project.write("dbops.yaml", &format!("{text}  encryption: {nobody}\n"));
        let run = project.run(&["backup"]);
        assert_eq!(run.code, 2, "{nobody}: {run}");
        assert!(run.stderr.contains("it names nobody who could read the backups"), "{nobody}: {run}");
    }
    project.write("dbops.yaml", &text);
    let project = project.env("DBOPS_BACKUP_PASSPHRASE", "correct horse");
    project.ok(&["backup"]);
    let run = project.run(&["backup", "--format", "directory"]);
    assert!(run.code == 2 && run.stderr.contains("hint: encrypt archives of the custom format"), "{run}");
    let project = project.env("DBOPS_BACKUP_PASSPHRASE", "");
    let run = project.run(&["backup"]);
    assert!(run.code == 4 && run.stderr.contains("are encrypted, and this one would not be"), "{run}");
}
