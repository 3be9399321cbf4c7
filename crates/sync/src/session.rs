//! The sessions of a run, which all see one moment of the database.

use std::pin::Pin;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::tokio_postgres::binary_copy::BinaryCopyOutStream;
use dbops_postgres::tokio_postgres::types::Type;
use dbops_postgres::{DatabaseUrl, connect};
use dbops_qdrant::{Server, SourceSpec};
use futures_util::{Stream, StreamExt};

use crate::Error;
use crate::row::{Key, Row, of_copy};
use crate::table::{KeyKind, Table};

/// Changes that were begun before this moment, and that may not be over, are in no snapshot: rows are looked at again from
/// there on. Transactions of other users are seen by those who may (`pg_read_all_stats`), the others only by their locks.
const HORIZON: &str = include_str!("horizon.sql");
/// What the rows look like must not depend on the user's settings.
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = pg_catalog; \
                     SET LOCAL timezone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; \
                     SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL statement_timeout = 0; \
                     SET idle_in_transaction_session_timeout = 0";

/// An open transaction, and the table in it.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) table: Table,
    url: DatabaseUrl,
}

/// Rows as they come.
pub(crate) type Rows<'a> = Pin<Box<dyn Stream<Item = Result<Row, Error>> + 'a>>;
/// Keys as they come.
pub(crate) type Keys<'a> = Pin<Box<dyn Stream<Item = Result<Key, Error>> + 'a>>;

impl Session {
    /// Begins the transaction of a run that looks at a collection too, which has to be there.
    pub(crate) async fn begin_beside(
        url: &DatabaseUrl,
        source: &SourceSpec,
        server: &Server,
        collection: &str,
    ) -> Result<Self, Error> {
        let sizes = server.sizes(collection).await?.ok_or_else(|| Error::NoCollection(collection.into()))?;
        let mut session = Self::begin(url, source).await?;
        session.table.sizes = sizes;
        Ok(session)
    }

    pub(crate) async fn begin(url: &DatabaseUrl, source: &SourceSpec) -> Result<Self, Error> {
        let client = connect(url).await?;
        let name = format!("{}.{}", source.schema, source.table);
        client.batch_execute(BEGIN).await.map_err(Error::sql(&name))?;
        let table = Table::find(&client, url.database(), source).await?;
        Ok(Self { client, table, url: url.clone() })
    }

    /// Takes the lock of a collection for as long as the session lasts: two runs with different moments before them would
    /// undo each other's work.
    pub(crate) async fn lock(&self, collection: &str) -> Result<(), Error> {
        let query =
            "SELECT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtext('dbops sync'), pg_catalog.hashtext($1))";
        let row = self.client.query_one(query, &[&collection]).await.and_then(|row| row.try_get(0));
        if row.map_err(Error::sql(&self.table.name))? { Ok(()) } else { Err(Error::Locked(collection.into())) }
    }

    /// More sessions that see the same.
    pub(crate) async fn more(&self, count: usize) -> Result<Vec<Client>, Error> {
        let failed = Error::sql(&self.table.name);
        let exported = self.client.query_one("SELECT pg_catalog.pg_export_snapshot()", &[]).await.map_err(&failed)?;
        let id: String = exported.try_get(0).map_err(&failed)?;
        let mut clients = Vec::new();
        for _ in 0..count {
            let client = connect(&self.url).await?;
            client.batch_execute(&format!("{BEGIN}; SET TRANSACTION SNAPSHOT '{id}'")).await.map_err(&failed)?;
            clients.push(client);
        }
        Ok(clients)
    }

    /// The moment up to which everything was seen, as PostgreSQL writes it.
    pub(crate) async fn horizon(&self) -> Result<String, Error> {
        let failed = Error::sql(&self.table.name);
        self.client.query_one(HORIZON, &[]).await.and_then(|row| row.try_get(0)).map_err(failed)
    }

    pub(crate) async fn count(&self) -> Result<u64, Error> {
        let row = self.client.query_one(&self.table.count(), &[]).await.and_then(|row| row.try_get::<_, i64>(0));
        Ok(row.map_err(Error::sql(&self.table.name))?.unsigned_abs())
    }

    /// The number of the table's pages.
    pub(crate) async fn pages(&self) -> Result<u64, Error> {
        let query =
            "SELECT pg_catalog.pg_relation_size($1::text::regclass) / pg_catalog.current_setting('block_size')::int8";
        let row = self.client.query_one(query, &[&self.table.name]).await.and_then(|row| row.try_get::<_, i64>(0));
        Ok(row.map_err(Error::sql(&self.table.name))?.unsigned_abs())
    }
}

/// Runs a query for keys that [`Table`] has written.
pub(crate) async fn keys<'a>(client: &'a Client, table: &'a Table, query: &str) -> Result<Keys<'a>, Error> {
    let failed = Error::sql(&table.name);
    let copied = client.copy_out(&format!("COPY ({query}) TO STDOUT (FORMAT binary)")).await.map_err(&failed)?;
    let copied = BinaryCopyOutStream::new(copied, &[key_type(table.key)]);
    // At its end it is not to be asked again.
    Ok(Box::pin(copied.fuse().map(move |row| Key::of(&row.map_err(&failed)?, table))))
}

/// Runs a query for whole rows that [`Table`] has written.
pub(crate) async fn rows<'a>(client: &'a Client, table: &'a Table, query: &str) -> Result<Rows<'a>, Error> {
    let failed = Error::sql(&table.name);
    let mut types = vec![key_type(table.key), Type::TEXT];
    types.extend(table.vectors.iter().map(|_| Type::BYTEA));
    let copied = client.copy_out(&format!("COPY ({query}) TO STDOUT (FORMAT binary)")).await.map_err(&failed)?;
    let copied = BinaryCopyOutStream::new(copied, &types);
    Ok(Box::pin(copied.fuse().map(move |row| of_copy(&row.map_err(&failed)?, table))))
}

fn key_type(kind: KeyKind) -> Type {
    match kind {
        KeyKind::Number => Type::INT8,
        // Its sixteen bytes.
        KeyKind::Uuid => Type::BYTEA,
        KeyKind::Text => Type::TEXT,
    }
}
