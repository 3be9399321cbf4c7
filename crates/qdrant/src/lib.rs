//! Qdrant as dbops sees it: collections declared in a file, and the server that they are to be on.
//!
//! The library reads no environment and no configuration and prints nothing: what it needs arrives in plain structs.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use dbops_qdrant::{Extent, Server, ServerOptions, plan, read_file};
//!
//! let declared = read_file(Path::new("collections.yaml"))?;
//! let timeout = Duration::from_secs(10);
//! let options = ServerOptions { url: "http://localhost:6333".into(), grpc_port: 6334, api_key: None, timeout };
//! let server = Server::new(&options)?;
//! let plan = plan(&declared, &server.live(&declared).await?)?;
//! server.apply(&declared, &plan, Extent::Whole, &mut |_| {}).await?;
//! # Ok(())
//! # }
//! ```

mod alias;
mod apply;
mod cluster;
mod error;
mod facts;
mod file;
mod found;
mod generation;
mod http;
mod live;
mod monitoring;
mod node;
mod optimizations;
pub mod parameter;
mod plan;
mod points;
mod rebuild;
mod sample;
mod schema;
mod search;
mod server;
mod shards;
mod snapshot;
mod source;
mod spec;
mod status;
mod vector;
mod wire;

pub use alias::AliasMove;
pub use apply::{Event, Extent};
pub use cluster::Cluster;
pub use error::Error;
pub use facts::CollectionFacts;
pub use file::{Advice, FileError, NAMES, check_databases, file_text, is_name, parse_file, read_file, yaml_quoted};
pub use found::{Found, found};
pub use generation::{RebuildNote, RebuildStage, generation, standing};
pub use live::{Live, LiveCollection};
pub use monitoring::{Issue, Memory};
pub use optimizations::{Optimization, Optimizations};
pub use plan::{Change, ChangeKind, Plan, Undeclared, What, plan};
pub use points::{Id, Page, Point, Stored};
pub use rebuild::{Copied, Copier, CopyOptions, Copying, Lengths, Rebuild, RebuildLock, Stage, rebuild};
pub use schema::json_schema;
pub use search::{Distance, Search};
pub use server::{Server, ServerOptions};
pub use shards::{Progress, Replica, ShardChange, ShardError, Shards, Transfer};
pub use snapshot::{Snapshot, Transferred};
pub use source::{MARK, SourceSpec};
pub use spec::{CollectionSpec, IndexSpec, IndexType, Settings};
pub use status::{CollectionState, CollectionStatus};
pub use vector::{PointVector, Vectors};
