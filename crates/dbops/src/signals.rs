//! The signals that end a run in order, and one that is no end.

use rustix::process::Signal;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// Ctrl-C, the polite kill that containers and service managers send, or a terminal that goes away.
///
/// Beside it a file that grows over its limit (`ulimit -f`) is an error of the write, as a full disk is, and no longer
/// the end of the process.
pub(crate) async fn interruption() {
    let _over_limit = listen(Signal::XFSZ);
    let hangup = if ignores_hangup() { None } else { listen(Signal::HUP) };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = first(listen(Signal::TERM)) => {}
        () = first(hangup) => {}
    }
}

fn listen(kind: Signal) -> Option<Listener> {
    signal(SignalKind::from_raw(kind.as_raw())).ok()
}

async fn first(listener: Option<Listener>) {
    match listener {
        Some(mut listener) => drop(listener.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether whoever started the process wants it to go on without a terminal, as `nohup` does. Only Linux says so;
/// elsewhere a hangup is left to the system.
fn ignores_hangup() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    mask.is_none_or(|mask| mask & (1 << (Signal::HUP.as_raw() - 1)) != 0)
}
