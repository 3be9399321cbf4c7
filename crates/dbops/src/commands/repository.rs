//! Opening the repository that the configuration names, with the keys to it.

use std::path::{Path, PathBuf};

use dbops_backup::{Keys, Repository};

use super::Context;
use crate::config::Config;
use crate::failure::{Failure, Result};

/// The variable with the passphrase.
const PASSPHRASE: &str = "DBOPS_BACKUP_PASSPHRASE";

/// Opens the repository. The identity on the command line stands before the one of the configuration.
pub(super) async fn open(context: &Context, config: &Config, identity: Option<&Path>) -> Result<Repository> {
    let keys = keys(context, config, identity)?;
    Ok(Repository::open(&config.backup.repository, keys).await?)
}

/// Reads the keys, which have to be there and to be keys.
pub(super) fn keys(context: &Context, config: &Config, identity: Option<&Path>) -> Result<Keys> {
    let encryption = &config.backup.encryption;
    let mut recipients = encryption.recipients.clone();
    if let Some(path) = &encryption.recipients_file {
        let text = read(path)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        recipients.extend(lines.map(String::from));
        if recipients.is_empty() {
            return Err(Failure::usage(format!("{} names no recipient", path.display())));
        }
    }
    let passphrase = match &encryption.passphrase_file {
        Some(path) => Some(first_line(path)?),
        None => context.environment.text(PASSPHRASE).map(String::from),
    };
    let given: Option<PathBuf> = identity.map(|path| context.environment.working_directory.join(path));
    let identity = given.or_else(|| encryption.identity.clone());
    let identity = identity.map(|path| read(&path).map(|text| (path, text))).transpose()?;
    let identity = identity.as_ref().map(|(path, text)| (path.as_path(), text.as_str()));
    Ok(Keys::new(&recipients, identity, passphrase)?)
}

fn first_line(path: &Path) -> Result<String> {
    let text = read(path)?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(Failure::usage(format!("there is no passphrase in {}", path.display()))),
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("cannot read {}: {error}", path.display())).with_hint("see backup.encryption")
    })
}
