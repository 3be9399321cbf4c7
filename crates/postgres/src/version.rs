//! Version numbers of servers and programs.

use std::fmt;

use tokio_postgres::{Client, Error};

/// A PostgreSQL version, 10 or newer: major and minor number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 18 in 18.6.
    pub major: u32,
    /// 6 in 18.6.
    pub minor: u32,
}

impl Version {
    /// Reads `server_version_num`: 180006 is 18.6.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self { major: number / 10_000, minor: number % 10_000 }
    }

    /// The version of the server that the client is connected to.
    ///
    /// # Errors
    ///
    /// When the connection is lost.
    pub async fn of_server(client: &Client) -> Result<Self, Error> {
        let row = client.query_one("SELECT pg_catalog.current_setting('server_version_num')::int4", &[]).await?;
        Ok(Self::from_number(u32::try_from(row.try_get::<_, i32>(0)?).unwrap_or(0)))
    }

    /// Reads what a program prints for `--version`: `pg_dump (PostgreSQL) 18.6 (Debian 18.6-1)`.
    #[must_use]
    pub fn from_program(output: &str) -> Option<Self> {
        let number = output.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let major = parts.next()?.ok()?;
        let minor = parts.next().and_then(Result::ok).unwrap_or(0);
        Some(Self { major, minor })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn reads_what_servers_and_programs_say() {
        let cases = [
            ("pg_dump (PostgreSQL) 18.6", Some((18, 6))),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some((15, 18))),
            ("psql (PostgreSQL) 19beta2", Some((19, 0))),
            ("pg_dump (PostgreSQL) 17devel", Some((17, 0))),
            ("command not found", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|(major, minor)| Version { major, minor });
            assert_eq!(Version::from_program(text), expected, "{text}");
        }
        assert_eq!(Version::from_number(180_006).to_string(), "18.6");
        assert!(Version::from_number(180_000) > Version::from_number(170_009));
    }
}
