//! Who may ask: whoever has the token, and where there is none, whoever sits at this machine.
//!
//! Without a token a page elsewhere could have the reader's browser ask under a name that was made to point here (DNS
//! rebinding): so only the names of this machine are answered. With one such a page has nothing to show.

use std::net::IpAddr;

use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap};
use sha2::{Digest, Sha256};

/// Shorter ones are refused.
pub(super) const SHORTEST_TOKEN: usize = 16;
/// The cookie of people who gave the token.
const NAME: &str = "dbops_serve";

/// What readers have to show. Only hashes are kept: they are compared in a time that says nothing about the token.
pub(super) struct Access(Option<Expected>);

struct Expected {
    token: [u8; 32],
    /// Told to browsers in place of the token.
    cookie: String,
}

impl Access {
    pub(super) fn new(token: Option<String>) -> Self {
        let expect = |token: String| Expected { token: hash(&token), cookie: hex(hash(&format!("cookie {token}"))) };
        Self(token.map(expect))
    }

    pub(super) fn needs_token(&self) -> bool {
        self.0.is_some()
    }

    /// Whether this is the token.
    pub(super) fn is_token(&self, given: &str) -> bool {
        self.0.as_ref().is_some_and(|expected| is_same(&hash(given), &expected.token))
    }

    /// Whether a request shows that its sender has the token, or needs none.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.0 else { return true };
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer =
            bearer.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        if bearer.is_some_and(|(_, token)| self.is_token(token.trim())) {
            return true;
        }
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| name == NAME && is_same(&hash(value), &hash(&expected.cookie)))
    }

    /// What a browser keeps until it is closed. No script reads it, and other sites can have it sent by a link only.
    pub(super) fn set_cookie(&self) -> Option<String> {
        Some(format!("{NAME}={}; Path=/; HttpOnly; SameSite=Lax", self.0.as_ref()?.cookie))
    }

    /// Whether the name that was asked for may be answered.
    pub(super) fn answers_to(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|value| value.to_str().ok());
        let Some(host) = host.filter(|_| hosts.next().is_none()) else { return false };
        self.needs_token() || is_this_machine(host)
    }
}

fn is_this_machine(host: &str) -> bool {
    let has_port = |(_, port): &(&str, &str)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(has_port).map_or(host, |(name, _)| name);
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Looks at all bytes, wherever they differ.
fn is_same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderMap;

    use super::Access;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn without_a_token_only_names_of_this_machine_are_answered() {
        let (open, closed) = (Access::new(None), Access::new(Some("0123456789abcdef".into())));
        let cases = [
            ("localhost", true),
            ("LocalHost:8432", true),
            ("127.0.0.1:8432", true),
            ("127.8.8.8", true),
            ("[::1]:8432", true),
            ("[::1]", true),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8432", false),
            ("evil.example", false),
            ("10.0.0.7:8432", false),
            ("localhost:80:80", false),
            ("", false),
        ];
        for (host, expected) in cases {
            assert_eq!(open.answers_to(&headers(&[("host", host)])), expected, "{host}");
            assert!(closed.answers_to(&headers(&[("host", host)])), "{host}");
        }
        for wrong in [&[][..], &[("host", "localhost"), ("host", "evil.example")]] {
            assert!(!open.answers_to(&headers(wrong)) && !closed.answers_to(&headers(wrong)), "{wrong:?}");
        }
    }

    #[test]
    fn a_token_admits_as_bearer_and_its_cookie_does() {
        let access = Access::new(Some("0123456789abcdef".into()));
        let cookie = access.set_cookie().expect("a cookie");
        assert!(!cookie.contains("0123456789abcdef"));
        let cookie = cookie.split(';').next().expect("a pair");
        let cases = [
            ("authorization", "Bearer 0123456789abcdef", true),
            ("authorization", "bearer  0123456789abcdef", true),
            ("authorization", "Bearer 0123456789abcdeF", false),
            ("authorization", "Basic 0123456789abcdef", false),
            ("authorization", "0123456789abcdef", false),
            ("cookie", cookie, true),
            ("cookie", &format!("theme=dark; {cookie}"), true),
            ("cookie", "dbops_serve=0123456789abcdef", false),
            ("cookie", "dbops_serve=", false),
            ("x-token", "0123456789abcdef", false),
        ];
        for (name, value, expected) in cases {
            assert_eq!(access.admits(&headers(&[(name, value)])), expected, "{name}: {value}");
        }
        assert!(Access::new(None).admits(&HeaderMap::new()) && Access::new(None).set_cookie().is_none());
    }
}
