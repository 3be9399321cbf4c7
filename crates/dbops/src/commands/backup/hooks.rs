//! What the user has run around a backup (`backup.hooks`), and who is told when one fails (`backup.webhook`).

use std::time::Duration;

use dbops_backup::{Backup, SetId, post_json};
use dbops_postgres::process;
use jiff::Timestamp;
use serde::Serialize;

use super::super::Context;
use crate::config::BackupConfig;
use crate::environment::host_name;
use crate::failure::{Failure, FailureKind, Result};

/// The hooks of one backup.
pub(super) struct Hooks<'a> {
    context: &'a Context,
    config: &'a BackupConfig,
    targets: &'a [&'a str],
}

/// What a webhook is sent.
#[derive(Serialize)]
struct FailureDocument<'a> {
    event: &'static str,
    time: Timestamp,
    host: String,
    targets: &'a [&'a str],
    kind: &'static str,
    error: String,
    hint: Option<&'a str>,
}

impl<'a> Hooks<'a> {
    pub(super) fn new(context: &'a Context, config: &'a BackupConfig, targets: &'a [&'a str]) -> Self {
        Self { context, config, targets }
    }

    /// Those before the backup; it is not made when one of them fails.
    pub(super) async fn before(&self) -> Result<()> {
        for line in &self.config.hooks.before {
            let ran = self.run("before", line, &[]).await;
            ran.map_err(|failure| failure.with_hint("nothing was backed up: a hook before it has to succeed"))?;
        }
        Ok(())
    }

    /// Those after a backup that is whole.
    pub(super) async fn after(&self, backup: &Backup) -> Result<()> {
        let id: &SetId = &backup.manifest.id;
        let facts = [
            ("DBOPS_BACKUP_ID", id.to_string()),
            ("DBOPS_BACKUP_PATH", backup.path.clone()),
            ("DBOPS_BACKUP_BYTES", backup.manifest.bytes().to_string()),
            ("DBOPS_BACKUP_DURATION_MS", backup.manifest.duration_ms.to_string()),
        ];
        for line in &self.config.hooks.after {
            let ran = self.run("after", line, &facts).await;
            ran.map_err(|failure| failure.with_hint(format!("the backup {id} is complete; only its hook failed")))?;
        }
        Ok(())
    }

    /// Those for a failure, and the webhook. What goes wrong with them is told, and changes nothing.
    pub(super) async fn failed(&self, failure: &Failure) {
        let error = format!("{:#}", failure.error);
        for line in &self.config.hooks.failure {
            if let Err(second) = self.run("failure", line, &[("DBOPS_BACKUP_ERROR", error.clone())]).await {
                self.context.ui.warn(format!("{:#}", second.error));
            }
        }
        let Some(url) = &self.config.webhook else { return };
        let document = FailureDocument {
            event: "backup_failed",
            time: Timestamp::now(),
            host: host_name(),
            targets: self.targets,
            kind: failure.kind.name(),
            error,
            hint: failure.hint.as_deref(),
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        if let Err(error) = post_json(url.reveal(), body).await {
            self.context.ui.warn(error);
        }
    }

    /// Runs a line by the shell, as the user would: with the user's environment, and what there is to say of the backup.
    async fn run(&self, when: &str, line: &str, facts: &[(&str, String)]) -> Result<()> {
        let mut command = process::command("/bin/sh");
        command.args(["-c", line]).current_dir(&self.context.environment.working_directory).env_clear();
        command.envs(self.context.environment.all());
        command.env("DBOPS_BACKUP_EVENT", when).env("DBOPS_BACKUP_TARGETS", self.targets.join(" "));
        command.envs(facts.iter().map(|(name, value)| (name, value)));
        self.context.ui.detail(format!("hook: {line}"));
        let limit: Duration = self.config.hooks.time_limit;
        let output = process::run_group(command, limit).await.map_err(|error| {
            let failure = Failure::new(FailureKind::Failed, error);
            failure.context(format!("the hook `{line}` ({when}) failed"))
        })?;
        let said = String::from_utf8_lossy(&output);
        said.lines().for_each(|line| self.context.ui.detail(format!("hook: {line}")));
        Ok(())
    }
}
