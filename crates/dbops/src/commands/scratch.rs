//! Databases that are gone when the command ends.

use std::sync::{Mutex, PoisonError};

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, Installation, SqlError, Throwaway, ThrowawayOptions, Version, connect};
use dbops_schema_graph::{Graph, Owners, read_as};
use tokio::sync::OnceCell;

use super::Context;
use super::replay::recreate;
use crate::declared::{self, SchemaFile};
use crate::failure::{Failure, Result};

/// A server for databases that are gone when the command ends: one that the user names, or one that is started for it.
/// What uses it may run side by side.
pub(crate) struct Scratch<'a> {
    context: &'a Context,
    given: Option<DatabaseUrl>,
    started: OnceCell<Throwaway>,
    databases: Mutex<Vec<String>>,
    owners: Owners,
}

impl<'a> Scratch<'a> {
    pub(crate) fn new(context: &'a Context, given: Option<DatabaseUrl>) -> Self {
        Self { context, given, started: OnceCell::new(), databases: Mutex::default(), owners: Owners::LeftOut }
    }

    /// What is read says who owns what, if that is `wanted`.
    pub(crate) fn with_owners(self, wanted: bool) -> Self {
        Self { owners: if wanted { Owners::Included } else { Owners::LeftOut }, ..self }
    }

    /// Reads the schema of a database, here or elsewhere.
    pub(crate) async fn read(&self, url: &DatabaseUrl) -> Result<Graph> {
        Ok(read_as(&mut connect(url).await?, self.owners).await?)
    }

    /// A new, empty database.
    pub(crate) async fn database(&self) -> Result<DatabaseUrl> {
        self.create("template0").await
    }

    async fn create(&self, template: &str) -> Result<DatabaseUrl> {
        let server = self.server().await?;
        let name = {
            let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
            let name = format!("dbops_scratch_{}_{}", std::process::id(), databases.len());
            databases.push(name.clone());
            name
        };
        let admin = connect(&server).await?;
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        Ok(server.with_database(&name))
    }

    /// A new database that is what another one of this server is.
    pub(crate) async fn copy(&self, of: &DatabaseUrl) -> Result<DatabaseUrl> {
        self.create(of.database()).await
    }

    /// A new database with this schema.
    pub(crate) async fn with_schema(&self, schema: &Graph) -> Result<DatabaseUrl> {
        let url = self.database().await?;
        recreate(&url, schema, self.given.is_none()).await?;
        Ok(url)
    }

    /// Loads files into a new database and reads what they make of it. A role that they name and the server does not
    /// have is invented on one that was started for this.
    pub(crate) async fn load(&self, files: &[SchemaFile]) -> Result<Graph> {
        let url = self.database().await?;
        declared::load(files, &connect(&url).await?, self.given.is_none()).await?;
        // A session of its own: the files may have left settings behind.
        self.read(&url).await
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
