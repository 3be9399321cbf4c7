//! One part of a form (`multipart/form-data`), read as it arrives: RFC 7578, as far as clients use it.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use memchr::memmem;

use crate::error::{Error, Result};

/// The longest heading of a part.
const MAX_HEADING: usize = 16 * 1024;

/// A part on its way.
pub(super) struct Part {
    body: Input,
    /// What ends each part, and begins the next.
    delimiter: Vec<u8>,
    has_ended: bool,
}

/// What arrived and is not used yet.
struct Input {
    stream: axum::body::BodyDataStream,
    buffer: Vec<u8>,
}

impl Input {
    async fn read(&mut self) -> Result<()> {
        let chunk: Bytes = match self.stream.next().await {
            Some(Ok(chunk)) => chunk,
            Some(Err(error)) => return Err(Error::invalid(format!("the body broke off: {error}"))),
            None => return Err(Error::invalid("the body ends before the form does")),
        };
        self.buffer.extend_from_slice(&chunk);
        Ok(())
    }

    /// Takes what stands before `end`, which goes too.
    async fn up_to(&mut self, end: &[u8]) -> Result<Vec<u8>> {
        loop {
            if let Some(at) = memmem::find(&self.buffer, end) {
                let taken = self.buffer.drain(..at + end.len()).take(at).collect();
                return Ok(taken);
            }
            if self.buffer.len() > MAX_HEADING {
                return Err(Error::invalid("the heading of the form is too long"));
            }
            self.read().await?;
        }
    }
}

impl Part {
    /// Passes over the parts before the one of this name.
    pub(super) async fn find(headers: &HeaderMap, body: Body, name: &str) -> Result<Self> {
        let boundary = boundary(headers).ok_or_else(|| Error::invalid("the body is not multipart/form-data"))?;
        // The first boundary may be the very beginning, where no line break precedes it.
        let input = Input { stream: body.into_data_stream(), buffer: b"\r\n".to_vec() };
        let mut part = Self { body: input, delimiter: format!("\r\n--{boundary}").into_bytes(), has_ended: false };
        loop {
            while part.chunk().await?.is_some() {}
            let rest_of_line = part.body.up_to(b"\r\n").await?;
            if rest_of_line.starts_with(b"--") {
                return Err(Error::invalid(format!("the form has no part `{name}`")));
            }
            // A part without headings has nothing but the second line break.
            part.body.buffer.splice(0..0, *b"\r\n");
            let heading = part.body.up_to(b"\r\n\r\n").await?;
            part.has_ended = false;
            if is_named(&String::from_utf8_lossy(&heading), name) {
                return Ok(part);
            }
        }
    }

    /// The next piece; `None` at the part's end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        while !self.has_ended {
            let buffer = &mut self.body.buffer;
            if let Some(at) = memmem::find(buffer, &self.delimiter) {
                self.has_ended = true;
                let rest = buffer.split_off(at + self.delimiter.len());
                let mut chunk = std::mem::replace(buffer, rest);
                chunk.truncate(at);
                return Ok(Some(chunk));
            }
            // The end may hold the beginning of the delimiter.
            if let Some(sure @ 1..) = (buffer.len() + 1).checked_sub(self.delimiter.len()) {
                let rest = buffer.split_off(sure);
                return Ok(Some(std::mem::replace(buffer, rest)));
            }
            self.body.read().await?;
        }
        Ok(None)
    }
}

fn boundary(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut parts = content_type.split(';').map(str::trim);
    let is_form = parts.next()?.eq_ignore_ascii_case("multipart/form-data");
    let boundary = parts.find_map(|part| part.strip_prefix("boundary="))?.trim_matches('"');
    (is_form && !boundary.is_empty()).then(|| boundary.to_owned())
}

fn is_named(heading: &str, name: &str) -> bool {
    let disposition = heading.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"));
    let mut parameters = disposition.unwrap_or_default().split(';').map(str::trim);
    parameters.any(|part| part.strip_prefix("name=").is_some_and(|value| value.trim_matches('"') == name))
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn read(text: &str, size: usize) -> Result<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/form-data; boundary=\"XX\"".parse().unwrap());
        let pieces: Vec<_> = text.as_bytes().chunks(size).map(|piece| Ok::<_, Error>(piece.to_vec())).collect();
        let mut part = Part::find(&headers, Body::from_stream(stream::iter(pieces)), "snapshot").await?;
        let mut whole = Vec::new();
        while let Some(chunk) = part.chunk().await? {
            whole.extend(chunk);
        }
        Ok(String::from_utf8(whole).unwrap())
    }

    /// However the network cuts the body into pieces.
    #[tokio::test]
    async fn forms_are_read_in_any_pieces() {
        let part = "Content-Disposition: form-data; name=\"snapshot\"; filename=\"s\"\r\nContent-Type: a/b\r\n\r\n";
        let other = "content-disposition: form-data; name=other\r\n\r\nsomething";
        let cases = [
            (format!("--XX\r\n{part}bytes\r\n--XX--\r\n"), Ok("bytes")),
            (format!("--XX\r\n{part}\r\n--XX--\r\n"), Ok("")),
            (format!("--XX\r\n{part}\r\n--X\r\n--\r\n\r\n--XX--"), Ok("\r\n--X\r\n--\r\n")),
            (format!("preamble\r\n--XX\r\n{other}\r\n--XX\r\n{part}b\r\n--XX--"), Ok("b")),
            (format!("--XX\r\n\r\nno heading\r\n--XX\r\n{part}b\r\n--XX--"), Ok("b")),
            (format!("--XX\r\n{other}\r\n--XX--\r\n"), Err("the form has no part `snapshot`")),
            (format!("--XX\r\n{part}byt"), Err("the body ends before the form does")),
            (format!("--XX\r\n{part}bytes\r\n--X"), Err("the body ends before the form does")),
            (String::new(), Err("the body ends before the form does")),
        ];
        for (text, expected) in cases {
            for size in [1, 2, 3, 7, 1000] {
                match (read(&text, size).await, expected) {
                    (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text:?} by {size}"),
                    (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{text:?}: {error}"),
                    (found, _) => panic!("{text:?} by {size}: {found:?}"),
                }
            }
        }
        let bare = Part::find(&HeaderMap::new(), Body::empty(), "snapshot").await;
        assert!(bare.is_err_and(|error| error.to_string().contains("not multipart")));
        let endless = format!("--XX\r\n{}", "x".repeat(MAX_HEADING * 2));
        assert!(read(&endless, 1000).await.unwrap_err().to_string().contains("too long"));
    }
}
