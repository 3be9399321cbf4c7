//! Everything that the status shows, as a plain value: `dbops status` prints it, and so can others.
//!
//! Targets and repository are asked at once, each within the deadline, so that one that hangs holds up no other.

use std::time::Duration;

use dbops_health::Finding;
use futures_util::future::{join, join_all};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;

use super::backups::{BackupStatus, newest};
use super::database::{self, DatabaseStatus};
use super::search::{self, SearchStatus};
use crate::commands::Context;
use crate::commands::health::{self, Sets};
use crate::commands::schema::drift_verdict;
use crate::commands::scratch::Scratch;
use crate::config::{Config, Target, TargetKind};
use crate::failure::Result;

/// How much is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// How long a target, or the repository, may take to answer.
    pub(crate) deadline: Duration,
    /// Whether schemas are compared too, which takes longer and has no deadline.
    pub(crate) schemas: bool,
}

/// The document of `dbops status --json`. All sizes are bytes, all times UTC.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// When the last one had answered.
    pub(crate) checked: Timestamp,
    /// Whether nothing needs a look.
    pub(crate) ok: bool,
    /// In the order of the configuration.
    pub(crate) targets: Vec<TargetStatus>,
    /// Why the backups are not known.
    pub(crate) backups_error: Option<String>,
}

/// One target. Of `database` and `search` one is there: neither when the target cannot be reached.
#[derive(Debug, Serialize)]
pub(crate) struct TargetStatus {
    pub(crate) name: String,
    /// `postgres` or `qdrant`.
    pub(crate) kind: &'static str,
    /// `host:port`, or Qdrant's URL.
    pub(crate) server: String,
    /// Whether nothing about it needs a look.
    pub(crate) ok: bool,
    /// Why it cannot be asked.
    pub(crate) unreachable: Option<String>,
    pub(crate) database: Option<DatabaseStatus>,
    pub(crate) search: Option<SearchStatus>,
    /// The newest backup set that holds the whole target.
    pub(crate) last_backup: Option<BackupStatus>,
    pub(crate) health: HealthStatus,
    /// What the health checks found, good and bad; empty when they could not be carried out.
    #[serde(skip)]
    pub(crate) findings: Vec<Finding>,
}

/// The worst finding.
#[derive(Debug, Serialize)]
pub(crate) struct HealthStatus {
    /// `ok`, `warning`, `unknown` or `critical`.
    pub(crate) status: &'static str,
    /// What was found, when it is not ok.
    pub(crate) summary: Option<String>,
    pub(crate) remedy: Option<String>,
    /// How many checks found something.
    pub(crate) findings: usize,
}

/// What a target says of itself.
enum Told {
    Database(Box<DatabaseStatus>),
    Search(SearchStatus),
}

/// Asks all targets that are named, or all there are, and the repository.
///
/// # Errors
///
/// When a target is named that there is not. What servers, the repository and files refuse is part of the value.
pub(crate) async fn gather(context: &Context, config: &Config, names: &[String], extent: Extent) -> Result<Status> {
    let sets = health::sets(context, config, extent.deadline);
    let (targets, sets) = join(targets(context, config, names, extent), sets).await;
    Ok(together(targets?, &sets))
}

/// What the targets say. Of their backups nothing is said yet.
///
/// # Errors
///
/// When a target is named that there is not.
pub(crate) async fn targets(
    context: &Context,
    config: &Config,
    names: &[String],
    extent: Extent,
) -> Result<Vec<TargetStatus>> {
    let chosen = config.select(names)?;
    let scratch = Scratch::new(context, None);
    Ok(join_all(chosen.iter().map(|target| ask(context, config, &scratch, target, extent))).await)
}

/// The targets with their backups, or with why these are not known.
pub(crate) fn together(mut targets: Vec<TargetStatus>, sets: &Sets) -> Status {
    let checked = Timestamp::now();
    for target in &mut targets {
        target.last_backup = sets.as_ref().ok().and_then(|sets| newest(sets, &target.name, checked));
        target.ok &= target.last_backup.as_ref().is_none_or(|backup| !backup.damaged);
    }
    let backups_error = sets.as_ref().err().map(|(reason, _)| reason.clone());
    let ok = backups_error.is_none() && targets.iter().all(|target| target.ok);
    Status { checked, ok, targets, backups_error }
}

