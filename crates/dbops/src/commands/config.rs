//! `dbops config check|show`: the configuration as dbops reads it.

use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Context, Outcome};
use crate::config::{Config, DeclaredSchema, Retention, TargetKind};
use crate::failure::Result;

/// Read the configuration
#[derive(Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration can be used
    Check,
    /// Show every target with its paths, variables filled in and passwords masked
    Show,
}

#[derive(Serialize)]
struct ConfigDocument {
    path: String,
    targets: Vec<TargetDocument>,
    repository: String,
    retention: RetentionDocument,
}

#[derive(Serialize)]
struct RetentionDocument {
    keep_last: u32,
    keep_daily: u32,
    keep_weekly: u32,
    keep_monthly: u32,
}

#[derive(Serialize)]
struct TargetDocument {
    name: String,
    kind: &'static str,
    url: String,
    files: Option<String>,
    schema: Option<String>,
    container: Option<String>,
}

pub(crate) fn run(context: &Context, args: &ConfigArgs) -> Result<Outcome> {
    let config = context.config()?;
    let document = document(&config);
    let shown = |path: &str| context.environment.shown(Path::new(path)).to_string();
    context.ui.document(&document)?;
    match args.command {
        ConfigCommand::Check => {
            context.ui.data(format!("{}: {} targets, nothing wrong", shown(&document.path), document.targets.len()))?;
        }
        ConfigCommand::Show => {
            let rows = document.targets.into_iter().map(|target| {
                vec![target.name, target.kind.into(), target.url, shown(target.files.as_deref().unwrap_or_default())]
            });
            context.ui.table(&["target", "kind", "url", "files"], rows.collect())?;
            context.ui.data(format!("\nbackups: {}", shown(&document.repository)))?;
        }
    }
    Ok(Outcome::Done)
}

fn document(config: &Config) -> ConfigDocument {
    let Retention { keep_last, keep_daily, keep_weekly, keep_monthly } = config.backup.retention;
    let shown = |path: &Path| path.display().to_string();
    let targets = config.targets.iter().map(|target| match &target.kind {
        TargetKind::Postgres(postgres) => TargetDocument {
            name: target.name.clone(),
            kind: "postgres",
            url: postgres.url.to_string(),
            files: Some(shown(&postgres.versions)),
            schema: postgres.schema.as_ref().map(|schema| match schema {
                DeclaredSchema::Path(path) => shown(path),
                // Its arguments may be secret.
                DeclaredSchema::Program(program) => format!("command: {program}"),
            }),
            container: postgres.container.clone(),
        },
        TargetKind::Qdrant(qdrant) => TargetDocument {
            name: target.name.clone(),
            kind: "qdrant",
            url: qdrant.url.clone(),
            files: qdrant.collections.as_deref().map(shown),
            schema: None,
            container: qdrant.container.clone(),
        },
    });
    ConfigDocument {
        path: shown(&config.path),
        targets: targets.collect(),
        repository: shown(&config.backup.repository),
        retention: RetentionDocument { keep_last, keep_daily, keep_weekly, keep_monthly },
    }
}
