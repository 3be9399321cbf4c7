//! What listens at an address: found out by the first bytes that it answers.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::walk::{Broken, Walk};

/// PostgreSQL's SSLRequest, answered with one byte before anything is asked for.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const HTTP_REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";
/// How long an answer is waited for, each time.
const PATIENCE: Duration = Duration::from_secs(2);

/// What listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listener {
    Postgres,
    /// Qdrant's HTTP port.
    Qdrant,
    /// Some other HTTP server.
    Http,
    /// HTTP/2 without TLS: Qdrant's gRPC port, most often.
    Grpc,
    /// TLS from the first byte: an https port.
    Tls,
    /// It accepts connections and says nothing.
    Silent,
    /// It answers, or closes the connection, as nothing known does.
    Unknown,
}

impl Listener {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Qdrant => "Qdrant's HTTP interface",
            Self::Http => "a web server",
            Self::Grpc => "a gRPC server (Qdrant's port 6334?)",
            Self::Tls => "a server that speaks TLS from the first byte",
            Self::Silent => "something that accepts connections and says nothing",
            Self::Unknown => "something unknown",
        }
    }
}

/// Finds out what listens, with at most two connections that ask for nothing.
pub(super) async fn identify(address: SocketAddr) -> Listener {
    let first = ask(address, &SSL_REQUEST).await;
    if let Some(found) = first.as_deref().and_then(by_answer) {
        return found;
    }
    let second = ask(address, HTTP_REQUEST).await;
    match second.as_deref().and_then(by_answer) {
        Some(found) => found,
        None if first.is_none() && second.is_none() => Listener::Silent,
        None => Listener::Unknown,
    }
}

/// Whether there is someone who says anything. That a connection is accepted does not tell: for a container that is paused
/// the kernel does it, and for a server that is not there the engine's proxy, which then closes it.
pub(super) async fn says_something(address: SocketAddr) -> bool {
    let is_answer = |answer: Option<Vec<u8>>| answer.is_some_and(|answer| !answer.is_empty());
    is_answer(ask(address, &SSL_REQUEST).await) || is_answer(ask(address, HTTP_REQUEST).await)
}

/// What is told by the beginning of an answer, whichever question it is to.
fn by_answer(answer: &[u8]) -> Option<Listener> {
    let is_http = answer.starts_with(b"HTTP/");
    let text = String::from_utf8_lossy(answer).to_lowercase();
    match answer {
        // PostgreSQL has TLS (S), has none (N), or an error to tell (E with its length).
        [b'S' | b'N'] | [b'E', 0, 0, ..] => Some(Listener::Postgres),
        _ if is_http && text.contains("qdrant") => Some(Listener::Qdrant),
        // The first question is none for HTTP: what is served there is told by the second.
        _ if is_http && text.starts_with("http/1.1 400") => None,
        _ if is_http => Some(Listener::Http),
        // A SETTINGS frame.
        [0, _, _, 4, ..] => Some(Listener::Grpc),
        // An alert of TLS.
        [0x15, 3, ..] => Some(Listener::Tls),
        _ => None,
    }
}

/// The beginning of the answer: empty when the connection is closed, nothing when none comes.
async fn ask(address: SocketAddr, question: &[u8]) -> Option<Vec<u8>> {
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(question).await?;
        // PostgreSQL answers one byte and waits for more, a web server closes after all that it has to say.
        while answer.len() < 2048 && stream.read_buf(&mut answer).await? > 0 && answer.len() > 1 {}
        std::io::Result::Ok(())
    };
    let ended = timeout(PATIENCE, exchange).await;
    if answer.is_empty() && ended.is_err() { None } else { Some(answer) }
}

pub(super) async fn expect_postgres(walk: &mut Walk<'_>, addresses: &[SocketAddr]) -> Result<(), Broken> {
    let Some(address) = addresses.first() else { return Ok(()) };
    let found = identify(*address).await;
    let seen = format!("{} listens at {address}", found.name());
    let remedy = match found {
        Listener::Postgres => {
            walk.passed("listener", seen);
            return Ok(());
        }
        Listener::Qdrant | Listener::Grpc => {
            "put the port of PostgreSQL into the URL; Qdrant belongs in a target of `kind: qdrant`".to_owned()
        }
        Listener::Silent => {
            "see whether the server hangs, or a proxy before it has no server (`docker ps`), and restart \
                             it"
            .to_owned()
        }
        _ => format!("correct the port in the URL: `ss -ltnp 'sport = :{}'` shows what has it", address.port()),
    };
    Err(walk.broken("listener", seen, remedy))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

    use super::{Listener, identify, says_something};

    fn address(text: &str) -> SocketAddr {
        let text = text.trim_start_matches("http://");
        text.to_socket_addrs().expect("an address").next().expect("an address")
    }

    #[tokio::test]
    async fn real_servers_are_told_apart() {
        let postgres = address(&dbops_testbed::superuser_url().server());
        assert_eq!(identify(postgres).await, Listener::Postgres);
        let qdrant = dbops_testbed::qdrant();
        let http = address(&qdrant.url);
        assert_eq!(identify(http).await, Listener::Qdrant);
        assert_eq!(identify(SocketAddr::new(http.ip(), qdrant.grpc_port)).await, Listener::Grpc);
        let s3 = dbops_testbed::start_s3();
        assert_eq!(identify(SocketAddr::new([127, 0, 0, 1].into(), s3.port)).await, Listener::Http);
    }

    #[tokio::test]
    async fn what_says_nothing_and_what_says_something_else_are_told_apart() {
        // It accepts, by way of the backlog, and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let quiet = silent.local_addr().expect("an address");
        assert_eq!(identify(quiet).await, Listener::Silent);
        assert!(!says_something(quiet).await);
        let other = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = other.local_addr().expect("an address");
        std::thread::spawn(move || {
            for mut stream in other.incoming().flatten() {
                let _ = stream.read(&mut [0; 8]);
                let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n");
            }
        });
        assert_eq!(identify(at).await, Listener::Unknown);
        assert!(says_something(at).await);
        let closing = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = closing.local_addr().expect("an address");
        std::thread::spawn(move || closing.incoming().for_each(drop));
        assert!(!says_something(at).await);
    }
}
