//! The one place that opens connections.

use std::future::poll_fn;
use std::io;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::{AsyncMessage, Client, Config};

use crate::{ConnectError, ConnectErrorKind, DatabaseUrl, passfile};

impl DatabaseUrl {
    /// The URL's own password, else the password file's.
    pub(crate) fn resolve_password(&self) -> io::Result<Option<String>> {
        if let Some(password) = self.password() {
            return Ok(Some(String::from_utf8_lossy(password).into_owned()));
        }
        let Some(path) = &self.passfile else { return Ok(None) };
        for (host, port) in self.servers() {
            if let Some(password) = passfile::find(path, &host, port, self.database(), self.user())? {
                return Ok(Some(password));
            }
        }
        Ok(None)
    }

    fn config_with_password(&self) -> Result<Config, ConnectError> {
        let mut config = self.config.clone();
        let password = self.resolve_password().map_err(|error| {
            let path = self.passfile.as_deref().unwrap_or_else(|| "".as_ref()).display();
            ConnectError::other(self, ConnectErrorKind::Password, format!("password file {path}: {error}"))
        })?;
        if let Some(password) = password {
            config.password(password);
        }
        Ok(config)
    }
}

/// Something that the server says beside an answer: a WARNING, a NOTICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`.
    pub severity: String,
    /// What it says.
    pub message: String,
}

/// Begins a transaction that only reads, and finds no functions and operators but PostgreSQL's own: in the schemas of the
/// user's `search_path` others may have made some with the same names, that would be called with the user's rights. A
/// `SET` without a transaction would stay behind on the server's connection, which a pooler gives to others.
pub const BEGIN_READING: &str = "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog";

/// Opens one connection of its own. The task that drives it ends when the client is dropped.
///
/// # Errors
///
/// See [`ConnectErrorKind`].
pub async fn connect(url: &DatabaseUrl) -> Result<Client, ConnectError> {
    Ok(connect_noticing(url).await?.0)
}

/// As [`connect`], with what the server says beside its answers.
///
/// # Errors
///
/// See [`ConnectErrorKind`].
pub async fn connect_noticing(url: &DatabaseUrl) -> Result<(Client, UnboundedReceiver<Notice>), ConnectError> {
    let tls =
        url.tls.connector().map_err(|error| ConnectError::other(url, ConnectErrorKind::Tls, error.to_string()))?;
    let config = url.config_with_password()?;
    let limit = url.connect_limit();
    // The driver limits only the TCP connection: a server that accepts and says nothing would be waited for.
    let connected = tokio::time::timeout(limit, config.connect(tls)).await.map_err(|_| {
        let reason = format!("no answer within {} seconds", limit.as_secs());
        ConnectError::other(url, ConnectErrorKind::Unreachable, reason)
    })?;
    let (client, mut connection) = connected.map_err(|error| ConnectError::new(url, &error))?;
    let (sender, notices) = unbounded_channel();
    tokio::spawn(async move {
        // The client's own calls report a broken connection; the driver's copy of the error adds nothing.
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notice(notice) = message {
                let notice = Notice { severity: notice.severity().into(), message: notice.message().into() };
                // Most callers do not listen.
                drop(sender.send(notice));
            }
        }
    });
    Ok((client, notices))
}

/// A pool of at most `size` connections that are opened when they are asked for.
///
/// Recycling checks only that a connection is open: a `SET` or an advisory lock survives the return to the pool, so
/// what needs either uses [`connect`].
///
/// # Errors
///
/// When the TLS options cannot be used or the password file cannot be read.
pub fn pool(url: &DatabaseUrl, size: usize) -> Result<Pool, ConnectError> {
    let tls =
        url.tls.connector().map_err(|error| ConnectError::other(url, ConnectErrorKind::Tls, error.to_string()))?;
    let config = url.config_with_password()?;
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(size)
        .build()
        .map_err(|error| ConnectError::other(url, ConnectErrorKind::Other, error.to_string()))
}
