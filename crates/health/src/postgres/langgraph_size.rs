//! Whether LangGraph's tables grow without end: nothing deletes old checkpoints by itself.

use super::asked::{Asked, Checked};
use super::langgraph_tables::{MAKE_ROOM, tables};
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "langgraph_size",
    looks_at: "the size of LangGraph's checkpoint tables",
    limits: Limits::warning(Unit::Bytes, 20.0 * 1024.0 * 1024.0 * 1024.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let Some(tables) = tables(asked).await? else { return Ok(None) };
    let size = tables.bytes(asked).await?;
    let text = format!("LangGraph's tables have {}", bytes(size));
    let item = Item { value: size, text: text.clone(), remedy: MAKE_ROOM.into() };
    Ok(Some(asked.fold(&CHECK, vec![item], ("", &text))))
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
