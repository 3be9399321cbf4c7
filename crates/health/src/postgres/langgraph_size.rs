//! Whether LangGraph's tables grow without end: nothing deletes old checkpoints by itself.

use super::asked::{Asked, Checked};
use super::langgraph::{Tables, tables};
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "langgraph_size",
    looks_at: "the size of LangGraph's checkpoint tables",
    limits: Limits::warning(Unit::Bytes, 20.0 * 1024.0 * 1024.0 * 1024.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let Some(Tables { schema, .. }) = tables(asked).await? else { return Ok(None) };
    let sql = "SELECT sum(pg_total_relation_size(to_regclass($1::text || '.' || name)))::float8 FROM \
               unnest(ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes']) name";
    let size: f64 = asked.client.query_one(sql, &[&schema]).await?.get(0);
    let text = format!("LangGraph's tables have {}", bytes(size));
    let remedy = "delete threads that nobody goes on with: PostgresSaver.delete_thread(), then VACUUM".into();
    Ok(Some(asked.fold(&CHECK, vec![Item { value: size, text: text.clone(), remedy }], ("", &text))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LANGGRAPH, execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn the_size_is_found() {
        let url = dbops_testbed::create_database("langgraph");
        let _client = execute(&url, LANGGRAPH).await;
        is_ok(&finding(&url, "langgraph_size").await);
        is_warning(&finding_from(&url, "langgraph_size", 1.0).await, "LangGraph's tables have", "delete_thread()");
    }
}
