//! `dbops migrate rehearse`: the pending revisions on a restored backup, and what they would do to production.

use dbops_postgres::DatabaseUrl;
use dbops_testbed::{create_database, unique};
use serde_json::{Value, json};

use crate::migrate::version_rows;
use crate::project::{Project, execute, query};

const TABLE: &str = "CREATE TABLE notes (id int PRIMARY KEY, text text NOT NULL);
    INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 2000) AS n;
    CREATE TABLE \"Odd table\" (id int PRIMARY KEY);";

/// A project whose database is at `aaaa1111` and backed up there.
fn backed_up() -> (DatabaseUrl, Project) {
    let url = create_database("rehearse");
    let project = Project::with_database(&url);
    project.revision("aaaa1111", "", TABLE, "DROP TABLE notes, \"Odd table\";");
    project.ok(&["migrate"]);
    project.ok(&["backup"]);
    (url, project)
}

fn rehearse(project: &Project, code: i32) -> Value {
    project.json(code, &["migrate", "rehearse"])["targets"][0].clone()
}

/// Of each lock: table, mode.
fn locks(revision: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let locks = revision["locks"].as_array().expect("locks");
    locks.iter().map(|lock| (text(&lock["table"]), text(&lock["mode"]))).collect()
}

#[test]
fn each_revision_says_what_it_locks_rewrites_and_touches() {
    let (url, project) = backed_up();
    project.revision(
        "bbbb2222",
        "aaaa1111",
        "ALTER TABLE \"Odd table\" ADD note int;",
        "ALTER TABLE \"Odd table\" DROP note;",
    );
    project.revision(
        "cccc3333",
        "bbbb2222",
        "ALTER TABLE notes ALTER id TYPE bigint;\nUPDATE notes SET text = text || '!' WHERE id <= 500;",
        "UPDATE notes SET text = rtrim(text, '!');\nALTER TABLE notes ALTER id TYPE int;",
    );
    project.write(
        "versions/dddd4444.sql",
        "-- revision: dddd4444\n-- revises: cccc3333\n-- message: add dddd4444\n-- transaction: off\n\n-- +up\n\
         CREATE INDEX CONCURRENTLY notes_text ON notes (text);\n\
         -- +batch table=notes key=id size=300\nUPDATE notes SET text = upper(text) WHERE dbops_batch(notes);\n\
         -- +end\n\
         ALTER TABLE notes ADD CONSTRAINT filled CHECK (text <> '') NOT VALID;\n\n\
         -- +down\nALTER TABLE notes DROP CONSTRAINT filled;\nDROP INDEX CONCURRENTLY notes_text;\n",
    );
    let before = query(&url, "SELECT * FROM notes ORDER BY id");
    let report = rehearse(&project, 0);
    assert_eq!((&report["current"], &report["live"]), (&json!(["aaaa1111"]), &json!(["aaaa1111"])));
    assert_eq!((&report["findings"], &report["no_way_down"]), (&json!([]), &Value::Null));
    let [plain, rewrite, off] = &report["revisions"].as_array().expect("revisions")[..] else {
        panic!("{report:#}");
    };
    let lock = |table: &str, mode: &str| (table.to_owned(), mode.to_owned());
    assert_eq!(locks(plain), [lock("public.\"Odd table\"", "AccessExclusiveLock")]);
    assert_eq!((&plain["rewritten"], &plain["rows"]), (&json!([]), &json!(0)));
    assert_eq!(locks(rewrite), [lock("public.notes", "AccessExclusiveLock")]);
    assert_eq!((&rewrite["rewritten"], &rewrite["rows"]), (&json!(["public.notes"]), &json!(500)));
    assert_eq!(locks(off), [lock("public.notes", "AccessExclusiveLock")]);
    assert_eq!((&off["rewritten"], &off["rows"]), (&json!([]), &json!(2000)));
    assert_eq!(off["invalid"], json!(["constraint filled on public.notes"]));
    let [index, batches, check] = &off["statements"].as_array().expect("statements")[..] else { panic!("{off:#}") };
    assert_eq!((&index["transactions"], &batches["transactions"], &check["line"]), (&json!(1), &json!(7), &json!(11)));
    for revision in [plain, rewrite, off] {
        for time in ["duration_ms", "down_ms", "again_ms"] {
            assert!(revision[time].is_u64(), "{time}: {revision:#}");
        }
    }
    let run = project.ok(&["migrate", "rehearse"]);
    for part in [
        "app: 3 revisions pending on the backup ",
        "AccessExclusiveLock public.notes",
        "cccc3333 line 9: rewrites public.notes in ",
        "dddd4444 line 9: 7 batches in ",
        "dddd4444 line 11: leaves not valid: constraint filled on public.notes",
        "what cannot be read or written meanwhile: public.\"Odd table\" for ",
    ] {
        assert!(run.stdout.contains(part), "no `{part}`: {run}");
    }
    // The live database is only looked at.
    assert_eq!(query(&url, "SELECT * FROM notes ORDER BY id"), before);
    assert_eq!(version_rows(&url), ["aaaa1111"]);
}

