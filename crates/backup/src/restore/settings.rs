//! What is true of a database and not in its dump: settings, owner, privileges on the database itself.

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, SqlError, connect, quote_identifier, quote_literal};

use crate::facts::settings_of_database;
use crate::{Error, Settings};

const PLACE: &str = include_str!("place.sql");
/// Settings whose value is a list of names; each is written as a literal of its own, as pg_dump does it.
/// <https://www.postgresql.org/docs/current/sql-alterdatabase.html> does not say so: a single literal would be one name.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Makes a database on the server of this session what another one is besides its contents.
///
/// # Errors
///
/// When the server refuses, for example to give it to the owner of the other one.
pub(super) async fn take_place(client: &Client, of: &str, database: &str) -> Result<(), Error> {
    let failed = || Error::sql("take the place of", of);
    for row in client.query(PLACE, &[&of, &database]).await.map_err(failed())? {
        let statement: String = row.try_get("statement").map_err(failed())?;
        client.batch_execute(&statement).await.map_err(failed())?;
    }
    Ok(())
}

/// What is set for a database that is there.
///
/// # Errors
///
/// When it cannot be read.
pub(super) async fn read(url: &DatabaseUrl) -> Result<Vec<Settings>, Error> {
    let client = connect(url).await?;
    settings_of_database(&client).await.map_err(Error::sql("read", url.database()))
}

/// Sets for a database what was set for the one that was dumped. What cannot be is handed back in words: an extension
/// may not be there, or a role, and the database is of use without.
pub(super) async fn apply(client: &Client, settings: &[Settings], database: &str) -> Vec<String> {
    let mut refused = Vec::new();
    for statement in settings.iter().flat_map(|settings| statements(settings, database)) {
        if let Err(error) = client.batch_execute(&statement).await.map_err(SqlError::from) {
            refused.push(format!("{statement}: {error}"));
        }
    }
    refused
}

fn statements(settings: &Settings, database: &str) -> Vec<String> {
    let database = quote_identifier(database);
    let subject = match &settings.role {
        None => format!("ALTER DATABASE {database}"),
        Some(role) => format!("ALTER ROLE {} IN DATABASE {database}", quote_identifier(role)),
    };
    let pairs = settings.settings.iter().filter_map(|setting| setting.split_once('='));
    pairs.map(|(name, value)| format!("{subject} SET {} TO {}", setting_name(name), value_sql(name, value))).collect()
}

/// An extension's setting has a dot, which belongs to no quoted name.
fn setting_name(name: &str) -> String {
    name.split('.').map(quote_identifier).collect::<Vec<_>>().join(".")
}

fn value_sql(name: &str, value: &str) -> String {
    if LISTS.contains(&name.to_ascii_lowercase().as_str()) {
        let elements = elements(value);
        if !elements.is_empty() {
            return elements.iter().map(|element| quote_literal(element)).collect::<Vec<_>>().join(", ");
        }
    }
    quote_literal(value)
}

/// The names in a list as the catalog has it: `"$user", public`.
fn elements(list: &str) -> Vec<String> {
    let (mut elements, mut element, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut chars = list.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                element.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => elements.push(std::mem::take(&mut element)),
            c if c.is_whitespace() && !is_quoted => {}
            c => element.push(c),
        }
    }
    if !element.is_empty() || !elements.is_empty() {
        elements.push(element);
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::statements;
    use crate::Settings;

    #[test]
    fn settings_become_statements() {
        let all = Settings {
            role: None,
            settings: ["work_mem=64MB", "search_path=\"$user\", \"a,\"\"b\", public", "app.it=it's", "search_path="]
                .map(String::from)
                .into(),
        };
        let expected = [
            "ALTER DATABASE \"d\" SET \"work_mem\" TO '64MB'",
            "ALTER DATABASE \"d\" SET \"search_path\" TO '$user', 'a,\"b', 'public'",
            "ALTER DATABASE \"d\" SET \"app\".\"it\" TO 'it''s'",
            "ALTER DATABASE \"d\" SET \"search_path\" TO ''",
        ];
        assert_eq!(statements(&all, "d"), expected);
        let one = Settings { role: Some("a b".into()), settings: vec!["statement_timeout=5s".into()] };
        assert_eq!(statements(&one, "d"), ["ALTER ROLE \"a b\" IN DATABASE \"d\" SET \"statement_timeout\" TO '5s'"]);
    }
}
