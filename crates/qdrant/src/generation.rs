//! Which collection stands for a declared one. After a rebuild it is `NAME.2`, then `NAME.3`: the alias says which, so
//! that the declaration stays as it is. What a collection was rebuilt from is noted in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CollectionSpec, Error, Live, Server, live};

/// Under which name a collection's metadata holds its [`RebuildNote`].
pub(crate) const NOTE: &str = "dbops_rebuild";

/// What a collection that was made by a rebuild says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebuildNote {
    /// Its own name: in a snapshot that was restored under another one the note means nothing.
    pub is: String,
    /// The collection that it takes the place of.
    pub of: String,
    /// What tells this rebuild from others.
    pub run: String,
    /// How far it is.
    pub stage: RebuildStage,
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildStage {
    /// Points are copied.
    Filling,
    /// Everything is copied, and the alias is moved, or is about to be.
    Swapping,
    /// Nothing is left to be done.
    Done,
}

/// Which generation of the collection `name` this is: 1 for itself, then `name.2` and so on.
#[must_use]
pub fn generation(name: &str, collection: &str) -> Option<u32> {
    if collection == name {
        return Some(1);
    }
    let digits = collection.strip_prefix(name)?.strip_prefix('.')?;
    let number = digits.parse().ok().filter(|number| *number >= 2)?;
    (digits == u32::to_string(&number)).then_some(number)
}

/// The collection that stands for a declared one: the generation that its alias leads to, else that of its own name.
#[must_use]
pub fn standing<'a>(
    spec: &'a CollectionSpec,
    declared: &[CollectionSpec],
    aliases: &'a BTreeMap<String, String>,
) -> &'a str {
    let behind = spec.alias.as_ref().and_then(|alias| aliases.get(alias));
    let is_its_own = |collection: &&String| {
        generation(&spec.name, collection).is_some() && !declared.iter().any(|other| other.name == **collection)
    };
    behind.filter(is_its_own).unwrap_or(&spec.name)
}

impl Live {
    /// What is declared, each under the name of the collection that stands for it.
    #[must_use]
    pub fn standing(&self, declared: &[CollectionSpec]) -> Vec<CollectionSpec> {
        let stand = |spec: &CollectionSpec| CollectionSpec {
            name: standing(spec, declared, &self.aliases).to_owned(),
            ..spec.clone()
        };
        declared.iter().map(stand).collect()
    }

    /// What a collection says of the rebuild that made it.
    #[must_use]
    pub fn note(&self, collection: &str) -> Option<&RebuildNote> {
        self.collections.get(collection)?.rebuild.as_ref().filter(|note| note.is == collection)
    }

    /// The collections that were rebuilt into this one, the latest first.
    #[must_use]
    pub fn before(&self, collection: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = self.note(collection).map(|note| note.of.as_str());
        while let Some(name) = next.filter(|name| *name != collection && !found.iter().any(|known| known == name)) {
            if !self.collections.contains_key(name) {
                break;
            }
            found.push(name.to_owned());
            next = self.note(name).map(|note| note.of.as_str());
        }
        found
    }
}

impl Server {
    /// The collection that stands for a declared one now.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn standing(&self, spec: &CollectionSpec, declared: &[CollectionSpec]) -> Result<String, Error> {
        if spec.alias.is_none() {
            return Ok(spec.name.clone());
        }
        Ok(standing(spec, declared, &self.aliases().await?).to_owned())
    }

    /// What a collection says of the rebuild that made it; `None` when none did, or it is not there.
    ///
    /// # Errors
    ///
    /// When the server cannot be asked.
    pub async fn rebuild_note(&self, collection: &str) -> Result<Option<RebuildNote>, Error> {
        let there = self.info(collection).await?.map(live::collection);
        Ok(there.and_then(|there| there.rebuild).filter(|note| note.is == collection))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{RebuildNote, RebuildStage, generation, standing};
    use crate::{CollectionSpec, Live, LiveCollection};

    #[test]
    fn generations_are_told_from_other_names() {
        let cases = [
            ("a", Some(1)),
            ("a.2", Some(2)),
            ("a.10", Some(10)),
            ("a.1", None),
            ("a.02", None),
            ("a.+2", None),
            ("a.", None),
            ("a.2.3", None),
            ("ab.2", None),
            ("b", None),
            ("a.99999999999", None),
        ];
        for (collection, number) in cases {
            assert_eq!(generation("a", collection), number, "{collection}");
        }
    }

    #[test]
    fn the_alias_says_which_generation_stands() {
        let spec = |name: &str, alias: Option<&str>| CollectionSpec {
            name: name.into(),
            alias: alias.map(ToOwned::to_owned),
            ..CollectionSpec::default()
        };
        let declared = [spec("a", Some("x")), spec("a.3", None)];
        for (behind, expected) in [("a", "a"), ("a.2", "a.2"), ("a.3", "a"), ("other", "a")] {
            let aliases = BTreeMap::from([("x".to_owned(), behind.to_owned())]);
            assert_eq!(standing(&declared[0], &declared, &aliases), expected, "{behind}");
        }
    }

    #[test]
    fn what_was_before_is_followed_back_as_far_as_it_is_there() {
        let mut live = Live::default();
        for (name, is, of) in [("a.4", "a.4", "a.3"), ("a.3", "a.3", "a"), ("a", "a", "gone"), ("copy", "a.4", "a.3")] {
            let note = RebuildNote { is: is.into(), of: of.into(), run: "1".into(), stage: RebuildStage::Done };
            live.collections.insert(name.into(), LiveCollection { rebuild: Some(note), ..LiveCollection::default() });
        }
        assert_eq!(live.before("a.4"), ["a.3", "a"]);
        assert_eq!(live.before("copy"), [""; 0]);
        assert_eq!(live.before("nowhere"), [""; 0]);
    }
}
