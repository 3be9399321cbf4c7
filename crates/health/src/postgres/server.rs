//! What the checks have to know of the server before they ask for more.

use std::path::PathBuf;

use dbops_postgres::tokio_postgres::Client;
use dbops_postgres::{DatabaseUrl, SqlError, Version};

/// How far the start in `postmaster.pid`, in whole seconds, may be from what the server tells.
const SAME_START: f64 = 3.0;

/// A server, as it was when the checks began.
#[derive(Debug, Clone)]
pub(super) struct ServerFacts {
    pub(super) version: Version,
    /// Whether the role sees the sessions of others; without it their states and times are hidden.
    pub(super) reads_statistics: bool,
    /// The data folder, when it is on this machine and can be read.
    pub(super) local_folder: Option<PathBuf>,
}

impl ServerFacts {
    pub(super) async fn read(client: &Client, url: &DatabaseUrl) -> Result<Self, SqlError> {
        let row = client.query_one(include_str!("server.sql"), &[]).await?;
        let folder: Option<String> = row.get("data_folder");
        let started: f64 = row.get("started");
        let folder = folder.filter(|_| is_at_hand(url)).map(PathBuf::from);
        Ok(Self {
            version: Version::from_number(u32::try_from(row.get::<_, i32>("version")).unwrap_or(0)),
            reads_statistics: row.get("reads_statistics"),
            local_folder: folder.filter(|folder| {
                // What is at the same path here may be another server's: ours is in a container then.
                let text = std::fs::read_to_string(folder.join("postmaster.pid")).unwrap_or_default();
                let start = text.lines().nth(2).and_then(|line| line.trim().parse::<f64>().ok());
                start.is_some_and(|start| (start - started).abs() < SAME_START)
            }),
        })
    }
}

/// Whether every server of the URL is reached without leaving the machine.
pub(super) fn is_at_hand(url: &DatabaseUrl) -> bool {
    let is_local = |host: &str| {
        let address = host.parse::<std::net::IpAddr>();
        host.starts_with(['/', '@']) || host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    };
    url.servers().iter().all(|(host, _)| is_local(host))
}

/// The memory of this machine in bytes, where it is told.
pub(super) fn machine_memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? * 1024.0)
}
