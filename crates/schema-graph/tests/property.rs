//! Plans between schemas at random: they lead to the other schema and back, and pg_dump says so.

mod databases;
mod random;

use databases::{differing, dump, execute, graph, statements};
use dbops_postgres::DatabaseUrl;
use dbops_schema_graph::{self as schema_graph, plan};
use random::{Choices, schema};

async fn database(sql: &[String]) -> Result<DatabaseUrl, String> {
    let url = dbops_testbed::create_database("random");
    let outcome = execute(&url, sql.iter().map(String::as_str)).await;
    outcome.map(|()| url).map_err(|error| format!("the generator is at fault: {error}"))
}

/// What is wrong with the ways between two schemas.
async fn check(one: &Choices, other: &Choices) -> Result<(), String> {
    let (a_sql, b_sql) = (schema(one), schema(other));
    let (one, other) = (database(&a_sql).await?, database(&b_sql).await?);
    let copy = dbops_testbed::create_database("random");
    let outcome = ways(&one, &other, &copy).await;
    [one, other, copy].iter().for_each(dbops_testbed::drop_database);
    outcome
}

async fn ways(one: &DatabaseUrl, other: &DatabaseUrl, copy: &DatabaseUrl) -> Result<(), String> {
    let (a, b) = (graph(one).await, graph(other).await);
    let (dump_a, dump_b) = (dump(one), dump(other));
    for graph in [&a, &b] {
        let noise = plan(graph, graph);
        if !noise.is_empty() {
            return Err(format!("between equals: {:#?}", statements(&noise)));
        }
    }
    let steps = schema_graph::dump(&b);
    execute(copy, statements(&steps)).await.map_err(|error| format!("copied: {error}\n{:#?}", statements(&steps)))?;
    arrived(copy, &b, &dump_b).await.map_err(|error| format!("copied: {error}\n{:#?}", statements(&steps)))?;
    let there = plan(&a, &b);
    execute(one, statements(&there)).await.map_err(|error| format!("there: {error}\n{:#?}", statements(&there)))?;
    arrived(one, &b, &dump_b).await.map_err(|error| format!("there: {error}\n{:#?}", statements(&there)))?;
    let back = plan(&graph(one).await, &a);
    execute(one, statements(&back)).await.map_err(|error| format!("back: {error}\n{:#?}", statements(&back)))?;
    arrived(one, &a, &dump_a).await.map_err(|error| format!("back: {error}\n{:#?}", statements(&back)))
}

async fn arrived(url: &DatabaseUrl, wanted: &schema_graph::Graph, dumped: &[String]) -> Result<(), String> {
    if let Some(lines) = differing(&dump(url), dumped) {
        return Err(format!("pg_dump:\n{lines}"));
    }
    let rest = plan(&graph(url).await, wanted);
    if rest.is_empty() { Ok(()) } else { Err(format!("left: {:#?}", statements(&rest))) }
}

/// The simplest choices that still fail in the same place.
async fn smallest(one: &mut Choices, other: &mut Choices, error: &str) -> String {
    let kind = |error: &str| error.split([':', '\n']).take(2).map(ToOwned::to_owned).collect::<Vec<_>>();
    let mut smallest = error.to_owned();
    let mut left = usize::MAX;
    loop {
        let mut names: Vec<String> = one
            .made
            .borrow()
            .iter()
            .chain(other.made.borrow().iter())
            .filter(|(_, value)| **value > 0)
            .map(|(name, _)| name.clone())
            .collect();
        names.sort();
        names.dedup();
        if names.len() >= left {
            return smallest;
        }
        left = names.len();
        let mut size = names.len().div_ceil(2).max(1);
        loop {
            for chunk in names.clone().chunks(size) {
                let (mut a, mut b) = (one.clone(), other.clone());
                for choices in [&mut a, &mut b] {
                    choices.made.borrow_mut().clear();
                    choices.forced.extend(chunk.iter().map(|name| (name.clone(), 0)));
                }
                if let Err(error) = check(&a, &b).await
                    && kind(&error) == kind(&smallest)
                {
                    (*one, *other, smallest) = (a, b, error);
                }
            }
            if size == 1 {
                break;
            }
            size = size.div_ceil(2);
        }
    }
}

/// DBOPS_TEST_CASES=FIRST..END runs more of them, or one again; DBOPS_TEST_SMALL=1 makes those that fail small.
fn cases() -> std::ops::Range<u64> {
    let text = std::env::var("DBOPS_TEST_CASES").unwrap_or_else(|_| "0..8".into());
    let (first, end) = text.split_once("..").expect("FIRST..END");
    first.parse().expect("a number")..end.parse().expect("a number")
}

/// Half of the cases: the two tests run side by side.
async fn run(of_two: u64) {
    let mut failures = Vec::new();
    for case in cases().filter(|case| case % 2 == of_two) {
        let mut one = Choices::new(case * 2);
        let mut other = match case % 8 {
            7 => Choices::new(case * 2 + 1),
            _ => one.edited(case * 2 + 1, [3, 8, 20][case as usize % 3]),
        };
        if let Err(error) = check(&one, &other).await {
            let mut text = error.clone();
            if std::env::var("DBOPS_TEST_SMALL").is_ok() {
                text = smallest(&mut one, &mut other, &error).await;
            }
            let sql = |choices: &Choices| schema(choices).join(";\n");
            failures.push(format!("case {case}: {text}\n-- a:\n{};\n-- b:\n{};\n", sql(&one), sql(&other)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn ways_between_schemas_at_random() {
    run(0).await;
}

#[tokio::test]
async fn and_between_others() {
    run(1).await;
}
