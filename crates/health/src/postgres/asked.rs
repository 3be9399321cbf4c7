//! How a check is run: in a transaction of its own, with what it may use.

use std::time::{Duration, Instant};

use dbops_postgres::deadpool_postgres::{Object, Pool};
use dbops_postgres::tokio_postgres::{Client, Error, Row};
use dbops_postgres::{BEGIN_READING, ConnectError, SqlError, quote_identifier};
use futures_util::future::BoxFuture;

use super::PostgresTarget;
use super::server::ServerFacts;
use crate::deadline::too_late;
use crate::fold::{Item, fold};
use crate::{Check, Finding, Status};

/// A finding; none where there is nothing that the check could look at.
pub(super) type Checked = Result<Option<Finding>, Trouble>;

/// A check and how it is run.
pub(super) struct Entry {
    pub(super) check: Check,
    pub(super) run: for<'a> fn(&'a Asked<'a>) -> BoxFuture<'a, Checked>,
}

/// Why a check could not be carried out.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server refused a statement, or the connection broke.
    Sql(SqlError),
    /// The role may not see what it would take; the statement that lets it.
    MayNot(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Sql(error.into())
    }
}

/// What a check has.
pub(super) struct Asked<'a> {
    pub(super) target: &'a PostgresTarget<'a>,
    pub(super) server: &'a ServerFacts,
    pub(super) client: &'a Client,
}

impl Asked<'_> {
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<Row>, Trouble> {
        Ok(self.client.query(sql, &[]).await?)
    }

    /// See [`fold`].
    pub(super) fn fold(&self, check: &Check, items: Vec<Item>, words: (&str, &str)) -> Finding {
        fold(check, self.target.name, self.target.selection, items, words)
    }

    pub(super) fn finding(&self, check: &Check, status: Status, summary: impl Into<String>) -> Finding {
        Finding::new(check.id, self.target.name, status, summary)
    }

    /// Without this the server hides what other sessions do.
    pub(super) fn require_statistics(&self) -> Result<(), Trouble> {
        if self.server.reads_statistics { Ok(()) } else { Err(self.may_not("pg_monitor")) }
    }

    /// That the role would have to be a member of another.
    pub(super) fn may_not(&self, role: &str) -> Trouble {
        Trouble::MayNot(format!("GRANT {role} TO {}", quote_identifier(self.target.url.user())))
    }
}

/// Runs a check. Its statements end with its deadline, also those that the server works on.
pub(super) async fn run(
    entry: &Entry,
    target: &PostgresTarget<'_>,
    server: &ServerFacts,
    pool: &Pool,
) -> Option<Finding> {
    let start = Instant::now();
    let finding = carry_out(entry, target, server, pool).await?;
    Some(Finding { seconds: start.elapsed().as_secs_f64(), ..finding })
}

async fn carry_out(entry: &Entry, target: &PostgresTarget<'_>, server: &ServerFacts, pool: &Pool) -> Option<Finding> {
    let (id, name, deadline) = (entry.check.id, target.name, target.deadline);
    let unknown = |reason: String| {
        Finding::new(id, name, Status::Unknown, format!("the check could not be carried out: {reason}"))
    };
    let end = tokio::time::Instant::now() + deadline;
    let client = match tokio::time::timeout_at(end, pool.get()).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Some(unknown(ConnectError::from_pool(target.url, &error).reason)),
        Err(_) => return Some(too_late(id, name, deadline)),
    };
    let asked = Asked { target, server, client: &client };
    let Ok(checked) = tokio::time::timeout_at(end, in_transaction(&asked, deadline, (entry.run)(&asked))).await else {
        // What it asked for still comes in on this connection.
        drop(Object::take(client));
        return Some(too_late(id, name, deadline));
    };
    match checked {
        Ok(finding) => finding,
        Err(Trouble::Sql(error)) if error.sqlstate.as_deref() == Some("57014") => Some(too_late(id, name, deadline)),
        Err(Trouble::Sql(error)) if error.sqlstate.as_deref() == Some("42501") => {
            let user = quote_identifier(target.url.user());
            let remedy = format!("let the role see it: GRANT pg_monitor TO {user}, or SELECT on what is named");
            Some(unknown(error.to_string()).remedy(remedy))
        }
        Err(Trouble::Sql(error)) => Some(unknown(error.to_string()).remedy("the server's log may say more")),
        Err(Trouble::MayNot(grant)) => {
            let summary = format!("\"{}\" may not see what this check looks at", target.url.user());
            Some(Finding::new(id, name, Status::Unknown, summary).remedy(grant))
        }
    }
}

async fn in_transaction(asked: &Asked<'_>, deadline: Duration, check: BoxFuture<'_, Checked>) -> Checked {
    let begin = format!("{BEGIN_READING}; SET LOCAL statement_timeout = {}", deadline.as_millis().max(1));
    // Sent one behind the other, without waiting in between.
    let (begun, checked) = tokio::join!(asked.client.batch_execute(&begin), check);
    asked.client.batch_execute("ROLLBACK").await?;
    begun?;
    checked
}
