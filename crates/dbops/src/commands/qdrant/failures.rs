//! Collections that fail while others are gone on with.

use serde::Serialize;

use super::sources::Declared;
use crate::commands::{Context, Outcome};
use crate::failure::{Failure, FailureKind, Result};
use crate::ui::ErrorBody;

/// The collections that failed, in the order in which they did.
pub(super) struct Failures {
    /// A single one fails as any command does.
    is_single: bool,
    first: Option<FailureKind>,
    documents: Vec<FailedDocument>,
}

/// `{"target", "collection", "error": {"kind", "message", "causes", "hint"}}`.
#[derive(Serialize)]
pub(super) struct FailedDocument {
    target: String,
    collection: String,
    error: ErrorBody,
}

impl Failures {
    /// Of the collections that are chosen.
    pub(super) fn of(chosen: &[Declared<'_>]) -> Self {
        Self { is_single: chosen.len() == 1, first: None, documents: Vec::new() }
    }

    /// Tells a failure, if there is anything to go on with.
    pub(super) fn add(&mut self, context: &Context, (target, spec): Declared<'_>, failure: Failure) -> Result<()> {
        if self.is_single {
            return Err(failure);
        }
        context.ui.failed_part(&failure);
        self.first = self.first.or(Some(failure.kind));
        self.documents.push(FailedDocument {
            target: target.name.into(),
            collection: spec.name.clone(),
            error: (&failure).into(),
        });
        Ok(())
    }

    /// How the command ends, with what is for its document: the first failure, else `outcome`.
    pub(super) fn end(self, outcome: Outcome) -> (Vec<FailedDocument>, Outcome) {
        (self.documents, self.first.map_or(outcome, Outcome::Failed))
    }
}
