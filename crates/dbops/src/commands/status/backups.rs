//! The newest backup of each target.

use std::time::Duration;

use dbops_backup::{Set, SetId};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;

use crate::commands::{Context, repository};
use crate::config::Config;

#[derive(Debug, Serialize)]
pub(crate) struct BackupStatus {
    pub(crate) id: SetId,
    pub(crate) created: Timestamp,
    /// How long ago that was, in seconds.
    pub(crate) age_s: i64,
    /// The size of the whole set.
    pub(crate) bytes: u64,
    /// When it was found whole.
    pub(crate) verified: Option<Timestamp>,
    /// Whether it was found damaged, or files of it are missing.
    pub(crate) damaged: bool,
}

/// All sets of the repository, the newest first, or why they are not known.
pub(crate) async fn read(context: &Context, config: &Config, deadline: Duration) -> Result<Vec<Set>, String> {
    let read = async {
        let repository = repository::open(context, config, None).await.map_err(|failure| failure.error)?;
        Ok::<_, anyhow::Error>(repository.sets().await?)
    };
    match timeout(deadline, read).await {
        Ok(sets) => sets.map_err(|error| format!("{error:#}")),
        Err(_) => Err(format!("the repository gave no answer within {} s", deadline.as_secs())),
    }
}

/// The newest set with all of a target. One that cannot be read without a key may hold it, and is passed over.
pub(super) fn newest(sets: &[Set], target: &str, now: Timestamp) -> Option<BackupStatus> {
    let name = target.to_owned();
    let wanted = [name];
    let set = sets.iter().find(|set| set.targets().contains(&wanted[0]) && !set.is_partial(&wanted))?;
    Some(BackupStatus {
        id: set.id.clone(),
        created: set.created(),
        age_s: now.as_second() - set.created().as_second(),
        bytes: set.bytes(),
        verified: set.verified(),
        damaged: set.is_damaged() || !set.is_complete(),
    })
}
