//! Points on their way to the server: several batches at a time, so that reading and writing go on together.

use dbops_qdrant::{Point, Server};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::Error;
use crate::row::Row;
use crate::table::Table;

/// How many points are sent together, and how many bytes of them.
const BATCH: usize = 512;
const BATCH_BYTES: usize = 1 << 20;
/// How many batches the server works on at a time.
const AT_A_TIME: usize = 4;

/// Collects points.
pub(crate) struct Batches<'a> {
    table: &'a Table,
    points: Vec<Point>,
    bytes: usize,
    sender: Sender<Vec<Point>>,
}

/// What collects batches, and what they come out of.
pub(crate) fn batches(table: &Table) -> (Batches<'_>, Receiver<Vec<Point>>) {
    let (sender, receiver) = channel(1);
    (Batches { table, points: Vec::new(), bytes: 0, sender }, receiver)
}

impl Batches<'_> {
    /// Another collector for the same receiver.
    pub(crate) fn another(&self) -> Self {
        Self { table: self.table, points: Vec::new(), bytes: 0, sender: self.sender.clone() }
    }

    /// Takes a row with its mark.
    pub(crate) async fn push(&mut self, row: &Row, mark: String) -> Result<(), Error> {
        self.bytes += row.size();
        self.points.push(row.point(self.table, mark)?);
        if self.points.len() == BATCH || self.bytes >= BATCH_BYTES {
            self.send().await;
        }
        Ok(())
    }

    /// Sends what is left.
    pub(crate) async fn finish(mut self) {
        self.send().await;
    }

    async fn send(&mut self) {
        self.bytes = 0;
        let points = std::mem::take(&mut self.points);
        if !points.is_empty() {
            // Whoever does not listen any more has failed, and ends this too.
            drop(self.sender.send(points).await);
        }
    }
}

/// Writes what comes, until nobody sends any more.
pub(crate) async fn write(server: &Server, collection: &str, batches: Receiver<Vec<Point>>) -> Result<(), Error> {
    let batches = stream::unfold(batches, async |mut batches| batches.recv().await.map(|batch| (batch, batches)));
    let written = batches.map(|batch| server.write(collection, batch)).buffer_unordered(AT_A_TIME);
    Ok(written.try_collect().await?)
}
