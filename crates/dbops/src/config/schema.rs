//! Where a target's declared schema comes from.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Error, MapAccess, Visitor};

/// Where a target's declared schema comes from.
#[derive(Debug, Clone)]
pub(crate) enum DeclaredSchema {
    /// A file, or a folder of them.
    Path(PathBuf),
    /// A program that prints it.
    Program(Program),
}

/// A program with its arguments, which may be secret, and the folder that it is run in.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) folder: PathBuf,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Its name alone.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", PathBuf::from(self.path.file_name().unwrap_or_default()).display())
    }
}

/// The last part of a file's name, or whose output it is: for people, who know the rest.
impl fmt::Display for DeclaredSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()),
            Self::Program(program) => write!(f, "the output of {program}"),
        }
    }
}

/// As it is written: a path, or `{command: [PROGRAM, ARGUMENT, …]}`.
pub(super) enum RawSchema {
    Path(String),
    Command(Vec<String>),
}

impl<'de> Deserialize<'de> for RawSchema {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PathOrCommand;
        impl<'de> Visitor<'de> for PathOrCommand {
            type Value = RawSchema;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or `command` with a list of a program and its arguments")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RawSchema, E> {
                Ok(RawSchema::Path(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawSchema, A::Error> {
                let mut command = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key != "command" {
                        return Err(Error::unknown_field(&key, &["command"]));
                    }
                    command = Some(map.next_value()?);
                }
                command.map(RawSchema::Command).ok_or_else(|| Error::missing_field("command"))
            }
        }
        deserializer.deserialize_any(PathOrCommand)
    }
}
