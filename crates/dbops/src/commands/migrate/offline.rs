//! `migrate upgrade RANGE --sql`: a script for psql instead of a run.

use dbops_migrate::{Direction, Error, plan_offline, script};
use serde::Serialize;

use super::run::{MoveArgs, Prepared, RunFlags};
use crate::commands::{Context, Outcome};
use crate::failure::{Failure, Result};

#[derive(Serialize)]
struct ScriptDocument {
    targets: Vec<ScriptTarget>,
}

#[derive(Serialize)]
struct ScriptTarget {
    name: String,
    sql: String,
}

pub(super) fn print(
    context: &Context,
    prepared: &[Prepared<'_>],
    args: &MoveArgs,
    direction: Direction,
    flags: &RunFlags,
) -> Result<Outcome> {
    if let [first, _, ..] = prepared {
        // One script is for one database.
        return Err(Failure::usage("a script for which target?").with_hint(format!("add `-t {}`", first.name)));
    }
    let mut targets = Vec::new();
    for one in prepared {
        let render = || -> std::result::Result<String, Error> {
            let (rows, steps) = plan_offline(&one.graph, &args.revision, direction)?;
            script(&one.graph, &rows, &steps, &flags.options(args.single_transaction))
        };
        let sql = render().map_err(|error| Failure::from(error).context(one.name))?;
        context.ui.script(sql.trim_end())?;
        targets.push(ScriptTarget { name: one.name.to_owned(), sql });
    }
    context.ui.document(&ScriptDocument { targets })?;
    Ok(Outcome::Done)
}
