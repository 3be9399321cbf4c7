//! Scripts of pg_dump, run without psql: what comes out dumps to the same script again.

mod databases;

use std::fs;
use std::path::{Path, PathBuf};

use dbops_backup::Error;
use dbops_backup::script::{RunOptions, ScriptError, run, scan};
use dbops_postgres::{DatabaseUrl, connect, process, quote_identifier, quote_literal};
use dbops_testbed::{create_database, installation, unique};
use tempfile::TempDir;

use self::databases::{database, execute};

/// What a script can get wrong: quotes, backslashes and newlines everywhere, bodies of functions, large objects.
const BESTIARY: &str = r#"
    CREATE EXTENSION vector;
    CREATE SCHEMA "odd ""schema;x";
    CREATE TABLE "odd ""schema;x"."täble
\! it's" ("a \ b" text, "c:'d" int);
    INSERT INTO "odd ""schema;x"."täble
\! it's" VALUES (E'tab\there\nline\\.\n\\.', 1), (NULL, NULL), ('', 2), (E'\\N', 3), (E'\r\n\\', 4), ('ü€😀', 5);
    COMMENT ON TABLE "odd ""schema;x"."täble
\! it's" IS E'it''s; $$ -- \\! "quoted"
\\! id';
    CREATE TYPE mood AS ENUM ('calm', 'it''s \ "loud"');
    CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mood mood DEFAULT 'it''s \ "loud"',
        at timestamptz DEFAULT '2026-11-22 21:05:01+01', vector vector(3), json jsonb, bytes bytea,
        c "char" DEFAULT 'x'::"char", CHECK (mood <> ALL (ARRAY['calm'::mood])));
    INSERT INTO t (vector, json, bytes) SELECT '[1,2,3]', '{"a\\": "\n"}', '\x5c00' FROM generate_series(1, 500);
    CREATE INDEX ON t USING hnsw (vector vector_l2_ops);
    CREATE TABLE no_columns ();
    INSERT INTO no_columns DEFAULT VALUES;
    CREATE TABLE empty (id int);
    CREATE FUNCTION atomic(x int) RETURNS int LANGUAGE sql
        BEGIN ATOMIC SELECT CASE WHEN x > 0 THEN 1 ELSE (SELECT CASE WHEN x < 0 THEN 2 END) END; SELECT 3; END;
    CREATE PROCEDURE atomic_too() LANGUAGE sql BEGIN ATOMIC INSERT INTO empty VALUES (1); DELETE FROM empty; END;
    CREATE FUNCTION dollars() RETURNS text LANGUAGE plpgsql AS $f$
        BEGIN /* ' */ RETURN $$it's; \! $x$ $$ || E'\'; COPY t FROM PROGRAM'; END -- "
    $f$;
    CREATE VIEW v AS SELECT id, ':x;' || E'\\' AS "a:""b" FROM t WHERE id::text ~ '\d' OR (ARRAY[1, 2])[1:2] = '{1}';
    CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM v;
    CREATE RULE r AS ON INSERT TO empty DO ALSO (DELETE FROM no_columns; NOTIFY x);
    CREATE SEQUENCE s INCREMENT 3;
    SELECT nextval('s'), lo_from_bytea(4711, '\x5c27'), lo_put(lo_create(4712), 40000, 'far');
    COMMENT ON LARGE OBJECT 4711 IS 'it''s';
    ALTER TABLE t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY p ON t USING (mood = 'calm');
    CREATE TABLE parts (id int) PARTITION BY LIST (id);
    CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
    CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
    GRANT SELECT ON t TO PUBLIC;
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
"#;

const ALL: RunOptions = RunOptions { in_transaction: true, with_owners: true, with_privileges: true };