#[test]
fn what_would_go_wrong_in_production_is_found() {
    let (url, project) = backed_up();
    let drop = "ALTER TABLE notes DROP CONSTRAINT IF EXISTS notes_text_key;";
    // What it adds, how it is undone, what is found, and how far it came.
    let cases = [
        ("INSERT INTO notes VALUES (1, 'twice');", "SELECT 1;", ".sql:9:1", false),
        ("ALTER TABLE notes ADD UNIQUE (text);", "SELECT 1;", "the way down does not lead back: ", true),
        ("ALTER TABLE notes ADD UNIQUE (text);", "DROP TABLE nothing;", "nothing", true),
        ("ALTER TABLE notes ADD UNIQUE (text);", drop, "the result is not what is declared: ", true),
    ];
    for (up, down, finding, is_up) in cases {
        project.revision("bbbb2222", "aaaa1111", up, down);
        if finding.contains("declared") {
            project.write("dbops.yaml", &with_schema(&project));
            project.write("schema.sql", "CREATE TABLE notes (id int PRIMARY KEY, text text NOT NULL);");
        }
        let report = rehearse(&project, 3);
        let findings = report["findings"].to_string();
        assert!(findings.contains(finding), "{up} {down}: no `{finding}` in {findings}");
        assert_eq!(report["revisions"][0]["duration_ms"].is_u64(), is_up, "{report:#}");
    }
    let run = project.run(&["migrate", "rehearse"]);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stdout.contains("✗ the result is not what is declared: "), "{run}");
    assert_eq!(version_rows(&url), ["aaaa1111"]);
}

fn with_schema(project: &Project) -> String {
    let text = std::fs::read_to_string(project.path("dbops.yaml")).expect("the configuration");
    text.replace("    versions: versions\n", "    versions: versions\n    schema: schema.sql\n")
}

#[test]
fn where_there_is_no_way_down_and_roles_that_the_backup_does_not_have() {
    let (url, project) = backed_up();
    let role = unique("a role of nobody's");
    let grant = format!(
        "-- revision: bbbb2222\n-- revises: aaaa1111\n-- message: grant\n\n-- +up\n\
         ALTER TABLE notes ADD z int;\nALTER TABLE notes ALTER id TYPE bigint;\nGRANT SELECT ON notes TO \"{role}\";\n"
    );
    project.write("versions/bbbb2222.sql", &grant);
    let findings = rehearse(&project, 3)["findings"].to_string();
    assert!(findings.contains(&format!("role \\\"{role}\\\" does not exist")), "{findings}");

    // The live server has it.
    execute(&url, &format!("CREATE ROLE \"{role}\""));
    let report = rehearse(&project, 0);
    assert_eq!((&report["no_way_down"], &report["findings"]), (&json!("bbbb2222"), &json!([])));
    assert_eq!(report["invented_roles"], json!([]));
    execute(&url, &format!("DROP ROLE \"{role}\""));

    // Nobody can be asked. The try that failed for want of it has left no trace in what is told.
    let project = project.env("APP_URL", "postgres://postgres@127.0.0.1:1/nothing");
    let report = rehearse(&project, 0);
    assert_eq!((&report["live"], &report["invented_roles"]), (&Value::Null, &json!([role])));
    let run = project.ok(&["migrate", "rehearse"]);
    let made = format!("made for the rehearsal, production must have them: the roles {role}");
    for part in ["no way down from bbbb2222", "bbbb2222 line 7: rewrites public.notes", &made] {
        assert!(run.stdout.contains(part), "no `{part}`: {run}");
    }
    assert!(!run.stdout.contains("line 6: rewrites"), "{run}");
}

#[test]
fn where_the_backup_is_behind_or_missing() {
    let (url, project) = backed_up();
    project.revision("bbbb2222", "aaaa1111", "CREATE TABLE more (id int);", "DROP TABLE more;");
    project.ok(&["migrate"]);
    let run = project.ok(&["migrate", "rehearse"]);
    assert!(run.stderr.contains("the live database is at bbbb2222, not where the backup is"), "{run}");
    project.ok(&["backup"]);
    let run = project.ok(&["migrate", "rehearse"]);
    assert!(run.stdout.contains("0 revisions pending") && run.stdout.contains("nothing is pending"), "{run}");

    let other = Project::with_database(&url);
    let run = other.run(&["migrate", "rehearse"]);
    assert_eq!(run.code, 1, "{run}");
    let run = other.run(&["migrate", "rehearse", "--from", "20200101"]);
    assert_eq!(run.code, 2, "{run}");
    execute(&url, "DROP TABLE more");
}
