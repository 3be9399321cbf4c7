//! Where to restore: a database that is not there yet, one that is empty, or, when that is asked for, the place of one that
//! holds something. Nothing else.

use dbops_postgres::tokio_postgres::{Client, Error as DriverError};
use dbops_postgres::{ConnectErrorKind, DatabaseUrl, Version, connect};

use super::draft::{DRAFT_NAMES, LEFT_OVER};
use crate::database::contents;
use crate::{Error, Existing};

/// The longest name in bytes; the server cuts longer ones.
pub(super) const NAME_LIMIT: usize = 63;
/// The databases that initdb makes: templates, and the one from which others are looked after. They look empty, and
/// belong to the server: what template1 holds is in every database that is created later.
const SERVERS_OWN: [&str; 3] = ["postgres", "template0", "template1"];

/// A place for a restored database.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The database.
    pub url: DatabaseUrl,
    /// What is there now.
    pub state: State,
    /// The server's version.
    pub server: Version,
    /// Databases under temporary names that killed restores left on the server.
    pub left_over: Vec<String>,
    /// The container that its server runs in, whose programs will do where there are no others.
    pub container: Option<String>,
    /// A database of the server from which others can be created and renamed.
    pub(crate) maintenance: DatabaseUrl,
}

/// What is at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No database of this name.
    Missing,
    /// A database that holds nothing: it is filled.
    Empty,
    /// A database that holds something: it is not touched until what is restored takes its place.
    Live,
}

impl Destination {
    /// Looks at a database by its URL: it must be empty or not exist, unless `existing` allows to take its place. Of its
    /// container nothing is known.
    ///
    /// # Errors
    ///
    /// [`Error::NotEmpty`] when it holds anything, [`Error::ServersOwn`] when it is the server's own or a template.
    pub async fn find(url: &DatabaseUrl, existing: Existing) -> Result<Self, Error> {
        let name = url.database();
        if name.is_empty() || name.len() > NAME_LIMIT || name.contains('\0') {
            return Err(Error::DatabaseName(name.into()));
        }
        let servers_own = || Error::ServersOwn { database: name.into(), server: url.server() };
        if SERVERS_OWN.contains(&name) {
            return Err(servers_own());
        }
        let client = match connect(url).await {
            Ok(client) => client,
            Err(error) if error.kind == ConnectErrorKind::NoDatabase => return Self::beside(url, State::Missing).await,
            Err(error) => return Err(error.into()),
        };
        let failed = || Error::sql("read", name);
        if is_template(&client).await.map_err(failed())? {
            return Err(servers_own());
        }
        match contents(&client).await.map_err(failed())? {
            None => {
                let (state, left_over) = (State::Empty, Vec::new());
                let server = Version::of_server(&client).await.map_err(failed())?;
                Ok(Self { url: url.clone(), state, server, left_over, container: None, maintenance: url.clone() })
            }
            Some(found) if existing == Existing::Refuse => {
                Err(Error::NotEmpty { database: name.into(), server: url.server(), found })
            }
            Some(_) => {
                drop(client);
                Self::beside(url, State::Live).await
            }
        }
    }

    /// For what is restored into a new database.
    async fn beside(url: &DatabaseUrl, state: State) -> Result<Self, Error> {
        let (client, maintenance) = maintenance(url).await?;
        let failed = || Error::sql("read", maintenance.database());
        let server = Version::of_server(&client).await.map_err(failed())?;
        let mut left_over = left_over(&client).await.map_err(failed())?;
        if !left_over.is_empty() {
            // Twice: one that gets its name just now is still listed under the old one, and its lock free already.
            let again = self::left_over(&client).await.map_err(failed())?;
            left_over.retain(|name| again.contains(name));
        }
        Ok(Self { url: url.clone(), state, server, left_over, container: None, maintenance })
    }
}

/// A database of the same server from which others can be created and renamed.
pub(super) async fn maintenance(url: &DatabaseUrl) -> Result<(Client, DatabaseUrl), Error> {
    let maintenance = url.with_database("postgres");
    match connect(&maintenance).await {
        Ok(client) => Ok((client, maintenance)),
        Err(error) if error.kind == ConnectErrorKind::NoDatabase => {
            let maintenance = url.with_database("template1");
            Ok((connect(&maintenance).await?, maintenance))
        }
        Err(error) => Err(error.into()),
    }
}

async fn is_template(client: &Client) -> Result<bool, DriverError> {
    let query = "SELECT datistemplate FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";
    client.query_one(query, &[]).await?.try_get(0)
}

async fn left_over(client: &Client) -> Result<Vec<String>, DriverError> {
    client.query(LEFT_OVER, &[&DRAFT_NAMES]).await?.iter().map(|row| row.try_get(0)).collect()
}
