//! The newest backup of each target.

use dbops_backup::{Set, SetId};
use jiff::Timestamp;
use serde::Serialize;

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
