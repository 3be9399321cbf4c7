//! Whether LangGraph's tables are as its PostgresSaver leaves them.

use super::asked::{Asked, Checked};
use super::langgraph_tables::{Tables, tables};
use crate::{Check, Status};

pub(super) const CHECK: Check =
    Check { id: "langgraph", looks_at: "the version and the indexes of LangGraph's checkpoint tables", limits: None };

/// The last migration of langgraph-checkpoint-postgres 3.1.
const VERSION: i32 = 9;

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let Some(Tables { schema, missing_indexes }) = tables(asked).await? else { return Ok(None) };
    let sql = format!("SELECT coalesce(max(v), -1)::int4 FROM {schema}.checkpoint_migrations");
    let version: i32 = asked.client.query_one(&sql, &[]).await?.get(0);
    let warning = |summary: String| asked.finding(&CHECK, Status::Warning, summary);
    let set_up = "PostgresSaver.setup() of the installed langgraph-checkpoint-postgres";
    Ok(Some(if version > VERSION {
        warning(format!("LangGraph's tables are at version {version}, and this dbops knows {VERSION}"))
            .remedy("upgrade dbops")
    } else if version < VERSION {
        let at =
            if version < 0 { "were never set up".into() } else { format!("are at version {version} of {VERSION}") };
        warning(format!("LangGraph's tables {at}")).remedy(format!("run {set_up}"))
    } else if missing_indexes.is_empty() {
        asked.finding(&CHECK, Status::Ok, format!("LangGraph's tables are at version {version}"))
    } else {
        warning(format!("missing or invalid: {}", missing_indexes.join(", "))).remedy(format!(
            "DROP INDEX those that are there, DELETE FROM {schema}.checkpoint_migrations WHERE v >= 6, and run {set_up}"
        ))
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LANGGRAPH, execute, finding, found, is_ok, is_warning};
    use crate::Selection;

    #[tokio::test]
    async fn another_version_and_missing_indexes_are_found() {
        let url = dbops_testbed::create_database("langgraph");
        assert_eq!(found(&url, &[], &Selection::default(), "langgraph").await, None);
        let client = execute(&url, LANGGRAPH).await;
        is_warning(&finding(&url, "langgraph").await, "tables were never set up", "run PostgresSaver.setup()");
        client.batch_execute("INSERT INTO checkpoint_migrations VALUES (8)").await.expect("a row");
        is_warning(&finding(&url, "langgraph").await, "are at version 8 of 9", "run PostgresSaver.setup()");
        client.batch_execute("INSERT INTO checkpoint_migrations VALUES (9)").await.expect("a row");
        is_ok(&finding(&url, "langgraph").await);
        client.batch_execute("DROP INDEX checkpoint_blobs_thread_id_idx").await.expect("dropped");
        is_warning(
            &finding(&url, "langgraph").await,
            "missing or invalid: checkpoint_blobs_thread_id_idx",
            "DROP INDEX",
        );
    }
}
