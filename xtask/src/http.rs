//! What a server on this machine answers over plain HTTP.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// The page at `/`, without the headers.
pub(crate) async fn page_at(port: u16) -> Result<String> {
    let answer = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        anyhow::Ok(text)
    };
    let text = tokio::time::timeout(ANSWER_LIMIT, answer).await.context("no answer")??;
    let (_, page) = text.split_once("\r\n\r\n").context("no HTTP")?;
    Ok(page.to_owned())
}
