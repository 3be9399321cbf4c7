//! Whether sequences come to their end, or to that of the column that they fill.

use dbops_postgres::quote_identifier;

use super::asked::{Asked, Checked, Trouble};
use crate::fold::Item;
use crate::{Check, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "sequences",
    looks_at: "how much of a sequence, or of the column that it fills, is used up",
    limits: Limits::new(Unit::Percent, 75.0, 90.0),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let rows = asked.rows(include_str!("sequences.sql")).await?;
    if rows.iter().any(|row| !row.get::<_, bool>("is_seen")) {
        let user = quote_identifier(asked.target.url.user());
        return Err(Trouble::MayNot(format!(
            "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {user} for each schema, or GRANT pg_read_all_data TO {user}"
        )));
    }
    let items = rows.iter().filter_map(|row| {
        let (name, used, holder): (&str, Option<f64>, Option<&str>) =
            (row.get("name"), row.get("used"), row.get("holder"));
        let used = used?;
        let of = holder.map(|holder| format!(", which fills {holder},")).unwrap_or_default();
        Some(Item {
            value: used,
            text: format!("{name}{of} is used up to {used:.1} %"),
            remedy: match holder {
                Some(holder) => format!("make {holder} a bigint and ALTER SEQUENCE {name} AS bigint, before it ends"),
                None => format!("ALTER SEQUENCE {name} AS bigint MAXVALUE …, before it ends"),
            },
        })
    });
    Ok(Some(asked.fold(&CHECK, items.collect(), ("sequences are near their end", "no sequence is near its end"))))
}

#[cfg(test)]
mod tests {
    use dbops_postgres::DatabaseUrl;

    use super::super::testing::{execute, finding, is_ok, is_warning};
    use crate::Status;

    #[tokio::test]
    async fn a_sequence_near_its_end_is_found() {
        let url = dbops_testbed::create_database("sequences");
        let sql = "CREATE TABLE t (i serial, \"J\" bigint GENERATED ALWAYS AS IDENTITY); CREATE SEQUENCE c MAXVALUE 10 CYCLE; \
                   SELECT setval('c', 10)";
        let client = execute(&url, sql).await;
        is_ok(&finding(&url, "sequences").await);
        client.batch_execute("SELECT setval('t_i_seq', 1700000000)").await.expect("set");
        is_warning(
            &finding(&url, "sequences").await,
            "public.t_i_seq, which fills t.i, is used up to 79.2 %",
            "make t.i a bigint",
        );
        // A sequence may be wider than the column that it fills.
        client
            .batch_execute("ALTER SEQUENCE t_i_seq AS bigint; SELECT setval('t_i_seq', 2147483000)")
            .await
            .expect("set");
        assert_eq!(finding(&url, "sequences").await.status, Status::Critical);
        client
            .batch_execute("DROP TABLE t; CREATE SEQUENCE down INCREMENT -1 MINVALUE -100; SELECT setval('down', -80)")
            .await
            .expect("a sequence");
        is_warning(&finding(&url, "sequences").await, "public.down is used up to 80.0 %", "MAXVALUE");

        let role = dbops_testbed::unique("sequences");
        client.batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'")).await.expect("a role");
        let text = format!("postgresql://{role}:pw@{}/{}", url.server(), url.database());
        let found = finding(&DatabaseUrl::parse(&text, "me").expect("a URL"), "sequences").await;
        assert!(found.status == Status::Unknown && found.remedy.expect("a remedy").starts_with("GRANT SELECT ON ALL"));
    }
}
