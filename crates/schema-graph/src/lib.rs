//! A PostgreSQL schema as a graph of objects: read from a database's catalogs, compared with another, and the
//! statements that make one into the other, in an order that works.
//!
//! - [`read`] and [`sizes`] are the parts that talk to a server. The queries are the files in `sql/`, one round trip
//!   each however many objects there are.
//! - [`compare`], [`plan`], [`picture`] and the rest are pure.
//!
//! What belongs to an extension is not part of a schema, nor is dbops' own: the schema `dbops` and the version table
//! `alembic_version`. Owners are read on demand: [`read_as`].
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use dbops_postgres::{DatabaseUrl, connect};
//! use dbops_schema_graph::{plan, read};
//!
//! let mut live = connect(&DatabaseUrl::parse("postgresql://localhost/live", "postgres")?).await?;
//! let mut wanted = connect(&DatabaseUrl::parse("postgresql://localhost/wanted", "postgres")?).await?;
//! let steps = plan(&read(&mut live).await?, &read(&mut wanted).await?);
//! for statement in steps.iter().flat_map(|step| &step.statements) {
//!     println!("{};", statement.sql);
//! }
//! # Ok(())
//! # }
//! ```

mod alter;
mod column;
mod compare;
mod convert;
mod create;
mod draft;
mod edges;
mod hazard;
mod implied;
mod inherit;
mod moving;
mod object;
mod online;
mod order;
mod parts;
mod picture;
mod plan;
mod read;
mod rename;
mod same;
mod size;

pub use column::Column;
pub use compare::{Difference, compare, describe};
pub use hazard::{Hazard, Statement};
pub use object::{Attribute, Graph, Kind, Object, ObjectId};
pub use online::online;
pub use parts::{Part, PartKind, parts};
pub use picture::{PictureFormat, escape, picture};
pub use plan::{Action, Step, dump, plan};
pub use read::{Owners, read, read_as};
pub use rename::{Rename, RenameError, likely_renames};
pub use size::{Size, Sizes, sizes};
