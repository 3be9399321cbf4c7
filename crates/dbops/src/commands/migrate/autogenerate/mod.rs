//! `migrate revision --autogenerate`: from where the revisions lead to what is declared, proved before it is written.

mod chain;
mod proof;

use std::path::Path;

use clap::Args;
use dbops_migrate::{Graph, NewFile, NewRevision};
use dbops_schema_graph::{Graph as Schema, Hazard, Rename, Step, online, parts, plan};

use crate::commands::Context;
use crate::commands::renames::{Renamed, described, rename};
use crate::commands::replay::replay;
use crate::commands::scratch::Scratch;
use crate::config::PostgresTarget;
use crate::declared;
use crate::failure::{Failure, Result};
use crate::ui::printable;
use chain::Chain;
use proof::Unproved;

#[derive(Args)]
pub(super) struct AutogenerateArgs {
    /// Write the SQL from where the revisions lead to the declared schema, in both directions
    ///
    /// No database is connected to: revisions and declaration are run on a server that is started for it. What is
    /// written was run up and down there, and led where it should.
    #[arg(long = "autogenerate")]
    pub(super) is_wanted: bool,
    /// Start from what the target has instead of from the revisions
    #[arg(long, value_name = "live", value_parser = ["live"], requires = "is_wanted")]
    against: Option<String>,
    /// What has a new name and keeps what it holds: a table `users=accounts`, a column `users.name=full_name`, a label
    /// of an enum `mood.ok=fine`; repeatable
    #[arg(long = "rename", value_name = "OLD=NEW", requires = "is_wanted")]
    renames: Vec<String>,
    /// Also write what loses rows or values
    #[arg(long, requires = "is_wanted")]
    allow_data_loss: bool,
    /// The plain forms, which hold their locks while they look at every row
    #[arg(long, requires = "is_wanted")]
    simple: bool,
    /// Also compare who owns what
    #[arg(long, requires = "is_wanted")]
    owners: bool,
}

/// The files of the revisions, each following the one before; none when there is nothing to do.
pub(super) async fn files(
    context: &Context,
    (name, target): (&str, &PostgresTarget),
    graph: &Graph,
    new: &NewRevision,
    args: &AutogenerateArgs,
) -> Result<Vec<NewFile>> {
    let Some(schema) = &target.schema else {
        return Err(Failure::usage(format!("target `{name}` declares no schema"))
            .with_hint("name the file of its DDL in the configuration: `schema: schema.sql`"));
    };
    let files = declared::read(schema, &context.environment).await?;
    let comments = declared::renames(&files)?;
    let scratch = Scratch::new(context, None).with_owners(args.owners);
    let spinner = context.ui.spinner("comparing the revisions with the declared schema");
    let declared = scratch.load(&files).await?;
    // With the revisions that made it: none where it comes from the live database.
    let (origin, base) = if args.against.is_some() {
        (scratch.with_schema(&scratch.read(&target.url).await?).await?, &[][..])
    } else {
        let origin = scratch.database().await?;
        for revision in new.revises.iter().chain(&new.depends_on) {
            replay(&origin, graph, revision).await?;
        }
        (origin, graph.revisions())
    };
    let current = scratch.read(&origin).await?;
    spinner.finish_and_clear();
    let renamed = rename(context, &scratch, (&current, &declared), &args.renames, &comments).await?;
    let spinner = context.ui.spinner("proving the way there and back");

    let up = plan(&renamed.schema, &declared);
    if up.is_empty() && renamed.there.is_empty() {
        return Ok(Vec::new());
    }
    if !args.allow_data_loss {
        refuse_loss(&up, &renamed.undecided)?;
    }
    for label in renamed.undecided.iter().filter(|rename| rename.label.is_some()) {
        context.ui.warn(format!("{} goes; if it has another name now, add `--rename {label}`", described(label)));
    }
    let up = if args.simple { up } else { online(up, &declared) };
    let (scratch, origin) = (&scratch, &origin);
    let chain = Chain { scratch, origin, base, current: &current, declared: &declared, renamed: &renamed };
    let files = proved(&chain, &target.versions, new, up).await;
    spinner.finish_and_clear();
    files
}

async fn proved(chain: &Chain<'_>, folder: &Path, new: &NewRevision, up: Vec<Step>) -> Result<Vec<NewFile>> {
    let files = match chain.files(folder, new, parts(up.clone(), chain.declared, false)).await {
        Err(Unproved::NeedsCommit) => chain.files(folder, new, parts(up, chain.declared, true)).await,
        other => other,
    };
    files.map_err(Unproved::into_failure)
}

/// The files of the revisions that make an empty database what is declared; none when that is nothing.
pub(in crate::commands) async fn baseline(
    scratch: &Scratch<'_>,
    declared: &Schema,
    folder: &Path,
    new: &NewRevision,
) -> Result<Vec<NewFile>> {
    let origin = scratch.database().await?;
    let current = scratch.read(&origin).await?;
    let up = plan(&current, declared);
    if up.is_empty() {
        return Ok(Vec::new());
    }
    let renamed = Renamed::nothing(&current);
    let chain = Chain { scratch, origin: &origin, base: &[], current: &current, declared, renamed: &renamed };
    proved(&chain, folder, new, up).await
}

fn refuse_loss(up: &[Step], undecided: &[Rename]) -> Result<()> {
    let losses: Vec<_> = up
        .iter()
        .filter_map(|step| {
            let mut hazards = step.statements.iter().flat_map(|statement| &statement.hazards);
            let loss = hazards.find(|hazard| matches!(hazard, Hazard::LosesData(_)))?;
            Some(format!("  {}", printable(&format!("{}: {loss}", step.object))))
        })
        .collect();
    if losses.is_empty() {
        return Ok(());
    }
    let likely: Vec<_> = undecided.iter().map(|rename| format!("`--rename {rename}`")).collect();
    let rename = if likely.is_empty() { "`--rename OLD=NEW`".to_owned() } else { likely.join(" ") };
    let hint = format!("if it has another name now, say so: {rename}; if it is to go, add `--allow-data-loss`");
    Err(Failure::refused(format!("this would lose data\n{}", losses.join("\n"))).with_hint(hint))
}
