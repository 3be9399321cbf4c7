//! Docker's own program, where it is installed.

use std::path::PathBuf;

use crate::environment::Environment;

/// The `docker` on PATH.
pub(super) fn program(environment: &Environment) -> Option<PathBuf> {
    let path = environment.get("PATH")?;
    std::env::split_paths(path).map(|folder| folder.join("docker")).find(|path| path.is_file())
}
