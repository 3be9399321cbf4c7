//! The only run on a database: its lock, its two connections, and the rows of its version table.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, Notice, connect_noticing};
use futures_util::future::{join, join3};
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::ledger::{Author, ChangedObject, Ledger, SchemaState, schema};
use crate::lock::{Lock, take_work_lock, work_lock_sql};
use crate::run::Watch;
use crate::{Error, Graph, RowEdit, Rows, file_drift, version_table};

/// A revision may have SET either; the version table is not its business.
pub(crate) const OWN_ROLE: &str = "RESET SESSION AUTHORIZATION; RESET ROLE";

/// How a session is opened.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
    /// The name that the server shows for both connections, at most 63 bytes.
    pub application_name: String,
    /// For the log.
    pub author: Author,
}

/// The only run on a database, until it is dropped.
pub struct Session {
    pub(crate) lock: Lock,
    pub(crate) client: Client,
    pub(crate) notices: UnboundedReceiver<Notice>,
    pub(crate) table: version_table::Place,
    pub(crate) ledger: Ledger,
    /// No revision has run anything that could have left settings, a role or temporary tables in the session.
    is_fresh: AtomicBool,
    /// What is looked at behind each statement, in a rehearsal.
    pub(crate) watch: Option<Mutex<Watch>>,
}

/// The ids in the version table of a database, without taking the lock; `None` when there is no table.
///
/// # Errors
///
/// When the database cannot be reached or the table cannot be read.
pub async fn read_rows(url: &DatabaseUrl) -> Result<Option<Vec<String>>, Error> {
    let (client, table) = version_table::connect_to_read(url).await?;
    version_table::read(&client, &table).await
}

impl Session {
    /// Connects, waits for the lock, and creates the version table and the log if there are none.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached, or another run holds the lock for too long.
    pub async fn open(url: &DatabaseUrl, options: &SessionOptions) -> Result<Self, Error> {
        let url = url.clone().with_application_name(&options.application_name);
        let lock = Lock::acquire(&url, options.lock_wait).await?;
        let (client, notices) = connect_noticing(&url).await?;
        take_work_lock(&client, options.lock_wait).await?;
        let table = version_table::ensure(&client).await?;
        let ledger = Ledger::ensure(&client, &table.name, &options.author).await?;
        Ok(Self { lock, client, notices, table, ledger, is_fresh: AtomicBool::new(false), watch: None })
    }

