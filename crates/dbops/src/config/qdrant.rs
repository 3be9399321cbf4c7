//! A Qdrant target: one address, or several of the nodes of one cluster.

use std::fmt;
use std::num::NonZeroU16;

use serde::Deserialize;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};

use super::file::{RawTarget, Reader, Scalar};
use super::{QdrantTarget, Secret};
use crate::failure::Result;

/// The port of gRPC where none is named.
const GRPC_PORT: u16 = 6334;

/// Where a server, or one node of it, is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QdrantAddress {
    /// The HTTP address.
    pub(crate) url: String,
    pub(crate) grpc_port: u16,
}

/// One or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QdrantAddresses {
    pub(crate) first: QdrantAddress,
    pub(crate) others: Vec<QdrantAddress>,
}

impl QdrantAddresses {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &QdrantAddress> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// The URLs of all.
impl fmt::Display for QdrantAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<_> = self.iter().map(|address| address.url.as_str()).collect();
        f.write_str(&urls.join(", "))
    }
}

/// As it is written: a URL or several with commas between, or a list of URLs and of `{url: …, grpc_port: …}`.
pub(super) enum RawAddresses {
    One(String),
    List(Vec<RawAddress>),
}

impl RawAddresses {
    /// The text, or that of the first of a list.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::One(text) => Some(text),
            Self::List(list) => list.into_iter().next().map(|first| first.url),
        }
    }
}

/// One of a list.
pub(super) struct RawAddress {
    url: String,
    grpc_port: Option<Scalar>,
}

impl<'de> Deserialize<'de> for RawAddresses {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct UrlOrList;
        impl<'de> Visitor<'de> for UrlOrList {
            type Value = RawAddresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, or a list of them")
            }

            fn visit_str<E: Error>(self, text: &str) -> std::result::Result<RawAddresses, E> {
                Ok(RawAddresses::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<RawAddresses, A::Error> {
                let mut addresses = Vec::new();
                while let Some(address) = list.next_element()? {
                    addresses.push(address);
                }
                Ok(RawAddresses::List(addresses))
            }
        }
        deserializer.deserialize_any(UrlOrList)
    }
}

impl<'de> Deserialize<'de> for RawAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct UrlOrMap;
        impl<'de> Visitor<'de> for UrlOrMap {
            type Value = RawAddress;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, or `url` with `grpc_port`")
            }

            fn visit_str<E: Error>(self, text: &str) -> std::result::Result<RawAddress, E> {
                Ok(RawAddress { url: text.to_owned(), grpc_port: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<RawAddress, A::Error> {
                let (mut url, mut grpc_port) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "url" => url = Some(map.next_value()?),
                        "grpc_port" => grpc_port = Some(map.next_value()?),
                        _ => return Err(Error::unknown_field(&key, &["url", "grpc_port"])),
                    }
                }
                Ok(RawAddress { url: url.ok_or_else(|| Error::missing_field("url"))?, grpc_port })
            }
        }
        deserializer.deserialize_any(UrlOrMap)
    }
}

pub(super) fn read(reader: &Reader<'_>, name: &str, raw: RawTarget) -> Result<QdrantTarget> {
    let expand = |key: &str, value: &str| reader.expand(&["targets", name, key], value);
    let grpc_port = raw.grpc_port.as_ref().map(|port| read_port(reader, name, "grpc_port", port)).transpose()?;
    let grpc_port = grpc_port.unwrap_or(GRPC_PORT);
    let nodes = raw.nodes.map(|nodes| read_addresses(reader, name, "nodes", nodes, grpc_port)).transpose()?;
    let api_key = expand("api_key", raw.api_key.as_deref().unwrap_or_default())?;
    let collections = raw.collections.as_deref().map(|collections| expand("collections", collections)).transpose()?;
    Ok(QdrantTarget {
        addresses: read_addresses(reader, name, "url", raw.url, grpc_port)?,
        nodes,
        api_key: Some(api_key).filter(|key| !key.is_empty()).map(Secret),
        collections: collections.map(|collections| reader.resolve(&collections)),
        container: reader.container(name, raw.container.as_deref())?,
    })
}

fn read_addresses(
    reader: &Reader<'_>,
    name: &str,
    key: &str,
    raw: RawAddresses,
    grpc_port: u16,
) -> Result<QdrantAddresses> {
    let list = match raw {
        RawAddresses::One(url) => vec![RawAddress { url, grpc_port: None }],
        RawAddresses::List(list) => list,
    };
    let place = ["targets", name, key];
    let mut addresses = Vec::new();
    for raw in &list {
        let port = raw.grpc_port.as_ref().map(|port| read_port(reader, name, key, port)).transpose()?;
        // A variable may hold several.
        for url in reader.expand(&place, &raw.url)?.split(',') {
            let url = url.trim().trim_end_matches('/');
            if !is_address(url) {
                let failure = reader.failure(&place, "this is not the address of a Qdrant server".into());
                return Err(failure.with_hint("write http://HOST:PORT or https://HOST:PORT; a key goes to `api_key`"));
            }
            let address = QdrantAddress { url: url.to_owned(), grpc_port: port.unwrap_or(grpc_port) };
            if addresses.contains(&address) {
                return Err(reader.failure(&place, format!("the address {url} is there twice")));
            }
            addresses.push(address);
        }
    }
    let mut addresses = addresses.into_iter();
    let Some(first) = addresses.next() else {
        return Err(reader.failure(&place, "there is no address in this list".into()));
    };
    Ok(QdrantAddresses { first, others: addresses.collect() })
}

/// Whether this can be where a server is. There is no place for a key in it.
pub(crate) fn is_address(url: &str) -> bool {
    let is_http = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    is_http.is_some_and(|rest| !rest.trim_matches('/').is_empty() && !rest.contains(['@', '?', '#']))
}

fn read_port(reader: &Reader<'_>, name: &str, key: &str, Scalar(text): &Scalar) -> Result<u16> {
    let place = ["targets", name, key];
    let text = reader.expand(&place, text)?;
    text.parse().map(NonZeroU16::get).map_err(|_| {
        // What was put there by mistake may be a secret.
        reader.failure(&place, "this is not a port number".into()).with_hint("write a number from 1 to 65535")
    })
}
