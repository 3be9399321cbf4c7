//! Inside the database: extensions, permissions, migrations.

use dbops_migrate::read_rows;
use dbops_postgres::tokio_postgres::{Client, Error};
use dbops_postgres::{BEGIN_READING, SqlError, Version, quote_identifier};

use super::walk::{Broken, Walk};
use crate::commands::migrate::agreement;
use crate::config::{DeclaredSchema, PostgresTarget};
use crate::declared;

/// What the user may do.
struct Permissions {
    schema: Option<String>,
    may_use: bool,
    may_create: bool,
    is_standby: bool,
    tables: i64,
    /// The first table that cannot be read.
    unreadable: Option<String>,
}

pub(super) async fn look(
    walk: &mut Walk<'_>,
    name: &str,
    target: &PostgresTarget,
    client: &Client,
) -> Result<(), Broken> {
    let asked = async { Ok::<_, Error>((Version::of_server(client).await?, permissions(client).await?)) };
    let (version, permissions) = match asked.await {
        Ok(asked) => asked,
        Err(error) => return Err(refused(walk, "permissions", error)),
    };
    let standby = if permissions.is_standby { ", a standby: it can be read only" } else { "" };
    walk.passed("version", format!("PostgreSQL {version}{standby}"));
    extensions(walk, name, target, client).await?;
    may(walk, target, &permissions)?;
    migrations(walk, name, target, &permissions).await
}

fn refused(walk: &mut Walk<'_>, step: &'static str, error: Error) -> Broken {
    walk.broken(step, SqlError::from(error).to_string(), "the server's log may say more")
}

async fn permissions(client: &Client) -> Result<Permissions, Error> {
    let schema: Option<String> =
        client.query_one("SELECT pg_catalog.current_schema()::pg_catalog.text", &[]).await?.try_get(0)?;
    // All that is asked from here on.
    client.batch_execute(BEGIN_READING).await?;
    let row = client.query_one(include_str!("permissions.sql"), &[&schema]).await?;
    Ok(Permissions {
        schema,
        may_use: row.try_get("may_use")?,
        may_create: row.try_get("may_create")?,
        is_standby: row.try_get("is_standby")?,
        tables: row.try_get("tables")?,
        unreadable: row.try_get("unreadable")?,
    })
}

async fn extensions(walk: &mut Walk<'_>, name: &str, target: &PostgresTarget, client: &Client) -> Result<(), Broken> {
    // A program that prints the schema is the user's own, and is not run to look at a connection.
    let Some(DeclaredSchema::Path(path)) = &target.schema else { return Ok(()) };
    let wanted = match declared::read_path(path) {
        Ok(files) => declared::extensions(&files),
        Err(failure) => {
            let remedy = failure.hint.unwrap_or_else(|| "correct `schema` in the configuration".into());
            return Err(walk.broken("extensions", format!("{:#}", failure.error), remedy));
        }
    };
    let rows = match client.query(include_str!("extensions.sql"), &[&wanted]).await {
        Ok(rows) => rows,
        Err(error) => return Err(refused(walk, "extensions", error)),
    };
    let Some(first) = rows.first() else {
        let seen = if wanted.is_empty() { "none is needed".into() } else { format!("{}: there", wanted.join(", ")) };
        walk.passed("extensions", seen);
        return Ok(());
    };
    let (extension, is_available): (String, bool) = (first.get(0), first.get(1));
    if !is_available {
        let seen = format!("{extension} is not installed on the server's machine");
        let remedy = match extension.as_str() {
            "vector" => "use an image with pgvector (pgvector/pgvector:pg18), or install postgresql-18-pgvector".into(),
            other => format!("install the package with the extension {other} on the server's machine"),
        };
        return Err(walk.broken("extensions", seen, remedy));
    }
    // In an empty database the revisions create it.
    if agreement(name, target).await.is_ok_and(|found| !found.pending.is_empty()) {
        walk.passed("extensions", format!("{extension} is available, and revisions are pending that may create it"));
        return Ok(());
    }
    let remedy = format!("create it in the database: CREATE EXTENSION {}", quote_identifier(&extension));
    Err(walk.broken("extensions", format!("{extension} is available and not created"), remedy))
}

fn may(walk: &mut Walk<'_>, target: &PostgresTarget, found: &Permissions) -> Result<(), Broken> {
    let user = target.url.user();
    let role = quote_identifier(user);
    let Some(schema) = &found.schema else {
        let remedy =
            format!("create one, or set search_path: CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO {role}");
        return Err(walk.broken("permissions", format!("\"{user}\" has no schema on its search_path"), remedy));
    };
    let quoted = quote_identifier(schema);
    if !found.may_use || (!found.may_create && !found.is_standby) {
        let seen = format!("\"{user}\" may not create tables in schema {schema}");
        let remedy = format!("as its owner: GRANT USAGE, CREATE ON SCHEMA {quoted} TO {role}");
        return Err(walk.broken("permissions", seen, remedy));
    }
    if let Some(table) = &found.unreadable {
        let seen = format!("\"{user}\" may not read {schema}.{table}");
        let remedy = format!("as its owner: GRANT SELECT ON ALL TABLES IN SCHEMA {quoted} TO {role}");
        return Err(walk.broken("permissions", seen, remedy));
    }
    walk.passed("permissions", format!("\"{user}\" may create and read tables in schema {schema}"));
    Ok(())
}

async fn migrations(
    walk: &mut Walk<'_>,
    name: &str,
    target: &PostgresTarget,
    found: &Permissions,
) -> Result<(), Broken> {
    let rows = match read_rows(&target.url).await {
        Ok(rows) => rows,
        Err(error) => {
            let remedy = error.hint().unwrap_or_else(|| format!("`dbops migrate current -t {name}` may say more"));
            return Err(walk.broken("migrations", error.to_string(), remedy));
        }
    };
    let agreement = match agreement(name, target).await {
        Ok(agreement) => agreement,
        Err(failure) => {
            let remedy = failure.hint.unwrap_or_else(|| "correct `versions` in the configuration".into());
            return Err(walk.broken("migrations", format!("{:#}", failure.error), remedy));
        }
    };
    if rows.is_none() && !agreement.heads.is_empty() {
        let (seen, remedy) = if found.tables > 0 {
            let seen = format!("there are {} tables and no version table: dbops did not create them", found.tables);
            (seen, format!("if they are what the revisions make: dbops migrate stamp heads -t {name}"))
        } else {
            ("the database is empty".into(), format!("dbops migrate -t {name}"))
        };
        return Err(walk.broken("migrations", seen, remedy));
    }
    if let Some(revision) = &agreement.unfinished {
        let seen = format!("revision {revision} was begun and not completed");
        return Err(walk.broken("migrations", seen, format!("dbops migrate resume -t {name}")));
    }
    if !agreement.unknown.is_empty() {
        let seen = format!("the database is at {}, which no revision file has", agreement.unknown.join(", "));
        return Err(walk.broken("migrations", seen, "deploy the revision files that belong to this database"));
    }
    walk.passed(
        "migrations",
        match agreement.pending.len() {
            0 => "every revision is applied".to_owned(),
            count => format!("initialised, {count} pending: `dbops migrate -t {name}` applies them"),
        },
    );
    Ok(())
}
