//! Migrations as SQL files with Alembic's revision graph and version table.
//!
//! - [`Revision`] is one file; [`load_folder`] reads them all, [`new_file`] is a new one.
//! - [`Graph`] is what the files say of each other; it resolves Alembic's identifiers and knows no database.
//! - [`plan`] turns rows of the version table and a request into steps; it knows no database either.
//! - [`Session`] holds the lock of one database and applies steps to it.
//!
//! The library prints nothing and reads no environment; a run reports through [`Event`].
//!
//! ```
//! use std::path::Path;
//!
//! use dbops_migrate::lint::{LintOptions, lint};
//! use dbops_migrate::{Graph, parse_revision};
//!
//! let text = "-- revision: 8f3c2a9d41be\n-- message: add role column to users\n\n\
//!             -- +up\nALTER TABLE users ADD COLUMN role text;\n\n\
//!             -- +down\nALTER TABLE users DROP COLUMN role;\n";
//! let revision = parse_revision(Path::new("8f3c2a9d41be_add_role_column_to_users.sql"), text)?;
//! assert!(lint(&[&revision], &LintOptions::default()).is_empty());
//!
//! let graph = Graph::new(vec![revision])?;
//! assert_eq!(graph.heads()[0].id, "8f3c2a9d41be");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use ledger::{
    Author, ChangedObject, LogEntry, SchemaState, Unfinished, read_log, read_schema_state, read_unfinished,
};
pub use parse::{is_duration, parse as parse_revision};
pub use plan::{Direction, Step};
pub use range::range;
pub use revision::{Revision, Section, Settings};
pub use rows::{RowEdit, Rows};
pub use run::{Again, DryRun, DryRunStatement, Event, Finished, RunOptions, TakenLock, Watched};
pub use script::{plan_offline, script};
pub use session::{Session, SessionOptions, read_rows};
pub use statements::{Statement, line_comments, split};
