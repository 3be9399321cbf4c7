//! What revisions, or a schema, make of an empty database of a throwaway server.

use dbops_migrate::{Error, Graph, Rows, RunOptions, Session, SessionOptions, plan as steps};
use dbops_postgres::{DatabaseUrl, SqlError, connect};
use dbops_schema_graph::{Graph as Schema, dump, read};

use crate::declared::{execute_inventing_roles, invent_role};
use crate::failure::{Failure, Result};

/// Reads the schema of a database.
pub(crate) async fn schema_of(url: &DatabaseUrl) -> Result<Schema> {
    Ok(read(&mut connect(url).await?).await?)
}

/// Makes an empty database what another one is; with roles that its server does not have, if it `invents_roles`.
pub(crate) async fn recreate(url: &DatabaseUrl, schema: &Schema, invents_roles: bool) -> Result<()> {
    let client = connect(url).await?;
    client.batch_execute("SET check_function_bodies = off").await.map_err(SqlError::from)?;
    for statement in dump(schema).iter().flat_map(|step| &step.statements) {
        if invents_roles {
            execute_inventing_roles(&client, &statement.sql).await?;
        } else {
            client.batch_execute(&statement.sql).await.map_err(SqlError::from)?;
        }
    }
    Ok(())
}

/// Runs the revisions up to this one on a database of the throwaway server.
pub(crate) async fn replay(url: &DatabaseUrl, graph: &Graph, revision: &str) -> Result<()> {
    loop {
        let mut session = Session::open(url, &session_options()).await?;
        let rows = Rows::new(graph, &session.rows().await?)?;
        let planned = steps::upgrade(graph, &rows, revision)?;
        let Err(error) = session.run(graph, &planned, &RunOptions::default(), &mut |_| {}).await else { return Ok(()) };
        let Error::Statement(failed) = &error else { return Err(error.into()) };
        if !invent_role(&connect(url).await?, &failed.error).await {
            return Err(Failure::from(error).context("replaying the revisions on an empty database"));
        }
    }
}

/// How a session is opened on a database that nobody else knows.
pub(crate) fn session_options() -> SessionOptions {
    SessionOptions {
        lock_wait: std::time::Duration::from_secs(60),
        application_name: "dbops autogenerate".into(),
        author: dbops_migrate::Author::default(),
    }
}
