//! What can go wrong between dbops and a server, with what to do about it.

use std::fmt;

use deadpool_postgres::PoolError;
use tokio_postgres::error::{ErrorPosition, SqlState};

use crate::url::chain;

/// Why no connection could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectErrorKind {
    /// Nothing answers at the address, or its name is unknown.
    Unreachable,
    /// The server starts, stops, or recovers.
    NotReady,
    /// It has as many connections as it allows.
    Full,
    /// The password is wrong or missing, or the user is unknown (PostgreSQL does not say which).
    Password,
    /// `pg_hba.conf` has no line that lets this user in from here.
    NotAllowed,
    /// The database does not exist.
    NoDatabase,
    /// TLS could not be agreed on or the certificate is not trusted.
    Tls,
    /// Something else, told by the message.
    Other,
}

/// A connection that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to database \"{database}\" at {server} as \"{user}\": {reason}")]
pub struct ConnectError {
    /// What sort of failure it is.
    pub kind: ConnectErrorKind,
    /// `host:port`.
    pub server: String,
    /// The database that was asked for.
    pub database: String,
    /// The account that was used.
    pub user: String,
    /// What the server or the network said.
    pub reason: String,
}

impl ConnectError {
    pub(crate) fn new(url: &crate::DatabaseUrl, error: &tokio_postgres::Error) -> Self {
        let (kind, reason) = classify(error);
        Self::other(url, kind, reason)
    }

    pub(crate) fn other(url: &crate::DatabaseUrl, kind: ConnectErrorKind, reason: String) -> Self {
        Self { kind, server: url.server(), database: url.database().into(), user: url.user().into(), reason }
    }

    /// Why a pool of connections to `url` had none to give.
    #[must_use]
    pub fn from_pool(url: &crate::DatabaseUrl, error: &PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::new(url, error),
            error => Self::other(url, ConnectErrorKind::Other, error.to_string()),
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        let Self { server, database, user, .. } = self;
        match self.kind {
            ConnectErrorKind::Unreachable => {
                format!("start the server, or correct host and port in the URL; nothing answers at {server}")
            }
            ConnectErrorKind::NotReady => "wait until the server has started, then try again".into(),
            ConnectErrorKind::Full => "close idle sessions or raise max_connections".into(),
            ConnectErrorKind::Password => {
                format!("check the password of \"{user}\" in the URL, the environment, or the password file")
            }
            ConnectErrorKind::NotAllowed => {
                format!("add a line for user \"{user}\" and database \"{database}\" to the server's pg_hba.conf")
            }
            ConnectErrorKind::NoDatabase => {
                format!(
                    "create it (CREATE DATABASE {}), or correct the name in the URL",
                    crate::quote_identifier(database)
                )
            }
            ConnectErrorKind::Tls => "check sslmode and sslrootcert in the URL".into(),
            ConnectErrorKind::Other => "the server's log may say more".into(),
        }
    }
}

fn classify(error: &tokio_postgres::Error) -> (ConnectErrorKind, String) {
    if let Some(server) = error.as_db_error() {
        let kind = match *server.code() {
            SqlState::INVALID_PASSWORD => ConnectErrorKind::Password,
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION if server.message().contains("pg_hba.conf") => {
                ConnectErrorKind::NotAllowed
            }
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION => ConnectErrorKind::Password,
            SqlState::INVALID_CATALOG_NAME => ConnectErrorKind::NoDatabase,
            SqlState::CANNOT_CONNECT_NOW => ConnectErrorKind::NotReady,
            SqlState::TOO_MANY_CONNECTIONS => ConnectErrorKind::Full,
            _ => ConnectErrorKind::Other,
        };
        return (kind, format!("{} (SQLSTATE {})", server.message(), server.code().code()));
    }
    let reason = chain(error);
    let kind = if reason.contains("password") {
        ConnectErrorKind::Password
    } else if reason.contains("TLS") || reason.contains("certificate") {
        ConnectErrorKind::Tls
    } else if reason.starts_with("error connecting to server") || error.is_closed() || reason.contains("timed out") {
        ConnectErrorKind::Unreachable
    } else {
        ConnectErrorKind::Other
    };
    (kind, reason)
}

/// A statement that the server refused, or a connection that was lost while it ran.
#[derive(Debug, Clone, thiserror::Error)]
pub struct SqlError {
    /// The server's message.
    pub message: String,
    /// The five characters of the SQLSTATE; `None` when the connection was lost.
    pub sqlstate: Option<String>,
    /// The server's DETAIL.
    pub detail: Option<String>,
    /// The server's HINT.
    pub server_hint: Option<String>,
    /// The character in the statement that the server points at, counted from 0.
    pub position: Option<usize>,
}

impl SqlError {
    /// The connection broke: whether the statement took effect is not known here.
    #[must_use]
    pub fn is_connection_lost(&self) -> bool {
        // 57P01 to 57P03: the server was told to end this session, or crashed.
        self.sqlstate.as_deref().is_none_or(|state| state.starts_with("57P0") || state.starts_with("08"))
    }

    /// What was to be made is there already, or is just being made by someone else.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        // Duplicate database and, when two are at it at once, a duplicate row in the catalog.
        matches!(self.sqlstate.as_deref(), Some("42P04" | "23505"))
    }

    /// A lock could not be had in `lock_timeout`.
    #[must_use]
    pub fn is_lock_timeout(&self) -> bool {
        self.sqlstate.as_deref() == Some("55P03")
    }
}

impl From<tokio_postgres::Error> for SqlError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(server) = error.as_db_error() else {
            return Self { message: chain(&error), sqlstate: None, detail: None, server_hint: None, position: None };
        };
        let position = match server.position() {
            Some(ErrorPosition::Original(position)) => (*position as usize).checked_sub(1),
            _ => None,
        };
        Self {
            message: capped(server.message()),
            sqlstate: Some(server.code().code().into()),
            detail: server.detail().map(capped),
            server_hint: server.hint().map(Into::into),
            position,
        }
    }
}

/// A server's text at a length that people read: a statement can make it as long as it likes.
fn capped(text: &str) -> String {
    const MOST: usize = 2000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(state) = &self.sqlstate {
            write!(f, " (SQLSTATE {state})")?;
        }
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}
