//! A file of a set as a file on this machine, checked: the one in the repository where that will do, else a copy.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{AsyncRead, AsyncReadExt, StreamExt, TryStreamExt};

use crate::hash::{CHUNK, Tally};
use crate::manifest::{Encryption, ManifestFile};
use crate::store::{ByteStream, Store};
use crate::temporary::Folder;
use crate::verify::{hash_problem, outward_problem};
use crate::{Error, Event, Repository, Set};

/// A file to read. A copy is gone when nobody has it any more.
#[derive(Debug, Clone)]
pub(crate) enum Staged {
    InPlace(PathBuf),
    Copy { path: PathBuf, _folder: Arc<Folder> },
}

impl Staged {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::InPlace(path) => path,
            Self::Copy { path, .. } => path,
        }
    }
}

/// Compares a file with the manifest and gives it decrypted, all in one pass.
pub(crate) async fn fetch(
    repository: &Repository,
    set: &Set,
    file: &ManifestFile,
    on_event: &mut dyn FnMut(Event<'_>),
) -> Result<Staged, Error> {
    let damaged = |problem: String| Error::Damaged { id: set.id.clone(), problem };
    if let Some(problem) = outward_problem(set, file) {
        return Err(damaged(problem.to_string()));
    }
    let key = format!("{}/{}", set.id, file.name);
    let shown = repository.store.shown(&key);
    let tally = Arc::new(Mutex::new(Tally::new()));
    let stream = counted(repository.store.stream(&key).await?, &tally);
    let is_sealed = set.manifest()?.encryption == Encryption::Age;
    let mut reader: Pin<Box<dyn AsyncRead>> = if is_sealed {
        let opened = repository.keys.open_stream(stream).await;
        Box::pin(opened.map_err(|error| damaged(format!("{} {error}", file.name)))?)
    } else {
        Box::pin(stream.into_async_read())
    };
    let in_place = match &repository.store {
        Store::Folder(folder) if !is_sealed => Some(folder.path(&key)),
        _ => None,
    };
    let cannot_write = || Error::io("write", "a temporary file".as_ref());
    let mut copy = match in_place {
        Some(_) => None,
        None => {
            let folder = Folder::create()?;
            let path = folder.path("copy");
            Some((File::create_new(&path).map_err(cannot_write())?, folder, path))
        }
    };
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = match reader.read(&mut buffer).await {
            Ok(0) => break,
            Ok(count) => count,
            // What the decryption cannot prove to be whole.
            Err(error) if is_sealed && is_about_bytes(&error) => return Err(damaged(format!("{} {error}", file.name))),
            Err(error) => return Err(Error::io("read", shown.as_ref())(error)),
        };
        if let Some((copy, ..)) = &mut copy {
            copy.write_all(&buffer[..count]).map_err(cannot_write())?;
        }
        on_event(Event::Bytes(count as u64));
    }
    let tally = std::mem::replace(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner), Tally::new());
    match (hash_problem(file, tally), in_place, copy) {
        (Some(problem), _, _) => Err(damaged(problem.to_string())),
        (None, _, Some((_, folder, path))) => Ok(Staged::Copy { path, _folder: Arc::new(folder) }),
        (None, path, None) => Ok(Staged::InPlace(path.unwrap_or_default())),
    }
}

fn is_about_bytes(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// The stream, with what passes by counted and hashed.
fn counted(stream: ByteStream, tally: &Arc<Mutex<Tally>>) -> ByteStream {
    let tally = Arc::clone(tally);
    let count = move |chunk: &io::Result<Bytes>| {
        if let Ok(chunk) = chunk {
            tally.lock().unwrap_or_else(PoisonError::into_inner).add(chunk);
        }
    };
    stream.inspect(count).boxed()
}
