//! A folder of revision files: reading all of them, and writing a new one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};

use crate::parse::{id_problem, parse};
use crate::{Error, Revision};

/// Reads every `*.sql` file of a folder, in the order of their names, which begin with the time.
///
/// # Errors
///
/// When the folder or a file cannot be read, or a file is no revision.
pub fn load_folder(folder: &Path) -> Result<Vec<Revision>, Error> {
    let io_error = |source| Error::Io { path: folder.to_path_buf(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error)? {
        let path = entry.map_err(io_error)?.path();
        // Editors leave files like `.#name.sql`.
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|extension| extension == "sql") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut revisions = Vec::with_capacity(paths.len());
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        revisions.push(parse(&path, &text)?);
    }
    Ok(revisions)
}

/// What a new revision is to say.
#[derive(Debug, Clone)]
pub struct NewRevision {
    /// What it will do: "add email verification to users".
    pub message: String,
    /// The ids that it follows.
    pub revises: Vec<String>,
    /// Names for the branch that it begins.
    pub branch_labels: Vec<String>,
    /// Ids or labels that it needs besides.
    pub depends_on: Vec<String>,
    /// Its id; a new one when `None`.
    pub id: Option<String>,
    /// When it was written.
    pub created: Timestamp,
    /// What it does, when that is known; else its sections are empty.
    pub sections: Option<NewSections>,
}

/// The sections of a new revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSections {
    /// The SQL of the way up.
    pub up: String,
    /// The SQL of the way down.
    pub down: String,
    /// Whether each is one transaction.
    pub transaction: bool,
}

/// A revision file that is not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// The revision's id.
    pub id: String,
    /// Where the file goes.
    pub path: PathBuf,
    /// What is to stand in it.
    pub text: String,
}

impl NewFile {
    /// Writes the file. An existing one is never overwritten.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self) -> Result<(), Error> {
        let io_error = |source| Error::Io { path: self.path.clone(), source };
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(io_error)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&self.path).map_err(io_error)?;
        file.write_all(self.text.as_bytes()).map_err(io_error)
    }
}

/// The file of a new revision, with an id of its own if none is asked for.
///
/// # Errors
///
/// When the id cannot be one.
pub fn new_file(folder: &Path, new: &NewRevision) -> Result<NewFile, Error> {
    let id = match &new.id {
        Some(id) => id.clone(),
        None => uuid::Uuid::new_v4().simple().to_string()[..12].to_owned(),
    };
    if let Some(problem) = id_problem(&id) {
        return Err(Error::Id { id, problem });
    }
    let created = new.created.to_zoned(TimeZone::UTC);
    let path = folder.join(file_name(new.created, &id, &new.message));
    // A line break in the message would end the header's line.
    let message = new.message.split_whitespace().collect::<Vec<_>>().join(" ");
    // A merge changes nothing by itself.
    let empty_down = if new.revises.len() > 1 { "-- nothing to undo\n" } else { "" };
    let (mut up, mut down, mut transaction) = ("\n".to_owned(), empty_down.to_owned(), "");
    if let Some(sections) = &new.sections {
        up = format!("{}\n", sections.up);
        down = format!("{}\n", sections.down);
        transaction = if sections.transaction { "" } else { "-- transaction: off\n" };
    }
    let header = format!(
        "-- revision: {id}\n-- revises: {}\n-- branch_labels: {}\n-- depends_on: {}\n\
         -- message: {message}\n-- created: {}\n{transaction}",
        new.revises.join(", "),
        new.branch_labels.join(", "),
        new.depends_on.join(", "),
        created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    .replace(": \n", ":\n");
    let text = format!("{header}\n-- +up\n{up}\n-- +down\n{down}\n");
    Ok(NewFile { id, path, text })
}

/// The name of a revision's file: in the order of names, an older one comes first.
pub(crate) fn file_name(created: Timestamp, id: &str, message: &str) -> String {
    let created = created.to_zoned(TimeZone::UTC);
    format!("{}_{id}_{}.sql", created.strftime("%Y%m%dT%H%M%SZ"), slug(message))
}

/// The message as part of a file name: lower case, words joined by `_`, 40 characters at most.
fn slug(message: &str) -> String {
    let lower: String =
        message.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    let mut slug = String::new();
    for word in lower.split_whitespace() {
        if slug.len() + word.len() > 40 {
            break;
        }
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.push_str(word);
    }
    if slug.is_empty() { "revision".into() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn slugs_fit_a_file_name() {
        let cases = [
            ("add role column to users", "add_role_column_to_users"),
            ("Create \"odd\" /name/", "create_odd_name"),
            ("größer", "gr_er"),
            ("…", "revision"),
            ("../../etc/passwd", "etc_passwd"),
            ("one two three four five six seven eight nine ten", "one_two_three_four_five_six_seven_eight"),
        ];
        for (message, expected) in cases {
            assert_eq!(slug(message), expected);
        }
    }
}
