//! Where a key stands in YAML, in any of its styles. A YAML reader tells the place of nothing but errors, so it is made
//! to fail there.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// A key of a map: the first of that name, or a later one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    pub(super) name: &'a str,
    pub(super) occurrence: usize,
}

/// What the error at the key sought says, and no other.
pub(super) const FOUND: &str = "\u{1}found\u{1}";

/// Reads nodes down to the last key of `path`, and fails there.
pub(super) struct Descent<'a> {
    pub(super) path: &'a [Key<'a>],
}

impl<'de> DeserializeSeed<'de> for Descent<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Descent<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, rest)) = self.path.split_first() else { return Ok(()) };
        let left = Cell::new(wanted.occurrence);
        while let Some(is_wanted) = map.next_key_seed(KeyProbe { wanted, left: &left, is_last: rest.is_empty() })? {
            if is_wanted {
                map.next_value_seed(Descent { path: rest })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Reads a key, and fails at the last one of the path.
struct KeyProbe<'a> {
    wanted: &'a Key<'a>,
    left: &'a Cell<usize>,
    is_last: bool,
}

impl<'de> DeserializeSeed<'de> for KeyProbe<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyProbe<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        if key != self.wanted.name {
            return Ok(false);
        }
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(false)
            }
            None if self.is_last => Err(E::custom(FOUND)),
            None => Ok(true),
        }
    }
}
