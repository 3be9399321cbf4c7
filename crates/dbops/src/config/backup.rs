//! The section `backup` as it is written.

use std::path::PathBuf;
use std::time::Duration;

use dbops_backup::{BucketLocation, Count, Keep, Location};
use serde::Deserialize;

use super::file::{Reader, Scalar};
use super::{BackupConfig, EncryptionConfig, HooksConfig, Secret};
use crate::cloud;
use crate::failure::Result;

/// How long a hook may take unless the file says otherwise.
const HOOK_LIMIT: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Backup {
    repository: String,
    retention: Retention,
    encryption: Option<Encryption>,
    hooks: Hooks,
    webhook: String,
}

/// Lines for the shell.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Hooks {
    before: Vec<String>,
    after: Vec<String>,
    failure: Vec<String>,
    time_limit: Option<Scalar>,
}

/// How many sets to keep; 0 keeps none for that reason.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Retention {
    keep_last: Option<Scalar>,
    keep_hourly: Option<Scalar>,
    keep_daily: Option<Scalar>,
    keep_weekly: Option<Scalar>,
    keep_monthly: Option<Scalar>,
    keep_yearly: Option<Scalar>,
    keep_within: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Encryption {
    recipients: Vec<String>,
    recipients_file: Option<String>,
    passphrase_file: Option<String>,
    identity: Option<String>,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            repository: "../.dbops/backups".into(),
            retention: Retention::default(),
            encryption: None,
            hooks: Hooks::default(),
            webhook: String::new(),
        }
    }
}

impl Backup {
    pub(super) fn read(self, reader: &Reader<'_>) -> Result<BackupConfig> {
        Ok(BackupConfig {
            repository: location(reader, &self.repository)?,
            retention: self.retention.read(reader)?,
            encryption: self.encryption.map(|written| written.read(reader)).transpose()?.unwrap_or_default(),
            hooks: self.hooks.read(reader)?,
            webhook: webhook(reader, &self.webhook)?,
        })
    }
}

/// Without the address in a message: it often holds a key.
fn webhook(reader: &Reader<'_>, text: &str) -> Result<Option<Secret>> {
    let place = ["backup", "webhook"];
    let text = reader.expand(&place, text)?;
    if !text.is_empty() && !text.starts_with("http://") && !text.starts_with("https://") {
        return Err(reader.failure(&place, "the webhook is not a web address".into()).with_hint("write https://…"));
    }
    Ok((!text.is_empty()).then_some(Secret(text)))
}

impl Hooks {
    /// The lines are for the shell as they are: it knows variables itself.
    fn read(self, reader: &Reader<'_>) -> Result<HooksConfig> {
        let time_limit = match self.time_limit {
            None => HOOK_LIMIT,
            Some(Scalar(text)) => {
                let place = ["backup", "hooks", "time_limit"];
                let seconds = text.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                    let failure = reader.failure(&place, format!("`{text}` is not a number of seconds"));
                    failure.with_hint("write 600 for ten minutes")
                })?;
                Duration::from_secs(seconds)
            }
        };
        Ok(HooksConfig { before: self.before, after: self.after, failure: self.failure, time_limit })
    }
}

fn location(reader: &Reader<'_>, text: &str) -> Result<Location> {
    let place = ["backup", "repository"];
    let text = reader.expand(&place, text)?;
    if text.is_empty() {
        let failure = reader.failure(&place, "it is empty".into());
        return Err(failure.with_hint("name a folder or a bucket; without the line it is ../.dbops/backups"));
    }
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(Location::Folder(reader.resolve(&text))) };
    if !["s3", "gs", "az"].contains(&scheme) {
        let failure = reader.failure(&place, format!("a repository at {scheme}:// is not supported"));
        return Err(failure.with_hint("name a folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"));
    }
    // A key that was put there by mistake is not shown.
    if rest.is_empty() || rest.starts_with('/') || rest.contains(['@', '?', '#']) {
        let failure = reader.failure(&place, format!("this is not a bucket: {scheme}://…"));
        return Err(failure.with_hint(format!(
            "write {scheme}://BUCKET/PREFIX; keys are taken from the environment (docs/backups.md)"
        )));
    }
    let options = cloud::options(reader.environment, scheme)?;
    Ok(Location::Bucket(BucketLocation { url: text.trim_end_matches('/').to_owned(), options }))
}

impl Retention {
    fn read(self, reader: &Reader<'_>) -> Result<Keep> {
        let count = |key: &str, value: Option<Scalar>| -> Result<Count> {
            let Some(Scalar(text)) = value else { return Ok(Count::default()) };
            text.parse().map_err(|hint| {
                let failure =
                    reader.failure(&["backup", "retention", key], format!("`{text}` is not a number of sets"));
                failure.with_hint(hint)
            })
        };
        let within = self.keep_within.map(|text| {
            text.parse().map_err(|hint| {
                let place = ["backup", "retention", "keep_within"];
                reader.failure(&place, format!("`{text}` is not a length of time")).with_hint(hint)
            })
        });
        Ok(Keep {
            last: count("keep_last", self.keep_last)?,
            hourly: count("keep_hourly", self.keep_hourly)?,
            daily: count("keep_daily", self.keep_daily)?,
            weekly: count("keep_weekly", self.keep_weekly)?,
            monthly: count("keep_monthly", self.keep_monthly)?,
            yearly: count("keep_yearly", self.keep_yearly)?,
            within: within.transpose()?,
        })
    }
}

impl Encryption {
    fn read(self, reader: &Reader<'_>) -> Result<EncryptionConfig> {
        let place = |key| ["backup", "encryption", key];
        let path = |key, text: Option<String>| -> Result<Option<PathBuf>> {
            let Some(text) = text else { return Ok(None) };
            let text = reader.expand(&place(key), &text)?;
            Ok((!text.is_empty()).then(|| reader.resolve(&text)))
        };
        let expanded = self.recipients.iter().map(|text| reader.expand(&place("recipients"), text));
        let encryption = EncryptionConfig {
            recipients: expanded
                .filter(|text| text.as_ref().map_or(true, |text| !text.is_empty()))
                .collect::<Result<_>>()?,
            recipients_file: path("recipients_file", self.recipients_file)?,
            passphrase_file: path("passphrase_file", self.passphrase_file)?,
            identity: path("identity", self.identity)?,
        };
        let is_for_nobody = encryption.recipients.is_empty()
            && encryption.recipients_file.is_none()
            && encryption.passphrase_file.is_none();
        if encryption.identity.is_some() && is_for_nobody {
            let failure = reader.failure(&place("identity"), "an identity alone encrypts nothing".into());
            return Err(failure.with_hint("add `recipients`; to only read with it, pass --identity FILE"));
        }
        if is_for_nobody {
            // A variable that is not set must not be the reason that backups are readable.
            let failure =
                reader.failure(&["backup", "encryption"], "it names nobody who could read the backups".into());
            return Err(failure.with_hint("name recipients or a passphrase_file, or leave `encryption` out"));
        }
        Ok(encryption)
    }
}
