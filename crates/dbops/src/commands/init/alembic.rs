//! An Alembic project: its revisions as files beside it, and its models as the declared schema.

use std::path::Path;

use super::Adopted;
use super::configuration::Schema;
use super::files::File;
use crate::commands::Context;
use crate::commands::migrate::AlembicProject;
use crate::config::{DeclaredSchema, Program};
use crate::declared;
use crate::failure::Result;

/// Prints the models of a project whose alembic.ini is its argument.
const PRINT_DDL: &str = include_str!("print_ddl.py");

/// Has Alembic render the revisions, and tries whether the models can be printed.
pub(super) async fn adopt(context: &Context, name: &str, project: &AlembicProject, root: &Path) -> Result<Adopted> {
    let folder = root.join("config").join(name);
    let imported = project.render(context, name, &folder.join("versions")).await?;
    let trial = Program {
        path: project.python.clone(),
        arguments: vec!["-c".into(), PRINT_DDL.into(), project.ini.display().to_string()],
        folder: project.folder().to_path_buf(),
    };
    if let Err(failure) = declared::read(&DeclaredSchema::Program(trial), &context.environment).await {
        let reason = failure.error.root_cause().to_string();
        let reason = reason.lines().last().unwrap_or_default().to_owned();
        context.ui.warn(format!("{name}: no schema is declared, for the models cannot be printed: {reason}"));
        return Ok(Adopted { imported, ..Adopted::default() });
    }
    let script = File { path: folder.join("print_ddl.py"), text: PRINT_DDL.to_owned() };
    let words = vec![python(context, project, root), format!("{name}/print_ddl.py"), from_config(&project.ini, root)];
    Ok(Adopted { files: vec![script], imported, schema: Some(Schema::Command(words)), ..Adopted::default() })
}

/// The project's Python as others have it too: from the configuration's folder, or as it is found when it is active.
fn python(context: &Context, project: &AlembicProject, root: &Path) -> String {
    let active = context.environment.path("VIRTUAL_ENV");
    let is_elsewhere = project.python.strip_prefix(root).is_err();
    match active {
        Some(active) if is_elsewhere && project.python.starts_with(&active) => "python3".into(),
        _ => from_config(&project.python, root),
    }
}

fn from_config(path: &Path, root: &Path) -> String {
    match path.strip_prefix(root) {
        Ok(below) => Path::new("..").join(below).display().to_string(),
        Err(_) => path.display().to_string(),
    }
}
