//! Collections whose points come from a table, and the database that has it.

use std::time::Instant;

use dbops_postgres::DatabaseUrl;
use dbops_qdrant::{CollectionSpec, SourceSpec};
use dbops_sync::{Error, Event};
use indicatif::ProgressBar;

use super::Prepared;
use crate::config::{Config, suggest};
use crate::failure::{Failure, FailureKind, Result};
use crate::ui::Ui;

/// A collection with its table.
pub(super) struct Sourced<'a> {
    pub(super) target: &'a Prepared<'a>,
    pub(super) spec: &'a CollectionSpec,
    /// The collection that stands for it on the server.
    pub(super) collection: String,
    pub(super) source: &'a SourceSpec,
    pub(super) database: &'a DatabaseUrl,
}

impl Sourced<'_> {
    pub(super) fn from(&self) -> String {
        shown(self.source)
    }

    pub(super) fn failed(&self, error: impl Into<Failure>) -> Failure {
        error.into().context(format!("{}: {}", self.target.name, self.spec.name))
    }
}

/// `vector_db public.chunks`
pub(super) fn shown(source: &SourceSpec) -> String {
    format!("{} {}.{}", source.target, source.schema, source.table)
}

/// A collection with the target that declares it.
pub(super) type Declared<'a> = (&'a Prepared<'a>, &'a CollectionSpec);

/// The collections of these names or aliases, all that have a table when there are none.
pub(super) fn choose<'a>(prepared: &'a [Prepared<'a>], names: &[String]) -> Result<Vec<Declared<'a>>> {
    let mut chosen = Vec::new();
    if names.is_empty() {
        for target in prepared {
            let with_table = target.declared.iter().filter(|spec| spec.source.is_some());
            chosen.extend(with_table.map(|spec| (target, spec)));
        }
    }
    for name in names {
        let (target, spec) = declared(prepared, name)?;
        table(spec)?;
        chosen.push((target, spec));
    }
    if chosen.is_empty() {
        return Err(Failure::usage("no declared collection has a table").with_hint(DECLARE));
    }
    Ok(chosen)
}

/// The collection of this name or alias.
pub(super) fn declared<'a>(prepared: &'a [Prepared<'a>], name: &str) -> Result<Declared<'a>> {
    let mut all = prepared.iter().flat_map(|target| target.declared.iter().map(move |spec| (target, spec)));
    let found = all.clone().find(|(_, spec)| spec.name == name || spec.alias.as_deref() == Some(name));
    found.ok_or_else(|| {
        let known: Vec<_> = all.by_ref().map(|(_, spec)| spec.name.as_str()).collect();
        Failure::usage(format!("no collection `{name}` is declared")).with_hint(suggest(name, &known))
    })
}

/// A collection with the table that it has to have.
pub(super) async fn sourced<'a>(
    config: &'a Config,
    target: &'a Prepared<'a>,
    spec: &'a CollectionSpec,
) -> Result<Sourced<'a>> {
    let source = table(spec)?;
    let database = database(config, target, spec, source)?;
    Ok(Sourced { target, spec, collection: target.standing(spec).await?, source, database })
}

fn table(spec: &CollectionSpec) -> Result<&SourceSpec> {
    let none = || Failure::usage(format!("`{}` has no table", spec.name)).with_hint(DECLARE);
    spec.source.as_ref().ok_or_else(none)
}

const DECLARE: &str =
    "say with `from:` in the file of the collections which table the points come from (docs/qdrant.md)";

fn database<'a>(
    config: &'a Config,
    target: &Prepared<'_>,
    spec: &CollectionSpec,
    source: &SourceSpec,
) -> Result<&'a DatabaseUrl> {
    let found = config.select_postgres(std::slice::from_ref(&source.target));
    let found = found.map_err(|failure| failure.context(format!("{}: {}: from", target.name, spec.name)))?;
    found.first().map(|(_, postgres)| &postgres.url).ok_or_else(|| Failure::usage("the target has no database"))
}

/// A bar of the rows that are read.
pub(super) struct Reading<'a> {
    ui: &'a Ui,
    what: String,
    bar: ProgressBar,
    pub(super) started: Instant,
}

impl<'a> Reading<'a> {
    pub(super) fn new(ui: &'a Ui, what: String) -> Self {
        let bar = ui.spinner(what.clone());
        Self { ui, what, bar, started: Instant::now() }
    }

    pub(super) fn show(&mut self, event: Event) {
        match event {
            Event::Reading { rows: Some(rows), .. } => {
                self.bar.finish_and_clear();
                self.bar = self.ui.rows(self.what.clone(), rows);
            }
            Event::Reading { rows: None, .. } => {}
            Event::Rows(count) => self.bar.inc(count),
        }
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::ManyDeletes { .. } => FailureKind::Refused,
            Error::Locked { .. } => FailureKind::Locked,
            _ => FailureKind::Failed,
        };
        let hint = error.hint();
        Self { kind, error: error.into(), hint }
    }
}