async fn query(url: &DatabaseUrl, sql: &str) -> String {
    let client = connect(url).await.expect("the test server");
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

fn dump(url: &DatabaseUrl, folder: &Path, options: &[&str]) -> PathBuf {
    let path = folder.join(unique("dump.sql"));
    let mut command = process::command(installation().program("pg_dump"));
    command.args(["-d", &url.conninfo()]).args(options).arg("-f").arg(&path);
    command.env("PGPASSWORD", String::from_utf8_lossy(url.password().unwrap_or_default()).into_owned());
    assert!(command.status().expect("it starts").success(), "{options:?}");
    path
}

/// A dump as text, without what differs from run to run and from name to name.
fn text(url: &DatabaseUrl, folder: &Path, options: &[&str]) -> String {
    let text = fs::read_to_string(dump(url, folder, options)).expect("a dump");
    let lines = text.lines().filter(|line| !line.starts_with(r"\restrict") && !line.starts_with(r"\unrestrict"));
    lines.collect::<Vec<_>>().join("\n")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

async fn restore(path: &Path, url: &DatabaseUrl, options: RunOptions) -> Result<(), Error> {
    scan(path, "x.sql").await?;
    run(path, "x.sql", &connect(url).await?, options).await
}

#[tokio::test]
async fn a_script_of_any_kind_comes_out_as_it_went_in() {
    let original = database("odd 'script\" \\ db", BESTIARY).await;
    let name = quote_identifier(original.database());
    execute(&original, &format!("ALTER DATABASE {name} SET work_mem = '5MB'")).await;
    execute(&original, &format!("COMMENT ON DATABASE {name} IS 'it''s'")).await;
    let folder = folder();
    let expected = text(&original, folder.path(), &[]);
    assert!(
        expected.contains("BEGIN ATOMIC") && expected.contains("lowrite") && expected.contains("\\N"),
        "{expected}"
    );
    let kinds: [&[&str]; 4] =
        [&[], &["--inserts"], &["--clean", "--if-exists", "--compress=gzip"], &["--create", "--clean"]];
    for (index, kind) in kinds.into_iter().enumerate() {
        let script = dump(&original, folder.path(), kind);
        let restored = create_database("script");
        let options = RunOptions { in_transaction: index % 2 == 0, ..ALL };
        restore(&script, &restored, options)
            .await
            .unwrap_or_else(|error| panic!("{kind:?}: {error} {:?}", error.hint()));
        assert_eq!(text(&restored, folder.path(), &[]), expected, "{kind:?}");
    }
    // The database that the script with --clean drops is the original: it is there.
    assert_eq!(text(&original, folder.path(), &[]), expected);
}

#[tokio::test]
async fn owners_and_privileges_are_left_out_if_wanted() {
    let role = unique("script's owner");
    let quoted = quote_identifier(&role);
    let sql = format!(
        "CREATE ROLE {quoted}; CREATE TABLE t (a int, b int); ALTER TABLE t OWNER TO {quoted}; \
         CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f(int) OWNER TO {quoted}; \
         GRANT SELECT (a) ON t TO {quoted}; CREATE TABLE u (); GRANT SELECT ON u TO {quoted}; \
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {quoted}"
    );
    let original = database("script", &sql).await;
    let folder = folder();
    let as_owner: &[&str] = &["--use-set-session-authorization"];
    // How it is dumped, what of it counts, and the dump that is the same then.
    let cases: [(&[&str], bool, bool, &[&str]); 4] = [
        (&[], true, true, &[]),
        (&[], true, false, &["--no-privileges"]),
        (&[], false, false, &["--no-owner", "--no-privileges"]),
        (as_owner, false, false, &["--no-owner", "--no-privileges"]),
    ];
    for (dumped, with_owners, with_privileges, same) in cases {
        let script = dump(&original, folder.path(), dumped);
        let restored = create_database("script");
        let options = RunOptions { in_transaction: with_owners, with_owners, with_privileges };
        restore(&script, &restored, options).await.unwrap_or_else(|error| panic!("{options:?}: {error}"));
        assert_eq!(text(&restored, folder.path(), same), text(&original, folder.path(), same), "{options:?}");
        let owned = format!("SELECT count(*)::text FROM pg_class WHERE relowner = {}::regrole", quote_literal(&quoted));
        assert_eq!(query(&restored, &owned).await, if with_owners { "1" } else { "0" }, "{options:?}");
        let granted = "SELECT count(attacl)::text FROM pg_attribute WHERE attrelid = 't'::regclass";
        assert_eq!(query(&restored, granted).await, if with_privileges { "1" } else { "0" }, "{options:?}");
    }
}

/// The script, the line and the beginning that are named, and what the server says.
#[tokio::test]
async fn what_the_server_refuses_is_named_and_nothing_stays() {
    let cases = [
        ("CREATE TABLE t (a int);\n\nSELECT\n  nosuch, 'secret';\n", 3, "SELECT nosuch, …", "nosuch"),
        (
            "CREATE TABLE t (a int);\nCOPY t\nFROM stdin;\n1\n2\nx\n4\n\\.\n",
            6,
            "COPY t FROM stdin",
            "invalid input syntax",
        ),
        ("CREATE TABLE t (a int);\nCOPY t (b) FROM stdin;\n1\n\\.\n", 2, "COPY t (b) FROM stdin", "column \"b\""),
        (
            "CREATE TABLE t (a int);\nSET nosuch.x_timeout = 0;\nSET nosuch_timeout = 0;\nSET nosuch = 0;",
            4,
            "SET nosuch = 0",
            "unrecognized",
        ),
        ("CREATE TABLE t (a int);\nBEGIN;\nCOMMIT;\nVACUUM;", 4, "VACUUM", "inside a transaction"),
    ];
    let folder = folder();
    let path = folder.path().join("x.sql");
    let url = create_database("script");
    for (script, at, begins, says) in cases {
        fs::write(&path, script).expect("a script");
        match restore(&path, &url, ALL).await {
            Err(Error::Script(ScriptError::Statement { line, beginning, source, .. })) => {
                assert_eq!((line, beginning.as_str()), (at, begins), "{script}");
                assert!(source.to_string().contains(says), "{script}: {source}");
            }
            other => panic!("{script}: {other:?}"),
        }
        assert_eq!(query(&url, "SELECT (to_regclass('t') IS NULL)::text").await, "true", "{script}");
    }
}

/// A script that becomes another after it was scanned is refused where it has come to.
#[tokio::test]
async fn a_script_is_not_trusted_for_having_been_scanned() {
    let (folder, url) = (folder(), create_database("script"));
    let path = folder.path().join("x.sql");
    fs::write(&path, "CREATE TABLE t (a int);\n\\! id\n").expect("a script");
    let client = connect(&url).await.expect("the test server");
    let error = run(&path, "x.sql", &client, ALL).await.expect_err("refused");
    assert!(matches!(error, Error::Script(ScriptError::Refused { line: 2, .. })), "{error}");
    drop(client);
    assert_eq!(query(&url, "SELECT (to_regclass('t') IS NULL)::text").await, "true");
}
