//! LangGraph's tables, as the checks that look at them find, measure and sample them.

use dbops_postgres::quote_identifier;

use super::asked::{Asked, Trouble};

/// What makes room in LangGraph's tables.
pub(super) const MAKE_ROOM: &str =
    "delete threads that nobody goes on with: PostgresSaver.delete_thread(), then VACUUM";

/// About so many rows are looked at in each table.
const SAMPLE: f64 = 100_000.0;

/// Where LangGraph's tables are.
pub(super) struct Tables {
    /// Quoted.
    pub(super) schema: String,
    pub(super) missing_indexes: Vec<String>,
}

pub(super) async fn tables(asked: &Asked<'_>) -> Result<Option<Tables>, Trouble> {
    let Some(row) = asked.client.query_opt(include_str!("langgraph_tables.sql"), &[]).await? else { return Ok(None) };
    let schema: String = row.get("schema");
    if row.get("is_seen") {
        return Ok(Some(Tables { schema, missing_indexes: row.get("missing") }));
    }
    let tables = ["checkpoint_migrations", "checkpoints", "checkpoint_blobs", "checkpoint_writes"];
    let tables: Vec<_> = tables.iter().map(|table| format!("{schema}.{table}")).collect();
    let user = quote_identifier(asked.target.url.user());
    Err(Trouble::MayNot(format!("GRANT SELECT ON {} TO {user}", tables.join(", "))))
}

impl Tables {
    /// The bytes of the tables that grow, with their indexes.
    pub(super) async fn bytes(&self, asked: &Asked<'_>) -> Result<f64, Trouble> {
        let sql = "SELECT sum(pg_total_relation_size(to_regclass($1::text || '.' || name)))::float8 FROM \
                   unnest(ARRAY['checkpoints', 'checkpoint_blobs', 'checkpoint_writes']) name";
        Ok(asked.client.query_one(sql, &[&self.schema]).await?.get(0))
    }

    /// Some rows of a table, for FROM: all of a small one. How many rows there are is what ANALYZE found, for the pages
    /// that there are now; without that, as many as fit in there at 100 bytes each.
    pub(super) async fn sample(&self, asked: &Asked<'_>, table: &str) -> Result<String, Trouble> {
        let place = format!("{}.{table}", self.schema);
        let sql = "SELECT CASE WHEN reltuples > 0 \
                   THEN reltuples / greatest(relpages, 1) * ceil(size / current_setting('block_size')::float8) \
                   ELSE size / 100.0 END::float8 \
                   FROM pg_catalog.pg_class, pg_relation_size(oid) size WHERE oid = ($1::text)::regclass";
        let rows: f64 = asked.client.query_one(sql, &[&place]).await?.get(0);
        let percent = (SAMPLE * 100.0 / rows.max(1.0)).min(100.0);
        Ok(format!("{place} t TABLESAMPLE SYSTEM ({percent})"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LANGGRAPH, asked, execute};
    use super::tables;

    #[tokio::test]
    async fn samples_are_small_whether_analyzed_or_not() {
        let url = dbops_testbed::create_database("langgraph");
        let client = execute(&url, LANGGRAPH).await;
        let sample = async || {
            let sample = asked(&url, async |it| {
                let tables = tables(it).await.expect("an answer").expect("tables");
                tables.sample(it, "checkpoints").await.expect("an answer")
            });
            let sample = sample.await;
            let percent = sample.strip_prefix("public.checkpoints t TABLESAMPLE SYSTEM (").expect("a sample");
            percent.strip_suffix(')').expect("a sample").parse::<f64>().expect("a number")
        };
        let fill = "ALTER TABLE checkpoints SET (autovacuum_enabled = false);
                    INSERT INTO checkpoints SELECT repeat('x', 60), '', i::text FROM generate_series(1, 200000) i";
        assert_eq!(sample().await, 100.0, "an empty table");
        client.batch_execute("INSERT INTO checkpoints VALUES ('thread', '', '')").await.expect("a row");
        assert_eq!(sample().await, 100.0, "a row");
        client.batch_execute(fill).await.expect("rows");
        assert!((40.0..50.0).contains(&sample().await), "never analyzed: {}", sample().await);
        client.batch_execute("ANALYZE checkpoints").await.expect("analyzed");
        assert!((49.0..51.0).contains(&sample().await), "analyzed: {}", sample().await);
        client.batch_execute(fill).await.expect("more rows");
        assert!((24.0..26.0).contains(&sample().await), "grown since: {}", sample().await);
    }
}
