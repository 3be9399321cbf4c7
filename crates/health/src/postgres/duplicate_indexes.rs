//! Whether there are indexes twice.

use super::asked::{Asked, Checked};
use crate::Check;
use crate::check::bytes;
use crate::fold::Item;

pub(super) const CHECK: Check =
    Check { id: "duplicate_indexes", looks_at: "indexes that are the same as another one", limits: None };

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("duplicate_indexes.sql")).await?;
    let items = rows.iter().map(|row| {
        let (name, kept, size): (&str, &str, f64) = (row.get("name"), row.get("kept"), row.get("bytes"));
        let remedy = if row.get("enforces") {
            format!("drop the constraint of {name}, which {kept} enforces too")
        } else {
            format!("DROP INDEX CONCURRENTLY {name};")
        };
        Item { value: size, text: format!("{name} ({}) is the same as {kept}", bytes(size)), remedy }
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("indexes are there twice", "no index is there twice"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, is_ok, is_warning};

    #[tokio::test]
    async fn the_same_index_twice_is_found() {
        let url = dbops_testbed::create_database("duplicate");
        let sql = "CREATE TABLE t (i int PRIMARY KEY, j int, t text); CREATE INDEX a ON t (j); CREATE INDEX b ON t (j DESC); \
                   CREATE INDEX c ON t (j, i); CREATE INDEX d ON t (j) WHERE i > 0; CREATE INDEX e ON t (lower(t)); CREATE \
                   INDEX f ON t USING hash (j); CREATE INDEX g ON t (upper(t))";
        let client = execute(&url, sql).await;
        is_ok(&finding(&url, "duplicate_indexes").await);
        client.batch_execute("CREATE INDEX again ON t (i)").await.expect("an index");
        let found = finding(&url, "duplicate_indexes").await;
        is_warning(
            &found,
            "public.again (8 KiB) is the same as public.t_pkey",
            "DROP INDEX CONCURRENTLY public.again;",
        );
        client.batch_execute("CREATE INDEX lower ON t (lower(t))").await.expect("an index");
        assert_eq!(finding(&url, "duplicate_indexes").await.details.len(), 2);
    }
}
