//! `dbops health`: every target checked at once, with what to do about the findings.

mod migrations;

use std::cmp::Reverse;
use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};
use dbops_health::{Finding, PostgresTarget, QdrantTarget, Status, check_postgres, check_qdrant};
use dbops_qdrant::read_file;
use futures_util::future::join_all;
use serde::Serialize;

use super::qdrant::{node_servers, server_options};
use super::{Context, Outcome};
use crate::config::{DeclaredSchema, Target, TargetKind};
use crate::declared;
use crate::failure::Result;
use crate::ui::{BAD, FAINT, GOOD, STRONG, Ui, WARN, paint};

/// Check every target: reachable, right version, extensions, migrations, collections
///
/// Exit code 0 when all is well, 3 when something is not, and 2 when the configuration cannot be used.
#[derive(Args)]
#[command(after_help = "Examples:\n  dbops health\n  dbops health bot_db --timeout 3\n  dbops health --json")]
pub(crate) struct HealthArgs {
    /// The targets to check; all when none is named
    #[arg(value_name = "TARGET")]
    named: Vec<String>,
    /// Only this target; may be repeated
    #[arg(short, long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// How to print the findings
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
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
}

/// A target with what its files say it should have.
pub(crate) struct Subject<'a> {
    target: &'a Target,
    /// Extensions or collections.
    needed: Vec<String>,
}

pub(crate) async fn run(context: &Context, args: HealthArgs) -> Result<Outcome> {
    let ui = Ui { json: context.ui.json || args.format == Format::Json, ..context.ui.clone() };
    let config = context.config()?;
    let names = [args.named, args.targets].concat();
    // The files are read before any server is asked: a mistake in them is one of configuration.
    let subjects = config.select(&names)?.into_iter().map(subject).collect::<Result<Vec<_>>>()?;
    let deadline = Duration::from_secs(args.timeout.into());
    let spinner = ui.spinner("checking");
    let findings = join_all(subjects.iter().map(|subject| check(subject, deadline))).await.concat();
    spinner.finish_and_clear();
    ui.document(&document(&findings))?;
    report(&ui, &findings)?;
    Ok(if Status::worst(&findings) == Status::Ok { Outcome::Done } else { Outcome::Found })
}

/// Reads the files of a target.
pub(crate) fn subject(target: &Target) -> Result<Subject<'_>> {
    let needed = match &target.kind {
        TargetKind::Postgres(postgres) => match &postgres.schema {
            Some(DeclaredSchema::Path(path)) => declared::extensions(&declared::read_path(path)?),
            // Where health is looked after, the project's programs need not be.
            Some(DeclaredSchema::Program(_)) | None => Vec::new(),
        },
        TargetKind::Qdrant(qdrant) => match &qdrant.collections {
            Some(collections) => collection_names(collections)?,
            None => Vec::new(),
        },
    };
    Ok(Subject { target, needed })
}

/// The names of the collections that a file declares.
fn collection_names(path: &Path) -> Result<Vec<String>> {
    let collections = read_file(path)?;
    Ok(collections.into_iter().map(|collection| collection.name).collect())
}

/// Runs every check of a target, each within the deadline.
pub(crate) async fn check(subject: &Subject<'_>, deadline: Duration) -> Vec<Finding> {
    let name = subject.target.name.as_str();
    match &subject.target.kind {
        TargetKind::Postgres(postgres) => {
            let target = PostgresTarget { name, url: &postgres.url, extensions: &subject.needed, deadline };
            check_postgres(&target, migrations::migration_state(name, postgres)).await
        }
        TargetKind::Qdrant(qdrant) => {
            let (options, others) = &server_options(qdrant, deadline);
            let nodes = &node_servers(qdrant, deadline);
            check_qdrant(&QdrantTarget { name, options, others, nodes, collections: &subject.needed }).await
        }
    }
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
    };
    HealthDocument { status: Status::worst(findings).name(), checks: findings.iter().map(check).collect() }
}

fn report(ui: &Ui, findings: &[Finding]) -> Result<()> {
    let (good, mut bad): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.status == Status::Ok);
    bad.sort_by_key(|finding| Reverse(finding.status));
    for finding in &bad {
        let place = format!("{} {}", finding.target, finding.id);
        ui.data(format!("{} {}: {}", styled(finding.status), paint(STRONG, place), finding.summary))?;
        if let Some(remedy) = &finding.remedy {
            ui.data(format!("         {} {remedy}", paint(FAINT, "→")))?;
        }
    }
    if !bad.is_empty() {
        ui.data("")?;
    }
    let rows = good.iter().map(|finding| {
        let took = finding.value.filter(|_| finding.unit == Some("ms")).map(|value| format!(" in {value} ms"));
        let summary = format!("{}{}", finding.summary, took.unwrap_or_default());
        vec![finding.target.clone(), finding.id.to_owned(), summary]
    });
    if !good.is_empty() {
        ui.table(&["target", "ok", "found"], rows.collect())?;
        ui.data("")?;
    }
    let worst = Status::worst(findings);
    let counts = match bad.len() {
        0 => format!("{} checks", findings.len()),
        bad => format!("{bad} of {} checks found something", findings.len()),
    };
    ui.data(format!("{}: {counts}", styled(worst).to_string().trim_end()))
}

fn styled(status: Status) -> String {
    let style = match status {
        Status::Ok => GOOD,
        Status::Warning | Status::Unknown => WARN,
        Status::Critical => BAD,
    };
    format!("{}{}", paint(style, status.name()), " ".repeat(8 - status.name().len()))
}
