//! `dbops restore --undo-swap [TARGET]`: what was live before the latest swap is live again.

use dbops_backup::{Undone, undo_qdrant_swap, undo_swap};
use serde::Serialize;

use super::super::qdrant::{connect, warn_of_differences};
use super::super::{Context, Outcome};
use super::RestoreArgs;
use crate::config::{Config, TargetKind};
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint};

#[derive(Serialize)]
struct UndoneDocument {
    targets: Vec<UndoneTarget>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum UndoneTarget {
    Database {
        name: String,
        database: String,
        /// What the database was called that is live now.
        from: String,
        /// What the one is called now that was live.
        kept: String,
    },
    Server {
        name: String,
        aliases: Vec<UndoneAlias>,
    },
}

#[derive(Serialize)]
struct UndoneAlias {
    name: String,
    /// Where it led until now.
    from: String,
    to: String,
}

pub(super) async fn run(context: &Context, config: &Config, args: &RestoreArgs) -> Result<Outcome> {
    let mut names = args.targets.clone();
    names.extend(args.from.iter().chain(&args.target).cloned());
    if names.is_empty() {
        let failure = Failure::usage("--undo-swap takes the targets to go back with");
        return Err(failure.with_hint("name them: dbops restore --undo-swap TARGET"));
    }
    let mut done = Vec::new();
    for target in config.select(&names)? {
        let name = target.name.clone();
        let undone = match &target.kind {
            TargetKind::Postgres(postgres) => {
                let undone = undo_swap(&postgres.url, args.database.disconnect).await?;
                let Undone { database, from, kept } = undone;
                context
                    .ui
                    .data(format!("{}: {from} is live again; what was live is {kept} now", paint(STRONG, &database)))?;
                UndoneTarget::Database { name, database, from, kept }
            }
            TargetKind::Qdrant(qdrant) => {
                let moved = undo_qdrant_swap(&connect(qdrant)?).await.map_err(dbops_backup::Error::from)?;
                let mut aliases = Vec::new();
                for (alias, from, to) in moved {
                    context
                        .ui
                        .data(format!("{}: leads to {to} again; {from} is still there", paint(STRONG, &alias)))?;
                    aliases.push(UndoneAlias { name: alias, from, to });
                }
                UndoneTarget::Server { name, aliases }
            }
        };
        done.push(undone);
    }
    context.ui.document(&UndoneDocument { targets: done })?;
    warn_of_differences(context, config, &names).await;
    Ok(Outcome::Done)
}
