//! All collections and aliases: names, and their directory.
//!
//! ```text
//! DIR/.lock          held by the running server
//!     aliases.json   alias to collection
//!     collections/   one directory for each, see [`crate::collection`]
//!     snapshots/     see [`crate::snapshots`]
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use anyhow::Context;
use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::{AliasOperations, CollectionConfig, CreateAlias, DeleteAlias, RenameAlias};
use uuid::Uuid;

use crate::collection::{Collection, DESCRIPTION_FILE};
use crate::description::Description;
use crate::error::{Error, Result};
use crate::files::{self, DirectoryLock};
use crate::snapshots::Snapshots;

const ALIASES_FILE: &str = "aliases.json";
const COLLECTIONS_DIRECTORY: &str = "collections";
const SNAPSHOTS_DIRECTORY: &str = "snapshots";

/// The longest name that Qdrant takes.
const MAX_NAME: usize = 255;

/// An open data directory.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
    names: RwLock<Names>,
    snapshots: Snapshots,
    _lock: DirectoryLock,
}

/// Every name leads to one thing: a collection or an alias, never both.
#[derive(Debug, Default)]
struct Names {
    collections: BTreeMap<String, Arc<Collection>>,
    aliases: BTreeMap<String, String>,
}

impl Names {
    fn resolve(&self, name: &str) -> Result<&Arc<Collection>> {
        let target = self.aliases.get(name).map_or(name, String::as_str);
        self.collections.get(target).ok_or_else(|| Error::no_collection(name))
    }
}

impl Store {
    /// Opens the data directory, finishing or undoing what a killed server had begun.
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Self> {
        let lock = DirectoryLock::acquire(directory)?;
        let collections_directory = directory.join(COLLECTIONS_DIRECTORY);
        fs::create_dir_all(&collections_directory)
            .with_context(|| format!("cannot create {}", collections_directory.display()))?;
        finish_replacing(&collections_directory)?;
        let mut names = Names::default();
        for directory in directories(&collections_directory)? {
            if let Some(collection) = Collection::open(directory)? {
                names.collections.insert(collection.name().to_owned(), Arc::new(collection));
            }
        }
        let snapshots = Snapshots::open(directory.join(SNAPSHOTS_DIRECTORY)).context("cannot look for snapshots")?;
        let aliases_path = directory.join(ALIASES_FILE);
        names.aliases =
            read_aliases(&aliases_path).with_context(|| format!("cannot read {}", aliases_path.display()))?;
        // Those of a collection whose deletion was interrupted.
        let Names { collections, aliases } = &mut names;
        aliases.retain(|_, target| collections.contains_key(target));
        Ok(Self { directory: directory.to_owned(), names: RwLock::new(names), snapshots, _lock: lock })
    }

    /// The collection of this name or alias.
    pub(crate) fn collection(&self, name: &str) -> Result<Arc<Collection>> {
        self.names.read().map_err(Error::poisoned)?.resolve(name).cloned()
    }

    /// The names of all collections, in order.
    pub(crate) fn list(&self) -> Result<Vec<String>> {
        Ok(self.names.read().map_err(Error::poisoned)?.collections.keys().cloned().collect())
    }

    /// All aliases and their collections, in order of the aliases.
    pub(crate) fn aliases(&self) -> Result<Vec<(String, String)>> {
        Ok(self.names.read().map_err(Error::poisoned)?.aliases.clone().into_iter().collect())
    }

    /// The aliases of the collection of this name or alias.
    pub(crate) fn aliases_of(&self, name: &str) -> Result<Vec<(String, String)>> {
        let collection = self.collection(name)?;
        let mut aliases = self.aliases()?;
        aliases.retain(|(_, target)| target == collection.name());
        Ok(aliases)
    }

    /// Whether there is a collection of this name or alias.
    pub(crate) fn exists(&self, name: &str) -> Result<bool> {
        Ok(self.names.read().map_err(Error::poisoned)?.resolve(name).is_ok())
    }

    /// Makes a collection.
    pub(crate) fn create(&self, name: &str, config: CollectionConfig) -> Result<()> {
        check_name(name)?;
        let mut names = self.names.write().map_err(Error::poisoned)?;
        if names.collections.contains_key(name) {
            return Err(taken(name));
        }
        if names.aliases.contains_key(name) {
            return Err(Error::invalid(format!(
                "Can't create collection with name {name}. Alias with the same name already exists"
            )));
        }
        let collection = Collection::create(self.new_directory(), name, config)?;
        names.collections.insert(name.to_owned(), Arc::new(collection));
        Ok(())
    }

