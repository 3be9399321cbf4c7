//! The steps as they are taken: told at once, kept for JSON.

use std::time::Duration;

use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::ui::{BAD, FAINT, GOOD, STRONG, Ui, paint, printable};

#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// The address of the node that it is about, where the target has several.
    node: Option<String>,
    pub(super) step: &'static str,
    /// `ok`, `skipped` or `broken`.
    pub(super) status: &'static str,
    /// What was seen.
    pub(super) seen: String,
    /// What repairs it.
    pub(super) remedy: Option<String>,
}

/// A step is broken, and has been told: what comes after it on the same way is not tried.
#[derive(Debug)]
pub(super) struct Broken;

pub(super) struct Walk<'a> {
    ui: &'a Ui,
    /// How long a step may take.
    pub(super) deadline: Duration,
    steps: Vec<Step>,
    /// The node that it goes to, where there are several.
    node: Option<String>,
    /// The output is gone.
    failure: Option<Failure>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(ui: &'a Ui, deadline: Duration) -> Self {
        Self { ui, deadline, steps: Vec::new(), node: None, failure: None }
    }

    /// What comes now is about this node.
    pub(super) fn turn_to(&mut self, node: &str) {
        self.node = Some(node.to_owned());
        let told = self.ui.data(format!("  {}", paint(STRONG, printable(node))));
        self.keep(told);
    }

    pub(super) fn passed(&mut self, step: &'static str, seen: impl Into<String>) {
        self.tell(step, "ok", seen.into(), None);
    }

    pub(super) fn skipped(&mut self, step: &'static str, why: impl Into<String>) {
        self.tell(step, "skipped", why.into(), None);
    }

    pub(super) fn broken(&mut self, step: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Broken {
        self.tell(step, "broken", seen.into(), Some(remedy.into()));
        Broken
    }

    /// What was seen, in order.
    pub(super) fn end(self) -> Result<Vec<Step>> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.steps),
        }
    }

    fn tell(&mut self, step: &'static str, status: &'static str, seen: String, remedy: Option<String>) {
        let step = Step { node: self.node.clone(), step, status, seen, remedy };
        self.keep(self.show(&step));
        self.steps.push(step);
    }

    fn keep(&mut self, told: Result<()>) {
        if let Err(failure) = told {
            self.failure.get_or_insert(failure);
        }
    }

    fn show(&self, step: &Step) -> Result<()> {
        let sign = match step.status {
            "ok" => paint(GOOD, "✓"),
            "skipped" => paint(FAINT, "-"),
            _ => paint(BAD, "✗"),
        };
        self.ui.paragraph(19, format!("  {sign} {:<14} {}", step.step, printable(&step.seen)))?;
        match &step.remedy {
            Some(remedy) => self.ui.paragraph(19, format!("{:17}{} {}", "", paint(FAINT, "→"), printable(remedy))),
            None => Ok(()),
        }
    }
}
