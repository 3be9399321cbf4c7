//! What collections were rebuilt from: dropped when it is asked for, and nothing needs it any more.

use dbops_qdrant::{Live, standing};

use super::One;
use crate::failure::{Failure, Result};

/// Drops the collections that were rebuilt into the one that stands for the declared one now, and gives their names.
pub(super) async fn drop_old(one: &One<'_>, live: &Live) -> Result<Vec<String>> {
    let (server, ui) = (&one.target.server, &one.context.ui);
    let declared = &one.target.declared;
    let now = standing(one.spec, declared, &live.aliases);
    let mut dropped = Vec::new();
    for old in live.before(now) {
        if declared.iter().any(|other| other.name == old && other.name != one.spec.name) {
            ui.warn(format!("{old} is declared, and stays"));
            continue;
        }
        if let Some((alias, _)) = live.aliases.iter().find(|(_, behind)| **behind == old) {
            return Err(Failure::refused(format!("{old} is not dropped: the alias {alias} leads to it"))
                .with_hint("move the alias or delete it: `dbops qdrant alias`"));
        }
        let (before, points) = (server.count(&old).await?, server.count(now).await?);
        if points < before {
            let question = format!("drop {old}, which holds {before} points, although {now} holds {points}?");
            ui.confirm(&question).await?;
        } else {
            ui.confirm(&format!("drop {old}, which holds {before} points, and was rebuilt into {now}?")).await?;
        }
        server.delete_collection(&old).await?;
        ui.status(format!("{}: dropped {old}", one.target.name));
        dropped.push(old);
    }
    Ok(dropped)
}
