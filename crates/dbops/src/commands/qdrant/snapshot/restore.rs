//! `qdrant snapshot restore`: a collection as a snapshot has it.

use std::path::Path;

use clap::Args;
use dbops_qdrant::{Server, Transferred};
use indicatif::HumanBytes;
use serde::Serialize;
use tempfile::NamedTempFile;

use super::super::nodes::one_node;
use super::{download, named};
use crate::commands::{Context, Outcome};
use crate::config::QdrantTarget;
use crate::failure::{Failure, Result};

#[derive(Args)]
pub(in super::super) struct RestoreArgs {
    /// The collection, by its own name; it is created when there is none
    collection: String,
    /// A snapshot's file, or the name of one of the collection's snapshots on the server
    #[arg(value_name = "FILE|NAME")]
    snapshot: String,
    /// Replace a collection that holds points; they are lost
    #[arg(long)]
    overwrite: bool,
    /// Refuse a file whose SHA-256 is another than this
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
}

/// `{"target", "collection", "bytes", "sha256", "points", "points_before"}`. `points_before` is null when there was no
/// such collection.
#[derive(Serialize)]
struct RestoreDocument<'a> {
    target: &'a str,
    collection: &'a str,
    bytes: u64,
    sha256: &'a str,
    points: u64,
    points_before: Option<u64>,
}

pub(super) async fn restore(
    context: &Context,
    (target, options): (&str, &QdrantTarget),
    args: &RestoreArgs,
    node: Option<&str>,
) -> Result<Outcome> {
    let collection = args.collection.as_str();
    let failed = |failure: Failure| failure.context(format!("cannot restore {collection} on {target}"));
    let server = one_node(options, node).await?.server;
    let before = points_before(&server, collection, args.overwrite).await.map_err(failed)?;
    let uploaded = upload(context, target, &server, args).await.map_err(failed)?;
    let points = server.count(collection).await?;
    let was = before.map_or_else(|| "is new".to_owned(), |before| format!("held {before} points"));
    context.ui.status(format!("{target}: {collection} {was}, and now holds {points}; SHA-256 {}", uploaded.sha256));
    context.ui.document(&RestoreDocument {
        target,
        collection,
        bytes: uploaded.bytes,
        sha256: &uploaded.sha256,
        points,
        points_before: before,
    })?;
    Ok(Outcome::Done)
}

/// How many points would be replaced. Refuses when there are some and nobody said that they may go.
async fn points_before(server: &Server, collection: &str, overwrite: bool) -> Result<Option<u64>> {
    let (collections, aliases) = server.collections_and_aliases().await?;
    if let Some(behind) = aliases.get(collection) {
        return Err(Failure::refused(format!("`{collection}` is an alias"))
            .with_hint(format!("name the collection behind it, `{behind}`, or a new one")));
    }
    if !collections.iter().any(|known| known == collection) {
        return Ok(None);
    }
    let points = server.count(collection).await?;
    if points > 0 && !overwrite {
        return Err(Failure::refused(format!("{collection} holds {points} points")).with_hint(
            "restore into another collection, and move the alias; or pass --overwrite to lose what it holds",
        ));
    }
    Ok(Some(points))
}

async fn upload(context: &Context, target: &str, server: &Server, args: &RestoreArgs) -> Result<Transferred> {
    let file = Path::new(&args.snapshot);
    if file.is_file() {
        return upload_file(context, target, server, args, file).await;
    }
    let is_known = server.has_collection(&args.collection).await?;
    if !is_known || file.components().count() != 1 {
        return Err(Failure::usage(format!("there is no file {}", file.display())));
    }
    // A server takes a snapshot of its own only by its path there, which no client knows: it goes there and back.
    let snapshot = named(server, &args.collection, &args.snapshot).await?;
    let passing = NamedTempFile::new()?;
    download::fetch(context, target, server, &snapshot, passing.path()).await?;
    upload_file(context, target, server, args, passing.path()).await
}

async fn upload_file(
    context: &Context,
    target: &str,
    server: &Server,
    args: &RestoreArgs,
    file: &Path,
) -> Result<Transferred> {
    let ui = &context.ui;
    let bar = ui.transfer(format!("{target}: reading {}", args.snapshot), file.metadata()?.len());
    let read = Transferred::of_file(file, |bytes| bar.set_position(bytes)).await;
    bar.finish_and_clear();
    let read = read?;
    if let Some(expected) = args.sha256.as_ref().filter(|expected| !expected.eq_ignore_ascii_case(&read.sha256)) {
        return Err(Failure::refused(format!("{} has the SHA-256 {}, not {expected}", args.snapshot, read.sha256))
            .with_hint("download it again: it is damaged, or another snapshot"));
    }
    ui.detail(format!("{target}: {} of {}", HumanBytes(read.bytes), args.snapshot));
    let bar = ui.transfer(format!("{target}: {}", args.collection), read.bytes);
    let sent = bar.clone();
    let uploaded = server.upload_snapshot(&args.collection, file, &read, move |bytes| sent.inc(bytes)).await;
    bar.finish_and_clear();
    uploaded?;
    Ok(read)
}
