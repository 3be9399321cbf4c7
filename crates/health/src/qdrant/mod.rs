//! The checks of a Qdrant server.

mod collections;
mod connection;
mod nodes;

use dbops_qdrant::{Server, ServerOptions};

use crate::Finding;
use crate::deadline::too_late;

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
}

/// Runs every check of a server.
pub async fn check_qdrant(target: &QdrantTarget<'_>) -> Vec<Finding> {
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
    if target.nodes.len() > 1 {
        findings.push(nodes::check(name, target.nodes).await);
    }
    // Each call has its deadline, and all collections together have it once more.
    let deadline = target.options.timeout;
    match tokio::time::timeout(deadline, server.collections()).await {
        Ok(Ok(found)) => {
            findings.push(connection::let_in(name, target.options.api_key.is_some()));
            findings.push(collections::finding(name, &found, target.collections));
        }
        Ok(Err(error)) if connection::is_refusal(&error) => {
            findings.push(connection::failed(name, connection::AUTHENTICATION, &error));
        }
        Ok(Err(error)) => findings.push(collections::unknown(name, &error)),
        Err(_) => findings.push(too_late(collections::ID, name, deadline)),
    }
    findings
}
