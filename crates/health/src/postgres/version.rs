//! Whether the server is of a supported major version, and not of a minor one with known holes.

use std::ops::RangeInclusive;

use dbops_postgres::Version;

use super::asked::{Asked, Checked};
use crate::{Check, Finding, Status};

pub(super) const CHECK: Check = Check {
    id: ID,
    looks_at: "whether the server's major version is supported, and its minor version has no known holes",
    limits: None,
};

const ID: &str = "version";

/// The releases that close the holes known by [`KNOWN_AT`], among them CVE-2026-6473, CVE-2026-6475 and CVE-2026-6637.
/// <https://www.postgresql.org/about/news/postgresql-184-1710-1614-1518-and-1423-released-3297/>
const SAFE: [(u32, u32); 5] = [(14, 23), (15, 18), (16, 14), (17, 10), (18, 4)];
const KNOWN_AT: &str = "14 May 2026";

/// The major versions that dbops is made for.
const SUPPORTED: RangeInclusive<u32> = 15..=18;

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    Ok(Some(finding(asked.target.name, asked.server.version)))
}

fn finding(target: &str, version: Version) -> Finding {
    let (oldest, newest) = (SUPPORTED.start(), SUPPORTED.end());
    let warning = |why: String| Finding::new(ID, target, Status::Warning, format!("PostgreSQL {version} {why}"));
    if version.major < *oldest {
        return warning(format!("is older than {oldest}, the oldest that dbops supports"))
            .remedy(format!("upgrade the server to PostgreSQL {oldest} or newer"));
    }
    if version.major > *newest {
        return warning(format!("is newer than {newest}, the newest that this dbops knows")).remedy("upgrade dbops");
    }
    if let Some((major, minor)) = SAFE.iter().find(|(major, minor)| version.major == *major && version.minor < *minor) {
        return warning(format!("has security holes that {major}.{minor} closes, as of {KNOWN_AT}")).remedy(format!(
            "install the newest {major}.x and restart the server: minor versions keep the data as it is"
        ));
    }
    Finding::new(ID, target, Status::Ok, format!("PostgreSQL {version}"))
}

#[cfg(test)]
mod tests {
    use dbops_postgres::Version;

    use super::finding;
    use crate::Status;

    #[test]
    fn versions_outside_the_supported_ones_are_warned_of() {
        let cases = [
            (140_022, Status::Warning, "PostgreSQL 14.22 is older than 15, the oldest that dbops supports"),
            (150_017, Status::Warning, "PostgreSQL 15.17 has security holes that 15.18 closes, as of 14 May 2026"),
            (150_018, Status::Ok, "PostgreSQL 15.18"),
            (180_006, Status::Ok, "PostgreSQL 18.6"),
            (190_000, Status::Warning, "PostgreSQL 19.0 is newer than 18, the newest that this dbops knows"),
        ];
        for (number, status, summary) in cases {
            let finding = finding("app", Version::from_number(number));
            assert_eq!((finding.status, finding.summary.as_str()), (status, summary));
            assert_eq!(finding.remedy.is_some(), status != Status::Ok);
        }
    }
}
