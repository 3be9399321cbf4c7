//! An Alembic project read without Python: what its files say of the graph, not what they do.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::FileError;
use crate::revision::place;
use crate::{Error, Revision, Section, Settings};

const STUB: &str = "it is Alembic's; `dbops migrate import` turns it into SQL";

/// Whether a path is an `alembic.ini`, or a folder of Alembic's revisions.
#[must_use]
pub fn is_alembic(path: &Path) -> bool {
    if path.is_file() {
        return path.extension().is_some_and(|extension| extension == "ini");
    }
    let has = |extension: &str| files(path, extension, false).is_ok_and(|files| !files.is_empty());
    has("py") && !has("sql")
}

/// Reads the revisions of an `alembic.ini`'s locations, or of a folder, in the order of their names. They can be looked
/// at and not be run.
///
/// # Errors
///
/// When a file cannot be read, or says what it says in a way that only Python understands.
pub fn load_alembic(path: &Path) -> Result<Vec<Revision>, Error> {
    let io_error = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error::Io { path, source }
    };
    let (folders, recursive) = if path.is_file() {
        let text = fs::read_to_string(path).map_err(io_error(path))?;
        locations(path, &text)
    } else {
        (vec![path.to_path_buf()], false)
    };
    let mut revisions = Vec::new();
    for folder in folders {
        for file in files(&folder, "py", recursive).map_err(io_error(&folder))? {
            let text = fs::read_to_string(&file).map_err(io_error(&file))?;
            revisions.extend(parse(&file, &text)?);
        }
    }
    Ok(revisions)
}

fn files(folder: &Path, extension: &str, recursive: bool) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if recursive && path.is_dir() {
            found.extend(files(&path, extension, true)?);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The URL that an `alembic.ini` names as `sqlalchemy.url`. It may hold a password: never print it.
///
/// # Errors
///
/// When the file cannot be read.
pub fn alembic_url(ini: &Path) -> Result<Option<String>, Error> {
    let text = fs::read_to_string(ini).map_err(|source| Error::Io { path: ini.to_path_buf(), source })?;
    // As configparser has it: %% is a percent sign, and %(name)s another value.
    let url = value(ini, &text, "sqlalchemy.url").filter(|url| !url.is_empty() && !url.contains("%("));
    Ok(url.map(|url| url.replace("%%", "%")))
}

/// A value of an `alembic.ini`'s section `alembic`.
fn value(path: &Path, text: &str, key: &str) -> Option<String> {
    let section = text.split("[alembic]").nth(1).unwrap_or(text);
    let section = section.split("\n[").next().unwrap_or(section);
    section.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().replace("%(here)s", &folder_of(path).to_string_lossy()))
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folders that an `alembic.ini` names, and whether those below them count.
fn locations(path: &Path, text: &str) -> (Vec<PathBuf>, bool) {
    let folder = folder_of(path);
    let value = |key: &str| value(path, text, key);
    let separator = value("path_separator").or_else(|| value("version_path_separator"));
    let separators: &[char] = match separator.as_deref() {
        Some("os" | ":") => &[':'],
        Some(";") => &[';'],
        Some("space") => &[' '],
        Some("newline") => &['\n'],
        _ => &[' ', ',', ':'],
    };
    let scripts = folder.join(value("script_location").unwrap_or_else(|| "alembic".into()));
    let named = value("version_locations").filter(|value| !value.is_empty());
    let folders = match named {
        Some(named) => {
            let parts = named.split(separators).map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| folder.join(part)).collect()
        }
        None => vec![scripts.join("versions")],
    };
    let recursive = value("recursive_version_locations").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    (folders, recursive)
}

/// Reads a Python file; `None` when it is no revision.
fn parse(path: &Path, text: &str) -> Result<Option<Revision>, FileError> {
    let mut found: [Option<Vec<String>>; 4] = [const { None }; 4];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for (index, name) in ["revision", "down_revision", "branch_labels", "depends_on"].into_iter().enumerate() {
            let Some(value) = assigned(line, name) else { continue };
            let byte = start + line.len() - value.len();
            let parsed = Reader { text, position: byte }.value();
            let hint = "write a text, None, or a tuple of texts";
            found[index] = Some(parsed.ok_or_else(|| FileError {
                path: path.to_path_buf(),
                line: place(text, byte).0,
                message: format!("`{name}` is not written out"),
                hint: Some(hint.into()),
            })?);
        }
        start += line.len();
    }
    let [Some(id), revises, branch_labels, depends_on] = found else { return Ok(None) };
    let Some(id) = id.into_iter().next() else { return Ok(None) };
    let doc = docstring(text);
    let created = doc.lines().find_map(|line| line.strip_prefix("Create Date:")).unwrap_or_default();
    Ok(Some(Revision {
        id,
        revises: revises.unwrap_or_default(),
        depends_on: depends_on.unwrap_or_default(),
        branch_labels: branch_labels.unwrap_or_default(),
        message: doc.lines().next().unwrap_or_default().trim().to_owned(),
        created: created.trim().to_owned(),
        settings: Settings::default(),
        stub: Some(STUB.into()),
        path: path.to_path_buf(),
        text: text.to_owned(),
        up: Section::default(),
        down: Some(Section::default()),
    }))
}

