//! The declared schema of a target: its files, and what they make of an empty database.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use dbops_migrate::{Statement, split};
use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{SqlError, quote_identifier};

use crate::failure::{Failure, FailureKind, Result};

/// One file of a declared schema.
pub(crate) struct SchemaFile {
    path: PathBuf,
    text: String,
}

/// Reads a file, or the `.sql` files of a folder by name.
pub(crate) fn read(path: &Path) -> Result<Vec<SchemaFile>> {
    let unreadable = |path: &Path, error| {
        Failure::usage(format!("cannot read the declared schema {}: {error}", path.display()))
            .with_hint("correct `schema` in the configuration: it names a file or a folder of .sql files")
    };
    let mut paths = vec![path.to_path_buf()];
    if path.is_dir() {
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| unreadable(path, error))?;
        paths = entries.into_iter().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
        paths.sort();
    }
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok(SchemaFile { path, text }),
        Err(error) => Err(unreadable(&path, error)),
    };
    paths.into_iter().map(read).collect()
}

/// Runs the files' statements, which are meant for an empty database. With `invent_roles`, those that the server does
/// not have are created when they are named.
pub(crate) async fn load(files: &[SchemaFile], client: &Client, invent_roles: bool) -> Result<()> {
    for SchemaFile { path, text } in files {
        for statement in split(text) {
            let sql = &text[statement.start..statement.end];
            let outcome = if invent_roles {
                execute_inventing_roles(client, sql).await
            } else {
                client.batch_execute(sql).await.map_err(SqlError::from)
            };
            outcome.map_err(|error| refused(path, text, &statement, error))?;
        }
    }
    Ok(())
}

/// Runs a statement; roles that it names and the server does not have are created.
pub(crate) async fn execute_inventing_roles(client: &Client, sql: &str) -> std::result::Result<(), SqlError> {
    loop {
        let Err(error) = client.batch_execute(sql).await.map_err(SqlError::from) else { return Ok(()) };
        if !invent_role(client, &error).await {
            return Err(error);
        }
    }
}

/// Creates the role for want of which a statement failed; false when that was not the reason.
pub(crate) async fn invent_role(client: &Client, error: &SqlError) -> bool {
    let name = error.message.strip_prefix("role \"").and_then(|rest| rest.strip_suffix("\" does not exist"));
    // undefined_object
    let Some(name) = name.filter(|_| error.sqlstate.as_deref() == Some("42704")) else { return false };
    client.batch_execute(&format!("CREATE ROLE {}", quote_identifier(name))).await.is_ok()
}

fn refused(path: &Path, text: &str, statement: &Statement, error: SqlError) -> Failure {
    let sql = &text[statement.start..statement.end];
    let before = error.position.and_then(|position| sql.char_indices().nth(position)).map_or(0, |(byte, _)| byte);
    let line = text[..statement.start + before].lines().count().max(1);
    let place = format!("{}:{line}: the declared schema cannot be loaded", path.display());
    let hint = error.server_hint.clone();
    // A mistake in the file is one of configuration; a server that is gone is not.
    let kind = if error.is_connection_lost() { FailureKind::Failed } else { FailureKind::Usage };
    let failure = Failure::new(kind, anyhow!(error)).context(place);
    failure.with_hint(hint.unwrap_or_else(|| "it was loaded into an empty database of a throwaway server".into()))
}

/// The extensions that the files create, by name.
pub(crate) fn extensions(files: &[SchemaFile]) -> Vec<String> {
    let mut names: Vec<_> = files.iter().flat_map(|file| extensions_in(&file.text)).collect();
    names.sort();
    names.dedup();
    names
}

fn extensions_in(sql: &str) -> Vec<String> {
    let creates =
        |statement: &Statement| matches!(&statement.words[..], [a, b, ..] if a == "CREATE" && b == "EXTENSION");
    let name = |statement: Statement| {
        let mut words = sql[statement.start..statement.end].split_whitespace().skip(2).peekable();
        if words.peek().is_some_and(|word| word.eq_ignore_ascii_case("if")) {
            words.nth(2);
        }
        let name = words.next()?;
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        Some(quoted.map_or_else(|| name.to_lowercase(), ToOwned::to_owned))
    };
    split(sql).into_iter().filter(creates).filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::extensions_in;

    #[test]
    fn extensions_are_found_where_they_are_created() {
        let cases: [(&str, &[&str]); 6] = [
            ("CREATE EXTENSION vector;", &["vector"]),
            ("create extension if not exists Vector with schema public; select 1", &["vector"]),
            ("CREATE EXTENSION\n  \"uuid-ossp\";\nCREATE EXTENSION pg_trgm CASCADE", &["uuid-ossp", "pg_trgm"]),
            ("-- CREATE EXTENSION a;\n/* CREATE EXTENSION b; */ SELECT 'CREATE EXTENSION c;'", &[]),
            ("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ CREATE EXTENSION d; $$", &[]),
            ("CREATE EXTENSION", &[]),
        ];
        for (sql, expected) in cases {
            assert_eq!(extensions_in(sql), expected, "{sql}");
        }
    }
}
