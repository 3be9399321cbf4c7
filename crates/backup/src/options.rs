//! How a database is dumped: the format, the compression, what of it.

use std::fmt;
use std::str::FromStr;

use dbops_postgres::Version;
use serde::{Deserialize, Serialize};

/// What pg_dump makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One archive for pg_restore, written as a stream.
    #[default]
    Custom,
    /// A folder for pg_restore with a file for each table, which several sessions write at a time. It is on the local
    /// disk before it goes to the repository.
    Directory,
    /// A script for psql, written as a stream.
    Plain,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "custom" => Ok(Self::Custom),
            "directory" => Ok(Self::Directory),
            "plain" => Ok(Self::Plain),
            _ => Err("choose custom, directory or plain".into()),
        }
    }
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Directory => "directory",
            Self::Plain => "plain",
        }
    }
}

/// A method of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// None at all.
    None,
    /// In every build of pg_dump that knows compression.
    Gzip,
    /// Fast and weak; in some builds from 16 on.
    Lz4,
    /// Fast and strong; in some builds from 16 on.
    Zstd,
}

/// How an archive is compressed: `none`, `gzip`, `lz4` or `zstd`, the last three with a level as in `zstd:9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compression {
    /// The method.
    pub method: Method,
    /// The level; the method's own default without one.
    pub level: Option<u8>,
}

impl Compression {
    /// Not compressed.
    pub const NONE: Self = Self { method: Method::None, level: None };
    /// With gzip's own level.
    pub const GZIP: Self = Self { method: Method::Gzip, level: None };
    /// With zstd's own level.
    pub const ZSTD: Self = Self { method: Method::Zstd, level: None };

    /// What pg_dump of this version is told; `None` when it does not know the method.
    pub(crate) fn argument(self, pg_dump: Version) -> Option<String> {
        // Before 16 there was gzip alone, and a number for it.
        if pg_dump.major < 16 {
            return match (self.method, self.level) {
                (Method::None, _) => Some("--compress=0".into()),
                (Method::Gzip, level) => Some(format!("--compress={}", level.unwrap_or(6))),
                _ => None,
            };
        }
        Some(format!("--compress={self}"))
    }

    /// What is added to the name of a compressed script.
    pub(crate) fn suffix(self) -> &'static str {
        match self.method {
            Method::None => "",
            Method::Gzip => ".gz",
            Method::Lz4 => ".lz4",
            Method::Zstd => ".zst",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.method {
            Method::None => "none",
            Method::Gzip => "gzip",
            Method::Lz4 => "lz4",
            Method::Zstd => "zstd",
        })?;
        self.level.map_or(Ok(()), |level| write!(f, ":{level}"))
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        let (method, levels) = match name {
            "none" => (Method::None, None),
            "gzip" => (Method::Gzip, Some(1..=9)),
            "lz4" => (Method::Lz4, Some(1..=12)),
            "zstd" => (Method::Zstd, Some(1..=22)),
            _ => return Err("choose none, gzip, lz4 or zstd, with a level as in zstd:9".into()),
        };
        let level = match (level, levels) {
            (None, _) => None,
            (Some(_), None) => return Err("none has no level".into()),
            (Some(level), Some(levels)) => {
                let wrong = || format!("the level of {name} is a number from {} to {}", levels.start(), levels.end());
                Some(level.parse().ok().filter(|level| levels.contains(level)).ok_or_else(wrong)?)
            }
        };
        Ok(Self { method, level })
    }
}

/// How to dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpOptions {
    /// The format.
    pub format: Format,
    /// How many sessions dump at a time; more than one in the directory format only.
    pub jobs: u32,
    /// The compression; without one, zstd where pg_dump can, else gzip, and none for a script.
    pub compression: Option<Compression>,
    /// No rows.
    pub schema_only: bool,
    /// Only tables (views, sequences) that match one of these patterns of pg_dump; all when there is none.
    pub tables: Vec<String>,
    /// Tables whose rows are left out, as patterns of pg_dump.
    pub exclude_table_data: Vec<String>,
    /// Whether the server's roles go into the set.
    pub with_roles: bool,
    /// Whether rows are counted and fingerprinted.
    pub with_fingerprints: bool,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self {
            format: Format::default(),
            jobs: 1,
            compression: None,
            schema_only: false,
            tables: Vec::new(),
            exclude_table_data: Vec::new(),
            with_roles: true,
            with_fingerprints: true,
        }
    }
}

impl DumpOptions {
    /// Whether no row of any table is left out.
    pub(crate) fn dumps_all_rows(&self) -> bool {
        !self.schema_only && self.tables.is_empty() && self.exclude_table_data.is_empty()
    }

    /// Whether large objects are dumped with what is in them: they belong to no table.
    pub(crate) fn dumps_large_objects(&self) -> bool {
        !self.schema_only && self.tables.is_empty()
    }

    /// What pg_dump is told beyond the connection, the snapshot and where to write.
    pub(crate) fn arguments(&self, compression: &str) -> Vec<String> {
        let mut arguments = vec![format!("--format={}", self.format.name()), compression.to_owned()];
        if self.jobs > 1 {
            arguments.push(format!("--jobs={}", self.jobs));
        }
        if self.schema_only {
            arguments.push("--schema-only".into());
        }
        arguments.extend(self.tables.iter().map(|pattern| format!("--table={pattern}")));
        arguments.extend(self.exclude_table_data.iter().map(|pattern| format!("--exclude-table-data={pattern}")));
        arguments
    }
}

#[cfg(test)]
mod tests {
    use dbops_postgres::Version;

    use super::{Compression, DumpOptions, Format};

    #[test]
    fn compressions_are_read_written_and_told_to_old_and_new_programs() {
        let known = [
            ("none", Some("--compress=0"), ""),
            ("gzip", Some("--compress=6"), ".gz"),
            ("gzip:1", Some("--compress=1"), ".gz"),
            ("lz4", None, ".lz4"),
            ("zstd", None, ".zst"),
            ("zstd:19", None, ".zst"),
        ];
        for (text, old, suffix) in known {
            let compression: Compression = text.parse().expect(text);
            assert_eq!(compression.to_string(), text);
            assert_eq!(compression.suffix(), suffix);
            let argument = |major| compression.argument(Version { major, minor: 0 });
            assert_eq!(argument(15).as_deref(), old, "{text}");
            assert_eq!(argument(16), Some(format!("--compress={text}")));
        }
        let wrong = [
            ("bzip2", "choose none, gzip, lz4 or zstd, with a level as in zstd:9"),
            ("", "choose none, gzip, lz4 or zstd, with a level as in zstd:9"),
            ("none:1", "none has no level"),
            ("gzip:10", "the level of gzip is a number from 1 to 9"),
            ("zstd:", "the level of zstd is a number from 1 to 22"),
            ("zstd:-1", "the level of zstd is a number from 1 to 22"),
        ];
        for (text, message) in wrong {
            assert_eq!(text.parse::<Compression>(), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn options_are_what_pg_dump_is_told() {
        let options = DumpOptions {
            format: Format::Directory,
            jobs: 3,
            schema_only: true,
            tables: vec!["a b".into(), "--version".into()],
            exclude_table_data: vec!["log*".into()],
            ..DumpOptions::default()
        };
        let expected = [
            "--format=directory",
            "--compress=zstd",
            "--jobs=3",
            "--schema-only",
            "--table=a b",
            "--table=--version",
            "--exclude-table-data=log*",
        ];
        assert_eq!(options.arguments("--compress=zstd"), expected);
        assert_eq!(DumpOptions::default().arguments("--compress=6"), ["--format=custom", "--compress=6"]);
    }
}