/// What follows the `=` of an assignment at the beginning of a line, which may be annotated.
fn assigned<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(name)?;
    let before = rest.split('=').next()?;
    let is_target = before.trim().is_empty() || before.trim_start().starts_with(':');
    let value = rest.get(before.len() + 1..)?;
    (is_target && !value.starts_with('=')).then_some(value)
}

fn docstring(text: &str) -> String {
    let code = text.lines().position(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or(0);
    let position = text.lines().take(code).map(|line| line.len() + 1).sum();
    Reader { text, position }.string().unwrap_or_default()
}

/// A reader of Python's literals.
struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn skip_space(&mut self, newlines: bool) {
        loop {
            let rest = self.rest();
            if rest.starts_with('#') {
                self.position += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with(|c: char| c.is_whitespace() && (newlines || c != '\n')) {
                self.position += rest.chars().next().map_or(0, char::len_utf8);
            } else {
                return;
            }
        }
    }

    /// The texts of a literal: none for `None`; `None` when it is something else.
    fn value(&mut self) -> Option<Vec<String>> {
        self.skip_space(false);
        if self.rest().starts_with("None") {
            return Some(Vec::new());
        }
        let Some(close) = self.rest().chars().next().and_then(|open| match open {
            '(' => Some(')'),
            '[' => Some(']'),
            '{' => Some('}'),
            _ => None,
        }) else {
            return Some(vec![self.joined(false)?]);
        };
        self.position += 1;
        let mut values = Vec::new();
        loop {
            self.skip_space(true);
            if self.rest().starts_with(close) {
                return Some(values);
            }
            values.push(self.joined(true)?);
            self.skip_space(true);
            if self.rest().starts_with(',') {
                self.position += 1;
            } else if !self.rest().starts_with(close) {
                return None;
            }
        }
    }

    /// Texts side by side, which are one.
    fn joined(&mut self, newlines: bool) -> Option<String> {
        let mut joined = self.string()?;
        loop {
            self.skip_space(newlines);
            match self.string() {
                Some(next) => joined.push_str(&next),
                None => return Some(joined),
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let rest = self.rest();
        let prefix = rest.len() - rest.trim_start_matches(['r', 'R', 'u', 'U']).len();
        let is_raw = rest[..prefix].contains(['r', 'R']);
        let quoted = &rest[prefix..];
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| quoted.starts_with(quote))?;
        let body = &quoted[quote.len()..];
        let mut value = String::new();
        let mut characters = body.char_indices();
        while let Some((index, c)) = characters.next() {
            if body[index..].starts_with(quote) {
                self.position += prefix + quote.len() + index + quote.len();
                return Some(value);
            }
            match c {
                '\\' if !is_raw => match characters.next()?.1 {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    '\n' => {}
                    other => value.push(other),
                },
                '\n' if quote.len() == 1 => return None,
                _ => value.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::{locations, parse};

    #[test]
    fn reads_what_a_file_says_of_the_graph() {
        let text = "# encoding\n\"\"\"it's \"done\"\n\nRevision ID: x\nCreate Date: 2025-03-01 10:00:00\n\"\"\"\nfrom x import y\n\
                    revision: str = 'ab' \"12\"  # id\ndown_revision: Union[str, None] = (\n    'one',  # first\n    r'two',\n)\n\
                    branch_labels = [\"core\"]\ndepends_on: Union[str, Sequence[str], None] = None\ndef f():\n    revision = 'no'\n";
        let revision = parse(Path::new("x.py"), text).expect("readable").expect("a revision");
        assert_eq!((revision.id.as_str(), revision.message.as_str()), ("ab12", "it's \"done\""));
        assert_eq!(revision.created, "2025-03-01 10:00:00");
        assert_eq!(
            (revision.revises, revision.branch_labels),
            (vec!["one".into(), "two".into()], vec!["core".to_owned()])
        );
        assert_eq!((revision.depends_on, revision.stub.is_some()), (Vec::<String>::new(), true));
        assert!(parse(Path::new("x.py"), "x = 1\n").expect("readable").is_none());
        for wrong in [
            "revision = make()\n",
            "revision = f'a'\n",
            "revision = 'a'\ndown_revision = ('b', c)\n",
            "revision = 'a\n",
        ] {
            let error = parse(Path::new("x.py"), wrong).expect_err(wrong).to_string();
            assert!(error.contains("is not written out"), "{error}");
        }
    }

    #[test]
    fn finds_the_locations_of_an_ini() {
        let found = |text: &str| {
            let (folders, recursive) = locations(Path::new("/p/alembic.ini"), text);
            (folders.iter().map(|it| it.display().to_string()).collect::<Vec<_>>().join(" "), recursive)
        };
        assert_eq!(found("[alembic]\nscript_location = db\n"), ("/p/db/versions".into(), false));
        assert_eq!(
            found(
                "[alembic]\nscript_location = %(here)s/db\nversion_locations = %(here)s/a:b\npath_separator = os\n\
                   recursive_version_locations = true\n[logging]\nversion_locations = no\n"
            ),
            ("/p/a /p/b".into(), true)
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "(revision|down_revision)?( ?[:=] ?)?[ -~'\"\\\\(),\n€]{0,30}") {
            drop(parse(Path::new("x.py"), &text));
        }
    }
}
