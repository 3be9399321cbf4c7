//! Fingerprints: the same after a dump and its restore, whatever is in the database, and different after any change.

mod databases;

use dbops_backup::fingerprint::{LargeObjects, TableFingerprint, compare, fingerprint, large_objects, tables};
use dbops_postgres::{DatabaseUrl, connect, process};
use dbops_testbed::{create_database, installation, unique};

use self::databases::{database, execute};

/// A little of everything that a table can hold.
const BESTIARY: &str = r#"
    CREATE EXTENSION vector;
    CREATE SCHEMA "odd ""schema.x";
    CREATE TYPE mood AS ENUM ('calm', 'it''s "loud"');
    CREATE TYPE pair AS (number int, mood mood);
    CREATE DOMAIN short AS text CHECK (length(value) < 10);
    CREATE DOMAIN moods AS mood[];
    CREATE TYPE span AS RANGE (subtype = float8);
    CREATE TABLE "odd ""schema.x"."täble
it's" ("a b" int, text text);
    INSERT INTO "odd ""schema.x"."täble
it's" VALUES (1, 'x'), (NULL, ''), (2, NULL);
    CREATE TABLE "ünïcödé-63-bytes-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" (id int);
    INSERT INTO "ünïcödé-63-bytes-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" VALUES (1);
    CREATE TABLE kinds (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        mood mood, moods moods, pair pair, pairs pair[], short short, number numeric, price numeric(10, 2),
        json json, jsonb jsonb, interval interval, inet inet, bit bit(3), money money, float8 float8, float4 float4,
        ints int[], texts text[], floats float8[], range int4range, span span, spans int4multirange, at timestamptz,
        local timestamp, day date, time time, timetz timetz, char char(4), name name, bytes bytea, words tsvector,
        class regclass, uuid uuid, vector vector(3), half halfvec(3), sparse sparsevec(3), vectors vector(3)[],
        yes boolean, big bigint, twice numeric GENERATED ALWAYS AS (number * 2) STORED
    );
    INSERT INTO kinds VALUES (
        DEFAULT, 'calm', '{calm, NULL}', (1, 'calm'), ARRAY[(1, 'calm')::pair], 'short', 1.00, 1.5,
        '{"a":  1}', '{"b": 1.0}', '1 mon', '::1', '101', '1.5', 0.1, 'NaN',
        '[0:1]={1,2}', '{a,"b c",NULL}', '{0.1,-0}', '[1,5)', '[0.5,1]', '{[1,2),[3,4)}', '2026-11-22 21:05:01.5+01',
        '2026-11-22 21:05:01', 'infinity', '12:00', '12:00+02', 'a', 'n', '\x00ff', 'fat & cat',
        'pg_class', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '[1,-2,0.1]', '[1,2,3]', '{1:0.5}/3', '{"[1,2,3]"}', true, 1
    );
    INSERT INTO kinds (mood) VALUES (NULL);
    CREATE TABLE events (id int, body text) PARTITION BY LIST (id);
    CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
    CREATE TABLE events_2 PARTITION OF events DEFAULT;
    INSERT INTO events VALUES (1, 'one'), (2, 'two');
    CREATE TABLE parent (id int);
    CREATE TABLE child (more text) INHERITS (parent);
    INSERT INTO parent VALUES (1);
    INSERT INTO child VALUES (2, 'more');
    CREATE UNLOGGED TABLE quick (id int);
    INSERT INTO quick SELECT generate_series(1, 10);
    CREATE TABLE hen (id int PRIMARY KEY, egg int);
    CREATE TABLE egg (id int PRIMARY KEY, hen int REFERENCES hen);
    ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg;
    INSERT INTO hen VALUES (1, NULL);
    INSERT INTO egg VALUES (1, 1);
    UPDATE hen SET egg = 1;
    CREATE TABLE secret (owner text, what text);
    ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    INSERT INTO secret VALUES ('a', 'b');
    CREATE VIEW both_birds AS SELECT hen.id, egg.id AS egg FROM hen JOIN egg ON egg.hen = hen.id;
    CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM both_birds;
    CREATE TABLE no_columns ();
    INSERT INTO no_columns DEFAULT VALUES;
    CREATE TABLE empty (id int);
    CREATE TABLE many (id int, text text, embedding vector(8));
    INSERT INTO many SELECT n, md5(n::text), array_fill(n::float4, ARRAY[8])::vector FROM generate_series(1, 5000) AS n;
    CREATE INDEX ON many USING hnsw (embedding vector_l2_ops);
    SELECT lo_from_bytea(4711, 'large'), lo_from_bytea(4712, decode(repeat('00', 5000), 'hex'));
    SELECT lo_put(4713, 100000, 'far') FROM lo_create(4713);
"#;

