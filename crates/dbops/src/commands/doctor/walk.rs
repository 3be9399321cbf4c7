//! The steps as they are taken: told at once, kept for JSON.

use std::time::Duration;

use serde::Serialize;

use crate::failure::{Failure, Result};
use crate::ui::{BAD, FAINT, GOOD, Ui, paint, printable};

#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) step: &'static str,
    /// `ok`, `skipped` or `broken`.
    pub(super) status: &'static str,
    /// What was seen.
    pub(super) seen: String,
    /// What repairs it.
    pub(super) remedy: Option<String>,
}

/// A step is broken, and has been told: what comes after it is not tried.
#[derive(Debug)]
pub(super) struct Broken;

pub(super) struct Walk<'a> {
    ui: &'a Ui,
    /// How long a step may take.
    pub(super) deadline: Duration,
    steps: Vec<Step>,
    /// The output is gone.
    failure: Option<Failure>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(ui: &'a Ui, deadline: Duration) -> Self {
        Self { ui, deadline, steps: Vec::new(), failure: None }
    }

    pub(super) fn passed(&mut self, step: &'static str, seen: impl Into<String>) {
        self.tell(Step { step, status: "ok", seen: seen.into(), remedy: None });
    }

    pub(super) fn skipped(&mut self, step: &'static str, why: impl Into<String>) {
        self.tell(Step { step, status: "skipped", seen: why.into(), remedy: None });
    }

    pub(super) fn broken(&mut self, step: &'static str, seen: impl Into<String>, remedy: impl Into<String>) -> Broken {
        self.tell(Step { step, status: "broken", seen: seen.into(), remedy: Some(remedy.into()) });
        Broken
    }

    /// What was seen, in order.
    pub(super) fn end(self) -> Result<Vec<Step>> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.steps),
        }
    }

    fn tell(&mut self, step: Step) {
        if let Err(failure) = self.show(&step) {
            self.failure.get_or_insert(failure);
        }
        self.steps.push(step);
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
