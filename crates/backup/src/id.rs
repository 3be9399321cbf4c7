//! The name of a set: the UTC second in which it was begun, and four digits that keep two of one second apart.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

const TIME: &str = "%Y%m%dT%H%M%SZ";
/// The bytes of `20261123T021500Z`.
const TIME_LENGTH: usize = 16;

/// An id such as `20261123T021500Z-1a2b`; in their order, sets stand in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetId(String);

impl SetId {
    /// A new id for a set that is begun now.
    pub(crate) fn new(now: Timestamp) -> Self {
        // Seeded at random each time.
        let random = RandomState::new().hash_one(now.as_nanosecond()) & 0xffff;
        Self(format!("{}-{random:04x}", now.strftime(TIME)))
    }

    /// Reads an id; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (_, random) = text.split_at_checked(TIME_LENGTH)?;
        let digits = random.strip_prefix('-')?;
        let is_random = digits.len() == 4 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let id = Self(text.to_owned());
        (is_random && id.time().is_some_and(|time| time.strftime(TIME).to_string() == id.0[..TIME_LENGTH]))
            .then_some(id)
    }

    /// When the set was begun, to the second.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        let civil = DateTime::strptime(TIME, self.0.get(..TIME_LENGTH)?).ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for SetId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not the id of a backup"))
    }
}

impl From<SetId> for String {
    fn from(id: SetId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::SetId;

    #[test]
    fn reads_ids_and_nothing_else() {
        let cases = [
            ("20261123T021500Z-1a2b", true),
            ("20261123T021500Z-1A2B", false),
            ("20261123T021500Z-1a2", false),
            ("20261123T021500Z", false),
            ("20261323T021500Z-1a2b", false),
            ("20261123T021500Z-1a2b/..", false),
            (".partial-20261123T021500Z-1a2b", false),
            ("2026112éT021500Z-1a2b", false),
            ("", false),
        ];
        for (text, is_id) in cases {
            assert_eq!(SetId::parse(text).is_some(), is_id, "{text}");
        }
    }

    #[test]
    fn a_new_id_tells_its_time() {
        let now: Timestamp = "2026-11-23T02:15:00.75Z".parse().expect("a time");
        let id = SetId::new(now);
        assert!(id.as_str().starts_with("20261123T021500Z-"), "{id}");
        assert_eq!(SetId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(id.time().map(|time| time.to_string()).as_deref(), Some("2026-11-23T02:15:00Z"));
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,24}") {
            drop(SetId::parse(&text));
        }
    }
}
