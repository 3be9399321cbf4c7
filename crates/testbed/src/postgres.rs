//! One PostgreSQL server, and a database of its own for each test that asks.

use std::sync::OnceLock;

use dbops_postgres::{DatabaseUrl, Installation, Places, Throwaway, ThrowawayOptions, connect, quote_identifier};

use crate::{block_on, unique};

/// A password that has to be quoted wherever it is written.
const PASSWORD: &str = r"s3cret: p@ss/w\ord%";

/// Where the tests look for PostgreSQL's programs: as dbops does.
#[must_use]
pub fn places() -> Places {
    Places::from_variables(|name| std::env::var_os(name))
}

/// An installation with a server and pgvector, downloaded if need be.
#[must_use]
pub fn installation() -> Installation {
    block_on(Installation::find_or_fetch_server(&places(), true)).expect("PostgreSQL with pgvector")
}

/// The superuser's URL of the test server.
#[must_use]
pub fn superuser_url() -> DatabaseUrl {
    static SERVER: OnceLock<Throwaway> = OnceLock::new();
    if let Ok(url) = std::env::var("DBOPS_TEST_POSTGRES_URL") {
        return DatabaseUrl::parse(&url, "postgres").expect("DBOPS_TEST_POSTGRES_URL");
    }
    let server = SERVER.get_or_init(|| {
        let options = ThrowawayOptions { tcp_password: Some(PASSWORD.into()), settings: Vec::new() };
        Throwaway::start(&installation(), &options).expect("a throwaway server")
    });
    server.url("postgres")
}

/// A new, empty database.
#[must_use]
pub fn create_database(prefix: &str) -> DatabaseUrl {
    let url = superuser_url();
    let name = unique(prefix);
    block_on(async {
        let client = connect(&url).await.expect("the test server");
        client.batch_execute(&format!("CREATE DATABASE {}", quote_identifier(&name))).await.expect("a new database");
    });
    url.with_database(&name)
}

/// Drops a database: for tests that make many, which would fill the disk. Others are gone with their server.
pub fn drop_database(url: &DatabaseUrl) {
    let server = superuser_url();
    block_on(async {
        let client = connect(&server).await.expect("the test server");
        let statement = format!("DROP DATABASE {} WITH (FORCE)", quote_identifier(url.database()));
        client.batch_execute(&statement).await.expect("a database to drop");
    });
}
