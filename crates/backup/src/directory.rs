//! An archive that is a folder: pg_dump writes it to the local disk, and its files go into the set one by one.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::dump::pump;
use crate::manifest::{ARCHIVE, ManifestFile};
use crate::new_set::NewSet;
use crate::temporary::Folder;

/// A folder of this machine that is gone when the dump is over.
#[derive(Debug)]
pub(crate) struct Staging {
    archive: PathBuf,
    _folder: Folder,
}

impl Staging {
    pub(crate) fn create() -> Result<Self, Error> {
        let folder = Folder::create()?;
        // pg_dump wants to create it, or find it empty.
        Ok(Self { archive: folder.path("archive"), _folder: folder })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.archive
    }

    /// Moves the files into the set, in the order of their names; each is removed once it is there.
    pub(crate) async fn store(
        self,
        target: &str,
        set: &mut NewSet,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Vec<ManifestFile>, Error> {
        let failed = |action| Error::io(action, &self.archive);
        let entries = std::fs::read_dir(&self.archive).map_err(failed("read"))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        let mut names = names.collect::<Result<Vec<_>, _>>().map_err(failed("read"))?;
        names.sort();
        let mut files = Vec::new();
        for name in names {
            let path = self.archive.join(&name);
            let name = name.to_string_lossy();
            let mut file = set.file(&format!("{target}.{name}"), &format!("{ARCHIVE}/{name}"))?;
            let from = tokio::fs::File::open(&path).await.map_err(Error::io("read", &path))?;
            pump(Some(from), &mut file, on_bytes).await?;
            files.push(file.finish().await?);
            std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
        Ok(files)
    }
}