async fn ask(
    context: &Context,
    config: &Config,
    scratch: &Scratch<'_>,
    target: &Target,
    extent: Extent,
) -> TargetStatus {
    let deadline = extent.deadline;
    let too_late = || format!("no answer within {} s", deadline.as_secs());
    let asked = timeout(deadline, tell(config, target, deadline));
    // Each check has the deadline itself, so that one that hangs takes nothing away from the others.
    let checked = timeout(deadline + Duration::from_secs(1), check(config, target, deadline));
    let (told, findings) = join(asked, checked).await;
    let findings = findings.unwrap_or_else(|_| Err(too_late()));
    let (mut told, unreachable) = match told.unwrap_or_else(|_| Err(too_late())) {
        Ok(told) => (Some(told), None),
        Err(reason) => (None, Some(reason)),
    };
    if let (Some(Told::Database(status)), TargetKind::Postgres(postgres), true) =
        (&mut told, &target.kind, extent.schemas)
    {
        match drift_verdict(context, scratch, &target.name, postgres).await {
            Ok(verdict) => status.schema = verdict,
            Err(failure) => status.schema_error = Some(format!("{:#}", failure.error)),
        }
    }
    let health = health_of(&target.name, unreachable.as_deref(), findings.as_deref());
    let findings = findings.unwrap_or_default();
    let (kind, server) = match &target.kind {
        TargetKind::Postgres(postgres) => ("postgres", postgres.url.server()),
        TargetKind::Qdrant(qdrant) => ("qdrant", qdrant.addresses.to_string()),
    };
    let is_well = match &told {
        Some(Told::Database(status)) => status.is_well(),
        Some(Told::Search(status)) => status.is_well(),
        None => false,
    };
    let (database, search) = match told {
        Some(Told::Database(status)) => (Some(*status), None),
        Some(Told::Search(status)) => (None, Some(status)),
        None => (None, None),
    };
    let ok = is_well && health.status == "ok";
    let name = target.name.clone();
    TargetStatus { name, kind, server, ok, unreachable, database, search, last_backup: None, health, findings }
}

/// What a target says of itself, or why it says nothing.
async fn tell(config: &Config, target: &Target, deadline: Duration) -> std::result::Result<Told, String> {
    match &target.kind {
        TargetKind::Postgres(postgres) => Ok(Told::Database(Box::new(database::ask(&target.name, postgres).await?))),
        TargetKind::Qdrant(qdrant) => Ok(Told::Search(search::ask(config, qdrant, deadline).await?)),
    }
}

/// The findings of the health checks, or why there are none.
async fn check(config: &Config, target: &Target, deadline: Duration) -> std::result::Result<Vec<Finding>, String> {
    let subject = health::subject(config, target).map_err(|failure| format!("{:#}", failure.error))?;
    Ok(health::check(config, &subject, &config.health, deadline).await)
}

fn health_of(
    name: &str,
    unreachable: Option<&str>,
    findings: std::result::Result<&[Finding], &String>,
) -> HealthStatus {
    let of_one = |status, summary, command: &str| {
        let remedy = Some(format!("dbops {command} {name}"));
        HealthStatus { status, summary: Some(summary), remedy, findings: 1 }
    };
    if let Some(reason) = unreachable {
        return of_one("critical", reason.to_owned(), "doctor");
    }
    let findings = match findings {
        Ok(findings) => findings,
        Err(reason) => return of_one("unknown", reason.clone(), "health"),
    };
    let count = findings.iter().filter(|finding| finding.status != dbops_health::Status::Ok).count();
    // Of equally bad ones the first: checks go from the ground up.
    let worst = findings.iter().rev().max_by_key(|finding| finding.status);
    let worst = worst.filter(|finding| finding.status != dbops_health::Status::Ok);
    HealthStatus {
        status: worst.map_or("ok", |finding| finding.status.name()),
        summary: worst.map(|finding| finding.summary.clone()),
        remedy: worst.and_then(|finding| finding.remedy.clone()),
        findings: count,
    }
}
