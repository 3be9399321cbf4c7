//! Names alone that change: what holds nothing is renamed, and nothing of it is built anew.

use dbops_postgres::{DatabaseUrl, connect};
use dbops_schema_graph::{Graph, Rename, likely_renames, plan, read};

async fn database(sql: &str) -> DatabaseUrl {
    let url = dbops_testbed::create_database("same");
    let client = connect(&url).await.expect("connect");
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    url
}

async fn graph(url: &DatabaseUrl) -> Graph {
    read(&mut connect(url).await.expect("connect")).await.expect("read")
}

/// Two schemas, and what the way from one to the other says; empty: it says nothing but RENAME.
const CASES: [(&str, &str, &str); 8] = [
    (
        "CREATE TABLE t (a int CONSTRAINT one PRIMARY KEY, b int CONSTRAINT two UNIQUE, c int CONSTRAINT three CHECK (c > 0));
         CREATE TABLE u (a int CONSTRAINT four REFERENCES t); COMMENT ON CONSTRAINT two ON t IS 'x';",
        "CREATE TABLE t (a int CONSTRAINT een PRIMARY KEY, b int CONSTRAINT \"Twee\" UNIQUE, c int CONSTRAINT drie CHECK (c > 0));
         CREATE TABLE u (a int CONSTRAINT vier REFERENCES t); COMMENT ON CONSTRAINT \"Twee\" ON t IS 'x';",
        "",
    ),
    (
        "CREATE TABLE t (a int, b int); CREATE INDEX one ON t (a); CREATE UNIQUE INDEX \"Two\" ON t (b) WHERE a > 0;",
        "CREATE TABLE t (a int, b int); CREATE INDEX \"One\" ON t (a); CREATE UNIQUE INDEX two ON t (b) WHERE a > 0;",
        "",
    ),
    (
        "CREATE TABLE t (a int); CREATE POLICY one ON t USING (a > 0);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER two BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER two;",
        "CREATE TABLE t (a int); CREATE POLICY een ON t USING (a > 0);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER twee BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER twee;",
        "",
    ),
    (
        "CREATE SEQUENCE one; CREATE TABLE t (a int DEFAULT nextval('one')); ALTER SEQUENCE one OWNED BY t.a;",
        "CREATE SEQUENCE two; CREATE TABLE t (a int DEFAULT nextval('two')); ALTER SEQUENCE two OWNED BY t.a;",
        "",
    ),
    // The new name is still another's.
    (
        "CREATE TABLE t (a int); CREATE INDEX one ON t (a); CREATE TABLE two (a int);",
        "CREATE TABLE t (a int); CREATE INDEX two ON t (a);",
        "DROP INDEX",
    ),
    // Two that are alike, one of which goes.
    (
        "CREATE TABLE t (a int); CREATE INDEX one ON t (a); CREATE INDEX two ON t (a);",
        "CREATE TABLE t (a int); CREATE INDEX three ON t (a);",
        "DROP INDEX",
    ),
    // A check of a parent is its children's too.
    (
        "CREATE TABLE p (a int CONSTRAINT one CHECK (a > 0)); CREATE TABLE c () INHERITS (p);",
        "CREATE TABLE p (a int CONSTRAINT two CHECK (a > 0)); CREATE TABLE c () INHERITS (p);",
        "DROP CONSTRAINT",
    ),
    (
        "CREATE TABLE p (a int CONSTRAINT one PRIMARY KEY) PARTITION BY LIST (a); CREATE TABLE c PARTITION OF p DEFAULT;
         CREATE INDEX three ON p (a);",
        "CREATE TABLE p (a int CONSTRAINT two PRIMARY KEY) PARTITION BY LIST (a); CREATE TABLE c PARTITION OF p DEFAULT;
         CREATE INDEX four ON p (a);",
        "",
    ),
];

#[tokio::test]
async fn a_name_alone_is_changed_by_renaming() {
    for (a, b, wanted) in CASES {
        let url = database(a).await;
        let (from, to) = (graph(&url).await, graph(&database(b).await).await);
        for (start, goal) in [(&from, &to), (&to, &from)] {
            let steps = plan(start, goal);
            let statements = || steps.iter().flat_map(|step| &step.statements).map(|statement| statement.sql.as_str());
            if wanted.is_empty() {
                assert!(statements().all(|sql| sql.contains(" RENAME ")), "{:#?}", statements().collect::<Vec<_>>());
            }
            let client = connect(&url).await.expect("connect");
            for sql in statements() {
                client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            }
            let rest = plan(&graph(&url).await, goal);
            assert!(rest.is_empty(), "{b}: {rest:#?}");
        }
        let there = format!("{:?}", plan(&from, &to));
        assert!(there.contains(wanted), "{b}: no `{wanted}` in {there}");
    }
}

