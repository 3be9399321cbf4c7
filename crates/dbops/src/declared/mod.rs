//! The declared schema of a target: its files, or what a program prints, and what they make of an empty database.

mod extensions;
mod load;
mod renames;

use std::path::{Path, PathBuf};
use std::time::Duration;

use dbops_postgres::process::{self, ProcessError};

pub(crate) use extensions::extensions;
pub(crate) use load::{execute_inventing_roles, invent_role, load};
pub(crate) use renames::{DeclaredRename, renames};

use crate::config::{DeclaredSchema, Program};
use crate::environment::Environment;
use crate::failure::{Failure, FailureKind, Result};

/// How long a program may take to print the schema, and how much it may print.
const LIMIT: Duration = Duration::from_secs(60);
const MOST: u64 = 64 << 20;

/// One file of a declared schema, or what a program printed.
pub(crate) struct SchemaFile {
    /// Its path, or whose output it is.
    name: String,
    text: String,
}

impl SchemaFile {
    /// A file that is not written yet.
    pub(crate) fn new(name: String, text: String) -> Self {
        Self { name, text }
    }
}

/// Reads a file, the `.sql` files of a folder and those below it by name, or what a program prints.
pub(crate) async fn read(schema: &DeclaredSchema, environment: &Environment) -> Result<Vec<SchemaFile>> {
    match schema {
        DeclaredSchema::Path(path) => read_path(path),
        DeclaredSchema::Program(program) => Ok(vec![printed(program, environment).await?]),
    }
}

/// Reads a file, or the `.sql` files of a folder and those below it by name.
pub(crate) fn read_path(path: &Path) -> Result<Vec<SchemaFile>> {
    let unreadable = |path: &Path, error| {
        Failure::usage(format!("cannot read the declared schema {}: {error}", path.display()))
            .with_hint("correct `schema` in the configuration: it names a file or a folder of .sql files")
    };
    let mut paths = vec![path.to_path_buf()];
    if path.is_dir() {
        paths = Vec::new();
        files_below(path, &mut paths).map_err(|error| unreadable(path, error))?;
        paths.sort();
    }
    let read = |path: PathBuf| match std::fs::read_to_string(&path) {
        Ok(text) => Ok(SchemaFile { name: path.display().to_string(), text }),
        Err(error) => Err(unreadable(&path, error)),
    };
    paths.into_iter().map(read).collect()
}

/// Links to folders are not followed: they may lead in a circle. What is hidden is an editor's or a version control's.
fn files_below(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files_below(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            paths.push(path);
        }
    }
    Ok(())
}

async fn printed(program: &Program, environment: &Environment) -> Result<SchemaFile> {
    let mut command = process::command(&program.path);
    // It is the project's own code, which runs as it does without dbops.
    command.env_clear().envs(environment.all()).args(&program.arguments).current_dir(&program.folder);
    let output = process::run_capped(command, LIMIT, MOST).await.map_err(|error| {
        // A program that is not there is a mistake in the configuration.
        let (kind, hint) = match &error {
            ProcessError::Start { .. } => {
                (FailureKind::Usage, "correct `schema: {command: […]}`, or install the program")
            }
            _ => (
                FailureKind::Failed,
                "run it by hand in the configuration's folder: it has to print DDL and nothing else",
            ),
        };
        Failure::new(kind, error).context(format!("{program} does not print the declared schema")).with_hint(hint)
    })?;
    let name = format!("output of {program}");
    let text = String::from_utf8(output).map_err(|_| {
        Failure::usage(format!("the {name} is not UTF-8")).with_hint("have it print DDL and nothing else, in UTF-8")
    })?;
    Ok(SchemaFile { name, text })
}
