//! Keeping a Qdrant collection in agreement with the PostgreSQL table that its points come from.
//!
//! The table is the truth: a row becomes a point, a changed row a changed point, and a point without a row goes. Each point
//! carries in its payload, under [`MARK`](dbops_qdrant::MARK), a hash of what it was made of, so that both sides are compared without
//! moving vectors about.
//!
//! - `table` knows the columns and writes the queries, `row` makes points of rows, `session` holds the snapshot that all
//!   of a run looks at.
//! - `both` walks rows and points side by side in the order of their ids, with constant memory. Only where the id is
//!   computed from a key that is neither a number nor a UUID have the ids of all points to be in memory.
//! - `sync` writes, `verify` only looks; `nearest` searches the table beside Qdrant.
//!
//! The library reads no environment and no configuration and prints nothing; what it does is told by [`Event`]s.

mod both;
mod deep;
mod error;
mod guard;
mod load;
mod nearest;
mod row;
mod session;
mod sync;
mod table;
mod verify;
mod write;

pub use error::Error;
pub use nearest::{Hit, Searched};
pub use sync::{SyncOptions, Synced, Way, sync};
pub use verify::{Found, Verified, verify};

/// What happens during a synchronisation or a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Rows are being read; `rows` is their number, where it is known.
    Reading {
        /// What for.
        way: Way,
        /// How many there are.
        rows: Option<u64>,
    },
    /// So many more rows were read.
    Rows(u64),
}
