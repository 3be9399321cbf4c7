//! `dbops health`: every target checked at once, with what to do about the findings.

mod backups;
mod formats;
mod list;
mod migrations;
mod report;
mod subject;
mod watch;

pub(crate) use backups::{Sets, sets};
pub(crate) use formats::{escaped, prometheus};

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use dbops_health::{Finding, Selection, Status, check_backups, check_drift};
use futures_util::future::join_all;
use serde::Serialize;

use self::subject::Subject;
pub(crate) use self::subject::{check, subject};
use super::schema::drift_verdict;
use super::scratch::Scratch;
use super::{Context, Outcome};
use crate::config::{Config, TargetKind, health, suggest};
use crate::failure::{Failure, FailureKind, Result};
use crate::ui::Ui;

/// Check every target: servers, databases, migrations, backups, collections
///
/// Exit code 0 when all is well, 3 when something is not, and 2 when the configuration cannot be used; with `--format
/// nagios` 0, 1, 2 and 3 as Nagios has them. `--list` shows the checks and their limits, docs/health.md explains them.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  dbops health\n  dbops health bot_db --timeout 3\n  dbops health --format prometheus"
)]
pub(crate) struct HealthArgs {
    /// The targets to check; all when none is named
    #[arg(value_name = "TARGET")]
    named: Vec<String>,
    /// Only this target; may be repeated
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Only this check; may be repeated
    #[arg(long = "check", value_name = "CHECK")]
    checks: Vec<String>,
    /// Not this check; may be repeated
    #[arg(long, value_name = "CHECK")]
    skip: Vec<String>,
    /// List the checks with their limits
    #[arg(long)]
    list: bool,
    /// How to print the findings
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// Write the metrics of Prometheus to this file too, whole or not at all
    #[arg(long, value_name = "PATH")]
    textfile: Option<PathBuf>,
    /// Check again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5",
        value_parser = clap::value_parser!(u32).range(1..=86_400), conflicts_with = "list")]
    watch: Option<u32>,
    /// How long each check may take
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u32).range(1..=3600))]
    timeout: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: what is wrong first
    Human,
    /// One JSON document, as with --json
    Json,
    /// Prometheus' text format
    Prometheus,
    /// One line, as plugins of Nagios print it, with their exit codes
    Nagios,
}

#[derive(Serialize)]
struct HealthDocument<'a> {
    status: &'static str,
    checks: Vec<CheckDocument<'a>>,
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    id: &'a str,
    target: &'a str,
    status: &'static str,
    summary: &'a str,
    remedy: Option<&'a str>,
    value: Option<f64>,
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    details: &'a [String],
    seconds: f64,
}

pub(crate) async fn run(context: &Context, args: HealthArgs) -> Result<Outcome> {
    let is_nagios = args.format == Format::Nagios && !context.ui.json;
    match carry_out(context, args).await {
        // For Nagios every other code means something else.
        Err(failure) if is_nagios && failure.kind != FailureKind::Interrupted => {
            context.ui.data(format!("DBOPS UNKNOWN - {:#}", failure.error).replace(['|', '\n'], " "))?;
            Ok(Outcome::Ended(Status::Unknown.code()))
        }
        outcome => outcome,
    }
}

