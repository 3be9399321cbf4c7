//! One check on a real database, for the tests of the checks.

use std::time::Duration;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, Throwaway, ThrowawayOptions, connect};

use super::asked::Asked;
use super::server::ServerFacts;
use super::{PostgresTarget, check_postgres, checks};
use crate::{Finding, MigrationState, SchemaSince, Selection, Status};

/// LangGraph's tables, as far as the checks look at them.
pub(super) const LANGGRAPH: &str = "
    CREATE TABLE checkpoint_migrations (v int PRIMARY KEY);
    CREATE TABLE checkpoints (thread_id text, checkpoint_ns text, checkpoint_id text);
    CREATE TABLE checkpoint_blobs (thread_id text, checkpoint_ns text, channel text);
    CREATE TABLE checkpoint_writes (thread_id text, checkpoint_ns text, checkpoint_id text);
    CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);
    CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);
    CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);
";

/// What a check finds; none where it has nothing to look at.
pub(super) async fn found(
    url: &DatabaseUrl,
    extensions: &[String],
    selection: &Selection,
    id: &str,
) -> Option<Finding> {
    let selection = Selection { only: vec![id.into()], ..selection.clone() };
    let target =
        PostgresTarget { name: "app", url, extensions, deadline: Duration::from_secs(30), selection: &selection };
    check_postgres(&target, async { MigrationState::UpToDate.into() }, async { SchemaSince::NotRecorded }).await.pop()
}

/// The same with the check's own limits.
pub(super) async fn finding(url: &DatabaseUrl, id: &str) -> Finding {
    found(url, &[], &Selection::default(), id).await.unwrap_or_else(|| panic!("{id} has nothing to look at"))
}

/// The same, warning from a value on.
pub(super) async fn finding_from(url: &DatabaseUrl, id: &'static str, warning: f64) -> Finding {
    let check = checks().into_iter().find(|check| check.id == id).expect("a check");
    let limits = crate::Limits { warning: Some(warning), critical: None, ..check.limits.expect("limits") };
    let selection = Selection { limits: [(id.to_owned(), limits)].into(), ..Selection::default() };
    found(url, &[], &selection, id).await.unwrap_or_else(|| panic!("{id} has nothing to look at"))
}

/// What is found by a part of a check that takes more than its limits.
pub(super) async fn asked<T>(url: &DatabaseUrl, check: impl AsyncFnOnce(&Asked<'_>) -> T) -> T {
    let selection = Selection::default();
    let target =
        PostgresTarget { name: "app", url, extensions: &[], deadline: Duration::from_secs(30), selection: &selection };
    let client = connect(url).await.expect("a connection");
    let server = ServerFacts::read(&client, url).await.expect("an answer");
    check(&Asked { target: &target, server: &server, client: &client }).await
}

pub(super) fn is_ok(finding: &Finding) {
    assert!(finding.status == Status::Ok && finding.remedy.is_none() && finding.details.is_empty(), "{finding:?}");
}

/// That it is a warning which says both.
pub(super) fn is_warning(finding: &Finding, summary: &str, remedy: &str) {
    let says = finding.summary.contains(summary) && finding.remedy.as_deref().is_some_and(|it| it.contains(remedy));
    assert!(finding.status == Status::Warning && says, "{finding:?}");
}

pub(super) async fn execute(url: &DatabaseUrl, sql: &str) -> Client {
    let client = connect(url).await.expect("a connection");
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    client
}

/// A server with settings of its own.
pub(super) fn server(settings: &[&str]) -> Throwaway {
    let settings = settings.iter().map(ToString::to_string).collect();
    let options = ThrowawayOptions { tcp_password: None, settings };
    Throwaway::start(&dbops_testbed::installation(), &options).expect("a server")
}
