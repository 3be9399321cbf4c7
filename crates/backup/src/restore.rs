//! Restoring one archive: a plan that has refused all it can, then pg_restore, then a look at what came out.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dbops_postgres::{ClientPrograms, DatabaseUrl, Installation, SqlError, Version, connect, process};
use tempfile::NamedTempFile;

use crate::child::{Running, bare_command, command, passfile, read_tail};
use crate::database::{revision, version_table};
use crate::draft::Draft;
use crate::facts::count_tables;
use crate::{Archive, Destination, Error, Event, Programs};

/// Sessions that load data and build indexes at the same time.
const JOBS: u32 = 2;
/// How long reading an archive's table of contents may take.
const LIST_LIMIT: Duration = Duration::from_secs(60);

/// An archive, the place for it, and the programs that do it.
#[derive(Debug, Clone)]
pub struct RestorePlan {
    /// What to restore.
    pub archive: Archive,
    /// Where to.
    pub destination: Destination,
    /// Whether what was granted is granted again; the roles must be there then.
    pub with_privileges: bool,
    installation: Installation,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The database.
    pub database: String,
    /// Whether it was created.
    pub is_new: bool,
    /// How many tables it has.
    pub tables: u64,
    /// The revisions that it is at.
    pub revision: Vec<String>,
    /// How long it took.
    pub duration: Duration,
}

/// Finds the pg_restore for an archive and a server; nothing is changed yet.
///
/// # Errors
///
/// When there is none that is new enough for both.
pub async fn plan_restore(
    archive: Archive,
    destination: Destination,
    programs: &Programs,
) -> Result<RestorePlan, Error> {
    let newest = archive.header.pg_dump.major.max(destination.server.major);
    let needed = Version { major: newest, minor: 0 };
    let installation = Installation::find_client(&programs.places, "pg_restore", needed).await?;
    Ok(RestorePlan { archive, destination, with_privileges: true, installation })
}

/// Carries the plan out. A failure or an interruption leaves the server as it was.
///
/// A new database is made under a temporary name, by several sessions, and gets its own name when it is whole. One that
/// is there and empty is filled in a single transaction, which only one session can do, so that it stays empty when
/// that fails. Owners are not restored: everything belongs to the user who restores.
///
/// # Errors
///
/// When pg_restore fails, or the database is not at the revision that the manifest says.
pub async fn restore(
    plan: &RestorePlan,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Restored, Error> {
    let started = Instant::now();
    let destination = &plan.destination;
    on_event(Event::Restoring { database: destination.url.database() });
    let (tables, revision) = if destination.is_new {
        let locale = plan.archive.expected.as_ref().map(|expected| &expected.facts.locale);
        let mut draft = Draft::create(&destination.maintenance, locale).await?;
        match fill_and_publish(plan, &mut draft, programs, on_event).await {
            Ok(found) => found,
            Err(error) => return Err(draft.discard(error).await),
        }
    } else {
        fill(plan, &destination.url, programs, &["--single-transaction".into()], on_event).await?
    };
    let database = destination.url.database().to_owned();
    Ok(Restored { database, is_new: destination.is_new, tables, revision, duration: started.elapsed() })
}

async fn fill_and_publish(
    plan: &RestorePlan,
    draft: &mut Draft,
    programs: &Programs,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(u64, Vec<String>), Error> {
    let found = fill(plan, &draft.url(), programs, &[format!("--jobs={JOBS}")], on_event).await?;
    draft.publish(plan.destination.url.database()).await?;
    Ok(found)
}

/// Restores into an empty database; gives the number of tables and the revision.
async fn fill(
    plan: &RestorePlan,
    url: &DatabaseUrl,
    programs: &Programs,
    options: &[String],
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(u64, Vec<String>), Error> {
    run_pg_restore(plan, url, programs, options).await?;
    let name = plan.destination.url.database();
    on_event(Event::Analyzing { database: name });
    let client = connect(url).await?;
    client.batch_execute("ANALYZE").await.map_err(Error::sql("analyze", name))?;

    let expected = plan.archive.expected.as_ref();
    let table = expected.and_then(|expected| expected.facts.version_table.as_deref()).unwrap_or("alembic_version");
    let look = async {
        let revision = match version_table(&client, table).await? {
            Some(table) => revision(&client, &table).await?,
            None => Vec::new(),
        };
        Ok::<_, SqlError>((count_tables(&client).await?, revision))
    };
    let (tables, found) = look.await.map_err(Error::sql("read", name))?;
    match expected {
        // Of a part, the version table may have been left out.
        Some(expected) if expected.is_whole && expected.facts.revision != found => {
            Err(Error::Revision { database: name.into(), found, expected: expected.facts.revision.clone() })
        }
        _ => Ok((tables, found)),
    }
}

async fn run_pg_restore(
    plan: &RestorePlan,
    url: &DatabaseUrl,
    programs: &Programs,
    options: &[String],
) -> Result<(), Error> {
    let passfile = passfile(url)?;
    let failed = |source| Error::Restore {
        archive: plan.archive.origin.clone(),
        database: plan.destination.url.database().into(),
        source,
    };
    let listed = process::run(list_command(programs, plan), LIST_LIMIT).await.map_err(failed)?;
    let contents =
        contents(&String::from_utf8_lossy(&listed)).map_err(Error::io("write", "a temporary file".as_ref()))?;
    let mut command =
        command(programs, &ClientPrograms::Here(plan.installation.clone()), "pg_restore", url, passfile.as_ref());
    command.args(["--exit-on-error", "--no-owner"]);
    command
        .args((!plan.with_privileges).then_some("--no-privileges"))
        .args(options)
        .arg("--use-list")
        .arg(contents.path());
    command.arg("--").arg(plan.archive.path());
    let mut running = Running::start(command, Stdio::null()).map_err(failed)?;
    let (_, stderr) = running.pipes();
    let said = read_tail(stderr).await;
    running.wait(&said).await.map_err(failed)
}

fn list_command(programs: &Programs, plan: &RestorePlan) -> Command {
    let mut command = bare_command(programs, &plan.installation, "pg_restore");
    command.args(["--list", "--"]).arg(plan.archive.path());
    command
}

/// The archive's table of contents without the comments on extensions. Creating an extension sets its comment anyway,
/// and changing it is for the extension's owner: where a superuser made it, nobody else could restore.
fn contents(listed: &str) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    for line in listed.lines().filter(|line| !is_comment_on_extension(line)) {
        writeln!(file, "{line}")?;
    }
    file.flush()?;
    Ok(file)
}

/// `3456; 0 0 COMMENT - EXTENSION vector`
fn is_comment_on_extension(line: &str) -> bool {
    let entry = line.splitn(4, ' ').nth(3).unwrap_or_default();
    !line.starts_with(';') && entry.starts_with("COMMENT - EXTENSION ")
}

#[cfg(test)]
mod tests {
    use super::is_comment_on_extension;

    #[test]
    fn finds_comments_on_extensions() {
        let cases = [
            ("4005; 0 0 COMMENT - EXTENSION vector ", true),
            ("2; 3079 16389 EXTENSION - vector ", false),
            ("4010; 0 0 COMMENT public TABLE users postgres", false),
            ("4010; 0 0 COMMENT public COLUMN \"COMMENT - EXTENSION x\" postgres", false),
            (";   0 0 COMMENT - EXTENSION vector", false),
            ("", false),
        ];
        for (line, expected) in cases {
            assert_eq!(is_comment_on_extension(line), expected, "{line}");
        }
    }
}
