//! `dbops serve`: the status for people, for Prometheus and for what starts and stops services, over HTTP.
//!
//! [`watch`] asks the targets again and again and keeps the newest [`View`](view::View); an answer is made from it, so
//! that any number of readers costs the targets nothing. [`server`] is about connections, [`access`] about who may ask,
//! [`route`] about what is asked for, and `page` about how it looks. Nothing here changes anything.

mod access;
mod metrics;
mod page;
mod route;
mod schema;
mod server;
mod view;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use super::{Context, Outcome};
use crate::failure::{Failure, Result};
use crate::signals::interruption;
use access::Access;
use view::Shared;

/// The variable with the token.
const TOKEN: &str = "DBOPS_SERVE_TOKEN";

/// Serve the status as a page, with /metrics for Prometheus, /healthz and /readyz
///
/// It only reads. Without a token it answers on this machine only; with one, `Authorization: Bearer TOKEN` opens it, and
/// people get a form. The configuration is read anew each time the targets are asked. SIGTERM or Ctrl-C ends it in
/// order, with exit code 0.
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops serve\n  dbops serve --listen 127.0.0.1:9000 --interval 60\n  \
                        dbops serve --listen 0.0.0.0:8432 --token-file /etc/dbops/serve.token")]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8432")]
    listen: SocketAddr,
    /// The file with the token that readers need; else DBOPS_SERVE_TOKEN
    #[arg(long, value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// How often the targets are asked
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    interval: u32,
    /// How long a target, or the repository, may take to answer
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
}

/// Printed under `--json` once it listens.
#[derive(Serialize)]
struct ServeDocument {
    /// `127.0.0.1:8432`, with the port that was taken.
    listening: SocketAddr,
}

pub(crate) async fn run(context: &Context, args: ServeArgs) -> Result<Outcome> {
    let access = Access::new(token(context, args.token_file)?);
    if !args.listen.ip().is_loopback() && !access.needs_token() {
        let message = format!("{} can be reached from other machines, and there is no token", args.listen.ip());
        return Err(Failure::refused(message).with_hint(format!(
            "listen on 127.0.0.1, or write a token (`openssl rand -hex 32`) to a file and pass --token-file, or set {TOKEN}"
        )));
    }
    // What is wrong from the start is told at once. Later the page says it.
    context.config()?;
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Failure::from(error).context(format!("cannot listen on {}", args.listen)))?;
    let listening = listener.local_addr()?;
    context.ui.document(&ServeDocument { listening })?;
    context.ui.status(format!("serving on http://{listening}, until SIGTERM or Ctrl-C"));
    let (interval, timeout) = (Duration::from_secs(args.interval.into()), Duration::from_secs(args.timeout.into()));
    let shared = Rc::new(Shared::new(access, interval, timeout));
    // There is one thread, and answers need not be able to go to another.
    let serving = async {
        tokio::select! {
            () = watch::watch(context, &shared) => {}
            () = server::serve(listener, Rc::clone(&shared), interruption()) => {}
        }
    };
    LocalSet::new().run_until(serving).await;
    Ok(Outcome::Done)
}

/// The token that readers need, if one is set.
fn token(context: &Context, file: Option<PathBuf>) -> Result<Option<String>> {
    let token = match file {
        Some(path) => {
            let path = context.environment.working_directory.join(path);
            let read = std::fs::read_to_string(&path);
            let text = read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
            Some(text.lines().next().unwrap_or_default().trim().to_owned())
        }
        None => context.environment.text(TOKEN).map(String::from),
    };
    match token {
        Some(token) if token.len() < access::SHORTEST_TOKEN => Err(Failure::usage(format!(
            "the token is shorter than {} characters: it could be guessed",
            access::SHORTEST_TOKEN
        ))
        .with_hint("`openssl rand -hex 32` makes one")),
        token => Ok(token),
    }
}
