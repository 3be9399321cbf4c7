//! The first filling of an empty collection: the pages of the table divided among sessions that see the same moment.

use std::cell::RefCell;

use dbops_postgres::tokio_postgres::Client;
use dbops_qdrant::Server;
use futures_util::StreamExt;
use futures_util::future::try_join_all;

use crate::session::{Session, rows};
use crate::write::{Batches, batches, write};
use crate::{Error, Event};

/// How many sessions read.
const SESSIONS: u64 = 3;
/// How many rows are told together.
const TOLD: u64 = 1000;

/// Writes a point for each row, and gives their number.
pub(crate) async fn load(
    session: &Session,
    server: &Server,
    collection: &str,
    on_event: &mut dyn FnMut(Event),
) -> Result<u64, Error> {
    let ranges = ranges(session).await?;
    let clients = session.more(ranges.len()).await?;
    let (first, receiver) = batches(&session.table);
    // Several readers on one task: never two at a time.
    let on_event = RefCell::new(on_event);
    let readers =
        clients.iter().zip(&ranges).map(|(client, range)| read(session, client, range, first.another(), &on_event));
    let readers: Vec<_> = readers.collect();
    drop(first);
    let (counts, ()) = tokio::try_join!(try_join_all(readers), write(server, collection, receiver))?;
    Ok(counts.iter().sum())
}

/// Conditions that divide the rows.
async fn ranges(session: &Session) -> Result<Vec<String>, Error> {
    if !session.table.has_pages {
        return Ok(vec!["true".into()]);
    }
    let pages = session.pages().await?;
    let bound = |part: u64| pages * part / SESSIONS;
    Ok((0..SESSIONS)
        .map(|part| {
            let from = format!("ctid >= '({},0)'::tid", bound(part));
            // The last one takes what was added since.
            if part + 1 == SESSIONS { from } else { format!("{from} AND ctid < '({},0)'::tid", bound(part + 1)) }
        })
        .collect())
}

async fn read(
    session: &Session,
    client: &Client,
    range: &str,
    mut batches: Batches<'_>,
    on_event: &RefCell<&mut dyn FnMut(Event)>,
) -> Result<u64, Error> {
    let mut rows = rows(client, &session.table, &session.table.rows(range)).await?;
    let mut count = 0;
    while let Some(row) = rows.next().await {
        let row = row?;
        batches.push(&row, row.mark(&session.table)).await?;
        count += 1;
        if count % TOLD == 0 {
            (on_event.borrow_mut())(Event::Rows(TOLD));
        }
    }
    (on_event.borrow_mut())(Event::Rows(count % TOLD));
    batches.finish().await;
    Ok(count)
}
