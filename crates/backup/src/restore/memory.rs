//! How much memory the server may take to build indexes: an HNSW index is built fast only while its graph fits
//! (<https://github.com/pgvector/pgvector#index-build-time>), and each of pg_restore's sessions takes as much.

use dbops_postgres::tokio_postgres::{Client, Error as DriverError};

/// What part of the memory that the server's machine has free all sessions may take together.
const SHARE: u64 = 4;
/// Bounds for one session, in kilobytes: PostgreSQL's own value, and what is of use.
const LEAST: u64 = 64 * 1024;
const MOST: u64 = 2 * 1024 * 1024;
/// For all sessions where the machine's memory cannot be seen, in kilobytes.
const UNSEEN: u64 = 512 * 1024;

/// A value of `maintenance_work_mem` for each of so many sessions on the server.
pub(super) async fn for_each_of(client: &Client, jobs: u32) -> Result<String, DriverError> {
    let query = "SELECT setting::int8 FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem'";
    let of_server: i64 = client.query_one(query, &[]).await?.try_get(0)?;
    // For superusers and members of pg_read_server_files; the others cannot see it.
    let free = "SELECT pg_catalog.substring(pg_catalog.pg_read_file('/proc/meminfo', 0, 65536), \
                'MemAvailable: +([0-9]+) kB')";
    let free: Option<String> = client.query_one(free, &[]).await.ok().and_then(|row| row.try_get(0).ok());
    let free = free.and_then(|free| free.parse().ok());
    Ok(format!("{}kB", for_one_session(free, u64::try_from(of_server).unwrap_or(0), jobs)))
}

/// In kilobytes. Never less than what the server is set to.
fn for_one_session(free: Option<u64>, of_server: u64, jobs: u32) -> u64 {
    let all = free.map_or(UNSEEN, |free| free / SHARE);
    (all / u64::from(jobs.max(1))).clamp(LEAST, MOST).max(of_server)
}

#[cfg(test)]
mod tests {
    use super::for_one_session;

    #[test]
    fn sessions_share_a_part_of_the_memory() {
        let gigabyte = 1024 * 1024;
        let cases = [
            (Some(16 * gigabyte), 64 * 1024, 2, 2 * gigabyte),
            (Some(16 * gigabyte), 64 * 1024, 8, gigabyte / 2),
            (Some(gigabyte), 64 * 1024, 8, 64 * 1024),
            (None, 64 * 1024, 2, 256 * 1024),
            (None, gigabyte, 2, gigabyte),
            (Some(0), 0, 0, 64 * 1024),
        ];
        for (free, of_server, jobs, expected) in cases {
            assert_eq!(for_one_session(free, of_server, jobs), expected, "{free:?} {of_server} {jobs}");
        }
    }
}
