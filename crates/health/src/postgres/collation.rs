//! Whether the system sorts as it did when the indexes were made.

use super::asked::{Asked, Checked};
use crate::Check;
use crate::fold::Item;

pub(super) const CHECK: Check = Check {
    id: "collation",
    looks_at: "collations whose version on the system is another one than that of the database",
    limits: None,
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("collation.sql")).await?;
    let items = rows.iter().map(|row| {
        let (name, refresh): (&str, &str) = (row.get("name"), row.get("refresh"));
        let (recorded, actual): (&str, Option<&str>) = (row.get("recorded"), row.get("actual"));
        Item {
            value: 1.0,
            text: format!("{name} was made with version {recorded}, the system has {}", actual.unwrap_or("none")),
            remedy: format!("REINDEX the indexes over text that use it, then {refresh};"),
        }
    });
    let well = "the system sorts as it did";
    Ok(Some(asked.fold(&CHECK, items.collect(), ("collations have other versions", well))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{execute, finding, is_ok, is_warning};

    #[tokio::test]
    async fn another_version_is_found() {
        let url = dbops_testbed::create_database("collation");
        let client = execute(&url, "CREATE COLLATION odd (provider = builtin, locale = 'C.UTF-8')").await;
        is_ok(&finding(&url, "collation").await);
        client
            .batch_execute("UPDATE pg_collation SET collversion = '0' WHERE collname = 'odd'")
            .await
            .expect("updated");
        let found = finding(&url, "collation").await;
        is_warning(
            &found,
            "collation public.odd was made with version 0",
            "ALTER COLLATION public.odd REFRESH VERSION;",
        );
        client.batch_execute("ALTER COLLATION odd REFRESH VERSION").await.expect("refreshed");
        is_ok(&finding(&url, "collation").await);
    }
}
