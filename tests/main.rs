//! End-to-end tests: the built `dbops` against real servers, a module per area.

mod alembic;
mod autogenerate;
mod backup;
mod backup_endings;
mod config;
mod declared;
mod drift;
mod health;
mod migrate;
mod migrate_graph;
mod migrate_interrupted;
mod migrate_lint;
mod migrate_offline;
mod migrate_refused;
mod migrate_runner;
mod project;
mod proxy;
mod python;
mod qdrant;
mod readme;
mod renames;
mod restore;
mod schema;
mod schema_graph;
mod schema_show;
