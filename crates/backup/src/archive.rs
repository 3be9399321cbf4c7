//! What pg_dump makes: one file in the custom format, a folder, or a tar file; and what the beginning says about the
//! versions that are needed to read it. Any other file is taken for a script for psql.
//!
//! The layout is that of `ReadHead` in PostgreSQL's `pg_backup_archiver.c`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbops_postgres::Version;

use crate::dump::SCRIPT;
use crate::manifest::ARCHIVE;
use crate::roles::ROLES;
use crate::stage::{Staged, fetch};
use crate::temporary::Folder;
use crate::{Contents, Error, Event, ManifestTarget, PostgresContents, Repository, Set, whole};

const MAGIC: &[u8] = b"PGDMP";
/// `archCustom`
const CUSTOM: u8 = 1;
/// `archTar`; the header in a folder says that it is a tar file.
const TAR: u8 = 3;
/// The archive in a folder is headed by this file; in a tar file it is the first.
const TOC: &str = "toc.dat";
/// More than any header has: names have 63 bytes, versions some 40.
const HEADER_LIMIT: u64 = 4096;
/// A tar file's blocks; the first has the name of the first file.
pub(crate) const TAR_BLOCK: usize = 512;
/// The roles of a server are a small script.
const ROLES_LIMIT: u64 = 64 * 1024 * 1024;

/// What an archive says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveHeader {
    /// The database that was dumped.
    pub database: String,
    /// The version of its server, as the server says it.
    pub server_version: String,
    /// The version of pg_dump.
    pub pg_dump: Version,
}

/// An archive to restore.
#[derive(Debug, Clone)]
pub struct Archive {
    place: Place,
    is_tar: bool,
    /// Where it came from, for people: the file itself, or one in a repository.
    pub origin: String,
    /// What it says about itself; a script says nothing that is needed.
    pub header: Option<ArchiveHeader>,
    /// What the manifest says about the database, when it belongs to a set.
    pub expected: Option<PostgresContents>,
    /// The script with the roles of the server, when the set has one.
    pub roles: Option<String>,
}

/// Where the bytes are; copies that were made for this restore are gone with it.
#[derive(Debug, Clone)]
enum Place {
    One(Staged),
    /// A folder of links to the files of a set, which have other names there.
    Folder {
        links: PathBuf,
        _folder: Arc<Folder>,
        _copies: Vec<Staged>,
    },
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::One(file) => file.path(),
            Self::Folder { links, .. } => links,
        }
    }
}

impl Archive {
    /// An archive or a script that belongs to no set: a file, or the folder of one in the directory format.
    ///
    /// # Errors
    ///
    /// When it cannot be read or has another format.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (is_tar, header) = look(path)?;
        let place = Place::One(Staged::InPlace(path.to_path_buf()));
        Ok(Self { place, is_tar, origin: path.display().to_string(), header, expected: None, roles: None })
    }

    /// The file or folder to read.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Whether only one session can restore it: a script, or a tar file.
    pub(crate) fn is_for_one_session(&self) -> bool {
        self.is_tar || self.header.is_none()
    }

    /// Whether it is one file in pg_dump's own format, which needs nothing beside it.
    pub(crate) fn is_custom(&self) -> bool {
        self.header.is_some() && !self.is_tar && !self.path().is_dir()
    }

    /// Refuses one that is cut off, as far as that can be told; of one in a set every byte was compared already.
    pub(crate) async fn check_whole(&self) -> Result<(), Error> {
        if self.expected.is_some() {
            return Ok(());
        }
        let (path, is_tar) = (self.path().to_path_buf(), self.is_tar);
        let looked = tokio::task::spawn_blocking(move || whole::problem(&path, is_tar)).await;
        let looked = looked.map_err(io::Error::other).and_then(|looked| looked);
        match looked.map_err(Error::io("read", self.path()))? {
            Some(reason) => Err(Error::NotAnArchive { path: self.path().to_path_buf(), reason }),
            None => Ok(()),
        }
    }

    /// The archive of one target of a set, once every byte of it was found to be as the manifest says.
    ///
    /// # Errors
    ///
    /// When the set does not hold the target, or its archive is damaged.
    pub async fn in_set(
        repository: &Repository,
        set: &Set,
        target: &str,
        on_event: &mut dyn FnMut(Event<'_>),
    ) -> Result<Self, Error> {
        let found = set.target(target)?;
        let Contents::Postgres(expected) = &found.contents else {
            return Err(Error::NotAnArchive {
                path: set.path.clone().into(),
                reason: format!("`{target}` is Qdrant's"),
            });
        };
        let (place, origin) = match found.file(ARCHIVE).or_else(|| found.file(SCRIPT)) {
            Some(file) => {
                on_event(Event::Checking { file: &file.name });
                let staged = fetch(repository, set, file, on_event).await?;
                (Place::One(staged), format!("{}/{}", set.path, file.name))
            }
            None => (folder(repository, set, found, on_event).await?, format!("{} ({target})", set.path)),
        };
        let (is_tar, header) = look(place.path())?;
        let roles = roles(repository, set, found, on_event).await?;
        Ok(Self { place, is_tar, origin, header, expected: Some(expected.as_ref().clone()), roles })
    }
}

