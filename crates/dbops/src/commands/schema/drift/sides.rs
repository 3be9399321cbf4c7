//! The sides of a target: read side by side, all in PostgreSQL's own words.

use dbops_migrate::{Graph as Revisions, Rows, plan, read_rows};
use dbops_postgres::{SqlError, Version, connect};
use dbops_schema_graph::{Graph, read};
use futures_util::future::{join, try_join3};

use super::Subject;
use crate::commands::Context;
use crate::commands::replay::{replay, schema_of};
use crate::commands::scratch::Scratch;
use crate::failure::{Failure, Result};

/// A target's schema as each side has it; nothing for a side that it does not have, or that was not asked.
pub(super) struct Sides {
    pub(super) declared: Option<Graph>,
    /// Where the revisions lead in the end.
    pub(super) revisions: Option<Graph>,
    /// Where they lead as far as the database says it has them, when that is not the end.
    pub(super) applied: Option<Graph>,
    pub(super) live: Option<Graph>,
    /// The revisions that the database does not say it has.
    pub(super) pending: Vec<String>,
    /// What its version table says and no file has.
    pub(super) unknown: Vec<String>,
}

/// A database as it is, with its version table's rows.
struct Live {
    graph: Graph,
    rows: Vec<String>,
    version: Version,
}

pub(super) async fn read_sides(context: &Context, scratch: &Scratch<'_>, subject: &Subject<'_>) -> Result<Sides> {
    let declared = async {
        match &subject.declared {
            Some(files) => Ok::<_, Failure>(Some(scratch.load(files).await?)),
            None => Ok(None),
        }
    };
    let rest = async {
        let live = if subject.offline { None } else { Some(live(subject).await?) };
        let replayed = match &subject.revisions {
            Some(graph) => replayed(scratch, graph, live.as_ref()).await?,
            None => Replayed::default(),
        };
        Ok((live, replayed))
    };
    let (declared, (live, replayed), version) = try_join3(declared, rest, scratch.version()).await?;
    // PostgreSQL prints a view's query in the way of its major version, and knows that version's statements.
    if let Some(live) = live.as_ref().filter(|live| live.version.major != version.major) {
        context.ui.warn(format!(
            "{} runs PostgreSQL {} and is compared with what {version} makes of the files: views may seem to differ, and \
             statements may be newer than it knows; DBOPS_PG_BIN names the programs of {}",
            subject.name, live.version, live.version.major
        ));
    }
    let Replayed { revisions, applied, pending, unknown } = replayed;
    Ok(Sides { declared, revisions, applied, live: live.map(|live| live.graph), pending, unknown })
}

async fn live(subject: &Subject<'_>) -> Result<Live> {
    let url = &subject.target.url;
    let unreachable = |error: dbops_postgres::ConnectError| {
        let hint = format!("{}; `--offline` compares the files alone", error.hint());
        Failure::from(error).with_hint(hint)
    };
    let mut client = connect(url).await.map_err(unreachable)?;
    let version = Version::of_server(&client).await.map_err(SqlError::from)?;
    let (graph, rows) = join(read(&mut client), read_rows(url)).await;
    Ok(Live { graph: graph?, rows: rows?.unwrap_or_default(), version })
}

/// What the revisions make of an empty database.
#[derive(Default)]
struct Replayed {
    revisions: Option<Graph>,
    applied: Option<Graph>,
    pending: Vec<String>,
    unknown: Vec<String>,
}

/// Runs the revisions on an empty database: as far as the live one says it has them, then to the end.
async fn replayed(scratch: &Scratch<'_>, graph: &Revisions, live: Option<&Live>) -> Result<Replayed> {
    let url = scratch.database().await?;
    let mut replayed = Replayed::default();
    if let Some(live) = live {
        let (rows, unknown) = Rows::known(graph, &live.rows);
        // Where a row says nothing, nobody knows what is applied.
        if unknown.is_empty() {
            replayed.pending = plan::pending(graph, &rows);
        }
        if !replayed.pending.is_empty() {
            for row in &live.rows {
                replay(&url, graph, row).await?;
            }
            replayed.applied = Some(schema_of(&url).await?);
        }
        replayed.unknown = unknown;
    }
    replay(&url, graph, "heads").await?;
    replayed.revisions = Some(schema_of(&url).await?);
    Ok(replayed)
}
