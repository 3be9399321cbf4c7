//! `dbops backup [TARGET...]`: making a set, with the hooks around it and what is said of it.

use std::time::{Duration, Instant};

use clap::Args;
use dbops_backup::{
    Backup, BackupOptions, Compression, Contents, DumpOptions, Format, ManifestFile, ManifestTarget, Repository, SetId,
    Sources, back_up,
};
use indicatif::HumanBytes;
use serde::Serialize;

use super::super::{Context, Outcome};
use super::hooks::Hooks;
use super::label::{self, Label};
use super::programs;
use super::report::{Reporter, seconds};
use crate::config::Config;
use crate::failure::{Failure, Result};
use crate::ui::{STRONG, paint};

/// How to dump.
#[derive(Args)]
#[command(next_help_heading = "Dumping")]
pub(super) struct DumpArgs {
    /// The format: custom or directory for pg_restore, plain for psql
    #[arg(long, default_value = "custom", value_name = "FORMAT")]
    format: Format,
    /// Dump so many tables at a time (directory format; the files are on the local disk first)
    #[arg(short, long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: u32,
    /// none, gzip, lz4 or zstd, the last three with a level as in zstd:9 [default: zstd where pg_dump has it, else gzip;
    /// none for the plain format]
    #[arg(long, value_name = "METHOD")]
    compress: Option<Compression>,
    /// No rows
    #[arg(long)]
    schema_only: bool,
    /// Only tables that match the pattern, as pg_dump has them: `public.user*`
    #[arg(long = "table", value_name = "PATTERN")]
    tables: Vec<String>,
    /// Leave out the rows of tables that match the pattern
    #[arg(long, value_name = "PATTERN")]
    exclude_table_data: Vec<String>,
    /// Leave out the server's roles
    #[arg(long)]
    no_roles: bool,
    /// Do not count and fingerprint rows: a restore cannot be compared with the original then
    #[arg(long)]
    no_fingerprints: bool,
}

impl DumpArgs {
    /// Whether anything was said that has no meaning beside a subcommand.
    pub(super) fn are_default(&self) -> bool {
        self.options().is_ok_and(|options| options == DumpOptions::default())
    }

    pub(super) fn options(&self) -> Result<DumpOptions> {
        if self.jobs > 1 && self.format != Format::Directory {
            let failure = Failure::usage("several tables at a time need the directory format");
            return Err(failure.with_hint("add --format directory, or leave --jobs out"));
        }
        Ok(DumpOptions {
            format: self.format,
            jobs: self.jobs,
            compression: self.compress,
            schema_only: self.schema_only,
            tables: self.tables.clone(),
            exclude_table_data: self.exclude_table_data.clone(),
            with_roles: !self.no_roles,
            with_fingerprints: !self.no_fingerprints,
        })
    }
}

#[derive(Serialize)]
struct BackupDocument<'a> {
    id: &'a SetId,
    path: String,
    targets: Vec<DumpDocument<'a>>,
}

#[derive(Serialize)]
struct DumpDocument<'a> {
    name: &'a str,
    bytes: u64,
    /// Of the archive as it is stored.
    sha256: &'a str,
    duration_ms: u64,
    files: &'a [ManifestFile],
}

/// What to make a set of.
pub(super) struct Request<'a> {
    pub(super) repository: &'a Repository,
    pub(super) sources: &'a Sources,
    pub(super) labels: &'a [Label],
    pub(super) dump: &'a DumpArgs,
}

/// Where backups are encrypted, none becomes readable by a variable that is not set, or on the way.
async fn require_secrecy(repository: &Repository, options: &BackupOptions) -> Result<()> {
    if repository.encrypts() && options.dump.format == Format::Directory {
        let failure = Failure::usage("the directory format is on the local disk, readable, before it can be encrypted");
        return Err(failure.with_hint("encrypt archives of the custom format"));
    }
    if !repository.encrypts() && repository.holds_encrypted().await? {
        let message = format!("the backups in {} are encrypted, and this one would not be", repository.path());
        let hint = "name who can read it (backup.encryption, DBOPS_BACKUP_PASSPHRASE), or take another repository";
        return Err(Failure::refused(message).with_hint(hint));
    }
    Ok(())
}

pub(super) async fn create(context: &Context, config: &Config, request: &Request<'_>) -> Result<Outcome> {
    let started = Instant::now();
    let names = request.sources.names();
    let options = BackupOptions { labels: label::map(request.labels)?, dump: request.dump.options()? };
    require_secrecy(request.repository, &options).await?;
    let hooks = Hooks::new(context, &config.backup, &names);
    let backup = match make(context, request, &options, &hooks).await {
        Ok(backup) => backup,
        Err(failure) => {
            hooks.failed(&failure).await;
            return Err(failure);
        }
    };
    tell(context, &backup, started.elapsed())
}

async fn make(context: &Context, request: &Request<'_>, options: &BackupOptions, hooks: &Hooks<'_>) -> Result<Backup> {
    hooks.before().await?;
    let mut reporter = Reporter::new(&context.ui);
    let mut on_event = |event: dbops_backup::Event<'_>| reporter.event(event);
    let backup = back_up(request.repository, request.sources, options, &programs(context), &mut on_event).await?;
    reporter.finish();
    hooks.after(&backup).await?;
    Ok(backup)
}

fn tell(context: &Context, backup: &Backup, took: Duration) -> Result<Outcome> {
    let manifest = &backup.manifest;
    let dumps = manifest.targets.iter().map(|target| DumpDocument {
        name: &target.name,
        bytes: target.bytes(),
        sha256: target.files.first().map(|file| file.sha256.as_str()).unwrap_or_default(),
        duration_ms: target.duration_ms,
        files: &target.files,
    });
    let document = BackupDocument { id: &manifest.id, path: backup.path.clone(), targets: dumps.collect() };
    context.ui.document(&document)?;
    for target in &manifest.targets {
        let took = seconds(Duration::from_millis(target.duration_ms));
        let size = size(target.bytes(), table_bytes(target));
        context.ui.status(format!("{}: {size} in {took}", target.name));
    }
    let table_bytes = manifest.targets.iter().map(table_bytes).sum::<Option<u64>>();
    context.ui.data(format!(
        "{}: {} in {}, {}",
        paint(STRONG, document.id),
        size(manifest.bytes(), table_bytes),
        seconds(took),
        context.environment.shown(backup.path.as_ref())
    ))?;
    Ok(Outcome::Done)
}

/// The size of the tables of a database; of a server of collections it is not known.
fn table_bytes(target: &ManifestTarget) -> Option<u64> {
    match &target.contents {
        Contents::Postgres(contents) => Some(contents.table_bytes),
        Contents::Qdrant(_) => None,
    }
}

/// `12.00 MiB of 50.40 MiB (4.2:1)`: what is stored, and the tables that it was made of.
fn size(bytes: u64, table_bytes: Option<u64>) -> String {
    let Some(table_bytes) = table_bytes.filter(|size| *size > 0 && bytes > 0) else {
        return HumanBytes(bytes).to_string();
    };
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let ratio = table_bytes as f64 / bytes as f64;
    format!("{} of {} ({ratio:.1}:1)", HumanBytes(bytes), HumanBytes(table_bytes))
}
