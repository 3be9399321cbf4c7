//! A proxy in front of a server that cuts all connections after so many bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// How long the server stays away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Away {
    /// The next connection is let through.
    Once,
    /// No connection is let through any more.
    ForGood,
}

/// The ports of the proxy, in the order of those of the server.
pub(crate) struct Cut {
    pub(crate) ports: Vec<u16>,
    state: Arc<State>,
}

struct State {
    after: usize,
    away: Away,
    passed: AtomicUsize,
    is_cut: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Cut {
    /// Cuts after so many bytes in either direction, over all connections and ports.
    pub(crate) fn new(servers: &[SocketAddr], after: usize, away: Away) -> Self {
        let (passed, is_cut, open) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
        let state = Arc::new(State { after, away, passed, is_cut, open });
        let ports = servers.iter().map(|server| listen(*server, Arc::clone(&state))).collect();
        Self { ports, state }
    }

    /// How many bytes have passed.
    pub(crate) fn passed(&self) -> usize {
        self.state.passed.load(Ordering::SeqCst)
    }
}

fn listen(server: SocketAddr, state: Arc<State>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if state.away == Away::ForGood && state.is_cut.load(Ordering::SeqCst) {
                continue;
            }
            let Ok(server) = TcpStream::connect(server) else { return };
            for (from, to) in [(&client, &server), (&server, &client)] {
                let clone = |stream: &TcpStream| stream.try_clone().expect("a socket");
                state.open.lock().expect("a lock").push(clone(from));
                let (from, to, state) = (clone(from), clone(to), Arc::clone(&state));
                thread::spawn(move || {
                    state.pass(&from, &to);
                    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
                });
            }
        }
    });
    port
}

impl State {
    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let before = self.passed.fetch_add(count, Ordering::SeqCst);
            let is_here = before.saturating_add(count) > self.after && !self.is_cut.swap(true, Ordering::SeqCst);
            let part = if is_here { self.after.saturating_sub(before).min(count) } else { count };
            if to.write_all(&buffer[..part]).is_err() {
                return;
            }
            if is_here {
                for connection in self.open.lock().expect("a lock").drain(..) {
                    drop(connection.shutdown(Shutdown::Both));
                }
                return;
            }
        }
    }
}
