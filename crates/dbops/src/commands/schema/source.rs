//! Where a schema comes from: a database, or files that are loaded into one made for it.

use std::path::PathBuf;

use dbops_postgres::{DatabaseUrl, connect};
use dbops_schema_graph::{Graph, read};

use crate::commands::Context;
use crate::commands::scratch::Scratch;
use crate::declared;
use crate::failure::{Failure, Result};

/// A schema as it is named on the command line.
pub(super) enum Source {
    Database(Box<DatabaseUrl>),
    Files(PathBuf),
}

impl Source {
    /// A URL, a `.sql` file or a folder of them, or a target's name.
    pub(super) fn parse(context: &Context, text: &str) -> Result<Self> {
        if text.contains("://") {
            return Ok(Self::Database(Box::new(database_url(context, text)?)));
        }
        let path = PathBuf::from(text);
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "sql") {
            return Ok(Self::Files(path));
        }
        let config = context.config()?;
        let targets = config
            .select_postgres(&[text.to_owned()])
            .map_err(|failure| failure.context(format!("`{text}` is neither a URL nor a .sql file or folder")))?;
        let url = targets.first().map(|(_, target)| Box::new(target.url.clone()));
        url.map(Self::Database).ok_or_else(|| Failure::usage(format!("there is no target `{text}`")))
    }

    /// Reads the schema; files are loaded into a database of `scratch`.
    pub(super) async fn read(&self, scratch: &mut Scratch<'_>) -> Result<Graph> {
        match self {
            Self::Database(url) => Ok(read(&mut connect(url).await?).await?),
            Self::Files(path) => scratch.load(&declared::read(path)?).await,
        }
    }
}

pub(super) fn database_url(context: &Context, text: &str) -> Result<DatabaseUrl> {
    let url = DatabaseUrl::parse(text, context.environment.user())
        .map_err(|error| Failure::usage(error.to_string()).with_hint(error.hint()))?;
    Ok(url.with_passfile(context.environment.passfile()))
}
