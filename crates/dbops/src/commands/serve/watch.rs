//! Asking the targets, again and again.

use std::rc::Rc;
use std::time::{Duration, Instant};

use dbops_backup::{Contents, ManifestTarget, Set};
use futures_util::future::join;
use tokio::time::{MissedTickBehavior, interval};

use super::view::{Database, Gathered, SetState, SetView, Shared, View};
use crate::commands::Context;
use crate::commands::health::{self, Sets};
use crate::commands::migrate::revisions;
use crate::commands::status::{DatabaseStatus, Extent, Status, TargetStatus, targets, together};
use crate::config::{Config, TargetKind};
use crate::failure::Result;

/// How long what was read of the repository counts: it is large, may be far away, and changes seldom.
const SETS_TIME: Duration = Duration::from_secs(60);

/// What was read of the repository, and when.
struct Read {
    at: Instant,
    sets: Sets,
}

/// Never ends.
pub(super) async fn watch(context: &Context, shared: &Shared) {
    let mut ticks = interval(shared.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut read: Option<Read> = None;
    loop {
        ticks.tick().await;
        let gathered = gather(context, shared, &mut read).await;
        let view = match gathered {
            Ok(gathered) => View { gathered: Some(Rc::new(gathered)), error: None },
            Err(failure) => {
                let reason = format!("{:#}", failure.error);
                let view = shared.view();
                // Once, not every time.
                if view.error.as_ref() != Some(&reason) {
                    context.ui.warn(&reason);
                }
                View { error: Some(reason), gathered: view.gathered.clone() }
            }
        };
        shared.show(view);
    }
}

/// Fails when the configuration cannot be used.
async fn gather(context: &Context, shared: &Shared, read: &mut Option<Read>) -> Result<Gathered> {
    let begun = Instant::now();
    let config = context.config()?;
    let extent = Extent { deadline: shared.timeout, schemas: false };
    let targets = targets(context, &config, &[], extent);
    let is_fresh = |read: &Read| read.sets.is_ok() && read.at.elapsed() < SETS_TIME.max(shared.interval);
    let (targets, sets) = match read.take().filter(is_fresh) {
        Some(fresh) => (targets.await?, fresh),
        None => {
            let (targets, sets) = join(targets, health::sets(context, &config, shared.timeout)).await;
            (targets?, Read { at: Instant::now(), sets })
        }
    };
    let databases = databases(&config, &targets);
    let findings = findings(&config, &targets, &sets.sets);
    let status: Status = together(targets, &sets.sets);
    let views = sets.sets.iter().flatten().rev().map(set_view).collect();
    *read = Some(sets);
    Ok(Gathered { status, findings, databases, sets: views, took: begun.elapsed() })
}

/// Those of a target's server, then those of its backups, as in `dbops health`.
fn findings(config: &Config, targets: &[TargetStatus], sets: &Sets) -> Vec<dbops_health::Finding> {
    let of_target = |target: &TargetStatus| {
        let backups = health::of_backups(&target.name, &config.health, sets);
        target.findings.iter().cloned().chain(backups).collect::<Vec<_>>()
    };
    targets.iter().flat_map(of_target).collect()
}

fn databases(config: &Config, targets: &[TargetStatus]) -> Vec<Database> {
    let with_status = config.targets.iter().zip(targets);
    let databases = with_status.filter_map(|(target, status)| {
        let TargetKind::Postgres(postgres) = &target.kind else { return None };
        let revisions = match &status.database {
            None => Err("the database cannot be asked".into()),
            Some(DatabaseStatus { migrations: Some(found), .. }) => {
                revisions(&target.name, postgres, &found.current).map_err(|failure| format!("{:#}", failure.error))
            }
            Some(database) => Err(database.migrations_error.clone().unwrap_or_default()),
        };
        Some(Database { name: target.name.clone(), url: postgres.url.clone(), revisions })
    });
    databases.collect()
}

fn set_view(set: &Set) -> SetView {
    let state = match set.verified() {
        _ if set.is_damaged() || !set.is_complete() => SetState::Damaged,
        Some(_) => SetState::Verified,
        None => SetState::NotVerified,
    };
    let targets = set.manifest.iter().flat_map(|manifest| &manifest.targets);
    SetView {
        id: set.id.to_string(),
        created: set.created(),
        bytes: set.bytes(),
        state,
        targets: targets.map(|target| (target.name.clone(), size(target))).collect(),
    }
}

/// How large a target was: its tables on the server's disk, or the snapshots of its collections. Nothing for a part.
fn size(target: &ManifestTarget) -> Option<u64> {
    match &target.contents {
        Contents::Postgres(postgres) => postgres.is_whole.then_some(postgres.table_bytes),
        Contents::Qdrant(_) => Some(target.files.iter().map(|file| file.plain_bytes).sum()),
    }
}