async fn carry_out(context: &Context, args: HealthArgs) -> Result<Outcome> {
    let ui = Ui { json: context.ui.json || args.format == Format::Json, ..context.ui.clone() };
    for id in args.checks.iter().chain(&args.skip) {
        let ids = health::ids();
        if !ids.contains(&id.as_str()) {
            return Err(Failure::usage(format!("there is no check `{id}`")).with_hint(suggest(id, &ids)));
        }
    }
    if args.list {
        let selection = context.config().map(|config| config.health).unwrap_or_default();
        list::list(&ui, &selection)?;
        return Ok(Outcome::Done);
    }
    let config = context.config()?;
    let mut selection = config.health.clone();
    selection.skip.retain(|id| !args.checks.contains(id));
    selection.skip.extend(args.skip.iter().cloned());
    selection.only.clone_from(&args.checks);
    let names = [args.named.clone(), args.targets.clone()].concat();
    // The files are read before any server is asked: a mistake in them is one of configuration.
    let subjects =
        config.select(&names)?.into_iter().map(|target| subject(&config, target)).collect::<Result<Vec<_>>>()?;
    let round =
        Round { context, config: &config, selection, subjects, deadline: Duration::from_secs(args.timeout.into()) };
    if let Some(seconds) = args.watch {
        return watch::watch(&ui, &round, Duration::from_secs(seconds.into()), args.textfile.as_deref()).await;
    }
    let spinner = ui.spinner("checking");
    let findings = round.findings().await;
    spinner.finish_and_clear();
    if let Some(path) = &args.textfile {
        write_whole(path, &formats::prometheus(&findings))?;
    }
    ui.document(&document(&findings))?;
    match args.format {
        Format::Prometheus => ui.data(formats::prometheus(&findings).trim_end())?,
        Format::Nagios => {
            ui.data(formats::nagios(&findings))?;
            return Ok(Outcome::Ended(Status::worst(&findings).code()));
        }
        Format::Human | Format::Json => ui.data(report::report(&findings, ui.verbosity > 0))?,
    }
    Ok(if Status::worst(&findings) == Status::Ok { Outcome::Done } else { Outcome::Found })
}

/// Whoever reads the file sees the old text or the new one.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let write = || {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        // Another account, the node exporter's, reads it.
        file.as_file().set_permissions(Permissions::from_mode(0o644))?;
        file.persist(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(|error| Failure::from(error).context(format!("cannot write {}", path.display())))
}

/// What is asked, once or again and again.
struct Round<'a> {
    context: &'a Context,
    config: &'a Config,
    selection: Selection,
    subjects: Vec<Subject<'a>>,
    deadline: Duration,
}

impl Round<'_> {
    async fn findings(&self) -> Vec<Finding> {
        let checked =
            join_all(self.subjects.iter().map(|subject| check(self.config, subject, &self.selection, self.deadline)));
        let wants_backups =
            ["backup_age", "backup_verified", "backup_growth"].iter().any(|id| self.selection.wants(id));
        let backups = async {
            if wants_backups { Some(backups::sets(self.context, self.config, self.deadline).await) } else { None }
        };
        let (checked, sets, drifts) = tokio::join!(checked, backups, self.drifts());
        let together =
            checked.into_iter().zip(&self.subjects).zip(drifts).flat_map(|((mut findings, subject), drift)| {
                let name = &subject.target.name;
                findings.extend(drift);
                findings.extend(sets.iter().flat_map(|sets| of_backups(name, &self.selection, sets)));
                findings
            });
        together.collect()
    }

    /// For each subject what differs, where somebody asked for that.
    async fn drifts(&self) -> Vec<Vec<Finding>> {
        if !self.selection.asks_for_drift() {
            return vec![Vec::new(); self.subjects.len()];
        }
        let scratch = Scratch::new(self.context, None);
        join_all(self.subjects.iter().map(|subject| self.drift(&scratch, subject))).await
    }

    async fn drift(&self, scratch: &Scratch<'_>, subject: &Subject<'_>) -> Vec<Finding> {
        let (name, TargetKind::Postgres(postgres)) = (&subject.target.name, &subject.target.kind) else {
            return Vec::new();
        };
        let compared = drift_verdict(self.context, scratch, name, postgres);
        let verdict = match tokio::time::timeout(self.deadline, compared).await {
            Ok(verdict) => verdict.map_err(|failure| format!("{:#}", failure.error)),
            Err(_) => Err(format!("no answer within {} s; `--timeout` gives it more", self.deadline.as_secs_f64())),
        };
        check_drift(name, &self.selection, verdict)
    }
}

/// What the backups of a target are like.
pub(crate) fn of_backups(name: &str, selection: &Selection, sets: &Sets) -> Vec<Finding> {
    check_backups(name, selection, &backups::state(sets, name))
}

fn document<'a>(findings: &'a [Finding]) -> HealthDocument<'a> {
    let check = |finding: &'a Finding| CheckDocument {
        id: finding.id,
        target: &finding.target,
        status: finding.status.name(),
        summary: &finding.summary,
        remedy: finding.remedy.as_deref(),
        value: finding.value,
        unit: finding.unit,
        details: &finding.details,
        seconds: finding.seconds,
    };
    HealthDocument { status: Status::worst(findings).name(), checks: findings.iter().map(check).collect() }
}
