//! Databases of the test server, for the tests in this folder.

use dbops_postgres::{DatabaseUrl, connect};
use dbops_testbed::create_database;

pub(crate) async fn database(prefix: &str, sql: &str) -> DatabaseUrl {
    let url = create_database(prefix);
    execute(&url, sql).await;
    url
}

pub(crate) async fn execute(url: &DatabaseUrl, sql: &str) {
    let client = connect(url).await.expect("the test server");
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}
