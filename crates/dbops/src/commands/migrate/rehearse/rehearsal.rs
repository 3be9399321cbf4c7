//! The pending revisions on a copy of the database: up, down, and up again.

use std::collections::HashMap;
use std::time::Duration;

use dbops_migrate::{Direction, Error, Event, Graph, Rows, RunOptions, Session, Step, Watched, plan as steps};
use dbops_postgres::{DatabaseUrl, connect};
use dbops_schema_graph::{Graph as Schema, plan};

use crate::commands::replay::{schema_of, session_options};
use crate::declared::invent_role;
use crate::failure::Result;

/// What came out.
#[derive(Default)]
pub(super) struct Rehearsal {
    /// The rows of the version table at first.
    pub(super) rows: Vec<String>,
    pub(super) revisions: Vec<Rehearsed>,
    /// What is wrong: production would see it too.
    pub(super) findings: Vec<String>,
    /// The revision that ends the way down, because it has none.
    pub(super) no_way_down: Option<String>,
    /// Roles that a revision names and that were invented for it.
    pub(super) invented_roles: Vec<String>,
}

/// One pending revision.
pub(super) struct Rehearsed {
    pub(super) revision: String,
    /// How long it took; nothing when it failed or was not reached.
    pub(super) up: Option<Duration>,
    pub(super) statements: Vec<Watched>,
    pub(super) down: Option<Duration>,
    /// How long it took the second time.
    pub(super) again: Option<Duration>,
}

/// The copy, and what is to happen to it.
pub(super) struct Stage<'a> {
    pub(super) url: &'a DatabaseUrl,
    pub(super) graph: &'a Graph,
    pub(super) options: &'a RunOptions,
    pub(super) declared: Option<&'a Schema>,
    /// Whether a role that is not there may be there in production: it could not be asked.
    pub(super) may_invent_roles: bool,
}

type Times = HashMap<String, Duration>;

impl Stage<'_> {
    /// Runs the pending revisions up, down, and up again, and compares the schema each time.
    pub(super) async fn rehearse(&self, on_event: &mut dyn FnMut(Event)) -> Result<Rehearsal> {
        let mut rehearsal = Rehearsal::default();
        let before = schema_of(self.url).await?;
        let mut session = Session::open(self.url, &session_options()).await?;
        rehearsal.rows = session.rows().await?;
        let planned = self.pending(&session).await?;

        session.watch().await?;
        let (up, failed) = self.upgrade(&mut session, &mut rehearsal.invented_roles, on_event).await?;
        let watched = session.watched();
        rehearsal.revisions = planned.iter().map(|step| rehearsed(step, &up, &watched)).collect();
        if let Some(failed) = failed {
            rehearsal.findings.push(failed);
            return Ok(rehearsal);
        }
        if planned.is_empty() {
            self.compare_declared(&before, &mut rehearsal.findings);
            return Ok(rehearsal);
        }
        let after = schema_of(self.url).await?;

        let (down, failed) = self.downgrade(&mut session, &planned, &mut rehearsal.no_way_down, on_event).await?;
        rehearsal.revisions.iter_mut().for_each(|one| one.down = down.get(&one.revision).copied());
        if let Some(failed) = failed {
            rehearsal.findings.push(failed);
            return Ok(rehearsal);
        }
        if rehearsal.no_way_down.is_none() {
            compare(&schema_of(self.url).await?, &before, "the way down does not lead back", &mut rehearsal.findings);
        }
        let (again, failed) = self.upgrade(&mut session, &mut rehearsal.invented_roles, on_event).await?;
        rehearsal.revisions.iter_mut().for_each(|one| one.again = again.get(&one.revision).copied());
        if let Some(failed) = failed {
            rehearsal.findings.push(format!("after the way down: {failed}"));
            return Ok(rehearsal);
        }
        let what = "up again does not lead to what it led to at first";
        compare(&schema_of(self.url).await?, &after, what, &mut rehearsal.findings);
        self.compare_declared(&after, &mut rehearsal.findings);
        Ok(rehearsal)
    }

    async fn pending(&self, session: &Session) -> Result<Vec<Step>> {
        let rows = Rows::new(self.graph, &session.rows().await?)?;
        Ok(steps::upgrade(self.graph, &rows, "heads")?)
    }

    /// Runs all that is pending: how long each took, and what failed.
    async fn upgrade(
        &self,
        session: &mut Session,
        invented_roles: &mut Vec<String>,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<(Times, Option<String>)> {
        let mut times = Times::new();
        loop {
            let planned = self.pending(session).await?;
            let outcome = self.run(session, &planned, &mut times, on_event).await;
            let failed = match outcome {
                Ok(()) => return Ok((times, None)),
                Err(Error::Statement(failed)) => failed,
                Err(error) => return Ok((times, Some(said(error)))),
            };
            let may_invent = self.may_invent_roles && failed.applied_before.is_none();
            if !(may_invent && invent_role(&connect(self.url).await?, &failed.error).await) {
                return Ok((times, Some(said(Error::Statement(failed)))));
            }
            invented_roles.extend(failed.error.message.split('"').nth(1).map(ToOwned::to_owned));
        }
    }

    /// Undoes these steps, the last first, as far as there is a way.
    async fn downgrade(
        &self,
        session: &mut Session,
        planned: &[Step],
        no_way_down: &mut Option<String>,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<(Times, Option<String>)> {
        let mut times = Times::new();
        for step in planned.iter().rev() {
            let rows = Rows::new(self.graph, &session.rows().await?)?;
            let down = steps::one(self.graph, &rows, &step.revision, Direction::Down)?;
            match self.run(session, &[down], &mut times, on_event).await {
                Ok(()) => {}
                Err(Error::NoDown { revision, .. }) => {
                    *no_way_down = Some(revision);
                    break;
                }
                Err(error) => return Ok((times, Some(said(error)))),
            }
        }
        Ok((times, None))
    }

    async fn run(
        &self,
        session: &mut Session,
        planned: &[Step],
        times: &mut Times,
        on_event: &mut dyn FnMut(Event),
    ) -> std::result::Result<(), Error> {
        let mut listen = |event| {
            if let Event::Finished(done) = &event {
                times.insert(done.revision.clone(), done.duration);
            }
            on_event(event);
        };
        session.run(self.graph, planned, self.options, &mut listen).await.map(drop)
    }

    fn compare_declared(&self, schema: &Schema, findings: &mut Vec<String>) {
        if let Some(declared) = self.declared {
            compare(schema, declared, "the result is not what is declared", findings);
        }
    }
}

fn rehearsed(step: &Step, up: &Times, watched: &[Watched]) -> Rehearsed {
    let statements = watched.iter().filter(|statement| statement.revision == step.revision).cloned().collect();
    let (revision, up) = (step.revision.clone(), up.get(&step.revision).copied());
    Rehearsed { revision, up, statements, down: None, again: None }
}

fn compare(is: &Schema, wanted: &Schema, otherwise: &str, findings: &mut Vec<String>) {
    let objects: Vec<_> = plan(is, wanted).iter().map(|step| step.object.to_string()).collect();
    if !objects.is_empty() {
        findings.push(format!("{otherwise}: {}", objects.join(", ")));
    }
}

/// An error as a finding, in full.
fn said(error: Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}
