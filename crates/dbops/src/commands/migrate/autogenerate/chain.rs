//! The parts of a plan as revisions, each following the one before, with the way back from each.

use std::path::Path;

use dbops_migrate::{NewFile, NewRevision, NewSections, Revision, new_file};
use dbops_postgres::{DatabaseUrl, SqlError, connect};
use dbops_schema_graph::{Graph as Schema, Part, PartKind, Step, plan};
use jiff::ToSpan;

use super::proof::{Proof, Unproved};
use crate::commands::renames::Renamed;
use crate::commands::schema::{makes_functions, remarks};
use crate::commands::scratch::Scratch;

/// Where the revisions begin and where they lead.
pub(super) struct Chain<'a> {
    pub(super) scratch: &'a Scratch<'a>,
    /// A database as it is before them; only copies of it are touched.
    pub(super) origin: &'a DatabaseUrl,
    pub(super) base: &'a [Revision],
    pub(super) current: &'a Schema,
    pub(super) declared: &'a Schema,
    pub(super) renamed: &'a Renamed,
}

impl Chain<'_> {
    /// The files, proved.
    pub(super) async fn files(
        &self,
        folder: &Path,
        new: &NewRevision,
        mut parts: Vec<Part>,
    ) -> Result<Vec<NewFile>, Unproved> {
        // Renames may be all there is to do.
        if parts.is_empty() {
            parts.push(Part { kind: PartKind::Definitions, steps: Vec::new() });
        }
        let sections = self.sections(&parts).await?;
        let count = sections.len();
        let mut revises = new.revises.clone();
        let mut files = Vec::new();
        for (number, (sections, part)) in sections.into_iter().zip(&parts).enumerate() {
            let is_first = number == 0;
            let message = match count {
                1 => new.message.clone(),
                _ => format!("{} ({} of {count}: {})", new.message, number + 1, part.kind.name()),
            };
            let file = new_file(
                folder,
                &NewRevision {
                    message,
                    revises,
                    branch_labels: if is_first { new.branch_labels.clone() } else { Vec::new() },
                    depends_on: if is_first { new.depends_on.clone() } else { Vec::new() },
                    // The last is where they lead.
                    id: new.id.clone().filter(|_| number + 1 == count),
                    created: new.created.saturating_add((number as i64).seconds()).unwrap_or(new.created),
                    sections: Some(sections),
                },
            )?;
            revises = vec![file.id.clone()];
            files.push(file);
        }
        let copy = self.scratch.copy(self.origin).await?;
        let Self { scratch, base, current, declared, .. } = *self;
        Proof { scratch, copy: &copy, base, current, declared }.run(&files).await?;
        Ok(files)
    }

    /// What each part does, and what undoes it: the way from where it leads to where it begins.
    async fn sections(&self, parts: &[Part]) -> Result<Vec<NewSections>, Unproved> {
        let Renamed { schema, there, back, .. } = self.renamed;
        let mut sections = Vec::new();
        let mut before = schema.clone();
        let copy = if parts.len() > 1 { Some(self.scratch.copy(self.origin).await?) } else { None };
        for (number, part) in parts.iter().enumerate() {
            let (first, last) = if number == 0 { (&there[..], &back[..]) } else { Default::default() };
            let up = [first, &part.steps].concat();
            let after = match &copy {
                Some(url) => {
                    run(url, &up).await?;
                    self.scratch.read(url).await?
                }
                None => self.declared.clone(),
            };
            let mut down = plan(&after, &before);
            if part.kind == PartKind::Validation {
                // That a row was looked at need not be undone, unless it had been left open before.
                down.retain(|step| schema.get(&step.object).is_some());
            }
            down.extend_from_slice(last);
            sections.push(NewSections { up: text(&up), down: text(&down), transaction: part.is_transactional() });
            before = after;
        }
        Ok(sections)
    }
}

/// Runs statements on a database of the throwaway server.
async fn run(url: &DatabaseUrl, steps: &[Step]) -> Result<(), Unproved> {
    let client = connect(url).await?;
    client.batch_execute("SET check_function_bodies = off").await.map_err(SqlError::from)?;
    for statement in steps.iter().flat_map(|step| &step.statements) {
        let outcome = client.batch_execute(&statement.sql).await.map_err(SqlError::from);
        outcome.map_err(|error| Unproved::Differs(error.to_string(), text(steps)))?;
    }
    Ok(())
}

/// A section of a file: the statements with what there is to know of them.
fn text(steps: &[Step]) -> String {
    let mut text = String::new();
    if makes_functions(steps) {
        text.push_str("-- A body may speak of what comes later.\nSET check_function_bodies = off;\n\n");
    }
    for statement in steps.iter().flat_map(|step| &step.statements) {
        text.push_str(&format!("{}{};\n\n", remarks(statement), statement.sql));
    }
    let text = text.trim_end();
    if text.is_empty() { "-- nothing to undo".into() } else { text.to_owned() }
}
