//! `qdrant snapshot download`: a snapshot as a file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use dbops_qdrant::{Server, Snapshot, Transferred};
use indicatif::HumanBytes;
use serde::Serialize;
use tempfile::TempPath;

use super::located;
use crate::commands::{Context, Outcome};
use crate::config::QdrantTarget;
use crate::failure::{Failure, Result};

#[derive(Args)]
pub(in super::super) struct DownloadArgs {
    /// The collection, by its name or alias
    collection: String,
    /// The snapshot, as `list` shows it
    name: String,
    /// The file, by default the snapshot's name in this folder; it arrives as FILE.part
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

/// `{"target", "collection", "snapshot", "path", "bytes", "sha256"}`.
#[derive(Serialize)]
struct DownloadDocument<'a> {
    target: &'a str,
    collection: &'a str,
    snapshot: &'a str,
    path: &'a Path,
    bytes: u64,
    sha256: &'a str,
}

pub(super) async fn download(
    context: &Context,
    (target, options): (&str, &QdrantTarget),
    args: &DownloadArgs,
    node: Option<&str>,
) -> Result<Outcome> {
    let path = args.to.clone().map_or_else(|| own_file(&args.name), Ok)?;
    let is_there = || Failure::refused(format!("{} is there already", path.display())).with_hint("choose another file");
    if path.symlink_metadata().is_ok() {
        return Err(is_there());
    }
    let (node, snapshot) = located(options, node, &args.collection, &args.name).await?;
    let part = beside(&path);
    let arrived = fetch(context, target, &node.server, &snapshot, &part).await?;
    let part = TempPath::try_from_path(&part)?;
    part.persist_noclobber(&path).map_err(|failed| {
        // The snapshot has arrived, and is not to go with the path.
        drop(failed.path.keep());
        if failed.error.kind() == ErrorKind::AlreadyExists { is_there() } else { failed.error.into() }
    })?;
    let Transferred { bytes, sha256 } = arrived;
    context.ui.status(format!("{target}: {}, {}", path.display(), HumanBytes(bytes)));
    context.ui.data(format!("{sha256}  {}", path.display()))?;
    context.ui.document(&DownloadDocument {
        target,
        collection: &snapshot.collection,
        snapshot: &snapshot.name,
        path: &path,
        bytes,
        sha256: &sha256,
    })?;
    Ok(Outcome::Done)
}

/// Downloads what is not in the file yet, with a bar.
pub(super) async fn fetch(
    context: &Context,
    target: &str,
    server: &Server,
    snapshot: &Snapshot,
    file: &Path,
) -> Result<Transferred> {
    let bar = context.ui.transfer(format!("{target}: {}", snapshot.name), snapshot.bytes);
    let arrived = server.download_snapshot_to(snapshot, file, |bytes| bar.set_position(bytes)).await;
    bar.finish_and_clear();
    Ok(arrived?)
}

/// The snapshot's name as that of a file here. The server chose it: it may lead elsewhere.
fn own_file(name: &str) -> Result<PathBuf> {
    let path = Path::new(name);
    if path.file_name().is_some_and(|own| own == name) {
        return Ok(path.to_path_buf());
    }
    Err(Failure::usage(format!("`{name}` is not the name of a file")).with_hint("say with --to where it is to go"))
}

fn beside(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}
