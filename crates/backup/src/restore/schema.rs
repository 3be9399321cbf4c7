//! Whether a restored database has the schema that was dumped: the statements of the archive beside those that pg_dump
//! writes for the database.
//!
//! The same program has to write both, about servers of the same major version: others word the same things otherwise.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use dbops_postgres::{ClientPrograms, DatabaseUrl, Installation, Version, process};
use squawk_lexer::{TokenKind, tokenize};

use super::RestorePlan;
use crate::child::{bare_command, command, passfile};
use crate::script::{beginning, definitions};
use crate::temporary::Folder;
use crate::{Error, PostgresContents, Programs};

/// How long reading a schema may take.
const LIMIT: Duration = Duration::from_secs(600);
/// The words that are part of a type's name after its first.
const MORE_OF_TYPE: [&str; 6] = ["varying", "precision", "without", "with", "time", "zone"];

/// How the schema of a restored database differs from the one that was dumped, a line for each statement; `None` where
/// that cannot be told: for want of the same versions or of programs on this machine, or because the archive's statements
/// cannot be read here.
///
/// # Errors
///
/// When a program fails.
pub(super) async fn differences(
    plan: &RestorePlan,
    expected: &PostgresContents,
    url: &DatabaseUrl,
    programs: &Programs,
) -> Result<Option<Vec<String>>, Error> {
    let server = plan.destination.server;
    let installation = match &plan.place {
        Some(ClientPrograms::Here(installation)) => installation.clone(),
        Some(ClientPrograms::Container(_)) => return Ok(None),
        None => {
            let needed = Version { major: server.major, minor: 0 };
            Installation::find_client(&programs.places, "pg_dump", needed).await?
        }
    };
    let majors = [&expected.pg_dump_version, &expected.facts.server_version].map(|version| major(version));
    if majors != [Some(installation.version.major), Some(server.major)] {
        return Ok(None);
    }
    let folder = Folder::create()?;
    let restored = folder.path("restored.sql");
    write_of_database(&installation, url, programs, &restored).await?;
    let of_archive = folder.path("dumped.sql");
    let dumped = match &plan.place {
        Some(_) => {
            write_of_archive(&installation, plan, programs, &of_archive).await?;
            &of_archive
        }
        None => plan.archive.path(),
    };
    let read = async {
        let dumped = definitions(dumped, &plan.archive.origin).await?;
        Ok((dumped, definitions(&restored, "the restored schema").await?))
    };
    let (dumped, restored) = match read.await {
        Ok(read) => read,
        // pg_restore knows more encodings and statements than are read here.
        Err(Error::Script(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut lines = compare(dumped, restored);
    if expected.is_of_tables() {
        // What stands around the tables was made for them.
        lines.retain(|line| line.verdict != Verdict::New);
    }
    Ok(Some(lines.iter().map(Line::to_string).collect()))
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// The archive's statements, without rows.
async fn write_of_archive(
    installation: &Installation,
    plan: &RestorePlan,
    programs: &Programs,
    file: &Path,
) -> Result<(), Error> {
    let mut command = bare_command(programs, installation, "pg_restore");
    command.args(["--schema-only", "--no-owner", "--file"]).arg(file).arg("--").arg(plan.archive.path());
    let failed = |source| Error::Restore { archive: plan.archive.origin.clone(), database: "a file".into(), source };
    process::run(command, LIMIT).await.map_err(failed)?;
    Ok(())
}

/// The statements that make such a database.
async fn write_of_database(
    installation: &Installation,
    url: &DatabaseUrl,
    programs: &Programs,
    file: &Path,
) -> Result<(), Error> {
    let passfile = passfile(url)?;
    let place = ClientPrograms::Here(installation.clone());
    let mut command = command(programs, &place, "pg_dump", url, passfile.as_ref());
    command.args(["--schema-only", "--no-owner", "--file"]).arg(file);
    let failed = |source| Error::Dump { target: url.database().into(), source };
    process::run(command, LIMIT).await.map_err(failed)?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Missing,
    Different,
    New,
}

/// What is found about the statements with this beginning.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    beginning: String,
    verdict: Verdict,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { beginning, verdict } = self;
        match verdict {
            Verdict::Missing => write!(f, "the schema lacks `{beginning}`"),
            Verdict::Different => write!(f, "the schema has another `{beginning}` than was dumped"),
            Verdict::New => write!(f, "the schema has `{beginning}`, which was not dumped"),
        }
    }
}

/// Statements in any order: pg_dump sorts what does not depend on each other by oids too.
fn compare(dumped: Vec<String>, restored: Vec<String>) -> Vec<Line> {
    let mut counts: BTreeMap<String, (String, i64)> = BTreeMap::new();
    for (statements, sign) in [(dumped, 1), (restored, -1)] {
        for statement in statements {
            let beginning = beginning(&statement);
            counts.entry(without_casts(&statement)).or_insert((beginning, 0)).1 += sign;
        }
    }
    let mut verdicts: BTreeMap<String, Verdict> = BTreeMap::new();
    for (beginning, count) in counts.into_values().filter(|(_, count)| *count != 0) {
        let verdict = if count > 0 { Verdict::Missing } else { Verdict::New };
        let known = verdicts.entry(beginning).or_insert(verdict);
        if *known != verdict {
            *known = Verdict::Different;
        }
    }
    verdicts.into_iter().map(|(beginning, verdict)| Line { beginning, verdict }).collect()
}

/// A statement's words, without casts and parentheses. The server words some expressions anew when it reads them again:
/// `(ARRAY['a'::varchar])::text[]` becomes `ARRAY[('a'::varchar)::text]`, as in every check that a varchar is `IN` a list.
fn without_casts(sql: &str) -> String {
    let mut words = Vec::new();
    let mut position = 0;
    for token in tokenize(sql) {
        let text = &sql[position..position + token.len as usize];
        position += token.len as usize;
        let is_left_out = matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::OpenParen | TokenKind::CloseParen
        );
        if !is_left_out {
            words.push((token.kind, text));
        }
    }
    let mut kept = Vec::new();
    let mut rest = words.as_slice();
    while let Some(((_, text), after)) = rest.split_first() {
        match cast(rest) {
            Some(length) => rest = &rest[length..],
            None => {
                kept.push(*text);
                rest = after;
            }
        }
    }
    kept.join(" ")
}

/// How many words the cast has that these begin with: `::schema.type(n)[]`, the parentheses being gone.
fn cast(words: &[(TokenKind, &str)]) -> Option<usize> {
    let sign = |index: usize| words.get(index).map_or("", |(_, text)| *text);
    if (sign(0), sign(1)) != (":", ":") {
        return None;
    }
    let mut length = 3;
    while sign(length) == "." {
        length += 2;
    }
    let is_part = |index: usize| match words.get(index) {
        Some((TokenKind::Ident, text)) => MORE_OF_TYPE.contains(text),
        Some((TokenKind::OpenBracket, _)) => sign(index + 1) == "]",
        Some((TokenKind::CloseBracket, _)) => sign(index - 1) == "[",
        _ => false,
    };
    while is_part(length) {
        length += 1;
    }
    Some(length.min(words.len()))
}

#[cfg(test)]
mod tests {
    use super::{compare, without_casts};

    #[test]
    fn the_servers_own_rewording_is_no_difference() {
        let same = [
            (
                "CHECK (((role)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
                "CHECK (((role)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))",
            ),
            ("DEFAULT 'a'::public.\"odd mood\" NOT NULL", "DEFAULT ('a'::public.\"odd mood\") NOT NULL"),
            ("WHERE (at > '2020-01-01'::timestamp without time zone)", "WHERE at > '2020-01-01'::date"),
        ];
        for (one, other) in same {
            assert_eq!(without_casts(one), without_casts(other));
        }
        let different = [
            ("CHECK ((a > 1))", "CHECK ((a > 2))"),
            ("DEFAULT 'a'::text", "DEFAULT 'a '::text"),
            ("a text, b text", "b text, a text"),
            ("x[1]", "x[2]"),
            ("n numeric(10,2)", "n numeric(10,3)"),
        ];
        for (one, other) in different {
            assert_ne!(without_casts(one), without_casts(other));
        }
    }

    #[test]
    fn statements_are_paired_by_what_they_make() {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let dumped = owned(&["CREATE TABLE a (x int)", "CREATE TABLE b (x 'one')", "CREATE VIEW v AS SELECT 1"]);
        let restored = owned(&["CREATE VIEW v AS SELECT (1)", "CREATE TABLE b (x 'two')", "CREATE TABLE c ()"]);
        let lines: Vec<_> = compare(dumped, restored).iter().map(ToString::to_string).collect();
        let expected = [
            "the schema lacks `CREATE TABLE a (x int)`",
            "the schema has another `CREATE TABLE b (x …` than was dumped",
            "the schema has `CREATE TABLE c ()`, which was not dumped",
        ];
        assert_eq!(lines, expected);
        assert!(compare(owned(&["CREATE TABLE a ()"]), owned(&["CREATE TABLE a ()"])).is_empty());
    }
}
