//! Rows and points side by side.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;

use dbops_qdrant::{Id, Server};
use futures_util::{Stream, StreamExt};

use crate::Error;
use crate::row::{Key, Row};
use crate::table::{KeyKind, Table};

/// How many points are asked for at a time.
const PAGE: u32 = 4096;

/// What is where.
#[derive(Debug)]
pub(crate) enum Side<R> {
    /// A row and its point, with the point's mark.
    Both(R, Option<String>),
    /// A row without a point.
    Row(R),
    /// A point without a row.
    Point(Id),
}

/// What has the id of a point.
pub(crate) trait Identified {
    fn key(&self) -> &Key;
}

impl Identified for Key {
    fn key(&self) -> &Key {
        self
    }
}

impl Identified for Row {
    fn key(&self) -> &Key {
        &self.key
    }
}

/// The points of a collection.
enum Points<'a> {
    /// As the server has them, page by page.
    InOrder(Pages<'a>),
    /// All of them, and whether their row was there.
    All(HashMap<Id, (Option<String>, bool)>),
    /// Those whose row was not there, once there are no more rows.
    Left(std::vec::IntoIter<Id>),
}

struct Pages<'a> {
    server: &'a Server,
    collection: &'a str,
    with_marks: bool,
    page: VecDeque<(Id, Option<String>)>,
    /// Where the next page begins; nothing when there is none.
    next: Option<Option<Id>>,
}

impl Pages<'_> {
    async fn peek(&mut self) -> Result<Option<Id>, Error> {
        while let (true, Some(from)) = (self.page.is_empty(), self.next) {
            let page = self.server.page(self.collection, from, PAGE, self.with_marks).await?;
            self.page = page.points.into();
            self.next = page.next.map(Some);
        }
        Ok(self.page.front().map(|(id, _)| *id))
    }
}

/// A walk over both.
pub(crate) struct Walk<'a, R> {
    rows: Pin<Box<dyn Stream<Item = Result<R, Error>> + 'a>>,
    row: Option<R>,
    before: Option<Id>,
    points: Points<'a>,
    table: &'a Table,
}

impl<'a, R: Identified> Walk<'a, R> {
    /// Begins to walk over rows or keys and the points of a collection, with their marks or without.
    pub(crate) async fn begin(
        rows: Pin<Box<dyn Stream<Item = Result<R, Error>> + 'a>>,
        table: &'a Table,
        server: &'a Server,
        collection: &'a str,
        with_marks: bool,
    ) -> Result<Self, Error> {
        let mut pages = Pages { server, collection, with_marks, page: VecDeque::new(), next: Some(None) };
        let points = match table.key {
            KeyKind::Number | KeyKind::Uuid => Points::InOrder(pages),
            // The server knows no order of ids that are computed here.
            KeyKind::Text => {
                let mut all = HashMap::new();
                while pages.peek().await?.is_some() {
                    all.extend(pages.page.drain(..).map(|(id, mark)| (id, (mark, false))));
                }
                Points::All(all)
            }
        };
        Ok(Self { rows, row: None, before: None, points, table })
    }

    /// The next of them; nothing when both are at their end.
    pub(crate) async fn next(&mut self) -> Result<Option<Side<R>>, Error> {
        if self.row.is_none() {
            self.row = self.rows.next().await.transpose()?;
        }
        let row = self.row.as_ref().map(|row| row.key().id);
        match &mut self.points {
            Points::InOrder(pages) => {
                let point = pages.peek().await?;
                match (row, point) {
                    (None, None) => Ok(None),
                    (Some(row), Some(point)) if point < row => {
                        Ok(pages.page.pop_front().map(|(id, _)| Side::Point(id)))
                    }
                    (None, Some(_)) => Ok(pages.page.pop_front().map(|(id, _)| Side::Point(id))),
                    (Some(row), Some(point)) if point == row => {
                        let mark = pages.page.pop_front().and_then(|(_, mark)| mark);
                        Ok(self.take_row()?.map(|row| Side::Both(row, mark)))
                    }
                    (Some(_), _) => Ok(self.take_row()?.map(Side::Row)),
                }
            }
            Points::All(all) => {
                let Some(id) = row else {
                    let left: Vec<_> = all.drain().filter(|(_, (_, is_seen))| !is_seen).map(|(id, _)| id).collect();
                    let mut left = left.into_iter();
                    let first = left.next().map(Side::Point);
                    self.points = Points::Left(left);
                    return Ok(first);
                };
                let mark = all.get_mut(&id).map(|(mark, is_seen)| {
                    *is_seen = true;
                    mark.take()
                });
                let row = self.take_row()?;
                Ok(row.map(|row| match mark {
                    Some(mark) => Side::Both(row, mark),
                    None => Side::Row(row),
                }))
            }
            Points::Left(left) => Ok(left.next().map(Side::Point)),
        }
    }

    fn take_row(&mut self) -> Result<Option<R>, Error> {
        let row = self.row.take();
        let id = row.as_ref().map(|row| row.key().id);
        if let (true, Some(row)) = (id == self.before, &row) {
            return Err(Error::Twice { table: self.table.name.clone(), key: row.key().text() });
        }
        self.before = id;
        Ok(row)
    }
}
