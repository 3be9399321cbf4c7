//! `dbops init`: a configuration and folders for a project, new or one that is there.

mod advice;
mod alembic;
mod collections;
mod configuration;
mod database;
mod draft;
mod files;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::migrate::{ImportDocument, report_import, stamp_heads, summarize_import};
use super::{Context, Outcome};
use crate::config::{Config, TargetKind};
use crate::failure::{Failure, FailureKind, Result};
use configuration::Schema;
use draft::{Draft, Origin};
use files::File;

/// Write the configuration of a project: a new one, or one whose databases are there
///
/// Without options: one PostgreSQL target `database`, with folders for what it is to be. Databases are named by a URL,
/// or by the variable that has it, '${DATABASE_URL}'. A password in a URL is not written: it goes to NAME_PASSWORD. No
/// file that is there is changed, but for a line in .gitignore.
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops init\n  dbops init --postgres bot_db --qdrant search\n  \
                  dbops init --from-alembic bot_db=alembic.ini\n  \
                  dbops init --from-database bot_db=postgresql://localhost/bot_db\n  \
                  dbops init --from-qdrant http://localhost:6333")]
pub(crate) struct InitArgs {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// A PostgreSQL database that is to be built; with the name of an adopted one: its URL. Repeatable
    #[arg(long, value_name = "NAME[=URL]")]
    postgres: Vec<String>,
    /// A Qdrant server that is to be filled; repeatable
    #[arg(long, value_name = "NAME[=URL]")]
    qdrant: Vec<String>,
    /// Adopt an Alembic project: its revisions become files beside it, and it goes on working; repeatable
    #[arg(long, value_name = "[NAME=]INI")]
    from_alembic: Vec<String>,
    /// Adopt a database without migrations: its schema becomes the declared one and the first revision; repeatable
    ///
    /// The database is stamped, which writes the version table and dbops' log to it, and asks first.
    #[arg(long, value_name = "[NAME=]URL")]
    from_database: Vec<String>,
    /// Adopt a Qdrant server: its collections become declared ones; repeatable
    #[arg(long, value_name = "[NAME=]URL")]
    from_qdrant: Vec<String>,
    /// The Python that has Alembic and the project's packages [default: $VIRTUAL_ENV, .venv or venv beside the ini,
    /// python3]
    #[arg(long, value_name = "PATH", requires = "from_alembic")]
    python: Option<PathBuf>,
    /// Write nothing to an adopted database; `dbops migrate stamp heads` does it later
    #[arg(long, requires = "from_database")]
    no_stamp: bool,
}

#[derive(Serialize)]
struct InitDocument {
    configuration: String,
    /// All that were written.
    files: Vec<String>,
    targets: Vec<TargetDocument>,
}

#[derive(Serialize)]
struct TargetDocument {
    name: String,
    kind: &'static str,
    /// What became of an Alembic project's revisions.
    import: Option<ImportDocument>,
    /// The revisions that an adopted database was stamped with.
    stamped: Vec<String>,
    /// The declared collections of an adopted server.
    collections: Option<usize>,
}

/// What is to be written for a target, and what was found out about it.
#[derive(Default)]
struct Adopted {
    files: Vec<File>,
    /// Revisions of Alembic's, as files.
    imported: Vec<dbops_migrate::Imported>,
    /// Where its declared schema comes from; nothing where it has none.
    schema: Option<Schema>,
    /// How many collections are declared.
    collections: Option<usize>,
    /// The database has what its one revision makes, and does not know of it.
    needs_stamp: bool,
    /// There is nothing in the database that was to be adopted.
    is_empty: bool,
}

pub(crate) async fn run(context: &Context, args: &InitArgs) -> Result<Outcome> {
    if context.config_path.is_some() {
        return Err(Failure::usage("--config names a configuration that is there, and init writes a new one")
            .with_hint("name the project's folder instead: `dbops init DIR`"));
    }
    let root = files::root(context, &args.folder);
    let path = root.join("config/dbops.yaml");
    let drafts = draft::drafts(context, args)?;
    files::refuse_existing(context, &root, &drafts)?;
    let read = |schemas: &[Option<Schema>]| -> Result<(Config, String)> {
        let text = configuration::text(&drafts, schemas);
        let config = Config::parse(&path, &text, &context.environment).map_err(|failure| {
            failure.context("nothing was written, for the configuration that init would write cannot be used")
        })?;
        Ok((draft::complete(config, &drafts)?, text))
    };
    let (config, _) = read(&vec![Some(Schema::File); drafts.len()])?;
    ask(context, args, &drafts, &config).await?;
    let adopted = adopt(context, args, &root, &drafts, &config).await?;

    let schemas: Vec<_> = adopted.iter().map(|it| it.schema.clone()).collect();
    let (config, text) = read(&schemas)?;
    let imported: Vec<_> = adopted.iter().flat_map(|it| it.imported.clone()).collect();
    let mut files: Vec<_> = adopted.iter().flat_map(|it| it.files.clone()).collect();
    // Last: what has a configuration is whole.
    files.push(File { path, text });
    files::write(&imported, &files)?;
    finish(context, &root, &drafts, adopted, files, &config).await
}

