//! Whether foreign keys of large tables are without an index: deleting a row that they may refer to reads the whole table.

use super::asked::{Asked, Checked};
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "foreign_key_indexes",
    looks_at: "the size of tables with a foreign key that no index supports",
    limits: Limits::warning(Unit::Bytes, 16.0 * 1024.0 * 1024.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("foreign_key_indexes.sql")).await?;
    let items = rows.iter().map(|row| {
        let (name, key, columns): (&str, &str, &str) = (row.get("name"), row.get("key"), row.get("columns"));
        let size: f64 = row.get("bytes");
        Item {
            value: size,
            text: format!("no index of {name} ({}) supports its foreign key {key}", bytes(size)),
            remedy: format!("CREATE INDEX CONCURRENTLY ON {name} ({columns});"),
        }
    });
    let well = "every foreign key of a large table has an index";
    Ok(Some(asked.fold(&CHECK, items.collect(), ("foreign keys have no index", well))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, finding_from, is_ok, is_warning};

    #[tokio::test]
    async fn a_foreign_key_without_an_index_is_found() {
        let url = dbops_testbed::create_database("foreign");
        let sql = "CREATE TABLE p (i int, j int, PRIMARY KEY (i, j)); CREATE TABLE c (a int, b int, x int, FOREIGN KEY (b, a) \
                   REFERENCES p); CREATE INDEX on_part ON c (a, x, b); CREATE INDEX partial ON c (a, b) WHERE x > 0; INSERT \
                   INTO p VALUES (1, 1); INSERT INTO c VALUES (1, 1, 1)";
        let client = execute(&url, sql).await;
        client.batch_execute("VACUUM ANALYZE c").await.expect("analyzed");
        let found = finding_from(&url, "foreign_key_indexes", 1.0).await;
        is_warning(&found, "no index of public.c (8 KiB)", "CREATE INDEX CONCURRENTLY ON public.c (b, a);");
        is_ok(&finding(&url, "foreign_key_indexes").await);
        // In another order it serves as well.
        client.batch_execute("CREATE INDEX good ON c (a, b, x)").await.expect("an index");
        is_ok(&finding_from(&url, "foreign_key_indexes", 1.0).await);
    }
}
