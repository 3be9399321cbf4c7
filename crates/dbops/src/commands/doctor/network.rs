//! Name resolution and TCP.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use super::walk::{Broken, Walk};

/// Connects to the servers. One of several is enough, as it is for libpq. Gives the addresses that answer; a socket has
/// none.
pub(super) async fn reach(walk: &mut Walk<'_>, servers: &[(String, u16)]) -> Result<Vec<SocketAddr>, Broken> {
    let (mut open, mut seen, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
    let mut resolved = Vec::new();
    for (host, port) in servers {
        if Path::new(host).is_absolute() {
            return socket(walk, host, *port).await;
        }
        match timeout(walk.deadline, lookup_host((host.as_str(), *port))).await {
            Ok(Ok(addresses)) => {
                let addresses: Vec<_> = addresses.collect();
                let shown = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
                seen.push(format!("{host} is {shown}"));
                resolved.push((host, port, addresses));
            }
            Ok(Err(error)) => troubles.push(format!("{host}: {error}")),
            Err(_) => troubles.push(format!("{host}: no answer within {} s", walk.deadline.as_secs())),
        }
    }
    if resolved.is_empty() {
        let remedy = "correct the host in the URL; the names of Compose's services (db, vector_db) are known only \
                      between containers, elsewhere it is localhost";
        return Err(walk.broken("name", format!("the name is not known: {}", troubles.join("; ")), remedy));
    }
    walk.passed("name", seen.into_iter().chain(troubles).collect::<Vec<_>>().join("; "));

    let (mut seen, mut remedy) = (Vec::new(), None);
    for (host, port, addresses) in resolved {
        let mut last = None;
        for address in addresses {
            match timeout(walk.deadline, TcpStream::connect(address)).await {
                Ok(Ok(_)) => {
                    last = None;
                    open.push(address);
                    break;
                }
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(ErrorKind::TimedOut.into()),
            }
        }
        let (told, way) = match &last {
            None => ("a connection is accepted".to_owned(), None),
            Some(error) => verdict(error, host, *port),
        };
        seen.push(format!("{host}:{port}: {told}"));
        remedy = remedy.or(way);
    }
    if open.is_empty() {
        return Err(walk.broken("tcp", seen.join("; "), remedy.unwrap_or_default()));
    }
    walk.passed("tcp", seen.join("; "));
    Ok(open)
}

async fn socket(walk: &mut Walk<'_>, folder: &str, port: u16) -> Result<Vec<SocketAddr>, Broken> {
    let path = Path::new(folder).join(format!(".s.PGSQL.{port}"));
    match UnixStream::connect(&path).await {
        Ok(_) => {
            walk.passed("socket", format!("{} accepts a connection", path.display()));
            Ok(Vec::new())
        }
        Err(error) => {
            let seen = format!("{}: {error}", path.display());
            let remedy = "start the server, or correct host (the socket's folder) and port in the URL";
            Err(walk.broken("socket", seen, remedy))
        }
    }
}

/// What a failed connection means, and what to do about it.
fn verdict(error: &io::Error, host: &str, port: u16) -> (String, Option<String>) {
    let (seen, remedy) = match error.kind() {
        ErrorKind::ConnectionRefused => (
            "refused: the machine is there, and nothing listens at that port".to_owned(),
            format!("start the server (`docker compose up -d`, `docker ps`), or correct the port {port} in the URL"),
        ),
        ErrorKind::TimedOut => (
            "no answer: the machine is off, or a firewall drops the packets".to_owned(),
            format!("see whether {host} is up (`ping {host}`) and whether a firewall lets port {port} through"),
        ),
        ErrorKind::ConnectionReset => (
            "the connection was reset: something between here and the server ended it".to_owned(),
            "look at the proxy or port forwarding on the way, and at the server's log".to_owned(),
        ),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            ("there is no route to it".to_owned(), format!("see whether this machine's network or VPN leads to {host}"))
        }
        _ => (error.to_string(), format!("correct the host and port of {host}:{port} in the URL")),
    };
    (seen, Some(remedy))
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};

    use super::verdict;

    #[test]
    fn each_way_not_to_connect_has_its_own_advice() {
        let kinds = [
            (ErrorKind::ConnectionRefused, "refused", "start the server"),
            (ErrorKind::TimedOut, "no answer", "`ping db`"),
            (ErrorKind::ConnectionReset, "reset", "proxy"),
            (ErrorKind::HostUnreachable, "no route", "VPN"),
            (ErrorKind::AddrNotAvailable, "address not available", "db:5432"),
        ];
        for (kind, seen, remedy) in kinds {
            let (told, way) = verdict(&io::Error::from(kind), "db", 5432);
            assert!(told.contains(seen) && way.unwrap_or_default().contains(remedy), "{kind}: {told}");
        }
    }
}
