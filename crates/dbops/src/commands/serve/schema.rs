//! Pictures of the schemas as they are in the databases. They are drawn when somebody looks.

use std::rc::Rc;
use std::time::{Duration, Instant};

use dbops_postgres::{DatabaseUrl, connect};
use dbops_schema_graph::{Owners, PictureFormat, picture, read_as};
use tokio::time::timeout;

use super::view::Shared;
use crate::failure::{Failure, Result};

/// How long a picture is shown before it is drawn anew.
const LIFE: Duration = Duration::from_secs(60);
/// How long reading a schema may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// A schema, drawn.
#[derive(Clone)]
pub(super) struct Picture {
    drawn: Instant,
    pub(super) svg: Rc<str>,
    /// The same in a page to look around in.
    pub(super) html: Rc<str>,
}

/// The picture of a database, or why there is none. One is drawn at a time: it takes memory.
pub(super) async fn drawn(shared: &Shared, name: &str, url: &DatabaseUrl) -> std::result::Result<Picture, String> {
    let mut pictures = shared.pictures.lock().await;
    pictures.retain(|_, picture| picture.drawn.elapsed() < LIFE);
    if let Some(picture) = pictures.get(name) {
        return Ok(picture.clone());
    }
    let picture = match timeout(DEADLINE, draw(name, url)).await {
        Ok(picture) => picture.map_err(|failure| format!("{:#}", failure.error))?,
        Err(_) => return Err(format!("no answer within {} s", DEADLINE.as_secs())),
    };
    pictures.insert(name.to_owned(), picture.clone());
    Ok(picture)
}

async fn draw(name: &str, url: &DatabaseUrl) -> Result<Picture> {
    let mut client = connect(url).await?;
    let graph = read_as(&mut client, Owners::LeftOut).await.map_err(Failure::from)?;
    let schemas = [(name, &graph)];
    let svg = picture(&schemas, PictureFormat::Svg).into();
    let html = picture(&schemas, PictureFormat::Html).into();
    Ok(Picture { drawn: Instant::now(), svg, html })
}
