//! `migrate revision` and `migrate merge`: a new file, where the graph has room for one.

use clap::Args;
use dbops_migrate::lint::LintOptions;
use dbops_migrate::{Graph, NewFile, NewRevision, Place, extend, is_alembic, merge, new_file};
use jiff::Timestamp;
use serde::Serialize;

use super::autogenerate::{self, AutogenerateArgs};
use super::{lint, load};
use crate::commands::{Context, Outcome};
use crate::config::{Config, PostgresTarget};
use crate::failure::{Failure, Result};

#[derive(Args)]
pub(super) struct RevisionArgs {
    #[command(flatten)]
    new: NewArgs,
    /// What it follows: an id, `LABEL@head`, `base` for a new beginning [default: the head]
    #[arg(long = "head", value_name = "REV", allow_hyphen_values = true)]
    heads: Vec<String>,
    /// It may follow a revision that another follows already
    #[arg(long)]
    splice: bool,
    /// A revision or branch that has to be applied before it
    #[arg(long, value_name = "REV")]
    depends_on: Vec<String>,
    #[command(flatten)]
    autogenerate: AutogenerateArgs,
}

#[derive(Args)]
pub(super) struct MergeArgs {
    /// What to join [default: all heads]
    #[arg(value_name = "REV")]
    revisions: Vec<String>,
    #[command(flatten)]
    new: NewArgs,
}

#[derive(Args)]
struct NewArgs {
    /// What it will do, as in "add email verification to users"
    #[arg(short, long, value_name = "TEXT")]
    message: String,
    /// A name for the branch that it begins
    #[arg(long = "branch-label", value_name = "LABEL")]
    branch_labels: Vec<String>,
    /// Its id, instead of a new one
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,
}

#[derive(Serialize)]
struct RevisionDocument {
    target: String,
    /// Nothing where `--autogenerate` found nothing to write.
    revision: Option<String>,
    revises: Vec<String>,
    path: Option<String>,
    /// Every file, in the order in which they are applied: `--autogenerate` may write several.
    files: Vec<FileDocument>,
}

#[derive(Serialize)]
struct FileDocument {
    revision: String,
    path: String,
}

/// Adds a revision.
pub(super) async fn revision(
    context: &Context,
    config: &Config,
    targets: &[String],
    args: &RevisionArgs,
) -> Result<Outcome> {
    let (name, target) = one_target(config, targets, "a revision")?;
    let graph = graph_for(name, target, &args.new)?;
    let place = Place {
        heads: &args.heads,
        splice: args.splice,
        branch_labels: &args.new.branch_labels,
        depends_on: &args.depends_on,
    };
    let needs = extend(&graph, place)?;
    let new = new_revision(&args.new, needs.revises, needs.depends_on);
    if args.autogenerate.is_wanted {
        let revises = new.revises.clone();
        let files = autogenerate::files(context, (name, target), &graph, &new, &args.autogenerate).await?;
        if files.is_empty() {
            context.ui.status(format!("{name}: nothing to write: the schema is as declared"));
            let target = name.to_owned();
            let document = RevisionDocument { target, revision: None, revises, path: None, files: Vec::new() };
            context.ui.document(&document)?;
            return Ok(Outcome::Done);
        }
        let next = "it was run up and down on an empty copy; look at it, then run `dbops migrate`";
        return keep(context, &config.lint, name, &files, revises, next);
    }
    write(
        context,
        &config.lint,
        (name, target),
        new,
        "write the SQL under `-- +up` and `-- +down`, then run `dbops migrate`",
    )
}

/// Adds a revision that joins others.
pub(super) fn merged(context: &Context, config: &Config, targets: &[String], args: &MergeArgs) -> Result<Outcome> {
    let (name, target) = one_target(config, targets, "a merge")?;
    let graph = graph_for(name, target, &args.new)?;
    let revises = merge(&graph, &args.revisions)?;
    // Labels are looked at by the same rules as for any revision.
    let place = Place { heads: &revises, splice: true, branch_labels: &args.new.branch_labels, depends_on: &[] };
    let needs = extend(&graph, place)?;
    let joined = format!("joins {}; `dbops migrate` applies it", needs.revises.join(" and "));
    write(context, &config.lint, (name, target), new_revision(&args.new, needs.revises, Vec::new()), &joined)
}

pub(super) fn one_target<'a>(
    config: &'a Config,
    targets: &[String],
    what: &str,
) -> Result<(&'a str, &'a PostgresTarget)> {
    let chosen = config.select_postgres(targets)?;
    let [(name, target)] = chosen[..] else {
        let names: Vec<_> = chosen.iter().map(|(name, _)| *name).collect();
        return Err(Failure::usage(format!("{what} for which target? There are {}", names.join(", ")))
            .with_hint(format!("add `-t {}`", names.first().copied().unwrap_or("NAME"))));
    };
    Ok((name, target))
}

/// The graph that is to be extended; an empty one where there is no folder yet.
fn graph_for(name: &str, target: &PostgresTarget, new: &NewArgs) -> Result<Graph> {
    if new.message.trim().is_empty() {
        return Err(Failure::usage("the message is empty").with_hint("say what the revision does"));
    }
    if is_alembic(&target.versions) {
        let path = target.versions.display();
        return Err(Failure::refused(format!("{path} belongs to Alembic, which writes Python")).with_hint(
            "name a folder for SQL files as `versions`, and have `dbops migrate import` fill it from the project",
        ));
    }
    let graph = if target.versions.is_dir() { load(name, target)? } else { Graph::new(Vec::new())? };
    if let Some(other) = new.rev_id.as_deref().and_then(|id| graph.get(id)) {
        return Err(Failure::usage(format!("revision {} exists: {}", other.id, other.path.display()))
            .with_hint("choose another id"));
    }
    Ok(graph)
}

fn new_revision(new: &NewArgs, revises: Vec<String>, depends_on: Vec<String>) -> NewRevision {
    NewRevision {
        message: new.message.clone(),
        revises,
        branch_labels: new.branch_labels.clone(),
        depends_on,
        id: new.rev_id.clone(),
        created: Timestamp::now(),
        sections: None,
    }
}

fn write(
    context: &Context,
    options: &LintOptions,
    (name, target): (&str, &PostgresTarget),
    new: NewRevision,
    next: &str,
) -> Result<Outcome> {
    let file = new_file(&target.versions, &new)?;
    keep(context, options, name, &[file], new.revises, next)
}

/// Writes the files and says where; all of them or none.
fn keep(
    context: &Context,
    options: &LintOptions,
    name: &str,
    files: &[NewFile],
    revises: Vec<String>,
    next: &str,
) -> Result<Outcome> {
    for (number, file) in files.iter().enumerate() {
        if let Err(error) = file.write() {
            let _ = files[..number].iter().try_for_each(|file| std::fs::remove_file(&file.path));
            return Err(error.into());
        }
    }
    for file in files {
        context.ui.data(context.environment.shown(&file.path))?;
        lint::warn_of_new(context, &file.path, options)?;
    }
    context.ui.status(format!("{name}: {next}"));
    let document = RevisionDocument {
        target: name.to_owned(),
        revision: files.last().map(|file| file.id.clone()),
        revises,
        path: files.last().map(|file| file.path.display().to_string()),
        files: files
            .iter()
            .map(|file| FileDocument { revision: file.id.clone(), path: file.path.display().to_string() })
            .collect(),
    };
    context.ui.document(&document)?;
    Ok(Outcome::Done)
}
