//! How fast LangGraph's tables grow, told by the ids of their checkpoints.
//!
//! LangGraph's ids are UUIDs of version 6, which begin with their time: the order of their texts is the order in which
//! they were made. So a sample of the rows tells what share of the tables came in the last days, without a history.
//! Other ids say nothing of their time, and what has them is not taken for grown.

use super::asked::{Asked, Checked};
use super::langgraph_tables::{MAKE_ROOM, tables};
use crate::check::{bytes, duration};
use crate::fold::Item;
use crate::{Check, Limits, Unit};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
const DAY: f64 = 86_400.0;

/// What came in so many seconds is looked at.
const LATELY: f64 = 7.0 * DAY;

/// Between the beginning of the time that these ids count, 15 October 1582, and 1970, in seconds.
const BEFORE_1970: f64 = 12_219_292_800.0;

/// The steps of that time in a second.
const STEPS: f64 = 1e7;

pub(super) const CHECK: Check = Check {
    id: "langgraph_growth",
    looks_at: "how much LangGraph's checkpoint tables grew in a day, of the last 7, by a sample of their ids",
    limits: Limits::new(Unit::BytesADay, GIB, 10.0 * GIB),
};

pub(super) async fn check(asked: &Asked<'_>) -> Checked {
    let Some(tables) = tables(asked).await? else { return Ok(None) };
    let sample = tables.sample(asked, "checkpoints").await?;
    let now: f64 = asked.client.query_one("SELECT extract(epoch FROM now())::float8", &[]).await?.get(0);
    // The order of times is that of bytes, whatever collation the column has.
    let sql = format!(
        "SELECT count(*)::float8 AS all, count(*) FILTER (WHERE is_known AND id >= $1)::float8 AS lately, \
         min(id) FILTER (WHERE is_known) AS oldest \
         FROM (SELECT checkpoint_id COLLATE \"C\" AS id FROM {sample}) ids, \
         LATERAL (SELECT id ~ '^[0-9a-f]{{8}}-[0-9a-f]{{4}}-6[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}$' \
         AS is_known) known"
    );
    let row = asked.client.query_one(&sql, &[&first_id(now - LATELY)]).await?;
    let (all, lately): (f64, f64) = (row.get("all"), row.get("lately"));
    let Some(oldest) = row.get::<_, Option<&str>>("oldest").and_then(made_at) else { return Ok(None) };
    let size = tables.bytes(asked).await?;
    // The first hours of a table are no day's.
    let seconds = (now - oldest).clamp(DAY, LATELY);
    let share = lately / all;
    let growth = size * share / (seconds / DAY);
    let text = format!(
        "LangGraph's tables grow by {}: {:.0} % of their {} are of the last {}",
        Unit::BytesADay.show(growth),
        share * 100.0,
        bytes(size),
        duration(seconds)
    );
    let doubled = duration(size / growth * DAY);
    let remedy = format!("{MAKE_ROOM}; as they grow, they are twice as large in {doubled}");
    Ok(Some(asked.fold(&CHECK, vec![Item { value: growth, text: text.clone(), remedy }], ("", &text))))
}

/// What the ids made from a time on are not below. Seconds since 1970.
fn first_id(time: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "these times are far from the bounds")]
    let steps = ((time + BEFORE_1970) * STEPS) as u64;
    format!("{:08x}-{:04x}-6{:03x}", steps >> 28, steps >> 12 & 0xffff, steps & 0xfff)
}

/// When an id was made, in seconds since 1970.
fn made_at(id: &str) -> Option<f64> {
    let digits = [id.get(..8)?, id.get(9..13)?, id.get(15..18)?].concat();
    #[expect(clippy::cast_precision_loss, reason = "some microseconds do not matter")]
    let steps = u64::from_str_radix(&digits, 16).ok()? as f64;
    Some(steps / STEPS - BEFORE_1970)
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::super::testing::{LANGGRAPH, execute, finding, finding_from, found, is_ok, is_warning};
    use super::{CHECK, DAY, first_id, made_at};
    use crate::Selection;

    #[test]
    fn ids_tell_their_time() {
        // The example of RFC 9562, and the beginning of 1970.
        let cases =
            [("1ec9414c-232a-6b00-b3c8-9e6bdeced846", 1_645_557_742.0), ("1b21dd21-3814-6000-8000-000000000000", 0.0)];
        for (id, time) in cases {
            assert!((made_at(id).expect("a time") - time).abs() < 1e-3, "{id}");
            let earlier = first_id(time - 1.0);
            let later = first_id(time + 1.0);
            assert!(earlier.as_str() < id && id < later.as_str(), "{earlier} {id} {later}");
        }
        assert_eq!(made_at("step-1"), None);
    }

    /// How many rows there are of an age in days; without one their ids tell no time.
    type Rows = (Option<f64>, u32);

    /// What share grew in how many days, and what is said of it.
    type Growth = (f64, f64, &'static str);

    #[tokio::test]
    async fn growth_is_told_by_the_ages_of_ids() {
        let cases: [(&[Rows], Option<Growth>); 7] = [
            (&[], None),
            (&[(None, 10)], None),
            // Half of all within 7 days.
            (&[(Some(1.0), 20), (Some(6.9), 30), (Some(7.1), 40), (Some(90.0), 10)], Some((0.5, 7.0, "50 % of their"))),
            (&[(Some(7.1), 40)], Some((0.0, 7.0, "0 % of their"))),
            // All of it, since the oldest.
            (&[(Some(2.0), 10), (Some(4.0), 10)], Some((1.0, 4.0, "are of the last 4 d"))),
            // Never by less than a day.
            (&[(Some(0.01), 10)], Some((1.0, 1.0, "are of the last 1 d"))),
            // What is not known is not taken for grown.
            (&[(None, 30), (Some(2.0), 10)], Some((0.25, 2.0, "25 % of their"))),
        ];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs_f64();
        let url = dbops_testbed::create_database("langgraph");
        let client = execute(&url, LANGGRAPH).await;
        for (rows, expected) in cases {
            let mut sql = "TRUNCATE checkpoints;".to_owned();
            for (age, count) in rows {
                let id =
                    age.map_or("7f1ebb5f-db25-7665-bffe".into(), |age| format!("{}-8000", first_id(now - age * DAY)));
                sql += &format!(
                    "INSERT INTO checkpoints SELECT 't', '', '{id}-' || lpad(i::text, 12, '0') \
                     FROM generate_series(1, {count}) i;"
                );
            }
            client.batch_execute(&sql).await.expect("rows");
            let found = found(&url, &[], &Selection::default(), CHECK.id).await;
            let Some((share, days, text)) = expected else {
                assert_eq!(found, None, "{rows:?}");
                continue;
            };
            let found = found.expect("a finding");
            is_ok(&found);
            let size = finding(&url, "langgraph_size").await.value.expect("a size");
            let growth = found.value.expect("a number");
            assert!((growth - size * share / days).abs() <= size * 1e-3, "{growth} of {size}: {rows:?}");
            assert!(found.summary.contains(text), "{}: {rows:?}", found.summary);
        }
        let found = finding_from(&url, CHECK.id, 1.0).await;
        assert_eq!(found.unit, Some("bytes/day"));
        is_warning(&found, "LangGraph's tables grow by", "delete_thread(), then VACUUM; as they grow, they are twice");
    }
}
