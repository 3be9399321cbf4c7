//! Databases that are gone when the command ends.

use std::sync::{Mutex, PoisonError};

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, Installation, SqlError, Throwaway, ThrowawayOptions, Version, connect};
use dbops_schema_graph::{Graph, read};
use tokio::sync::OnceCell;

use super::Context;
use crate::declared::{self, SchemaFile};
use crate::failure::{Failure, Result};

/// A server for databases that are gone when the command ends: one that the user names, or one that is started for it.
/// What uses it may run side by side.
pub(crate) struct Scratch<'a> {
    context: &'a Context,
    given: Option<DatabaseUrl>,
    started: OnceCell<Throwaway>,
    databases: Mutex<Vec<String>>,
}

impl<'a> Scratch<'a> {
    pub(crate) fn new(context: &'a Context, given: Option<DatabaseUrl>) -> Self {
        Self { context, given, started: OnceCell::new(), databases: Mutex::default() }
    }

    /// A new, empty database.
    pub(crate) async fn database(&self) -> Result<DatabaseUrl> {
        let server = self.server().await?;
        let name = {
            let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
            let name = format!("dbops_scratch_{}_{}", std::process::id(), databases.len());
            databases.push(name.clone());
            name
        };
        let admin = connect(&server).await?;
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
        Ok(server.with_database(&name))
    }

    /// Loads files into a new database and reads what they make of it. A role that they name and the server does not
    /// have is invented on one that was started for this.
    pub(crate) async fn load(&self, files: &[SchemaFile]) -> Result<Graph> {
        let url = self.database().await?;
        declared::load(files, &connect(&url).await?, self.given.is_none()).await?;
        // A session of its own: the files may have left settings behind.
        Ok(read(&mut connect(&url).await?).await?)
    }

    /// The version of the server.
    pub(crate) async fn version(&self) -> Result<Version> {
        let client = connect(&self.server().await?).await?;
        Ok(Version::of_server(&client).await.map_err(SqlError::from)?)
    }

    /// The server, by the URL of its database `postgres`.
    pub(crate) async fn server(&self) -> Result<DatabaseUrl> {
        if let Some(given) = &self.given {
            return Ok(given.clone());
        }
        Ok(self.started.get_or_try_init(|| self.start()).await?.url("postgres"))
    }

    async fn start(&self) -> Result<Throwaway> {
        let spinner = self.context.ui.spinner("starting a throwaway server");
        let installation = Installation::find_or_fetch_server(&self.context.environment.places(), true).await?;
        let start = move || Throwaway::start(&installation, &ThrowawayOptions::default());
        let server = tokio::task::spawn_blocking(start).await.map_err(anyhow::Error::from)?.map_err(|error| {
            let hint = error.hint();
            Failure::from(anyhow::Error::from(error)).with_hint(hint)
        })?;
        spinner.finish_and_clear();
        Ok(server)
    }

    /// Drops what was made on a server that goes on.
    pub(crate) async fn finish(self) -> Result<()> {
        let Some(given) = self.given else { return Ok(()) };
        let admin = connect(&given).await?;
        for name in self.databases.into_inner().unwrap_or_else(PoisonError::into_inner) {
            run(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }
}

async fn run(client: &Client, sql: &str) -> Result<()> {
    Ok(client.batch_execute(sql).await.map_err(SqlError::from)?)
}
