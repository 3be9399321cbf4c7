//! `migrate import --alembic alembic.ini`: an Alembic project as revision files.

use std::path::{Path, PathBuf};

use clap::Args;
use dbops_migrate::{export, plan_import, write_import};
use dbops_postgres::process;
use serde::Serialize;

use super::revision::one_target;
use crate::commands::{Context, Outcome};
use crate::config::Config;
use crate::failure::{Failure, Result};

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
struct ImportDocument {
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
    let ini = args.alembic.canonicalize().map_err(|error| {
        Failure::usage(format!("{}: {error}", args.alembic.display())).with_hint("name the project's alembic.ini")
    })?;
    let folder = ini.parent().unwrap_or(Path::new("/"));
    let python = args.python.clone().unwrap_or_else(|| python(context, folder));
    let mut command = process::command(&python);
    // It is the project's own code, which runs as it does under Alembic.
    command.env_clear().envs(context.environment.all()).current_dir(folder);
    let spinner = context.ui.spinner(format!("{name}: Alembic renders the revisions"));
    let exported = export(command, &ini).await;
    spinner.finish_and_clear();
    let with_name = |error: dbops_migrate::Error| Failure::from(error).context(name);
    let files = plan_import(&exported.map_err(with_name)?, &target.versions).map_err(with_name)?;
    write_import(&files, &target.versions).map_err(with_name)?;

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
    summary(context, &document);
    context.ui.document(&document)?;
    Ok(Outcome::Done)
}

fn summary(context: &Context, document: &ImportDocument) {
    let ImportDocument { target, imported, stubs, unchanged } = document;
    let ui = &context.ui;
    if imported.is_empty() {
        ui.status(format!("{target}: nothing to do, {unchanged} revisions are imported"));
    } else {
        ui.status(format!(
            "{target}: imported {} revisions; `dbops migrate current` goes on from Alembic's rows",
            imported.len()
        ));
    }
    if !stubs.is_empty() {
        let count = stubs.len();
        ui.status(format!(
            "{target}: {count} of them are stubs that refuse to run; write their SQL where it is still to be run"
        ));
    }
}

fn python(context: &Context, folder: &Path) -> PathBuf {
    let active = context.environment.path("VIRTUAL_ENV");
    let folders = active.into_iter().chain([folder.join(".venv"), folder.join("venv")]);
    let found = folders.map(|folder| folder.join("bin/python")).find(|path| path.exists());
    found.unwrap_or_else(|| "python3".into())
}
