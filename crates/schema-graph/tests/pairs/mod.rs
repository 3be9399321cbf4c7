//! Pairs of schemas: at least one for each kind of change.

mod constraints;
mod indexes;
mod others;
mod partitions;
mod programs;
mod tables;
mod types;

/// Two schemas, and what the statements between them have to say.
pub(crate) struct Pair {
    pub(crate) name: &'static str,
    /// In both.
    pub(crate) common: &'static str,
    pub(crate) a: &'static str,
    pub(crate) b: &'static str,
    /// In one of the two directions.
    pub(crate) says: &'static [&'static str],
    /// In neither.
    pub(crate) never: &'static [&'static str],
    /// What fills the first one, and a query with the same answer there, in the other, and on return.
    pub(crate) rows: &'static str,
    pub(crate) kept: &'static str,
}

impl Pair {
    const EMPTY: Self = Self { name: "", common: "", a: "", b: "", says: &[], never: &[], rows: "", kept: "" };
}

/// All of them.
pub(crate) fn pairs() -> impl Iterator<Item = &'static Pair> {
    let all = [
        types::PAIRS,
        tables::PAIRS,
        constraints::PAIRS,
        partitions::PAIRS,
        indexes::PAIRS,
        programs::PAIRS,
        others::PAIRS,
    ];
    all.into_iter().flatten()
}
