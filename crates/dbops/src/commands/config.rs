//! `dbops config check|show|schema`: the configuration as dbops reads it.

use std::path::Path;

use clap::{Args, Subcommand};
use dbops_backup::{Count, Keep};
use serde::Serialize;

use super::qdrant::read_declared;
use super::{Context, Outcome, repository};
use crate::config::{Config, DeclaredSchema, TargetKind, json_schema};
use crate::failure::Result;
use crate::ui::count;

/// Read the configuration
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops config check\n  dbops config show")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Say whether the configuration can be used, with the keys that it names
    #[command(after_help = "Example: dbops config check")]
    Check,
    /// Show every target with its paths, variables filled in and passwords masked
    #[command(after_help = "Example: dbops config show")]
    Show,
    /// Print the JSON schema of a file, for editors to complete and check it
    #[command(after_help = "Examples:\n  dbops config schema > config/dbops.schema.json\n  \
                            dbops config schema --collections > config/qdrant/collections.schema.json")]
    Schema {
        /// Of the file of declared Qdrant collections, instead of dbops.yaml
        #[arg(long)]
        collections: bool,
    },
}

#[derive(Serialize)]
struct ConfigDocument {
    path: String,
    targets: Vec<TargetDocument>,
    repository: String,
    retention: RetentionDocument,
    encryption: EncryptionDocument,
}

/// Each is a number, or `unlimited`.
#[derive(Serialize)]
struct RetentionDocument {
    keep_last: CountDocument,
    keep_hourly: CountDocument,
    keep_daily: CountDocument,
    keep_weekly: CountDocument,
    keep_monthly: CountDocument,
    keep_yearly: CountDocument,
    keep_within: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum CountDocument {
    Unlimited,
    #[serde(untagged)]
    Number(u32),
}

impl From<Count> for CountDocument {
    fn from(count: Count) -> Self {
        match count {
            Count::Number(number) => Self::Number(number),
            Count::Unlimited => Self::Unlimited,
        }
    }
}

#[derive(Serialize)]
struct EncryptionDocument {
    recipients: Vec<String>,
    recipients_file: Option<String>,
    passphrase_file: Option<String>,
    identity: Option<String>,
}

#[derive(Serialize)]
struct TargetDocument {
    name: String,
    kind: &'static str,
    /// Of a Qdrant target with several addresses all, with `, ` between.
    url: String,
    /// The addresses of its nodes, where they are named.
    nodes: Option<Vec<String>>,
    files: Option<String>,
    schema: Option<String>,
    container: Option<String>,
}

pub(crate) fn run(context: &Context, args: &ConfigArgs) -> Result<Outcome> {
    match args.command {
        ConfigCommand::Check => check(context)?,
        ConfigCommand::Show => show(context)?,
        ConfigCommand::Schema { collections } => schema(context, collections)?,
    }
    Ok(Outcome::Done)
}

fn check(context: &Context) -> Result<()> {
    let config = context.config()?;
    repository::keys(context, &config, None)?;
    for (_, target) in config.select_qdrant(&[])? {
        if let Some(path) = &target.collections {
            read_declared(&config, path)?;
        }
    }
    let document = document(&config);
    context.ui.document(&document)?;
    let path = context.environment.shown(Path::new(&document.path)).to_string();
    context.ui.data(format!("{path}: {}, nothing wrong", count(document.targets.len(), "target")))
}

fn show(context: &Context) -> Result<()> {
    let document = document(&context.config()?);
    context.ui.document(&document)?;
    let shown = |path: &str| context.environment.shown(Path::new(path)).to_string();
    let rows = document.targets.into_iter().map(|target| {
        vec![target.name, target.kind.into(), target.url, shown(target.files.as_deref().unwrap_or_default())]
    });
    context.ui.table(&["target", "kind", "url", "files"], rows.collect())?;
    context.ui.data(format!("\nbackups: {}", shown(&document.repository)))
}

/// Reads no configuration: a new project has none yet.
fn schema(context: &Context, collections: bool) -> Result<()> {
    let schema = if collections { dbops_qdrant::json_schema() } else { json_schema() };
    context.ui.document(&schema)?;
    context.ui.data(format!("{schema:#}"))
}

fn document(config: &Config) -> ConfigDocument {
    let Keep { last, hourly, daily, weekly, monthly, yearly, within } = config.backup.retention;
    let encryption = &config.backup.encryption;
    let shown = |path: &Path| path.display().to_string();
    let targets = config.targets.iter().map(|target| match &target.kind {
        TargetKind::Postgres(postgres) => TargetDocument {
            name: target.name.clone(),
            kind: "postgres",
            url: postgres.url.to_string(),
            nodes: None,
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
            url: qdrant.addresses.to_string(),
            nodes: qdrant.nodes.as_ref().map(|nodes| nodes.iter().map(|node| node.url.clone()).collect()),
            files: qdrant.collections.as_deref().map(shown),
            schema: None,
            container: qdrant.container.clone(),
        },
    });
    ConfigDocument {
        path: shown(&config.path),
        targets: targets.collect(),
        repository: config.backup.repository.to_string(),
        retention: RetentionDocument {
            keep_last: last.into(),
            keep_hourly: hourly.into(),
            keep_daily: daily.into(),
            keep_weekly: weekly.into(),
            keep_monthly: monthly.into(),
            keep_yearly: yearly.into(),
            keep_within: within.map(|within| within.to_string()),
        },
        encryption: EncryptionDocument {
            recipients: encryption.recipients.clone(),
            recipients_file: encryption.recipients_file.as_deref().map(shown),
            passphrase_file: encryption.passphrase_file.as_deref().map(shown),
            identity: encryption.identity.as_deref().map(shown),
        },
    }
}
