//! A restored database takes the place of the live one, which stays under a name with the time; and the way back.
//!
//! Both renames are in one transaction: at no moment is there no database of the live one's name.

use std::time::Duration;

use dbops_postgres::tokio_postgres::{Client, Error as DriverError};
use dbops_postgres::{DatabaseUrl, SqlError, connect};
use jiff::{SignedDuration, Timestamp};

use super::destination::{NAME_LIMIT, maintenance};
use super::draft::rename_sql;
use crate::Error;

/// `_20261126t021500z`
const TIME_FORMAT: &str = "_%Y%m%dt%H%M%Sz";
/// How many bytes of a name are taken by the time.
const TIME_LENGTH: usize = 17;
/// How often sessions that come back are ended.
const DISCONNECT_EVERY: Duration = Duration::from_millis(50);
/// Sessions in a database, but those that the server ends by itself when they are in the way.
const SESSIONS: &str = "SELECT pg_catalog.format('%s (%s%s)', pid, usename, ', ' || nullif(application_name, '')) \
                        FROM pg_catalog.pg_stat_activity \
                        WHERE datname = $1 AND backend_type <> 'autovacuum worker' ORDER BY pid";
const DISCONNECT: &str = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
                          WHERE datname = $1";

/// A swap that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The name of the live database.
    pub database: String,
    /// What it was called until now.
    pub from: String,
    /// What the one is called now that had the name until now.
    pub kept: String,
}

/// The name under which a database stays that gives its name away: one that no other has.
pub(super) async fn free_name(client: &Client, database: &str) -> Result<String, DriverError> {
    Ok(next_name(&names(client).await?, database, Timestamp::now()))
}

/// Later than all of its kind that are there, since the way back leads to the latest: two swaps may come in one second.
fn next_name(names: &[String], database: &str, now: Timestamp) -> String {
    let latest = names.iter().filter_map(|name| kept_at(name, database)).max();
    let after = latest.and_then(|latest| latest.checked_add(SignedDuration::from_secs(1)).ok());
    let mut time = after.map_or(now, |after| after.max(now));
    loop {
        let name = kept_name(database, time);
        if !names.contains(&name) {
            return name;
        }
        time += SignedDuration::from_secs(1);
    }
}

/// The server's databases.
async fn names(client: &Client) -> Result<Vec<String>, DriverError> {
    let query = "SELECT datname::text FROM pg_catalog.pg_database WHERE NOT datistemplate";
    client.query(query, &[]).await?.iter().map(|row| row.try_get(0)).collect()
}

fn kept_name(database: &str, now: Timestamp) -> String {
    let mut end = database.len().min(NAME_LIMIT - TIME_LENGTH);
    while !database.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{}", &database[..end], now.strftime(TIME_FORMAT))
}

/// When a database gave away the name `database`, by the name under which it has stayed; `None` where it did not.
fn kept_at(name: &str, database: &str) -> Option<Timestamp> {
    let (_, time) = name.len().checked_sub(TIME_LENGTH).and_then(|start| name.split_at_checked(start))?;
    let time = jiff::civil::DateTime::strptime(TIME_FORMAT, time).ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    (kept_name(database, time) == name).then_some(time)
}

/// Who is connected to a database, in words.
pub(super) async fn sessions(client: &Client, database: &str) -> Result<Vec<String>, DriverError> {
    client.query(SESSIONS, &[&database]).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Gives the name `live` to the database `new`; the one that has it is called `kept` from then on.
///
/// The first rename locks the database against new sessions and waits five seconds for those that are there
/// (<https://www.postgresql.org/docs/current/sql-alterdatabase.html>: the current database cannot be renamed, and nobody
/// may be connected to another); `disconnect` ends them meanwhile.
pub(super) async fn exchange(
    maintenance: &DatabaseUrl,
    (live, kept, new): (&str, &str, &str),
    disconnect: bool,
) -> Result<(), Error> {
    let client = connect(maintenance).await?;
    let other = connect(maintenance).await?;
    let statements = format!("BEGIN; {}; {}; COMMIT", rename_sql(live, kept), rename_sql(new, live));
    let renamed = client.batch_execute(&statements);
    tokio::pin!(renamed);
    let outcome = loop {
        tokio::select! {
            outcome = &mut renamed => break outcome,
            () = tokio::time::sleep(DISCONNECT_EVERY), if disconnect => {
                other.query(DISCONNECT, &[&live]).await.map_err(Error::sql("disconnect the sessions of", live))?;
            }
        }
    };
    let Err(error) = outcome else { return Ok(()) };
    let sessions = sessions(&other, live).await.unwrap_or_default();
    let source = Box::new(SqlError::from(error));
    Err(Error::NotSwapped { database: live.into(), sessions, source })
}

/// Takes the latest swap of a database back: what it was before gets its name again, and it stays under a name with the
/// time itself, so that this can be taken back too.
///
/// # Errors
///
/// When there is nothing to go back to, and when sessions are in the way.
pub async fn undo_swap(url: &DatabaseUrl, disconnect: bool) -> Result<Undone, Error> {
    let database = url.database();
    let (client, maintenance) = maintenance(url).await?;
    let failed = || Error::sql("read", maintenance.database());
    let names = names(&client).await.map_err(failed())?;
    // The names differ in the time only, which sorts as text.
    let Some(from) = names.into_iter().filter(|name| kept_at(name, database).is_some()).max() else {
        return Err(Error::NothingToUndo { database: database.into(), server: url.server() });
    };
    let kept = free_name(&client, database).await.map_err(failed())?;
    exchange(&maintenance, (database, &kept, &from), disconnect).await?;
    Ok(Undone { database: database.into(), from, kept })
}

#[cfg(test)]
mod tests {
    use super::{kept_at, kept_name, next_name};

    #[test]
    fn kept_databases_are_known_by_their_names() {
        let now = "2026-11-26T02:15:00Z".parse().expect("a time");
        for (database, kept) in [
            ("bot_db", "bot_db_20261126t021500z".to_owned()),
            ("odd \"näme\"", "odd \"näme\"_20261126t021500z".to_owned()),
            (&"x".repeat(63), format!("{}_20261126t021500z", "x".repeat(46))),
            (&"é".repeat(30), format!("{}_20261126t021500z", "é".repeat(23))),
        ] {
            assert_eq!(kept_name(database, now), kept);
            assert_eq!(kept_at(&kept, database), Some(now), "{kept}");
            assert!(kept.len() <= 63);
        }
        for other in ["bot_db", "bot_db_20261126", "bot_db_99999999t021500z", "other_20261126t021500z", "é", ""] {
            assert_eq!(kept_at(other, "bot_db"), None, "{other}");
        }
    }

    #[test]
    fn the_next_name_is_the_latest() {
        let now = "2026-11-26T02:15:00Z".parse().expect("a time");
        let cases = [
            (vec![], "a_20261126t021500z"),
            (vec!["a_20261126t021459z", "b_20271126t021500z"], "a_20261126t021500z"),
            (vec!["a_20261126t021500z"], "a_20261126t021501z"),
            // One that was taken back and swapped in again within a second.
            (vec!["a_20261126t021501z"], "a_20261126t021502z"),
            (vec!["a_20261126t021500z", "a_99991231t235959z"], "a_20261126t021501z"),
        ];
        for (names, expected) in cases {
            let names: Vec<_> = names.into_iter().map(String::from).collect();
            assert_eq!(next_name(&names, "a", now), expected, "{names:?}");
        }
    }
}