/// The rows of every table, and the large objects.
async fn prints(url: &DatabaseUrl, settings: &str) -> (Vec<TableFingerprint>, LargeObjects) {
    let client = connect(url).await.expect("the test server");
    client.batch_execute(settings).await.expect("settings");
    let mut prints = Vec::new();
    for table in tables(&client).await.expect("tables") {
        prints.push(fingerprint(&client, &table).await.expect("a fingerprint"));
    }
    (prints, large_objects(&client).await.expect("large objects"))
}

fn copy(from: &DatabaseUrl, to: &DatabaseUrl) {
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("archive");
    for (program, url, options) in
        [("pg_dump", from, ["-Fc", "-f"].as_slice()), ("pg_restore", to, ["--exit-on-error"].as_slice())]
    {
        let mut command = process::command(installation().program(program));
        command.args(["-d", &url.conninfo()]).args(options).arg(&archive);
        command.env("PGPASSWORD", String::from_utf8_lossy(url.password().unwrap_or_default()).into_owned());
        assert!(command.status().expect("it starts").success(), "{program}");
    }
}

#[tokio::test]
async fn a_restored_database_has_the_same() {
    let original = database("prints", BESTIARY).await;
    let (before, objects) = prints(&original, "").await;
    let names: Vec<_> = before.iter().map(|table| (table.name.as_str(), table.rows)).collect();
    let expected = [
        ("täble\nit's", 3),
        ("child", 1),
        ("egg", 1),
        ("empty", 0),
        ("events_1", 1),
        ("events_2", 1),
        ("hen", 1),
        ("kinds", 2),
        ("many", 5000),
        ("no_columns", 1),
        ("parent", 1),
        ("quick", 10),
        ("secret", 1),
        ("ünïcödé-63-bytes-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1),
    ];
    assert_eq!(names, expected);
    assert_eq!(objects.count, 3);

    let restored = create_database("prints");
    // Other oids for the types, and rows in another order.
    execute(&restored, "CREATE TYPE other AS ENUM ('calm'); DROP TYPE other").await;
    copy(&original, &restored);
    execute(&restored, "DELETE FROM many WHERE id <= 2500").await;
    let rows = "SELECT n, md5(n::text), array_fill(n::float4, ARRAY[8])::vector FROM generate_series(1, 2500) AS n";
    execute(&restored, &format!("INSERT INTO many {rows}")).await;
    let settings = "SET datestyle = 'SQL, DMY'; SET intervalstyle = 'sql_standard'; SET timezone = 'Asia/Tokyo'; \
                    SET extra_float_digits = -15; SET bytea_output = 'escape'; SET search_path = \"odd \"\"schema.x\"; \
                    SET quote_all_identifiers = on";
    for settings in ["", settings] {
        let (after, restored_objects) = prints(&restored, settings).await;
        assert_eq!(compare(&before, &after), Vec::<String>::new(), "{settings}");
        assert_eq!(objects, restored_objects);
    }
}

/// What is done to the database, and the table that must differ then.
#[tokio::test]
async fn any_change_is_seen() {
    let changes = [
        ("UPDATE kinds SET mood = 'it''s \"loud\"' WHERE id = 1", "kinds"),
        ("UPDATE kinds SET moods = '{calm}'", "kinds"),
        ("UPDATE kinds SET pair.number = 2 WHERE id = 1", "kinds"),
        ("UPDATE kinds SET number = 1.0", "kinds"),
        ("UPDATE kinds SET price = 1.51", "kinds"),
        ("UPDATE kinds SET json = '{\"a\": 1}'", "kinds"),
        ("UPDATE kinds SET jsonb = '{\"b\": 1.00}'", "kinds"),
        ("UPDATE kinds SET interval = '30 days' WHERE id = 1", "kinds"),
        ("UPDATE kinds SET float8 = 0.10000000000000002", "kinds"),
        ("UPDATE kinds SET ints = '{1,2}'", "kinds"),
        ("UPDATE kinds SET texts = '{a,\"b c\",\"NULL\"}'", "kinds"),
        ("UPDATE kinds SET timetz = '11:00+01'", "kinds"),
        ("UPDATE kinds SET vector = '[1,-2,0.10000001]'", "kinds"),
        ("UPDATE kinds SET half = '[1,2,3.002]'", "kinds"),
        // Both halves of the number exchanged.
        ("UPDATE kinds SET big = 4294967296 WHERE id = 1", "kinds"),
        ("UPDATE kinds SET class = 'pg_type'", "kinds"),
        ("UPDATE kinds SET day = '-infinity'", "kinds"),
        ("UPDATE many SET text = '' WHERE id = 17", "many"),
        ("UPDATE many SET text = NULL WHERE id = 17", "many"),
        ("INSERT INTO many SELECT * FROM many WHERE id = 1", "many"),
        ("DELETE FROM no_columns", "no_columns"),
        ("DELETE FROM secret", "secret"),
        ("UPDATE events SET body = 'x' WHERE id = 2", "events_2"),
        ("UPDATE child SET id = 3", "child"),
        ("DROP TABLE quick", "quick"),
    ];
    let url = database("changes", BESTIARY).await;
    let mut before = prints(&url, "").await;
    for (change, table) in changes {
        execute(&url, change).await;
        let after = prints(&url, "").await;
        let lines = compare(&before.0, &after.0);
        assert!(lines.len() == 1 && lines[0].contains(&format!(".\"{table}\"")), "{change}: {lines:?}");
        before = after;
    }
    // Two rows that exchange a value, whichever two.
    for id in [1, 7, 19] {
        let sql = format!(
            "UPDATE many AS m SET text = o.text FROM many AS o WHERE m.id + o.id = {} \
                           AND least(m.id, o.id) = {id}",
            2 * id + 100
        );
        execute(&url, &sql).await;
        let after = prints(&url, "").await;
        assert_eq!(compare(&before.0, &after.0).len(), 1, "{id}");
        before = after;
    }
    for change in ["SELECT lo_put(4711, 0, 'L')", "SELECT lo_put(4712, 4999, 'x')", "SELECT lo_create(1)"] {
        execute(&url, change).await;
        let after = prints(&url, "").await;
        assert_ne!(before.1, after.1, "{change}");
        before = after;
    }
}

/// Whatever version of PostgreSQL runs the tests: a manifest of another one has to be comparable.
#[tokio::test]
async fn a_fingerprint_is_the_same_everywhere() {
    let sql = "CREATE TYPE mood AS ENUM ('calm'); \
               CREATE TABLE t (a int, b bigint, c text, d numeric, e timestamptz, f uuid, g bytea, h mood, i float8[], \
                   j jsonb, k boolean, l char(3), m date); \
               INSERT INTO t VALUES (1, 2, 'three', 4.50, '2026-11-22 21:05:01+00', \
                   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x07', 'calm', '{9,0.1}', '{\"j\": [1, null]}', true, 'l', \
                   '2026-11-22'); INSERT INTO t DEFAULT VALUES";
    let url = database("everywhere", sql).await;
    let (tables, objects) = prints(&url, "").await;
    assert_eq!(tables[0].fingerprint, "00000000000000000166ed22c256a10c");
    assert_eq!(objects.fingerprint.as_deref(), Some("00000000000000000000000000000000"));
}

#[tokio::test]
async fn nothing_that_a_user_wrote_is_run() {
    let trap = "CREATE TABLE trapped (by text); INSERT INTO trapped VALUES ('nobody'); \
                CREATE TYPE pair AS (a int, b int); \
                CREATE FUNCTION spring(pair) RETURNS text LANGUAGE plpgsql AS \
                    $$ BEGIN RAISE 'the trap is sprung'; END $$; \
                CREATE CAST (pair AS text) WITH FUNCTION spring(pair) AS IMPLICIT; \
                CREATE FUNCTION sum(numeric) RETURNS text LANGUAGE sql AS $$ SELECT spring(NULL) $$; \
                CREATE TABLE baited (pair pair); INSERT INTO baited VALUES ((1, 2))";
    let url = database("trap", trap).await;
    let client = connect(&url).await.expect("the test server");
    client.batch_execute("SET search_path = public, pg_catalog").await.expect("a search path");
    let listed = tables(&client).await.expect("tables");
    for table in &listed {
        fingerprint(&client, table).await.expect("a fingerprint");
    }
    // A view in the place of a table (CVE-2024-7348).
    execute(&url, "DROP TABLE baited; CREATE VIEW baited AS SELECT (spring((1, 2)), 1)::pair AS pair").await;
    let baited = listed.iter().find(|table| table.name == "baited").expect("it was listed");
    let error = fingerprint(&client, baited).await.expect_err("a view is no table");
    let message = error.as_db_error().expect("the server's").message().to_owned();
    assert!(message.contains("non-system view"), "{message}");
}

#[tokio::test]
async fn what_may_not_be_read_is_an_error_and_large_objects_are_counted() {
    let url = database("may_not", "CREATE TABLE t (id int); SELECT lo_create(5)").await;
    let reader = unique("reader");
    execute(&url, &format!("CREATE ROLE {reader}")).await;
    let client = connect(&url).await.expect("the test server");
    client.batch_execute(&format!("SET ROLE {reader}")).await.expect("a role");
    let listed = tables(&client).await.expect("tables");
    let error = fingerprint(&client, &listed[0]).await.expect_err("no right to read");
    assert_eq!(error.code().map(|code| code.code()), Some("42501"));
    assert_eq!(large_objects(&client).await.expect("a count"), LargeObjects { count: 1, fingerprint: None });
}
