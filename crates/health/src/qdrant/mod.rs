//! The checks of a Qdrant server.

mod asked;
mod collections;
mod connection;
mod http;
mod nodes;
mod optimizer;
mod replicas;
mod row_counts;
mod snapshots;
mod unindexed_fields;

use asked::Asked;
use dbops_qdrant::{Server, ServerOptions};
use futures_util::future::{LocalBoxFuture, join_all};
pub use row_counts::SourceRows;

use crate::deadline::{bounded, too_late};
use crate::{Check, Finding, Selection};

/// A server, and what it should have. `options.timeout` is how long each call may take.
#[derive(Debug, Clone, Copy)]
pub struct QdrantTarget<'a> {
    /// What findings call it.
    pub name: &'a str,
    /// Where it is.
    pub options: &'a ServerOptions,
    /// Further addresses of it, of which the first that answers is asked.
    pub others: &'a [ServerOptions],
    /// All nodes that are known by an address of their own.
    pub nodes: &'a [ServerOptions],
    /// The names of the collections that are declared.
    pub collections: &'a [String],
    /// The tables that collections come from.
    pub sources: &'a [SourceRows<'a>],
    /// Which checks are run, and from where on they warn.
    pub selection: &'a Selection,
}

struct Entry {
    check: Check,
    run: for<'a> fn(&'a Asked<'a>) -> LocalBoxFuture<'a, Finding>,
}

macro_rules! entries {
    ($($place:ident),* $(,)?) => {
        [$(Entry { check: $place::CHECK, run: |asked| Box::pin($place::check(asked)) }),*]
    };
}

/// The checks that ask more of the server than what its collections are.
const ENTRIES: [Entry; 7] = entries![http, nodes, replicas, optimizer, snapshots, unindexed_fields, row_counts];

/// Every check of a server.
pub(crate) fn checks() -> Vec<Check> {
    let asking = ENTRIES.iter().map(|entry| entry.check);
    connection::CHECKS.into_iter().chain([collections::CHECK]).chain(asking).collect()
}

/// Runs every check of a server that `target.selection` wants.
pub async fn check_qdrant(target: &QdrantTarget<'_>) -> Vec<Finding> {
    target.selection.apply(look(target).await)
}

async fn look(target: &QdrantTarget<'_>) -> Vec<Finding> {
    let name = target.name;
    let server = match Server::first_of(target.options, target.others) {
        Ok(server) => server,
        Err(error) => return vec![connection::failed(name, connection::REACHABLE, &error)],
    };
    // The version is told without a key, so that a wrong one can be told from a server that is down.
    let version = match server.version().await {
        Ok(version) => version,
        Err(error) => return vec![connection::failed(name, connection::REACHABLE, &error)],
    };
    let mut findings = vec![connection::reached(name, &version)];
    // Each call has its deadline, and all collections together have it once more.
    let deadline = target.options.timeout;
    let found = match tokio::time::timeout(deadline, server.collections()).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) if connection::is_refusal(&error) => {
            findings.push(connection::failed(name, connection::AUTHENTICATION, &error));
            return findings;
        }
        Ok(Err(error)) => {
            findings.push(collections::unknown(name, &error));
            return findings;
        }
        Err(_) => {
            findings.push(too_late(collections::ID, name, deadline));
            return findings;
        }
    };
    findings.push(connection::let_in(name, target.options.api_key.is_some()));
    findings.push(collections::finding(name, &found, target.collections));
    let asked = Asked { target, server: &server, collections: &found };
    let wanted = ENTRIES.iter().filter(|entry| target.selection.wants(entry.check.id));
    let asking = wanted.map(|entry| bounded(entry.check.id, name, deadline, (entry.run)(&asked)));
    findings.extend(join_all(asking).await);
    findings
}
