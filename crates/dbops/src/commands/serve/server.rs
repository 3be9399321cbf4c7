//! Connections: how many, for how long, and how they end.

use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use super::route::answer;
use super::view::Shared;

/// More wait, unaccepted, until one ends.
const MOST_CONNECTIONS: usize = 64;
/// How long the head of a request may take to come in; also how long an idle connection is kept.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// A connection ends after this time, whatever it is at: one that reads slowly keeps no place for ever.
const CONNECTION_TIME: Duration = Duration::from_secs(120);
/// How long what is being answered may take when all is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// The most bytes of a request's head.
const HEAD_BYTES: usize = 16 * 1024;

/// Answers until `end`, and then what was being asked.
pub(super) async fn serve(listener: TcpListener, shared: Rc<Shared>, end: impl Future<Output = ()>) {
    let mut end = pin!(end);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (ending, is_ending) = watch::channel(false);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut end => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (shared, is_ending) = (Rc::clone(&shared), is_ending.clone());
                spawn_local(async move {
                    // It takes too long, and is dropped.
                    let _ = timeout(CONNECTION_TIME, connection(stream, shared, is_ending)).await;
                    drop(place);
                });
            }
            // No file descriptors are left, say: others end meanwhile.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    // The receivers are the connections.
    drop(is_ending);
    let _ = ending.send(true);
    let _ = timeout(LAST_ANSWERS, ending.closed()).await;
}

async fn connection(stream: TcpStream, shared: Rc<Shared>, mut is_ending: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        let shared = Rc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    // What is wrong with a connection concerns its other end, which is gone or was told.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = is_ending.wait_for(|is_ending| *is_ending) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
