//! A declared schema loaded into an empty database, in whatever order its statements work.
//!
//! A statement that fails for want of an object waits until one that may have brought it has run, and is tried again
//! at once, so that it runs as early as it can. What waits in the end has a mistake in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::anyhow;
use dbops_migrate::{Statement, split};
use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{SqlError, quote_identifier};

use super::SchemaFile;
use crate::failure::{Failure, FailureKind, Result};

/// What PostgreSQL says where something that a statement speaks of may come later: a table, a type, a function, a
/// column, a schema, a key.
const WANTING: [&str; 7] = ["42P01", "42704", "42883", "42703", "3F000", "42830", "42P10"];

/// A statement and where it stands.
struct Part<'a> {
    file: usize,
    statement: Statement,
    sql: &'a str,
    kind: PartKind,
}

#[derive(PartialEq, Eq)]
enum PartKind {
    /// It changes the session for the rest of its file.
    Setting,
    /// It brings objects whose names it does not say.
    Extension,
    Role,
    Other,
}

struct Loading<'a> {
    client: &'a Client,
    invent_roles: bool,
    files: &'a [(&'a SchemaFile, String)],
    parts: Vec<Part<'a>>,
    /// The settings of each file, by number.
    settings: Vec<Vec<usize>>,
    /// Of which file, and how many, the session has.
    session: (usize, usize),
    /// What failed for want of something, by number, with what it wants.
    waiting: BTreeMap<usize, (String, SqlError)>,
    by_want: HashMap<String, BTreeSet<usize>>,
}

/// Runs the files' statements, which are meant for an empty database; each file begins with the settings of a new
/// session. With `invent_roles`, those that the server does not have are created when they are named.
pub(crate) async fn load(files: &[SchemaFile], client: &Client, invent_roles: bool) -> Result<()> {
    let files: Vec<_> = files.iter().map(|file| (file, without_guards(&file.text))).collect();
    let mut loading = Loading::new(&files, client, invent_roles);
    for number in 0..loading.parts.len() {
        loading.run(number).await?;
    }
    loop {
        let left: Vec<_> = loading.waiting.keys().copied().collect();
        if left.is_empty() {
            return Ok(());
        }
        for number in &left {
            if loading.waiting.contains_key(number) {
                loading.run(*number).await?;
            }
        }
        if loading.waiting.len() == left.len() {
            return Err(loading.true_error());
        }
    }
}

