//! `qdrant shards move`, `replicate` and `drop`: asked for, and waited for.

use std::time::Duration;

use anyhow::anyhow;
use dbops_qdrant::{Cluster, Progress, Server, ShardChange, Shards, Transfer};
use serde::Serialize;

use super::super::{connect, found};
use super::{ShardArgs, TransferArgs, peer};
use crate::commands::{Context, Outcome};
use crate::config::QdrantTarget;
use crate::failure::{Failure, FailureKind, Result};

/// How often the nodes are asked how far they are: Qdrant tells nobody by itself.
const PAUSE: Duration = Duration::from_secs(1);
/// A node that has not heard of a change yet sees what is before it: only what is seen so often in a row is the end.
const FAILURES: u32 = 3;

/// `{"target", "collection", "change", "shard", "from", "to", "done"}`. `change` is move, replicate or drop; `to` is null
/// for a drop; `done` is false when it was not waited for.
#[derive(Serialize)]
struct ChangeDocument<'a> {
    target: &'a str,
    collection: &'a str,
    change: &'static str,
    shard: u32,
    from: u64,
    to: Option<u64>,
    done: bool,
}

/// What is to be changed, and where.
struct Subject<'a> {
    target: &'a str,
    server: Server,
    cluster: Cluster,
    collection: String,
    shards: Shards,
}

pub(super) async fn transfer(
    context: &Context,
    target: (&str, &QdrantTarget),
    args: &TransferArgs,
    stays: bool,
) -> Result<Outcome> {
    let subject = look(target, &args.shard.collection).await?;
    let to = peer(&subject.cluster, &args.to)?;
    let from = args.from.as_deref().map(|from| peer(&subject.cluster, from)).transpose()?;
    let plan = if stays { Shards::plan_replicate } else { Shards::plan_move };
    let change = plan(&subject.shards, args.shard.shard, from, to)?;
    carry_out(context, &subject, change, args.shard.no_wait).await
}

pub(super) async fn drop(
    context: &Context,
    target: (&str, &QdrantTarget),
    args: &ShardArgs,
    from: &str,
) -> Result<Outcome> {
    let subject = look(target, &args.collection).await?;
    let change = subject.shards.plan_drop(args.shard, peer(&subject.cluster, from)?)?;
    context.ui.confirm(&format!("{}?", words(&subject.collection, change))).await?;
    carry_out(context, &subject, change, args.no_wait).await
}

async fn look<'a>((target, options): (&'a str, &QdrantTarget), collection: &str) -> Result<Subject<'a>> {
    let server = connect(options)?;
    let Some(cluster) = server.cluster().await? else {
        return Err(Failure::refused(format!("the server of {target} is in no cluster"))
            .with_hint("a server that stands alone has no other node to move shards to"));
    };
    let collection = found(&server, collection).await?;
    let shards = server.shards(&collection).await?.unwrap_or_default();
    Ok(Subject { target, server, cluster, collection, shards })
}

async fn carry_out(context: &Context, subject: &Subject<'_>, change: ShardChange, no_wait: bool) -> Result<Outcome> {
    let Subject { target, server, collection, .. } = subject;
    let what = words(collection, change);
    let cannot = |failure: Failure| failure.context(format!("cannot {what}"));
    server.change_shards(collection, change).await.map_err(|error| cannot(error.into()))?;
    if !no_wait {
        let spinner = context.ui.spinner(format!("{target}: {what}"));
        let waited = wait(server, collection, change).await;
        spinner.finish_and_clear();
        waited.map_err(cannot)?;
    }
    context.ui.status(format!("{target}: {}: {what}", if no_wait { "asked for" } else { "done" }));
    let (name, shard, from, to) = match change {
        ShardChange::Move(Transfer { shard, from, to, .. }) => ("move", shard, from, Some(to)),
        ShardChange::Replicate(Transfer { shard, from, to, .. }) => ("replicate", shard, from, Some(to)),
        ShardChange::Drop { shard, peer } => ("drop", shard, peer, None),
    };
    context.ui.document(&ChangeDocument { target, collection, change: name, shard, from, to, done: !no_wait })?;
    Ok(Outcome::Done)
}

fn failed(reason: String) -> Failure {
    Failure::new(FailureKind::Failed, anyhow!(reason))
}

async fn wait(server: &Server, collection: &str, change: ShardChange) -> Result<()> {
    let mut failures = 0;
    loop {
        let Some(shards) = server.shards(collection).await? else {
            return Err(failed(format!("the collection {collection} was deleted meanwhile")));
        };
        match shards.progress(change) {
            Progress::Done => return Ok(()),
            Progress::Running => failures = 0,
            Progress::Failed(reason) => {
                failures += 1;
                if failures == FAILURES {
                    return Err(failed(reason).with_hint("see the logs of both nodes, then try again"));
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn words(collection: &str, change: ShardChange) -> String {
    match change {
        ShardChange::Move(Transfer { shard, from, to, .. }) => {
            format!("move shard {shard} of {collection} from node {from} to node {to}")
        }
        ShardChange::Replicate(Transfer { shard, from, to, .. }) => {
            format!("copy shard {shard} of {collection} from node {from} to node {to}")
        }
        ShardChange::Drop { shard, peer } => {
            format!("drop the replica of shard {shard} of {collection} on node {peer}")
        }
    }
}
