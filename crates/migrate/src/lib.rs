//! Migrations as SQL files with Alembic's revision graph and version table.
//!
//! - [`Revision`] is one file; [`load_folder`] reads them all, [`new_file`] is a new one.
//! - [`Graph`] is what the files say of each other; it resolves Alembic's identifiers and knows no database.
//! - [`plan`] turns rows of the version table and a request into steps; it knows no database either.
//! - [`Session`] holds the lock of one database and applies steps to it.
//!
//! The library prints nothing and reads no environment; a run reports through [`Event`].

mod alembic;
mod batch;
mod draw;
mod drift;
mod error;
mod extend;
mod folder;
mod graph;
mod identifier;
mod import;
mod ledger;
pub mod lint;
mod lock;
mod parse;
pub mod plan;
mod range;
mod revision;
mod rows;
mod run;
mod script;
mod session;
mod statements;
mod tokens;
mod version_table;

pub use alembic::{alembic_url, is_alembic, load_alembic};
pub use batch::Batch;
pub use draw::{Drawn, draw};
pub use drift::{FileDrift, file_drift};
pub use error::{Error, FileError, GraphError, StatementError};
pub use extend::{Needs, Place, extend, merge};
pub use folder::{NewFile, NewRevision, NewSections, load_folder, new_file};
pub use graph::Graph;
pub use import::{Exported, Imported, export, plan_import, write_import};
pub use ledger::{Author, LogEntry, Unfinished, read_log, read_unfinished};
pub use parse::{is_duration, parse as parse_revision};
pub use plan::{Direction, Step};
pub use range::range;
pub use revision::{Revision, Section, Settings};
pub use rows::{RowEdit, Rows};
pub use run::{Again, DryRun, DryRunStatement, Event, Finished, RunOptions, TakenLock, Watched};
pub use script::{plan_offline, script};
pub use session::{Session, SessionOptions, read_rows};
pub use statements::{Statement, line_comments, split};
