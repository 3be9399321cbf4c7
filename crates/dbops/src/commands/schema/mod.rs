//! `dbops schema show|dump|diff|drift`: the schema that a database has, and the way to another.

mod diff;
mod drift;
mod dump;
mod graph;
mod show;
mod source;

use clap::{Args, Subcommand};

pub(in crate::commands) use diff::{makes_functions, remarks, script};
pub(in crate::commands) use drift::verdict_of as drift_verdict;

use super::{Context, Outcome};
use crate::failure::Result;

/// Read database schemas and compare them with what is declared
#[derive(Args)]
#[command(
    after_help = "Examples:\n  dbops schema show bot_db\n  dbops schema diff --from bot_db --to config/bot_db/schema.sql"
)]
pub(crate) struct SchemaArgs {
    #[command(subcommand)]
    command: SchemaCommand,
}

#[derive(Subcommand)]
enum SchemaCommand {
    /// Show tables with their columns, keys and indexes, and what refers to them
    #[command(after_help = "Example: dbops schema show bot_db")]
    Show(show::ShowArgs),
    /// Print the SQL that makes one schema into another, in an order that works; nothing when they are equal
    ///
    /// Schemas come from databases, from .sql files, which are loaded into an empty database, or from targets. What
    /// belongs to extensions, the schema `dbops` and the version table are left alone, and so is the order of columns.
    #[command(after_help = "Example: dbops schema diff --from bot_db --to config/bot_db/schema.sql")]
    Diff(diff::DiffArgs),
    /// Print the statements that make a schema, the same for the same schema, in an order that works
    ///
    /// Every name has its schema; tables come with their columns and keys, foreign keys and indexes after them. It can be
    /// the beginning of a declared schema.
    #[command(after_help = "Example: dbops schema dump bot_db > config/bot_db/schema.sql")]
    Dump(dump::DumpArgs),
    /// Compare what is declared, where the revisions lead, and what the databases are; exit code 3 when they differ
    ///
    /// It says which of the three differs from the others, and prints the SQL of each way out. The declared schema is
    /// loaded and the revisions are run on a server that is started for this and gone afterwards. The order of a table's
    /// columns, the versions of extensions and owners are not compared.
    #[command(after_help = "Example: dbops schema drift -t bot_db")]
    Drift(drift::DriftArgs),
    /// Draw schemas: tables with columns and keys, and what refers to what
    #[command(after_help = "Example: dbops schema graph --format html --output schema.html")]
    Graph(graph::GraphArgs),
}

pub(crate) async fn run(context: &Context, args: &SchemaArgs) -> Result<Outcome> {
    match &args.command {
        SchemaCommand::Show(args) => show::run(context, args).await,
        SchemaCommand::Diff(args) => diff::run(context, args).await,
        SchemaCommand::Dump(args) => dump::run(context, args).await,
        SchemaCommand::Drift(args) => drift::run(context, args).await,
        SchemaCommand::Graph(args) => graph::run(context, args).await,
    }
}