fn statement(rename: &Rename, schema: &Graph) -> Option<String> {
    rename.step(schema)?.statements.pop().map(|statement| statement.sql)
}

#[tokio::test]
async fn a_rename_is_read_said_and_undone() {
    let url = database(
        "CREATE SCHEMA app; CREATE TABLE app.users (id int, CONSTRAINT id CHECK (id > 0)); CREATE VIEW v AS SELECT 1 AS x;
         CREATE TYPE mood AS ENUM ('a=b', 'so so'); CREATE FUNCTION f(int, text) RETURNS int RETURN 1;
         CREATE TABLE users (id int);",
    )
    .await;
    let schema = graph(&url).await;
    // As it is written, the statement, and how it is written in the end; or why it says nothing.
    let cases = [
        ("app.users=accounts", Ok((r#"ALTER TABLE app.users RENAME TO "accounts""#, "app.users=accounts"))),
        ("users.id=users.key", Err("`users.id` is more than one: column app.users.id, column public.users.id")),
        ("app.users.id=app.users.key", Ok((r#"ALTER TABLE app.users RENAME COLUMN id TO "key""#, "app.users.id=key"))),
        ("v=w", Ok((r#"ALTER VIEW public.v RENAME TO "w""#, "v=w"))),
        ("mood.a=b=c", Ok(("ALTER TYPE public.mood RENAME VALUE 'a=b' TO 'c'", "mood.a=b=c"))),
        ("mood.so so=fine", Ok(("ALTER TYPE public.mood RENAME VALUE 'so so' TO 'fine'", "mood.so so=fine"))),
        ("f(integer, text)=g", Ok((r#"ALTER FUNCTION public.f(integer, text) RENAME TO "g""#, "f(integer, text)=g"))),
        ("nothing=x", Err("there is nothing of the name `nothing` that can have another")),
        ("users", Err("there is no `OLD=NEW` in it")),
    ];
    for (text, expected) in cases {
        let rename = match (Rename::parse(text, &schema), expected) {
            (Ok(rename), Ok((sql, written))) => {
                assert_eq!(
                    (statement(&rename, &schema).as_deref(), rename.to_string().as_str()),
                    (Some(sql), written),
                    "{text}"
                );
                rename
            }
            (Err(error), Err(message)) => {
                assert_eq!(error.to_string(), message, "{text}");
                continue;
            }
            (found, _) => panic!("{text}: {found:?}"),
        };
        let client = connect(&url).await.expect("connect");
        client.batch_execute(&statement(&rename, &schema).expect("SQL")).await.expect(text);
        let renamed = graph(&url).await;
        assert!(rename.reversed().is_in(&renamed) && !rename.is_in(&renamed), "{text}");
        client.batch_execute(&statement(&rename.reversed(), &renamed).expect("SQL")).await.expect(text);
        assert_eq!(graph(&url).await, schema, "{text}");
    }
}

#[tokio::test]
async fn what_looks_the_same_is_likely_renamed() {
    let cases: [(&str, &str, &[&str]); 5] = [
        ("CREATE TABLE a (x int, y text, z date)", "CREATE TABLE b (x int, y text, w date)", &["a=b"]),
        ("CREATE TABLE a (x int, y text)", "CREATE TABLE b (v int, w text)", &[]),
        ("CREATE TABLE a (x int, y text)", "CREATE TABLE a (x int, z text)", &["a.y=z"]),
        ("CREATE TABLE a (x int, y text, v text)", "CREATE TABLE a (x int, z text, w text)", &[]),
        (
            "CREATE TYPE m AS ENUM ('a', 'b', 'c'); CREATE TYPE n AS ENUM ('x'); CREATE TYPE o AS ENUM ('p', 'q')",
            "CREATE TYPE m AS ENUM ('a', 'd', 'c'); CREATE TYPE k AS ENUM ('x'); CREATE TYPE o AS ENUM ('q', 'p')",
            &["n=k", "m.b=d"],
        ),
    ];
    for (a, b, expected) in cases {
        let (from, to) = (graph(&database(a).await).await, graph(&database(b).await).await);
        let likely: Vec<_> = likely_renames(&from, &to).iter().map(ToString::to_string).collect();
        assert_eq!(likely, expected, "{a} to {b}");
    }
}
