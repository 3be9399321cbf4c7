//! Whether there are indexes that cost writes and serve no query, because building them failed.

use super::asked::{Asked, Checked};
use crate::Check;
use crate::fold::Item;

pub(super) const CHECK: Check =
    Check { id: "invalid_indexes", looks_at: "indexes that were not built to their end", limits: None };

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("invalid_indexes.sql")).await?;
    let items = rows.iter().map(|row| {
        let (name, table): (&str, &str) = (row.get("name"), row.get("table_name"));
        let remedy = if row.get("is_leftover") {
            // REINDEX CONCURRENTLY leaves these behind when it fails; the index itself is there.
            format!("DROP INDEX CONCURRENTLY {name};")
        } else {
            format!(
                "REINDEX INDEX CONCURRENTLY {name}; after what made it fail is gone, such as duplicates, or drop it"
            )
        };
        Item { value: 1.0, text: format!("{name} on {table} is invalid"), remedy }
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("indexes are invalid", "every index is valid"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, is_ok, is_warning};

    #[tokio::test]
    async fn an_index_that_failed_is_found() {
        let url = dbops_testbed::create_database("invalid");
        let client = execute(&url, "CREATE TABLE t AS SELECT 1 AS i FROM generate_series(1, 2)").await;
        is_ok(&finding(&url, "invalid_indexes").await);
        client.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY \"Bad\" ON t (i)").await.expect_err("duplicates");
        let found = finding(&url, "invalid_indexes").await;
        is_warning(&found, "public.\"Bad\" on public.t is invalid", "REINDEX INDEX CONCURRENTLY public.\"Bad\";");
        client.batch_execute("ALTER INDEX \"Bad\" RENAME TO bad_ccnew").await.expect("renamed");
        is_warning(
            &finding(&url, "invalid_indexes").await,
            "public.bad_ccnew",
            "DROP INDEX CONCURRENTLY public.bad_ccnew;",
        );
    }
}
