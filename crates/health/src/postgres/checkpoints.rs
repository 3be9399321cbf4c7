//! Whether checkpoints come because of the amount that is written, more often than time would have them.

use super::asked::{Asked, Checked};
use crate::check::duration;
use crate::fold::Item;
use crate::{Check, Finding, Limits, Unit};

pub(super) const CHECK: Check = Check {
    id: "checkpoints",
    looks_at: "the share of checkpoints that came before their time, of at least 20 within a day and more",
    limits: Limits::warning(Unit::Percent, 50.0),
};

/// Fewer say nothing, nor do those of less than a day: a load of data brings many.
const ENOUGH: f64 = 20.0;
const DAY: f64 = 86_400.0;

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let sql = if asked.server.version.major >= 17 {
        include_str!("checkpoints.sql")
    } else {
        include_str!("checkpoints_16.sql")
    };
    let row = asked.client.query_one(sql, &[]).await?;
    Ok(Some(judged(asked, row.get("timed"), row.get("requested"), row.get("seconds"))))
}

fn judged(asked: &Asked<'_>, timed: f64, requested: f64, seconds: f64) -> Finding {
    let all = timed + requested;
    let since = duration(seconds);
    let item = Item {
        value: requested * 100.0 / all.max(1.0),
        text: format!("{requested} of {all} checkpoints in {since} came before their time"),
        remedy: "raise max_wal_size until checkpoints come by checkpoint_timeout".into(),
    };
    let items = if all >= ENOUGH && seconds >= DAY { vec![item] } else { Vec::new() };
    let well = format!("{requested} of {all} checkpoints in {since} were requested");
    asked.fold(&CHECK, items, ("", &well))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, finding, is_ok, is_warning};
    use super::{DAY, judged};

    #[tokio::test]
    async fn many_that_were_requested_are_found() {
        let url = dbops_testbed::superuser_url();
        is_ok(&finding(&url, "checkpoints").await);
        let of =
            async |timed, requested, seconds| asked(&url, async |asked| judged(asked, timed, requested, seconds)).await;
        is_ok(&of(20.0, 10.0, 2.0 * DAY).await);
        is_ok(&of(0.0, 19.0, 2.0 * DAY).await);
        is_ok(&of(0.0, 30.0, DAY / 2.0).await);
        is_warning(&of(10.0, 30.0, 2.0 * DAY).await, "30 of 40 checkpoints in 2 d", "max_wal_size");
    }
}
