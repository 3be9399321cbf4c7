//! A lock in a bucket: an object that its holder writes anew each minute. One that was not written for three minutes is
//! nobody's, and the next one takes it over.
//!
//! All that decides is done by conditional writes, and by the service's clock.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use crate::Error;
use crate::lock::{Holder, Refused};
use crate::store::{Bucket, detached};

/// How often the holder says that it is alive.
const BEAT: Duration = Duration::from_secs(60);
/// After this many seconds of silence it is not.
const STALE: i64 = 180;
/// More than a lease ever has.
const LIMIT: u64 = 4096;

/// A held lock.
#[derive(Debug)]
pub(crate) struct Lease {
    bucket: Bucket,
    key: String,
    token: String,
    heart: JoinHandle<()>,
}

/// What the object holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Text {
    /// Whose it is.
    token: String,
    holder: Holder,
    /// How often it was written; so that no two writes are the same.
    beat: u64,
}

impl Text {
    fn bytes(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Lease {
    pub(crate) async fn take(bucket: &Bucket, key: &str, token: &str, holder: &Holder) -> Result<Self, Refused> {
        let text = Text { token: token.into(), holder: holder.clone(), beat: 0 };
        let mut version = bucket.create(key, text.bytes()).await?;
        while version.is_none() {
            let Some((found, old, written)) = bucket.read_version(key, LIMIT).await? else {
                // Let go just now.
                version = bucket.create(key, text.bytes()).await?;
                continue;
            };
            let now = bucket.now(&format!("{key}-{token}")).await?;
            if !is_stale(written, now) {
                let nobody = Holder { pid: 0, host: String::new(), since: Timestamp::UNIX_EPOCH };
                return Err(Refused::Held(Text::parse(&found).map_or(nobody, |text| text.holder)));
            }
            version = bucket.update(key, text.bytes(), old).await?;
        }
        let (bucket, key, token) = (bucket.clone(), key.to_owned(), token.to_owned());
        let heart = tokio::spawn(beat(bucket.clone(), key.clone(), text));
        Ok(Self { bucket, key, token, heart })
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Whether nobody has taken it over.
    pub(crate) async fn is_held(&self) -> Result<bool, Error> {
        is_whose(&self.bucket, &self.key, &self.token).await
    }

    /// Lets it go. Where that does not succeed, it becomes nobody's with time.
    pub(crate) async fn release(self) {
        self.heart.abort();
        release(&self.bucket, &self.key, &self.token).await;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.heart.abort();
    }
}

/// Writes the lease anew until another one has it, or nobody waits for it any more.
async fn beat(bucket: Bucket, key: String, mut text: Text) {
    loop {
        tokio::time::sleep(BEAT).await;
        text.beat += 1;
        let Ok(found) = bucket.read_version(&key, LIMIT).await else { continue };
        let Some((found, version, _)) = found else { return };
        let is_ours = Text::parse(&found).is_some_and(|found| found.token == text.token);
        if !is_ours {
            return;
        }
        // Where this fails, the next beat may succeed; until it is too late, which who publishes will see.
        drop(bucket.update(&key, text.bytes(), version).await);
    }
}

async fn is_whose(bucket: &Bucket, key: &str, token: &str) -> Result<bool, Error> {
    let found = bucket.read_version(key, LIMIT).await?;
    Ok(found.and_then(|(bytes, _, _)| Text::parse(&bytes)).is_some_and(|text| text.token == token))
}

/// Whether somebody holds it by this token, and is alive.
pub(crate) async fn is_alive(bucket: &Bucket, key: &str, token: &str, now: Timestamp) -> Result<bool, Error> {
    let Some((bytes, _, written)) = bucket.read_version(key, LIMIT).await? else { return Ok(false) };
    Ok(!is_stale(written, now) && Text::parse(&bytes).is_some_and(|text| text.token == token))
}

fn is_stale(written: Timestamp, now: Timestamp) -> bool {
    now.as_second() - written.as_second() > STALE
}

async fn release(bucket: &Bucket, key: &str, token: &str) {
    use crate::store::Store;

    if let Ok(true) = is_whose(bucket, key, token).await {
        drop(Store::Bucket(bucket.clone()).delete(key).await);
    }
}

/// Lets leases go although the work was interrupted.
pub(crate) fn release_detached(bucket: &Bucket, keys: Vec<String>, token: String) {
    detached(bucket, |bucket| async move {
        for key in keys {
            release(&bucket, &key, &token).await;
        }
    });
}