/// The files of an archive in the directory format, under the names that they have for pg_restore.
async fn folder(
    repository: &Repository,
    set: &Set,
    target: &ManifestTarget,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Place, Error> {
    let cannot = || Error::io("write", "a temporary folder".as_ref());
    let folder = Folder::create()?;
    let links = folder.path("archive");
    std::fs::create_dir(&links).map_err(cannot())?;
    let mut files = Vec::new();
    for file in &target.files {
        let Some(name) = file.role.strip_prefix(ARCHIVE).and_then(|rest| rest.strip_prefix('/')) else { continue };
        on_event(Event::Checking { file: &file.name });
        let staged = fetch(repository, set, file, on_event).await?;
        let path = std::path::absolute(staged.path()).map_err(cannot())?;
        std::os::unix::fs::symlink(path, links.join(name)).map_err(cannot())?;
        files.push(staged);
    }
    if files.is_empty() {
        return Err(Error::NotAnArchive {
            path: set.path.clone().into(),
            reason: format!("no file of `{}` is one", target.name),
        });
    }
    Ok(Place::Folder { links, _folder: Arc::new(folder), _copies: files })
}

async fn roles(
    repository: &Repository,
    set: &Set,
    target: &ManifestTarget,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Option<String>, Error> {
    let Some(file) = target.file(ROLES).filter(|file| file.plain_bytes < ROLES_LIMIT) else { return Ok(None) };
    let staged = fetch(repository, set, file, on_event).await?;
    let text = std::fs::read(staged.path()).map_err(Error::io("read", staged.path()))?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

/// Whether it is a tar file, and the header, which a script has not.
fn look(path: &Path) -> Result<(bool, Option<ArchiveHeader>), Error> {
    let not_an_archive = |reason: String| Error::NotAnArchive { path: path.to_path_buf(), reason };
    let is_folder = path.is_dir();
    let toc = if is_folder { path.join(TOC) } else { path.to_path_buf() };
    if is_folder && !toc.is_file() {
        return Err(not_an_archive(format!("it is a folder without {TOC}")));
    }
    let mut file = File::open(&toc).map_err(Error::io("read", &toc))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(not_an_archive("it is not a file".into()));
    }
    let mut first = Vec::new();
    file.by_ref().take(TAR_BLOCK as u64).read_to_end(&mut first).map_err(Error::io("read", &toc))?;
    let begins_as_tar = first.get(257..262) == Some(b"ustar") && first.starts_with(format!("{TOC}\0").as_bytes());
    let is_tar = !is_folder && begins_as_tar;
    if !is_folder && !is_tar && !first.starts_with(MAGIC) {
        return Ok((false, None));
    }
    let format = if is_folder || is_tar { TAR } else { CUSTOM };
    let before = if is_tar { &[] } else { first.as_slice() };
    let header = ArchiveHeader::read(before.chain(file), format);
    Ok((is_tar, Some(header.map_err(|error| not_an_archive(error.to_string()))?)))
}

impl ArchiveHeader {
    fn read(reader: impl Read, format: u8) -> io::Result<Self> {
        let mut reader = reader.take(HEADER_LIMIT);
        let mut magic = [0; MAGIC.len()];
        let is_archive = reader.read_exact(&mut magic).is_ok() && magic == MAGIC;
        if !is_archive {
            return Err(io::Error::other("it does not begin as one"));
        }
        Self::read_rest(&mut reader, format).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::other("its header is cut off"),
            _ => error,
        })
    }

    fn read_rest(reader: &mut impl Read, format: u8) -> io::Result<Self> {
        let [major, minor, _revision, int_size, _offset_size, found] = bytes(reader)?;
        if found != format {
            return Err(io::Error::other("it is part of a dump in another format"));
        }
        // 1.12 came with PostgreSQL 9.0; 1.15, with 16, made the compression a single byte.
        if major != 1 || minor < 12 || !(1..=8).contains(&int_size) {
            return Err(io::Error::other(format!("its format {major}.{minor} is not known")));
        }
        if minor >= 15 {
            bytes::<1>(reader)?;
        } else {
            int(reader, int_size)?;
        }
        // Seconds to years, and whether it was summer time.
        for _ in 0..7 {
            int(reader, int_size)?;
        }
        let database = text(reader, int_size)?;
        let server_version = text(reader, int_size)?;
        let pg_dump = text(reader, int_size)?;
        let pg_dump = Version::from_program(&pg_dump)
            .ok_or_else(|| io::Error::other(format!("pg_dump's version {pg_dump:?} is not known")))?;
        Ok(Self { database, server_version, pg_dump })
    }
}