impl<'a> Loading<'a> {
    fn new(files: &'a [(&'a SchemaFile, String)], client: &'a Client, invent_roles: bool) -> Self {
        let parts_of = |(file, (_, text)): (usize, &'a (&SchemaFile, String))| {
            let part = move |statement: Statement| {
                let sql = &text[statement.start..statement.end];
                kind(&statement).map(|kind| Part { file, statement, sql, kind })
            };
            split(text).into_iter().filter_map(part)
        };
        let parts: Vec<_> = files.iter().enumerate().flat_map(parts_of).collect();
        let mut settings = vec![Vec::new(); files.len()];
        for (number, part) in parts.iter().enumerate().filter(|(_, part)| part.kind == PartKind::Setting) {
            settings[part.file].push(number);
        }
        let (waiting, by_want) = (BTreeMap::new(), HashMap::new());
        Self { client, invent_roles, files, parts, settings, session: (0, 0), waiting, by_want }
    }

    /// Runs a statement, then whatever waited for what it brought.
    async fn run(&mut self, number: usize) -> Result<()> {
        let mut next = BTreeSet::from([number]);
        while let Some(number) = next.pop_first() {
            let outcome = self.try_one(number).await;
            if let Some((want, _)) = self.waiting.remove(&number)
                && let Some(others) = self.by_want.get_mut(&want)
            {
                others.remove(&number);
            }
            match outcome {
                Ok(()) => next.extend(self.woken(number)),
                Err(error) if self.may_come_later(number, &error) => {
                    let want = wanted(&error.message);
                    self.by_want.entry(want.clone()).or_default().insert(number);
                    self.waiting.insert(number, (want, error));
                }
                Err(error) => return Err(self.refused(number, error)),
            }
        }
        Ok(())
    }

    async fn try_one(&mut self, number: usize) -> std::result::Result<(), SqlError> {
        self.prepare_session(number).await?;
        let Part { sql, ref kind, file, .. } = self.parts[number];
        let outcome = if self.invent_roles {
            execute_inventing_roles(self.client, sql).await
        } else {
            self.client.batch_execute(sql).await.map_err(SqlError::from)
        };
        match outcome {
            Ok(()) if *kind == PartKind::Setting => self.session = (file, self.session.1 + 1),
            // Roles belong to the whole server: another file, or another target's, has it too.
            Err(error)
                if *kind == PartKind::Role && self.invent_roles && error.sqlstate.as_deref() == Some("42710") => {}
            other => return other,
        }
        Ok(())
    }

    /// Gives the session what the file has set before the statement, and nothing else.
    async fn prepare_session(&mut self, number: usize) -> std::result::Result<(), SqlError> {
        let file = self.parts[number].file;
        let before = self.settings[file].partition_point(|setting| *setting < number);
        if self.session == (file, before) {
            return Ok(());
        }
        let settings = self.settings[file][..before].iter().map(|setting| format!("; {}", self.parts[*setting].sql));
        let sql = format!("RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL{}", settings.collect::<String>());
        self.client.batch_execute(&sql).await?;
        self.session = (file, before);
        Ok(())
    }

    fn may_come_later(&self, number: usize, error: &SqlError) -> bool {
        let is_wanting = error.sqlstate.as_deref().is_some_and(|state| WANTING.contains(&state));
        is_wanting && self.parts[number].kind != PartKind::Setting
    }

    /// What waits for something that this statement may have brought.
    fn woken(&self, number: usize) -> Vec<usize> {
        if self.parts[number].kind == PartKind::Extension {
            return self.waiting.keys().copied().collect();
        }
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let names = names(self.parts[number].sql);
        names.iter().filter_map(|name| self.by_want.get(name)).flatten().copied().collect()
    }

    /// The error of the first statement that wants what no other would have brought.
    fn true_error(mut self) -> Failure {
        let brought: Vec<_> = self.waiting.keys().map(|number| (*number, names(self.parts[*number].sql))).collect();
        let is_brought = |number: usize, want: &String| {
            brought.iter().any(|(other, names)| *other != number && names.contains(want))
        };
        let first = self.waiting.iter().find(|(number, (want, _))| !is_brought(**number, want));
        let number = first.or(self.waiting.iter().next()).map_or(0, |(number, _)| *number);
        let error = self.waiting.remove(&number).map(|(_, error)| error);
        error.map_or_else(|| Failure::usage("the declared schema cannot be loaded"), |it| self.refused(number, it))
    }

    fn refused(&self, number: usize, error: SqlError) -> Failure {
        let Part { sql, file, ref statement, .. } = self.parts[number];
        let (SchemaFile { name, .. }, text) = &self.files[file];
        let before = error.position.and_then(|position| sql.char_indices().nth(position)).map_or(0, |(byte, _)| byte);
        let place = format!("{name}:{}: the declared schema cannot be loaded", line(text, statement.start + before));
        let hint = error.server_hint.clone();
        // A mistake in the file is one of configuration; a server that is gone is not.
        let kind = if error.is_connection_lost() { FailureKind::Failed } else { FailureKind::Usage };
        let failure = Failure::new(kind, anyhow!(error)).context(place);
        failure.with_hint(hint.unwrap_or_else(|| "it was loaded into an empty database of a throwaway server".into()))
    }
}

/// The line, counted from 1, that a byte stands on.
pub(super) fn line(text: &str, byte: usize) -> usize {
    text[..byte].matches('\n').count() + 1
}

/// Nothing for a statement that is left out: every statement is a transaction of its own.
fn kind(statement: &Statement) -> Option<PartKind> {
    let words: Vec<_> = statement.words.iter().map(String::as_str).collect();
    match words[..] {
        ["BEGIN" | "COMMIT" | "END", ..] | ["START", "TRANSACTION", ..] => None,
        ["SET" | "RESET", ..] | ["SELECT", "SET_CONFIG", ..] | ["SELECT", "PG_CATALOG", "SET_CONFIG"] => {
            Some(PartKind::Setting)
        }
        ["CREATE", "EXTENSION", ..] => Some(PartKind::Extension),
        ["CREATE", "ROLE" | "USER" | "GROUP", ..] => Some(PartKind::Role),
        _ => Some(PartKind::Other),
    }
}

