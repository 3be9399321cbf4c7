//! One file per command: its arguments and the function that carries it out.

pub(crate) mod backup;
pub(crate) mod completions;
pub(crate) mod config;
mod docker;
pub(crate) mod doctor;
pub(crate) mod health;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod qdrant;
mod renames;
mod replay;
mod repository;
pub(crate) mod restore;
pub(crate) mod schema;
mod scratch;
pub(crate) mod serve;
pub(crate) mod shell;
pub(crate) mod status;

use crate::config::Config;
use crate::environment::Environment;
use crate::failure::{FailureKind, Result};
use crate::ui::Ui;

/// What every command gets.
pub(crate) struct Context {
    pub(crate) ui: Ui,
    pub(crate) environment: Environment,
    pub(crate) config_path: Option<std::path::PathBuf>,
}

impl Context {
    /// Reads the configuration, when a command needs it.
    pub(crate) fn config(&self) -> Result<Config> {
        Config::load(self.config_path.as_deref(), &self.environment, &self.ui)
    }
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, or nothing to do.
    Done,
    /// A check found something: exit code 3.
    Found,
    /// The exit code of a program that was run for the user, or that of a Nagios plugin.
    Ended(u8),
    /// Part of it failed, which was told.
    Failed(FailureKind),
}
