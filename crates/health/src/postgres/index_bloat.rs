//! Whether indexes are mostly empty space.

use super::asked::{Asked, Checked};
use super::table_bloat::{SPARE, estimates, told, unreadable};
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "index_bloat",
    looks_at: "how much of a B-tree with more than 64 MiB to spare is empty, by estimate",
    limits: Limits::warning(Unit::Percent, 60.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    look(asked, SPARE).await
}

async fn look(asked: &Asked<'_>, spare: f64) -> Checked {
    Ok(Some(match estimates(asked, include_str!("index_bloat.sql"), spare).await? {
        Ok(found) => told(asked, &CHECK, &found, |name| format!("REINDEX INDEX CONCURRENTLY {name};")),
        Err(unseen) => unreadable(asked, &CHECK, &unseen),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, execute, is_ok, is_warning};
    use super::{SPARE, look};

    #[tokio::test]
    async fn an_index_of_empty_pages_is_found() {
        let url = dbops_testbed::create_database("bloat");
        let sql = "CREATE TABLE t WITH (autovacuum_enabled = off) AS SELECT i FROM generate_series(1, 100000) i; CREATE INDEX \
                   sparse ON t (i)";
        let client = execute(&url, sql).await;
        for statement in ["DELETE FROM t WHERE i % 20 > 0", "VACUUM ANALYZE t", "CREATE INDEX dense ON t (i)"] {
            client.batch_execute(statement).await.expect(statement);
        }
        let of =
            async |spare| asked(&url, async |asked| look(asked, spare).await.expect("asked").expect("found")).await;
        is_ok(&of(SPARE).await);
        let found = of(500_000.0).await;
        is_warning(&found, "public.sparse has", "REINDEX INDEX CONCURRENTLY public.sparse;");
        assert_eq!(found.details.len(), 1, "{found:?}");
    }
}
