//! Steps carried out on a database: in a transaction each, in one for all, or statement by statement.

mod batches;
mod dry_run;
mod interrupted;
mod locks;
mod statement;
mod stepwise;
mod timeouts;
mod transaction;
mod watch;

use std::time::{Duration, Instant};

use dbops_postgres::Notice;

use crate::plan::{Direction, Step};
use crate::revision::{Revision, Section};
use crate::{Error, Graph, Session};

pub use dry_run::{DryRun, DryRunStatement};
pub use interrupted::Again;
pub use locks::TakenLock;
pub(crate) use timeouts::LockTimeout;
pub(crate) use transaction::statement_timeout;
pub(crate) use watch::Watch;
pub use watch::Watched;

/// How steps are carried out.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// PostgreSQL's `lock_timeout` for statements that take strong locks, in revisions whose header does not say.
    pub lock_timeout: String,
    /// PostgreSQL's `statement_timeout`, in revisions whose header does not say.
    pub statement_timeout: Option<String>,
    /// How often a revision is tried again that could not have a lock.
    pub retries: u32,
    /// All steps in one transaction.
    pub single_transaction: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { lock_timeout: "5s".into(), statement_timeout: None, retries: 5, single_transaction: false }
    }
}

/// What a run tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A revision begins.
    Started {
        /// Its id.
        revision: String,
        /// Which way.
        direction: Direction,
    },
    /// A revision goes on that was begun by an earlier run.
    Resumed {
        /// Its id.
        revision: String,
        /// How many of its statements are done.
        done: usize,
        /// How many it has.
        statements: usize,
        /// How many rows the batches of the next one have gone over.
        rows: u64,
    },
    /// The server said something while a revision ran.
    Notice(Notice),
    /// A lock could not be had; nothing of the revision, or of its statement, has taken effect.
    Retrying {
        /// The revision.
        revision: String,
        /// What the server said.
        reason: String,
        /// How long it rests.
        rest: Duration,
    },
    /// A batch is committed.
    Batch {
        /// The revision.
        revision: String,
        /// How many rows of the table the batches have gone over.
        rows: u64,
        /// How many the table has, about.
        total: u64,
    },
    /// An invalid index, which a failed statement left, was dropped.
    DroppedIndex(String),
    /// A revision is committed.
    Finished(Finished),
}

/// A revision that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its id.
    pub revision: String,
    /// Which way.
    pub direction: Direction,
    /// How long it took, its commit included.
    pub duration: Duration,
}

/// A step with what is to be run.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) step: &'a Step,
    pub(crate) revision: &'a Revision,
    pub(crate) section: &'a Section,
}

impl<'a> Work<'a> {
    pub(crate) fn new(graph: &'a Graph, step: &'a Step) -> Result<Self, Error> {
        let revision = graph.get(&step.revision).ok_or_else(|| graph.unknown(&step.revision))?;
        if let Some(reason) = &revision.stub {
            let (revision, path) = (revision.id.clone(), revision.path.clone());
            return Err(Error::Stub { revision, path, reason: reason.clone() });
        }
        let section = match step.direction {
            Direction::Up => &revision.up,
            Direction::Down => revision
                .down
                .as_ref()
                .filter(|_| !revision.down_is_stub())
                .ok_or_else(|| Error::NoDown { revision: revision.id.clone(), path: revision.path.clone() })?,
        };
        Ok(Self { step, revision, section })
    }

    /// Refuses a revision that cannot be part of a transaction.
    pub(crate) fn require_transaction(&self) -> Result<(), Error> {
        if self.revision.settings.transaction {
            return Ok(());
        }
        Err(Error::NotTransactional { revision: self.revision.id.clone(), path: self.revision.path.clone() })
    }

    fn started(&self) -> Event {
        Event::Started { revision: self.step.revision.clone(), direction: self.step.direction }
    }

    fn finished(&self, start: Instant) -> Finished {
        Finished { revision: self.step.revision.clone(), direction: self.step.direction, duration: start.elapsed() }
    }
}

type OnEvent<'a> = &'a mut dyn FnMut(Event);

impl Session {
    /// Runs the steps, each in its own transaction with its edits of the version table and its line in the log.
    ///
    /// # Errors
    ///
    /// When a statement fails: the revision it belongs to leaves no trace, those before it stay. One without a
    /// transaction leaves the statements before, and is remembered: see [`Session::resume`].
    pub async fn run(
        &mut self,
        graph: &Graph,
        steps: &[Step],
        options: &RunOptions,
        on_event: &mut dyn FnMut(Event),
    ) -> Result<Vec<Finished>, Error> {
        // Before anything runs: a way down that is missing is found at the top, not half way.
        let work = steps.iter().map(|step| Work::new(graph, step)).collect::<Result<Vec<_>, _>>()?;
        if let Some(unfinished) = self.unfinished().await? {
            return Err(Error::Unfinished(Box::new(unfinished)));
        }
        self.catch_up(graph).await?;
        if options.single_transaction {
            return self.run_in_one_transaction(&work, options, on_event).await;
        }
        let mut finished = Vec::with_capacity(work.len());
        // Neighbours that share a transaction, or one revision.
        for group in work.chunk_by(|one, next| one.revision.settings.shared && next.revision.settings.shared) {
            if self.lock.is_lost() {
                return Err(Error::LockLost);
            }
            let [one] = group else {
                finished.extend(self.run_in_one_transaction(group, options, on_event).await?);
                continue;
            };
            let start = Instant::now();
            on_event(one.started());
            let outcome = if one.revision.settings.transaction {
                self.run_in_transaction(one, options, on_event).await
            } else {
                self.run_stepwise(one, None, options, on_event).await
            };
            self.pass_on_notices(on_event);
            outcome?;
            let done = one.finished(start);
            on_event(Event::Finished(done.clone()));
            finished.push(done);
        }
        Ok(finished)
    }

    fn pass_on_notices(&mut self, on_event: OnEvent<'_>) {
        while let Ok(notice) = self.notices.try_recv() {
            on_event(Event::Notice(notice));
        }
    }
}
