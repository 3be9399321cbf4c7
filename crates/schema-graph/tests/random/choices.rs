//! Decisions: each has a name, and falls by a seed, so that two schemas can differ in a few of them.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// How the decisions for one schema fall.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choices {
    seed: u64,
    /// The seed of those that fall otherwise, and how many in a hundred these are.
    edits: Option<(u64, u64)>,
    /// What is decided beforehand, while a failure is made small.
    pub(crate) forced: BTreeMap<String, u64>,
    /// What was asked for, and what came of it.
    pub(crate) made: RefCell<BTreeMap<String, u64>>,
}

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The same but for some.
    pub(crate) fn edited(&self, seed: u64, percent: u64) -> Self {
        Self { seed: self.seed, edits: Some((seed, percent)), ..Self::default() }
    }

    /// A number below `count`; 0 is always the simplest.
    pub(crate) fn pick(&self, name: &str, count: u64) -> u64 {
        let is_edited = |(seed, percent): (u64, u64)| scramble(seed ^ 1, name) % 100 < percent;
        let seed = self.edits.filter(|edits| is_edited(*edits)).map_or(self.seed, |(seed, _)| seed);
        let number = self.forced.get(name).copied().unwrap_or_else(|| scramble(seed, name)) % count;
        self.made.borrow_mut().insert(name.to_owned(), number);
        number
    }

    /// Whether it falls on one of `percent` in a hundred.
    pub(crate) fn is(&self, name: &str, percent: u64) -> bool {
        self.pick(name, 100) >= 100 - percent
    }

    pub(crate) fn one<T: Clone>(&self, name: &str, list: &[T]) -> T {
        list[self.pick(name, list.len() as u64) as usize].clone()
    }
}

/// FNV-1a, and the last steps of splitmix64.
fn scramble(seed: u64, name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
