//! A PostgreSQL database: one that is to be built, or one without migrations, whose schema becomes its first revision.

use std::path::Path;

use dbops_migrate::{NewRevision, read_rows};
use dbops_schema_graph::{dump, plan};
use jiff::Timestamp;

use super::Adopted;
use super::configuration::Schema;
use super::files::File;
use crate::commands::Context;
use crate::commands::migrate::baseline;
use crate::commands::schema::script;
use crate::commands::scratch::Scratch;
use crate::config::PostgresTarget;
use crate::declared::SchemaFile;
use crate::failure::{Failure, Result};

const EMPTY_SCHEMA: &str = "\
-- The declared schema: what the database is to be, as one would write it for an empty one. After a change,
-- `dbops migrate revision --autogenerate -m \"...\"` writes the way there and back.
";

const FOUND_SCHEMA: &str = "\
-- The declared schema: what the database is to be. `dbops init` wrote it from what was there. After a change,
-- `dbops migrate revision --autogenerate -m \"...\"` writes the way there and back.

";

/// The files of a database that is to be built. Git keeps no empty folder.
pub(super) fn empty(folder: &Path) -> Adopted {
    let file = |name: &str, text: &str| File { path: folder.join(name), text: text.to_owned() };
    let files = vec![file("versions/.gitkeep", ""), file("schema.sql", EMPTY_SCHEMA)];
    Adopted { files, schema: Some(Schema::File), ..Adopted::default() }
}

/// Refuses a database that has migrations, and asks whether this one may be written to.
pub(super) async fn ask(context: &Context, name: &str, target: &PostgresTarget, no_stamp: bool) -> Result<()> {
    let rows = read_rows(&target.url).await.map_err(|error| Failure::from(error).context(name))?;
    if let Some(rows) = rows.filter(|rows| !rows.is_empty()) {
        let message = format!("{name} has migrations: its table alembic_version says {}", rows.join(", "));
        return Err(Failure::refused(message)
            .with_hint("adopt the project that they are in: `--from-alembic alembic.ini`; nothing was written"));
    }
    if no_stamp {
        return Ok(());
    }
    let (database, server) = (target.url.database(), target.url.server());
    let question =
        format!("stamp {name}, which writes the table alembic_version and the schema dbops to {database} at {server}?");
    let asked = context.ui.confirm(&question).await;
    asked.map_err(|failure| failure.with_hint("pass --yes to go ahead, or --no-stamp to write nothing to the database"))
}

/// Reads a schema, and proves the files that it becomes.
pub(super) async fn adopt(
    context: &Context,
    name: &str,
    target: &PostgresTarget,
    folder: &Path,
    no_stamp: bool,
) -> Result<Adopted> {
    let scratch = Scratch::new(context, None);
    let live = scratch.read(&target.url).await.map_err(|failure| failure.context(name))?;
    let schema = File { path: folder.join("schema.sql"), text: format!("{FOUND_SCHEMA}{}", script(&dump(&live))) };
    let spinner = context.ui.spinner(format!("{name}: proving that the files make this schema"));
    let shown = context.environment.shown(&schema.path).to_string();
    let declared = scratch.load(&[SchemaFile::new(shown, schema.text.clone())]).await;
    let declared = declared.map_err(|failure| failure.context(format!("{name}: what was read does not load")))?;
    let rest: Vec<_> = plan(&declared, &live).iter().map(|step| step.object.to_string()).collect();
    if !rest.is_empty() {
        let message = format!("{name}: what was read does not make the same schema: {}", rest.join(", "));
        let hint = format!("nothing was written; begin with `dbops init --postgres {name}=URL`, and write it by hand");
        return Err(Failure::refused(message).with_hint(hint));
    }
    let new = NewRevision {
        message: "baseline: the schema as it was found".into(),
        revises: Vec::new(),
        branch_labels: Vec::new(),
        depends_on: Vec::new(),
        id: None,
        created: Timestamp::now(),
        sections: None,
    };
    let revisions = baseline(&scratch, &declared, &folder.join("versions"), &new).await?;
    spinner.finish_and_clear();
    if revisions.is_empty() {
        context.ui.status(format!("{name}: there is nothing in this database, so that nothing is stamped"));
        return Ok(Adopted { is_empty: true, ..empty(folder) });
    }
    let revisions = revisions.into_iter().map(|file| File { path: file.path, text: file.text });
    let files = revisions.chain([schema]).collect();
    Ok(Adopted { files, schema: Some(Schema::File), needs_stamp: !no_stamp, ..Adopted::default() })
}
