//! Qdrant: what listens, gRPC, the key, the version.

use dbops_qdrant::{Error, Server};

use super::listener::{Listener, identify};
use super::walk::{Broken, Walk};
use crate::commands::qdrant::node_options;
use crate::config::{QdrantAddress, QdrantTarget};
use crate::ui::count;

/// Host and port of HTTP.
pub(super) fn address(walk: &mut Walk<'_>, url: &str) -> Result<(String, u16), Broken> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let found = rest.and_then(|rest| {
        let authority = rest.split('/').next()?;
        let default = if url.starts_with("https") { 443 } else { 6333 };
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                Some((host.trim_matches(['[', ']']).into(), port.parse().ok()?))
            }
            _ => Some((authority.trim_matches(['[', ']']).to_owned(), default)),
        }
    });
    found.ok_or_else(|| {
        walk.broken("address", "the URL is not http(s)://HOST:PORT", "correct `url`: http://localhost:6333")
    })
}

pub(super) async fn look(
    walk: &mut Walk<'_>,
    name: &str,
    target: &QdrantTarget,
    address: &QdrantAddress,
    (host, port): (&str, u16),
) -> Result<(), Broken> {
    if address.url.starts_with("http://") {
        http(walk, host, port).await?;
    }
    let server = match Server::new(&node_options(target, address, walk.deadline)) {
        Ok(server) => server,
        Err(error) => return Err(failed(walk, "address", &error)),
    };
    let version = match server.version().await {
        Ok(version) => version,
        Err(error @ Error::Unauthorized { .. }) => {
            walk.passed("grpc", format!("port {} answers", address.grpc_port));
            return Err(refused(walk, &error));
        }
        Err(error @ Error::Unreachable { .. }) => {
            let remedy = format!(
                "map the port of gRPC, which is another than that of HTTP, or correct `grpc_port`: it is {} here, and \
                 6334 unless the server is told otherwise",
                address.grpc_port
            );
            return Err(walk.broken("grpc", error.to_string(), remedy));
        }
        Err(error) => return Err(failed(walk, "grpc", &error)),
    };
    walk.passed("grpc", format!("port {} answers", address.grpc_port));
    walk.passed("version", format!("Qdrant {version}"));
    let collections = match server.collections().await {
        Ok(collections) => collections,
        Err(error @ Error::Unauthorized { .. }) => return Err(refused(walk, &error)),
        Err(error) => return Err(failed(walk, "key", &error)),
    };
    let key = if target.api_key.is_some() { "the API key is accepted" } else { "no API key is needed" };
    walk.passed("key", key);
    let more = format!("`dbops qdrant plan -t {name}` compares them with what is declared");
    walk.passed("collections", format!("{}; {more}", count(collections.len(), "collection")));
    Ok(())
}

/// The key is missing, or is another than the server's.
fn refused(walk: &mut Walk<'_>, error: &Error) -> Broken {
    let remedy = if matches!(error, Error::Unauthorized { key_sent: true, .. }) {
        "correct `api_key` in the configuration: QDRANT__SERVICE__API_KEY of the server is another"
    } else {
        "set `api_key` in the configuration to QDRANT__SERVICE__API_KEY of the server"
    };
    walk.broken("key", error.to_string(), remedy)
}

fn failed(walk: &mut Walk<'_>, step: &'static str, error: &Error) -> Broken {
    walk.broken(step, error.to_string(), error.hint().unwrap_or_else(|| "the server's log may say more".into()))
}

async fn http(walk: &mut Walk<'_>, host: &str, port: u16) -> Result<(), Broken> {
    let resolved = tokio::net::lookup_host((host, port)).await.ok();
    let mut found = Listener::Silent;
    for address in resolved.into_iter().flatten() {
        found = identify(address).await;
        if found == Listener::Qdrant {
            break;
        }
    }
    let seen = format!("{} listens at {host}:{port}", found.name());
    let remedy = match found {
        Listener::Qdrant | Listener::Http => {
            walk.passed("listener", seen);
            return Ok(());
        }
        Listener::Grpc => "the URL needs the port of HTTP (Qdrant's default is 6333); that of gRPC is `grpc_port`",
        Listener::Postgres => "put Qdrant's HTTP port into the URL; PostgreSQL belongs in a target of `kind: postgres`",
        Listener::Tls => "write https:// in the URL",
        Listener::Silent => "see whether the server hangs, or a proxy before it has no server, and restart it",
        Listener::Unknown => "correct the port in the URL; Qdrant's HTTP port is 6333",
    };
    Err(walk.broken("listener", seen, remedy))
}
