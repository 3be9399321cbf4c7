//! Between Qdrant's messages and the engine's types. Pure: no state, no disk.

pub(crate) mod config;
pub(crate) mod filter;
pub(crate) mod index;
pub(crate) mod payload;
pub(crate) mod points;
pub(crate) mod requests;
pub(crate) mod vectors;