/// Without the two commands for psql that pg_dump puts around its output; bytes stay where they are.
fn without_guards(text: &str) -> String {
    let mut text = text.to_owned();
    loop {
        let is_guard = |sql: &str| sql.starts_with("\\restrict ") || sql.starts_with("\\unrestrict ");
        let Some(guard) = split(&text).into_iter().find(|it| is_guard(&text[it.start..it.end])) else { return text };
        let end = text[guard.start..].find('\n').map_or(text.len(), |length| guard.start + length);
        text.replace_range(guard.start..end, &" ".repeat(end - guard.start));
    }
}

/// The names in what a statement says before its details: those of what it brings are among them.
fn names(sql: &str) -> BTreeSet<String> {
    let head = sql.split_once('(').map_or(sql, |(head, _)| head);
    let mut names = BTreeSet::new();
    // Between every other two quotes is a name as it is.
    for (index, text) in head.split('"').enumerate() {
        if index % 2 == 1 {
            names.insert(text.to_owned());
            continue;
        }
        for word in text.split(|character: char| character.is_whitespace() || ".,;".contains(character)) {
            if word.eq_ignore_ascii_case("AS") {
                return names;
            }
            names.insert(word.to_lowercase());
        }
    }
    names
}

/// The name of what a statement failed for want of, without its schema.
fn wanted(message: &str) -> String {
    let quoted = message.rsplit('"').nth(1);
    let plain = || {
        let rest = message.split_once("function ").or(message.split_once("column ")).map(|(_, rest)| rest);
        rest.and_then(|rest| rest.split(['(', ' ']).next())
    };
    let name = quoted.or_else(plain).unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default().to_owned()
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
    let created = client.batch_execute(&format!("CREATE ROLE {}", quote_identifier(name))).await;
    // Another session on the same server may have been quicker: duplicate_object, or a duplicate row in the catalog.
    let is_duplicate = |error: SqlError| matches!(error.sqlstate.as_deref(), Some("42710" | "23505"));
    created.map_err(SqlError::from).map_or_else(is_duplicate, |()| true)
}

#[cfg(test)]
mod tests {
    use super::{names, wanted, without_guards};

    #[test]
    fn what_is_wanted_is_what_another_statement_brings() {
        let cases = [
            (r#"relation "users" does not exist"#, "CREATE TABLE users (id int)"),
            (r#"relation "app.users" does not exist"#, "create table if not exists\n  app.users(id int)"),
            (r#"relation "Odd Name" does not exist"#, r#"CREATE VIEW "Odd Name" AS SELECT 1"#),
            (r#"type "mood" does not exist"#, "CREATE TYPE mood AS ENUM ('ok')"),
            (r#"schema "app" does not exist"#, "CREATE SCHEMA app"),
            ("function app.f(integer) does not exist", "CREATE OR REPLACE FUNCTION app.f(x int) RETURNS int"),
            ("function f() does not exist", "CREATE FUNCTION F() RETURNS int"),
            (r#"column "age" of relation "users" does not exist"#, "ALTER TABLE users ADD age int"),
            ("column u.age does not exist", "ALTER TABLE users ADD COLUMN age int"),
            (
                r#"there is no unique constraint matching given keys for referenced table "users""#,
                "ALTER TABLE users ADD UNIQUE (name)",
            ),
        ];
        for (message, sql) in cases {
            assert!(names(sql).contains(&wanted(message)), "{message}: {:?} of {sql}", names(sql));
        }
        assert!(!names("CREATE VIEW v AS SELECT * FROM users").contains("users"));
    }

    #[test]
    fn the_guards_of_a_dump_are_blanked() {
        let text = "-- a dump\n\\restrict abc\n\nSELECT '\n\\restrict x\n';\n\\unrestrict abc\n";
        let blank = "-- a dump\n             \n\nSELECT '\n\\restrict x\n';\n               \n";
        assert_eq!(without_guards(text), blank);
    }
}
