//! What tests of plans do with databases: read them, dump them, carry plans out on them.

use dbops_postgres::{DatabaseUrl, SqlError, connect, process};
use dbops_schema_graph::{Graph, Step, read};

pub(crate) async fn graph(url: &DatabaseUrl) -> Graph {
    read(&mut connect(url).await.expect("connect")).await.expect("read")
}

/// What pg_dump says of a schema, in lines without order: that of columns counts for nothing.
pub(crate) fn dump(url: &DatabaseUrl) -> Vec<String> {
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

pub(crate) fn statements(steps: &[Step]) -> Vec<&str> {
    steps.iter().flat_map(|step| &step.statements).map(|statement| statement.sql.as_str()).collect()
}

/// Runs the statements one by one; the one that fails, and why.
pub(crate) async fn execute<'a>(url: &DatabaseUrl, sql: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let client = connect(url).await.map_err(|error| error.to_string())?;
    client.batch_execute("SET check_function_bodies = off").await.map_err(|error| error.to_string())?;
    for sql in sql {
        client.batch_execute(sql).await.map_err(|error| format!("{sql}: {}", SqlError::from(error)))?;
    }
    Ok(())
}

/// Lines that only one side has.
pub(crate) fn differing(got: &[String], wanted: &[String]) -> Option<String> {
    let only = |one: &[String], other: &[String], sign| -> Vec<String> {
        let mut rest = other.to_vec();
        let is_missing = |line: &&String| match rest.iter().position(|other| other == *line) {
            Some(place) => {
                rest.swap_remove(place);
                false
            }
            None => true,
        };
        one.iter().filter(is_missing).map(|line| format!("{sign} {line}")).collect()
    };
    let lines = [only(got, wanted, "+"), only(wanted, got, "-")].concat();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
