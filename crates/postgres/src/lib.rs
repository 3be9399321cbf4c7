//! PostgreSQL as dbops sees it: connections, client programs, and clusters of real servers on this machine.
//!
//! The library reads no environment and no configuration and prints nothing: what it needs arrives in plain structs.
//!
//! ```
//! use dbops_postgres::DatabaseUrl;
//!
//! let url = DatabaseUrl::parse("postgresql+asyncpg://bot:s3cret@localhost:5434/bot_db", "postgres")?;
//! // Shown, a password is masked.
//! assert_eq!(url.to_string(), "postgresql://bot:***@localhost:5434/bot_db");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod cluster;
mod connect;
mod data_folder;
mod error;
mod folder;
pub mod passfile;
pub mod process;
mod programs;
mod quote;
mod server_user;
mod throwaway;
mod tls;
mod url;
mod version;
mod wheel;

pub use client::{ClientPrograms, Container, SERVER_STARTED};
pub use cluster::{Cluster, ClusterError, Listen, check_port};
pub use connect::{BEGIN_READING, Notice, connect, connect_noticing, pool};
pub use data_folder::{ClusterState, DataFolder};
pub use error::{ConnectError, ConnectErrorKind, SqlError};
pub use folder::{create_open_folder, unfinished_folder};
pub use programs::{FETCHED_MAJOR, Installation, Origin, Places, ProgramError};
pub use quote::{quote_identifier, quote_literal};
pub use server_user::ServerUser;
pub use throwaway::{Throwaway, ThrowawayOptions};
pub use url::{DatabaseUrl, UrlError};
pub use version::Version;

/// The driver that the connections are made of.
pub use {deadpool_postgres, tokio_postgres};
