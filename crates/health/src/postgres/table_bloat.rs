//! Whether tables are mostly empty space, which every scan reads.
//!
//! The space is estimated from the statistics of ANALYZE. Where pgstattuple is installed, what the estimate finds is looked at
//! by `pgstattuple_approx`, if it is not too large for that.

use dbops_postgres::quote_identifier;

use super::asked::{Asked, Checked};
use crate::check::bytes;
use crate::fold::Item;
use crate::{Check, Finding, Limits, Status, Unit};

pub(super) const CHECK: Check = Check {
    id: "table_bloat",
    looks_at: "how much of a table with more than 64 MiB to spare is empty, by estimate",
    limits: Limits::warning(Unit::Percent, 50.0),
};

/// Less than this is not worth a word.
pub(super) const SPARE: f64 = 64.0 * 1024.0 * 1024.0;
/// The size of a page. Servers with another one are rare, and their estimates off by the factor.
pub(super) const PAGE: f64 = 8192.0;
/// Above this a table is not read for the sake of a number.
const READABLE: f64 = 1024.0 * 1024.0 * 1024.0;
/// So many are looked at by pgstattuple at most.
const MOST: usize = 3;

/// A table or index, and what it would need.
pub(super) struct Estimate {
    pub(super) oid: i64,
    pub(super) name: String,
    pub(super) bytes: f64,
    pub(super) spare: f64,
    /// `estimated`, or what measured it.
    pub(super) how: &'static str,
}

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    look(asked, SPARE).await
}

async fn look(asked: &Asked<'_>, spare: f64) -> Checked {
    let mut found = match estimates(asked, include_str!("table_bloat.sql"), spare).await? {
        Ok(found) => found,
        Err(unseen) => return Ok(Some(unreadable(asked, &CHECK, &unseen))),
    };
    measure(asked, &mut found).await?;
    found.retain(|estimate| estimate.spare >= spare);
    Ok(Some(told(asked, &CHECK, &found, |name| {
        format!("VACUUM FULL {name} locks it meanwhile; pg_repack and pg_squeeze do not")
    })))
}

/// What is past the limit and has so much to spare; else the names of what could not be seen.
pub(super) async fn estimates(
    asked: &Asked<'_>,
    sql: &str,
    spare: f64,
) -> Result<Result<Vec<Estimate>, Vec<String>>, super::asked::Trouble> {
    #[expect(clippy::cast_possible_truncation, reason = "a number of pages")]
    let pages = (spare / PAGE) as i32;
    let rows = asked.client.query(sql, &[&pages]).await?;
    let unseen: Vec<String> =
        rows.iter().filter(|row| !row.get::<_, bool>("is_seen")).map(|row| row.get("name")).collect();
    if !unseen.is_empty() {
        return Ok(Err(unseen));
    }
    let estimate = |row: &dbops_postgres::tokio_postgres::Row| {
        let (bytes, needed): (f64, f64) = (row.get("bytes"), row.get("needed"));
        Estimate { oid: row.get("oid"), name: row.get("name"), bytes, spare: bytes - needed, how: "estimated" }
    };
    let mut found: Vec<_> = rows.iter().map(estimate).filter(|estimate| estimate.spare >= spare).collect();
    found.sort_by(|a, b| b.spare.total_cmp(&a.spare));
    Ok(Ok(found))
}

/// The statistics of a table are for those who may read it.
pub(super) fn unreadable(asked: &Asked<'_>, check: &Check, unseen: &[String]) -> Finding {
    let summary = format!("the statistics of {} large ones may not be read, such as {}", unseen.len(), unseen[0]);
    let user = quote_identifier(asked.target.url.user());
    let remedy = format!("GRANT pg_read_all_data TO {user}, or run ANALYZE if nobody ever did");
    asked.finding(check, Status::Unknown, summary).remedy(remedy)
}

pub(super) fn told(asked: &Asked<'_>, check: &Check, found: &[Estimate], remedy: impl Fn(&str) -> String) -> Finding {
    let items = found.iter().map(|estimate| {
        let Estimate { name, bytes: all, spare, how, .. } = estimate;
        Item {
            value: spare * 100.0 / all.max(1.0),
            text: format!("{name} has {} of {} to spare ({how})", bytes(*spare), bytes(*all)),
            remedy: remedy(name),
        }
    });
    asked.fold(check, items.collect(), ("are mostly empty", "nothing large is mostly empty"))
}

async fn measure(asked: &Asked<'_>, found: &mut [Estimate]) -> Result<(), super::asked::Trouble> {
    let sql = "SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace JOIN pg_proc p ON \
               p.pronamespace = n.oid AND p.proname = 'pgstattuple_approx' WHERE e.extname = 'pgstattuple' AND \
               has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')";
    let Some(schema) = asked.client.query_opt(sql, &[]).await? else { return Ok(()) };
    let schema = quote_identifier(schema.get(0));
    let sql = format!(
        "SELECT (approx_free_space + dead_tuple_len)::float8 FROM {schema}.pgstattuple_approx(($1::int8)::oid::regclass)"
    );
    for estimate in found.iter_mut().filter(|estimate| estimate.bytes <= READABLE).take(MOST) {
        estimate.spare = asked.client.query_one(&sql, &[&estimate.oid]).await?.get(0);
        estimate.how = "by pgstattuple";
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, execute, is_ok, is_warning};
    use super::{SPARE, look};
    use crate::Status;

    const MIB: f64 = 1024.0 * 1024.0;

    #[tokio::test]
    async fn a_table_of_empty_pages_is_found() {
        let url = dbops_testbed::create_database("bloat");
        let sql = "CREATE TABLE full_of AS SELECT i, repeat('x', 100) AS t FROM generate_series(1, 30000) i; CREATE TABLE \
                   empty WITH (autovacuum_enabled = off) AS TABLE full_of";
        let client = execute(&url, sql).await;
        for statement in ["DELETE FROM empty WHERE i % 10 > 0", "VACUUM ANALYZE empty", "VACUUM ANALYZE full_of"] {
            client.batch_execute(statement).await.expect(statement);
        }
        let of =
            async |spare| asked(&url, async |asked| look(asked, spare).await.expect("asked").expect("found")).await;
        is_ok(&of(SPARE).await);
        is_warning(&of(MIB).await, "public.empty has", "VACUUM FULL public.empty");
        assert!(of(MIB).await.summary.ends_with("to spare (estimated)"));
        client.batch_execute("CREATE EXTENSION pgstattuple").await.expect("pgstattuple");
        let found = of(MIB).await;
        is_warning(&found, "public.empty has", "VACUUM FULL public.empty");
        assert!(found.summary.ends_with("to spare (by pgstattuple)") && found.details.len() == 1, "{found:?}");
    }

    #[tokio::test]
    async fn statistics_that_may_not_be_read_are_told() {
        let url = dbops_testbed::create_database("bloat");
        let role = dbops_testbed::unique("bloat");
        let sql = format!(
            "CREATE TABLE hidden AS SELECT repeat('x', 100) FROM generate_series(1, 30000); CREATE ROLE {role} LOGIN \
             PASSWORD 'pw'"
        );
        execute(&url, &sql).await.batch_execute("VACUUM ANALYZE hidden").await.expect("analyzed");
        let text = format!("postgresql://{role}:pw@{}/{}", url.server(), url.database());
        let url = dbops_postgres::DatabaseUrl::parse(&text, "me").expect("a URL");
        let found = asked(&url, async |asked| look(asked, MIB).await.expect("asked").expect("found")).await;
        assert!(found.status == Status::Unknown && found.remedy.expect("a remedy").contains("pg_read_all_data"));
    }
}
