//! `dbops schema drift`: what is declared, where the revisions lead, and what the databases are.

mod report;
mod sides;
mod verdict;

use clap::Args;
use dbops_migrate::{Graph as Revisions, is_alembic};
use futures_util::future::try_join_all;

use sides::read_sides;

use super::source::nothing_declared;
use crate::commands::migrate::load as load_revisions;
use crate::commands::scratch::Scratch;
use crate::commands::{Context, Outcome};
use crate::config::PostgresTarget;
use crate::declared::{self, SchemaFile};
use crate::failure::Result;

#[derive(Args)]
pub(super) struct DriftArgs {
    /// A database, repeatable; every one with a declared schema or revisions when none is named
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Connect to no database: compare what is declared with where the revisions lead
    #[arg(long)]
    offline: bool,
}

/// A target and its files, read before anything is connected to.
struct Subject<'a> {
    name: &'a str,
    target: &'a PostgresTarget,
    declared: Option<Vec<SchemaFile>>,
    revisions: Option<Revisions>,
    offline: bool,
}

impl Subject<'_> {
    /// How many sides there are to compare.
    fn sides(&self) -> usize {
        usize::from(self.declared.is_some()) + usize::from(self.revisions.is_some()) + usize::from(!self.offline)
    }
}

pub(super) async fn run(context: &Context, args: &DriftArgs) -> Result<Outcome> {
    let config = context.config()?;
    let mut subjects = Vec::new();
    for (name, target) in config.select_postgres(&args.targets)? {
        let subject = subject(context, name, target, args.offline).await?;
        let why = format!(
            "target `{name}` has nothing to compare with: it needs a declared schema{}",
            match args.offline {
                true => " and revisions",
                false => " or revisions",
            }
        );
        match subject.sides() {
            2.. => subjects.push(subject),
            _ if args.targets.is_empty() => context.ui.detail(why),
            _ => return Err(nothing_declared(&why)),
        }
    }
    if subjects.is_empty() {
        return Err(nothing_declared("no target has anything to compare with"));
    }
    let scratch = Scratch::new(context, None);
    let spinner = context.ui.spinner("comparing");
    let sides = try_join_all(subjects.iter().map(async |subject| {
        read_sides(context, &scratch, subject).await.map_err(|failure| failure.context(subject.name))
    }));
    let sides = sides.await?;
    spinner.finish_and_clear();
    report::report(&context.ui, &subjects, &sides)
}

/// The word for what differs in a target, as in the JSON of `schema drift`; nothing where there is nothing to compare.
pub(in crate::commands) async fn verdict_of(
    context: &Context,
    scratch: &Scratch<'_>,
    name: &str,
    target: &PostgresTarget,
) -> Result<Option<&'static str>> {
    let subject = subject(context, name, target, false).await?;
    if subject.sides() < 2 {
        return Ok(None);
    }
    let sides = read_sides(context, scratch, &subject).await?;
    Ok(Some(verdict::find(&sides).verdict.name()))
}

async fn subject<'a>(
    context: &Context,
    name: &'a str,
    target: &'a PostgresTarget,
    offline: bool,
) -> Result<Subject<'a>> {
    let declared = match &target.schema {
        Some(schema) => Some(declared::read(schema, &context.environment).await?),
        None => None,
    };
    // Alembic's own files are Python, which runs elsewhere.
    let has_files = target.versions.is_dir() && !is_alembic(&target.versions);
    let revisions = if has_files { Some(load_revisions(name, target)?) } else { None };
    let revisions = revisions.filter(|graph| !graph.revisions().is_empty());
    Ok(Subject { name, target, declared, revisions, offline })
}