/// Asks for what will be written to databases, before there is work that could be in vain.
async fn ask(context: &Context, args: &InitArgs, drafts: &[Draft], config: &Config) -> Result<()> {
    for (draft, target) in drafts.iter().zip(&config.targets) {
        if let (Origin::Database, TargetKind::Postgres(postgres)) = (&draft.origin, &target.kind) {
            database::ask(context, &draft.name, postgres, args.no_stamp).await?;
        }
    }
    Ok(())
}

/// Reads what is there. Nothing is written meanwhile.
async fn adopt(
    context: &Context,
    args: &InitArgs,
    root: &Path,
    drafts: &[Draft],
    config: &Config,
) -> Result<Vec<Adopted>> {
    let mut adopted = Vec::new();
    for (draft, target) in drafts.iter().zip(&config.targets) {
        let name = &draft.name;
        let folder = root.join("config").join(name);
        adopted.push(match (&draft.origin, &target.kind) {
            (Origin::Alembic(project), _) => alembic::adopt(context, name, project, root).await?,
            (Origin::Database, TargetKind::Postgres(postgres)) => {
                database::adopt(context, name, postgres, &folder, args.no_stamp).await?
            }
            (Origin::Collections, TargetKind::Qdrant(qdrant)) => {
                collections::adopt(context, draft, qdrant, &folder).await?
            }
            (_, TargetKind::Postgres(_)) => database::empty(&folder),
            (_, TargetKind::Qdrant(_)) => collections::empty(&folder),
        });
    }
    Ok(adopted)
}

/// Says what was written, stamps, and says how to go on.
async fn finish(
    context: &Context,
    root: &Path,
    drafts: &[Draft],
    adopted: Vec<Adopted>,
    files: Vec<File>,
    config: &Config,
) -> Result<Outcome> {
    let mut targets = Vec::new();
    let (mut imports, mut empty) = (Vec::new(), Vec::new());
    let mut paths: Vec<_> = adopted.iter().flat_map(|it| &it.imported).map(|file| file.path.clone()).collect();
    for (draft, adopted) in drafts.iter().zip(adopted) {
        let is_import = matches!(draft.origin, Origin::Alembic(_));
        let import = is_import.then(|| report_import(context, &draft.name, adopted.imported)).transpose()?;
        imports.push((import, adopted.needs_stamp));
        if adopted.is_empty {
            empty.push(draft.name.as_str());
        }
        let kind = if draft.origin.is_qdrant() { "qdrant" } else { "postgres" };
        let name = draft.name.clone();
        targets.push(TargetDocument {
            name,
            kind,
            import: None,
            stamped: Vec::new(),
            collections: adopted.collections,
        });
    }
    for file in files {
        context.ui.data(context.environment.shown(&file.path))?;
        paths.push(file.path);
    }
    paths.extend(ignore(context, root).await);
    let mut to_stamp = Vec::new();
    for (target, (import, needs_stamp)) in targets.iter_mut().zip(imports) {
        if let Some(import) = &import {
            summarize_import(context, import);
        }
        target.import = import;
        if needs_stamp {
            to_stamp.push(target);
        }
    }
    let names: Vec<_> = to_stamp.iter().map(|target| target.name.clone()).collect();
    for (index, target) in to_stamp.into_iter().enumerate() {
        target.stamped = stamp(context, config, &target.name, &names[index + 1..]).await?;
    }
    advice::advise(context, root, drafts, &empty);
    let text = |path: &PathBuf| path.display().to_string();
    let configuration = text(&config.path);
    context.ui.document(&InitDocument { configuration, files: paths.iter().map(text).collect(), targets })?;
    Ok(Outcome::Done)
}

/// Has git ignore the backups, and says so. Gives the changed file.
async fn ignore(context: &Context, root: &Path) -> Option<PathBuf> {
    let changed = files::ignore(context, root).await.unwrap_or_else(|failure| {
        context.ui.warn(format!("git does not ignore `.dbops/`, where backups go: {:#}", failure.error));
        None
    });
    if let Some(path) = &changed {
        let shown = context.environment.shown(path);
        context.ui.status(format!("{shown}: `.dbops/` is ignored now: backups go there"));
    }
    changed
}

/// Stamps a target; a failure says that the `others`, which come after it, are left too.
async fn stamp(context: &Context, config: &Config, name: &str, others: &[String]) -> Result<Vec<String>> {
    stamp_heads(context, config, name).await.map_err(|failure| {
        let what = match others {
            [] => format!("{name} is not stamped"),
            _ => format!("{name} is not stamped, nor is what was to follow: {}", others.join(", ")),
        };
        let options: String = others.iter().map(|other| format!(" -t {other}")).collect();
        let hint = format!("all files are written; `dbops migrate stamp heads -t {name}{options}` does what is left");
        let kind = if failure.kind == FailureKind::Usage { FailureKind::Failed } else { failure.kind };
        Failure { kind, ..failure.context(what) }.with_hint(hint)
    })
}