fn bytes<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A sign, then the digits from the lowest.
fn int(reader: &mut impl Read, size: u8) -> io::Result<i64> {
    let [sign] = bytes(reader)?;
    let mut value: u64 = 0;
    for shift in 0..size {
        let [byte] = bytes(reader)?;
        value |= u64::from(byte) << (8 * shift);
    }
    let value = i64::try_from(value).map_err(io::Error::other)?;
    Ok(if sign == 0 { value } else { -value })
}

fn text(reader: &mut impl Read, int_size: u8) -> io::Result<String> {
    let Ok(length) = u64::try_from(int(reader, int_size)?) else { return Ok(String::new()) };
    let mut text = Vec::new();
    // The whole header has a limit, so a length that lies costs nothing.
    if (reader.take(length).read_to_end(&mut text)? as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ArchiveHeader, CUSTOM};

    fn header(minor: u8, format: u8) -> Vec<u8> {
        let number = |value: u32| [&[0], value.to_le_bytes().as_slice()].concat();
        let text = |text: &str| [number(text.len() as u32), text.as_bytes().to_vec()].concat();
        let compression = if minor >= 15 { vec![1] } else { [vec![1], vec![255; 4]].concat() };
        [
            [b"PGDMP".as_slice(), &[1, minor, 0, 4, 8, format]].concat(),
            if minor >= 15 { compression } else { [vec![1], 1u32.to_le_bytes().to_vec()].concat() },
            number(1).repeat(7),
            text("odd \"näme\""),
            text("17.4 (Debian 17.4-1)"),
            text("18.6"),
        ]
        .concat()
    }

    #[test]
    fn reads_headers_old_and_new() {
        for minor in [14, 15, 16] {
            let read = ArchiveHeader::read(header(minor, 1).as_slice(), CUSTOM).expect("a header");
            assert_eq!((read.database.as_str(), read.pg_dump.major), ("odd \"näme\"", 18), "1.{minor}");
            assert_eq!(read.server_version, "17.4 (Debian 17.4-1)");
        }
    }

    #[test]
    fn says_what_else_it_is() {
        let cut = header(16, 1)[..40].to_vec();
        let cases = [
            (b"CREATE TABLE t ();".to_vec(), "it does not begin as one"),
            (Vec::new(), "it does not begin as one"),
            (header(16, 3), "it is part of a dump in another format"),
            (header(9, 1), "its format 1.9 is not known"),
            (cut, "its header is cut off"),
        ];
        for (bytes, message) in cases {
            let error = ArchiveHeader::read(bytes.as_slice(), CUSTOM).expect_err(message).to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(ArchiveHeader::read([b"PGDMP".as_slice(), &tail].concat().as_slice(), CUSTOM));
        }
    }
}
