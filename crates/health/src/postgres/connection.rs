//! Whether the server can be reached, and whether it lets dbops in.

use std::time::Instant;

use dbops_postgres::deadpool_postgres::Pool;
use dbops_postgres::{ConnectError, ConnectErrorKind};

use super::PostgresTarget;
use super::server::ServerFacts;
use crate::{Check, Finding, Status};

const REACHABLE: &str = "reachable";
const AUTHENTICATION: &str = "authentication";

pub(super) const CHECKS: [Check; 2] = [
    Check { id: REACHABLE, looks_at: "whether the server answers", limits: None },
    Check { id: AUTHENTICATION, looks_at: "whether it lets dbops in", limits: None },
];

/// Makes the pool's first connection; tells also what the server is, if there is one.
pub(super) async fn check(target: &PostgresTarget<'_>, pool: &Pool) -> (Vec<Finding>, Option<ServerFacts>) {
    let start = Instant::now();
    let connected = async {
        let client = pool.get().await.map_err(|error| failed(target, &ConnectError::from_pool(target.url, &error)))?;
        let took = milliseconds(start);
        let server = ServerFacts::read(&client, target.url).await.map_err(|error| {
            let summary = format!("{} says nothing of itself: {error}", target.url.server());
            vec![critical(target, REACHABLE, summary).remedy("the server's log may say more")]
        })?;
        Ok((took, server))
    };
    match tokio::time::timeout(target.deadline, connected).await {
        Ok(Ok((took, server))) => {
            let reachable = ok(target, REACHABLE, format!("{} answers", target.url.server())).measured(took, "ms");
            let summary = format!("\"{}\" may use \"{}\"", target.url.user(), target.url.database());
            (vec![reachable, ok(target, AUTHENTICATION, summary)], Some(server))
        }
        Ok(Err(findings)) => (findings, None),
        Err(_) => {
            let (server, seconds) = (target.url.server(), target.deadline.as_secs_f64());
            let finding = critical(target, REACHABLE, format!("{server} gave no answer within {seconds} s"));
            let remedy = "see whether the server is overloaded, and whether something else listens at its address";
            (vec![finding.remedy(remedy)], None)
        }
    }
}

/// What a connection that could not be made tells: a server that refuses a password can be reached.
pub(super) fn failed(target: &PostgresTarget<'_>, error: &ConnectError) -> Vec<Finding> {
    let is_refused = matches!(error.kind, ConnectErrorKind::Password | ConnectErrorKind::NotAllowed);
    if !is_refused {
        return vec![critical(target, REACHABLE, error.to_string()).remedy(error.hint())];
    }
    vec![
        ok(target, REACHABLE, format!("{} answers", error.server)),
        critical(target, AUTHENTICATION, error.to_string()).remedy(error.hint()),
    ]
}

fn ok(target: &PostgresTarget<'_>, id: &'static str, summary: String) -> Finding {
    Finding::new(id, target.name, Status::Ok, summary)
}

fn critical(target: &PostgresTarget<'_>, id: &'static str, summary: String) -> Finding {
    Finding::new(id, target.name, Status::Critical, summary)
}

/// To a tenth.
fn milliseconds(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use dbops_postgres::DatabaseUrl;

    use super::super::check_postgres;
    use crate::{Finding, MigrationState, PostgresTarget, SchemaSince, Selection, Status};

    async fn findings(url: &str, deadline: Duration) -> Vec<Finding> {
        let url = DatabaseUrl::parse(url, "postgres").expect("a URL");
        let selection = Selection { skip: vec!["settings".into()], ..Selection::default() };
        let target = PostgresTarget { name: "app", url: &url, extensions: &[], deadline, selection: &selection };
        check_postgres(&target, async { MigrationState::UpToDate.into() }, async { SchemaSince::NotRecorded }).await
    }

    /// The checks that were run, and how they ended.
    fn show(findings: &[Finding]) -> Vec<(&str, Status)> {
        findings.iter().map(|finding| (finding.id, finding.status)).collect()
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn each_way_not_to_get_in_has_its_finding_and_remedy() {
        let good = dbops_testbed::superuser_url();
        let server = good.server();
        let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        type Shown<'a> = &'a [(&'a str, Status)];
        let down: Shown = &[("reachable", Status::Critical)];
        let refused: Shown = &[("reachable", Status::Ok), ("authentication", Status::Critical)];
        let cases: [(String, Shown, &str); 6] = [
            (format!("postgresql://postgres:x@{closed}/d"), down, "start the server"),
            ("postgresql://postgres@no-such-host.invalid/d".into(), down, "correct host and port"),
            (good.with_database("missing").reveal(), down, "CREATE DATABASE \"missing\""),
            (good.reveal().replace("sslmode=disable", "sslmode=require"), down, "sslmode"),
            (format!("postgresql://postgres:wrong@{server}/postgres"), refused, "check the password"),
            (format!("postgresql://nobody:x@{server}/postgres"), refused, "check the password"),
        ];
        for (url, expected, remedy) in cases {
            let findings = findings(&url, LONG).await;
            assert_eq!(show(&findings), expected, "{findings:?}");
            let last = findings.last().and_then(|finding| finding.remedy.as_deref()).unwrap_or_default();
            assert!(last.contains(remedy), "{findings:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_never_answers_is_given_up_on() {
        // It accepts, by way of the backlog, and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let findings = findings(&format!("postgresql://u:x@{address}/d"), Duration::from_millis(200)).await;
        assert_eq!(show(&findings), [("reachable", Status::Critical)]);
        assert_eq!(findings[0].summary, format!("{address} gave no answer within 0.2 s"));
    }

    #[tokio::test]
    async fn a_good_connection_is_measured() {
        let findings = findings(&dbops_testbed::superuser_url().reveal(), LONG).await;
        let shown = show(&findings);
        assert_eq!(shown[..3], ["reachable", "authentication", "version"].map(|id| (id, Status::Ok)), "{findings:?}");
        assert!(findings.iter().all(|finding| finding.status != Status::Unknown), "{findings:?}");
        assert!(shown.contains(&("migrations", Status::Ok)) && shown.contains(&("sequences", Status::Ok)));
        assert_eq!(findings[0].unit, Some("ms"));
        assert!(findings[0].value.is_some_and(|value| value > 0.0));
    }
}
