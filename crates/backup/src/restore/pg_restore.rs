//! The runs of pg_restore.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use dbops_postgres::{ClientPrograms, DatabaseUrl, Installation, process};

use super::loaded::{Loaded, follow};
use super::{Owners, RestorePlan, Sessions};
use crate::child::{Running, bare_command, command, passfile};
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
    installation: &Installation,
    archive: &Archive,
    database: &str,
) -> Result<String, Error> {
    let mut command = bare_command(programs, installation, "pg_restore");
    command.args(["--list", "--verbose", "--"]).arg(archive.path());
    let listed = process::run(command, LIST_LIMIT).await;
    let listed = listed.map_err(|source| failure(archive, database, source))?;
    Ok(String::from_utf8_lossy(&listed).into_owned())
}

/// Restores what the plan chose into the database at `url`.
pub(super) async fn run(
    plan: &RestorePlan,
    installation: &Installation,
    url: &DatabaseUrl,
    programs: &Programs,
    sessions: Sessions,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<(), Error> {
    let passfile = passfile(url)?;
    let failed = |source| failure(&plan.archive, plan.destination.url.database(), source);
    let folder = Folder::create()?;
    let chosen = folder.path("list");
    let lines: String = plan.entries.iter().map(|entry| format!("{}\n", entry.line())).collect();
    fs::write(&chosen, lines).map_err(Error::io("write", &chosen))?;
    let place = ClientPrograms::Here(installation.clone());
    let mut command = command(programs, &place, "pg_restore", url, passfile.as_ref());
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
    command.arg("--use-list").arg(&chosen);
    command.arg("--").arg(plan.archive.path());
    let mut running = Running::start(command, Stdio::null()).map_err(failed)?;
    let (_, stderr) = running.pipes();

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
        let said = listen(stderr, "pg_restore", &SUBJECTS.map(|(_, said)| said), on_subject).await;
        running.wait(&said).await.map_err(failed)
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
