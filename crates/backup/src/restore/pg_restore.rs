//! The runs of pg_restore.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dbops_postgres::{ClientPrograms, Container, DatabaseUrl, process};
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;

use super::loaded::{Loaded, follow};
use super::{Owners, RestorePlan, Sessions};
use crate::child::{Running, bare_command, command, command_on_archive, command_on_input, passfile};
use crate::narration::listen;
use crate::temporary::Folder;
use crate::{Archive, Error, Event, Programs};

/// The kind of entry that holds a table's rows.
const ROWS: &str = "TABLE DATA";
/// The kinds of entries that take time, and what pg_restore says when it has come to one.
const SUBJECTS: [(&str, &str); 5] = [
    (ROWS, "processing data for table"),
    ("INDEX", "creating INDEX"),
    ("CONSTRAINT", "creating CONSTRAINT"),
    ("FK CONSTRAINT", "creating FK CONSTRAINT"),
    ("MATERIALIZED VIEW DATA", "creating MATERIALIZED VIEW DATA"),
];

/// How long reading an archive's table of contents may take.
const LIST_LIMIT: Duration = Duration::from_secs(60);

/// An archive's table of contents, with what each entry depends on.
pub(super) async fn list(
    programs: &Programs,
    place: &ClientPrograms,
    archive: &Archive,
    database: &str,
) -> Result<String, Error> {
    let command = match place {
        ClientPrograms::Here(installation) => {
            let mut command = bare_command(programs, installation, "pg_restore");
            command.args(["--list", "--verbose", "--"]).arg(archive.path());
            command
        }
        ClientPrograms::Container(container) => {
            let mut command = command_on_input(programs, container, "pg_restore");
            let file = File::open(archive.path()).map_err(Error::io("read", archive.path()))?;
            command.args(["--list", "--verbose"]).stdin(file);
            command
        }
    };
    let listed = process::run(command, LIST_LIMIT).await;
    let listed = listed.map_err(|source| failure(archive, database, source))?;
    Ok(String::from_utf8_lossy(&listed).into_owned())
}

/// Restores what the plan chose into the database at `url`.
pub(super) async fn run(
    plan: &RestorePlan,
    place: &ClientPrograms,
    url: &DatabaseUrl,
    programs: &Programs,
    sessions: Sessions,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), Error> {
    let passfile = passfile(url)?;
    let failed = |source| failure(&plan.archive, plan.destination.url.database(), source);
    let lines: String = plan.entries.iter().map(|entry| format!("{}\n", entry.line())).collect();
    let archive = plan.archive.path();
    let mut folder = None;
    let mut command = match place {
        ClientPrograms::Here(_) => {
            let folder = folder.insert(Folder::create()?);
            let chosen = folder.path("list");
            fs::write(&chosen, &lines).map_err(Error::io("write", &chosen))?;
            let mut command = command(programs, place, "pg_restore", url, passfile.as_ref());
            command.arg("--use-list").arg(&chosen);
            command
        }
        ClientPrograms::Container(container) => {
            let bytes = fs::metadata(archive).map_err(Error::io("read", archive))?.len();
            let mut command = command_on_archive(programs, container, "pg_restore", url, bytes);
            command.arg("--use-list").arg(Container::LIST);
            command
        }
    };
    choose(&mut command, plan, sessions);
    command.arg("--").arg(if folder.is_some() { archive } else { Container::ARCHIVE.as_ref() });
    let password = place.first_line(url).map_err(Error::io("read", "the password file".as_ref()))?;
    let mut running = Running::start_with(command, Stdio::null(), password).await.map_err(failed)?;
    let (stdin, (_, stderr)) = (running.stdin(), running.pipes());

    // Two listeners on one task: never both at a time.
    let on_event = &RefCell::new(on_event);
    let jobs = if let Sessions::Several(jobs) = sessions { jobs } else { 1 };
    let loaded = &RefCell::new(Loaded::new(plan.archive.expected.as_ref(), jobs));
    let on_subject = move |subject: usize, name: &str| {
        let (kind, _) = SUBJECTS[subject];
        if kind == ROWS {
            loaded.borrow_mut().begin(name);
            (on_event.borrow_mut())(Event::Loading { table: name });
        } else {
            (on_event.borrow_mut())(Event::Building { kind, name });
        }
    };
    let work = async {
        let subjects = SUBJECTS.map(|(_, said)| said);
        let listened = listen(stderr, "pg_restore", &subjects, on_subject);
        // Closed only when the program has ended: that would end it.
        let (handed, said) = tokio::join!(hand_over(stdin, &lines, archive), listened);
        let ended = running.wait(&said).await.map_err(failed);
        match handed {
            Err(error) if ended.is_err() && error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::io("hand over", archive)(error))
            }
            _ => ended,
        }
    };
    let follow = async {
        follow(url, loaded, |rows| (on_event.borrow_mut())(Event::Loaded { rows })).await;
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        done = work => done,
        never = follow => match never {},
    }
}

/// What of the archive is restored, and how.
fn choose(command: &mut Command, plan: &RestorePlan, sessions: Sessions) {
    command.args(["--exit-on-error", "--verbose"]);
    match sessions {
        Sessions::Transaction => drop(command.arg("--single-transaction")),
        Sessions::Several(1) => {}
        Sessions::Several(jobs) => drop(command.arg(format!("--jobs={jobs}"))),
    }
    match &plan.options.owners {
        Owners::Keep => {}
        Owners::Drop => drop(command.arg("--no-owner")),
        Owners::Everything(role) => drop(command.arg("--no-owner").arg(format!("--role={role}"))),
    }
    command.args((!plan.options.with_privileges).then_some("--no-privileges"));
}

/// Gives a program in a container its list and its archive. What could not be handed over ends it, as its standard input
/// does, which is given back otherwise.
async fn hand_over(stdin: Option<ChildStdin>, lines: &str, archive: &Path) -> io::Result<Option<ChildStdin>> {
    let Some(mut stdin) = stdin else { return Ok(None) };
    stdin.write_all(format!("{lines}\n").as_bytes()).await?;
    tokio::io::copy(&mut tokio::fs::File::open(archive).await?, &mut stdin).await?;
    stdin.flush().await?;
    Ok(Some(stdin))
}

/// How much there is to do.
pub(super) fn work(plan: &RestorePlan) -> Event<'_> {
    let count = |kinds: &[&str]| plan.entries.iter().filter(|entry| entry.is(kinds)).count();
    let builds = SUBJECTS.map(|(kind, _)| kind).into_iter().filter(|kind| *kind != ROWS).collect::<Vec<_>>();
    let expected = plan.archive.expected.as_ref().map(|expected| plan.of_chosen_tables(expected));
    let known = expected.and_then(|expected| expected.fingerprints);
    Event::Filling {
        database: plan.destination.url.database(),
        tables: count(&[ROWS]),
        rows: known.map(|known| known.tables.iter().map(|table| table.rows).sum()),
        builds: count(&builds),
    }
}

fn failure(archive: &Archive, database: &str, source: process::ProcessError) -> Error {
    Error::Restore { archive: archive.origin.clone(), database: database.into(), source }
}
