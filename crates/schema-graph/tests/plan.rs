//! Plans carried out on real databases: from each schema of a pair to the other and back, until pg_dump says the same.

mod pairs;

use dbops_postgres::{DatabaseUrl, connect, process};
use dbops_schema_graph::{self as schema_graph, Graph, Step, plan, read};
use pairs::{PAIRS, Pair};

async fn database(pair: &Pair, sql: &str) -> DatabaseUrl {
    let url = dbops_testbed::create_database("plan");
    let client = connect(&url).await.expect("connect");
    for sql in [pair.common, sql] {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{}: {sql}: {error:?}", pair.name));
    }
    url
}

async fn graph(url: &DatabaseUrl) -> Graph {
    read(&mut connect(url).await.expect("connect")).await.expect("read")
}

/// What pg_dump says of a schema, in lines without order: that of columns counts for nothing.
fn dump(url: &DatabaseUrl) -> Vec<String> {
    let mut command = process::command(dbops_testbed::installation().program("pg_dump"));
    command.args(["--schema-only", "--no-owner", "--dbname"]).arg(url.conninfo());
    command.env("PGPASSWORD", String::from_utf8_lossy(url.password().unwrap_or_default()).as_ref());
    let output = command.output().expect("pg_dump");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("--") && !line.contains("restrict ");
    let mut lines: Vec<_> = text.lines().filter(is_said).map(|line| line.trim_end_matches(',').to_owned()).collect();
    lines.sort_unstable();
    lines
}

fn statements(steps: &[Step]) -> Vec<&str> {
    steps.iter().flat_map(|step| &step.statements).map(|statement| statement.sql.as_str()).collect()
}

async fn carry_out(pair: &Pair, url: &DatabaseUrl, steps: &[Step]) {
    let client = connect(url).await.expect("connect");
    client.batch_execute("SET check_function_bodies = off").await.expect("set");
    for sql in statements(steps) {
        let outcome = client.batch_execute(sql).await;
        outcome.unwrap_or_else(|error| panic!("{}: {sql}: {error:?}\n{:#?}", pair.name, statements(steps)));
    }
}

async fn check(pair: &Pair) {
    let (one, other) = (database(pair, pair.a).await, database(pair, pair.b).await);
    let (a, b) = (graph(&one).await, graph(&other).await);
    assert!(plan(&a, &a).is_empty() && plan(&b, &b).is_empty(), "{}", pair.name);
    let (dump_a, dump_b) = (dump(&one), dump(&other));
    assert_ne!(dump_a, dump_b, "{}: the two schemas are one", pair.name);

    let copy = dbops_testbed::create_database("plan");
    carry_out(pair, &copy, &schema_graph::dump(&b)).await;
    assert_eq!(dump(&copy), dump_b, "{}: copied", pair.name);

    let there = plan(&a, &b);
    assert_eq!(there, plan(&a, &b), "{}", pair.name);
    carry_out(pair, &one, &there).await;
    assert_eq!(dump(&one), dump_b, "{}: {:#?}", pair.name, statements(&there));
    let changed = graph(&one).await;
    assert_eq!(statements(&plan(&changed, &b)), Vec::<&str>::new(), "{}", pair.name);

    let back = plan(&changed, &a);
    carry_out(pair, &one, &back).await;
    assert_eq!(dump(&one), dump_a, "{}: back: {:#?}", pair.name, statements(&back));
    assert_eq!(statements(&plan(&graph(&one).await, &a)), Vec::<&str>::new(), "{}: back", pair.name);
    for wanted in pair.says {
        let text = [statements(&there), statements(&back)].concat().join(";\n");
        assert!(text.contains(wanted), "{}: no `{wanted}` in\n{text}", pair.name);
    }
    for unwanted in pair.never {
        let text = [statements(&there), statements(&back)].concat().join(";\n");
        assert!(!text.contains(unwanted), "{}: `{unwanted}` in\n{text}", pair.name);
    }
}

/// Several tests, for they run side by side.
macro_rules! quarters {
    ($($name:ident: $number:literal),*) => {
        $(#[tokio::test]
        async fn $name() {
            for pair in PAIRS.iter().skip($number).step_by(4) {
                check(pair).await;
            }
        })*
    };
}

quarters!(a_first_quarter_of_the_pairs: 0, a_second: 1, a_third: 2, a_fourth: 3);
