//! The check `drift` of `dbops health` as it is always run: what dbops left, compared with what is there.

use dbops_migrate::{SchemaState, read_schema_state};
use dbops_postgres::DatabaseUrl;
use dbops_testbed::{create_database, drop_database, unique};
use serde_json::Value;

use crate::project::{Project, client, execute};

const UP: &str = "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL DEFAULT 'x', email text);\n\
    CREATE INDEX by_name ON users (name);\n\
    CREATE TYPE mood AS ENUM ('good');\n\
    CREATE DOMAIN name_text AS text CHECK (value <> '');\n\
    CREATE SEQUENCE numbers;\n\
    CREATE VIEW named AS SELECT name FROM users;\n\
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users;\n\
    CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42';\n\
    CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';\n\
    CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touched();\n\
    CREATE POLICY all_of_it ON users USING (true);\n\
    CREATE TABLE parted (id int) PARTITION BY RANGE (id);";

fn project(url: &DatabaseUrl) -> Project {
    let project = Project::with_database(url);
    project.revision("aaaa1111", "", UP, "SELECT 1;");
    project.ok(&["migrate"]);
    project
}

/// What the check says: its status, and each object.
fn told(project: &Project) -> (String, Vec<String>) {
    let run = project.run(&["health", "--json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let checks = document["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["id"] == "drift").unwrap_or_else(|| panic!("{document}"));
    let details = check["details"].as_array().into_iter().flatten();
    let details = details.map(|detail| detail.as_str().expect("text").to_owned()).collect();
    (check["summary"].as_str().expect("text").to_owned(), details)
}

/// What the library says: each object, and how it is.
fn read(url: &DatabaseUrl) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(read_schema_state(url)) {
        Ok(SchemaState::Recorded { changed, .. }) => {
            changed.iter().map(|it| format!("{} is {}", it.object, it.change())).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn is_as_left(project: &Project) {
    let (summary, details) = told(project);
    assert!(summary.starts_with("the schema is as dbops left it ") && details.is_empty(), "{summary}: {details:?}");
}

fn is_changed(project: &Project, expected: &[&str]) {
    let (summary, details) = told(project);
    assert!(details == expected && summary.contains("something else changed it"), "{summary}: {details:?}");
}

fn is_not_recorded(project: &Project) {
    let (summary, _) = told(project);
    assert!(summary.starts_with("what dbops left is not recorded yet"), "{summary}");
}

#[test]
fn each_kind_of_change_is_named_and_its_undoing_too() {
    let url = create_database("byhand");
    let project = project(&url);
    is_as_left(&project);
    let table = "table public.users is changed";
    let cases = [
        ("ALTER TABLE users ADD note text", "ALTER TABLE users DROP note", table),
        ("ALTER TABLE users ALTER email TYPE varchar(9)", "ALTER TABLE users ALTER email TYPE text", table),
        ("ALTER TABLE users ALTER email SET NOT NULL", "ALTER TABLE users ALTER email DROP NOT NULL", table),
        ("ALTER TABLE users ALTER name SET DEFAULT 'y'", "ALTER TABLE users ALTER name SET DEFAULT 'x'", table),
        ("ALTER TABLE users RENAME email TO mail", "ALTER TABLE users RENAME mail TO email", table),
        ("ALTER TABLE users ADD CONSTRAINT c CHECK (id > 0)", "ALTER TABLE users DROP CONSTRAINT c", table),
        ("CREATE INDEX by_email ON users (email)", "DROP INDEX by_email", table),
        ("ALTER INDEX by_name RENAME TO name_by", "ALTER INDEX name_by RENAME TO by_name", table),
        ("ALTER TABLE users DISABLE TRIGGER touched", "ALTER TABLE users ENABLE TRIGGER touched", table),
        ("ALTER POLICY all_of_it ON users USING (false)", "ALTER POLICY all_of_it ON users USING (true)", table),
        ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", "ALTER TABLE users DISABLE ROW LEVEL SECURITY", table),
        ("ALTER TABLE users SET (fillfactor = 70)", "ALTER TABLE users RESET (fillfactor)", table),
        ("CREATE TABLE \"a.b\" (c int)", "DROP TABLE \"a.b\"", "table public.\"a.b\" is new"),
        ("CREATE TABLE p1 PARTITION OF parted DEFAULT", "DROP TABLE p1", "table public.p1 is new"),
        (
            "CREATE OR REPLACE VIEW named AS SELECT upper(name) AS name FROM users",
            "CREATE OR REPLACE VIEW named AS SELECT name FROM users",
            "view public.named is changed",
        ),
        (
            "CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 43'",
            "CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42'",
            "function public.answer() is changed",
        ),
        (
            "ALTER SEQUENCE numbers INCREMENT 2",
            "ALTER SEQUENCE numbers INCREMENT 1",
            "sequence public.numbers is changed",
        ),
        (
            "ALTER DOMAIN name_text SET NOT NULL",
            "ALTER DOMAIN name_text DROP NOT NULL",
            "type public.name_text is changed",
        ),
        (
            "ALTER TYPE mood RENAME VALUE 'good' TO 'bad'",
            "ALTER TYPE mood RENAME VALUE 'bad' TO 'good'",
            "type public.mood is changed",
        ),
        ("CREATE SCHEMA other", "DROP SCHEMA other", "schema other is new"),
        ("CREATE EXTENSION vector", "DROP EXTENSION vector", "extension vector is new"),
        ("CREATE PUBLICATION p FOR TABLE users", "DROP PUBLICATION p", "publication p is new"),
    ];
    // By the library: the program would take a while for so many.
    for (change, undo, expected) in cases {
        execute(&url, change);
        assert_eq!(read(&url), [expected], "{change}");
        execute(&url, undo);
        assert_eq!(read(&url), [""; 0], "{undo}");
    }
    // What is made again as it was is the same, although its columns have other numbers.
    let again =
        "ALTER TABLE users ADD state text CHECK (state <> ''); CREATE INDEX by_state ON users (state, lower(state))";
    execute(&url, again);
    project.ok(&["migrate", "stamp", "heads"]);
    execute(&url, &format!("ALTER TABLE users DROP state; {again}"));
    assert_eq!(read(&url), [""; 0]);
    execute(&url, "DROP MATERIALIZED VIEW counted");
    is_changed(&project, &["materialized view public.counted is gone"]);
}

#[test]
fn what_is_no_change_of_the_schema_is_not_told() {
    let url = create_database("byhand");
    let project = project(&url);
    for sql in [
        "INSERT INTO users VALUES (1)",
        "TRUNCATE users",
        "REINDEX TABLE CONCURRENTLY users",
        "VACUUM FULL users",
        "CLUSTER users USING by_name",
        "REFRESH MATERIALIZED VIEW counted",
        "SELECT nextval('numbers')",
        "ANALYZE",
        "COMMENT ON TABLE users IS 'people'",
        "GRANT SELECT ON users TO pg_monitor",
    ] {
        execute(&url, sql);
    }
    is_as_left(&project);
}

#[test]
fn a_migration_does_not_hide_what_was_changed_before() {
    let url = create_database("byhand");
    let project = project(&url);
    execute(&url, "ALTER TABLE parted ADD note text; CREATE TABLE strange (id int); DROP VIEW named");
    project.revision("bbbb2222", "aaaa1111", "ALTER TABLE users ADD age int;", "ALTER TABLE users DROP age;");
    let run = project.ok(&["migrate"]);
    let warning = "warning: app: changed since dbops' last run, and not by it: table public.parted and 2 more; `dbops \
                   schema drift -t app` shows what";
    assert!(run.stderr.contains(warning), "{run}");
    let changed = ["table public.parted is changed", "table public.strange is new", "view public.named is gone"];
    is_changed(&project, &changed);
    // A run that has nothing to do accepts nothing.
    project.ok(&["migrate"]);
    is_changed(&project, &changed);
    execute(&url, "ALTER TABLE parted DROP note; DROP TABLE strange");
    is_changed(&project, &["view public.named is gone"]);
    // What a revision changes is dbops' own from then on.
    project.revision("cccc3333", "bbbb2222", "CREATE VIEW named AS SELECT id FROM users;", "DROP VIEW named;");
    project.ok(&["migrate"]);
    is_as_left(&project);
    execute(&url, "DROP VIEW named");
    project.ok(&["migrate", "stamp", "heads"]);
    is_as_left(&project);
    execute(&url, "CREATE VIEW named AS SELECT id FROM users");
    project.ok(&["migrate", "downgrade", "-1", "--yes"]);
    is_as_left(&project);
}

#[test]
fn a_failed_revision_and_its_resumption_are_dbops_own() {
    let url = create_database("byhand");
    let project = project(&url);
    let up = "CREATE TABLE first (id int);\nCREATE TABLE second (id int);\nSELECT 1 / count(*) FROM users;";
    project.revision("bbbb2222", "aaaa1111\n-- transaction: off", up, "DROP TABLE first; DROP TABLE second;");
    assert_eq!(project.run(&["migrate"]).code, 1);
    is_not_recorded(&project);
    execute(&url, "INSERT INTO users VALUES (1)");
    project.ok(&["migrate", "resume"]);
    is_as_left(&project);
}

#[test]
fn there_is_nothing_to_compare_with_after_another_tool_or_a_restore() {
    let url = create_database("byhand");
    let project = project(&url);
    let copy = create_database("byhand");
    let dump = project.path("dump");
    let dumped = client("pg_dump", &url).args(["-Fc", "-f"]).arg(&dump).status().expect("pg_dump");
    let restored = client("pg_restore", &copy).arg(&dump).status().expect("pg_restore");
    assert!(dumped.success() && restored.success());
    let restored = Project::with_database(&copy);
    restored.revision("aaaa1111", "", UP, "SELECT 1;");
    is_not_recorded(&restored);
    restored.ok(&["migrate"]);
    is_as_left(&restored);
    drop_database(&copy);

    execute(&url, "ALTER TABLE users ADD age int; UPDATE alembic_version SET version_num = 'bbbb2222'");
    project.revision("bbbb2222", "aaaa1111", "ALTER TABLE users ADD age int;", "ALTER TABLE users DROP age;");
    is_not_recorded(&project);
    project.ok(&["migrate"]);
    is_as_left(&project);
}

#[test]
fn a_role_that_may_not_read_the_record_is_told_what_to_grant() {
    let url = create_database("byhand");
    let project = project(&url);
    let role = unique("reader");
    execute(&url, &format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT pg_monitor TO {role}"));
    execute(&url, &format!("GRANT USAGE ON SCHEMA dbops TO {role}; GRANT SELECT ON alembic_version TO {role}"));
    execute(&url, &format!("GRANT SELECT ON dbops.migration_log, dbops.migration_unfinished TO {role}"));
    let reader = format!("postgresql://{role}:secret@{}/{}", url.server(), url.database());
    let project = project.env("APP_URL", &reader);
    let (summary, _) = told(&project);
    assert!(summary.contains("permission denied for table schema_state"), "{summary}");
    execute(&url, &format!("GRANT SELECT ON ALL TABLES IN SCHEMA dbops TO {role}"));
    is_as_left(&project);
}

#[test]
fn a_role_that_may_not_write_the_record_migrates_all_the_same() {
    let url = create_database("byhand");
    let project = project(&url);
    let role = unique("migrator");
    execute(&url, &format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT ALL ON SCHEMA public TO {role}"));
    execute(&url, &format!("GRANT USAGE ON SCHEMA dbops TO {role}; GRANT ALL ON alembic_version TO {role}"));
    execute(&url, &format!("GRANT ALL ON dbops.migration_log, dbops.migration_unfinished TO {role}"));
    let project = project.env("APP_URL", &format!("postgresql://{role}:secret@{}/{}", url.server(), url.database()));
    project.revision("bbbb2222", "aaaa1111", "CREATE TABLE more (id int);", "DROP TABLE more;");
    let run = project.ok(&["migrate"]);
    assert!(run.stderr.contains("cannot record the schema: permission denied for table schema_state"), "{run}");
    assert!(run.stderr.contains("`dbops health` cannot tell whether something else changes it"), "{run}");
    assert_eq!(run.stderr.matches("warning").count(), 1, "{run}");
}
