//! libpq's password file: `host:port:database:user:password`, one line each.
//!
//! <https://www.postgresql.org/docs/current/libpq-pgpass.html>

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use tempfile::NamedTempFile;

use crate::DatabaseUrl;

/// Looks up the password for one server, database and user; `None` when the file is missing or has no line for it.
///
/// A file that others can read is passed over, as libpq does.
///
/// # Errors
///
/// When the file exists and cannot be read.
pub fn find(path: &Path, host: &str, port: u16, database: &str, user: &str) -> io::Result<Option<String>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
        return Ok(None);
    }
    // libpq looks a socket's folder up as localhost.
    let host = if Path::new(host).is_absolute() { "localhost" } else { host };
    let wanted = [host, &port.to_string(), database, user].map(str::to_owned);
    Ok(fs::read_to_string(path)?.lines().find_map(|line| password_for(line, &wanted)))
}

fn password_for(line: &str, wanted: &[String; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = split(line).into_iter();
    for name in wanted {
        let (text, escaped) = fields.next()?;
        let is_wildcard = text == "*" && !escaped;
        if !is_wildcard && text != *name {
            return None;
        }
    }
    fields.next().map(|(password, _)| password)
}

/// The first five fields, each with whether a backslash stood in it.
fn split(line: &str) -> Vec<(String, bool)> {
    let mut fields = vec![(String::new(), false)];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                if let (Some(field), Some(next)) = (fields.last_mut(), characters.next()) {
                    field.0.push(next);
                    field.1 = true;
                }
            }
            ':' if fields.len() < 5 => fields.push((String::new(), false)),
            _ => {
                if let Some(field) = fields.last_mut() {
                    field.0.push(character);
                }
            }
        }
    }
    fields
}

/// A password file that is there for one run of a client program and gone afterwards, also when this process is killed.
#[derive(Debug)]
pub struct TemporaryPassfile(Place);

#[derive(Debug)]
enum Place {
    /// A file without a name, reached through this process: it is gone when the process is, however that ends.
    Unnamed(File, PathBuf),
    /// Where there is no `/proc`: a kill that leaves no time for anything leaves the file.
    Named(NamedTempFile),
}

impl TemporaryPassfile {
    /// Writes the URL's password, for any of its servers, into a new file that only this user can read.
    ///
    /// `None` when there is no password to pass on. The file lasts as long as the value: start the program as a child.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(url: &DatabaseUrl) -> io::Result<Option<Self>> {
        let Some(password) = url.resolve_password()? else { return Ok(None) };
        let mut place = Place::create()?;
        // Every host: libpq looks each one up on its own, and which of several answers is not known here.
        let file = match &mut place {
            Place::Unnamed(file, _) => file,
            Place::Named(file) => file.as_file_mut(),
        };
        writeln!(file, "*:*:*:{}:{}", escape(url.user()), escape(&password))?;
        file.flush()?;
        Ok(Some(Self(place)))
    }

    /// Where it is, for `PGPASSFILE`.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.0 {
            Place::Unnamed(_, path) => path,
            Place::Named(file) => file.path(),
        }
    }
}

impl Place {
    fn create() -> io::Result<Self> {
        let private = fs::Permissions::from_mode(0o600);
        let unnamed = tempfile::tempfile()?;
        unnamed.set_permissions(private.clone())?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), unnamed.as_raw_fd()));
        if path.is_file() {
            return Ok(Self::Unnamed(unnamed, path));
        }
        Ok(Self::Named(tempfile::Builder::new().prefix("dbops-pass-").permissions(private).tempfile()?))
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace(':', r"\:")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::{TemporaryPassfile, escape, find};
    use crate::DatabaseUrl;

    #[test]
    fn finds_as_libpq_does() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("pgpass");
        let text = "# comment\nother:*:*:*:no\nh:5432:d:u:first\nh:*:*:u:any\\:port\\\\\nlocalhost:*:*:*:socket\n*:1:we\\:ird:\\*:star\nshort:line";
        fs::write(&path, text).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mode");
        let cases = [
            (("h", 5432, "d", "u"), Some("first")),
            (("h", 5433, "d", "u"), Some(r"any:port\")),
            (("/run/postgresql", 5432, "d", "u"), Some("socket")),
            (("x", 1, "we:ird", "*"), Some("star")),
            (("x", 1, "we:ird", "someone"), None),
            (("short", 1, "d", "u"), None),
        ];
        for ((host, port, database, user), expected) in cases {
            let found = find(&path, host, port, database, user).expect("read");
            assert_eq!(found.as_deref(), expected, "{host}:{port}:{database}:{user}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("mode");
        assert_eq!(find(&path, "h", 5432, "d", "u").expect("read"), None, "others may read it");
        assert_eq!(find(&folder.path().join("none"), "h", 5432, "d", "u").expect("read"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_found(password in "[^\0\n\r]{1,30}", user in "[^\0\n\r]{1,30}") {
            let mut url = DatabaseUrl::parse("postgresql://h:1/d", &user).expect("url");
            url.config.password(&password);
            let file = TemporaryPassfile::write(&url).expect("write").expect("a password");
            prop_assert_eq!(find(file.path(), "h", 1, "d", &user).expect("read"), Some(password.clone()));
            prop_assert_eq!(escape(&password).contains("::"), false);
        }
    }
}