    /// The ids in the version table.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn rows(&self) -> Result<Vec<String>, Error> {
        self.reset().await?;
        Ok(version_table::read(&self.client, &self.table).await?.unwrap_or_default())
    }

    /// Why no log is kept: the role may not create or use it.
    #[must_use]
    pub fn missing_log(&self) -> Option<&str> {
        self.ledger.missing.as_deref()
    }

    /// Edits the version table and the log and nothing else, in one transaction. A revision that was left unfinished
    /// is forgotten: where the database is, is what the caller says.
    ///
    /// # Errors
    ///
    /// When a row is not as expected; then nothing is changed.
    pub async fn stamp(&self, graph: &Graph, edits: &[RowEdit]) -> Result<(), Error> {
        self.catch_up(graph).await?;
        let mut ids = self.rows().await?;
        for edit in edits {
            match edit {
                RowEdit::Insert(id) => ids.push(id.clone()),
                RowEdit::Delete(id) => ids.retain(|other| other != id),
                RowEdit::Update { from, to } => {
                    ids.retain(|other| other != from);
                    ids.push(to.clone());
                }
            }
        }
        let (rows, _) = Rows::known(graph, &ids);
        let latest = self.ledger.latest(&self.client).await?;
        let log = self.ledger.catch_up_sql(graph, &latest, &rows, ("stamp", "unstamp"), &[]);
        self.record("to be stamped", edits, &[&self.ledger.forget_sql(), &log]).await
    }

    /// Takes the files of these applied revisions as they are now: [`file_drift`] no longer reports them.
    ///
    /// # Errors
    ///
    /// When the log cannot be written.
    pub async fn accept(&self, graph: &Graph, ids: &[String]) -> Result<(), Error> {
        self.catch_up(graph).await?;
        for revision in ids.iter().filter_map(|id| graph.get(id)) {
            let entry = self.ledger.entry_sql(revision, "accept", Some(Duration::ZERO));
            self.execute(&entry, "cannot write the log of migrations").await?;
        }
        Ok(())
    }

    /// When the schema was recorded that the present one can be compared with; nothing where none was.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub async fn schema_recorded(&self) -> Result<Option<Timestamp>, Error> {
        if self.ledger.missing.is_some() {
            return Ok(None);
        }
        let rows = self.rows().await?;
        schema::reading(&self.client, schema::recorded(&self.client, &self.table.name, &rows)).await
    }

    /// How the schema stands to what was recorded of it.
    ///
    /// # Errors
    ///
    /// When the record cannot be read.
    pub async fn schema_state(&self) -> Result<SchemaState, Error> {
        if self.ledger.missing.is_some() {
            return Ok(SchemaState::NotRecorded);
        }
        let rows = self.rows().await?;
        schema::reading(&self.client, schema::state(&self.client, &self.table.name, &rows)).await
    }

    /// Records the schema as it is now, so that what changes it later can be told. What was found `before` the run and
    /// is still as it was found is no part of the record: it stays told.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub async fn record_schema(&self, before: &[ChangedObject]) -> Result<(), Error> {
        if self.ledger.missing.is_some() {
            return Ok(());
        }
        let rows = self.rows().await?;
        schema::record(&self.client, &self.table.name, &rows, before).await
    }

    /// Logs what another tool did to the version table since.
    pub(crate) async fn catch_up(&self, graph: &Graph) -> Result<(), Error> {
        let (rows, _) = Rows::known(graph, &self.rows().await?);
        let latest = self.ledger.latest(&self.client).await?;
        let below = file_drift(graph, &rows, &latest).merged_below;
        let sql = self.ledger.catch_up_sql(graph, &latest, &rows, ("adopt", "drop"), &below);
        if sql.is_empty() { Ok(()) } else { self.execute(&sql, "cannot write the log of migrations").await }
    }

    /// Edits the version table, with other statements, in a transaction.
    pub(crate) async fn record(&self, revision: &str, edits: &[RowEdit], with: &[&str]) -> Result<(), Error> {
        self.begin().await?;
        if let Err(error) = version_table::edit(&self.client, &self.table.name, revision, edits, (&[], with)).await {
            drop(self.client.batch_execute("ROLLBACK").await);
            return Err(error);
        }
        self.execute("COMMIT", "cannot commit").await
    }

    /// Begins a transaction in a session that is as new.
    pub(crate) async fn begin(&self) -> Result<(), Error> {
        let (reset, begun) = join(self.reset(), self.client.batch_execute("BEGIN")).await;
        reset?;
        begun.map_err(|error| Error::sql("cannot begin a transaction", error))
    }

    /// Whether nothing is left in the session by an earlier revision.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_fresh.load(Ordering::Relaxed)
    }

    /// To be called before SQL that may leave something in the session.
    pub(crate) fn is_used(&self) {
        self.is_fresh.store(false, Ordering::Relaxed);
    }

    /// Undoes what an earlier revision left in the session: settings, role, temporary tables, prepared statements. And
    /// has the server look whether this client still lives while a statement runs: a killed run then gives its locks
    /// back.
    pub(crate) async fn reset(&self) -> Result<(), Error> {
        if self.is_fresh() {
            return Ok(());
        }
        // By itself: DISCARD ALL cannot run in a transaction, which several statements at once are. Sent together,
        // they wait for one answer instead of three. A timeout that is left must not stop what undoes it.
        let preparation = format!("RESET ROLE; SET client_connection_check_interval = '2s'; {}", work_lock_sql());
        let (unhurried, discarded, prepared) = join3(
            self.client.batch_execute("SET statement_timeout = 0"),
            self.client.batch_execute("DISCARD ALL"),
            self.client.batch_execute(&preparation),
        )
        .await;
        unhurried.and(discarded).and(prepared).map_err(|error| Error::sql("cannot prepare the session", error))?;
        self.is_fresh.store(true, Ordering::Relaxed);
        Ok(())
    }
}
