//! Somebody with a browser: pages over HTTP, with cookies and redirects.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

/// On one server of this machine.
pub(crate) struct Visitor {
    port: u16,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, cookies: BTreeMap::new() }
    }

    /// A page, and the status that it came with.
    pub(crate) fn page(&mut self, path: &str) -> (u16, String) {
        self.answer(path, None)
    }

    /// The page that a filled form leads to.
    pub(crate) fn send(&mut self, path: &str, form: &str) -> (u16, String) {
        self.answer(path, Some(form))
    }

    fn answer(&mut self, path: &str, form: Option<&str>) -> (u16, String) {
        let answer = self.request(path, form);
        let (head, page) = answer.split_once("\r\n\r\n").expect("HTTP");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        let headers: Vec<_> = head.lines().filter_map(|line| line.split_once(": ")).collect();
        for (_, cookie) in headers.iter().filter(|(name, _)| *name == "Set-Cookie") {
            let (name, value) = cookie.split(';').next().and_then(|cookie| cookie.split_once('=')).expect(cookie);
            self.cookies.insert(name.into(), value.into());
        }
        match headers.iter().find(|(name, _)| *name == "Location") {
            // As the page itself, with other parameters.
            Some((_, location)) if location.starts_with('?') => self.answer(&format!("/{location}"), None),
            Some((_, location)) => self.answer(location, None),
            None => (status, page.into()),
        }
    }

    fn request(&self, path: &str, form: Option<&str>) -> String {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let method = if form.is_some() { "POST" } else { "GET" };
        let form = form.unwrap_or("");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.port,
            cookies.collect::<Vec<_>>().join("; "),
            form.len(),
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("somebody listens");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}
