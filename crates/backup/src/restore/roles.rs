//! The roles that a restored database needs on its server.

use std::collections::BTreeSet;

use dbops_postgres::tokio_postgres::{Client, Error as DriverError};
use dbops_postgres::{DatabaseUrl, SqlError, connect, quote_identifier};

use super::toc::Entry;
use super::{Owners, RestoreOptions};
use crate::{Error, Facts};

/// The roles that a restore needs: as owners, and for other ends.
#[derive(Debug, Default)]
pub(super) struct Needed {
    pub(super) owners: BTreeSet<String>,
    pub(super) others: BTreeSet<String>,
}

/// What these entries of an archive need, as they are to be restored.
pub(super) fn needed(entries: &[Entry], facts: Option<&Facts>, there: &[String], options: &RestoreOptions) -> Needed {
    let mut needed = Needed::default();
    match &options.owners {
        Owners::Keep => {
            let dumped = facts.into_iter().flat_map(|facts| &facts.roles).map(|role| role.name.clone());
            let known: Vec<_> = dumped.chain(there.iter().cloned()).collect();
            needed.owners.extend(entries.iter().filter_map(|entry| entry.owner(&known).map(String::from)));
        }
        Owners::Everything(role) => drop(needed.owners.insert(role.clone())),
        Owners::Drop => {}
    }
    for role in facts.into_iter().flat_map(|facts| &facts.roles) {
        if role.has_policies || role.has_privileges && options.with_privileges {
            needed.others.insert(role.name.clone());
        }
    }
    needed
}

/// The server's roles.
pub(super) async fn there(client: &Client) -> Result<Vec<String>, DriverError> {
    let rows = client.query("SELECT rolname::text FROM pg_catalog.pg_roles", &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Those of the owners that are there, and to which this user cannot give anything.
pub(super) async fn out_of_reach(client: &Client, owners: &BTreeSet<String>) -> Result<Vec<String>, DriverError> {
    let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
    let query = "SELECT rolname::text FROM pg_catalog.pg_roles \
                 WHERE rolname = ANY ($1) AND NOT pg_catalog.pg_has_role(oid, 'MEMBER') ORDER BY 1";
    client.query(query, &[&owners]).await?.iter().map(|row| row.try_get(0)).collect()
}

/// Creates those of the roles that the server does not have. With the set's own script they are what they were; without it
/// nobody can log in as one of them.
///
/// # Errors
///
/// When the server refuses; what was created before stays, for roles are the whole server's.
pub async fn create_roles<'a>(
    server: &DatabaseUrl,
    roles: impl Iterator<Item = &'a str>,
    script: Option<&str>,
) -> Result<(), Error> {
    let client = connect(server).await?;
    let there = there(&client).await.map_err(Error::sql("read", server.database()))?;
    let missing: BTreeSet<&str> = roles.filter(|role| !there.iter().any(|it| it == role)).collect();
    for role in &missing {
        let statement = format!("CREATE ROLE {}", quote_identifier(role));
        client.batch_execute(&statement).await.map_err(failed(role))?;
    }
    for (role, statement) in missing.iter().flat_map(|role| alterations(role, script.unwrap_or_default())) {
        client.batch_execute(&statement).await.map_err(failed(role))?;
    }
    Ok(())
}

fn failed(role: &str) -> impl FnOnce(DriverError) -> Error {
    |error| Error::Role { role: role.into(), source: Box::new(SqlError::from(error)) }
}

/// What pg_dumpall says about a role, each on a line: its attributes, its comment. Whose member it was is left out: that
/// would give it rights over what else the server holds.
fn alterations<'a>(role: &'a str, script: &str) -> Vec<(&'a str, String)> {
    let quoted = quote_identifier(role);
    let bare = quoted.trim_matches('"');
    let beginnings: Vec<String> = ["ALTER ROLE {} WITH ", "COMMENT ON ROLE {} IS "]
        .iter()
        .flat_map(|it| [it.replace("{}", &quoted), it.replace("{}", bare)])
        .collect();
    let says = |line: &&str| beginnings.iter().any(|it| line.starts_with(it.as_str())) && line.ends_with(';');
    script.lines().filter(says).map(|line| (role, line.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::alterations;

    #[test]
    fn a_role_is_found_in_the_script() {
        let script = "CREATE ROLE app;\nALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'x';\n\
                      ALTER ROLE application WITH SUPERUSER;\nCREATE ROLE \"a b\";\n\
                      ALTER ROLE \"a b\" WITH NOLOGIN;\nCOMMENT ON ROLE app IS 'it''s';\nGRANT app TO other;\n\
                      ALTER ROLE app SET work_mem TO '1MB';\n";
        let of = |role| alterations(role, script).into_iter().map(|(_, line)| line).collect::<Vec<_>>();
        assert_eq!(
            of("app"),
            ["ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'x';", "COMMENT ON ROLE app IS 'it''s';"]
        );
        assert_eq!(of("a b"), ["ALTER ROLE \"a b\" WITH NOLOGIN;"]);
        assert!(of("nobody").is_empty());
    }
}
