//! What was copied: a file with the id of each point and what it held, in the order of the ids, so that the next look
//! at the source tells what changed, in constant memory. It stays for the run that goes on after a break.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::iter::Peekable;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::{Error, Id};

/// The first half of a SHA-256 of all that a point holds.
pub(crate) type Hash = [u8; 16];

/// One point that was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    /// As it was read from the source.
    pub(crate) source: Hash,
    /// As it was read from the copy, after it was written: another one where the copy keeps smaller numbers.
    pub(crate) target: Hash,
}

/// A point of which nothing is known but that it is there.
pub(crate) const UNKNOWN: Hash = [0; 16];

const LENGTH: usize = 1 + 3 * 16;

impl Entry {
    fn bytes(&self) -> [u8; LENGTH] {
        let (kind, number) = match self.id {
            Id::Number(number) => (0, u128::from(number)),
            Id::Uuid(uuid) => (1, uuid),
        };
        let mut bytes = [0; LENGTH];
        bytes[0] = kind;
        bytes[1..17].copy_from_slice(&number.to_be_bytes());
        bytes[17..33].copy_from_slice(&self.source);
        bytes[33..].copy_from_slice(&self.target);
        bytes
    }

    fn of(bytes: &[u8; LENGTH]) -> Option<Self> {
        let part = |from: usize| bytes[from..from + 16].try_into().unwrap_or(UNKNOWN);
        let number = u128::from_be_bytes(part(1));
        let id = match bytes[0] {
            0 => Id::Number(u64::try_from(number).ok()?),
            1 => Id::Uuid(number),
            _ => return None,
        };
        Some(Self { id, source: part(17), target: part(33) })
    }
}

/// The record of one rebuild.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    path: PathBuf,
}

/// The entries of a record, up to where it breaks off.
pub(crate) struct Entries(Option<BufReader<File>>);

impl Iterator for Entries {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let mut bytes = [0; LENGTH];
        self.0.as_mut()?.read_exact(&mut bytes).ok()?;
        Entry::of(&bytes)
    }
}

/// A record that is being written.
pub(crate) struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Writer {
    pub(crate) fn push(&mut self, entries: &[Entry]) -> Result<(), Error> {
        // To the system at once: what a kill leaves is what was done.
        let write = entries.iter().try_for_each(|entry| self.file.write_all(&entry.bytes()));
        write.and_then(|()| self.file.flush()).map_err(failed("write", &self.path))
    }
}

impl Record {
    /// The record of a rebuild, with what a run that broke off had done of the next one.
    pub(crate) fn open(folder: &Path, run: &str) -> Result<Self, Error> {
        create_folder(folder)?;
        let record = Self { path: folder.join(format!("{run}.record")) };
        if record.next().exists() {
            let partial = record.with_extension("partial");
            let mut writer = Writer::create(partial.clone())?;
            let mut entries = merge(Entries::open(&record.next())?, Entries::open(&record.path)?);
            entries
                .try_for_each(|entry| writer.file.write_all(&entry.bytes()))
                .and_then(|()| writer.file.flush())
                .map_err(failed("write", &partial))?;
            fs::rename(&partial, &record.path).map_err(failed("write", &record.path))?;
            fs::remove_file(record.next()).map_err(failed("remove", &record.next()))?;
        }
        Ok(record)
    }

    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    pub(crate) fn entries(&self) -> Result<Peekable<Entries>, Error> {
        Ok(Entries::open(&self.path)?.peekable())
    }

    /// Begins the next record, which takes the place of this one once it is whole.
    pub(crate) fn begin(&self) -> Result<Writer, Error> {
        Writer::create(self.next())
    }

    pub(crate) fn commit(&self, writer: Writer) -> Result<(), Error> {
        drop(writer);
        fs::rename(self.next(), &self.path).map_err(failed("write", &self.path))
    }

    /// Once all is done. That it stays is no harm.
    pub(crate) fn remove(&self) {
        drop(fs::remove_file(&self.path));
    }

    fn next(&self) -> PathBuf {
        self.with_extension("next")
    }

    fn with_extension(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }
}

impl Writer {
    fn create(path: PathBuf) -> Result<Self, Error> {
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        Ok(Self { file: BufWriter::new(file.map_err(failed("write", &path))?), path })
    }
}

impl Entries {
    fn open(path: &Path) -> Result<Self, Error> {
        match File::open(path) {
            Ok(file) => Ok(Self(Some(BufReader::new(file)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self(None)),
            Err(error) => Err(failed("read", path)(error)),
        }
    }
}

/// The new entries, then the old ones behind the last of them.
fn merge(new: impl Iterator<Item = Entry>, old: impl Iterator<Item = Entry>) -> impl Iterator<Item = Entry> {
    let (mut new, mut old, mut last) = (new, old, None);
    std::iter::from_fn(move || match new.next() {
        Some(entry) => {
            last = Some(entry.id);
            Some(entry)
        }
        None => old.find(|entry| last.is_none_or(|last| entry.id > last)),
    })
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("create", folder))
}

pub(crate) fn failed(doing: &str, path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let (doing, path) = (format!("{doing} the record of a rebuild"), path.display().to_string());
    move |error| Error::File { doing: doing.clone(), path: path.clone(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::{Entry, Record};
    use crate::Id;

    fn entry(number: u64, held: u8) -> Entry {
        Entry { id: Id::Number(number), source: [held; 16], target: [held; 16] }
    }

    fn write(record: &Record, entries: &[Entry], is_whole: bool) {
        let mut writer = record.begin().expect("a file");
        writer.push(entries).expect("room");
        if is_whole {
            record.commit(writer).expect("a file");
        }
    }

    proptest! {
        /// Wherever a run breaks off, the next one knows what was done before and since.
        #[test]
        fn a_record_survives_a_break(
            old in prop::collection::btree_set(0u64..60, 0..40),
            new in prop::collection::btree_set(0u64..60, 0..40),
            bytes in 0usize..2000,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let record = Record::open(folder.path(), "run").expect("a record");
            let of = |ids: &std::collections::BTreeSet<u64>, held| {
                ids.iter().map(|id| entry(*id, held)).collect::<Vec<_>>()
            };
            let (old, new) = (of(&old, 1), of(&new, 2));
            write(&record, &old, true);
            write(&record, &new, false);
            let next = record.next();
            let text = fs::read(&next).expect("a file");
            let kept = bytes.min(text.len());
            fs::write(&next, &text[..kept]).expect("room");

            let done = &new[..kept / super::LENGTH];
            let last = done.last().map(|entry| entry.id);
            let behind = old.iter().filter(|entry| last.is_none_or(|last| entry.id > last));
            let expected: Vec<_> = done.iter().chain(behind).copied().collect();
            let again = Record::open(folder.path(), "run").expect("a record");
            prop_assert_eq!(again.entries().expect("a file").collect::<Vec<_>>(), expected);
            prop_assert!(!next.exists());
        }
    }

    #[test]
    fn ids_of_both_kinds_come_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let record = Record::open(&folder.path().join("deep/er"), "run").expect("a record");
        assert!(!record.exists());
        let uuid = Entry { id: Id::Uuid(u128::MAX - 1), ..entry(0, 7) };
        write(&record, &[entry(u64::MAX, 9), uuid], true);
        assert_eq!(record.entries().expect("a file").collect::<Vec<_>>(), [entry(u64::MAX, 9), uuid]);
        record.remove();
        assert_eq!(record.entries().expect("none").next(), None);
    }
}
