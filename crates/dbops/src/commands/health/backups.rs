//! What is known of the backups of each target.

use std::time::Duration;

use dbops_backup::Set;
use dbops_health::{BackupState, BackupTaken};
use jiff::Timestamp;

use crate::commands::{Context, repository};
use crate::config::Config;
use crate::failure::Failure;

/// All sets of a repository, or why they are not known and what to do about it.
pub(crate) type Sets = Result<Vec<Set>, (String, String)>;

/// The sets of the configured repository, or why they cannot be read. It has the deadline of a check.
pub(crate) async fn sets(context: &Context, config: &Config, deadline: Duration) -> Sets {
    let read = async {
        let repository = repository::open(context, config, None).await?;
        Ok::<_, Failure>(repository.sets().await?)
    };
    match tokio::time::timeout(deadline, read).await {
        Ok(Ok(sets)) => Ok(sets),
        Ok(Err(failure)) => {
            let remedy = failure.hint.unwrap_or_else(|| "`dbops backup list` may say more".into());
            Err((format!("the repository cannot be read: {:#}", failure.error), remedy))
        }
        Err(_) => {
            let reason = format!("the repository gave no answer within {} s", deadline.as_secs_f64());
            Err((reason, "see whether the repository can be reached: dbops backup list".into()))
        }
    }
}

pub(super) fn state(sets: &Sets, target: &str) -> BackupState {
    let sets = match sets {
        Ok(sets) => sets,
        Err((reason, remedy)) => return BackupState::Unreadable { reason: reason.clone(), remedy: remedy.clone() },
    };
    if sets.iter().any(Set::is_locked) {
        return BackupState::Unreadable {
            reason: "backups are encrypted, and the key to them is not at hand".into(),
            remedy: "set `backup.encryption.identity`, or DBOPS_BACKUP_PASSPHRASE".into(),
        };
    }
    let name = [target.to_owned()];
    let now = Timestamp::now();
    let age = |time: Timestamp| now.duration_since(time).as_secs_f64().max(0.0);
    let taken = sets.iter().filter(|set| set.is_complete() && !set.is_damaged() && !set.is_partial(&name));
    let taken = taken.filter_map(|set| {
        let held = set.manifest.as_ref().ok()?.targets.iter().find(|held| held.name == target)?;
        #[expect(clippy::cast_precision_loss, reason = "a size for people")]
        let bytes = held.bytes() as f64;
        Some(BackupTaken { age: age(set.created()), verified: set.verified().map(age), bytes })
    });
    BackupState::Taken(taken.collect())
}