    /// The snapshots of all collections.
    pub(crate) fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Makes the collection `name` what is in a snapshot's file. If it is there, it is replaced in one moment; its
    /// aliases stay. As in Qdrant, its vectors must be those of the snapshot.
    pub(crate) fn recover(&self, name: &str, snapshot: &Path) -> Result<()> {
        check_name(name)?;
        let collection = Collection::recover(self.new_directory(), name, snapshot)?;
        let mut names = self.names.write().map_err(Error::poisoned)?;
        if names.aliases.contains_key(name) {
            return Err(Error::invalid(format!(
                "Can't create collection with name {name}. Alias with the same name already exists"
            )));
        }
        let old = names.collections.get(name).cloned();
        if let Some(old) = &old
            && old.vectors_config()? != collection.vectors_config()?
        {
            return Err(Error::invalid(format!(
                "Snapshot is not compatible with existing collection: the vectors of `{name}` differ"
            )));
        }
        collection.publish(old.as_deref())?;
        names.collections.insert(name.to_owned(), Arc::new(collection));
        old.map_or(Ok(()), |old| old.delete())
    }

    /// Not by the collection's name: it may not be one for a directory, and a deleted collection may still be in its
    /// own.
    fn new_directory(&self) -> PathBuf {
        self.directory.join(COLLECTIONS_DIRECTORY).join(Uuid::new_v4().to_string())
    }

    /// Deletes a collection and its aliases. False if there is none of this name; an alias is not enough, as in Qdrant.
    pub(crate) fn delete(&self, name: &str) -> Result<bool> {
        let mut names = self.names.write().map_err(Error::poisoned)?;
        let Some(collection) = names.collections.get(name) else {
            return Ok(false);
        };
        collection.delete()?;
        names.collections.remove(name);
        let before = names.aliases.len();
        names.aliases.retain(|_, target| target != name);
        if names.aliases.len() != before {
            self.write_aliases(&names.aliases)?;
        }
        Ok(true)
    }

    /// Changes aliases, all or none.
    pub(crate) fn change_aliases(&self, actions: Vec<AliasOperations>) -> Result<()> {
        let mut names = self.names.write().map_err(Error::poisoned)?;
        let mut aliases = names.aliases.clone();
        for action in actions {
            let action = action.action.ok_or_else(|| Error::invalid("Malformed AliasOperation type"))?;
            apply(action, &mut aliases, &names.collections)?;
        }
        self.write_aliases(&aliases)?;
        names.aliases = aliases;
        Ok(())
    }

    /// Writes everything to disk, before an orderly end.
    pub(crate) fn close(&self) -> Result<()> {
        let names = self.names.read().map_err(Error::poisoned)?;
        names.collections.values().try_for_each(|collection| collection.checkpoint())
    }

    fn write_aliases(&self, aliases: &BTreeMap<String, String>) -> Result<()> {
        let json = serde_json::to_vec_pretty(aliases).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(files::write_atomically(&self.directory.join(ALIASES_FILE), &json)?)
    }
}

fn directories(parent: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut directories = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            directories.push(entry.path());
        }
    }
    Ok(directories)
}

/// Removes what a killed recovery had replaced and not removed yet: otherwise two collections had one name.
fn finish_replacing(collections: &Path) -> anyhow::Result<()> {
    let directories = directories(collections)?;
    for path in directories.iter().map(|directory| directory.join(DESCRIPTION_FILE)).filter(|path| path.exists()) {
        let description = Description::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let old = description.replaces.map(|name| collections.join(name));
        if let Some(old) = old.filter(|old| directories.contains(old)) {
            fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    Ok(())
}

fn apply(
    action: Action,
    aliases: &mut BTreeMap<String, String>,
    collections: &BTreeMap<String, Arc<Collection>>,
) -> Result<()> {
    let free = |alias: &str| {
        check_name(alias)?;
        if collections.contains_key(alias) { Err(taken(alias)) } else { Ok(()) }
    };
    match action {
        Action::CreateAlias(CreateAlias { collection_name, alias_name }) => {
            if !collections.contains_key(&collection_name) {
                return Err(Error::no_collection(&collection_name));
            }
            free(&alias_name)?;
            aliases.insert(alias_name, collection_name);
        }
        Action::RenameAlias(RenameAlias { old_alias_name, new_alias_name }) => {
            free(&new_alias_name)?;
            let target = aliases
                .remove(&old_alias_name)
                .ok_or_else(|| Error::NotFound(format!("Alias {old_alias_name} does not exists!")))?;
            aliases.insert(new_alias_name, target);
        }
        // As in Qdrant, an alias that does not exist is deleted with success.
        Action::DeleteAlias(DeleteAlias { alias_name }) => {
            aliases.remove(&alias_name);
        }
    }
    Ok(())
}

fn read_aliases(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

fn taken(name: &str) -> Error {
    Error::AlreadyExists(format!("Collection `{name}` already exists!"))
}

/// Qdrant's rules, which come from file names: this server keeps them to refuse what production refuses.
fn check_name(name: &str) -> Result<()> {
    const FORBIDDEN: &[char] = &['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1F}'];
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Error::invalid(format!("the name must be 1 to {MAX_NAME} bytes long")));
    }
    match name.chars().find(|character| FORBIDDEN.contains(character)) {
        Some(character) => {
            Err(Error::invalid(format!("collection name cannot contain \"{}\" char", character.escape_default())))
        }
        None => Ok(()),
    }
}
