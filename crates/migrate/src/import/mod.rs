//! An Alembic project turned into revision files. Alembic itself renders the SQL, in its offline mode.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, io::Write};

use dbops_postgres::process::{self, ProcessError};
use jiff::Timestamp;
use serde::Deserialize;

use crate::folder::file_name;
use crate::parse::parse;
use crate::{Error, Graph, load_folder};

/// How long the project's Python may take: env.py may do anything.
const LIMIT: Duration = Duration::from_secs(600);

/// What Alembic calls its version table unless it is told otherwise.
const VERSION_TABLE: &str = "alembic_version";

/// A revision as Alembic has it, with its SQL.
#[derive(Debug, Deserialize)]
pub struct Exported {
    revision: String,
    revises: Vec<String>,
    depends_on: Vec<String>,
    branch_labels: Vec<String>,
    message: String,
    created: Timestamp,
    path: PathBuf,
    /// env.py has all revisions of a run in one transaction.
    shared: bool,
    /// Where env.py has the revisions of a database kept.
    version_table: String,
    up: Rendered,
    down: Rendered,
}

/// What one of a revision's functions gave.
#[derive(Debug, Default, Deserialize)]
struct Rendered {
    #[serde(default)]
    sql: String,
    #[serde(default = "yes")]
    transaction: bool,
    /// Why it could not be rendered.
    error: Option<String>,
    /// It raises `NotImplementedError`, or is missing.
    #[serde(default)]
    refuses: bool,
}

fn yes() -> bool {
    true
}

/// A revision file that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its id.
    pub revision: String,
    /// Alembic's file.
    pub source: PathBuf,
    /// The new file.
    pub path: PathBuf,
    /// What it will hold.
    text: String,
    /// Why it cannot be run as it is.
    pub stub: Option<String>,
    /// It is there already.
    pub unchanged: bool,
}

/// Has the project's Python render every revision. `command` starts Python in the environment that the project needs.
///
/// # Errors
///
/// When Python or Alembic cannot be started, or env.py fails.
pub async fn export(mut command: Command, ini: &Path) -> Result<Vec<Exported>, Error> {
    let program = process::name_of(&command);
    command.arg("-c").arg(include_str!("export.py")).arg(ini);
    let output = process::run(command, LIMIT).await.map_err(|source| Error::Export { source: last_line(source) })?;
    serde_json::from_slice(&output).map_err(|error| Error::ExportUnreadable { program, reason: error.to_string() })
}

/// Only what the export says at its end: env.py may log anything before.
fn last_line(error: ProcessError) -> ProcessError {
    match error {
        ProcessError::Failed { program, status, stderr } => {
            ProcessError::Failed { program, status, stderr: process::last_lines(&stderr, 1) }
        }
        other => other,
    }
}

/// Plans the files of a folder; nothing is written.
///
/// # Errors
///
/// When a file that is there differs, the files would contradict each other, or Alembic keeps the revisions of a
/// database where dbops does not look: to it everything would seem to be pending.
pub fn plan_import(exported: &[Exported], folder: &Path) -> Result<Vec<Imported>, Error> {
    if let Some(elsewhere) = exported.iter().map(|one| &one.version_table).find(|table| *table != VERSION_TABLE) {
        return Err(Error::OtherVersionTable { table: elsewhere.clone() });
    }
    let existing = if folder.is_dir() { load_folder(folder)? } else { Vec::new() };
    let mut files = Vec::with_capacity(exported.len());
    for one in exported {
        let mut file = file(one, folder);
        if let Some(other) = existing.iter().find(|other| other.id == one.revision) {
            if other.text != file.text {
                return Err(Error::ImportDiffers { revision: one.revision.clone(), path: other.path.clone() });
            }
            file.path.clone_from(&other.path);
            file.unchanged = true;
        }
        files.push(file);
    }
    let new = files.iter().filter(|file| !file.unchanged);
    let mut all = new.map(|file| parse(&file.path, &file.text)).collect::<Result<Vec<_>, _>>()?;
    all.extend(existing);
    Graph::new(all)?;
    Ok(files)
}

/// Writes the files that are not there yet; each appears whole, and no file is overwritten.
///
/// # Errors
///
/// When a file cannot be written.
pub fn write_import(files: &[Imported], folder: &Path) -> Result<(), Error> {
    let io_error = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Io { path, source }
    };
    fs::create_dir_all(folder).map_err(io_error(folder))?;
    for file in files.iter().filter(|file| !file.unchanged) {
        let mut temporary = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).map_err(io_error(folder))?;
        temporary.write_all(file.text.as_bytes()).map_err(io_error(&file.path))?;
        let written = temporary.persist_noclobber(&file.path).map_err(|error| error.error);
        let readable = fs::Permissions::from_mode(0o644);
        written.and_then(|it| it.set_permissions(readable)).map_err(io_error(&file.path))?;
    }
    Ok(())
}

fn file(one: &Exported, folder: &Path) -> Imported {
    let path = folder.join(file_name(one.created, &one.revision, &one.message));
    let mut text = text(one, one.up.error.as_deref());
    let mut stub = one.up.error.clone();
    // What a revision file cannot hold, such as a COPY from the client.
    if let Err(error) = parse(&path, &text) {
        let reason = format!("line {} of its SQL: {}", error.line, error.message);
        text = self::text(one, Some(&reason));
        stub = Some(reason);
    }
    Imported { revision: one.revision.clone(), source: one.path.clone(), path, text, stub, unchanged: false }
}

/// The text of a revision file; of one that refuses to run, when there is a reason.
fn text(one: &Exported, stub: Option<&str>) -> String {
    let mut header = vec![
        format!("revision: {}", one.revision),
        format!("revises: {}", one.revises.join(", ")),
        format!("branch_labels: {}", one.branch_labels.join(", ")),
        format!("depends_on: {}", one.depends_on.join(", ")),
        format!("message: {}", one.message),
        format!("created: {}", one.created.strftime("%Y-%m-%dT%H:%M:%SZ")),
    ];
    if !one.up.transaction || !one.down.transaction {
        header.push("transaction: off".into());
    } else if one.shared {
        header.push("transaction: shared".into());
    }
    if let Some(reason) = stub {
        header.push(format!("stub: {reason}"));
    }
    let mut text: String = header.iter().map(|line| format!("-- {}\n", line.trim_end())).collect();
    let name = one.path.file_name().unwrap_or_default().to_string_lossy();
    text.push_str(&format!("-- Imported from {name}\n\n-- +up\n"));
    let is_stub = stub.is_some();
    text.push_str(&if is_stub { commented(&one.up.sql) } else { section(&one.up.sql) });
    text.push_str("\n-- +down\n");
    text.push_str(&match &one.down {
        Rendered { error: Some(reason), .. } => format!("-- stub: {reason}\n"),
        // An empty section: there is no way down.
        Rendered { refuses: true, .. } => String::new(),
        Rendered { sql, .. } if sql.is_empty() => "-- nothing to undo\n".into(),
        Rendered { sql, .. } if is_stub => commented(sql),
        Rendered { sql, .. } => section(sql),
    });
    text
}

fn section(sql: &str) -> String {
    if sql.is_empty() { String::new() } else { format!("{sql}\n") }
}

/// SQL as comments, none of which looks like a section's marker.
fn commented(sql: &str) -> String {
    sql.lines().map(|line| format!("-- | {line}\n")).collect()
}
