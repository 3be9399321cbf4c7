//! Whether the server is of a supported major version.

use std::ops::RangeInclusive;

use dbops_postgres::deadpool_postgres::Object;
use dbops_postgres::{SqlError, Version};

use crate::{Finding, Status};

pub(super) const ID: &str = "version";

/// The major versions that dbops is made for.
const SUPPORTED: RangeInclusive<u32> = 15..=18;

pub(super) async fn check(target: &str, client: Object) -> Result<Finding, SqlError> {
    Ok(finding(target, Version::of_server(&client).await?))
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
