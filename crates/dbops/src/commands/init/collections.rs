//! A Qdrant server: one that is to be filled, or one whose collections become declared ones.

use std::path::Path;

use dbops_qdrant::{file_text, found, parse_file, plan};

use super::Adopted;
use super::draft::Draft;
use super::files::File;
use crate::commands::{Context, qdrant};
use crate::config::QdrantTarget;
use crate::failure::{Failure, Result};

const EMPTY: &str = "\
# The Qdrant collections. `dbops qdrant plan` shows what differs on the server,
# `dbops qdrant apply` (and `dbops migrate`) changes it; `dbops config schema
# --collections` prints a schema for editors.
#
#   chunks_v1:
#     alias: chunks
#     vectors: { size: 384, distance: Cosine }
#     payload_indexes:
#       source: { type: keyword }

";

const FOUND: &str = "\
# The Qdrant collections, as `dbops init` found them. What has the value that a
# server takes by itself is left out, and is not compared. `dbops qdrant plan`
# shows what differs on the server, `dbops qdrant apply` (and `dbops migrate`)
# changes it; `dbops config schema --collections` prints a schema for editors.

";

/// The file of a server that is to be filled.
pub(super) fn empty(folder: &Path) -> Adopted {
    let text = format!("{EMPTY}{}", file_text(&[]));
    let files = vec![File { path: folder.join("collections.yaml"), text }];
    Adopted { files, ..Adopted::default() }
}

/// Declares what is on a server, and looks whether that is what is there.
pub(super) async fn adopt(context: &Context, draft: &Draft, target: &QdrantTarget, folder: &Path) -> Result<Adopted> {
    let name = &draft.name;
    let with_name = |error: dbops_qdrant::Error| without_keys(error.into(), draft).context(name);
    let server = qdrant::connect(target).map_err(|failure| without_keys(failure, draft))?;
    let live = server.live_whole().await.map_err(with_name)?;
    let found = found(&live);
    for what in &found.left_out {
        context.ui.warn(format!("{name}: not declared: {what}"));
    }
    let path = folder.join("collections.yaml");
    let text = format!("{FOUND}{}", file_text(&found.specs));
    let declared = parse_file(&path, &text)?;
    let differing: Vec<_> = plan(&declared, &live).map_err(with_name)?.changes;
    if let Some(first) = differing.first() {
        let message =
            format!("{name}: what was read does not declare what is there: {} of {}", first.what, first.collection);
        let hint = format!("nothing was written; begin with `dbops init --qdrant {name}=URL`, and declare it by hand");
        return Err(Failure::refused(message).with_hint(hint));
    }
    let collections = Some(declared.len());
    Ok(Adopted { files: vec![File { path, text }], collections, ..Adopted::default() })
}

/// Hints name the keys of a configuration, which is not written yet: what has their values are variables.
fn without_keys(mut failure: Failure, draft: &Draft) -> Failure {
    let variables = [("`grpc_port`", draft.variable_for("GRPC_PORT")), ("`api_key`", draft.variable_for("API_KEY"))];
    failure.hint = failure.hint.map(|hint| {
        let hint = hint.replace("`url`", "the URL");
        variables.iter().fold(hint, |hint, (key, variable)| hint.replace(key, variable))
    });
    failure
}
