//! Folders that another account gets into.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Creates a folder and those that lead to it; everyone may enter the new ones, whatever the umask. What is there
/// keeps its permissions.
///
/// # Errors
///
/// When a folder cannot be made.
pub fn create_open_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() || path.as_os_str().is_empty() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_open_folder(parent)?;
    }
    // It gets its permissions before its name: a kill must not leave a folder that is closed. What a kill leaves has a
    // name that the next call finds.
    let unfinished = unfinished_folder(path);
    let made = match fs::create_dir(&unfinished) {
        Err(_) if unfinished.is_dir() => Ok(()),
        result => result,
    };
    let finished = made
        .and_then(|()| fs::set_permissions(&unfinished, Permissions::from_mode(0o755)))
        .and_then(|()| fs::rename(&unfinished, path));
    match finished {
        // Another process was first.
        Err(_) if path.is_dir() => Ok(()),
        result => result,
    }
}

/// Where [`create_open_folder`] makes a folder before it has its name; a kill may leave it there.
#[must_use]
pub fn unfinished_folder(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}
