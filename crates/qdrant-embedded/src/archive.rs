//! The file of a snapshot: a tar of the collection's description and the engine's files.
//!
//! ```text
//! snapshot.json     which server wrote it, and how many files follow
//! collection.json   name, configuration, payload schema
//! shard/…           the engine's files; holes in them stay holes
//! ```
//!
//! It is for this server alone: the files of a Qdrant server's snapshot are named and laid out otherwise. It is read as
//! hostile input, since whoever may write to the server may send one.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

use crate::VERSION;
use crate::collection::DESCRIPTION_FILE;
use crate::description::Description;
use crate::error::{Error, Result};

const HEAD_FILE: &str = "snapshot.json";
const FORMAT: u32 = 1;
/// A description of a thousand payload indexes has some tens of kilobytes.
const MAX_TEXT: u64 = 16 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: u32,
    /// The Qdrant release whose engine wrote the files.
    server: String,
    /// How many files the shard has: a tar that is cut off between two does not tell.
    files: u64,
}

/// Writes the collection in the directory `home` into `to`, and to the disk. Nobody changes the files meanwhile.
pub(crate) fn pack(home: &Path, shard: &str, to: File) -> io::Result<()> {
    let mut archive = Builder::new(BufWriter::with_capacity(1024 * 1024, to));
    archive.follow_symlinks(false);
    let head = Head { format: FORMAT, server: VERSION.to_owned(), files: count_files(&home.join(shard))? };
    append_text(&mut archive, HEAD_FILE, &serde_json::to_vec(&head)?)?;
    append_text(&mut archive, DESCRIPTION_FILE, &fs::read(home.join(DESCRIPTION_FILE))?)?;
    archive.append_dir_all(shard, home.join(shard))?;
    let file = archive.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

/// Puts the files of the shard into the directory `home`, which is created, and gives the description.
pub(crate) fn unpack(snapshot: &Path, home: &Path, shard: &str) -> Result<Description> {
    fs::create_dir_all(home.join(shard))?;
    let mut archive = Archive::new(BufReader::with_capacity(1024 * 1024, File::open(snapshot)?));
    archive.set_preserve_permissions(false);
    archive.set_preserve_mtime(false);
    archive.set_unpack_xattrs(false);
    let mut entries = archive.entries().map_err(damaged)?;
    let mut text = |name: &str| -> Result<Vec<u8>> {
        let entry = entries.next().ok_or_else(|| Error::invalid("the snapshot is empty"))?.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?;
        if path.as_ref() != Path::new(name) {
            return Err(Error::invalid("it is not a snapshot of the embedded server"));
        }
        let mut bytes = Vec::new();
        entry.take(MAX_TEXT).read_to_end(&mut bytes).map_err(damaged)?;
        Ok(bytes)
    };
    let head: Head = serde_json::from_slice(&text(HEAD_FILE)?).map_err(damaged)?;
    if head.format != FORMAT || head.server != VERSION {
        return Err(Error::invalid(format!(
            "the snapshot is of version {} in format {}, and this server reads version {VERSION} in format {FORMAT}",
            head.server, head.format
        )));
    }
    let description = Description::parse(&text(DESCRIPTION_FILE)?).map_err(damaged)?;
    let mut files = 0;
    for entry in entries {
        let mut entry = entry.map_err(damaged)?;
        let path = entry.path().map_err(damaged)?.into_owned();
        let is_inside = path.starts_with(shard) && path.components().all(|part| matches!(part, Component::Normal(_)));
        let is_directory = entry.header().entry_type() == EntryType::Directory;
        let is_file = matches!(entry.header().entry_type(), EntryType::Regular | EntryType::GNUSparse);
        if !is_inside || !(is_directory || is_file) {
            return Err(damaged(format!("it holds {}", path.display())));
        }
        entry.unpack_in(home).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull => Error::from(error),
            // Not the error's own text, which names a path of this machine.
            _ => damaged(format!("{} cannot be unpacked", path.display())),
        })?;
        files += u64::from(is_file);
    }
    if files != head.files {
        return Err(damaged(format!("it holds {files} of {} files", head.files)));
    }
    Ok(description)
}

fn damaged(reason: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the snapshot is damaged: {reason}"))
}

fn count_files(directory: &Path) -> io::Result<u64> {
    let mut count = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() { count_files(&entry.path())? } else { 1 };
    }
    Ok(count)
}

fn append_text(archive: &mut Builder<impl Write>, name: &str, text: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    archive.append_data(&mut header, name, text)
}
