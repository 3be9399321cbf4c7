//! Whether pages are found in shared_buffers.

use super::asked::{Asked, Checked};
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Finding, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "cache_hit",
    looks_at: "the share of pages that were found in shared_buffers, of at least a million",
    limits: Some(Limits { warning: Some(80.0), critical: None, unit: Unit::Percent, is_floor: true }),
};

/// Fewer pages are those of a start.
const ENOUGH: f64 = 1e6;

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let row = asked.client.query_one(include_str!("database_statistics.sql"), &[]).await?;
    Ok(Some(judged(asked, row.get("hit"), row.get("read"), row.get("seconds"))))
}

fn judged(asked: &Asked<'_>, hit: f64, read: f64, seconds: f64) -> Finding {
    let share = hit * 100.0 / (hit + read).max(1.0);
    let since = duration(seconds);
    if hit + read < ENOUGH {
        let well = format!("too few pages were read in {since} to tell");
        return asked.fold(&CHECK, Vec::new(), ("", &well));
    }
    let text = format!("{share:.1} % of the pages were found in shared_buffers in {since}");
    let remedy = "raise shared_buffers, or see in pg_stat_statements which queries read so much".into();
    asked.fold(&CHECK, vec![Item { value: share, text: text.clone(), remedy }], ("", &text))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, finding, is_ok, is_warning};
    use super::judged;

    #[tokio::test]
    async fn few_hits_are_found() {
        is_ok(&finding(&dbops_testbed::create_database("cache"), "cache_hit").await);
        let url = dbops_testbed::superuser_url();
        let of = async |hit, read| asked(&url, async |asked| judged(asked, hit, read, 3600.0)).await;
        is_ok(&of(1e6, 1e5).await);
        is_ok(&of(0.0, 9e5).await);
        is_warning(
            &of(1e6, 1e6).await,
            "50.0 % of the pages were found in shared_buffers in 1 h",
            "raise shared_buffers",
        );
    }
}
