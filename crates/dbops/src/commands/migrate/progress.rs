//! A run as the terminal shows it: the session that it needs, and its events.

use std::time::Duration;

use dbops_migrate::{
    Author, ChangedObject, Direction, Event, Finished, Rows, RunOptions, SchemaState, Session, SessionOptions, Step,
};
use dbops_postgres::Notice;
use indicatif::ProgressBar;

use super::run::{Prepared, RunFlags, RunStep, RunTarget};
use crate::commands::Context;
use crate::failure::{Failure, Result};
use crate::ui::{FAINT, GOOD, Ui, paint, printable};

/// Waits for the database's lock.
pub(super) async fn open_session(context: &Context, one: &Prepared<'_>, lock_wait: Duration) -> Result<Session> {
    // Who holds the lock is shown to those who wait for it, by this name.
    let application_name = format!("dbops migrate, process {}", std::process::id());
    let author = Author {
        os_user: context.environment.user().to_owned(),
        host: crate::environment::host_name(),
        dbops_version: env!("CARGO_PKG_VERSION").into(),
    };
    let options = SessionOptions { lock_wait, application_name, author };
    let session =
        Session::open(&one.target.url, &options).await.map_err(|error| Failure::from(error).context(one.name))?;
    if let Some(reason) = session.missing_log() {
        context.ui.warn(format!(
            "{}: this run is not logged: {reason}; grant the role USAGE ON SCHEMA dbops and ALL ON ALL TABLES IN it, \
             or CREATE ON the database",
            one.name
        ));
    }
    Ok(session)
}

/// Waits for the database's lock, and reads where it is.
pub(super) async fn open(context: &Context, one: &Prepared<'_>, flags: &RunFlags) -> Result<(Session, Rows)> {
    let session = open_session(context, one, flags.lock_wait()).await?;
    let rows = async { Ok::<_, dbops_migrate::Error>(Rows::new(&one.graph, &session.rows().await?)?) }.await;
    Ok((session, rows.map_err(|error| Failure::from(error).context(one.name))?))
}

pub(super) async fn carry_out(
    context: &Context,
    one: &Prepared<'_>,
    mut session: Session,
    steps: &[Step],
    options: &RunOptions,
) -> Result<RunTarget> {
    let ui = &context.ui;
    let before = if steps.is_empty() {
        ui.status(format!("{}: nothing to do", one.name));
        Vec::new()
    } else {
        changed_before(ui, one, &session).await
    };
    let mut progress = Progress::new(ui, one);
    let outcome = session.run(&one.graph, steps, options, &mut |event| progress.show(event)).await;
    progress.end();
    if !steps.is_empty() || matches!(session.schema_recorded().await, Ok(None)) {
        record_schema(ui, one, &session, &before).await;
    }
    run_target(one, &session, outcome.map_err(|error| Failure::from(error).context(one.name))?).await
}

/// What something else changed since the last run: told, for the next revision may build on it. Where that cannot be
/// found out, it cannot be recorded either, which is told then.
async fn changed_before(ui: &Ui, one: &Prepared<'_>, session: &Session) -> Vec<ChangedObject> {
    let Ok(SchemaState::Recorded { changed, .. }) = session.schema_state().await else { return Vec::new() };
    if let [first, others @ ..] = changed.as_slice() {
        let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        ui.warn(format!(
            "{name}: changed since dbops' last run, and not by it: {}{others}; `dbops schema drift -t {name}` shows what",
            printable(&first.object),
            name = one.name
        ));
    }
    changed
}

/// Records the schema as it is after a run. That it could not is no failure of the run.
pub(super) async fn record_schema(ui: &Ui, one: &Prepared<'_>, session: &Session, before: &[ChangedObject]) {
    if let Err(error) = session.record_schema(before).await {
        let failure = Failure::from(error);
        ui.warn(format!(
            "{}: {:#}; `dbops health` cannot tell whether something else changes it",
            one.name, failure.error
        ));
    }
}

