//! `dbops schema show`: what a table has, and how big it is.

use std::fs;
use std::path::Path;

use dbops_postgres::DatabaseUrl;
use serde_json::{Value, json};

use crate::project::{Project, execute, query};

/// The Support Bot's main database, filled as its schema is declared.
fn bot_db() -> DatabaseUrl {
    let url = dbops_testbed::create_database("show");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/bot_db/schema.sql");
    execute(&url, &fs::read_to_string(schema).expect("a schema"));
    url
}

#[test]
fn show_tells_columns_keys_indexes_and_references() {
    let url = bot_db();
    let project = Project::with_database(&url);
    let shown = project.json(0, &["schema", "show", "app"]);
    let tables = shown["tables"].as_array().expect("an array");
    let rows = query(&url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
    assert_eq!(tables.len().to_string(), rows[0]);

    let shown = project.json(0, &["schema", "show", "app", "public.sessions"]);
    let table = &shown["tables"][0];
    assert_eq!(
        (&table["schema"], &table["name"], &table["kind"]),
        (&"public".into(), &"sessions".into(), &"table".into())
    );
    let id = json!({
        "name": "id", "type": "uuid", "not_null": true, "default": "gen_random_uuid()", "identity": null,
        "generated": null, "comment": null
    });
    assert_eq!(table["columns"][0], id);
    assert_eq!(table["referred_to_by"][0]["table"], "refresh_tokens");

    let run = project.ok(&["schema", "show", "app", "sessions"]);
    let expected = [
        "table public.sessions",
        "never analyzed, 32.00 KiB: 0 B rows, 24.00 KiB indexes, 8.00 KiB TOAST",
        "expires_at    timestamp with time zone  not null",
        "sessions_pkey: PRIMARY KEY (id) (8.00 KiB)",
        "  sessions_user_id_idx: btree (user_id) (8.00 KiB)",
        "public.refresh_tokens refresh_tokens_session_id_fkey: FOREIGN KEY (session_id) REFERENCES public.sessions(id)",
    ];
    for text in expected {
        assert!(run.stdout.contains(text), "{text}: {run}");
    }
    let list = project.ok(&["schema", "show", "app"]).stdout;
    assert!(list.lines().any(|line| line.starts_with("public.users ") && line.contains("KiB")), "{list}");
    assert!(list.lines().all(|line| line.len() <= 120), "{list}");
    let run = project.run(&["schema", "show", "app", "sesions"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("hint: did you mean `sessions`?"), "{run}");
}

/// Tables with rows of their own, out of line and in partitions.
const MEASURED: &str = r#"
CREATE TABLE texts (id bigint PRIMARY KEY, body text, UNIQUE (body));
ALTER TABLE texts ALTER body SET STORAGE EXTERNAL, DROP CONSTRAINT texts_body_key;
INSERT INTO texts SELECT n, repeat('x', 5000) FROM generate_series(1, 300) n;
CREATE UNIQUE INDEX "texts "" USING x" ON texts (id) WHERE id % 2 = 0;
CREATE TABLE events (at date, id bigint, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
INSERT INTO events SELECT date '2025-12-01' + n % 60, n FROM generate_series(1, 2000) n;
CREATE MATERIALIZED VIEW counts AS SELECT count(*) FROM events;
CREATE VIEW latest AS SELECT max(at) FROM events;
CREATE TABLE unseen (id bigint, CONSTRAINT texts CHECK (id > 0));
ANALYZE texts, events, counts;
"#;

#[test]
fn sizes_are_what_postgresql_says() {
    let url = dbops_testbed::create_database("show");
    execute(&url, MEASURED);
    let project = Project::with_database(&url);
    let shown = project.json(0, &["schema", "show", "app"]);
    let table = |name: &str| {
        let tables = shown["tables"].as_array().expect("an array").iter();
        tables.clone().find(|table| table["name"] == name).unwrap_or_else(|| panic!("{name}: {shown}"))
    };
    let number = |sql: &str| query(&url, &format!("SELECT {sql}"))[0].parse::<u64>().expect("a number");
    let both = "pg_total_relation_size('events_2025') + pg_total_relation_size('events_rest')";
    let cases = [
        ("texts", Some(300), "pg_total_relation_size('texts')"),
        ("events", Some(2000), both),
        ("events_rest", Some(number("count(*) FROM events_rest")), "pg_total_relation_size('events_rest')"),
        ("counts", Some(1), "pg_total_relation_size('counts')"),
        ("unseen", None, "0"),
    ];
    for (name, rows, total) in cases {
        let of = table(name);
        assert_eq!(of["estimated_rows"], json!(rows), "{name}");
        let parts = ["table_bytes", "index_bytes", "toast_bytes"].map(|part| of["size"][part].as_u64().expect("bytes"));
        assert_eq!(of["size"]["total_bytes"], number(total), "{name}");
        assert_eq!(parts.iter().sum::<u64>(), number(total), "{name}");
    }
    let texts = table("texts");
    assert_eq!(texts["size"]["index_bytes"], number("pg_indexes_size('texts')"));
    assert!(texts["size"]["toast_bytes"].as_u64() > Some(1_000_000), "{texts}");
    assert_eq!(texts["indexes"][0]["bytes"], number("pg_relation_size('\"texts \"\" USING x\"')"));
    assert_eq!(texts["constraints"][0]["bytes"], number("pg_relation_size('texts_pkey')"));
    let key = "pg_relation_size('events_2025_pkey') + pg_relation_size('events_rest_pkey')";
    assert_eq!(table("events")["constraints"][0]["bytes"], number(key));
    // A CHECK takes no room, whatever has its name.
    assert_eq!(table("unseen")["constraints"][0]["bytes"], Value::Null);
    assert_eq!((&table("latest")["size"], &table("latest")["estimated_rows"]), (&Value::Null, &Value::Null));

    let alone = project.json(0, &["schema", "show", "app", "events"]);
    assert_eq!(alone["tables"][0], *table("events"));
    let list = project.ok(&["schema", "show", "app"]).stdout;
    assert!(list.lines().any(|line| line.starts_with("public.events ") && line.contains("2,000")), "{list}");
    let run = project.ok(&["schema", "show", "app", "texts"]);
    assert!(run.stdout.contains("about 300 rows, "), "{run}");
    assert!(run.stdout.contains("  texts \" USING x: unique btree (id) WHERE ((id % (2)::bigint) = 0) ("), "{run}");
}
