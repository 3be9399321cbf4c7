//! A proxy in front of the test server that breaks off at a chosen message.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dbops_postgres::{DatabaseUrl, process};

/// What happens at the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// Both sides lose their connections, and the server has not seen it.
    Cut,
    /// Both sides lose their connections, and the server carries it out.
    CutAfter,
    /// The client is killed with -9, and the server has not seen it.
    Kill,
    /// The client is killed with -9, and the server carries it out.
    KillAfter,
}

/// Counts the statements that pass, over all connections.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    upstream: SocketAddr,
    at: usize,
    what: Break,
    passed: AtomicUsize,
    /// Whom to kill, once it is known.
    client: AtomicI32,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Breaks off at the statement of this number, counted from 0.
    pub(crate) fn new(url: &DatabaseUrl, at: usize, what: Break) -> Self {
        let (host, port) = url.servers().remove(0);
        let host = if host.is_empty() || host == "localhost" { "127.0.0.1".into() } else { host };
        let upstream = format!("{host}:{port}").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State {
            upstream,
            at,
            what,
            passed: AtomicUsize::new(0),
            client: AtomicI32::new(0),
            open: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(shared.upstream) else { return };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    shared.open.lock().expect("a lock").push(from.try_clone().expect("a socket"));
                    let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                    let is_client = from.peer_addr().ok() != Some(shared.upstream);
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || {
                        let copied = if is_client { shared.watch(&from, &to) } else { copy(&from, &to) };
                        drop((copied, from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
                    });
                }
            }
        });
        Self { port, state }
    }

    /// Names the process that is to be killed.
    pub(crate) fn watch(&self, pid: u32) {
        self.state.client.store(i32::try_from(pid).expect("a pid"), Ordering::SeqCst);
    }

    /// How many statements have passed.
    pub(crate) fn passed(&self) -> usize {
        self.state.passed.load(Ordering::SeqCst)
    }
}

impl State {
    /// Passes on what the client says, message by message.
    fn watch(&self, mut from: &TcpStream, mut to: &TcpStream) -> std::io::Result<()> {
        const SSL_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();
        let mut is_started = false;
        loop {
            let mut message = Vec::new();
            if is_started {
                message.resize(1, 0);
                from.read_exact(&mut message)?;
            }
            let mut length = [0; 4];
            from.read_exact(&mut length)?;
            message.extend(length);
            let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
            from.read_exact(&mut body)?;
            let is_statement = is_started && matches!(message[0], b'Q' | b'P');
            is_started = is_started || !body.starts_with(&SSL_REQUEST);
            message.extend(body);
            if is_statement && self.passed.fetch_add(1, Ordering::SeqCst) == self.at {
                return self.break_off(to, &message);
            }
            to.write_all(&message)?;
        }
    }

    fn break_off(&self, mut to: &TcpStream, message: &[u8]) -> std::io::Result<()> {
        if matches!(self.what, Break::CutAfter | Break::KillAfter) {
            to.write_all(message)?;
            // The server carries it out, and its answer is not waited for.
            thread::sleep(Duration::from_millis(30));
        }
        if matches!(self.what, Break::Kill | Break::KillAfter) {
            while self.client.load(Ordering::SeqCst) == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            let pid = self.client.load(Ordering::SeqCst).to_string();
            process::command("kill").args(["-9", &pid]).status()?;
        }
        for connection in self.open.lock().expect("a lock").drain(..) {
            drop(connection.shutdown(Shutdown::Both));
        }
        Ok(())
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) -> std::io::Result<()> {
    std::io::copy(&mut from, &mut to).map(drop)
}
