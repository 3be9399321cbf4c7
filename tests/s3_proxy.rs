//! A proxy in front of the S3 server that does what networks and services do on bad days.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The service answers with this status, and does nothing.
    Status(u16),
    /// The connection is lost when the client has sent so many bytes.
    CutRequest(usize),
    /// The connection is lost when the service has answered so many bytes: with 0, what it did is not known.
    CutAnswer(usize),
    /// Nothing passes for a while.
    Delay(u64),
}

/// Passes connections on; each of the first ones has a fault.
pub(crate) struct S3Proxy {
    pub(crate) port: u16,
    met: Arc<AtomicUsize>,
    count: usize,
}

impl S3Proxy {
    pub(crate) fn new(upstream: u16, faults: &[Fault]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let met = Arc::new(AtomicUsize::new(0));
        let left = Arc::new(Mutex::new(faults.to_vec()));
        let (shared, count) = (Arc::clone(&met), faults.len());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (met, left) = (Arc::clone(&shared), Arc::clone(&left));
                thread::spawn(move || {
                    // A client may open a connection and not use it.
                    let mut first = vec![0; 64 * 1024];
                    let Ok(read @ 1..) = (&client).read(&mut first) else { return };
                    first.truncate(read);
                    let fault = {
                        let mut left = left.lock().expect("a lock");
                        (!left.is_empty()).then(|| left.remove(0))
                    };
                    met.fetch_add(usize::from(fault.is_some()), Ordering::SeqCst);
                    // A connection that is lost is an error of one side or the other.
                    drop(serve(&client, upstream, &first, fault));
                });
            }
        });
        Self { port, met, count }
    }

    /// Whether every fault has happened.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.met.load(Ordering::SeqCst) == self.count
    }
}

fn serve(mut client: &TcpStream, upstream: u16, first: &[u8], fault: Option<Fault>) -> std::io::Result<()> {
    if let Some(Fault::Status(status)) = fault {
        let answer = format!("HTTP/1.1 {status} Bad Day\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        client.write_all(answer.as_bytes())?;
        return client.shutdown(Shutdown::Write);
    }
    if let Some(Fault::Delay(milliseconds)) = fault {
        thread::sleep(Duration::from_millis(milliseconds));
    }
    let mut server = TcpStream::connect(("127.0.0.1", upstream))?;
    let (up, down) = match fault {
        Some(Fault::CutRequest(bytes)) => (bytes, usize::MAX),
        Some(Fault::CutAnswer(bytes)) => (usize::MAX, bytes),
        _ => (usize::MAX, usize::MAX),
    };
    let (answer_from, answer_to) = (server.try_clone()?, client.try_clone()?);
    let answers = thread::spawn(move || {
        if down == 0 {
            // The service has the whole request, and does what it is asked for, before the answer is lost.
            drop((&answer_from).read(&mut [0; 1024]));
        }
        copy(&answer_from, &answer_to, down);
    });
    server.write_all(&first[..first.len().min(up)])?;
    copy(client, &server, up.saturating_sub(first.len()));
    drop(answers.join());
    Ok(())
}

/// Copies up to so many bytes, then ends the connection on both sides.
fn copy(mut from: &TcpStream, mut to: &TcpStream, limit: usize) {
    let mut buffer = vec![0; 64 * 1024];
    let mut left = limit;
    while left > 0 {
        let Ok(count @ 1..) = from.read(&mut buffer) else { break };
        let count = count.min(left);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        left -= count;
    }
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}
