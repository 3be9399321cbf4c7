//! Plans carried out on real databases: from each schema of a pair to the other and back, until pg_dump says the same.

mod databases;
mod pairs;

use databases::{differing, dump, execute, graph, statements};
use dbops_postgres::{DatabaseUrl, connect};
use dbops_schema_graph::{self as schema_graph, Step, plan};
use pairs::{Pair, pairs};

async fn database(pair: &Pair, sql: &str) -> DatabaseUrl {
    let url = dbops_testbed::create_database("plan");
    let client = connect(&url).await.expect("connect");
    for sql in [pair.common, sql] {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{}: {sql}: {error:?}", pair.name));
    }
    url
}

async fn carry_out(pair: &Pair, url: &DatabaseUrl, steps: &[Step]) {
    let outcome = execute(url, statements(steps)).await;
    outcome.unwrap_or_else(|error| panic!("{}: {error}\n{:#?}", pair.name, statements(steps)));
}

/// Puts rows into the first schema, and reads what is to be kept of them.
async fn fill(pair: &Pair, url: &DatabaseUrl) -> Vec<String> {
    connect(url).await.expect("connect").batch_execute(pair.rows).await.expect(pair.name);
    rows_of(pair, url).await
}

async fn rows_of(pair: &Pair, url: &DatabaseUrl) -> Vec<String> {
    if pair.kept.is_empty() {
        return Vec::new();
    }
    let rows = connect(url).await.expect("connect").query(pair.kept, &[]).await;
    rows.unwrap_or_else(|error| panic!("{}: {error:?}", pair.name)).iter().map(|row| row.get(0)).collect()
}

async fn check(pair: &Pair) {
    let (one, other) = (database(pair, pair.a).await, database(pair, pair.b).await);
    let (a, b) = (graph(&one).await, graph(&other).await);
    assert!(plan(&a, &a).is_empty() && plan(&b, &b).is_empty(), "{}", pair.name);
    let (dump_a, dump_b) = (dump(&one), dump(&other));
    assert_ne!(dump_a, dump_b, "{}: the two schemas are one", pair.name);

    let copy = dbops_testbed::create_database("plan");
    carry_out(pair, &copy, &schema_graph::dump(&b)).await;
    assert_eq!(differing(&dump(&copy), &dump_b), None, "{}: copied", pair.name);

    let rows = fill(pair, &one).await;
    let there = plan(&a, &b);
    assert_eq!(there, plan(&a, &b), "{}", pair.name);
    carry_out(pair, &one, &there).await;
    assert_eq!(differing(&dump(&one), &dump_b), None, "{}: {:#?}", pair.name, statements(&there));
    assert_eq!(rows_of(pair, &one).await, rows, "{}: rows", pair.name);
    let changed = graph(&one).await;
    assert_eq!(statements(&plan(&changed, &b)), Vec::<&str>::new(), "{}", pair.name);

    let back = plan(&changed, &a);
    carry_out(pair, &one, &back).await;
    assert_eq!(differing(&dump(&one), &dump_a), None, "{}: back: {:#?}", pair.name, statements(&back));
    assert_eq!(statements(&plan(&graph(&one).await, &a)), Vec::<&str>::new(), "{}: back", pair.name);
    assert_eq!(rows_of(pair, &one).await, rows, "{}: rows, back", pair.name);
    for wanted in pair.says {
        let text = [statements(&there), statements(&back)].concat().join(";\n");
        assert!(text.contains(wanted), "{}: no `{wanted}` in\n{text}", pair.name);
    }
    for unwanted in pair.never {
        let text = [statements(&there), statements(&back)].concat().join(";\n");
        assert!(!text.contains(unwanted), "{}: `{unwanted}` in\n{text}", pair.name);
    }
    [one, other, copy].iter().for_each(dbops_testbed::drop_database);
}

/// Several tests, for they run side by side.
macro_rules! quarters {
    ($($name:ident: $number:literal),*) => {
        $(#[tokio::test]
        async fn $name() {
            for pair in pairs().skip($number).step_by(4) {
                check(pair).await;
            }
        })*
    };
}

quarters!(a_first_quarter_of_the_pairs: 0, a_second: 1, a_third: 2, a_fourth: 3);
