//! A small Qdrant server on Qdrant's own engine, **for development and tests, not for production**.
//!
//! It speaks Qdrant's gRPC and REST, so that dbops and the programs it serves can run where neither Docker nor a Qdrant
//! server is at hand, and keeps its data on disk: an acknowledged write survives the end of the process, however it
//! comes. It has no cluster and no TLS, compares every vector instead of searching a graph, and never gives back the
//! space of deleted points. What it does not do it refuses, with `UNIMPLEMENTED` or 501.
//!
//! [`service`] takes gRPC's requests, [`rest`] those in JSON. Both make them the same calls on [`store`] and
//! [`collection`]: filters and what is read in the engine's types, changes and configuration in gRPC's messages, which
//! are also what is kept on disk.
//!
//! It prints one line, `ready http=ADDRESS grpc=ADDRESS`, once it serves. It ends on SIGINT, SIGTERM and, with
//! `--parent-stdin`, when its standard input does.

mod archive;
mod collection;
mod convert;
mod description;
mod error;
mod files;
mod journal;
mod key;
mod query;
mod read;
mod rest;
mod server;
mod service;
mod snapshots;
mod store;
mod update;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::server::Listeners;
use crate::store::Store;

/// What Qdrant calls itself; clients look for it.
const TITLE: &str = "qdrant - vector search engine";

/// The Qdrant release whose engine qdrant-edge 0.7.2 is (`QDRANT_VERSION_STRING` in its sources).
const VERSION: &str = "1.18.2";

/// The variable with a second key, so that keys can be changed while the server is in use.
const ALT_API_KEY: &str = "QDRANT__SERVICE__ALT_API_KEY";

/// Engine calls block: how many run at a time. The others wait.
const ENGINE_THREADS: usize = 8;

/// Filters and prefetches may lie as deep within one another as their form allows: 128 levels of JSON, 100 messages.
/// Without optimization the 2 MiB that threads have otherwise are too little to read those.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// A development server on Qdrant's own engine. Not for production.
#[derive(Debug, Parser)]
#[command(name = "dbops-qdrant-embedded", version, max_term_width = 100)]
struct Args {
    /// The data directory, made if it does not exist
    #[arg(long, value_name = "DIR")]
    data: PathBuf,

    /// The address or name to listen on
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// The port for HTTP; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 6333)]
    http_port: u16,

    /// The port for gRPC; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 6334)]
    grpc_port: u16,

    /// The environment variable with the API key that requests must carry; none if it is unset or empty
    #[arg(long, value_name = "NAME", default_value = "QDRANT__SERVICE__API_KEY")]
    api_key_env: String,

    /// End when standard input ends, so that the server does not outlive the program that started it
    #[arg(long)]
    parent_stdin: bool,
}

fn main() -> ExitCode {
    match serve(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that anyhow adds for who debugs another program. If even this fails, the code tells.
            writeln!(std::io::stderr(), "error: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn serve(args: Args) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(ENGINE_THREADS)
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(run(args))
}

async fn run(args: Args) -> Result<()> {
    // Before the data: a second server on the same ports should say so at once, and touch nothing.
    let listeners = Listeners::bind(&args.host, args.http_port, args.grpc_port).await?;
    let stop = stop_requested(args.parent_stdin)?;
    let keys = [args.api_key_env.as_str(), ALT_API_KEY].into_iter().filter_map(|name| std::env::var(name).ok());
    let api_keys = keys.filter(|key| !key.is_empty()).collect();

    let data = args.data;
    let store = Arc::new(tokio::task::spawn_blocking(move || Store::open(&data)).await??);

    let (http, grpc) = listeners.addresses()?;
    announce(&format!("ready http={http} grpc={grpc}\n")).context("cannot write to standard output")?;
    listeners.serve(Arc::clone(&store), api_keys, stop).await?;
    let closing = Arc::clone(&store);
    let closed = tokio::task::spawn_blocking(move || closing.close())
        .await
        .map_err(anyhow::Error::from)
        .and_then(|closed| Ok(closed?));
    if closed.is_err() {
        // The engine writes once more when it is dropped, and would panic over the same failure.
        std::mem::forget(store);
    }
    closed.context("cannot write the data out; the next start makes the latest changes again")
}

fn announce(line: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.flush()
}

/// Completes at the first reason to end.
fn stop_requested(parent_stdin: bool) -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let (parent, parent_gone) = oneshot::channel::<()>();
    if parent_stdin {
        // A thread of its own: the runtime would wait for one of its own that reads.
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            let mut ignored = [0; 1024];
            while stdin.read(&mut ignored).is_ok_and(|read| read > 0) {}
            // Nobody listens if the server ends for another reason.
            parent.send(()).ok();
        });
    }
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            // Without `--parent-stdin` the sender is gone at once, which is no reason to end.
            Ok(()) = parent_gone => {}
        }
    })
}
