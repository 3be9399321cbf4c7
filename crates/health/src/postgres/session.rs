//! A session with a transaction, as the checks of transactions read and name it.

use dbops_postgres::tokio_postgres::Row;

pub(super) struct Session {
    pub(super) pid: i32,
    /// How long it has been so.
    pub(super) seconds: f64,
    /// Its number, role and application.
    pub(super) name: String,
}

impl Session {
    pub(super) fn read(row: &Row) -> Self {
        let (pid, role, application): (i32, &str, &str) = (row.get("pid"), row.get("role"), row.get("application"));
        let application = if application.is_empty() { "" } else { &format!(" ({application})") };
        let name = format!("session {pid} of \"{role}\"{application}");
        Self { pid, seconds: row.get("seconds"), name }
    }
}
