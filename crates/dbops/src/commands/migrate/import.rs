//! `migrate import --alembic alembic.ini`: an Alembic project as revision files.

use std::path::{Path, PathBuf};

use clap::Args;
use dbops_migrate::{Imported, export, plan_import, write_import};
use dbops_postgres::process;
use serde::Serialize;

use super::revision::one_target;
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::ui::count;

#[derive(Args)]
pub(super) struct ImportArgs {
    /// The project's alembic.ini
    #[arg(long, value_name = "INI")]
    alembic: PathBuf,
    /// The Python that has Alembic and the project's packages [default: $VIRTUAL_ENV, .venv or venv beside the ini,
    /// python3]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

#[derive(Serialize)]
pub(in crate::commands) struct ImportDocument {
    target: String,
    imported: Vec<ImportedRevision>,
    stubs: Vec<Stub>,
    unchanged: usize,
}

#[derive(Serialize)]
struct ImportedRevision {
    revision: String,
    path: String,
}

#[derive(Serialize)]
struct Stub {
    revision: String,
    source: String,
    path: String,
    reason: String,
}

pub(super) async fn import(
    context: &Context,
    config: &Config,
    targets: &[String],
    args: &ImportArgs,
) -> Result<Outcome> {
    let (name, target) = one_target(config, targets, "an import")?;
    let project = AlembicProject::find(context, &args.alembic, args.python.as_deref())?;
    let files = project.render(context, name, &target.versions).await?;
    write_import(&files, &target.versions).map_err(|error| Failure::from(error).context(name))?;
    let document = report(context, name, files)?;
    summary(context, &document);
    context.ui.document(&document)?;
    Ok(Outcome::Done)
}

/// An Alembic project, and the Python that has it.
pub(in crate::commands) struct AlembicProject {
    pub(in crate::commands) ini: PathBuf,
    pub(in crate::commands) python: PathBuf,
}

impl AlembicProject {
    pub(in crate::commands) fn find(context: &Context, ini: &Path, python: Option<&Path>) -> Result<Self> {
        let ini = context.environment.working_directory.join(ini);
        let ini = ini.canonicalize().map_err(|error| {
            let shown = context.environment.shown(&ini);
            Failure::usage(format!("{shown}: {error}")).with_hint("name the project's alembic.ini")
        })?;
        if ini.is_dir() {
            return Err(Failure::usage(format!("{} is a folder", context.environment.shown(&ini)))
                .with_hint("name the project's alembic.ini, the file in it"));
        }
        let python = match python {
            // It runs in another folder. A name alone is looked up in PATH.
            Some(given) if given.components().count() > 1 => {
                let path = context.environment.working_directory.join(given);
                if !path.is_file() {
                    return Err(Failure::usage(format!("--python: there is no program {}", given.display()))
                        .with_hint("name the Python that has Alembic and the project's packages"));
                }
                path
            }
            Some(given) => given.to_path_buf(),
            None => find_python(context, folder_of(&ini)),
        };
        Ok(Self { ini, python })
    }

    /// The folder that the project's code runs in, as it does under Alembic.
    pub(in crate::commands) fn folder(&self) -> &Path {
        folder_of(&self.ini)
    }

    /// Has Alembic render the revisions as files of a folder; none is written.
    pub(in crate::commands) async fn render(
        &self,
        context: &Context,
        name: &str,
        versions: &Path,
    ) -> Result<Vec<Imported>> {
        let mut command = process::command(&self.python);
        command.env_clear().envs(context.environment.all()).current_dir(self.folder());
        let spinner = context.ui.spinner(format!("{name}: Alembic renders the revisions"));
        let exported = export(command, &self.ini).await;
        spinner.finish_and_clear();
        let with_name = |error: dbops_migrate::Error| Failure::from(error).context(name);
        plan_import(&exported.map_err(with_name)?, versions).map_err(with_name)
    }
}

fn folder_of(ini: &Path) -> &Path {
    ini.parent().unwrap_or(Path::new("/"))
}

/// Says which files were written, and which of them refuse to run.
pub(in crate::commands) fn report(context: &Context, name: &str, files: Vec<Imported>) -> Result<ImportDocument> {
    let mut document =
        ImportDocument { target: name.to_owned(), imported: Vec::new(), stubs: Vec::new(), unchanged: 0 };
    for file in files {
        let path = file.path.display().to_string();
        if let Some(reason) = file.stub {
            let shown = context.environment.shown(&file.source);
            context.ui.warn(format!("{name}: {shown} cannot be rendered: {reason}"));
            let source = file.source.display().to_string();
            document.stubs.push(Stub { revision: file.revision.clone(), source, path: path.clone(), reason });
        }
        if file.unchanged {
            document.unchanged += 1;
        } else {
            context.ui.data(context.environment.shown(&file.path))?;
            document.imported.push(ImportedRevision { revision: file.revision, path });
        }
    }
    Ok(document)
}

/// Says it in a line.
pub(in crate::commands) fn summary(context: &Context, document: &ImportDocument) {
    let ImportDocument { target, imported, stubs, unchanged } = document;
    let ui = &context.ui;
    if imported.is_empty() {
        let (unchanged, are) = (count(*unchanged, "revision"), if *unchanged == 1 { "is" } else { "are" });
        ui.status(format!("{target}: nothing to do, {unchanged} {are} imported"));
    } else {
        ui.status(format!(
            "{target}: imported {}; `dbops migrate current` goes on from Alembic's rows",
            count(imported.len(), "revision")
        ));
    }
    if !stubs.is_empty() {
        let stubs = count(stubs.len(), "stub");
        ui.status(format!(
            "{target}: {stubs} among them: a stub refuses to run; write its SQL where it is still to be run"
        ));
    }
}

fn find_python(context: &Context, folder: &Path) -> PathBuf {
    let active = context.environment.path("VIRTUAL_ENV");
    let folders = active.into_iter().chain([folder.join(".venv"), folder.join("venv")]);
    let found = folders.map(|folder| folder.join("bin/python")).find(|path| path.exists());
    found.unwrap_or_else(|| "python3".into())
}
