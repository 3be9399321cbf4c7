//! A database under a temporary name, for as long as it is not whole.

use std::time::{Duration, Instant};

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, SqlError, connect, quote_identifier};
use jiff::Timestamp;

use crate::{Error, Locale, SetId};

/// How long dropping the database is tried when the work was interrupted.
const DROP_LIMIT: Duration = Duration::from_secs(5);

/// The names that drafts have, as a pattern of PostgreSQL.
pub(crate) const DRAFT_NAMES: &str = "^dbops_restore_[0-9]{8}t[0-9]{6}z_[0-9a-f]{4}$";

/// Drafts that nobody works at: without sessions, and without one elsewhere that holds the draft's lock. Between the
/// steps of a restore, which are sessions of their own, only the lock tells that it is going on.
pub(crate) const LEFT_OVER: &str = include_str!("left_over.sql");

/// A new database that gets its name when it is whole. Dropped before that, it is removed from the server.
#[derive(Debug)]
pub(crate) struct Draft {
    maintenance: DatabaseUrl,
    name: String,
    is_settled: bool,
    /// Holds the draft's lock, which the server lets go when this process ends, however it ends.
    _holder: Option<Client>,
}

impl Draft {
    /// Creates it from template0, which holds nothing that could be in a restore's way.
    pub(crate) async fn create(
        maintenance: &DatabaseUrl,
        locale: Option<&Locale>,
        owner: Option<&str>,
    ) -> Result<Self, Error> {
        let id = SetId::new(Timestamp::now()).to_string().to_lowercase().replace('-', "_");
        let name = format!("dbops_restore_{id}");
        let holder = hold(maintenance, &name).await?;
        // Before the statement: an interruption while it runs is to be cleaned up after too.
        let mut draft = Self { maintenance: maintenance.clone(), name, is_settled: false, _holder: holder };
        let mut options = locale.map(Locale::create_options).unwrap_or_default();
        if let Some(owner) = owner {
            options.push_str(&format!(" OWNER {}", quote_identifier(owner)));
        }
        let statement = format!("CREATE DATABASE {} TEMPLATE template0 {options}", quote_identifier(&draft.name));
        let created = run(maintenance, &statement, "create", &draft.name).await;
        draft.is_settled = created.is_err();
        created.map(|()| draft)
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        self.maintenance.with_database(&self.name)
    }

    /// Gives it its name.
    pub(crate) async fn publish(&mut self, name: &str) -> Result<(), Error> {
        run(&self.maintenance, &rename_sql(&self.name, name), "create", name).await?;
        self.is_published();
        Ok(())
    }

    /// It has its name, and is no draft any more.
    pub(super) fn is_published(&mut self) {
        self.is_settled = true;
    }

    /// Removes it after a failure, which is handed back; with what is left, if something is.
    pub(crate) async fn discard(mut self, cause: Error) -> Error {
        self.is_settled = true;
        match run(&self.maintenance, &drop_sql(&self.name), "drop", &self.name).await {
            Ok(()) => cause,
            Err(error) => Error::LeftBehind {
                database: self.name.clone(),
                server: self.maintenance.server(),
                reason: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
                source: Box::new(cause),
            },
        }
    }
}

pub(super) fn rename_sql(from: &str, to: &str) -> String {
    format!("ALTER DATABASE {} RENAME TO {}", quote_identifier(from), quote_identifier(to))
}

/// With the sessions that are in it: the end of pg_restore may have left some for a moment.
pub(super) fn drop_sql(name: &str) -> String {
    format!("DROP DATABASE {} WITH (FORCE)", quote_identifier(name))
}

/// Takes the lock that says "somebody works at this draft".
async fn hold(maintenance: &DatabaseUrl, name: &str) -> Result<Option<Client>, Error> {
    // CREATE DATABASE refuses a template with sessions in it, and the usual one is template1.
    if maintenance.database() == "template1" {
        return Ok(None);
    }
    let client = connect(maintenance).await?;
    let lock = async {
        // The session has nothing to do until the restore ends. Before PostgreSQL 14 there was no such setting.
        let forever = "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
                       WHERE name = 'idle_session_timeout'";
        client.batch_execute(forever).await?;
        client.query(include_str!("draft_lock.sql"), &[&name]).await.map(drop)
    };
    lock.await.map_err(SqlError::from).map_err(Error::sql("create", name))?;
    Ok(Some(client))
}

async fn run(maintenance: &DatabaseUrl, statement: &str, action: &'static str, database: &str) -> Result<(), Error> {
    let client = connect(maintenance).await?;
    client.batch_execute(statement).await.map_err(Error::sql(action, database))
}

impl Drop for Draft {
    /// The work was interrupted: its future is dropped in the middle, and nothing can be awaited any more.
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let (maintenance, statement, name) = (self.maintenance.clone(), drop_sql(&self.name), self.name.clone());
        let remove = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let deadline = Instant::now() + DROP_LIMIT;
            // Repeated, since the server may still be busy with the CREATE DATABASE that was interrupted.
            while Instant::now() < deadline {
                let attempt = async {
                    let dropped = run(&maintenance, &statement, "drop", &name);
                    tokio::time::timeout(DROP_LIMIT, dropped).await
                };
                if runtime.block_on(attempt).is_ok_and(|dropped| dropped.is_ok()) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        // On a thread of its own, since this one may be in the middle of another runtime.
        drop(std::thread::spawn(remove).join());
    }
}
