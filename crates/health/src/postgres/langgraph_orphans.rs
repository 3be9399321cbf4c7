//! Whether rows of LangGraph belong to threads that are gone.

use super::asked::{Asked, Checked};
use super::langgraph_tables::tables;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "langgraph_orphans",
    looks_at: "the share of LangGraph's blobs and writes whose thread has no checkpoint, in a sample",
    limits: Limits::warning(Unit::Percent, 20.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let Some(tables) = tables(asked).await? else { return Ok(None) };
    let schema = &tables.schema;
    let mut items = Vec::new();
    for table in ["checkpoint_blobs", "checkpoint_writes"] {
        let place = format!("{schema}.{table}");
        let sample = tables.sample(asked, table).await?;
        let sql = format!(
            "SELECT count(*)::float8, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM {schema}.checkpoints c WHERE \
             c.thread_id = t.thread_id))::float8 FROM {sample}"
        );
        let row = asked.client.query_one(&sql, &[]).await?;
        let (all, orphans): (f64, f64) = (row.get(0), row.get(1));
        let share = orphans * 100.0 / all.max(1.0);
        items.push(Item {
            value: share,
            text: format!("{share:.0} % of the rows of {place} belong to threads that are gone"),
            remedy: format!(
                "DELETE FROM {place} t WHERE NOT EXISTS (SELECT FROM {schema}.checkpoints c WHERE c.thread_id = t.thread_id);"
            ),
        });
    }
    Ok(Some(asked.fold(&CHECK, items, ("tables have orphans", "LangGraph's rows belong to threads that are there"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LANGGRAPH, execute, finding, is_ok, is_warning};

    #[tokio::test]
    async fn rows_of_threads_that_are_gone_are_found() {
        let url = dbops_testbed::create_database("langgraph");
        let client = execute(&url, LANGGRAPH).await;
        let sql = "INSERT INTO checkpoints VALUES ('a', '', '1'); INSERT INTO checkpoint_writes VALUES ('a', '', '1'); INSERT \
                   INTO checkpoint_blobs VALUES ('a', '', 'c')";
        client.batch_execute(sql).await.expect("rows");
        is_ok(&finding(&url, "langgraph_orphans").await);
        client.batch_execute("INSERT INTO checkpoint_writes VALUES ('b', '', '1')").await.expect("a row");
        let found = finding(&url, "langgraph_orphans").await;
        is_warning(
            &found,
            "50 % of the rows of public.checkpoint_writes",
            "DELETE FROM public.checkpoint_writes t WHERE",
        );
    }
}