/// What was done, for the document.
pub(super) async fn run_target(one: &Prepared<'_>, session: &Session, finished: Vec<Finished>) -> Result<RunTarget> {
    let steps = finished.into_iter().map(|step| RunStep {
        revision: step.revision,
        direction: step.direction.as_str(),
        duration_ms: u64::try_from(step.duration.as_millis()).unwrap_or(u64::MAX),
    });
    Ok(RunTarget { name: one.name.to_owned(), steps: steps.collect(), current: session.rows().await? })
}

/// Events turned into lines and a bar.
pub(super) struct Progress<'a> {
    ui: &'a Ui,
    one: &'a Prepared<'a>,
    bar: ProgressBar,
    /// What an interruption leaves, to be said when it comes.
    unfinished: Option<String>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(ui: &'a Ui, one: &'a Prepared<'a>) -> Self {
        Self { ui, one, bar: ui.spinner(String::new()), unfinished: None }
    }

    pub(super) fn show(&mut self, event: Event) {
        let name = self.one.name;
        match event {
            Event::Started { revision, .. } => {
                let is_transactional = self.one.graph.get(&revision).is_some_and(|it| it.settings.transaction);
                self.unfinished = (!is_transactional).then(|| {
                    format!(
                        "{name}: revision {revision} runs without a transaction and was broken off; \
                         `dbops migrate resume` goes on with it"
                    )
                });
                self.bar.set_message(format!("{name}: {revision}"));
            }
            Event::Resumed { revision, done, statements, rows } => {
                let batches =
                    if rows > 0 { format!(", the next one has gone over {rows} rows") } else { String::new() };
                self.bar.suspend(|| {
                    self.ui.status(format!("{name}: {revision}: {done} of {statements} statements were done{batches}"));
                });
            }
            Event::Notice(notice) => self.bar.suspend(|| show_notice(self.ui, name, &notice)),
            Event::Retrying { revision, reason, rest } => self.bar.suspend(|| {
                let seconds = rest.as_secs_f32();
                self.ui.warn(format!("{name}: {revision}: {reason}; trying again in {seconds} s"));
            }),
            Event::Batch { revision, rows, total } => self.show_batch(&revision, rows, total),
            Event::DroppedIndex(index) => {
                self.bar.suspend(|| self.ui.status(format!("{name}: dropped the invalid index {index}")));
            }
            Event::Finished(finished) => {
                self.unfinished = None;
                self.bar.suspend(|| self.ui.status(finished_line(self.one, &finished)));
            }
        }
    }

    fn show_batch(&mut self, revision: &str, rows: u64, total: u64) {
        if self.bar.length().is_none() {
            self.bar.finish_and_clear();
            self.bar = self.ui.rows(format!("{}: {revision}", self.one.name), total);
        }
        self.bar.set_length(total);
        self.bar.set_position(rows);
    }

    /// Neither finished nor failed is what an interruption leaves; a failure tells the same by itself.
    pub(super) fn end(mut self) {
        self.unfinished = None;
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        if let Some(text) = &self.unfinished {
            self.ui.warn(text);
        }
    }
}

fn finished_line(one: &Prepared<'_>, finished: &Finished) -> String {
    let revision = one.graph.get(&finished.revision);
    let message = revision.map(|it| it.message.as_str()).unwrap_or_default();
    let is_empty = revision.is_some_and(|it| it.revises.len() < 2 && it.up.statements.is_empty());
    let note = if is_empty { " (it has no statements)" } else { "" };
    let sign = if finished.direction == Direction::Up { '+' } else { '-' };
    let time = paint(FAINT, format!("{} ms", finished.duration.as_millis()));
    format!("{}: {} {} {message}{note} {time}", one.name, paint(GOOD, sign), finished.revision)
}

/// Warnings are for everyone, the rest for those who asked with `-v`.
fn show_notice(ui: &Ui, target: &str, notice: &Notice) {
    if notice.severity == "WARNING" {
        ui.warn(format!("{target}: {}", notice.message));
    } else {
        ui.detail(format!("{target}: {}: {}", notice.severity.to_lowercase(), notice.message));
    }
}
