//! Comments of a declared schema that say what has another name now: `-- dbops:rename users.name=full_name`.

use dbops_migrate::line_comments;

use super::SchemaFile;
use super::load::line;
use crate::failure::{Failure, Result};

/// A new name that a comment gives.
pub(crate) struct DeclaredRename {
    /// `file:line`.
    pub(crate) place: String,
    /// `OLD=NEW`.
    pub(crate) text: String,
}

/// The comments, file by file.
pub(crate) fn renames(files: &[SchemaFile]) -> Result<Vec<DeclaredRename>> {
    let mut renames = Vec::new();
    for SchemaFile { name, text } in files {
        for (start, comment) in line_comments(text) {
            let Some(rest) = comment.strip_prefix("dbops:rename") else { continue };
            let place = format!("{name}:{}", line(text, start));
            let rest = rest.trim();
            if !rest.contains('=') {
                return Err(Failure::usage(format!("{place}: the comment has no OLD=NEW"))
                    .with_hint("write `-- dbops:rename users.name=full_name`"));
            }
            renames.push(DeclaredRename { place, text: rest.to_owned() });
        }
    }
    Ok(renames)
}
