//! Where a schema comes from: a database, or what is loaded into one made for it.

use std::path::PathBuf;

use dbops_postgres::DatabaseUrl;
use dbops_schema_graph::Graph;

use crate::commands::Context;
use crate::commands::migrate::load as load_revisions;
use crate::commands::replay::replay;
use crate::commands::scratch::Scratch;
use crate::config::{DeclaredSchema, PostgresTarget};
use crate::declared;
use crate::failure::{Failure, Result};

/// A schema as it is named on the command line.
pub(super) enum Source {
    Database(Box<DatabaseUrl>),
    Declared(DeclaredSchema),
    Revisions(String, Box<PostgresTarget>),
}

impl Source {
    /// A URL, a `.sql` file or a folder of them, a target's name, or one of its sides: `declared:NAME`,
    /// `revisions:NAME`.
    pub(super) fn parse(context: &Context, text: &str) -> Result<Self> {
        if text.contains("://") {
            return Ok(Self::Database(Box::new(database_url(context, text)?)));
        }
        let path = PathBuf::from(text);
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "sql") {
            return Ok(Self::Declared(DeclaredSchema::Path(path)));
        }
        let (side, name) = match text.split_once(':') {
            Some((side @ ("declared" | "revisions"), name)) => (side, name),
            _ => ("", text),
        };
        let config = context.config()?;
        let targets = config
            .select_postgres(&[name.to_owned()])
            .map_err(|failure| failure.context(format!("`{text}` is neither a URL nor a .sql file or folder")))?;
        let Some((_, target)) = targets.first() else {
            return Err(Failure::usage(format!("there is no target `{name}`")));
        };
        match (side, &target.schema) {
            ("declared", None) => Err(nothing_declared(&format!("target `{name}` declares no schema"))),
            ("declared", Some(schema)) => Ok(Self::Declared(schema.clone())),
            ("revisions", _) => Ok(Self::Revisions(name.to_owned(), Box::new((*target).clone()))),
            _ => Ok(Self::Database(Box::new(target.url.clone()))),
        }
    }

    /// Reads the schema; what is no database is made one of `scratch`.
    pub(super) async fn read(&self, context: &Context, scratch: &Scratch<'_>) -> Result<Graph> {
        match self {
            Self::Database(url) => scratch.read(url).await,
            Self::Declared(schema) => scratch.load(&declared::read(schema, &context.environment).await?).await,
            Self::Revisions(name, target) => {
                let graph = load_revisions(name, target)?;
                let url = scratch.database().await?;
                replay(&url, &graph, "heads").await?;
                scratch.read(&url).await
            }
        }
    }
}

pub(super) fn nothing_declared(message: &str) -> Failure {
    Failure::usage(message).with_hint("name the file of its DDL: `schema: schema.sql`")
}

pub(super) fn database_url(context: &Context, text: &str) -> Result<DatabaseUrl> {
    let url = DatabaseUrl::parse(text, context.environment.user())
        .map_err(|error| Failure::usage(error.to_string()).with_hint(error.hint()))?;
    Ok(url.with_passfile(context.environment.passfile()))
}
