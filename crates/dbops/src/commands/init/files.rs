//! What is written: files that were not there, each whole, and a line for git.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dbops_migrate::{Imported, write_import};
use dbops_postgres::process::{self, ProcessError};

use super::draft::{Draft, Origin};
use crate::commands::Context;
use crate::failure::{Failure, Result};

/// How long git may think about one path.
const GIT_LIMIT: Duration = Duration::from_secs(10);

/// A file that is to be.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// The project's folder, which may not be there yet.
pub(super) fn root(context: &Context, folder: &Path) -> PathBuf {
    let folder = context.environment.working_directory.join(folder);
    folder.canonicalize().unwrap_or(folder)
}

/// Refuses to begin where something is that would be written.
pub(super) fn refuse_existing(context: &Context, root: &Path, drafts: &[Draft]) -> Result<()> {
    let mut paths = vec![root.join("dbops.yaml"), root.join("config/dbops.yaml")];
    for draft in drafts {
        let folder = root.join("config").join(&draft.name);
        let own: &[&str] = match draft.origin {
            Origin::Postgres | Origin::Database => &["versions", "schema.sql"],
            Origin::Alembic(_) => &["versions", "print_ddl.py"],
            Origin::Qdrant | Origin::Collections => &["collections.yaml"],
        };
        paths.extend(own.iter().map(|name| folder.join(name)));
    }
    let is_empty_folder = |path: &Path| fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    paths.retain(|path| path.symlink_metadata().is_ok() && !is_empty_folder(path));
    let shown: Vec<_> = paths.iter().map(|path| context.environment.shown(path).to_string()).collect();
    if shown.is_empty() { Ok(()) } else { Err(in_the_way(&shown.join(", "))) }
}

fn in_the_way(paths: &str) -> Failure {
    Failure::refused(format!("already there, and not overwritten: {paths}"))
        .with_hint("nothing was written; name another folder, `dbops init DIR`, or move these away")
}

/// Writes all files or none: a failure leaves nothing behind, and a kill no half file.
pub(super) fn write(imported: &[Imported], files: &[File]) -> Result<()> {
    let mut written = Vec::new();
    let made = missing_folders(imported.iter().map(|one| &one.path).chain(files.iter().map(|file| &file.path)));
    let outcome = write_each(imported, files, &mut written);
    if outcome.is_err() {
        for path in written {
            // What cannot be removed either is seen by the next run, which refuses.
            let _ = fs::remove_file(path);
        }
        for folder in made {
            // It is not there yet, or somebody put something into it meanwhile.
            let _ = fs::remove_dir(folder);
        }
    }
    outcome
}

/// The folders that have to be made for these files, each before those above it.
fn missing_folders<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Vec<&'a Path> {
    let above = paths.flat_map(|path| path.ancestors().skip(1));
    let mut missing: Vec<_> = above.filter(|folder| folder.symlink_metadata().is_err()).collect();
    missing.sort_unstable_by(|a, b| b.cmp(a));
    missing.dedup();
    missing
}

fn write_each(imported: &[Imported], files: &[File], written: &mut Vec<PathBuf>) -> Result<()> {
    for one in imported {
        write_import(std::slice::from_ref(one), folder_of(&one.path))?;
        written.push(one.path.clone());
    }
    for file in files {
        let folder = folder_of(&file.path);
        fs::create_dir_all(folder)
            .map_err(|error| Failure::from(error).context(format!("cannot make the folder {}", folder.display())))?;
        write_one(file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => in_the_way(&file.path.display().to_string()),
            _ => Failure::from(error).context(format!("cannot write {}", file.path.display())),
        })?;
        written.push(file.path.clone());
    }
    Ok(())
}

fn write_one(file: &File) -> std::io::Result<()> {
    let temporary = new_beside(&file.path, &file.text, fs::Permissions::from_mode(0o644))?;
    temporary.persist_noclobber(&file.path).map_err(|error| error.error)?;
    Ok(())
}

/// A file under another name in the same folder.
fn new_beside(path: &Path, text: &str, permissions: fs::Permissions) -> std::io::Result<tempfile::NamedTempFile> {
    let mut temporary = tempfile::Builder::new().prefix(".new-").tempfile_in(folder_of(path))?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().set_permissions(permissions)?;
    Ok(temporary)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Has git ignore the backups, where the project is in a work tree of git's and it does not yet. Gives the changed file.
pub(super) async fn ignore(context: &Context, root: &Path) -> Result<Option<PathBuf>> {
    let mut git = process::command("git");
    git.env_clear().envs(context.environment.for_programs()).current_dir(root);
    git.args(["check-ignore", "--quiet", ".dbops/backups"]);
    // 0: it is ignored; 1: it is not; else there is no work tree. Without git there is none either.
    let is_tracked = match process::run(git, GIT_LIMIT).await {
        Err(ProcessError::Failed { status, .. }) => status.code() == Some(1),
        _ => false,
    };
    if !is_tracked {
        return Ok(None);
    }
    let path = root.join(".gitignore");
    // A link stays one.
    let place = path.canonicalize().unwrap_or_else(|_| path.clone());
    let (mut text, permissions) = match fs::read_to_string(&place) {
        Ok(text) => (text, fs::metadata(&place)?.permissions()),
        Err(error) if error.kind() == ErrorKind::NotFound => (String::new(), fs::Permissions::from_mode(0o644)),
        Err(error) => return Err(Failure::from(error).context(format!("cannot read {}", path.display()))),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(".dbops/\n");
    new_beside(&place, &text, permissions)?.persist(&place).map_err(|error| error.error)?;
    Ok(Some(path))
}
